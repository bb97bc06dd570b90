/** RESTORE of damaged payloads, at length: dump-fuzz.test.ts has the short form. SEED=… repeats a run. */
import { test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { RestoreFuzzer } from "../testing/restore-fuzzing.ts";

const PAYLOADS = 200_000;
const seed = seedOfRun();

test(`${PAYLOADS} damaged payloads are refused or become sound keys, seed ${seed}`, () => {
  const fuzzer = new RestoreFuzzer(new Random(seed));
  for (let count = 0; count < PAYLOADS; count++) fuzzer.once();
  fuzzer.end();
});
