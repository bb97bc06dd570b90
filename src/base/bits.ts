/**
 * Bits of a range of bytes, the first being the highest of the first byte, as bitmaps count them. Long ranges are gone
 * through by 32-bit words.
 */

/** From this many bytes on, a view of words is worth what it costs. */
const WORDS_MIN = 64;

/** A range's whole words as a view, and the bytes before it; positions in `bytes`. */
interface Words {
  readonly view: Int32Array;
  readonly start: number;
}

/** Ones in the `length` bytes from `start` on. */
export function countOnes(bytes: Uint8Array, start: number, length: number): number {
  const end = start + length;
  if (length < WORDS_MIN) return countInBytes(bytes, start, end);
  const words = wordsOf(bytes, start, end);
  const wordsEnd = words.start + words.view.length * 4;
  return countInBytes(bytes, start, words.start) + countInWords(words.view) + countInBytes(bytes, wordsEnd, end);
}

/**
 * The first bit that is `bit` among those of the bytes at `start`.
 * @param from first bit looked at
 * @param to last bit looked at
 * @returns its number, or -1
 */
export function findBit(bytes: Uint8Array, start: number, from: number, to: number, bit: number): number {
  const skipped = bit === 1 ? 0 : 0xff;
  const lastByte = start + Math.floor(to / 8);
  let at = start + Math.floor(from / 8);
  // What the first byte has before `from` counts as what is not looked for.
  const before = (0xff00 >>> (from & 7)) & 0xff;
  let byte = bit === 1 ? bytes[at]! & ~before : bytes[at]! | before;
  if (byte === skipped && at < lastByte) {
    at = firstOther(bytes, at + 1, lastByte, skipped);
    byte = bytes[at]!;
  }
  const found = (at - start) * 8 + Math.clz32((byte ^ skipped) & 0xff) - 24;
  return byte === skipped || found > to ? -1 : found;
}

/** The `count` bits from bit `offset` on, 32 at most, as an unsigned number; what is behind the range's end is zero. */
export function readBits(bytes: Uint8Array, start: number, length: number, offset: number, count: number): number {
  let value = 0;
  let at = Math.floor(offset / 8);
  const end = offset + count;
  for (; at * 8 < end; at++) {
    const first = Math.max(0, offset - at * 8);
    const last = Math.min(8, end - at * 8);
    const byte = at < length ? bytes[start + at]! : 0;
    value = value * 2 ** (last - first) + ((byte >>> (8 - last)) & (0xff >>> (8 - last + first)));
  }
  return value;
}

/** The byte that `readBits` would read `value` from, at byte `at`, where the rest of it is `byte`. */
export function withBits(byte: number, at: number, offset: number, count: number, value: number): number {
  const first = Math.max(0, offset - at * 8);
  const last = Math.min(8, offset + count - at * 8);
  const mask = (0xff >>> (8 - last + first)) << (8 - last);
  const behind = offset + count - at * 8 - last;
  const part = Math.floor((value >>> 0) / 2 ** behind) << (8 - last);
  return (byte & ~mask) | (part & mask);
}

function wordsOf(bytes: Uint8Array, start: number, end: number): Words {
  const misaligned = (bytes.byteOffset + start) & 3;
  const first = misaligned === 0 ? start : start + 4 - misaligned;
  return { view: new Int32Array(bytes.buffer, bytes.byteOffset + first, (end - first) >>> 2), start: first };
}

function countInBytes(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) count += onesIn(bytes[at]!);
  return count;
}

function countInWords(words: Int32Array): number {
  let count = 0;
  for (let index = 0; index < words.length; index++) count += onesIn(words[index]!);
  return count;
}

/** Sums of neighbouring bits, then of pairs, of fours, and of the four bytes by one multiplication. */
function onesIn(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The first position in [from, last] whose byte is not `byte` (0 or 255), or `last`. */
function firstOther(bytes: Uint8Array, from: number, last: number, byte: number): number {
  let at = from;
  if (last - at >= WORDS_MIN) {
    const words = wordsOf(bytes, at, last);
    while (at < words.start && bytes[at] === byte) at += 1;
    if (at < words.start) return at;
    const word = byte === 0 ? 0 : -1;
    let index = 0;
    while (index < words.view.length && words.view[index] === word) index += 1;
    at = words.start + index * 4;
  }
  while (at < last && bytes[at] === byte) at += 1;
  return at;
}
