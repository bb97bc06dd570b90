/** Each call of the scenario fails in every way, with many power cuts; fault-injection.test.ts has the short form. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { callsOf, cutPowerAtEachCall, FAULTS, POLICIES, runWithFault } from "../testing/fault-scenario.ts";
import { Random, seedOfRun } from "../testing/random.ts";

const CRASHES = 10;
const seed = seedOfRun();

for (const policy of POLICIES) {
  for (const fault of FAULTS) {
    for (const lasts of [false, true]) {
      test(`each call: ${fault}${lasts ? " from then on" : ""}, appendfsync ${policy}`, async (t) => {
        const calls = await callsOf(policy);
        let faults = 0;
        for (let n = 1; n <= calls; n += 1) {
          const failing = { n, fault, lasts };
          const scenario = await runWithFault(policy, failing, new Random(seed, n), CRASHES, true).catch(
            (error: Error) => {
              throw new Error(`seed ${seed}, ${JSON.stringify(failing)}: ${error.message}`, { cause: error });
            },
          );
          faults += Number(scenario !== undefined);
        }
        t.diagnostic(`seed ${seed}: ${faults} of ${calls} calls`);
        assert(faults > 0, "no call failed: that is no check");
      });
    }
  }

  test(`power is lost at each call, appendfsync ${policy}`, async (t) => {
    const [cuts, highest] = await cutPowerAtEachCall(policy, new Random(seed), CRASHES);
    t.diagnostic(`seed ${seed}: ${cuts} cuts`);
    assert(cuts > 1000 && highest > 5);
  });
}
