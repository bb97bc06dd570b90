/** Keeps the process alive for somebody who waits, where what is waited for does not: a background thread, a disk. */

/** Longer than anything is waited for, and still within what a timer takes. */
const HOLD_MS = 2 ** 30;

/** Keeps the process alive while somebody waits: any number of them, each named by itself. */
export class KeepAlive {
  readonly #waiting = new Set<object>();
  #hold: NodeJS.Timeout | undefined;

  /** Whether `who` waits from now on. */
  set(who: object, isWaiting: boolean): void {
    if (isWaiting) this.#waiting.add(who);
    else if (!this.#waiting.delete(who)) return;
    if (this.#waiting.size > 0) this.#hold ??= setInterval(() => undefined, HOLD_MS);
    else {
      clearInterval(this.#hold);
      this.#hold = undefined;
    }
  }
}

/** The promise, with the process kept alive until it is settled. */
export async function keptAlive<T>(promise: Promise<T>): Promise<T> {
  const hold = setInterval(() => undefined, HOLD_MS);
  try {
    return await promise;
  } finally {
    clearInterval(hold);
  }
}
