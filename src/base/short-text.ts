/**
 * Short ASCII strings out of words, without the call into native code that decoding costs: `String.fromCharCode` with a
 * fixed number of arguments is compiled code. A shorter text is cut off what one of two fixed numbers made.
 */

/** Longest text that is worth it (measured on Node 20 to 26). */
export const SHORT_TEXT_MAX = 16;
const HALF = 8;
const NOT_ASCII = 0x80808080;

const { fromCharCode } = String;

/**
 * The text in the first `length` bytes from word `at` on, least significant byte first; at most SHORT_TEXT_MAX. The
 * words up to `at` + 4 must exist, whatever is in them.
 * @returns undefined if a byte of the text, or one behind it, is not ASCII
 */
export function shortText(words: Int32Array, at: number, length: number): string | undefined {
  const a = words[at]!;
  const b = words[at + 1]!;
  if (length <= HALF) return ((a | b) & NOT_ASCII) === 0 ? eight(a, b).slice(0, length) : undefined;
  const c = words[at + 2]!;
  const d = words[at + 3]!;
  if (((a | b | c | d) & NOT_ASCII) !== 0) return undefined;
  const text = sixteen(a, b, c, d);
  return length === SHORT_TEXT_MAX ? text : text.slice(0, length);
}

/** As `shortText`, of bytes that begin anywhere: SHORT_TEXT_MAX of them must exist, whatever is behind the text. */
export function shortTextIn(view: DataView, at: number, length: number): string | undefined {
  const a = view.getInt32(at, true) & onesUpTo(length);
  const b = view.getInt32(at + 4, true) & onesUpTo(length - 4);
  if (length <= HALF) return ((a | b) & NOT_ASCII) === 0 ? eight(a, b).slice(0, length) : undefined;
  const c = view.getInt32(at + 8, true) & onesUpTo(length - 8);
  const d = view.getInt32(at + 12, true) & onesUpTo(length - 12);
  if (((a | b | c | d) & NOT_ASCII) !== 0) return undefined;
  const text = sixteen(a, b, c, d);
  return length === SHORT_TEXT_MAX ? text : text.slice(0, length);
}

/** A mask of a word's first `length` bytes, which may be more than four, or less than none. */
function onesUpTo(length: number): number {
  if (length >= 4) return -1;
  return length <= 0 ? 0 : -1 >>> (32 - (length << 3));
}

// biome-ignore format: a line a word
function eight(a: number, b: number): string {
  return fromCharCode(
    a & 0x7f, (a >>> 8) & 0x7f, (a >>> 16) & 0x7f, a >>> 24,
    b & 0x7f, (b >>> 8) & 0x7f, (b >>> 16) & 0x7f, b >>> 24,
  );
}

// biome-ignore format: a line a word
function sixteen(a: number, b: number, c: number, d: number): string {
  return fromCharCode(
    a & 0x7f, (a >>> 8) & 0x7f, (a >>> 16) & 0x7f, a >>> 24,
    b & 0x7f, (b >>> 8) & 0x7f, (b >>> 16) & 0x7f, b >>> 24,
    c & 0x7f, (c >>> 8) & 0x7f, (c >>> 16) & 0x7f, c >>> 24,
    d & 0x7f, (d >>> 8) & 0x7f, (d >>> 16) & 0x7f, d >>> 24,
  );
}
