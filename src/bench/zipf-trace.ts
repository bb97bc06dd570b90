/** Requests for keys of unequal popularity, and a cache that forgets exactly what was used longest ago. */
import type { Random } from "./random.ts";

const RESOLUTION = 2 ** 31;

/** Numbers from 0 to `keys` - 1, of which number n comes in proportion to (n + 1) to the power of -`exponent`. */
export class ZipfTrace {
  readonly #random: Random;
  /** How often one of the numbers up to this one comes, of all. */
  readonly #cumulated: Float64Array;

  constructor(keys: number, exponent: number, random: Random) {
    this.#random = random;
    let sum = 0;
    this.#cumulated = Float64Array.from({ length: keys }, (_, i) => {
      sum += (i + 1) ** -exponent;
      return sum;
    }).map((part) => part / sum);
  }

  next(): number {
    const part = this.#random.below(RESOLUTION) / RESOLUTION;
    let [low, high] = [0, this.#cumulated.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#cumulated[middle] as number) > part) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The part of all requests that a cache of the `held` most popular keys answers: none of its size does better. */
  best(held: number): number {
    return this.#cumulated[held - 1] as number;
  }
}

/** True least-recently-used order of keys that are numbers: what sampling is an approximation of. */
export class TrueLru {
  readonly #capacity: number;
  /** Links of a ring through its head, which is one behind the last key; a key that is not held is linked to none. */
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  readonly #head: number;
  #count = 0;

  constructor(capacity: number, keys: number) {
    this.#capacity = capacity;
    this.#head = keys;
    this.#newer = new Int32Array(keys + 1).fill(-1);
    this.#older = new Int32Array(keys + 1).fill(-1);
    this.#newer[keys] = keys;
    this.#older[keys] = keys;
  }

  /** Uses a key; false if it is not held. */
  get(key: number): boolean {
    if (this.#newer[key] === -1) return false;
    this.#unlink(key);
    this.#linkAsNewest(key);
    return true;
  }

  /** Holds a key from now on, at the cost of that which was used longest ago. */
  set(key: number): void {
    if (this.get(key)) return;
    if (this.#count === this.#capacity) this.#unlink(this.#newer[this.#head] as number);
    this.#linkAsNewest(key);
  }

  #linkAsNewest(key: number): void {
    const newest = this.#older[this.#head] as number;
    this.#newer[newest] = key;
    this.#older[key] = newest;
    this.#newer[key] = this.#head;
    this.#older[this.#head] = key;
    this.#count += 1;
  }

  #unlink(key: number): void {
    const [newer, older] = [this.#newer[key] as number, this.#older[key] as number];
    this.#newer[older] = newer;
    this.#older[newer] = older;
    this.#newer[key] = -1;
    this.#count -= 1;
  }
}
