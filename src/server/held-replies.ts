/**
 * HeldReplies: what one client is to be sent, and must not be before the log has what it tells of.
 *
 *     | +OK, until 120 | $1 7 until 0 | message until 0 | +OK until 380 |      in the order in which it is sent
 *
 * What has no effects of its own waits all the same behind what has: a client hears in the order in which it asked.
 * Connections hold few replies for a short time, so each of them is a copy.
 */

interface Held {
  readonly bytes: Buffer;
  /** Position in the log that must have been released. */
  readonly until: number;
}

export class HeldReplies {
  /** Bytes held. */
  bytes = 0;
  #first = 0;
  readonly #held: Held[] = [];

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** @param bytes kept as they are; @param until 0 if it waits only for those before it */
  add(bytes: Buffer, until: number): void {
    this.#held.push({ bytes, until });
    this.bytes += bytes.length;
  }

  /** Takes out what may be sent now. @returns undefined if there is nothing */
  take(released: number): Buffer | undefined {
    const from = this.#first;
    const next = this.#held[from];
    if (next === undefined || next.until > released) return undefined;
    // The rule: a client that waits for each of its replies.
    if (from + 1 === this.#held.length) {
      this.clear();
      return next.bytes;
    }
    while (this.#first < this.#held.length && this.#held[this.#first]!.until <= released) this.#first += 1;
    const taken = this.#held.slice(from, this.#first).map(({ bytes }) => bytes);
    if (this.#first === this.#held.length) this.clear();
    else for (const { length } of taken) this.bytes -= length;
    return Buffer.concat(taken);
  }

  clear(): void {
    this.#held.length = 0;
    this.#first = 0;
    this.bytes = 0;
  }
}
