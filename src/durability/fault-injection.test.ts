/**
 * A disk of which every single call of a scenario fails in turn, or loses power at it: testing/fault-scenario.ts. Here
 * each call fails in one of the ways there are; in all of them: fault-injection.fuzz.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { callsOf, cutPowerAtEachCall, FAULTS, POLICIES, runWithFault } from "../testing/fault-scenario.ts";
import { Random, seedOfRun } from "../testing/random.ts";

const seed = seedOfRun();
const WAYS = FAULTS.flatMap((fault) => [
  { fault, lasts: false },
  { fault, lasts: true },
]);

for (const policy of POLICIES) {
  test(`each call of a scenario fails, appendfsync ${policy}: what was acknowledged is there afterwards`, async (t) => {
    const calls = await callsOf(policy);
    const seen = { faults: 0, refused: 0, held: 0, startsFailed: 0 };
    for (let n = 1; n <= calls; n += 1) {
      const failing = { n, ...WAYS[(n + seed) % WAYS.length]! };
      const scenario = await runWithFault(policy, failing, new Random(seed, n), n % 2, n % 2 === 0).catch(
        (error: Error) => {
          throw new Error(`seed ${seed}, ${JSON.stringify(failing)}: ${error.message}`, { cause: error });
        },
      );
      seen.faults += Number(scenario !== undefined);
      seen.refused += scenario?.promises.refused ?? 0;
      seen.held += scenario?.promises.held ?? 0;
      seen.startsFailed += scenario?.startsFailed ?? 0;
    }
    t.diagnostic(`seed ${seed}, ${calls} calls: ${JSON.stringify(seen)}`);
    assert(seen.faults > calls / 3, "hardly a call failed");
    assert(seen.refused > 0 && seen.startsFailed > 0, "no error was ever seen by anybody");
  });

  test(`power is lost at each call, appendfsync ${policy}`, async (t) => {
    const [cuts, highest] = await cutPowerAtEachCall(policy, new Random(seed), 1).catch((error: Error) => {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
    });
    t.diagnostic(`seed ${seed}: ${cuts} cuts`);
    assert(cuts > 100 && highest > 5, "nothing was promised: that is no check");
  });
}
