/**
 * Sizes of memory as people write them: a whole number and a unit, "100mb".
 *
 *     (none) b  1            k  1,000     m  1,000,000     g  1,000,000,000
 *                            kb 1,024     mb 1,048,576     gb 1,073,741,824
 *
 * Units in either case; digits alone are bytes, and no digits at all count as 0, as in Redis. A size of 2^64 or more is
 * refused, where Redis would silently keep its lower 64 bits.
 */
const UNITS: Readonly<Record<string, bigint>> = {
  "": 1n,
  b: 1n,
  k: 1_000n,
  kb: 1n << 10n,
  m: 1_000_000n,
  mb: 1n << 20n,
  g: 1_000_000_000n,
  gb: 1n << 30n,
};
const LIMIT = 1n << 64n;

/** The size in bytes as an exact integer below 2^64, or undefined when `text` is no size. */
export function parseExactMemorySize(text: string): bigint | undefined {
  const parts = /^([0-9]{0,127})([a-z]{0,2})$/i.exec(text);
  const unit = parts === null ? undefined : UNITS[parts[2]!.toLowerCase()];
  if (parts === null || unit === undefined) return undefined;
  const size = BigInt(parts[1]!) * unit;
  return size < LIMIT ? size : undefined;
}

/** The size in bytes, or undefined when `text` is no size; above 2^53 rounded to what a number can hold. */
export function parseMemorySize(text: string): number | undefined {
  const size = parseExactMemorySize(text);
  return size === undefined ? undefined : Number(size);
}

/** The shortest way to write a number of bytes exactly, with binary units only: 1048576 is "1mb", 1000 is "1000". */
export function formatMemorySize(size: bigint): string {
  for (const unit of ["gb", "mb", "kb"]) {
    const scale = UNITS[unit]!;
    if (size !== 0n && size % scale === 0n) return `${size / scale}${unit}`;
  }
  return size.toString();
}
