/**
 * What an owner and its background thread say to each other: messages, and three shared words.
 *
 *     words (Int32), new for each worker that is started      stored by
 *     [0] READY     1 once the worker serves                  the worker
 *     [1] TAKEN     requests taken out of the inbox           the worker
 *     [2] BUSY_MS   milliseconds spent in handlers            the worker
 *
 * Words beside messages, because the owner may be blocked or busy for seconds: it then still knows how far the worker
 * has come, and no acknowledgement costs the owner a turn of its event loop.
 *
 * Each word has one writer and stands for itself; what matters is where in the worker's life it is stored:
 * - READY before any request is looked at. The owner loads it only when its patience is over: the message that says the
 *   same may be there already, behind the timer that ended it.
 * - TAKEN after a request has been received and before its handler begins. A worker that is interrupted in between, or
 *   an owner that sees an old value, makes the inbox look fuller than it is: a request may be refused too early, but
 *   never are there more of them than the bound. Replies are posted after the store, so whoever has the reply to a
 *   request finds it taken.
 * - BUSY_MS after a handler has ended; it is only shown.
 *
 * TAKEN and BUSY_MS wrap: only the difference to what was posted has a meaning, and a life of 49 busy days.
 */

export const READY = 0;
export const TAKEN = 1;
export const BUSY_MS = 2;
const WORDS = 3;

export function newWords(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT));
}

/** In this order: `begin` once, any number of requests, `stop`. */
export type ToWorker<Requests> =
  | { readonly frame: "begin"; readonly words: Int32Array<SharedArrayBuffer> }
  | { readonly frame: "request"; readonly body: Requests }
  | { readonly frame: "stop" };

/** `ready` once, then replies. How a worker ends, however it does, its owner hears from Node.js. */
export type FromWorker<Replies> = { readonly frame: "ready" } | { readonly frame: "reply"; readonly body: Replies };
