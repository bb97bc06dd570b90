/**
 * Digest: one value for all that a database holds, whatever the order in which it is met.
 *
 * Each key is hashed with its type, value and deadline to 160 bits, and the keys' words are added up. So two stores
 * with the same data have the same digest, however the data came there and however it is stored: an integer counts as
 * its digits, and neither encodings nor access clocks count. It finds differences; it is no proof against someone who
 * wants two stores to look alike.
 */
import { Slice } from "../base/bytes.ts";
import { highWord, type Int64, lowWord, writeInt64 } from "../base/int64.ts";
import type { Ref } from "../memory/heap.ts";
import type { Database } from "./database.ts";
import { type Entries, EXTERNAL, INT } from "./entry.ts";

const LANES = 5;

export class Digest {
  readonly #sums = new Int32Array(LANES);
  #left = 0;
  #right = 0;

  /** Adds a key with its string value. @param deadline milliseconds since 1970, or NO_DEADLINE */
  addString(key: Slice, type: number, value: Slice, deadline: Int64): void {
    this.#left = 0x243f6a88;
    this.#right = 0x13198a2e;
    this.#mix(type);
    this.#mix(lowWord(deadline));
    this.#mix(highWord(deadline));
    this.#mixBytes(key);
    this.#mixBytes(value);
    for (let lane = 0; lane < LANES; lane++) {
      this.#mix(lane);
      this.#sums[lane] = this.#sums[lane]! + (this.#left ^ this.#right);
    }
  }

  /** Forty hexadecimal digits; zeros for no key at all. */
  toString(): string {
    return Array.from(this.#sums, (sum) => (sum >>> 0).toString(16).padStart(8, "0")).join("");
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

/** The digest of a database as it is now. Owner thread; O(everything). Expired keys that nobody has touched count. */
export function digestOf(database: Database): string {
  const digest = new Digest();
  const key = new Slice();
  const value = new Slice();
  const digits = Buffer.alloc(24);
  for (const { entries, dictionaries } of database.keyspace.shards) {
    dictionaries[database.index]!.forEach((entry) => {
      key.set(entries.bytes, entries.keyStart(entry), entries.keyLength(entry));
      digest.addString(key, entries.type(entry), stringValue(entries, entry, value, digits), entries.deadline(entry));
    });
  }
  return digest.toString();
}

function stringValue(entries: Entries, entry: Ref, value: Slice, digits: Buffer): Slice {
  const encoding = entries.encoding(entry);
  if (encoding === INT) value.set(digits, 0, writeInt64(entries.integer(entry), digits, 0));
  else if (encoding === EXTERNAL) value.set(entries.bytes, entries.extra(entry), entries.value(entry));
  else value.set(entries.bytes, entries.inlineStart(entry), entries.value(entry));
  return value;
}
