/** Damaged RDB files, at length: rdb-fuzz.test.ts has the short form. SEED=… repeats a run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { RdbFuzzer } from "../testing/rdb-fuzzing.ts";

const FILES = 100_000;
const seed = seedOfRun();

test(`${FILES} damaged RDB files are refused, or their keys are sound, seed ${seed}`, (context) => {
  const fuzzer = new RdbFuzzer(new Random(seed));
  for (let count = 0; count < FILES; count++) fuzzer.once();
  // Both are to be met often, and keys too.
  const { accepted, refused, keys } = fuzzer.counts;
  context.diagnostic(JSON.stringify(fuzzer.counts));
  assert.ok(accepted > FILES / 50 && refused > FILES / 3, `${accepted} were accepted, ${refused} refused`);
  assert.ok(keys > FILES / 2, `${keys} keys were loaded`);
});
