/** The request parser against its naive twin, for a few million inputs. SEED=… repeats a run. */
import { test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { fuzzOnce } from "../testing/request-fuzzing.ts";

const INPUTS = 2_000_000;
const seed = seedOfRun();

test(`${INPUTS} inputs are parsed as the naive twin parses them, seed ${seed}`, () => {
  const random = new Random(seed);
  for (let index = 0; index < INPUTS; index++) fuzzOnce(random);
});
