/**
 * The small encodings of Redis before 7.0, which are only read: the ziplist of lists, hashes and sorted sets, and the
 * zipmap that hashes had before 2.6. Both are walked once; whatever does not fit the bytes there are is found on the
 * way.
 *
 *     ziplist  BYTES (4), TAIL (4) offset of the last entry, COUNT (2) ffff if there are more, entries, ff
 *     entry    length of the entry before: a byte below fe, or fe and 4 bytes
 *              00xxxxxx | 01xxxxxx x | 10------ xxxx   a string of that length, which follows
 *              c0 xx | d0 xxxx | e0 8 bytes | f0 xxx | fe x | f1 … fd   an integer; the last form is 0 to 12 itself
 *
 *     zipmap   COUNT (1) fe or more if there are more, pairs, ff
 *     pair     length, field, length, FREE (1), value, as many free bytes as FREE says
 *     length   a byte below fe, or fe and 4 bytes
 *
 * All integers have the least significant byte first, but the lengths of strings in a ziplist.
 */
import { fromWords, type Int64 } from "../base/int64.ts";
import { DamagedValueError } from "./format.ts";
import type { VisitElement } from "./packed.ts";
import type { StringHolder } from "./reader.ts";

const HEADER_SIZE = 10;
const COUNT_UNKNOWN = 0xffff;
const END = 0xff;
const LONG_LENGTH = 0xfe;

/** A walk through bytes of which none is believed. */
class Walk {
  readonly #bytes: Buffer;
  /** Where the end mark stands: nothing else may reach there. */
  readonly last: number;
  at: number;

  constructor(bytes: Buffer, at: number, last: number) {
    this.#bytes = bytes;
    this.at = at;
    this.last = last;
  }

  /** Goes on by `count` bytes. @returns where they begin */
  take(count: number): number {
    if (count > this.last - this.at) throw new DamagedValueError("an element is cut off");
    this.at += count;
    return this.at - count;
  }

  /** A length of one byte, or of five of which the first is fe. */
  length(): number {
    const first = this.#bytes[this.take(1)]!;
    if (first === END) throw new DamagedValueError("an end mark stands where a length should");
    return first < LONG_LENGTH ? first : this.#bytes.readUInt32LE(this.take(4));
  }
}

/**
 * Walks through a ziplist.
 * @returns how many elements it has
 * @throws DamagedValueError
 */
export function walkZiplist(ziplist: StringHolder, into: StringHolder, visit: VisitElement): number {
  const { bytes, start, length } = ziplist;
  if (length <= HEADER_SIZE) throw new DamagedValueError("a ziplist is too short");
  if (bytes.readUInt32LE(start) !== length) throw new DamagedValueError("a ziplist has a wrong length");
  const tail = bytes.readUInt32LE(start + 4);
  const stated = bytes.readUInt16LE(start + 8);
  const walk = new Walk(bytes, start + HEADER_SIZE, start + length - 1);
  if (bytes[walk.last] !== END) throw new DamagedValueError("a ziplist has no end");
  let count = 0;
  let entry = walk.at;
  let before = 0;
  while (walk.at < walk.last) {
    entry = walk.at;
    if (walk.length() !== before) throw new DamagedValueError("a ziplist cannot be walked backwards");
    readEntry(bytes, walk, into);
    before = walk.at - entry;
    count += 1;
    visit(into);
  }
  if (tail !== entry - start && count > 0) throw new DamagedValueError("a ziplist has a wrong tail");
  if (stated !== COUNT_UNKNOWN && stated !== count) throw new DamagedValueError("a ziplist has a wrong count");
  return count;
}

function readEntry(bytes: Buffer, walk: Walk, into: StringHolder): void {
  const form = bytes[walk.take(1)]!;
  if (form < 0xc0) {
    const length = lengthOfString(bytes, walk, form);
    into.set(bytes, walk.take(length), length);
  } else {
    into.setInteger(integerOf(bytes, walk, form));
  }
}

function lengthOfString(bytes: Buffer, walk: Walk, form: number): number {
  if (form < 0x40) return form;
  if (form < 0x80) return ((form & 0x3f) << 8) | bytes[walk.take(1)]!;
  return bytes.readUInt32BE(walk.take(4));
}

function integerOf(bytes: Buffer, walk: Walk, form: number): Int64 {
  switch (form) {
    case 0xc0:
      return bytes.readInt16LE(walk.take(2));
    case 0xd0:
      return bytes.readInt32LE(walk.take(4));
    case 0xe0: {
      const at = walk.take(8);
      return fromWords(bytes.readInt32LE(at), bytes.readInt32LE(at + 4));
    }
    case 0xf0:
      return bytes.readIntLE(walk.take(3), 3);
    case 0xfe:
      return bytes.readInt8(walk.take(1));
    default:
      if (form < 0xf1 || form > 0xfd) throw new DamagedValueError(`a ziplist's entry in the unknown form ${form}`);
      return form - 0xf1;
  }
}

/**
 * Walks through a zipmap: fields and values in turn.
 * @returns how many elements it has, fields and values together
 * @throws DamagedValueError
 */
export function walkZipmap(zipmap: StringHolder, into: StringHolder, visit: VisitElement): number {
  const { bytes, start, length } = zipmap;
  if (length < 2 || bytes[start + length - 1] !== END) throw new DamagedValueError("a zipmap has no end");
  const stated = bytes[start]!;
  const walk = new Walk(bytes, start + 1, start + length - 1);
  let count = 0;
  while (walk.at < walk.last) {
    const fieldLength = walk.length();
    into.set(bytes, walk.take(fieldLength), fieldLength);
    visit(into);
    const valueLength = walk.length();
    const free = bytes[walk.take(1)]!;
    into.set(bytes, walk.take(valueLength), valueLength);
    walk.take(free);
    visit(into);
    count += 2;
  }
  if (stated < LONG_LENGTH && stated !== count / 2) throw new DamagedValueError("a zipmap has a wrong count");
  return count;
}
