import assert from "node:assert/strict";
import { test } from "node:test";
import { linesOf, takeEffects } from "../testing/effects.ts";
import { openStore } from "../testing/two-ways.ts";

test("while effects are kept, what changes data goes through the engine; what reads need not", async () => {
  const { store, db } = openStore(1 << 22);
  const many = Array.from({ length: 2000 }, (_, index) => `m${index}`);
  for (const member of many) {
    db.hset("h", member, "1");
    db.sadd("s", member);
    db.zadd("z", 1, member);
    db.rpush("l", member);
  }
  db.set("k", "1");
  store.effects.areKept = true;
  const calls: readonly (readonly [call: () => unknown, effect: string])[] = [
    [() => db.set("k", "2"), "SET k 2"],
    [() => db.incr("k"), "INCR k"],
    [() => db.hset("h", "m1", "2"), "HSET h m1 2"],
    [() => db.sadd("s", "new"), "SADD s new"],
    [() => db.zadd("z", 2, "m1"), "ZADD z 2 m1"],
    [() => db.lpush("l", "a"), "LPUSH l a"],
    [() => db.rpush("l", "b"), "RPUSH l b"],
    [() => db.lpop("l"), "LPOP l"],
    [() => db.rpop("l"), "RPOP l"],
  ];
  for (const [call, effect] of calls) {
    // Of many calls one is taken as a sample, which goes through the engine anyhow.
    for (let time = 0; time < 3; time++) {
      db.call("SREM", "s", "new");
      db.call("ZADD", "z", "1", "m1");
      store.effects.clear();
      store.effects.beginFile();
      call();
      assert.deepEqual(linesOf(takeEffects(store.effects)), ["SELECT 0", effect]);
    }
  }
  store.effects.areKept = false;
  db.set("k", "3");
  db.incr("k");
  assert.equal(store.effects.length, 0);
  await store.close();
});

test("reading takes the fast way also while effects are kept", async () => {
  const opened = openStore(1 << 20);
  opened.store.effects.areKept = true;
  opened.db.set("k", "v");
  opened.executed = 0;
  for (let time = 0; time < 1000; time++) assert.equal(opened.db.get("k"), "v");
  assert.ok(opened.executed < 20, `${opened.executed} of 1000 went through the engine`);
  await opened.store.close();
});
