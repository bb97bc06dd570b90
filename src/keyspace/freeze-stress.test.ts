/**
 * A frozen view is what was there at the freeze, whatever the owner writes meanwhile. Longer: freeze-stress.fuzz.ts.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stressFreezes } from "../testing/freeze-stress.ts";
import { seedOfRun } from "../testing/random.ts";

const seed = seedOfRun();

/** A small store, and both sides so slow that its pages are written first throughout a walk. */
const PAUSED = { freezes: 40, writesPerFreeze: 1000, names: 500, ownerPauses: 0.5, readerPauses: 0.1 };

/** A store of collections for the most part. */
const COLLECTIONS = { freezes: 30, writesPerFreeze: 10_000, names: 3000, collectionEvery: 2, upheavals: 0.000_02 };

test("walks of a frozen view find what was there at the freeze, while the table grows and shrinks", async (context) => {
  const figures = await stressFreezes({ seed, freezes: 200, writesPerFreeze: 50_000, walks: 2, upheavals: 0.000_005 });
  context.diagnostic(`seed ${seed}: ${JSON.stringify(figures)}`);
  assert.equal(figures.wrong + figures.lost + figures.aborted, 0);
  assert.equal(figures.walks, 400);
  assert(figures.frozenWrites >= 10_000_000 && figures.copiedPages > 0 && figures.walkedKeys > 400_000);
  assert(figures.mostKeys > 5 * figures.fewestKeys, "the tables grew and shrank");
});

test("walks of collections find what was there, while they grow, shrink and are converted", async (context) => {
  const figures = await stressFreezes({ seed, ...COLLECTIONS });
  context.diagnostic(`seed ${seed}: ${JSON.stringify(figures)}`);
  assert.equal(figures.wrong + figures.lost + figures.aborted, 0);
  assert.equal(figures.walks, COLLECTIONS.freezes);
  assert(figures.frozenWrites >= 300_000 && figures.copiedPages > 10_000);
});

test("four shards are frozen at one and the same instant", async (context) => {
  const figures = await stressFreezes({ seed, freezes: 20, writesPerFreeze: 30_000, shards: 4, upheavals: 0.0001 });
  context.diagnostic(`seed ${seed}: ${JSON.stringify(figures)}`);
  assert.equal(figures.wrong + figures.lost + figures.aborted, 0);
  assert.equal(figures.walks, 20);
});

test("pauses between the two steps on either side break nothing", async (context) => {
  const figures = await stressFreezes({ seed, ...PAUSED });
  context.diagnostic(`seed ${seed}: ${JSON.stringify(figures)}`);
  assert.equal(figures.wrong + figures.lost + figures.aborted, 0);
  assert.equal(figures.walks, PAUSED.freezes);
});

/** A store of collections of which many die, by a background thread that marks and links meanwhile. */
const LAZY = { ...COLLECTIONS, freezes: 10, lazyFree: true, readerPauses: 0.01 };

for (const shards of [1, 2]) {
  test(`blocks that a background thread links are none of the view's, ${shards} shards`, async (context) => {
    const figures = await stressFreezes({ seed, ...LAZY, shards });
    context.diagnostic(`seed ${seed}: ${JSON.stringify(figures)}`);
    assert.equal(figures.wrong + figures.lost + figures.aborted, 0);
    assert.equal(figures.walks, LAZY.freezes);
    assert(figures.freed > 1000 && figures.freed > figures.freedInline, "the thread freed little");
  });
}

test("the same would find links in blocks of values that died while the view was frozen", async (context) => {
  const figures = await stressFreezes({ seed, ...LAZY, freezes: 200, carelessFree: true });
  context.diagnostic(`seed ${seed}: ${JSON.stringify(figures)}`);
  assert(figures.wrong > 0, "this test would not find such links");
});

for (const careless of ["carelessReader", "carelessOwner"] as const) {
  test(`the same pauses find out a wrong order: ${careless}`, async (context) => {
    const figures = await stressFreezes({ seed, ...PAUSED, freezes: 400, [careless]: true });
    context.diagnostic(`seed ${seed}: ${JSON.stringify(figures)}`);
    assert(figures.wrong > 0, "this test would not find a wrong order");
  });
}

test("when the shadow area is full the view is given up and the writer goes on", async (context) => {
  const figures = await stressFreezes({ seed, freezes: 5, writesPerFreeze: 20_000, shadowLimit: 400 * 1024, walks: 3 });
  context.diagnostic(`seed ${seed}: ${JSON.stringify(figures)}`);
  assert.equal(figures.wrong, 0);
  assert(figures.aborted > 0 && figures.writes > 80_000);
});
