/**
 * The short form of the differential tests: each family in both protocols. The long one is long.ts.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { seedOfRun } from "../testing/random.ts";
import { families, run, startPair } from "./run.ts";
import type { Pair } from "./session.ts";

const COMMANDS = 20_000;
const seed = seedOfRun();

describe(`the same replies as redis-server, seed ${seed}`, () => {
  let pair: Pair & { stop(): Promise<void> };
  before(async () => {
    pair = await startPair();
  });
  after(() => pair?.stop());

  for (const family of families) {
    for (const protocol of [2, 3] as const) {
      test(`${family.name}, RESP${protocol}`, async () => {
        const { commandCount, mismatches } = await run(pair, { family, protocol, seed, commands: COMMANDS });
        assert.deepEqual(mismatches.join("\n\n"), "");
        assert.ok(commandCount >= COMMANDS, `only ${commandCount} commands were compared`);
      });
    }
  }
});
