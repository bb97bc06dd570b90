/** Amounts as people read them. */

/** Bytes in the largest unit that leaves a whole number before the point. */
export function inUnits(bytes: number): string {
  for (const [unit, name] of UNITS) {
    if (bytes >= unit) return `${Number((bytes / unit).toFixed(1))} ${name}`;
  }
  return `${bytes} bytes`;
}

const UNITS = [
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"],
] as const;
