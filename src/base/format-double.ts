/**
 * Doubles as replies show them, in the form of Redis 7.2: the fewest digits that read back as the same number.
 *
 *     an integer up to 2^62        in full                                          3    4611686018427387904
 *     up to six decimals,          as a decimal, also where the exponent            0.1  12345.678901
 *                                  is within 3, whatever the number of decimals     0.30000000000000004
 *     a larger integer             in full, if zeros are at most seven of it        12345678901234567000
 *     anything else                with an exponent that is never padded            1e-7  1.23456789012e+4  1e+21
 *
 * Redis 7.0 prints 17 digits instead ("%.17g"). For about one number in 500, the algorithm of 7.2 misses the fewest
 * digits by one; here they are the fewest always. It reads back the same.
 */
const INTEGER_MAX = 2 ** 62;
const DECIMALS_MAX = 6;
const DECIMAL_EXPONENT_MAX = 3;
const ZEROS_MAX = 7;

/** Also inf, -inf, nan and -0. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0";
  if (Number.isSafeInteger(value)) return value.toString();
  if (Number.isInteger(value) && Math.abs(value) <= INTEGER_MAX) return BigInt(value).toString();
  return value < 0 ? `-${formatDigits(-value)}` : formatDigits(value);
}

function formatDigits(value: number): string {
  const [mantissa, power] = value.toExponential().split("e") as [string, string];
  const digits = mantissa.replace(".", "");
  const exponent = Number(power);
  const zeros = exponent + 1 - digits.length;
  if (zeros >= 0 && Math.abs(exponent) < digits.length + ZEROS_MAX) return digits + "0".repeat(zeros);
  if (zeros < 0 && (-zeros <= DECIMALS_MAX || Math.abs(exponent) <= DECIMAL_EXPONENT_MAX)) {
    const padded = digits.padStart(1 - zeros, "0");
    return `${padded.slice(0, zeros)}.${padded.slice(zeros)}`;
  }
  return `${mantissa}e${power}`;
}

/** As C's "%.17g": seventeen digits, zeros at the end dropped. So ZSCAN shows the scores of a large sorted set. */
export function formatSeventeenDigits(value: number): string {
  if (!Number.isFinite(value) || value === 0) return formatDouble(value);
  const [mantissa, power] = value.toExponential(16).split("e") as [string, string];
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 17) return withoutZeros(value.toFixed(16 - exponent));
  const sign = exponent < 0 ? "-" : "+";
  return `${withoutZeros(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function withoutZeros(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}
