/** Whether the probe's answers were as quick as they are to be. */
import type { LatencyRun } from "./latency.ts";
import type { Target } from "./latency-cases.ts";
import { median } from "./statistics.ts";

/** One thing asked for: what was measured, and what it may be at the most. */
interface Demand {
  readonly text: string;
  readonly measured: number;
  readonly most: number;
}

function demands(target: Target, ours: readonly LatencyRun[], redis: readonly LatencyRun[]): Demand[] {
  const of = (runs: readonly LatencyRun[], figure: "p999" | "max"): number =>
    median(runs.map(({ probe }) => probe[figure]));
  const asked: Demand[] = [];
  for (const [figure, name] of [["p999", "p99.9"] as const, ["max", "max"] as const]) {
    const most = target[figure];
    if (most !== undefined) asked.push({ text: `${name} ${most} ms`, measured: of(ours, figure), most });
    if (target.asRedis) {
      asked.push({ text: `${name} as redis`, measured: of(ours, figure), most: of(redis, figure) });
    }
  }
  if (target.done !== undefined) {
    const measured = median(ours.map(({ outcome }) => outcome.done ?? Number.POSITIVE_INFINITY));
    asked.push({ text: `done ${target.done} s`, measured, most: target.done });
  }
  return asked;
}

/** The target in words, and which parts of it the medians over the rounds miss. */
export function judge(
  target: Target,
  ours: readonly LatencyRun[],
  redis: readonly LatencyRun[],
): { readonly target: string; readonly reached: string } {
  const asked = demands(target, ours, redis);
  const missed = asked.filter(({ measured, most }) => !(measured <= most));
  return {
    target: asked.map(({ text }) => text).join(", "),
    reached: missed.length === 0 ? "yes" : `not ${missed.map(({ text }) => text).join(", ")}`,
  };
}
