/** RESTORE of damaged payloads, at length: dump-fuzz.test.ts has the short form. SEED=… repeats a run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { RestoreFuzzer } from "../testing/restore-fuzzing.ts";

const PAYLOADS = 200_000;
const seed = seedOfRun();

test(`${PAYLOADS} damaged payloads are refused or become sound keys, seed ${seed}`, (context) => {
  const fuzzer = new RestoreFuzzer(new Random(seed));
  let restored = 0;
  for (let count = 0; count < PAYLOADS; count++) if (fuzzer.once()) restored += 1;
  fuzzer.end();
  context.diagnostic(`${restored} became keys`);
  // Both are to be met often.
  assert.ok(restored > PAYLOADS / 10 && restored < (PAYLOADS * 9) / 10, `${restored} payloads became keys`);
});
