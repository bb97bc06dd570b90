/**
 * Entry: a key and what it stands for, one block of the heap.
 *
 *     +0   TAG     bits 0-3 type, 4-7 encoding, 8-31 access clock (access-clock.ts)
 *     +4   KEY     bits 0-29 length of the key in bytes, bit 30 TIMED, bit 31 FIELDS_TIMED (with TIMED only)
 *     +8   VALUE   strings: length in bytes, or the integer's low word; collections: the root ref
 *     +12  DUE     two words, milliseconds since 1970, low word first; only if TIMED, as NEXT and PREVIOUS
 *     +20  NEXT, +24 PREVIOUS  in the wheel of the entry's database (timing-wheel.ts), under DUE
 *     +28  DEADLINE  two words, as DUE, or -1 for none; only if FIELDS_TIMED
 *     ...  EXTRA   one word; only in encodings that need it: the integer's high word, or the value's own block
 *     ...  key     padded with zeros to a whole word, so that keys are compared by words
 *     ...  value   encodings EMBEDDED and RAW: the bytes themselves
 *
 * One block a key, where Redis has three (table entry, key, value object): a lookup touches a slot and an entry. A
 * value above INLINE_MAX has a block of its own, so that it can grow, and its key be renamed, without moving it.
 *
 * DUE is the key's deadline. Of a hash whose fields have deadlines it is the time at which somebody has to look at it:
 * not after the key's deadline, nor after any field's; it may be before them all, where those that were earlier have
 * gone. Such an entry keeps its form when its last dated field goes: DUE is then the key's deadline, or none (-1).
 *
 * Invariants (verify): the block is as large as its parts; an EXTERNAL value's block belongs to this entry alone.
 * Shard.verify: every entry that is due is filed in the wheel.
 * Owner thread only; frozen entries are read at the same offsets through a FreezeReader.
 */
import { copyBytes } from "../base/bytes.ts";
import { fromWords, highWord, type Int64, lowWord } from "../base/int64.ts";
import { type Heap, NONE, type Ref } from "../memory/heap.ts";
import { NODE_SIZE } from "../structures/timing-wheel.ts";
import type { AccessClock } from "./access-clock.ts";
import { collectionType } from "./collection-types.ts";

export const TAG = 0;
export const KEY = 4;
export const VALUE = 8;
export const ENTRY_HEADER_SIZE = 12;
const OWN_DEADLINE = ENTRY_HEADER_SIZE + NODE_SIZE;

