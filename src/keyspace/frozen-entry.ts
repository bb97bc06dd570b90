/**
 * FrozenEntry: a cursor on one key of a frozen database, for any thread. Layout: entry.ts.
 *
 * Moving it copies the entry's first bytes out of the view, most often the whole entry, and what it shows is of that
 * copy: valid until it moves on. A large value is copied only when asked for, whole or in parts.
 */
import { Slice } from "../base/bytes.ts";
import { fromWords, type Int64, writeInt64 } from "../base/int64.ts";
import type { FreezeReader } from "../memory/freeze-reader.ts";
import { FrozenBlock } from "../memory/frozen-block.ts";
import type { Ref } from "../memory/heap.ts";
import {
  deadlineAt,
  ENTRY_HEADER_SIZE,
  EXTERNAL,
  extraSize,
  INT,
  KEY,
  KEY_LENGTH_MASK,
  NO_DEADLINE,
  padded,
  STRING,
  TIMED,
  timesSize,
  VALUE,
} from "./entry.ts";
import { FrozenCollection } from "./frozen-collection.ts";

const LARGE_CAPACITY_MIN = 4096;
/** Memory that an unusually large value needed is let go by the next one. */
const KEPT_CAPACITY = 1 << 20;

export class FrozenEntry {
  readonly key = new Slice();
  type = 0;
  encoding = 0;
  /** When, or how often, it was used: access-clock.ts. */
  stamp = 0;
  /** Milliseconds since 1970, or NO_DEADLINE. */
  deadline: Int64 = NO_DEADLINE;
  /** Collections: the ref of the root, which `collection` reads. */
  root: Ref = 0;
  /** Strings: length of the value in bytes; of an integer, its digits. */
  valueLength = 0;
  /** The view that the entry stands in. */
  reader: FreezeReader;

  readonly #block = new FrozenBlock();
  #entry: Ref = 0;
  #extraAt = 0;
  #afterKey = 0;
  #large = Buffer.alloc(0);
  #collection: FrozenCollection | undefined;
  readonly #digits = Buffer.alloc(24);
  readonly #value = new Slice();

  constructor(reader: FreezeReader) {
    this.reader = reader;
  }

  /** Points the cursor at the entry at `entry`. @throws FreezeLostError */
  moveTo(reader: FreezeReader, entry: Ref): void {
    const block = this.#block;
    this.reader = reader;
    this.#entry = entry;
    block.moveTo(reader, entry);
    const tag = block.words[0]!;
    const keyWord = block.words[KEY >>> 2]!;
    const extraAt = ENTRY_HEADER_SIZE + timesSize(keyWord);
    const keyAt = extraAt + extraSize(tag);
    const keyLength = keyWord & KEY_LENGTH_MASK;
    block.need(keyAt + keyLength);
    this.type = tag & 15;
    this.encoding = (tag >>> 4) & 15;
    this.stamp = tag >>> 8;
    this.key.set(block.bytes, keyAt, keyLength);
    const at = deadlineAt(0, keyWord) >>> 2;
    this.deadline = (keyWord & TIMED) === 0 ? NO_DEADLINE : fromWords(block.words[at]!, block.words[at + 1]!);
    this.root = block.words[VALUE >>> 2]!;
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
    return fromWords(this.root, this.#block.words[this.#extraAt >>> 2]!);
  }

  /** Its elements, if it is a collection: valid until the cursor moves on. */
  get collection(): FrozenCollection {
    this.#collection ??= new FrozenCollection(this.reader);
    this.#collection.moveTo(this.reader, this.type, this.encoding, this.root);
    return this.#collection;
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
      const block = this.#block;
      block.need(this.#afterKey + length);
      this.key.set(block.bytes, this.key.start, this.key.length);
      slice.set(block.bytes, this.#afterKey, length);
    }
    return slice;
  }

  /** Copies a part of a string's value: for values that are better not held whole. @throws FreezeLostError */
  copyValue(offset: number, length: number, target: Buffer, targetStart: number): void {
    if (this.isInteger) {
      target.set(this.#digits.subarray(offset, offset + length), targetStart);
      return;
    }
    const valueAt = this.encoding === EXTERNAL ? this.#block.words[this.#extraAt >>> 2]! : this.#entry + this.#afterKey;
    this.reader.copy(valueAt + offset, length, target, targetStart);
  }

  #reserveLarge(length: number): void {
    if (this.#large.length >= length && this.#large.length <= KEPT_CAPACITY) return;
    this.#large = Buffer.allocUnsafeSlow(Math.max(length, LARGE_CAPACITY_MIN));
  }
}
