import assert from "node:assert/strict";
import { test } from "node:test";
import { runSingly } from "./paced.ts";

test("the slowest single operation is known by its length and its number", () => {
  const lengths = [0.5, 0.25, 1.5, 0.25, 4, 0.5];
  let now = 100;
  const operate = (i: number): void => {
    now += lengths[i] as number;
  };
  const pace = runSingly(lengths.length, operate, () => now);
  assert.deepEqual(pace, { perSecond: 6_000 / 7, worstPause: 4, worstAt: 4, slow: 2 });
});
