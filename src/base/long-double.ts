/**
 * LongDouble: floating point with 64 bits of mantissa and 15 of exponent, the `long double` of x86, which Redis
 * computes INCRBYFLOAT in. JavaScript's own numbers have 53 bits; their results would differ in the digits that are
 * shown.
 *
 * A value is mantissa * 2^exponent, exactly. Reading, adding and writing work on exact integers and round once, to the
 * nearest, ties to even, as the processor and the C library do. Not fast, and not meant to be: some microseconds a sum.
 */
import type { Int64 } from "./int64.ts";

const MANTISSA_BITS = 64;
/** No bit counts for less than 2^EXPONENT_MIN: what is smaller has fewer bits. */
const EXPONENT_MIN = -16445;
/** All values are below 2^EXPONENT_END. */
const EXPONENT_END = 16384;
/** Powers of ten, and of two, from which on a text is surely out of range: absurd ones are never computed. */
const DECIMAL_RANGE = 5000;
const BINARY_RANGE = 17000;
/** Texts as long as this are no numbers to Redis. */
const TEXT_LENGTH_END = 5120;
/** Digits behind the point that are written. */
const FRACTION_DIGITS = 17;

const DECIMAL = /^([+-]?)(?=\.?\d)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i;
const HEXADECIMAL = /^([+-]?)0x(?=\.?[\da-f])([\da-f]*)\.?([\da-f]*)(?:p([+-]?\d+))?$/i;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

export class LongDouble {
  /** An infinity, or what infinities add up to; which, nobody asks. */
  static readonly notFinite = new LongDouble(0n, Number.POSITIVE_INFINITY);

  readonly #mantissa: bigint;
  readonly #exponent: number;

  private constructor(mantissa: bigint, exponent: number) {
    this.#mantissa = mantissa;
    this.#exponent = exponent;
  }

  static fromInt64(value: Int64): LongDouble {
    return new LongDouble(BigInt(value), 0);
  }

  /**
   * Reads a number as C's strtold does: decimal or hexadecimal, with a point and an exponent if there are, or inf.
   * @returns undefined for other texts, nan included, and for numbers too large, or so small that nothing remains
   */
  static parse(text: string): LongDouble | undefined {
    if (text.length >= TEXT_LENGTH_END) return undefined;
    const decimal = DECIMAL.exec(text);
    if (decimal !== null) return parseDecimal(decimal);
    const hexadecimal = HEXADECIMAL.exec(text);
    if (hexadecimal !== null) return parseHexadecimal(hexadecimal);
    return INFINITE.test(text) ? LongDouble.notFinite : undefined;
  }

  /** mantissa * 2^exponent, rounded. */
  static round(mantissa: bigint, exponent: number): LongDouble {
    const excess = Math.max(bitLength(mantissa) - MANTISSA_BITS, EXPONENT_MIN - exponent);
    if (excess > 0) return LongDouble.round(shiftRounded(mantissa, excess), exponent + excess);
    return bitLength(mantissa) + exponent > EXPONENT_END ? LongDouble.notFinite : new LongDouble(mantissa, exponent);
  }

  get isFinite(): boolean {
    return this !== LongDouble.notFinite;
  }

  get isZero(): boolean {
    return this.#mantissa === 0n && this.isFinite;
  }

  plus(other: LongDouble): LongDouble {
    if (!this.isFinite || !other.isFinite) return LongDouble.notFinite;
    const exponent = Math.min(this.#exponent, other.#exponent);
    const left = this.#mantissa << BigInt(this.#exponent - exponent);
    const right = other.#mantissa << BigInt(other.#exponent - exponent);
    return LongDouble.round(left + right, exponent);
  }

  /** In decimal without exponent, 17 digits behind the point at most, without zeros at its end; only if finite. */
  toString(): string {
    const scaled = this.#mantissa * 10n ** BigInt(FRACTION_DIGITS);
    const exponent = this.#exponent;
    const units = exponent >= 0 ? scaled << BigInt(exponent) : shiftRounded(scaled, -exponent);
    if (units === 0n) return "0";
    const digits = magnitude(units)
      .toString()
      .padStart(FRACTION_DIGITS + 1, "0");
    const whole = digits.slice(0, -FRACTION_DIGITS);
    const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, "");
    return `${units < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
  }
}

function parseDecimal([, sign, whole, fraction, power]: RegExpExecArray): LongDouble | undefined {
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const exponent = Number(power ?? 0) - fraction!.length;
  if (digits === "") return LongDouble.fromInt64(0);
  if (Math.abs(digits.length + exponent) > DECIMAL_RANGE) return undefined;
  const mantissa = BigInt(`${sign === "-" ? "-" : ""}${digits}`);
  if (exponent >= 0) return inRange(LongDouble.round(mantissa * 10n ** BigInt(exponent), 0));
  const divisor = 10n ** BigInt(-exponent);
  // Two bits more than needed, and a last one for "and something more": then one rounding is the right one.
  const shift = Math.max(0, bitLength(divisor) - bitLength(mantissa) + MANTISSA_BITS + 2);
  const dividend = magnitude(mantissa) << BigInt(shift);
  const quotient = ((dividend / divisor) << 1n) | (dividend % divisor === 0n ? 0n : 1n);
  return inRange(LongDouble.round(mantissa < 0n ? -quotient : quotient, -shift - 1));
}

function parseHexadecimal([, sign, whole, fraction, power]: RegExpExecArray): LongDouble | undefined {
  const mantissa = BigInt(`0x${whole}${fraction}`);
  const exponent = Number(power ?? 0) - 4 * fraction!.length;
  if (mantissa === 0n) return LongDouble.fromInt64(0);
  if (Math.abs(bitLength(mantissa) + exponent) > BINARY_RANGE) return undefined;
  return inRange(LongDouble.round(sign === "-" ? -mantissa : mantissa, exponent));
}

/** For a number that was not zero before it was rounded. */
function inRange(value: LongDouble): LongDouble | undefined {
  return value.isFinite && !value.isZero ? value : undefined;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** Bits of the magnitude; 0 for 0. */
function bitLength(value: bigint): number {
  const digits = magnitude(value).toString(16);
  return digits.length * 4 - (Math.clz32(Number.parseInt(digits[0]!, 16)) - 28);
}

/** value / 2^bits to the nearest integer, ties to even. */
function shiftRounded(value: bigint, bits: number): bigint {
  const shift = BigInt(bits);
  const quotient = value >> shift;
  const rest = value - (quotient << shift);
  const half = 1n << (shift - 1n);
  return rest > half || (rest === half && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}
