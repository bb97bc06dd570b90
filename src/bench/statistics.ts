/** The few statistics that the benchmarks report. */

/** The middle value; of an even count, the mean of the two in the middle. Throws RangeError if there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values to take the median of");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The longest time between a stamp and the one `distance` later, in the unit of the stamps. */
export function worstPause(stamps: Float64Array, distance: number): number {
  if (stamps.length <= distance) throw new RangeError("fewer stamps than one window needs");
  let worst = 0;
  for (let i = distance; i < stamps.length; i += 1) {
    worst = Math.max(worst, (stamps[i] as number) - (stamps[i - distance] as number));
  }
  return worst;
}
