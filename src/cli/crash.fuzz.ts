/** A thousand crashes; crash.test.ts has the short form, and proves that it can fail. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CRASH_KINDS } from "../testing/crash-operations.ts";
import { assertPressed, crashRounds } from "../testing/crash-rounds.ts";
import { seedOfRun } from "../testing/random.ts";

const ROUNDS = 1000;
/** Each has a seed of its own, which is printed, so that a failure can be run again soon. */
const ROUNDS_AT_ONCE = 100;
const firstSeed = seedOfRun();

for (let part = 0; part < ROUNDS / ROUNDS_AT_ONCE; part++) {
  const seed = firstSeed + part;
  test(`${ROUNDS_AT_ONCE} crashes, seed ${seed}`, async (context) => {
    const figures = await crashRounds(seed, ROUNDS_AT_ONCE);
    context.diagnostic(JSON.stringify(figures));
    assert.equal(figures.rounds, ROUNDS_AT_ONCE);
    for (const kind of CRASH_KINDS) assert(figures.found[kind] > 0, `no ${kind} was ever checked`);
    assertPressed(figures);
    assert(Object.values(figures.killedWhile).every((count) => count > 0) && figures.killedLoading > 0);
  });
}
