/**
 * Entry: a key and what it stands for, one block of the heap.
 *
 *     +0   TAG     bits 0-3 type, 4-7 encoding, 8-31 access clock (LRU seconds or LFU counter)
 *     +4   KEY     bits 0-29 length of the key in bytes, bit 30 set if the entry has a deadline
 *     +8   VALUE   strings: length in bytes, or the integer's low word; collections: the root ref
 *     +12  DEADLINE  two words, milliseconds since 1970, low word first; only if KEY says so
 *     ...  EXTRA   one word; only in encodings that need it: the integer's high word, or the value's own block
 *     ...  key     padded with zeros to a whole word, so that keys are compared by words
 *     ...  value   encodings EMBEDDED and RAW: the bytes themselves
 *
 * One block a key, where Redis has three (table entry, key, value object): a lookup touches a slot and an entry. A
 * value above INLINE_MAX has a block of its own, so that it can grow, and its key be renamed, without moving it.
 *
 * Invariants (verify): the block is as large as its parts; an EXTERNAL value's block belongs to this entry alone.
 * Owner thread only; frozen entries are read at the same offsets through a FreezeReader.
 */
import { copyBytes } from "../base/bytes.ts";
import { fromWords, highWord, type Int64, lowWord } from "../base/int64.ts";
import type { Heap, Ref } from "../memory/heap.ts";
import { collectionType } from "./collection-types.ts";

export const TAG = 0;
export const KEY = 4;
export const VALUE = 8;
export const ENTRY_HEADER_SIZE = 12;

export const KEY_LENGTH_MASK = 0x3fffffff;
export const DEADLINE_FLAG = 0x40000000;

/** Types, numbered as in Redis's own files. */
export const STRING = 0;
export const LIST = 1;
export const SET = 2;
export const SORTED_SET = 3;
export const HASH = 4;
export const STREAM = 6;

/** What TYPE calls them. */
export const TYPE_NAMES: Readonly<Record<number, string>> = {
  [STRING]: "string",
  [LIST]: "list",
  [SET]: "set",
  [SORTED_SET]: "zset",
  [HASH]: "hash",
  [STREAM]: "stream",
};

/** Encodings of strings. INT: 64 bits in VALUE and EXTRA. RAW differs from EMBEDDED in what OBJECT ENCODING says. */
export const INT = 0;
export const EMBEDDED = 1;
export const RAW = 2;
export const EXTERNAL = 3;

/** Values up to this many bytes stand in their entry. */
export const INLINE_MAX = 1024;

/** "Has no deadline", where a deadline in milliseconds is asked for or given. */
export const NO_DEADLINE = -1;

export class Entries {
  readonly heap: Heap;
  readonly words: Int32Array;
  readonly bytes: Buffer;

  constructor(heap: Heap) {
    this.heap = heap;
    this.words = heap.region.words;
    this.bytes = heap.region.bytes;
  }

  type(entry: Ref): number {
    return this.words[entry >>> 2]! & 15;
  }

  encoding(entry: Ref): number {
    return (this.words[entry >>> 2]! >>> 4) & 15;
  }

  /** The access clock, 24 bits. */
  accessClock(entry: Ref): number {
    return this.words[entry >>> 2]! >>> 8;
  }

  /**
   * Stores the access clock; a no-op while frozen, so that reading does not copy pages (as Redis does while it forks).
   */
  touch(entry: Ref, clock: number): void {
    const tag = this.words[entry >>> 2]!;
    if (tag >>> 8 === clock || this.heap.region.frozen) return;
    this.words[entry >>> 2] = (tag & 0xff) | (clock << 8);
  }

  /** Stores an access clock that is given: for a key that is to count as one accessed long ago. */
  setAccessClock(entry: Ref, clock: number): void {
    this.heap.region.setWord(entry + TAG, (this.words[entry >>> 2]! & 0xff) | (clock << 8));
  }

  keyLength(entry: Ref): number {
    return this.words[(entry + KEY) >>> 2]! & KEY_LENGTH_MASK;
  }

  hasDeadline(entry: Ref): boolean {
    return (this.words[(entry + KEY) >>> 2]! & DEADLINE_FLAG) !== 0;
  }

