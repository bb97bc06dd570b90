/**
 * The week of fragmentation.test.ts at length: more data, every byte of it replaced many times, and the defragmenter
 * works all the while, as in a store; the figures at the end of each day are shown.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { churn, fragmentation } from "../testing/churn.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { Keyspace } from "./keyspace.ts";

const LEVEL = 256 * 2 ** 20;
const TURNOVER = 8;
/** At the end of any day, the defragmenter having at most a quarter of the time, and a day being some seconds. */
const RATIO_MAX = 1.7;

const seed = seedOfRun();

for (const withCollections of [false, true]) {
  test(`fragmentation over a week, ${withCollections ? "all types" : "strings"}, seed ${seed}`, (context) => {
    const keyspace = new Keyspace({ shards: 1, regionSize: 1536 * 2 ** 20, databases: 1 });
    keyspace.defragmenter.settings.ignoreBytes = LEVEL / 32;
    const rest = (): void => {
      keyspace.tick();
      keyspace.defragmenter.work(1);
    };
    const random = new Random(seed);
    churn(keyspace, { random, level: LEVEL, turnover: TURNOVER, withCollections, rest }, (day) => {
      const { usedBytes, activeBytes, touchedBytes } = keyspace.figures();
      const { hits, misses } = keyspace.defragmenter;
      context.diagnostic(JSON.stringify({ day, usedBytes, activeBytes, touchedBytes, hits, misses }));
      assert.ok(fragmentation(keyspace) < RATIO_MAX, `day ${day}: ${fragmentation(keyspace)}`);
    });
    keyspace.verify();
  });
}
