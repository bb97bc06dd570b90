/**
 * Signed 64-bit integers as Redis counts them, without paying for BigInt where a number will do.
 *
 * An `Int64` is a number while it is safe (|n| <= 2^53 - 1), a bigint beyond: exactly one form for each value, so `===`
 * compares. The common case never leaves numbers.
 */
export type Int64 = number | bigint;

export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;

/** Digits that always fit into a safe integer. */
const SAFE_DIGITS = 15;
/** "-9223372036854775808" */
const LONGEST = 20;

/** Brings a bigint into its one form. */
export function toInt64(value: bigint): Int64 {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/**
 * Reads a decimal integer in its only canonical form: no sign but "-", no leading zeros, no spaces, within 64 bits.
 * @returns undefined for anything else; Redis's rule for what is an integer
 */
export function parseInt64(bytes: Uint8Array, start: number, length: number): Int64 | undefined {
  if (length === 0 || length > LONGEST) return undefined;
  const isNegative = bytes[start] === 0x2d;
  const first = isNegative ? start + 1 : start;
  const end = start + length;
  if (first === end) return undefined;
  if (bytes[first] === 0x30) return end - first === 1 && !isNegative ? 0 : undefined;
  let value = 0;
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  if (end - first <= SAFE_DIGITS) return isNegative ? -value : value;
  return parseLong(bytes, start, length);
}

function parseLong(bytes: Uint8Array, start: number, length: number): Int64 | undefined {
  const value = BigInt(String.fromCharCode(...bytes.subarray(start, start + length)));
  return value < INT64_MIN || value > INT64_MAX ? undefined : toInt64(value);
}

/** left + right, or undefined where 64 bits do not hold it. */
export function addInt64(left: Int64, right: Int64): Int64 | undefined {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  const sum = BigInt(left) + BigInt(right);
  return sum < INT64_MIN || sum > INT64_MAX ? undefined : toInt64(sum);
}

/** left * right, or undefined where 64 bits do not hold it. */
export function multiplyInt64(left: Int64, right: Int64): Int64 | undefined {
  if (typeof left === "number" && typeof right === "number") {
    const product = left * right;
    // The sum with 0 is 0 also where the product is -0.
    if (Number.isSafeInteger(product)) return product + 0;
  }
  const product = BigInt(left) * BigInt(right);
  return product < INT64_MIN || product > INT64_MAX ? undefined : toInt64(product);
}

/** The low 32 bits, signed. */
export function lowWord(value: Int64): number {
  return typeof value === "number" ? value | 0 : Number(BigInt.asIntN(32, value));
}

/** The high 32 bits, signed. */
export function highWord(value: Int64): number {
  return typeof value === "number" ? Math.floor(value / 2 ** 32) : Number(value >> 32n);
}

/** From its two words. */
export function fromWords(low: number, high: number): Int64 {
  if (high >= -0x200000 && high < 0x200000) {
    const value = high * 2 ** 32 + (low >>> 0);
    if (value !== -(2 ** 53)) return value;
  }
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** Digits of `value` and its sign: how many bytes `writeInt64` writes. */
export function lengthOfInt64(value: Int64): number {
  if (typeof value === "bigint") return value.toString().length;
  let length = value < 0 ? 2 : 1;
  for (let rest = Math.abs(value); rest >= 10; rest = Math.floor(rest / 10)) length += 1;
  return length;
}

/** Writes `value` in decimal at `at`. @returns the position behind it */
export function writeInt64(value: Int64, target: Uint8Array, at: number): number {
  if (typeof value === "number" && value >= 0 && value < 10) {
    target[at] = 0x30 + value;
    return at + 1;
  }
  if (typeof value === "number" && value > -0x40000000 && value < 0x40000000) return writeSmall(value, target, at);
  const text = value.toString();
  for (let index = 0; index < text.length; index++) target[at + index] = text.charCodeAt(index);
  return at + text.length;
}

/** Integer arithmetic of 31 bits: what the compiler does without calls. */
function writeSmall(value: number, target: Uint8Array, at: number): number {
  let rest = value;
  let begin = at;
  if (rest < 0) {
    target[begin] = 0x2d;
    begin += 1;
    rest = -rest;
  }
  const end = begin + digitsOf(rest);
  let position = end - 1;
  // Two digits a step: a step waits for the division before it.
  for (; rest >= 100; position -= 2) {
    const quotient = (rest / 100) | 0;
    const pair = rest - quotient * 100;
    const tens = (pair * 205) >> 11;
    target[position - 1] = 0x30 + tens;
    target[position] = 0x30 + pair - tens * 10;
    rest = quotient;
  }
  const tens = (rest * 205) >> 11;
  if (position > begin) target[begin] = 0x30 + tens;
  target[position] = 0x30 + rest - tens * 10;
  return end;
}

/** How many digits a number from 0 to 2^30 has. */
function digitsOf(value: number): number {
  if (value < 10_000) {
    if (value < 100) return value < 10 ? 1 : 2;
    return value < 1_000 ? 3 : 4;
  }
  if (value < 1_000_000) return value < 100_000 ? 5 : 6;
  if (value < 100_000_000) return value < 10_000_000 ? 7 : 8;
  return value < 1_000_000_000 ? 9 : 10;
}
