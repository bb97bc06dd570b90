/**
 * Histogram of durations: four buckets to a power of two, so that a percentile is right to a fifth, in 512 bytes.
 */
const BUCKETS = 128;
/** Buckets begin at a quarter of a microsecond. */
const UNIT = 4;
/** Nine minutes, in units: what takes longer is counted as this. */
const LARGEST = 2 ** 31 - 1;

export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(microseconds: number): void {
    const scaled = Math.min(LARGEST, Math.max(1, microseconds * UNIT)) | 0;
    const power = 31 - Math.clz32(scaled);
    const quarter = power < 2 ? 0 : (scaled >>> (power - 2)) & 3;
    this.#counts[power * 4 + quarter]! += 1;
    this.#total += 1;
  }

  /** @param fraction 0 … 1. @returns microseconds that so many of the durations did not exceed; 0 of none */
  percentile(fraction: number): number {
    let rest = this.#total * fraction;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      rest -= this.#counts[bucket]!;
      if (rest <= 0 && this.#counts[bucket]! > 0) return upperBound(bucket);
    }
    return 0;
  }

  /** Durations of at most `microseconds`, as far as the buckets tell. */
  countUpTo(microseconds: number): number {
    let count = 0;
    for (let bucket = 0; bucket < BUCKETS && upperBound(bucket) <= microseconds; bucket++) {
      count += this.#counts[bucket]!;
    }
    return count;
  }
}

/** Microseconds at which a bucket ends. */
function upperBound(bucket: number): number {
  const power = bucket >>> 2;
  const base = 2 ** power;
  return (base + ((bucket & 3) + 1) * (base / 4)) / UNIT;
}