  /** Milliseconds since 1970, or NO_DEADLINE. */
  deadline(entry: Ref): Int64 {
    if (!this.hasDeadline(entry)) return NO_DEADLINE;
    const word = (entry + ENTRY_HEADER_SIZE) >>> 2;
    return fromWords(this.words[word]!, this.words[word + 1]!);
  }

  /** Byte offset of the key. */
  keyStart(entry: Ref): number {
    return this.extraAt(entry) + extraSize(this.words[entry >>> 2]!);
  }

  /** Byte offset of the EXTRA word, if the encoding has one. */
  extraAt(entry: Ref): number {
    return entry + ENTRY_HEADER_SIZE + (this.hasDeadline(entry) ? 8 : 0);
  }

  /** Byte offset of a value that stands in the entry. */
  inlineStart(entry: Ref): number {
    return this.keyStart(entry) + padded(this.keyLength(entry));
  }

  /** The VALUE word. */
  value(entry: Ref): number {
    return this.words[(entry + VALUE) >>> 2]!;
  }

  setValue(entry: Ref, value: number): void {
    this.heap.region.setWord(entry + VALUE, value);
  }

  extra(entry: Ref): number {
    return this.words[this.extraAt(entry) >>> 2]!;
  }

  setExtra(entry: Ref, extra: number): void {
    this.heap.region.setWord(this.extraAt(entry), extra);
  }

  /** The integer of an INT entry. */
  integer(entry: Ref): Int64 {
    return fromWords(this.value(entry), this.extra(entry));
  }

  setInteger(entry: Ref, value: Int64): void {
    this.setValue(entry, lowWord(value));
    this.setExtra(entry, highWord(value));
  }

  /** Overwrites type and encoding, keeping the clock; sizes are the caller's to have kept right. */
  setEncoding(entry: Ref, encoding: number): void {
    this.heap.region.setWord(entry + TAG, (this.words[entry >>> 2]! & ~0xf0) | (encoding << 4));
  }

  /** Overwrites both; what the entry owns, and how it is laid out, is the caller's to have kept right. */
  setTypeAndEncoding(entry: Ref, type: number, encoding: number): void {
    this.heap.region.setWord(entry + TAG, (this.words[entry >>> 2]! & ~0xff) | type | (encoding << 4));
  }

  /** Overwrites the deadline of an entry that has one. */
  setDeadline(entry: Ref, deadline: Int64): void {
    this.heap.region.setWord(entry + ENTRY_HEADER_SIZE, lowWord(deadline));
    this.heap.region.setWord(entry + ENTRY_HEADER_SIZE + 4, highWord(deadline));
  }

  /**
   * Bytes an entry needs.
   * @param inlineLength bytes of the value that stand in the entry
   */
  static sizeFor(
    encoding: number,
    type: number,
    keyLength: number,
    hasDeadline: boolean,
    inlineLength: number,
  ): number {
    return (
      ENTRY_HEADER_SIZE + (hasDeadline ? 8 : 0) + extraSize(type | (encoding << 4)) + padded(keyLength) + inlineLength
    );
  }

  /** Bytes of the value that stand in the entry. */
  inlineLength(entry: Ref): number {
    const tag = this.words[entry >>> 2]! & 0xff;
    return tag === ((EMBEDDED << 4) | STRING) || tag === ((RAW << 4) | STRING) ? this.value(entry) : 0;
  }

  /** Bytes this entry needs; its block may be larger. */
  size(entry: Ref): number {
    return this.inlineStart(entry) - entry + this.inlineLength(entry);
  }

  /** Writes header and deadline of a new entry in a block of enough bytes; key, EXTRA and value are left to do. */
  format(entry: Ref, type: number, encoding: number, clock: number, keyLength: number, deadline: Int64): void {
    const { words } = this;
    this.heap.region.guard(entry, ENTRY_HEADER_SIZE + 8);
    words[entry >>> 2] = type | (encoding << 4) | (clock << 8);
    words[(entry + KEY) >>> 2] = deadline === NO_DEADLINE ? keyLength : keyLength | DEADLINE_FLAG;
    words[(entry + VALUE) >>> 2] = 0;
    if (deadline !== NO_DEADLINE) this.setDeadline(entry, deadline);
  }

