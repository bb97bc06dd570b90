import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { NO_DEADLINE } from "./entry.ts";
import { FrozenKeyspace } from "./frozen-keyspace.ts";
import { Key } from "./key.ts";
import { Keyspace } from "./keyspace.ts";
import { digestOf } from "./live-digest.ts";
import { setString } from "./strings.ts";

const MEBIBYTE = 1024 * 1024;
const VALUE = Buffer.alloc(1000, "v");

function fill(keyspace: Keyspace, keys: number): void {
  const key = new Key(keyspace.databases[0]!);
  for (let index = 0; index < keys; index++) {
    const name = Buffer.from(`key ${index}`);
    key.locate(key.database, name, 0, name.length);
    setString(key, VALUE, 0, VALUE.length, NO_DEADLINE);
  }
}

test("memory does not pile up while large stores are filled and flushed again and again", async () => {
  const keyspace = new Keyspace({ shards: 1, regionSize: 1024 * MEBIBYTE, databases: 2 });
  fill(keyspace, 20_000);
  const before = process.memoryUsage.rss();
  for (let round = 0; round < 60; round++) {
    fill(keyspace, 20_000);
    assert.equal(keyspace.flushAll(), 20_000);
    keyspace.verify();
    assert.equal(keyspace.databases[0]!.count, 0);
    if (round % 3 === 0) await nextTurn();
  }
  const grown = process.memoryUsage.rss() - before;
  assert(grown < 200 * MEBIBYTE, `60 rounds of 22 MiB, and ${grown} bytes more`);
});

for (const keys of [100, 20_000]) {
  test(`a frozen view of ${keys} keys outlives the flushing of all of them`, () => {
    const keyspace = new Keyspace({ shards: 2, regionSize: 256 * MEBIBYTE, databases: 2 });
    for (let round = 0; round < 3; round++) {
      fill(keyspace, keys);
      const digest = digestOf(keyspace.databases[0]!);
      const view = keyspace.freeze();
      keyspace.flushAll();
      fill(keyspace, keys >>> 1);
      keyspace.flushAll();
      fill(keyspace, keys >>> 2);
      const frozen = new FrozenKeyspace(view.regions, view.databases);
      assert.equal(frozen.databases[0]!.digest(), digest);
      assert.equal(view.release().aborted, false);
      assert.equal(keyspace.databases[0]!.count, keys >>> 2);
      keyspace.verify();
    }
  });
}
