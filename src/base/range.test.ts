import assert from "node:assert/strict";
import { test } from "node:test";
import { isReversed, Range } from "./range.ts";

const CASES: readonly (readonly [
  start: number | bigint,
  end: number | bigint,
  total: number,
  positions: readonly number[],
])[] = [
  [0, -1, 5, [0, 1, 2, 3, 4]],
  [1, 3, 5, [1, 2, 3]],
  [-2, -1, 5, [3, 4]],
  [-100, 1, 5, [0, 1]],
  [3, 100, 5, [3, 4]],
  [3, 1, 5, []],
  [5, 9, 5, []],
  [0, 0, 0, []],
  [0, -1, 0, []],
  [-(2n ** 63n), 2n ** 63n - 1n, 3, [0, 1, 2]],
  [2n ** 63n - 1n, -(2n ** 63n), 3, []],
  [0, -100, 5, [0]],
];

test("ranges are brought into what is there", () => {
  const range = new Range();
  for (const [start, end, total, positions] of CASES) {
    range.clamp(start, end, total);
    const reached = range.isEmpty ? [] : Array.from({ length: range.length }, (_, index) => range.first + index);
    assert.deepEqual(reached, positions, `${start} to ${end} of ${total}`);
  }
});

test("a range reversed from the end is empty before anything is known of its whole", () => {
  assert.equal(isReversed(-1, -2), true);
  assert.equal(isReversed(-2, -1), false);
  assert.equal(isReversed(5, 1), false);
  assert.equal(isReversed(-1, -(2n ** 63n)), true);
});
