/**
 * Discarded: decides whether a large shared buffer may be let go, so that its memory returns to the operating system,
 * or should be used again.
 *
 * A buffer goes when the garbage collector finds that nothing refers to it, and V8 does not count shared buffers: two
 * hundred dropped ones of 2 GiB each cause no collection (measured on Node 20 to 26: all of their memory stays). So
 *   - a buffer is let go only when the one let go before it has been collected: at most one is ever waiting;
 *   - V8 is then given a reason to collect: a plain buffer, which it counts, and which is never touched; a while later,
 *     because what is still referred to when a collection begins outlives it, and because somebody waits for an answer;
 *   - not when the JavaScript heap is large, because collecting it takes time in proportion and this thread answers.
 *
 * Giving a gigabyte back takes the system 200 ms, on whichever thread drops the last reference. So another one holds
 * the buffer until this thread's collector has found it, and then lets it go itself.
 *
 *     this thread   offer ──hold──▶ ┄┄ 0.1 s ┄┄▶ a reason to collect ┄┄ 1 s ┄┄▶ collected? ──letGo──▶
 *     the holder                    refers to it ............................................  collects, unmaps
 *
 * A second passes in between because a collector asks the system for memory, too, and then waits for whoever unmaps.
 */
import { getHeapStatistics } from "node:v8";

/** JavaScript heaps up to this size are collected within some milliseconds. */
const COLLECTED_HEAP_MAX = 64 * 1024 * 1024;
/** External memory that makes V8 begin a collection. */
const REASON_SIZE = 160 * 1024 * 1024;
/** Milliseconds until a reason to collect is given. */
const REASON_MS = 100;
/** Milliseconds until it is looked what became of it, and then until the next reason is given; doubled each time. */
const LOOK_MS = 1000;
const LOOK_MAX_MS = 60_000;

/** Another thread, which holds on to buffers so that their memory is given back there. */
export interface BufferHolder {
  /** @returns what it is to be called by; undefined if it was not taken */
  hold(buffer: SharedArrayBuffer): number | undefined;
  /** Nobody else refers to it any more. @returns false if it is to be asked again later */
  letGo(held: number): boolean;
}

export class Discarded {
  readonly #holder: BufferHolder | undefined;
  #last: WeakRef<SharedArrayBuffer> | undefined;
  #held: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(holder?: BufferHolder) {
    this.#holder = holder;
  }

  /**
   * Asks whether the owner may drop its references to `buffer`; if so it must, before this turn of the event loop ends.
   * @returns false: use it again
   */
  offer(buffer: SharedArrayBuffer): boolean {
    if (getHeapStatistics().used_heap_size > COLLECTED_HEAP_MAX || !this.#isFree()) return false;
    this.#last = new WeakRef(buffer);
    this.#held = this.#holder?.hold(buffer);
    this.#giveReasonIn(REASON_MS, LOOK_MS);
    return true;
  }

  /** Whether none is waiting to be collected. */
  #isFree(): boolean {
    if (this.#last?.deref() !== undefined) return false;
    if (this.#held !== undefined && !this.#holder!.letGo(this.#held)) return false;
    this.#held = undefined;
    clearTimeout(this.#timer);
    return true;
  }

  #giveReasonIn(milliseconds: number, lookMs: number): void {
    this.#timer = setTimeout(() => {
      giveReasonSoon();
      this.#timer = setTimeout(() => {
        if (!this.#isFree()) this.#giveReasonIn(lookMs, Math.min(LOOK_MAX_MS, lookMs * 2));
      }, lookMs).unref();
    }, milliseconds).unref();
  }
}

let isReasonDue = false;

/** In the next turn, and once for all that were discarded together: one collection finds them all. */
function giveReasonSoon(): void {
  if (isReasonDue) return;
  isReasonDue = true;
  setImmediate(() => {
    isReasonDue = false;
    giveReasonToCollect();
  }).unref();
}

/** Makes a collection of this thread's garbage likely soon; for threads that have finished reading large views too. */
export function giveReasonToCollect(): void {
  new ArrayBuffer(REASON_SIZE);
}
