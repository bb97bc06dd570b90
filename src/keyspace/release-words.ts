/**
 * The words by which a keyspace and the thread that finds its dead blocks agree on who may do what; one set a keyspace.
 *
 *     words (Int32)                                                              stored by
 *     [0] STOP       batches up to this number are to be dropped                 the keyspace's owner
 *     [1] LIST_ONLY  blocks of batches up to this number are not to be linked    the keyspace's owner
 *     [2] PHASE      number of the batch << 3 | how far it is                    the finder
 *
 *     PHASE:  walking ──▶ listed ──▶ linked        all dead blocks are marked, and linked where that is of use
 *                │           ├─────▶ unlinked      all are marked, none is linked
 *                └───────────┴─────▶ stopped       for the owner to clear the marks
 *
 * Words, because both must know at once: an owner that is about to reset a region, or to count what is dead, cannot
 * wait for messages; and after the finder has died, PHASE says what there is to recover.
 *
 * Why it holds: each word has one writer, each side stores its own word and only then loads the other's, and atomic
 * operations have a single order. So of two that cross, at least one sees the other:
 * - The finder stores `walking` and then loads STOP, stores `listed` and then loads LIST_ONLY. An owner that has
 *   stored LIST_ONLY and then finds no `listed` knows that nothing will be linked; one that finds it knows that all
 *   rows are complete. An owner that has stored STOP and then finds the batch not taken knows that the finder will
 *   touch nothing of it.
 * - The finder's stores to rows, marks and links come before the PHASE that says so, and the owner looks at them after
 *   it has loaded that.
 *
 * Numbers wrap after 2^28 batches; at `begin` STOP is never more than one behind, so differences have a meaning.
 */
const STOP = 0;
const LIST_ONLY = 1;
const PHASE = 2;
const WORDS = 3;

const PHASE_BITS = 3;
const NUMBER_MASK = 0xfffffff;
/** Moves a number's highest bit to the sign. */
const SIGN_SHIFT = 4;

/** How far a batch is; from LINKED on the finder is done with it. */
export type Phase = number;
export const UNTAKEN: Phase = 0;
export const WALKING: Phase = 1;
export const LISTED: Phase = 2;
export const LINKED: Phase = 3;
export const UNLINKED: Phase = 4;
export const STOPPED: Phase = 5;

export class ReleaseWords {
  /** Can be posted to another thread. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  #number = 0;

  constructor(buffer = new SharedArrayBuffer(WORDS * 4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** The owner: numbers another batch. */
  begin(mayLink: boolean): number {
    this.#number = (this.#number + 1) & NUMBER_MASK;
    Atomics.store(this.#words, STOP, (this.#number - 1) & NUMBER_MASK);
    Atomics.store(this.#words, LIST_ONLY, (this.#number - (mayLink ? 1 : 0)) & NUMBER_MASK);
    return this.#number;
  }

  /** The owner: this batch is to be dropped. */
  stop(): void {
    Atomics.store(this.#words, STOP, this.#number);
  }

  /** The owner: nothing more of this batch is to be linked, unless its linking has begun. */
  forbidLinks(): void {
    Atomics.store(this.#words, LIST_ONLY, this.#number);
  }

  /** The owner: how far the last batch is. */
  get phase(): Phase {
    const word = Atomics.load(this.#words, PHASE);
    return word >>> PHASE_BITS === this.#number ? word & ((1 << PHASE_BITS) - 1) : UNTAKEN;
  }

  /**
   * The owner: as `awaitEnd`, without sleeping: a thread that sleeps among busy ones wakes up milliseconds late.
   * @param timeoutMs a fraction of one
   */
  watchEnd(timeoutMs: number): boolean {
    for (const deadline = performance.now() + timeoutMs; this.phase < LINKED; ) {
      if (performance.now() >= deadline) return false;
    }
    return true;
  }

  /** The owner: waits for the finder to be done with the last batch, which it has taken. @returns whether it is */
  awaitEnd(timeoutMs: number): boolean {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const word = Atomics.load(this.#words, PHASE);
      if (this.phase >= LINKED) return true;
      const left = deadline - performance.now();
      if (left <= 0) return false;
      Atomics.wait(this.#words, PHASE, word, left);
    }
  }

  /** The finder: says how far it is. */
  reach(number: number, phase: Phase): void {
    Atomics.store(this.#words, PHASE, (number << PHASE_BITS) | phase);
    if (phase >= LINKED) Atomics.notify(this.#words, PHASE);
  }

  /** The finder: whether the batch is to be dropped. */
  mustStop(number: number): boolean {
    return reaches(Atomics.load(this.#words, STOP), number);
  }

  /** The finder: whether the batch's blocks may be linked; asked once, after LISTED has been reached. */
  mayLink(number: number): boolean {
    return !reaches(Atomics.load(this.#words, LIST_ONLY), number);
  }
}

function reaches(word: number, number: number): boolean {
  return (word - number) << SIGN_SHIFT >= 0;
}
