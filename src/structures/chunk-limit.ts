/**
 * How large a list may be as one listpack, and how large the chunks of a larger one: the setting
 * list-max-listpack-size. Negative: -1 … -5 are 4 … 64 KiB. Otherwise elements, and 8 KiB altogether. Redis's rules, so
 * that lists have the same encodings as there, and in files the same pieces.
 */

const SIZES: readonly number[] = [4096, 8192, 16384, 32768, 65536];
/** Bytes of a chunk that is limited by its elements. */
const SAFE_SIZE = 8192;
/** What an element is thought to need beside its bytes. */
const OVERHEAD = 8;

/** Bytes that the setting allows; Infinity if it is of elements. */
export function sizeLimit(limit: number): number {
  return limit < 0 ? SIZES[Math.min(-limit, SIZES.length) - 1]! : Number.POSITIVE_INFINITY;
}

/** Elements that the setting allows; Infinity if it is of bytes. */
function countLimit(limit: number): number {
  return limit < 0 ? Number.POSITIVE_INFINITY : Math.max(limit, 1);
}

/** Whether a listpack of so many bytes and elements is too large. */
export function exceedsLimit(limit: number, bytes: number, count: number): boolean {
  if (limit < 0) return bytes > sizeLimit(limit);
  return bytes > SAFE_SIZE || count > countLimit(limit);
}

/** Whether a chunk of so many bytes and elements has room for an element of `length` bytes. */
export function hasRoomFor(limit: number, bytes: number, count: number, length: number): boolean {
  return !exceedsLimit(limit, bytes + length + OVERHEAD, count + 1);
}

/** Whether a list of one chunk has become so small that it should be a listpack: half of the limit, not to and fro. */
export function isHalfEmpty(limit: number, bytes: number, count: number): boolean {
  return bytes <= sizeLimit(limit) / 2 && count <= Math.floor(countLimit(limit) / 2);
}
