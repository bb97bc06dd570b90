/**
 * The bytes of a listpack, exactly Redis's, so that what is saved and dumped is a copy. Pure functions over bytes.
 *
 *     +0  TOTAL    u32, bytes of the whole          entry:  head, data, back length
 *     +4  COUNT    u16, 65535 = must be counted
 *     +6  entries
 *     ... 0xFF     the end
 *
 *     head                                          what it is
 *     0xxxxxxx                                      integer 0 … 127
 *     10llllll data                                 string of up to 63 bytes
 *     110xxxxx xxxxxxxx                             integer of 13 bits
 *     1110llll llllllll data                        string of up to 4,095 bytes
 *     11110000 l l l l data                         string, length in 32 bits, little-endian
 *     11110001 … 11110100 and 2, 3, 4, 8 bytes      integers of 16, 24, 32, 64 bits, little-endian
 *
 * The back length is the size of head and data, so that a walk can go backwards: seven bits a byte, the highest first,
 * bit 7 set in all but the first. All numbers are little-endian but the twelve and thirteen bits.
 */
import { fromWords, highWord, type Int64, lowWord, parseInt64 } from "../base/int64.ts";

export const TOTAL = 0;
export const COUNT = 4;
export const HEADER_SIZE = 6;
export const END = 0xff;
/** Bytes of a listpack without elements. */
export const EMPTY_SIZE = 7;
/** In COUNT: there are more elements than fit there, or it has not been kept. */
export const COUNT_UNKNOWN = 65535;

const STRING_32 = 0xf0;
const INTEGER_16 = 0xf1;
const INTEGER_24 = 0xf2;
const INTEGER_32 = 0xf3;
const INTEGER_64 = 0xf4;

/** The longest text that is looked at for being an integer. */
const INTEGER_LENGTH_MAX = 20;

/** Writes a header. */
export function writeHeader(bytes: Buffer, at: number, total: number, count: number): void {
  writeWord(bytes, at + TOTAL, total);
  bytes[at + COUNT] = count;
  bytes[at + COUNT + 1] = count >>> 8;
}

/** Bytes of the back length of an entry whose head and data take `size`. The limits are Redis's, one below the most. */
export function backLengthSize(size: number): number {
  if (size <= 127) return 1;
  if (size < 16383) return 2;
  if (size < 2097151) return 3;
  return size < 268435455 ? 4 : 5;
}

