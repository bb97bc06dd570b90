/**
 * Listpack: a sequence of strings and integers in one block, one behind the other: what small collections are stored
 * as, and the pieces that large lists consist of. listpack-format.ts draws the bytes.
 *
 * Why one block: a small collection then costs its bytes and a block's rounding, and a walk touches neighbouring cache
 * lines. Why Redis's very bytes: a dump is a copy, and so is loading one. As there, a string that is a 64-bit integer
 * in its canonical form is stored as integer; reading gives its digits.
 *
 * A view: `attach` points it at another listpack; listpack-block.ts is the part of it that makes room. A position is an
 * element's offset from where the listpack begins; 0 stands for none. It holds until the next write. A write may have
 * to move the listpack: `ref` is another one then, for the owner to store. A write throws RegionFullError with nothing
 * changed. What is written may stand in the same region, even in this listpack.
 *
 * Invariants (verify): the bytes are a listpack by `validateListpack`, and lie within their block. Owner thread only.
 */
import { copyBytes, equalBytes, type Slice } from "../base/bytes.ts";
import { type Int64, writeInt64 } from "../base/int64.ts";
import type { Heap, Ref } from "../memory/heap.ts";
import type { Region } from "../memory/region.ts";
import { ListpackEnds } from "./listpack-ends.ts";
import {
  backLengthSize,
  COUNT_UNKNOWN,
  EMPTY_SIZE,
  END,
  entrySizeAt,
  HEADER_SIZE,
  integerIn,
  integerSize,
  isIntegerAt,
  readBackLength,
  readIntegerAt,
  sizeAt,
  stringSize,
  stringStartAt,
  validateListpack,
  writeBackLength,
  writeHeader,
  writeInteger,
  writeStringHead,
} from "./listpack-format.ts";

/** A copy of a source in the same block is kept for the next one up to this size. */
const COPY_KEPT = 65536;

export class Listpack extends ListpackEnds {
  readonly #region: Region;
  readonly #bytes: Buffer;
  readonly #digits = Buffer.alloc(24);
  #copy: Buffer = this.#digits;
  /** The element to be written: its bytes, and its value if it is to be stored as integer. */
  #source: Buffer = this.#digits;
  #sourceStart = 0;
  #sourceLength = 0;
  #integer: Int64 | undefined;

  /** @param floats whether the listpacks may begin anywhere within their blocks; see ListpackBlock */
  constructor(heap: Heap, floats = false) {
    super(heap, floats);
    this.#region = heap.region;
    this.#bytes = heap.region.bytes;
  }

  /** Elements. O(1) up to 65,534; more are counted. */
  get count(): number {
    const stored = this.storedCount;
    if (stored !== COUNT_UNKNOWN) return stored;
    let count = 0;
    for (let at = this.first(); at !== 0; at = this.next(at)) count += 1;
    return count;
  }

  /** Position of the first element, 0 if there is none. */
  first(): number {
    return this.#bytes[this.ref + HEADER_SIZE] === END ? 0 : HEADER_SIZE;
  }

  last(): number {
    return this.previous(this.byteLength - 1);
  }

