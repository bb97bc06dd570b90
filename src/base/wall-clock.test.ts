import assert from "node:assert/strict";
import { test } from "node:test";
import { microsecondsNow } from "./wall-clock.ts";

test("it agrees with Date, and does not step back", () => {
  let before = 0;
  for (let round = 0; round < 1000; round++) {
    const earliest = Date.now();
    const now = microsecondsNow();
    assert.ok(Number.isInteger(now) && now >= before);
    assert.ok(now / 1000 >= earliest - 3 && now / 1000 <= Date.now() + 3);
    before = now;
  }
});

test("a changed time of day is believed", (context) => {
  const real = Date.now();
  context.mock.method(Date, "now", () => real + 3_600_000);
  microsecondsNow();
  assert.ok(Math.abs(microsecondsNow() / 1000 - (real + 3_600_000)) <= 100);
});
