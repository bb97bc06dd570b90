import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyMaker, makeValues } from "./data.ts";
import { Random } from "./random.ts";

test("keys are four characters and twelve digits", () => {
  const keys = new KeyMaker();
  for (const number of [0, 7, 9_999, 10_000, 123_456_789, 999_999_999_999]) {
    assert.equal(keys.key(number), `key:${String(number).padStart(12, "0")}`);
  }
  assert.equal(new KeyMaker("ctr:").key(1), "ctr:000000000001");
});

test("values repeat with their seed and keep to their lengths", () => {
  const values = makeValues(100, 16, 64, new Random(1));
  assert.deepEqual(values, makeValues(100, 16, 64, new Random(1)));
  assert.notDeepEqual(values, makeValues(100, 16, 64, new Random(2)));
  assert.ok(values.every(({ length }) => length >= 16 && length <= 64));
});
