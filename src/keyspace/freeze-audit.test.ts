/** No write to a store's regions escapes the guard, whatever is done to its keys while a view is frozen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ENCODING_NAMES } from "../structures/collection.ts";
import { FreezeWriter } from "../testing/freeze-writer.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { STRING, TYPE_NAMES } from "./entry.ts";
import { FrozenKeyspace } from "./frozen-keyspace.ts";
import { Key } from "./key.ts";
import { Keyspace } from "./keyspace.ts";
import { digestOf } from "./live-digest.ts";
import { setInteger } from "./strings.ts";

const seed = seedOfRun();
const REGION_SIZE = 2 * 1024 * 1024;

const phase = fc.record({
  writes: fc.integer({ min: 0, max: 3000 }),
  removals: fc.constantFrom(0.05, 0.3, 0.97),
  upheavals: fc.constantFrom(0, 0.002),
  valueMax: fc.constantFrom(50, 2000, 40_000),
});
const store = fc.record({
  shards: fc.constantFrom(1, 4),
  names: fc.constantFrom(20, 1000, 4000),
  choice: fc.integer(),
  phases: fc.array(phase, { minLength: 1, maxLength: 6, size: "max" }),
});

/** Every way in which a collection can be stored. */
const ENCODINGS = [
  "hash hashtable",
  "hash listpack",
  "hash listpackex",
  "list listpack",
  "list quicklist",
  "set hashtable",
  "set intset",
  "set listpack",
  "zset listpack",
  "zset skiplist",
];

function countEncodings(keyspace: Keyspace, counts: Map<string, number>): void {
  for (const { dictionaries, entries } of keyspace.shards) {
    for (const dictionary of dictionaries) {
      dictionary.forEach((entry) => {
        const type = entries.type(entry);
        if (type === STRING) return;
        const name = `${TYPE_NAMES[type]} ${ENCODING_NAMES[entries.encoding(entry)]}`;
        counts.set(name, (counts.get(name) ?? 0) + 1);
      });
    }
  }
}

test("no write of any kind escapes the guard, and the frozen view is what was there", (context) => {
  context.diagnostic(`seed ${seed}`);
  const seen = { writes: 0, refusals: 0, copiedPages: 0 };
  const encodings = new Map<string, number>();
  const property = fc.property(store, ({ shards, names, choice, phases }) => {
    const keyspace = new Keyspace({ shards, regionSize: REGION_SIZE, databases: 3, seed: [choice, 1] });
    const writer = new FreezeWriter(keyspace, new Random(choice), names);
    for (const { writes, ...manner } of phases) {
      Object.assign(writer, manner);
      const digests = keyspace.databases.map(digestOf);
      const view = keyspace.freeze(true);
      for (let write = 0; write < writes; write++) writer.write();
      const frozen = new FrozenKeyspace(view.regions, view.databases);
      assert.deepEqual(
        frozen.databases.map((database) => database.digest()),
        digests,
      );
      const { aborted, copiedPages } = view.release();
      assert.equal(aborted, false);
      seen.copiedPages += copiedPages;
      keyspace.verify();
      countEncodings(keyspace, encodings);
    }
    seen.writes += writer.writes;
    seen.refusals += writer.refusals;
  });
  fc.assert(property, { seed, numRuns: 25 });
  context.diagnostic(JSON.stringify({ ...seen, ...Object.fromEntries(encodings) }));
  assert.deepEqual([...encodings.keys()].sort(), ENCODINGS);
  assert(seen.writes > 50_000 && seen.copiedPages > 1000);
});

test("a full store: refused writes escape no more than others, and the store goes on", () => {
  const keyspace = new Keyspace({ shards: 2, regionSize: 512 * 1024, databases: 3, seed: [seed, 2] });
  const writer = new FreezeWriter(keyspace, new Random(seed), 3000);
  writer.removals = 0.02;
  for (let freeze = 0; freeze < 10; freeze++) {
    const digests = keyspace.databases.map(digestOf);
    const view = keyspace.freeze(true);
    for (let write = 0; write < 2000; write++) writer.write();
    const frozen = new FrozenKeyspace(view.regions, view.databases);
    assert.deepEqual(
      frozen.databases.map((database) => database.digest()),
      digests,
    );
    view.release();
    keyspace.verify();
  }
  assert(writer.refusals > 1000, `only ${writer.refusals} writes were refused`);
  writer.removals = 1;
  while (keyspace.databases.some(({ count }) => count > 0)) writer.write();
  keyspace.verify();
});

test("the audit would find a write that escaped", () => {
  const keyspace = new Keyspace({ shards: 1, regionSize: REGION_SIZE, databases: 1 });
  const key = new Key(keyspace.databases[0]!);
  key.locate(keyspace.databases[0]!, Buffer.from("key"), 0, 3);
  setInteger(key, 1, -1);
  const { region } = key.shard;
  const unguarded = [
    () => {
      region.words[(key.entry + 8) >>> 2] = 2;
    },
    () => {
      region.guard = () => undefined;
      key.remove();
    },
  ];
  for (const write of unguarded) {
    const view = keyspace.freeze(true);
    write();
    assert.throws(() => view.release(), /escaped the guard/);
  }
});
