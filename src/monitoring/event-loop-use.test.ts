import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { EventLoopUse } from "./event-loop-use.ts";

test("what is shown begins with the last reset, and rates are of late", () => {
  const counts = { turns: 1000, busyMs: 500 };
  const use = new EventLoopUse(() => ({ ...counts }));
  assert.equal(use.turns, 0, "what was before the store is not its");
  assert.equal(use.turnMs, 0);
  counts.turns += 7;
  assert.equal(use.turns, 7);
  use.reset();
  assert.equal(use.turns, 0);
  assert.equal(use.busyMs, 0);
  for (let clock = 100; clock <= 3000; clock += 100) {
    use.tick(clock);
    counts.turns += 50;
    counts.busyMs += 25;
  }
  assert.equal(use.turns, 50 * 30);
  assert.equal(use.busyMs, 25 * 30);
  assert.equal(use.turnsPerSecond, 500);
  assert.equal(use.turnMs, 0.5);
  use.reset();
  assert.equal(use.turnsPerSecond, 0);
});

test("where turns are not counted, there is no number of them, but a time", () => {
  let busyMs = 0;
  const use = new EventLoopUse(() => ({ turns: undefined, busyMs }));
  busyMs = 7;
  use.tick(100);
  assert.equal(use.turns, undefined);
  assert.equal(use.busyMs, 7);
  assert.equal(use.turnsPerSecond, 0);
});

test("the loop is busy while it works, not while it waits", async () => {
  await sleep(5);
  const use = new EventLoopUse();
  await sleep(100);
  const idle = use.busyMs;
  const turns = use.turns;
  for (const until = performance.now() + 100; performance.now() < until; );
  const worked = use.busyMs - idle;
  assert.ok(idle < 90, `${idle} ms of waiting`);
  assert.ok(worked >= 95, `${worked} ms of work`);
  if (turns !== undefined) assert.ok(turns > 0 && turns < 1000, `${turns} turns`);
});
