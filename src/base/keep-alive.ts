/** Keeps the process alive for somebody who waits, where what is waited for does not: a background thread, a disk. */

/** Longer than anything is waited for, and still within what a timer takes. */
const HOLD_MS = 2 ** 30;

/** The promise, with the process kept alive until it is settled. */
export async function keptAlive<T>(promise: Promise<T>): Promise<T> {
  const hold = setInterval(() => undefined, HOLD_MS);
  try {
    return await promise;
  } finally {
    clearInterval(hold);
  }
}
