/**
 * The freeze stress at length, over many stores: freeze-stress.test.ts has the short form, and proves that it can fail.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type StressOptions, stressFreezes } from "../testing/freeze-stress.ts";
import { seedOfRun } from "../testing/random.ts";

const ROUNDS = 5;
const firstSeed = seedOfRun();

const VARIANTS: Record<string, Omit<StressOptions, "seed">> = {
  "large tables": { freezes: 200, writesPerFreeze: 50_000, walks: 2, names: 40_000, upheavals: 0.000_005 },
  "small tables": { freezes: 1000, writesPerFreeze: 5000, walks: 2, names: 300, upheavals: 0.0001 },
  collections: { freezes: 200, writesPerFreeze: 20_000, walks: 2, collectionEvery: 1, upheavals: 0.000_01 },
  "few collections": { freezes: 300, writesPerFreeze: 5000, walks: 2, names: 300, collectionEvery: 1 },
  "collections, with pauses": {
    freezes: 100,
    writesPerFreeze: 1000,
    names: 300,
    collectionEvery: 2,
    ownerPauses: 0.5,
    readerPauses: 0.1,
  },
  "sixteen shards": { freezes: 200, writesPerFreeze: 20_000, shards: 16, upheavals: 0.0001 },
  "pauses on both sides": { freezes: 300, writesPerFreeze: 1000, names: 500, ownerPauses: 0.5, readerPauses: 0.1 },
  "pauses of the owner": { freezes: 300, writesPerFreeze: 1000, names: 500, ownerPauses: 1 },
  "pauses of the reader": { freezes: 100, writesPerFreeze: 5000, names: 2000, readerPauses: 0.2 },
};

for (let round = 0; round < ROUNDS; round++) {
  for (const [name, options] of Object.entries(VARIANTS)) {
    const seed = firstSeed + round;
    test(`${name}, seed ${seed}`, async (context) => {
      const figures = await stressFreezes({ seed, ...options });
      context.diagnostic(JSON.stringify(figures));
      assert.equal(figures.wrong + figures.lost + figures.aborted, 0);
      assert.equal(figures.walks, options.freezes * (options.walks ?? 1));
    });
  }
}
