/**
 * Decimal numbers out of bytes without a string in between: the plain ones that scores nearly always are.
 *
 * Up to 15 digits, a point among them or not, are an integer that a double holds exactly, over a power of ten that it
 * holds exactly too. A division of such two is rounded correctly, so the result is what any careful reader gives.
 */

const DIGITS_MAX = 15;
const POWERS = Float64Array.from({ length: DIGITS_MAX + 1 }, (_, power) => 10 ** power);

/** @returns NaN for whatever is not a plain number: it may be one all the same, with an exponent, say */
export function parsePlainNumber(bytes: Uint8Array, start: number, length: number): number {
  const end = start + length;
  const isNegative = bytes[start] === 0x2d;
  let at = isNegative ? start + 1 : start;
  if (end - at > DIGITS_MAX + 1) return Number.NaN;
  let value = 0;
  let digits = 0;
  let decimals = -1;
  for (; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits += 1;
      if (decimals >= 0) decimals += 1;
    } else if (digit === -2 && decimals < 0) {
      decimals = 0;
    } else {
      return Number.NaN;
    }
  }
  if (digits === 0 || digits > DIGITS_MAX) return Number.NaN;
  if (decimals > 0) value /= POWERS[decimals]!;
  return isNegative ? -value : value;
}
