/**
 * The shared words of a job of the thread `snapshot`: how far it has come, and who decides its end.
 *
 *     words (Int32), new for each job      stored by
 *     [0] STATE      see below             both, by compare-and-exchange
 *     [1] KEYS       written so far        the worker
 *     [2] KIBIBYTES  written so far        the worker
 *
 *     RUNNING ──▶ COMMITTING ──▶ ENDED        the worker is about to put the file in its place; it has, or has failed
 *        └──────▶ CANCELLED                   the owner wants the file no more
 *
 * Why a word decides: a job that is given up because a later state has been saved must not rename its older file over
 * that. Whoever exchanges RUNNING for something else first has decided. An owner that comes too late knows that the
 * file is about to be in its place, and where that matters waits for ENDED, which is a rename away.
 *
 * KEYS and KIBIBYTES are only shown; a file of more than 2 TiB makes the latter wrap.
 */
export const STATE = 0;
export const KEYS = 1;
export const KIBIBYTES = 2;
const WORDS = 3;

export const RUNNING = 0;
export const COMMITTING = 1;
export const ENDED = 2;
export const CANCELLED = 3;

export type SnapshotWords = Int32Array<SharedArrayBuffer>;

export function newSnapshotWords(): SnapshotWords {
  return new Int32Array(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT));
}

/** Takes the decision for `next`. @returns false if it had been taken before */
export function decide(words: SnapshotWords, next: typeof COMMITTING | typeof CANCELLED): boolean {
  const isTaken = Atomics.compareExchange(words, STATE, RUNNING, next) === RUNNING;
  if (isTaken) Atomics.notify(words, STATE);
  return isTaken;
}

/** What was decided has been done, or has failed. */
export function end(words: SnapshotWords): void {
  Atomics.store(words, STATE, ENDED);
  Atomics.notify(words, STATE);
}

/**
 * Waits, blocking the thread, for a job that is about to put its file in its place.
 * @param timeoutMs milliseconds at most
 * @returns whether it is over
 */
export function waitForEnd(words: SnapshotWords, timeoutMs: number): boolean {
  return Atomics.wait(words, STATE, COMMITTING, timeoutMs) !== "timed-out";
}
