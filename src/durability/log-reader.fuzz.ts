/** The long form of the test of damaged logs in log-reader.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mutateLogs } from "../testing/log-fuzzing.ts";
import { Random, seedOfRun } from "../testing/random.ts";

const ROUNDS = 100_000;
const seed = seedOfRun();

test(`${ROUNDS} damaged logs`, (context) => {
  const outcome = mutateLogs(new Random(seed), ROUNDS);
  context.diagnostic(`seed ${seed}: ${JSON.stringify(outcome)}`);
  assert.ok(outcome.damaged > ROUNDS / 5 && outcome.torn > ROUNDS / 20, JSON.stringify(outcome));
});
