import assert from "node:assert/strict";
import { test } from "node:test";
import type { LatencyRun } from "./latency.ts";
import { judge } from "./latency-targets.ts";

function run(p999: number, max: number, done: number | null = null): LatencyRun {
  const probe = { answers: 1, p50: 0, p99: 0, p999, max, slow: 0, momentP999: 0 };
  return { probe, idle: probe, outcome: { done, command: null, perSecond: null } };
}

test("the medians over the rounds are held against fixed targets, each of them", () => {
  const target = { p999: 3, max: 15, done: 10 };
  const text = "p99.9 3 ms, max 15 ms, done 10 s";
  assert.deepEqual(judge(target, [run(2, 15, 9), run(3, 16, 10), run(9, 1, 99)], []), { target: text, reached: "yes" });
  assert.deepEqual(judge(target, [run(3.1, 15, 10.5)], []), { target: text, reached: "not p99.9 3 ms, done 10 s" });
  assert.equal(judge(target, [run(1, 1)], []).reached, "not done 10 s");
});

test("what is held against redis-server is held against its figures of the same rounds", () => {
  const redis = [run(2, 8), run(1, 20), run(3, 9)];
  assert.equal(judge({ asRedis: true }, [run(2, 9)], redis).reached, "yes");
  assert.equal(judge({ asRedis: true }, [run(2.1, 9.1)], redis).reached, "not p99.9 as redis, max as redis");
});
