/**
 * FrozenEntry: a cursor on one key of a frozen database, for any thread. Layout: entry.ts.
 *
 * Moving it copies the entry's first bytes out of the view, most often the whole entry, and what it shows is of that
 * copy: valid until it moves on. A large value is copied only when asked for, whole or in parts.
 */
import { Slice } from "../base/bytes.ts";
import { fromWords, type Int64, writeInt64 } from "../base/int64.ts";
import type { FreezeReader } from "../memory/freeze-reader.ts";
import type { Ref } from "../memory/heap.ts";
import { PAGE_SIZE } from "../memory/region.ts";
import {
  DEADLINE_FLAG,
  ENTRY_HEADER_SIZE,
  EXTERNAL,
  extraSize,
  INT,
  KEY,
  KEY_LENGTH_MASK,
  NO_DEADLINE,
  padded,
  STRING,
  VALUE,
} from "./entry.ts";

/** Copied at once when the cursor moves: most entries are no longer. */
const FIRST_COPY = 128;
const FIRST_CAPACITY = 4096;
/** Memory that an unusually large key or value needed is let go by the next small one. */
const KEPT_CAPACITY = 1 << 20;

export class FrozenEntry {
  readonly key = new Slice();
  type = 0;
  encoding = 0;
  /** Milliseconds since 1970, or NO_DEADLINE. */
  deadline: Int64 = NO_DEADLINE;
  /** Collections: the ref of the root, to be read through `reader`. */
  root: Ref = 0;
  /** Strings: length of the value in bytes; of an integer, its digits. */
  valueLength = 0;
  /** The view that the entry stands in. */
  reader: FreezeReader;

  #bytes = Buffer.alloc(0);
  #words = new Int32Array(0);
  #entry: Ref = 0;
  #copied = 0;
  #extraAt = 0;
  #afterKey = 0;
  #large = Buffer.alloc(0);
  readonly #digits = Buffer.alloc(24);
  readonly #value = new Slice();

  constructor(reader: FreezeReader) {
    this.reader = reader;
    this.#reserve(FIRST_CAPACITY);
  }

  /** Points the cursor at the entry at `entry`. @throws FreezeLostError */
  moveTo(reader: FreezeReader, entry: Ref): void {
    this.reader = reader;
    this.#entry = entry;
    this.#copied = 0;
    if (this.#bytes.length > KEPT_CAPACITY) this.#reserve(FIRST_CAPACITY);
    this.#need(Math.min(FIRST_COPY, PAGE_SIZE - (entry & (PAGE_SIZE - 1))));
    const tag = this.#words[0]!;
    const keyWord = this.#words[KEY >>> 2]!;
    const hasDeadline = (keyWord & DEADLINE_FLAG) !== 0;
    const extraAt = ENTRY_HEADER_SIZE + (hasDeadline ? 8 : 0);
    const keyAt = extraAt + extraSize(tag);
    const keyLength = keyWord & KEY_LENGTH_MASK;
    this.#need(keyAt + keyLength);
    this.type = tag & 15;
    this.encoding = (tag >>> 4) & 15;
    this.key.set(this.#bytes, keyAt, keyLength);
    this.deadline = hasDeadline ? fromWords(this.#words[3]!, this.#words[4]!) : NO_DEADLINE;
    this.root = this.#words[VALUE >>> 2]!;
    this.#extraAt = extraAt;
    this.#afterKey = keyAt + padded(keyLength);
    this.valueLength = this.isInteger ? writeInt64(this.integer, this.#digits, 0) : this.root;
  }

  /** True for strings that are stored as integers. */
  get isInteger(): boolean {
    return this.type === STRING && this.encoding === INT;
  }

  /** The integer of such a string. */
  get integer(): Int64 {
    return fromWords(this.root, this.#words[this.#extraAt >>> 2]!);
  }

  /** The whole value of a string. @throws FreezeLostError */
  value(): Slice {
    const slice = this.#value;
    const length = this.valueLength;
    if (this.isInteger) {
      slice.set(this.#digits, 0, length);
    } else if (this.encoding === EXTERNAL) {
      this.#reserveLarge(length);
      this.copyValue(0, length, this.#large, 0);
      slice.set(this.#large, 0, length);
    } else {
      this.#need(this.#afterKey + length);
      slice.set(this.#bytes, this.#afterKey, length);
    }
    return slice;
  }

  /** Copies a part of a string's value: for values that are better not held whole. @throws FreezeLostError */
  copyValue(offset: number, length: number, target: Buffer, targetStart: number): void {
    if (this.isInteger) {
      target.set(this.#digits.subarray(offset, offset + length), targetStart);
      return;
    }
    const valueAt = this.encoding === EXTERNAL ? this.#words[this.#extraAt >>> 2]! : this.#entry + this.#afterKey;
    this.reader.copy(valueAt + offset, length, target, targetStart);
  }

  /** Sees to it that the entry's first `length` bytes are copied. */
  #need(length: number): void {
    if (length <= this.#copied) return;
    if (length > this.#bytes.length) this.#reserve(length);
    this.reader.copy(this.#entry + this.#copied, length - this.#copied, this.#bytes, this.#copied);
    this.#copied = length;
  }

  /** Makes room for `capacity` bytes; what had been copied moves along. */
  #reserve(capacity: number): void {
    const memory = new ArrayBuffer((capacity + 7) & ~7);
    const bytes = Buffer.from(memory);
    bytes.set(this.#bytes.subarray(0, this.#copied));
    this.#bytes = bytes;
    this.#words = new Int32Array(memory);
    this.key.set(bytes, this.key.start, this.key.length);
  }

  #reserveLarge(length: number): void {
    if (this.#large.length >= length && this.#large.length <= KEPT_CAPACITY) return;
    this.#large = Buffer.allocUnsafeSlow(Math.max(length, FIRST_CAPACITY));
  }
}
