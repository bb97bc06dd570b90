/** A program with an embedded store is killed at random moments: what durable() has promised is there afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { killAgainAndAgain } from "../testing/embedded-crash.ts";
import { type StepState, stepsOf } from "../testing/embedded-steps.ts";
import { Random, seedOfRun } from "../testing/random.ts";

const RESTARTS = 4;
const seed = seedOfRun();

for (const fsync of ["always", "everysec", "no"]) {
  test(`killed and opened again ${RESTARTS} times, fsync ${fsync}; at length: crash.fuzz.ts`, async (t) => {
    t.diagnostic(`seed ${seed}`);
    const promised = await killAgainAndAgain(fsync, RESTARTS, new Random(seed, fsync.length));
    assert(promised > RESTARTS * 10, `only ${promised} steps were promised: that is no check`);
  });
}

test("what is lost, twice or half there is the state after no number of steps", () => {
  const state = (change: Partial<StepState>): StepState => ({
    counter: 2,
    float: 0.5,
    items: [3, 10, 11],
    moved: [2],
    pair: [14, 14],
    value: 15,
    lasting: 15,
    ...change,
  });
  const none = (change: Partial<StepState>): void => assert.equal(stepsOf(state(change), 0, 100), undefined);
  assert.equal(stepsOf(state({ moved: [2, 3], items: [10, 11] }), 0, 100), 16);
  assert.equal(stepsOf(state({ moved: [2, 3], items: [10, 11] }), 17, 100), undefined);
  none({ moved: [2, 3] });
  none({ moved: [2, 3], items: [10, 11], counter: 3 });
  none({ moved: [2, 3], items: [10, 11], pair: [14, 6] });
  none({ moved: [2, 3], items: [10, 11, 11] });
  none({ moved: [2, 3], items: [10, 11], lasting: 0 });
});
