/**
 * Seeded pseudo-random choices: the same seed gives the same test on every machine.
 *
 * The generator is sfc32: small, fast, and of far better quality than a test needs.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed any integer; `stream` separates independent sequences of one seed */
  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = stream | 0;
    for (let round = 0; round < 12; round += 1) this.#next();
  }

  /** An integer from 0 to below `bound`; bounds up to 2^53. */
  below(bound: number): number {
    const high = this.#next() >>> 11;
    return Math.floor(((high * 2 ** 32 + this.#next()) / 2 ** 53) * bound);
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.#next() / 2 ** 32 < probability;
  }

  /** One element of a list that is not empty. */
  pick<Element>(list: readonly Element[]): Element {
    return list[this.below(list.length)]!;
  }

  /** The elements in random order. */
  shuffled<Element>(list: readonly Element[]): Element[] {
    const result = [...list];
    for (let last = result.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      [result[last], result[other]] = [result[other]!, result[last]!];
    }
    return result;
  }

  /** Bytes of any value. */
  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at += 1) bytes[at] = this.#next();
    return bytes;
  }

  /** Text of characters taken from `alphabet`. */
  text(length: number, alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"): string {
    let text = "";
    for (let at = 0; at < length; at += 1) text += alphabet[this.below(alphabet.length)];
    return text;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}

/** The seed of this run: the environment's SEED, or a fresh one. The caller prints it. */
export function seedOfRun(): number {
  const given = process.env["SEED"];
  if (given === undefined || given === "") return Date.now() % 2 ** 31;
  const seed = Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`SEED is not an integer: ${given}`);
  return seed;
}
