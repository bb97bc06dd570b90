/** Loops that know their worst moment: throughput, and the longest that one operation or any 100 in a row took. */
import { worstPause } from "./statistics.ts";

export interface Pace {
  readonly perSecond: number;
  /** Milliseconds that the slowest 100 consecutive operations took. */
  readonly worstPause: number;
}

const STRIDE = 10; // a look at the clock each 10 operations costs little, and hides no run of 100
const WINDOW = 100;

/** Runs `operate(0)` to `operate(count - 1)` against the clock; `count` is at least 100. */
export function runPaced(count: number, operate: (i: number) => void): Pace {
  const stamps = new Float64Array(Math.floor(count / STRIDE) + 1);
  const rounded = (stamps.length - 1) * STRIDE;
  stamps.fill(performance.now()); // touches the pages, so that the loop does not
  for (let i = 0; i < rounded; i += 1) {
    if (i % STRIDE === 0) stamps[i / STRIDE] = performance.now();
    operate(i);
  }
  const end = performance.now();
  stamps[stamps.length - 1] = end;
  for (let i = rounded; i < count; i += 1) operate(i);
  return {
    perSecond: (rounded * 1_000) / (end - (stamps[0] as number)),
    worstPause: worstPause(stamps, WINDOW / STRIDE),
  };
}

export interface SinglePace {
  readonly perSecond: number;
  /** Milliseconds that the slowest single operation took. */
  readonly worstPause: number;
  /** Which one that was. */
  readonly worstAt: number;
  /** How many operations took more than a millisecond. */
  readonly slow: number;
}

const SLOW_MILLISECONDS = 1;

/** As `runPaced`, but with a look at the clock after each operation: throughput includes what that costs. */
export function runSingly(
  count: number,
  operate: (i: number) => void,
  clock: () => number = () => performance.now(),
): SinglePace {
  const start = clock();
  let [last, worstPause, worstAt, slow] = [start, 0, 0, 0];
  for (let i = 0; i < count; i += 1) {
    operate(i);
    const now = clock();
    const pause = now - last;
    last = now;
    if (pause > SLOW_MILLISECONDS) slow += 1;
    if (pause > worstPause) [worstPause, worstAt] = [pause, i];
  }
  return { perSecond: (count * 1_000) / (last - start), worstPause, worstAt, slow };
}