/** Writes a back length. @returns the position behind it */
export function writeBackLength(bytes: Buffer, at: number, size: number): number {
  if (size <= 127) {
    bytes[at] = size;
    return at + 1;
  }
  const width = backLengthSize(size);
  let rest = size;
  for (let index = width - 1; index > 0; index--) {
    bytes[at + index] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[at] = rest;
  return at + width;
}

/** Reads the back length that ends before `end`. @returns -1 if it is longer than one can be */
export function readBackLength(bytes: Buffer, end: number): number {
  let size = 0;
  for (let index = 1, shift = 0; index <= 5; index++, shift += 7) {
    const byte = bytes[end - index]!;
    size += (byte & 127) * 2 ** shift;
    if ((byte & 128) === 0) return size;
  }
  return -1;
}

/** Bytes of head and data of a string. */
export function stringSize(length: number): number {
  if (length < 64) return 1 + length;
  return length < 4096 ? 2 + length : 5 + length;
}

/** Bytes of head and data of an integer. */
export function integerSize(value: Int64): number {
  if (typeof value === "bigint") return 9;
  if (value >= 0 && value <= 127) return 1;
  if (value >= -4096 && value <= 4095) return 2;
  if (value >= -32768 && value <= 32767) return 3;
  if (value >= -8388608 && value <= 8388607) return 4;
  return value >= -2147483648 && value <= 2147483647 ? 5 : 9;
}

/** Writes the head of a string. @returns where its bytes go */
export function writeStringHead(bytes: Buffer, at: number, length: number): number {
  if (length < 64) {
    bytes[at] = 0x80 | length;
    return at + 1;
  }
  if (length < 4096) {
    bytes[at] = 0xe0 | (length >>> 8);
    bytes[at + 1] = length;
    return at + 2;
  }
  bytes[at] = STRING_32;
  writeWord(bytes, at + 1, length);
  return at + 5;
}

/** Writes head and data of an integer. @returns the position behind it */
export function writeInteger(bytes: Buffer, at: number, value: Int64): number {
  const size = integerSize(value);
  const low = lowWord(value);
  switch (size) {
    case 1:
      bytes[at] = low;
      break;
    case 2:
      bytes[at] = 0xc0 | ((low >>> 8) & 0x1f);
      bytes[at + 1] = low;
      break;
    case 3:
      bytes[at] = INTEGER_16;
      bytes[at + 1] = low;
      bytes[at + 2] = low >>> 8;
      break;
    case 4:
      bytes[at] = INTEGER_24;
      bytes[at + 1] = low;
      bytes[at + 2] = low >>> 8;
      bytes[at + 3] = low >>> 16;
      break;
    case 5:
      bytes[at] = INTEGER_32;
      writeWord(bytes, at + 1, low);
      break;
    default:
      bytes[at] = INTEGER_64;
      writeWord(bytes, at + 1, low);
      writeWord(bytes, at + 5, highWord(value));
  }
  return at + size;
}

/** Bytes of head and data of the entry at `at`. */
export function sizeAt(bytes: Buffer, at: number): number {
  const head = bytes[at]!;
  if (head < 0x80) return 1;
  if (head < 0xc0) return 1 + (head & 63);
  if (head < 0xe0) return 2;
  if (head < 0xf0) return 2 + (((head & 15) << 8) | bytes[at + 1]!);
  if (head === STRING_32) return 5 + (readWord(bytes, at + 1) >>> 0);
  return head === INTEGER_64 ? 9 : head - INTEGER_16 + 3;
}

/** Bytes of the whole entry at `at`: the next one begins behind them. */
export function entrySizeAt(bytes: Buffer, at: number): number {
  const size = sizeAt(bytes, at);
  return size <= 127 ? size + 1 : size + backLengthSize(size);
}

/** Whether the entry at `at` is an integer. */
export function isIntegerAt(bytes: Buffer, at: number): boolean {
  const head = bytes[at]!;
  return head < 0x80 || (head >= 0xc0 && head < 0xe0) || head > STRING_32;
}

/** Where the bytes of the string at `at` begin. */
export function stringStartAt(bytes: Buffer, at: number): number {
  const head = bytes[at]!;
  if (head < 0xc0) return at + 1;
  return head === STRING_32 ? at + 5 : at + 2;
}

/** The value of the integer entry at `at`. */
export function readIntegerAt(bytes: Buffer, at: number): Int64 {
  const head = bytes[at]!;
  if (head < 0x80) return head;
  if (head < 0xe0) return ((((head & 0x1f) << 8) | bytes[at + 1]!) << 19) >> 19;
  if (head === INTEGER_16) return ((bytes[at + 1]! | (bytes[at + 2]! << 8)) << 16) >> 16;
  if (head === INTEGER_24) return ((bytes[at + 1]! | (bytes[at + 2]! << 8) | (bytes[at + 3]! << 16)) << 8) >> 8;
  if (head === INTEGER_32) return readWord(bytes, at + 1);
  return fromWords(readWord(bytes, at + 1), readWord(bytes, at + 5));
}

/** 32 bits, little-endian, wherever they stand; signed. */
export function readWord(bytes: Buffer, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

export function writeWord(bytes: Buffer, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}

/**
 * Checks a listpack that came from elsewhere, entry by entry.
 * @returns its elements, or -1 if anything about it is wrong
 */
export function validateListpack(bytes: Buffer, start: number, length: number): number {
  if (length < EMPTY_SIZE || start + length > bytes.length) return -1;
  const end = start + length - 1;
  if (readWord(bytes, start + TOTAL) >>> 0 !== length || bytes[end] !== END) return -1;
  let count = 0;
  let at = start + HEADER_SIZE;
  while (at < end) {
    const size = validSize(bytes, at, end);
    if (size < 0) return -1;
    const next = at + size + backLengthSize(size);
    if (next > end || readBackLength(bytes, next) !== size || isOverlong(bytes, next, size)) return -1;
    at = next;
    count += 1;
  }
  const stored = bytes[start + COUNT]! | (bytes[start + COUNT + 1]! << 8);
  return stored === COUNT_UNKNOWN || stored === count ? count : -1;
}

/** The size of the entry at `at` if its head is one, and lies before `end`; else -1. */
function validSize(bytes: Buffer, at: number, end: number): number {
  const head = bytes[at]!;
  if (head > INTEGER_64) return -1;
  const headSize = head === STRING_32 ? 5 : head >= 0xe0 && head < STRING_32 ? 2 : 1;
  if (at + headSize > end) return -1;
  return sizeAt(bytes, at);
}

/** Whether the back length is not written in the one way it should be: a walk backwards would miss the entry. */
function isOverlong(bytes: Buffer, end: number, size: number): boolean {
  return (bytes[end - backLengthSize(size)]! & 128) !== 0;
}

/** What the bytes are stored as if they are the digits of an integer. */
export function integerIn(bytes: Buffer, start: number, length: number): Int64 | undefined {
  // Anything above "9" in front, such as most text, is told at once.
  return length <= INTEGER_LENGTH_MAX && bytes[start]! <= 0x39 ? parseInt64(bytes, start, length) : undefined;
}
