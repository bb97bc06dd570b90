import assert from "node:assert/strict";
import { test } from "node:test";
import { CLASS_COUNT, SPAN_SIZE } from "../memory/size-classes.ts";
import { churn, fragmentation } from "../testing/churn.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { Keyspace } from "./keyspace.ts";
import { digestOf } from "./live-digest.ts";

/**
 * What docs/memory.md states: with the defragmenter, pages in use are at most so many times the data, and a span for
 * each size class besides. Nodes of large collections stay where they are.
 */
const RATIO_MAX = { strings: 1.15, "values of all types": 1.45 };

function open(): Keyspace {
  const keyspace = new Keyspace({ shards: 1, regionSize: 128 * 2 ** 20, databases: 2 });
  keyspace.defragmenter.settings.ignoreBytes = 2 ** 18;
  return keyspace;
}

for (const kinds of ["strings", "values of all types"] as const) {
  test(`a week of changing sizes, compressed: ${kinds} end in as many pages as they need, unharmed`, (context) => {
    const seed = seedOfRun();
    context.diagnostic(`seed ${seed}`);
    const keyspace = open();
    const { defragmenter } = keyspace;
    defragmenter.settings.isOn = false;
    let worst = 0;
    const random = new Random(seed);
    const withCollections = kinds !== "strings";
    churn(keyspace, { random, level: 12 * 2 ** 20, turnover: 1, withCollections, rest: () => undefined }, () => {
      worst = Math.max(worst, fragmentation(keyspace));
    });
    assert.ok(worst > 2, `${worst}: the history fragments memory, or the test shows nothing`);
    const before = {
      digest: digestOf(keyspace.databases[0]!),
      used: keyspace.usedBytes,
      ratio: fragmentation(keyspace),
    };
    defragmenter.settings.isOn = true;
    settle(keyspace);
    keyspace.verify();
    assert.equal(digestOf(keyspace.databases[0]!), before.digest);
    assert.equal(keyspace.usedBytes, before.used);
    const after = fragmentation(keyspace);
    context.diagnostic(`worst ${worst}, before ${before.ratio}, after ${after}, moved ${defragmenter.hits}`);
    const active = after * keyspace.figures().usedBytes - CLASS_COUNT * SPAN_SIZE;
    assert.ok(active < RATIO_MAX[kinds] * before.used, `${after} after ${before.ratio}`);
    assert.equal(defragmenter.running, 0, "there is nothing more to do");
    assert.ok(defragmenter.totalMs > 0 && defragmenter.currentMs === 0);
  });
}

/** Lets the defragmenter work until it has nothing to do, with time passing faster for it than it does. */
function settle({ defragmenter }: Keyspace): void {
  defragmenter.settings.cycleMin = 99;
  defragmenter.settings.cycleMax = 99;
  do defragmenter.work(5);
  while (defragmenter.running > 0);
}
