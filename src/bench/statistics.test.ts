import assert from "node:assert/strict";
import { test } from "node:test";
import { median, worstPause } from "./statistics.ts";

test("the median is the middle value, or the mean of the two in the middle", () => {
  assert.equal(median([10, 9, 1]), 9);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]), RangeError);
});

test("the worst pause is taken over every window, not over adjoining ones", () => {
  const stamps = Float64Array.from([0, 1, 2, 7, 12, 13]);
  assert.equal(worstPause(stamps, 1), 5);
  assert.equal(worstPause(stamps, 2), 10);
  assert.throws(() => worstPause(stamps, 6), RangeError);
});
