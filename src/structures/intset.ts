/**
 * Intset: a small set of integers in one block, exactly Redis's bytes.
 *
 *     +0  ENCODING  u32: bytes of each integer: 2, 4 or 8, as the largest needs
 *     +4  COUNT     u32
 *     +8  integers, little-endian, ascending
 *
 * Why: eight bytes an integer at the most, and found by halving; a dump is a copy. An integer that needs more bytes
 * than the others widens them all. It never narrows, as in Redis.
 *
 * A view: `attach` points it at another intset. A write may have to move the block: `ref` is another one then, for the
 * owner to store. A write throws RegionFullError with nothing changed.
 *
 * Invariants (verify): strictly ascending, within the block. Owner thread only.
 */
import { copyBytes, moveBytes } from "../base/bytes.ts";
import { fromWords, highWord, type Int64, lowWord } from "../base/int64.ts";
import { type Heap, NONE, type Ref, RegionFullError } from "../memory/heap.ts";
import { isLoose, withRoom } from "./block-growth.ts";
import { readWord } from "./listpack-format.ts";

export const COUNT = 4;
export const HEADER_SIZE = 8;

export class Intset {
  readonly heap: Heap;
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  #ref: Ref = NONE;

  constructor(heap: Heap) {
    this.heap = heap;
    this.#words = heap.region.words;
    this.#bytes = heap.region.bytes;
  }

  /** A new, empty intset; the view stays where it is. @throws RegionFullError */
  create(): Ref {
    const ref = this.heap.allocate(HEADER_SIZE);
    this.heap.region.setWord(ref, 2);
    this.heap.region.setWord(ref + COUNT, 0);
    return ref;
  }

  /** Points at the intset in block `ref`. */
  attach(ref: Ref): this {
    this.#ref = ref;
    return this;
  }

  /** The block; another one after a write that had to move it. */
  get ref(): Ref {
    return this.#ref;
  }

  get count(): number {
    return this.#words[(this.#ref + COUNT) >>> 2]!;
  }

  /** Bytes of the intset: what a dump copies. */
  get byteLength(): number {
    return HEADER_SIZE + this.count * this.#width;
  }

  has(value: Int64): boolean {
    const place = this.#search(value);
    return place < this.count && this.at(place) === value;
  }

