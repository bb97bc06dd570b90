/**
 * Clock: the time that commands see, read from the system once and kept until `forget`.
 *
 * Reading the system's clock costs about as much as a GET, and most commands need no time at all. The server forgets it
 * once per turn of the event loop, the embedded store once per call. Wall-clock time, because deadlines are absolute
 * and survive restarts; it may step, as it may in Redis.
 */
export class Clock {
  #milliseconds = 0;
  #isKnown = false;
  readonly #read: () => number;

  /** @param read the source of time, in milliseconds since 1970 */
  constructor(read: () => number = Date.now) {
    this.#read = read;
  }

  /** Milliseconds since 1970. */
  now(): number {
    if (!this.#isKnown) {
      this.#milliseconds = this.#read();
      this.#isKnown = true;
    }
    return this.#milliseconds;
  }

  /** The next `now` reads the system's clock again. */
  forget(): void {
    this.#isKnown = false;
  }
}
