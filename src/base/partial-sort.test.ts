import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sortPartially } from "./partial-sort.ts";

function sorted(keys: readonly number[], first: number, last: number): number[] {
  const indices = Int32Array.from(keys.keys());
  sortPartially(indices, (left, right) => keys[left]! - keys[right]!, first, last);
  return [...indices];
}

test("what is wanted stands where it would if all were sorted", () => {
  const keys = fc.oneof(
    fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 120 }),
    fc.array(fc.nat(), { minLength: 1, maxLength: 120 }),
  );
  const property = fc.property(keys, fc.nat(), fc.nat(), (given, one, other) => {
    const [a, b] = [one % given.length, other % given.length];
    const [first, last] = [Math.min(a, b), Math.max(a, b)];
    const indices = sorted(given, first, last);
    const all = given.toSorted((left, right) => left - right);
    assert.deepEqual(
      indices.slice(first, last + 1).map((index) => given[index]),
      all.slice(first, last + 1),
    );
    assert.deepEqual(
      indices.toSorted((left, right) => left - right),
      [...given.keys()],
    );
  });
  fc.assert(property, { numRuns: 1000 });
});

test("equal elements are exchanged as Redis does it", () => {
  assert.deepEqual(sorted([2, 1, 2, 1, 2, 1, 0, 0, 1, 2, 0, 1], 0, 4), [7, 10, 6, 5, 11, 1, 3, 8, 0, 9, 2, 4]);
  const keys = Array.from({ length: 60 }, (_, index) => (index * 7) % 5);
  assert.deepEqual(
    sorted(keys, 10, 20).slice(0, 24),
    [30, 35, 50, 15, 5, 55, 20, 40, 0, 45, 10, 25, 18, 48, 38, 8, 43, 13, 3, 53, 23, 28, 33, 58],
  );
});
