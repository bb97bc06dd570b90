/**
 * The worker's side of a background thread: what a worker's file calls, once, with a handler for each kind of request.
 *
 *     serve<Requests, Replies>({
 *       free(request, post) { ...; post({ kind: "freed", id: request.id }); },
 *     });
 *
 * Handlers are synchronous: a background thread may block, that is what it is for, and requests are handled one after
 * the other, in the order in which they were posted. A handler that throws ends the worker: the owner hears of it,
 * takes back what the worker had, and starts another one.
 */
import assert from "node:assert/strict";
import { parentPort, type Transferable } from "node:worker_threads";
import { BUSY_MS, type FromWorker, newWords, READY, TAKEN, type ToWorker } from "./thread-protocol.ts";

/** Posts a reply to the owner. @param transfer what the owner is to have, and this thread no longer */
export type PostReply<Replies> = (reply: Replies, transfer?: readonly Transferable[]) => void;

export type Handlers<Requests extends { readonly kind: string }, Replies> = {
  readonly [Kind in Requests["kind"]]: (
    request: Extract<Requests, { readonly kind: Kind }>,
    post: PostReply<Replies>,
  ) => void;
};

/**
 * Serves the owner until it says stop.
 *
 * @param handlers by the requests' `kind`
 * @param pause for tests: called between taking a request and saying so
 */
export function serve<Requests extends { readonly kind: string }, Replies>(
  handlers: Handlers<Requests, Replies>,
  pause?: () => void,
): void {
  const port = parentPort;
  assert(port !== null, "a worker's file is for a worker");
  const post: PostReply<Replies> = (body, transfer = []) => {
    const frame: FromWorker<Replies> = { frame: "reply", body };
    port.postMessage(frame, transfer);
  };
  let words = newWords();
  let taken = 0;
  let busyMs = 0;
  const handle = (request: Requests): void => {
    pause?.();
    taken += 1;
    Atomics.store(words, TAKEN, taken);
    const begin = performance.now();
    const handler = handlers[request.kind as Requests["kind"]] as (request: Requests, post: PostReply<Replies>) => void;
    handler(request, post);
    busyMs += performance.now() - begin;
    Atomics.store(words, BUSY_MS, Math.floor(busyMs));
  };
  port.on("message", (message: ToWorker<Requests>) => {
    if (message.frame === "request") handle(message.body);
    else if (message.frame === "stop") port.close();
    else {
      words = message.words;
      Atomics.store(words, READY, 1);
      const ready: FromWorker<Replies> = { frame: "ready" };
      port.postMessage(ready);
    }
  });
}