  next(at: number): number {
    const next = at + entrySizeAt(this.#bytes, this.ref + at);
    return this.#bytes[this.ref + next] === END ? 0 : next;
  }

  previous(at: number): number {
    if (at === HEADER_SIZE) return 0;
    const size = readBackLength(this.#bytes, this.ref + at);
    return at - size - backLengthSize(size);
  }

  /** Position of element `index`, counted from the end if negative (-1 is the last); 0 if there is none. */
  seek(index: number): number {
    const stored = this.storedCount;
    if (stored !== COUNT_UNKNOWN) {
      if (index >= stored || index < -stored) return 0;
      if (index >= 0 && index >= stored >>> 1) index -= stored;
      else if (index < 0 && index + stored < stored >>> 1) index += stored;
    }
    if (index < 0) {
      let at = this.last();
      for (; index < -1 && at !== 0; index++) at = this.previous(at);
      return at;
    }
    let at = this.first();
    for (; index > 0 && at !== 0; index--) at = this.next(at);
    return at;
  }

  /**
   * Points `into` at an element's bytes: in the region, or for an integer at its digits, of which the view has one
   * buffer, good until it reads the next integer.
   */
  read(at: number, into: Slice): Slice {
    const bytes = this.#bytes;
    const entry = this.ref + at;
    if (isIntegerAt(bytes, entry)) {
      into.set(this.#digits, 0, writeInt64(readIntegerAt(bytes, entry), this.#digits, 0));
      return into;
    }
    const start = stringStartAt(bytes, entry);
    into.set(bytes, start, entry + sizeAt(bytes, entry) - start);
    return into;
  }

  /**
   * Does what `read` does and then `next`, looking at the element once: for walks from the front.
   * @returns position of the element behind, 0 if there is none
   */
  readOn(at: number, into: Slice): number {
    const bytes = this.#bytes;
    const entry = this.ref + at;
    const head = bytes[entry]!;
    let end: number;
    if (head >= 0x80 && head < 0xc0) {
      into.set(bytes, entry + 1, head & 63);
      end = entry + 2 + (head & 63);
    } else {
      this.read(at, into);
      end = entry + entrySizeAt(bytes, entry);
    }
    return bytes[end] === END ? 0 : end - this.ref;
  }

  /** The element's value if it is stored as integer. */
  integerAt(at: number): Int64 | undefined {
    const entry = this.ref + at;
    return isIntegerAt(this.#bytes, entry) ? readIntegerAt(this.#bytes, entry) : undefined;
  }

  /** Whether the element is these bytes. */
  equals(at: number, bytes: Buffer, start: number, length: number): boolean {
    return this.matches(at, bytes, start, length, integerIn(bytes, start, length));
  }

  /** As `equals`, where many elements are compared. @param integer what `integerIn` says of the bytes */
  matches(at: number, bytes: Buffer, start: number, length: number, integer: Int64 | undefined): boolean {
    const entry = this.ref + at;
    if (isIntegerAt(this.#bytes, entry)) return integer !== undefined && readIntegerAt(this.#bytes, entry) === integer;
    return this.#equalsString(entry, bytes, start, length);
  }

  /**
   * The first element from position `from` on that is these bytes.
   * @param skip elements between two that are compared: 1 where fields and values take turns
   * @returns its position, or 0
   */
  find(from: number, bytes: Buffer, start: number, length: number, skip: number): number {
    if (from === 0) return 0;
    const own = this.#bytes;
    const integer = integerIn(bytes, start, length);
    let entry = this.ref + from;
    for (let skipped = 0; own[entry] !== END; entry += entrySizeAt(own, entry)) {
      if (skipped > 0) {
        skipped -= 1;
        continue;
      }
      if (isIntegerAt(own, entry)) {
        if (integer !== undefined && readIntegerAt(own, entry) === integer) return entry - this.ref;
      } else if (this.#equalsString(entry, bytes, start, length)) {
        return entry - this.ref;
      }
      skipped = skip;
    }
    return 0;
  }

  append(bytes: Buffer, start: number, length: number): void {
    this.#insert(this.byteLength - 1, bytes, start, length);
  }

  prepend(bytes: Buffer, start: number, length: number): void {
    this.#insert(HEADER_SIZE, bytes, start, length);
  }

  /** @returns the new element's position */
  insertBefore(at: number, bytes: Buffer, start: number, length: number): number {
    this.#insert(at, bytes, start, length);
    return at;
  }

  /** @returns the new element's position */
  insertAfter(at: number, bytes: Buffer, start: number, length: number): number {
    const behind = at + entrySizeAt(this.#bytes, this.ref + at);
    this.#insert(behind, bytes, start, length);
    return behind;
  }

  appendInteger(value: Int64): void {
    this.#integer = value;
    this.#write(this.byteLength - 1, 0, integerSize(value), 1);
  }

  /** Puts other bytes in the place of an element. @returns its position, which stays */
  replace(at: number, bytes: Buffer, start: number, length: number): number {
    const old = entrySizeAt(this.#bytes, this.ref + at);
    this.#write(at, old, this.#take(bytes, start, length), 0);
    return at;
  }

  /** Removes `count` elements, or those that there are. @returns position of what followed them, 0 at the end */
  remove(at: number, count = 1): number {
    const bytes = this.#bytes;
    let end = this.ref + at;
    let removed = 0;
    for (; removed < count && bytes[end] !== END; removed++) end += entrySizeAt(bytes, end);
    this.resize(at, end - this.ref - at, 0);
    this.countMore(-removed);
    return bytes[this.ref + at] === END ? 0 : at;
  }

  /** Elements between two positions; `to` may be the end, byteLength - 1. */
  countBetween(from: number, to: number): number {
    let count = 0;
    const end = this.ref + to;
    for (let entry = this.ref + from; entry < end; count++) entry += entrySizeAt(this.#bytes, entry);
    return count;
  }

  /**
   * A new listpack of the `count` elements from position `from` to before `to`, in a block that has room for `room`
   * bytes more; the view stays where it is. @throws RegionFullError
   */
  extract(from: number, to: number, count: number, room: number): Ref {
    const size = EMPTY_SIZE + to - from;
    const target = this.create(size + room);
    this.#region.guard(target, size);
    copyBytes(this.#bytes, this.ref + from, this.#bytes, target + HEADER_SIZE, to - from);
    this.#bytes[target + size - 1] = END;
    writeHeader(this.#bytes, target, size, count);
    return target;
  }

  /** Appends all elements of another listpack; both together have less than 65,535. @throws RegionFullError */
  appendAll(other: Ref, byteLength: number, count: number): void {
    const at = this.byteLength - 1;
    const length = byteLength - EMPTY_SIZE;
    this.resize(at, 0, length);
    this.#region.guard(this.ref + at, length);
    copyBytes(this.#bytes, other + HEADER_SIZE, this.#bytes, this.ref + at, length);
    this.countMore(count);
  }

  /** @throws Error that names what is wrong */
  verify(): void {
    this.verifyBlock();
    if (validateListpack(this.#bytes, this.ref, this.byteLength) < 0)
      throw new Error(`listpack ${this.ref} is damaged`);
  }

  /** Bytes that an element takes, its back length included. */
  static sizeOf(bytes: Buffer, start: number, length: number): number {
    const integer = integerIn(bytes, start, length);
    const size = integer === undefined ? stringSize(length) : integerSize(integer);
    return size + backLengthSize(size);
  }

  #equalsString(entry: number, bytes: Buffer, start: number, length: number): boolean {
    const own = this.#bytes;
    const begin = stringStartAt(own, entry);
    return entry + sizeAt(own, entry) - begin === length && equalBytes(own, begin, bytes, start, length);
  }

  #insert(at: number, bytes: Buffer, start: number, length: number): void {
    this.#write(at, 0, this.#take(bytes, start, length), 1);
  }

  /** Notes what is to be written, out of the way if it stands in this block. @returns bytes of its head and data */
  #take(bytes: Buffer, start: number, length: number): number {
    this.#integer = integerIn(bytes, start, length);
    if (this.#integer !== undefined) return integerSize(this.#integer);
    this.#source = bytes;
    this.#sourceStart = start;
    this.#sourceLength = length;
    if (bytes === this.#bytes && start < this.ref + this.byteLength && start + length > this.ref) this.#copyAway();
    return stringSize(length);
  }

  #copyAway(): void {
    const length = this.#sourceLength;
    if (this.#copy.length < length || this.#copy.length > COPY_KEPT) this.#copy = Buffer.allocUnsafeSlow(length);
    copyBytes(this.#source, this.#sourceStart, this.#copy, 0, length);
    this.#source = this.#copy;
    this.#sourceStart = 0;
  }

  /** Writes the element that was taken over `oldSize` bytes at `at`. @param size bytes of its head and data */
  #write(at: number, oldSize: number, size: number, more: number): void {
    const entrySize = size + backLengthSize(size);
    this.resize(at, oldSize, entrySize);
    const bytes = this.#bytes;
    const entry = this.ref + at;
    this.#region.guard(entry, entrySize);
    if (this.#integer !== undefined) {
      writeInteger(bytes, entry, this.#integer);
    } else {
      const start = writeStringHead(bytes, entry, this.#sourceLength);
      copyBytes(this.#source, this.#sourceStart, bytes, start, this.#sourceLength);
      this.#source = this.#digits;
    }
    writeBackLength(bytes, entry + size, size);
    if (more !== 0) this.countMore(more);
  }
}
