/** Damaged RDB files, at length: rdb-fuzz.test.ts has the short form. SEED=… repeats a run. */
import { test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { RdbFuzzer } from "../testing/rdb-fuzzing.ts";

const FILES = 100_000;
const seed = seedOfRun();

test(`${FILES} damaged RDB files are refused, or their keys are sound, seed ${seed}`, () => {
  const fuzzer = new RdbFuzzer(new Random(seed));
  for (let count = 0; count < FILES; count++) fuzzer.once();
});