  /** True if the entry's key is the `length` bytes in `key`, padded with zeros to a whole word. */
  keyEquals(entry: Ref, key: Int32Array, length: number): boolean {
    if (this.keyLength(entry) !== length) return false;
    const { words } = this;
    const start = this.keyStart(entry) >>> 2;
    for (let index = (length + 3) >>> 2; --index >= 0; ) {
      if (words[start + index] !== key[index]) return false;
    }
    return true;
  }

  /** Writes the key, padded, into an entry that has been formatted. */
  writeKey(entry: Ref, key: Int32Array, length: number): void {
    const { words } = this;
    const start = this.keyStart(entry);
    const count = (length + 3) >>> 2;
    this.heap.region.guard(start, count << 2);
    if (count > 64) words.set(key.subarray(0, count), start >>> 2);
    else for (let index = 0; index < count; index++) words[(start >>> 2) + index] = key[index]!;
  }

  /**
   * Gives a new entry the value of an old one of the same type and encoding. Blocks outside the entry change their
   * owner: the old entry is left as a string that has none, so that freeing it frees itself only.
   */
  takeValue(entry: Ref, old: Ref): void {
    const region = this.heap.region;
    const tag = this.words[old >>> 2]! & 0xff;
    this.setValue(entry, this.value(old));
    if (extraSize(tag) !== 0) this.setExtra(entry, this.extra(old));
    const length = this.inlineLength(old);
    if (length > 0) {
      const start = this.inlineStart(entry);
      region.guard(start, length);
      copyBytes(this.bytes, this.inlineStart(old), this.bytes, start, length);
    }
    if ((tag & 15) !== STRING) this.setTypeAndEncoding(old, STRING, EMBEDDED);
    else if (tag === ((EXTERNAL << 4) | STRING)) this.setEncoding(old, INT);
  }

  /** Blocks that belong to the entry. */
  blockCount(entry: Ref): number {
    const type = this.type(entry);
    if (type === STRING) return this.encoding(entry) === EXTERNAL ? 2 : 1;
    let count = 1;
    collectionType(type).forEachBlock(this.heap, this.encoding(entry), this.value(entry), () => {
      count += 1;
    });
    return count;
  }

  /** Bytes of all blocks that belong to the entry. @param samples elements of a collection to look at; 0 for all */
  memoryUsage(entry: Ref, samples = 0): number {
    const type = this.type(entry);
    const own = this.heap.sizeOf(entry);
    if (type !== STRING)
      return own + collectionType(type).memoryUsage(this.heap, this.encoding(entry), this.value(entry), samples);
    return own + (this.encoding(entry) === EXTERNAL ? this.heap.sizeOf(this.extra(entry)) : 0);
  }

  /** Gives back the entry's blocks. */
  free(entry: Ref): void {
    const { heap } = this;
    const type = this.type(entry);
    if (type !== STRING) {
      collectionType(type).forEachBlock(heap, this.encoding(entry), this.value(entry), (block) => heap.free(block));
    } else if (this.encoding(entry) === EXTERNAL) {
      heap.free(this.extra(entry));
    }
    heap.free(entry);
  }

  /** @throws Error that names what is wrong with the entry */
  verify(entry: Ref): void {
    const type = this.type(entry);
    const encoding = this.encoding(entry);
    if (type !== STRING) collectionType(type).verify(this.heap, encoding, this.value(entry));
    else if (encoding > EXTERNAL) throw new Error(`entry ${entry}: type ${type}, encoding ${encoding}`);
    if (this.size(entry) > this.heap.sizeOf(entry)) throw new Error(`entry ${entry} is larger than its block`);
    if (type === STRING && encoding === EXTERNAL && this.heap.sizeOf(this.extra(entry)) < this.value(entry)) {
      throw new Error(`entry ${entry}: its value is larger than its block`);
    }
    const pad = this.keyStart(entry) + this.keyLength(entry);
    for (let at = pad; at < this.keyStart(entry) + padded(this.keyLength(entry)); at++) {
      if (this.bytes[at] !== 0) throw new Error(`entry ${entry}: key is not padded with zeros`);
    }
  }
}

/** Whether the type and encoding in `tag` have the EXTRA word, in bytes. */
export function extraSize(tag: number): number {
  const kind = tag & 0xff;
  return kind === ((INT << 4) | STRING) || kind === ((EXTERNAL << 4) | STRING) ? 4 : 0;
}

export function padded(length: number): number {
  return (length + 3) & ~3;
}
