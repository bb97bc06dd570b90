/**
 * HyperLogLog: about how many distinct elements there have been, told from 16,384 small registers. It is the bytes of a
 * string value, in Redis's own format, so that a value may come from Redis and go there.
 *
 *     +0   MAGIC        "HYLL"
 *     +4   ENCODING     0 dense, 1 sparse
 *     +5   three zeros
 *     +8   CARDINALITY  the last estimate, 64 bits, low byte first; the highest bit is set when it is out of date
 *     +16  dense        register 0 in the lowest 6 bits of the first byte, register 1 behind it, …: 12,288 bytes
 *          sparse       runs of registers, in order: 00nnnnnn            n + 1 registers that are 0
 *                                                    01nnnnnn nnnnnnnn   n + 1 registers that are 0, high bits first
 *                                                    1vvvvvnn            n + 1 registers that are v + 1
 *
 * An element's hash chooses a register by its low 14 bits; how many zeros stand below the lowest 1 of the other 50 is
 * what the register keeps the maximum of. Many elements leave long runs of zeros.
 *
 * Here is what can be read off the bytes; they may be anything, since a client may have written them: nothing may
 * assume that runs add up to the registers. hyperloglog-sketch.ts changes them, in a buffer outside any region.
 */
import { fromWords, type Int64 } from "../base/int64.ts";
import { MurmurHash } from "../base/murmur-hash.ts";

export const HEADER_SIZE = 16;
export const REGISTERS = 16384;
export const REGISTER_BITS = 6;
export const DENSE_SIZE = HEADER_SIZE + (REGISTERS * REGISTER_BITS) / 8;
export const ENCODING = 4;
export const DENSE = 0;
export const SPARSE = 1;
export const CARDINALITY = 8;
/** In the last byte of CARDINALITY: it has to be computed again. */
export const STALE_AT = CARDINALITY + 7;
export const STALE = 0x80;

/** Kinds of a sparse run, by its first byte's high bits. */
export const LONG_ZEROS = 0x40;
export const VALUES = 0x80;

const MAGIC = "HYLL";
const INDEX_BITS = 14;
/** Bits of a hash's low word that count zeros, behind those that choose the register. */
const LOW_RANK_BITS = 32 - INDEX_BITS;
const RANK_MAX = 64 - INDEX_BITS + 1;

const hash = new MurmurHash(0xadc83b19);

/** Whether the bytes are a HyperLogLog as far as their header tells; a dense one has all its registers then. */
export function isHyperLogLog(bytes: Uint8Array, start: number, length: number): boolean {
  if (length < HEADER_SIZE) return false;
  for (let index = 0; index < MAGIC.length; index++) {
    if (bytes[start + index] !== MAGIC.charCodeAt(index)) return false;
  }
  const encoding = bytes[start + ENCODING]!;
  return encoding === SPARSE || (encoding === DENSE && length === DENSE_SIZE);
}

/**
 * Where an element belongs and what it counts for: its register * 64 + its rank. One number, so that nothing is made
 * for it.
 */
export function placeOf(bytes: Uint8Array, start: number, length: number): number {
  hash.hash(bytes, start, length);
  const low = hash.low >>> INDEX_BITS;
  const register = hash.low & (REGISTERS - 1);
  if (low !== 0) return (register << REGISTER_BITS) | (trailingZeros(low) + 1);
  const rank = hash.high === 0 ? RANK_MAX : LOW_RANK_BITS + trailingZeros(hash.high) + 1;
  return (register << REGISTER_BITS) | rank;
}

/** Of a word that is not 0. */
function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

export function registerOf(place: number): number {
  return place >>> REGISTER_BITS;
}

export function rankOf(place: number): number {
  return place & ((1 << REGISTER_BITS) - 1);
}

/** The cached estimate, or undefined if it is out of date. */
export function cachedCardinality(bytes: Uint8Array, start: number): Int64 | undefined {
  if ((bytes[start + STALE_AT]! & STALE) !== 0) return undefined;
  return fromWords(wordAt(bytes, start + CARDINALITY), wordAt(bytes, start + CARDINALITY + 4));
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Byte, from the value's start, in which a dense register begins; the next one has the rest of it, if there is one. */
export function denseByte(register: number): number {
  return HEADER_SIZE + ((register * REGISTER_BITS) >>> 3);
}

/** Bits of its first byte that are not a dense register's own. */
export function denseShift(register: number): number {
  return (register * REGISTER_BITS) & 7;
}

/** A register of a dense value. */
export function denseRank(bytes: Uint8Array, start: number, register: number): number {
  const at = start + denseByte(register);
  const shift = denseShift(register);
  const word = shift > 2 ? bytes[at]! | (bytes[at + 1]! << 8) : bytes[at]!;
  return (word >>> shift) & 63;
}

/** Rank that the registers of a sparse run have, by its first byte. */
export function runRank(first: number): number {
  return first >= VALUES ? ((first >>> 2) & 31) + 1 : 0;
}

/** Bytes of a sparse run, by its first byte. */
export function runSize(first: number): number {
  return first >= LONG_ZEROS && first < VALUES ? 2 : 1;
}

/** Registers of the sparse run at `at`; what is missing of it at the value's `end` counts as zero. */
export function runLength(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  if (first >= VALUES) return (first & 3) + 1;
  if (first < LONG_ZEROS) return first + 1;
  return (((first & 63) << 8) | (at + 1 < end ? bytes[at + 1]! : 0)) + 1;
}

/**
 * Raises `registers`, a byte each, to what a value's are where these are higher.
 * @returns false if the value is damaged; `registers` are of no use then
 */
export function mergeInto(registers: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (bytes[start + ENCODING] === DENSE) {
    for (let register = 0; register < REGISTERS; register++) {
      const rank = denseRank(bytes, start, register);
      if (rank > registers[register]!) registers[register] = rank;
    }
    return true;
  }
  const end = start + length;
  let register = 0;
  for (let at = start + HEADER_SIZE; at < end; at += runSize(bytes[at]!)) {
    const behind = register + runLength(bytes, at, end);
    const rank = runRank(bytes[at]!);
    if (rank > 0 && behind > REGISTERS) return false;
    for (; rank > 0 && register < behind; register++) if (rank > registers[register]!) registers[register] = rank;
    register = behind;
  }
  return register === REGISTERS;
}
