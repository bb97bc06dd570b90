/**
 * LZF: the compression of strings in Redis's dumps and RDB files. Quick rather than thorough.
 *
 *     000LLLLL  bytes…                    L + 1 bytes as they are (1 to 32)
 *     LLLooooo  oooooooo                  L + 2 bytes (3 to 8) again, from o + 1 bytes back (1 to 8192)
 *     111ooooo  LLLLLLLL  oooooooo        the same with L + 9 bytes (9 to 264)
 *
 * A repetition may reach into what it is about to write: one byte, repeated, is a literal and a repetition from 1 back.
 *
 * The compressor remembers for each hash of three bytes where they last stood, in one table for all calls: places are
 * counted on from call to call, so that a place of an earlier call is told by being too small, and nothing is cleared.
 */

const LITERALS_MAX = 32;
const DISTANCE_MAX = 8192;
const REPEATED_MIN = 3;
/** From here on, a repetition's length has a byte of its own. */
const REPEATED_LONG = 9;
const REPEATED_MAX = 264;

const HASH_BITS = 14;
const places = new Int32Array(1 << HASH_BITS);
/** Where the next call's bytes are counted from; never 0, so that a fresh table names no place. */
let origin = 1;
const ORIGIN_MAX = 2 ** 30;

/**
 * Compresses `length` bytes of `source` into at most `room` bytes of `target`.
 * @returns the bytes written; 0 if it does not fit
 */
export function compress(
  source: Uint8Array,
  start: number,
  length: number,
  target: Uint8Array,
  targetStart: number,
  room: number,
): number {
  const base = takeOrigin(length) - start;
  const end = start + length;
  const limit = targetStart + room;
  let to = targetStart;
  let literals = start;
  let at = start;
  while (at + REPEATED_MIN <= end) {
    const hash = hashOf(source, at);
    const earlier = places[hash]! - base;
    places[hash] = at + base;
    const distance = at - earlier;
    if (earlier < start || distance > DISTANCE_MAX || !startsAlike(source, earlier, at)) {
      at += 1;
      continue;
    }
    const repeated = alike(source, earlier, at, Math.min(end - at, REPEATED_MAX));
    to = writeLiterals(source, literals, at, target, to, limit - REPEATED_MIN);
    if (to < 0) return 0;
    to = writeRepetition(target, to, repeated, distance - 1);
    at += repeated;
    literals = at;
    // The last places inside a repetition are remembered too: what follows it often continues as it did before.
    for (let inside = at - 2; inside < at && inside + REPEATED_MIN <= end; inside++) {
      places[hashOf(source, inside)] = inside + base;
    }
  }
  to = writeLiterals(source, literals, end, target, to, limit);
  return to < 0 ? 0 : to - targetStart;
}

/**
 * The opposite. What is not compressed data is found out; nothing is read or written out of bounds.
 * @param size how many bytes it must yield
 * @returns false if it does not yield exactly as many
 */
export function decompress(
  source: Uint8Array,
  start: number,
  length: number,
  target: Uint8Array,
  targetStart: number,
  size: number,
): boolean {
  const end = start + length;
  const limit = targetStart + size;
  let at = start;
  let to = targetStart;
  while (at < end) {
    const control = source[at]!;
    at += 1;
    if (control < LITERALS_MAX) {
      const count = control + 1;
      if (at + count > end || to + count > limit) return false;
      for (let index = 0; index < count; index++) target[to + index] = source[at + index]!;
      at += count;
      to += count;
      continue;
    }
    let count = (control >>> 5) + 2;
    if (count === REPEATED_LONG) {
      // Past the end the byte reads as undefined; the check below finds that.
      count += source[at]! | 0;
      at += 1;
    }
    if (at >= end) return false;
    let from = to - (((control & 0x1f) << 8) | source[at]!) - 1;
    at += 1;
    if (from < targetStart || to + count > limit) return false;
    for (const last = to + count; to < last; to++, from++) target[to] = target[from]!;
  }
  return to === limit;
}

/** The most that so many compressed bytes can yield. */
export function decompressedMax(length: number): number {
  return Math.ceil(length / 3) * REPEATED_MAX;
}

function takeOrigin(length: number): number {
  if (origin > ORIGIN_MAX - length) {
    places.fill(0);
    origin = 1;
  }
  const taken = origin;
  origin += length;
  return taken;
}

function hashOf(source: Uint8Array, at: number): number {
  const three = (source[at]! << 16) | (source[at + 1]! << 8) | source[at + 2]!;
  return Math.imul(three, 0x9e3779b1) >>> (32 - HASH_BITS);
}

function startsAlike(source: Uint8Array, left: number, right: number): boolean {
  return (
    source[left] === source[right] && source[left + 1] === source[right + 1] && source[left + 2] === source[right + 2]
  );
}

/** How many bytes are the same from `left` and from `right` on, `most` at most. */
function alike(source: Uint8Array, left: number, right: number, most: number): number {
  let count = REPEATED_MIN;
  while (count < most && source[left + count] === source[right + count]) count += 1;
  return count;
}

/** @returns the place behind; -1 if it were beyond `limit` */
function writeLiterals(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
  limit: number,
): number {
  const length = end - start;
  let to = at;
  if (to + length + Math.ceil(length / LITERALS_MAX) > limit) return -1;
  for (let from = start; from < end; from += LITERALS_MAX) {
    const count = Math.min(end - from, LITERALS_MAX);
    target[to] = count - 1;
    to += 1;
    for (let index = 0; index < count; index++) target[to + index] = source[from + index]!;
    to += count;
  }
  return to;
}

function writeRepetition(target: Uint8Array, at: number, count: number, offset: number): number {
  if (count < REPEATED_LONG) {
    target[at] = ((count - 2) << 5) | (offset >>> 8);
    target[at + 1] = offset & 0xff;
    return at + 2;
  }
  target[at] = 0xe0 | (offset >>> 8);
  target[at + 1] = count - REPEATED_LONG;
  target[at + 2] = offset & 0xff;
  return at + 3;
}
