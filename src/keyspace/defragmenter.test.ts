/** The defragmenter while everything changes: testing/defragmenting.ts says how. At length: defragmenter.fuzz.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DefragmentingFigures, playDefragmented } from "../testing/defragmenting.ts";
import { seedOfRun } from "../testing/random.ts";

const seed = seedOfRun();
const DAYS = 4;
const MEBIBYTE = 2 ** 20;

/** @returns what has been moved, altogether and of one kind */
function sumOf({ moved }: DefragmentingFigures, kind = ""): number {
  let sum = 0;
  for (const [name, count] of moved) if (name.endsWith(kind)) sum += count;
  return sum;
}

test("whatever is written between its slices, nothing is lost or changed, as in a store without it", (context) => {
  const seen = new DefragmentingFigures();
  const circumstances = {
    shards: 1,
    regionSize: 32 * MEBIBYTE,
    names: 4000,
    hasTwin: true,
    policy: "volatile-ttl",
  } as const;
  playDefragmented(circumstances, seed, DAYS, seen);
  context.diagnostic(`seed ${seed}: ${JSON.stringify({ ...seen, moved: Object.fromEntries(seen.moved) })}`);
  assert.ok(seen.slices > 60 && sumOf(seen) > 100, "there was something to move, in many slices");
  assert.ok(sumOf(seen, "floating") > 0, "listpacks of queues were moved");
  assert.ok(seen.freed > 100, "values died in the background");
});

test("in a full region, where it is hurried, nothing is lost or changed", (context) => {
  const seen = new DefragmentingFigures();
  const circumstances = {
    shards: 1,
    regionSize: 4 * MEBIBYTE,
    names: 4000,
    hasTwin: false,
    policy: "noeviction",
  } as const;
  playDefragmented(circumstances, seed, DAYS, seen);
  context.diagnostic(`seed ${seed}: ${JSON.stringify({ ...seen, moved: Object.fromEntries(seen.moved) })}`);
  assert.ok(seen.slices > 60 && sumOf(seen) > 20, "there was something to move, in many slices");
  assert.ok(seen.refusals > 0, "the region was full");
});
