/** The histories of defragmenter.test.ts at length: every kind of block is moved, by any policy, in several shards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EvictionPolicy } from "../config/eviction-policies.ts";
import { DefragmentingFigures, playDefragmented } from "../testing/defragmenting.ts";
import { seedOfRun } from "../testing/random.ts";

const HISTORIES = 40;
const DAYS = 12;
const MEBIBYTE = 2 ** 20;
/** All that the defragmenter moves. */
const KINDS = [
  "entry",
  "entry, timed",
  "hash listpack",
  "hash listpackex",
  "list listpack",
  "list listpack, floating",
  "set intset",
  "set listpack",
  "string",
  "zset listpack",
];
const POLICIES: readonly EvictionPolicy[] = ["volatile-ttl", "allkeys-lru", "volatile-random", "noeviction"];

const firstSeed = seedOfRun();

for (const kind of ["with room", "in full regions"] as const) {
  test(`${HISTORIES} histories ${kind}, from seed ${firstSeed}`, (context) => {
    const seen = new DefragmentingFigures();
    for (let number = 0; number < HISTORIES; number++) {
      const shards = [1, 2][number % 2]!;
      const policy = POLICIES[(number >>> 1) % POLICIES.length]!;
      const regionSize = (kind === "with room" ? 32 : 4) * MEBIBYTE;
      const circumstances = { shards, regionSize, names: 4000 * shards, hasTwin: kind === "with room", policy };
      try {
        playDefragmented(circumstances, firstSeed + number, DAYS, seen);
      } catch (error) {
        throw new Error(`seed ${firstSeed + number}, ${JSON.stringify(circumstances)}`, { cause: error });
      }
    }
    context.diagnostic(JSON.stringify({ ...seen, moved: Object.fromEntries(seen.moved) }));
    const moved = [...seen.moved.keys()].sort();
    // In a full region hardly two spans serve one of the larger sizes.
    if (kind === "with room") assert.deepEqual(moved, KINDS);
    else assert.ok(moved.includes("list listpack, floating") && moved.length > 5, `only ${moved}`);
    assert.ok(seen.views > 0 && seen.expired > 0 && seen.freed > 0 && seen.evicted > 0 && seen.walks > 0);
    assert.ok(kind === "with room" || seen.refusals > 0, "no region was full");
  });
}
