import assert from "node:assert/strict";
import { test } from "node:test";
import { Configuration } from "../config/configuration.ts";
import { type CollectionLimits, defaultLimits, LIMIT_DIRECTIVES } from "../keyspace/collection-limits.ts";
import { Store } from "./store.ts";

const SMALL = { shards: 1, regionSize: 2 ** 20 };

test("the limits of small encodings are what the configuration says, from the start and when it changes", () => {
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
  store.close();
  configuration.configSet([["zset-max-listpack-value", "1"]]);
  assert.equal(limits.sortedSetValue, 1024, "a store that is closed listens no more");
});

test("the defaults of the limits are those of the directives", () => {
  const store = new Store(new Configuration(), Date.now, SMALL);
  assert.deepEqual(store.keyspace.limits, defaultLimits());
  store.close();
});
