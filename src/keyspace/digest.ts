/**
 * Digest: one value for all that a database holds, whatever the order in which it is met.
 *
 * Each key is hashed with its type, value and deadline to 160 bits, and the keys' words are added up. So two stores
 * with the same data have the same digest, however the data came there and however it is stored: an integer counts as
 * its digits, and neither encodings nor access clocks count. The elements of a collection are hashed and added up in
 * the same way, for their order is chance; those of a list one after the other, for theirs is not. It finds
 * differences; it is no proof against someone who wants two stores to look alike.
 *
 * live-digest.ts makes one of a database, frozen-keyspace.ts of a frozen one; they share no code that reads the data.
 */
import type { Slice } from "../base/bytes.ts";
import { highWord, type Int64, lowWord } from "../base/int64.ts";

const LANES = 5;

const SEED_LEFT = 0x243f6a88;
const SEED_RIGHT = 0x13198a2e;

/** For the bits of a score. */
const double = new Float64Array(1);
const doubleWords = new Int32Array(double.buffer);

export class Digest {
  readonly #sums = new Int32Array(LANES);
  /** Of the present collection: the sums of its elements' words, and their number. */
  readonly #elements = new Int32Array(LANES);
  #count = 0;
  #left = 0;
  #right = 0;
  /** The present key's state, while one of its elements is hashed. */
  #keyLeft = 0;
  #keyRight = 0;

  /** Adds a key with its string value. @param deadline milliseconds since 1970, or NO_DEADLINE */
  addString(key: Slice, type: number, value: Slice, deadline: Int64): void {
    this.#begin(key, type, deadline);
    this.#mixBytes(value);
    this.#addTo(this.#sums);
  }

  /** Begins a key that holds a collection: its elements are to follow, then `endCollection`. */
  beginCollection(key: Slice, type: number, deadline: Int64): void {
    this.#begin(key, type, deadline);
    this.#elements.fill(0);
    this.#count = 0;
  }

  /** Adds a list's next item: their order counts. */
  addItem(item: Slice): void {
    this.#count += 1;
    this.#mixBytes(item);
  }

  /** Adds a member of a set; as of all that follow, the order does not count. */
  addMember(member: Slice): void {
    this.#beginElement();
    this.#mixBytes(member);
    this.#endElement();
  }

  /** Adds a field of a hash. @param deadline milliseconds since 1970, or 0 */
  addField(field: Slice, value: Slice, deadline: number): void {
    this.#beginElement();
    this.#mixBytes(field);
    this.#mixBytes(value);
    this.#mix(lowWord(deadline));
    this.#mix(highWord(deadline));
    this.#endElement();
  }

  /** Adds a member of a sorted set. A zero's sign does not count: not every encoding has it. */
  addScored(member: Slice, score: number): void {
    double[0] = score + 0;
    this.#beginElement();
    this.#mixBytes(member);
    this.#mix(doubleWords[0]!);
    this.#mix(doubleWords[1]!);
    this.#endElement();
  }

  endCollection(): void {
    this.#mix(this.#count);
    for (let lane = 0; lane < LANES; lane++) this.#mix(this.#elements[lane]!);
    this.#addTo(this.#sums);
  }

  /** Forty hexadecimal digits; zeros for no key at all. */
  toString(): string {
    return Array.from(this.#sums, (sum) => (sum >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #begin(key: Slice, type: number, deadline: Int64): void {
    this.#left = SEED_LEFT;
    this.#right = SEED_RIGHT;
    this.#mix(type);
    this.#mix(lowWord(deadline));
    this.#mix(highWord(deadline));
    this.#mixBytes(key);
  }

  /** An element is hashed by itself: the collection has the sum of them, whatever their order. */
  #beginElement(): void {
    this.#keyLeft = this.#left;
    this.#keyRight = this.#right;
    this.#left = SEED_LEFT;
    this.#right = SEED_RIGHT;
  }

  #endElement(): void {
    this.#count += 1;
    this.#addTo(this.#elements);
    this.#left = this.#keyLeft;
    this.#right = this.#keyRight;
  }

  #addTo(sums: Int32Array): void {
    for (let lane = 0; lane < LANES; lane++) {
      this.#mix(lane);
      sums[lane] = sums[lane]! + (this.#left ^ this.#right);
    }
  }

  #mixBytes(slice: Slice): void {
    const { bytes, start, length } = slice;
    const whole = start + (length & ~3);
    this.#mix(length);
    for (let at = start; at < whole; at += 4) {
      this.#mix(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    }
    for (let at = whole; at < start + length; at++) this.#mix(bytes[at]!);
  }

  /** Two lanes of 32 bits, each multiplied by an odd constant and stirred with the other. */
  #mix(word: number): void {
    const left = Math.imul(this.#left ^ word, 0x9e3779b1);
    const right = Math.imul(this.#right ^ word ^ 0x5bd1e995, 0x85ebca77);
    this.#left = ((left ^ (left >>> 15)) + ((right << 13) | (right >>> 19))) | 0;
    this.#right = ((right ^ (right >>> 16)) + ((left << 7) | (left >>> 25))) | 0;
  }
}