  /** @returns false if the value was there */
  add(value: Int64): boolean {
    const place = this.#search(value);
    const { count } = this;
    if (place < count && this.at(place) === value) return false;
    const needed = widthOf(value);
    if (needed > this.#width) this.#widen(needed, place === 0 ? 1 : 0);
    else this.#resize(place, 0, 1);
    this.#put(place, value);
    this.heap.region.setWord(this.#ref + COUNT, count + 1);
    return true;
  }

  /** @returns false if the value was not there */
  remove(value: Int64): boolean {
    const place = this.#search(value);
    const { count } = this;
    if (place === count || this.at(place) !== value) return false;
    this.#resize(place, 1, 0);
    this.heap.region.setWord(this.#ref + COUNT, count - 1);
    return true;
  }

  /** The integer at `index` in ascending order. */
  at(index: number): Int64 {
    const first = (this.#ref + HEADER_SIZE) >>> 2;
    const words = this.#words;
    switch (this.#width) {
      case 2:
        return (words[first + (index >>> 1)]! << ((index & 1) === 0 ? 16 : 0)) >> 16;
      case 4:
        return words[first + index]!;
      default:
        return fromWords(words[first + index * 2]!, words[first + index * 2 + 1]!);
    }
  }

  /** @throws Error that names what is wrong */
  verify(): void {
    if (this.byteLength > this.heap.sizeOf(this.#ref)) throw new Error(`intset ${this.#ref} is larger than its block`);
    if (this.count > 0 && !validateIntset(this.#bytes, this.#ref, this.byteLength)) {
      throw new Error(`intset ${this.#ref} is damaged`);
    }
  }

  get #width(): number {
    return this.#words[this.#ref >>> 2]!;
  }

  /** Index of the first integer that is not less than `value`. */
  #search(value: Int64): number {
    let low = 0;
    let high = this.count;
    // What arrives in order goes behind the last.
    if (high === 0 || this.at(high - 1) < value) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.at(middle) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #put(index: number, value: Int64): void {
    const width = this.#width;
    const at = this.#ref + HEADER_SIZE + index * width;
    const low = lowWord(value);
    if (width === 2) {
      this.heap.region.guard(at, 2);
      this.#bytes[at] = low;
      this.#bytes[at + 1] = low >>> 8;
      return;
    }
    this.heap.region.setWord(at, low);
    if (width === 8) this.heap.region.setWord(at + 4, highWord(value));
  }

  /** Gives every integer `width` bytes, leaving `before` places free in front and one behind or in front. */
  #widen(width: number, before: number): void {
    const { count, heap } = this;
    const old = this.#ref;
    const size = HEADER_SIZE + (count + 1) * width;
    const target = heap.allocate(withRoom(size));
    heap.region.setWord(target, width);
    heap.region.setWord(target + COUNT, count);
    for (let index = 0; index < count; index++) {
      this.#ref = old;
      const value = this.at(index);
      this.#ref = target;
      this.#put(index + before, value);
    }
    this.#ref = target;
    heap.free(old);
  }

  /** Makes `oldCount` places at `place` be `newCount`. */
  #resize(place: number, oldCount: number, newCount: number): void {
    const { heap } = this;
    const width = this.#width;
    const at = HEADER_SIZE + place * width;
    const total = this.byteLength;
    const newTotal = total + (newCount - oldCount) * width;
    const blockSize = heap.sizeOf(this.#ref);
    const from = at + oldCount * width;
    const to = at + newCount * width;
    if (newTotal > blockSize) {
      this.#move(heap.allocate(withRoom(newTotal)), at, from, to);
    } else if (newTotal > total || !isLoose(newTotal, blockSize) || !this.#moveToSmaller(newTotal, at, from, to)) {
      heap.region.guard(this.#ref + at, newTotal - at);
      moveBytes(this.#bytes, this.#ref + from, this.#ref + to, total - from);
    }
  }

  /** @returns false if there is no room for the smaller block just now: the larger one will do */
  #moveToSmaller(newTotal: number, at: number, from: number, to: number): boolean {
    let smaller: Ref;
    try {
      smaller = this.heap.allocate(withRoom(newTotal));
    } catch (error) {
      if (error instanceof RegionFullError) return false;
      throw error;
    }
    this.#move(smaller, at, from, to);
    return true;
  }

  /** The bytes before `at` stay where they are in the new block, those from `from` on are put at `to`. */
  #move(target: Ref, at: number, from: number, to: number): void {
    const bytes = this.#bytes;
    const old = this.#ref;
    const rest = this.byteLength - from;
    this.heap.region.guard(target, to + rest);
    copyBytes(bytes, old, bytes, target, at);
    copyBytes(bytes, old + from, bytes, target + to, rest);
    this.heap.free(old);
    this.#ref = target;
  }
}

function widthOf(value: Int64): number {
  if (typeof value === "bigint") return 8;
  if (value >= -32768 && value <= 32767) return 2;
  return value >= -2147483648 && value <= 2147483647 ? 4 : 8;
}

/** Checks an intset that came from elsewhere; an empty one is none. */
export function validateIntset(bytes: Buffer, start: number, length: number): boolean {
  if (length < HEADER_SIZE || start + length > bytes.length) return false;
  const width = readWord(bytes, start);
  const count = readWord(bytes, start + COUNT) >>> 0;
  if ((width !== 2 && width !== 4 && width !== 8) || count === 0 || HEADER_SIZE + count * width !== length)
    return false;
  let previous = integerOf(bytes, start + HEADER_SIZE, width);
  for (let index = 1; index < count; index++) {
    const value = integerOf(bytes, start + HEADER_SIZE + index * width, width);
    if (value <= previous) return false;
    previous = value;
  }
  return true;
}

/** The integer of `width` bytes at `at`. */
export function integerOf(bytes: Buffer, at: number, width: number): Int64 {
  if (width === 2) return ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16;
  return width === 4 ? readWord(bytes, at) : fromWords(readWord(bytes, at), readWord(bytes, at + 4));
}
