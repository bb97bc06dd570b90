/**
 * EventLoopUse: how often this thread's event loop has gone round, and for how long it did not wait, for INFO. Node.js
 * counts both; a store in somebody's program shares the loop with it, and what that does counts, too.
 */
import { performance } from "node:perf_hooks";
import { Rate } from "./rate.ts";

/** What has been counted since the loop began; `turns` is undefined where Node.js does not tell (before 20.18). */
export interface EventLoopCounts {
  readonly turns: number | undefined;
  readonly busyMs: number;
}

export class EventLoopUse {
  readonly #read: () => EventLoopCounts;
  readonly #turnRate = new Rate();
  readonly #busyRate = new Rate();
  /** What had been counted when the statistics began. */
  #before: EventLoopCounts;

  constructor(read: () => EventLoopCounts = readCounts) {
    this.#read = read;
    this.#before = read();
  }

  /** Turns of the loop; undefined where they cannot be told. */
  get turns(): number | undefined {
    const { turns } = this.#read();
    return turns === undefined ? undefined : turns - (this.#before.turns ?? 0);
  }

  /** Milliseconds in which the loop has not waited for something to happen. */
  get busyMs(): number {
    return this.#read().busyMs - this.#before.busyMs;
  }

  /** Of late. */
  get turnsPerSecond(): number {
    return this.#turnRate.perSecond;
  }

  /** Milliseconds that a turn has taken of late, on the average, beside waiting. */
  get turnMs(): number {
    const { turnsPerSecond } = this;
    return turnsPerSecond === 0 ? 0 : this.#busyRate.perSecond / turnsPerSecond;
  }

  /** Samples the rates, about ten times a second. @param clockMs milliseconds of a clock that never steps back */
  tick(clockMs: number): void {
    const { turns = 0, busyMs } = this.#read();
    this.#turnRate.sample(turns - (this.#before.turns ?? 0), clockMs);
    this.#busyRate.sample(busyMs - this.#before.busyMs, clockMs);
  }

  /** Begins anew. */
  reset(): void {
    this.#before = this.#read();
    this.#turnRate.reset();
    this.#busyRate.reset();
  }
}

function readCounts(): EventLoopCounts {
  const { uvMetricsInfo } = performance.nodeTiming as { readonly uvMetricsInfo?: { readonly loopCount: number } };
  return { turns: uvMetricsInfo?.loopCount, busyMs: performance.eventLoopUtilization().active };
}
