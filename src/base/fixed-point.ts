/** Numbers in decimal with a fixed count of digits behind the point, as C's printf writes them ("%.6f"). */

/** From here on JavaScript writes an exponent. */
const EXPONENT_MIN = 1e21;

/** Rounded to the nearest, ties to even. @param digits behind the point, 1 to 17 */
export function formatFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  if (Math.abs(value) >= EXPONENT_MIN) return `${BigInt(value)}.${"0".repeat(digits)}`;
  const text = value.toFixed(digits);
  const signed = Object.is(value, -0) ? `-${text}` : text;
  // JavaScript rounds the other way only where a number is exactly between two.
  const isTie = Math.abs(value * 2 ** (digits + 1)) % 2 === 1;
  return isTie ? toEven(signed) : signed;
}

/** The same, without zeros at the end, nor a point that nothing follows; never "-0". */
export function formatFixedShort(value: number, digits: number): string {
  const text = formatFixed(value, digits);
  if (!text.includes(".")) return text;
  const short = text.replace(/\.?0+$/, "");
  return short === "-0" ? "0" : short;
}

/** A number that has been rounded away from zero in a tie: the last digit again, if it is odd, one less. */
function toEven(text: string): string {
  const last = Number(text.at(-1));
  return last % 2 === 0 ? text : `${text.slice(0, -1)}${last - 1}`;
}
