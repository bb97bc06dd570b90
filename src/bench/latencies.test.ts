import assert from "node:assert/strict";
import { test } from "node:test";
import { summarize } from "./latencies.ts";
import { Random } from "./random.ts";

test("percentiles are taken of the sorted answers", () => {
  const times = Float64Array.from({ length: 10_000 }, (_, i) => ((i * 7_919) % 10_000) / 1_000); // 0 to 9.999, no order
  const { answers, p50, p99, p999, max, slow } = summarize(times, 1);
  assert.deepEqual(
    { answers, p50, p99, p999, max, slow },
    { answers: 10_000, p50: 5, p99: 9.9, p999: 9.99, max: 9.999, slow: 8_999 },
  );
  assert.equal(summarize(Float64Array.of(3), 3).p999, 3);
  assert.throws(() => summarize(new Float64Array(0), 1), RangeError);
});

test("a stall weighs as long as it lasts in the wait at any moment", () => {
  // 10,000 answers of 0.1 ms in ten seconds, and one of 1,000 ms: in a tenth of all moments the stall is going on.
  const times = new Float64Array(10_001).fill(0.1);
  times[5_000] = 1_000;
  const { p999, momentP999 } = summarize(times, 10_000);
  assert.equal(p999, 0.1);
  assert.equal(momentP999, 990);
});

test("the wait at any moment is what asking at random moments gives, pauses between the answers included", () => {
  const seed = 7;
  const random = new Random(seed);
  const times = Float64Array.from({ length: 2_000 }, () => (random.below(1_000) / 1_000) ** 8 * 20);
  const pause = 0.2;
  const ends: number[] = [];
  let total = 0;
  for (const time of times) {
    total += time;
    ends.push(total);
    total += pause;
  }
  const asked = 200_000;
  let next = 0;
  const waits = Float64Array.from({ length: asked }, (_, i) => {
    const moment = (total * (i + 0.5)) / asked;
    while ((ends[next] ?? Number.POSITIVE_INFINITY) < moment) next += 1;
    const end = ends[next] ?? 0;
    return moment < end - (times[next] ?? 0) ? 0 : Math.max(0, end - moment);
  }).sort();
  const expected = waits[Math.floor(asked * 0.999)] as number;
  assert.ok(expected > 1);
  assert.ok(Math.abs(summarize(times, total).momentP999 - expected) < 0.02, `seed ${seed}: ${expected}`);
});
