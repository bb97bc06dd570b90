/** What is told of the answers to one connection. */

/** Milliseconds, but for the counts. */
export interface Latencies {
  readonly answers: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Answers that took more than a millisecond. */
  readonly slow: number;
  /**
   * How long one who asks at any moment waits, at the most, in 99.9 % of all moments. A connection that asks again only
   * when it has been answered sees a stall of a second as one slow answer of thousands; this figure does not.
   */
  readonly momentP999: number;
}

const SLOW_MILLISECONDS = 1;
const RARE = 0.001;

/** Sorts `times`, the answers of a window of `elapsed` milliseconds, in place. Throws RangeError if there are none. */
export function summarize(times: Float64Array, elapsed: number): Latencies {
  if (times.length === 0) throw new RangeError("no answers");
  times.sort();
  const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))] as number;
  return {
    answers: times.length,
    p50: at(0.5),
    p99: at(0.99),
    p999: at(1 - RARE),
    max: times[times.length - 1] as number,
    slow: times.reduce((count, time) => count + (time > SLOW_MILLISECONDS ? 1 : 0), 0),
    momentP999: residual(times, elapsed * RARE),
  };
}

/**
 * The wait that is exceeded in so many milliseconds of all. During the first t - wait of an answer that takes t it is;
 * so it is the wait for which the sum of t - wait over all longer answers is `exceeded`. `times` ascend.
 */
function residual(times: Float64Array, exceeded: number): number {
  let sum = 0;
  for (let longer = 1; longer <= times.length; longer += 1) {
    sum += times[times.length - longer] as number;
    const wait = (sum - exceeded) / longer;
    if (wait >= (times[times.length - longer - 1] ?? 0)) return wait;
  }
  return 0;
}
