import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Configuration } from "../config/configuration.ts";
import { type CollectionLimits, defaultLimits, LIMIT_DIRECTIVES } from "../keyspace/collection-limits.ts";
import { until } from "../testing/sockets.ts";
import { Store } from "./store.ts";

const SMALL = { shards: 1, regionSize: 2 ** 20 };

test("the limits of small encodings are what the configuration says, from the start and when it changes", async () => {
  const configuration = new Configuration();
  configuration.initialize("hash-max-ziplist-entries", ["7"]);
  configuration.initialize("list-max-listpack-size", ["-4"]);
  const store = new Store(configuration, Date.now, SMALL);
  const { limits } = store.keyspace;
  assert.deepEqual(limits, { ...defaultLimits(), hashEntries: 7, listSize: -4 });
  let value = 100;
  for (const [limit, directive] of Object.entries(LIMIT_DIRECTIVES)) {
    configuration.configSet([[directive, `${value}`]]);
    assert.equal(limits[limit as keyof CollectionLimits], value, directive);
    value += 1;
  }
  configuration.configSet([["zset-max-ziplist-value", "1kb"]]);
  assert.equal(limits.sortedSetValue, 1024);
  assert.deepEqual(configuration.configGet(["zset-max-listpack-value"]), [["zset-max-listpack-value", "1024"]]);
  await store.close();
  configuration.configSet([["zset-max-listpack-value", "1"]]);
  assert.equal(limits.sortedSetValue, 1024, "a store that is closed listens no more");
});

test("the defaults of the limits are those of the directives", async () => {
  const store = new Store(new Configuration(), Date.now, SMALL);
  assert.deepEqual(store.keyspace.limits, defaultLimits());
  await store.close();
});

test("a store that is closed does nothing on its own any more", async () => {
  let now = 1_700_000_000_000;
  const store = new Store(new Configuration(), () => now, SMALL);
  now += 5000;
  const { seconds } = store.keyspace.access;
  await until("its clock goes on", () => store.keyspace.access.seconds === seconds + 5);
  await store.close();
  now += 5000;
  await sleep(250);
  assert.equal(store.keyspace.access.seconds, seconds + 5);
  assert.equal(store.tick(), false);
  assert.equal(store.keyspace.access.seconds, seconds + 5);
});

test("INFO's hz is what many clients make of the configured one", async () => {
  const store = new Store(new Configuration(), Date.now, SMALL);
  assert.equal(store.hz, 10);
  store.configuration.configSet([["hz", "25"]]);
  assert.equal(store.hz, 25);
  await store.close();
});