export const KEY_LENGTH_MASK = 0x3fffffff;
/** The entry has DUE, NEXT and PREVIOUS. */
export const TIMED = 0x40000000;
/** Its DUE is not its deadline, which stands apart: a hash with fields that expire. */
export const FIELDS_TIMED = 0x80000000 | 0;

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
  readonly #access: AccessClock | undefined;

  /** @param access what counts accesses; nobody but the owner, who alone may `touch`, needs it */
  constructor(heap: Heap, access?: AccessClock) {
    this.heap = heap;
    this.#access = access;
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
   * @param clock a stamp, or COUNTS_ACCESSES
   */
  touch(entry: Ref, clock: number): void {
    const tag = this.words[entry >>> 2]!;
    if (tag >>> 8 === clock || this.heap.region.frozen) return;
    this.words[entry >>> 2] = (tag & 0xff) | ((clock >= 0 ? clock : this.#access!.counted(tag >>> 8)) << 8);
  }

  /** Stores an access clock that is given: for a key that is to count as one accessed long ago. */
  setAccessClock(entry: Ref, clock: number): void {
    this.heap.region.setWord(entry + TAG, (this.words[entry >>> 2]! & 0xff) | (clock << 8));
  }

  keyLength(entry: Ref): number {
    return this.words[(entry + KEY) >>> 2]! & KEY_LENGTH_MASK;
  }

  /** Whether the key has a deadline; that one of its fields has is another thing. */
  hasDeadline(entry: Ref): boolean {
    const word = this.words[(entry + KEY) >>> 2]!;
    if ((word & TIMED) === 0) return false;
    return word > 0 || this.words[(entry + OWN_DEADLINE + 4) >>> 2] !== NO_DEADLINE;
  }

  /** Whether the entry has a node of the wheel. */
  isTimed(entry: Ref): boolean {
    return (this.words[(entry + KEY) >>> 2]! & TIMED) !== 0;
  }

  /** Whether the entry is that of a hash whose fields may have deadlines. */
  hasTimedFields(entry: Ref): boolean {
    return this.words[(entry + KEY) >>> 2]! < 0;
  }

  /** The node of the wheel in a timed entry. */
  node(entry: Ref): Ref {
    return entry + ENTRY_HEADER_SIZE;
  }

  /** The entry that a node of the wheel is part of. */
  ofNode(node: Ref): Ref {
    return node - ENTRY_HEADER_SIZE;
  }

  /** Milliseconds since 1970, or NO_DEADLINE. */
  deadline(entry: Ref): Int64 {
    const word = this.words[(entry + KEY) >>> 2]!;
    if ((word & TIMED) === 0) return NO_DEADLINE;
    const at = deadlineAt(entry, word) >>> 2;
    return fromWords(this.words[at]!, this.words[at + 1]!);
  }

  /** Byte offset of the key. */
  keyStart(entry: Ref): number {
    return this.extraAt(entry) + extraSize(this.words[entry >>> 2]!);
  }

  /** Byte offset of the EXTRA word, if the encoding has one. */
  extraAt(entry: Ref): number {
    return entry + ENTRY_HEADER_SIZE + timesSize(this.words[(entry + KEY) >>> 2]!);
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

  /** Overwrites the deadline of a hash whose fields may have some; of other entries, DUE is the deadline. */
  setOwnDeadline(entry: Ref, deadline: Int64): void {
    this.heap.region.setWord(entry + OWN_DEADLINE, lowWord(deadline));
    this.heap.region.setWord(entry + OWN_DEADLINE + 4, highWord(deadline));
  }

  /**
   * Bytes an entry needs.
   * @param times of TIMED and FIELDS_TIMED what applies
   * @param inlineLength bytes of the value that stand in the entry
   */
  static sizeFor(encoding: number, type: number, keyLength: number, times: number, inlineLength: number): number {
    return ENTRY_HEADER_SIZE + timesSize(times) + extraSize(type | (encoding << 4)) + padded(keyLength) + inlineLength;
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

  /**
   * Writes header and times of a new entry in a block of enough bytes, not filed; key, EXTRA and value are left to do.
   * @param times of TIMED and FIELDS_TIMED what applies
   */
  format(
    entry: Ref,
    type: number,
    encoding: number,
    clock: number,
    keyLength: number,
    times: number,
    deadline: Int64,
  ): void {
    const { words } = this;
    this.heap.region.guard(entry, ENTRY_HEADER_SIZE + timesSize(times));
    words[entry >>> 2] = type | (encoding << 4) | (clock << 8);
    words[(entry + KEY) >>> 2] = keyLength | times;
    words[(entry + VALUE) >>> 2] = 0;
    if (times === 0) return;
    const node = (entry + ENTRY_HEADER_SIZE) >>> 2;
    words[node] = lowWord(deadline);
    words[node + 1] = highWord(deadline);
    words[node + 2] = NONE;
    words[node + 3] = NONE;
    if (times < 0) this.setOwnDeadline(entry, deadline);
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

/** Bytes of an entry's times, from its KEY word: 16 if TIMED, 24 if FIELDS_TIMED as well. */
export function timesSize(keyWord: number): number {
  return ((keyWord >>> 26) & 16) | ((keyWord >>> 28) & 8);
}

/** Where the deadline of a timed entry stands. */
export function deadlineAt(entry: Ref, keyWord: number): number {
  return entry + ENTRY_HEADER_SIZE + ((keyWord >>> 27) & 16);
}

export function padded(length: number): number {
  return (length + 3) & ~3;
}
