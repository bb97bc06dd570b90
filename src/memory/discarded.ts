/**
 * Discarded: decides whether a large shared buffer may be let go, so that its memory returns to the operating system,
 * or should be used again.
 *
 * A buffer goes when the garbage collector finds that nothing refers to it, and V8 does not count shared buffers: two
 * hundred dropped ones of 2 GiB each cause no collection (measured on Node 20 to 26: all of their memory stays). So
 *   - a buffer is let go only when the one let go before it has been collected: at most one is ever waiting;
 *   - V8 is then given a reason to collect: a plain buffer, which it counts, and which is never touched;
 *   - not when the JavaScript heap is large, because collecting it takes time in proportion and this thread answers.
 * A thread that was given a view of the buffer keeps it alive as well, until that thread collects or ends.
 */
import { getHeapStatistics } from "node:v8";

/** JavaScript heaps up to this size are collected within some milliseconds. */
const COLLECTED_HEAP_MAX = 64 * 1024 * 1024;
/** External memory that makes V8 begin a collection. */
const REASON_SIZE = 160 * 1024 * 1024;

export class Discarded {
  #last: WeakRef<SharedArrayBuffer> | undefined;
  #reason: NodeJS.Immediate | undefined;

  /**
   * Asks whether the owner may drop its references to `buffer`; if so it must, before this turn of the event loop ends.
   * @returns false: use it again
   */
  offer(buffer: SharedArrayBuffer): boolean {
    if (getHeapStatistics().used_heap_size > COLLECTED_HEAP_MAX) return false;
    // Not now: what is still referred to when a collection begins outlives it.
    this.#reason ??= setImmediate(() => {
      this.#reason = undefined;
      giveReasonToCollect();
    }).unref();
    if (this.#last?.deref() !== undefined) return false;
    this.#last = new WeakRef(buffer);
    return true;
  }
}

/** Makes a collection of this thread's garbage likely soon; for threads that have finished reading large views too. */
export function giveReasonToCollect(): void {
  new ArrayBuffer(REASON_SIZE);
}
