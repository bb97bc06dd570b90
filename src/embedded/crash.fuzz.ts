/** Programs with an embedded store, killed hundreds of times; crash.test.ts has the short form. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { killAgainAndAgain } from "../testing/embedded-crash.ts";
import { Random, seedOfRun } from "../testing/random.ts";

const RESTARTS = 20;
const DIRECTORIES = 5;
const firstSeed = seedOfRun();

for (const fsync of ["always", "everysec", "no"]) {
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    const seed = firstSeed + directory;
    test(`killed and opened again ${RESTARTS} times, fsync ${fsync}, seed ${seed}`, async (t) => {
      const promised = await killAgainAndAgain(fsync, RESTARTS, new Random(seed, fsync.length));
      t.diagnostic(`${promised} steps`);
      assert(promised > RESTARTS * 10, `only ${promised} steps were promised: that is no check`);
    });
  }
}
