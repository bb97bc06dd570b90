/**
 * How many distinct elements a HyperLogLog has seen, by Otmar Ertl's estimator ("New cardinality estimation algorithms
 * for HyperLogLog sketches", arXiv:1702.01284): from how many registers have which value, without tables.
 *
 * Every operation is done in the order in which Redis does it, so that the estimates are the same to the last digit.
 */
import { INT64_MIN, type Int64, toInt64 } from "../base/int64.ts";
import { DENSE, DENSE_SIZE, ENCODING, HEADER_SIZE, REGISTERS, runLength, runRank, runSize } from "./hyperloglog.ts";

/** The highest rank that an element can have; damaged values may hold more, and such registers count for nothing. */
const RANK_MAX = 51;
/** 1 / (2 ln 2) */
const ALPHA = 0.7213475204444817;

/** How many registers have which value. */
const histogram = new Float64Array(64);

/** The estimate for a value, or undefined if it is damaged. */
export function estimateOf(bytes: Uint8Array, start: number, length: number): Int64 | undefined {
  histogram.fill(0);
  if (bytes[start + ENCODING] === DENSE) countDense(bytes, start);
  else if (!countSparse(bytes, start, length)) return undefined;
  return estimate();
}

/** The estimate for registers of a byte each. */
export function estimateOfRegisters(registers: Uint8Array): Int64 {
  histogram.fill(0);
  for (let register = 0; register < REGISTERS; register++) count(registers[register]!, 1);
  return estimate();
}

function count(rank: number, registers: number): void {
  histogram[rank] = histogram[rank]! + registers;
}

/** Four registers of three bytes at a time. */
function countDense(bytes: Uint8Array, start: number): void {
  const end = start + DENSE_SIZE;
  for (let at = start + HEADER_SIZE; at < end; at += 3) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    count(word & 63, 1);
    count((word >>> 6) & 63, 1);
    count((word >>> 12) & 63, 1);
    count(word >>> 18, 1);
  }
}

/** @returns false unless the runs are as many registers as there must be */
function countSparse(bytes: Uint8Array, start: number, length: number): boolean {
  const end = start + length;
  let register = 0;
  for (let at = start + HEADER_SIZE; at < end; at += runSize(bytes[at]!)) {
    const registers = runLength(bytes, at, end);
    count(runRank(bytes[at]!), registers);
    register += registers;
  }
  return register === REGISTERS;
}

function estimate(): Int64 {
  let sum = REGISTERS * tau((REGISTERS - histogram[RANK_MAX]!) / REGISTERS);
  for (let rank = RANK_MAX - 1; rank >= 1; rank--) {
    sum += histogram[rank]!;
    sum *= 0.5;
  }
  sum += REGISTERS * sigma(histogram[0]! / REGISTERS);
  const estimated = (ALPHA * REGISTERS * REGISTERS) / sum;
  // What 64 bits do not hold, and nothing but a forged value comes to, is this number on the processors Redis runs on.
  if (estimated >= 2 ** 63) return toInt64(INT64_MIN);
  return toInt64(BigInt(Math.round(estimated)));
}

/** x + the sum of x^(2^k) * 2^(k-1) over all k >= 1. */
function sigma(of: number): number {
  if (of === 1) return Number.POSITIVE_INFINITY;
  let x = of;
  let factor = 1;
  let sum = of;
  let previous: number;
  do {
    x *= x;
    previous = sum;
    sum += x * factor;
    factor += factor;
  } while (previous !== sum);
  return sum;
}

/** (1 - x - the sum of (1 - x^(2^-k))^2 * 2^-k over all k >= 1) / 3. */
function tau(of: number): number {
  if (of === 0 || of === 1) return 0;
  let x = of;
  let factor = 1;
  let sum = 1 - x;
  let previous: number;
  do {
    x = Math.sqrt(x);
    previous = sum;
    factor *= 0.5;
    sum -= (1 - x) * (1 - x) * factor;
  } while (previous !== sum);
  return sum / 3;
}
