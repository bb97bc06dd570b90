/**
 * The fast ways of collections and the engine are the same: the same random calls to two stores of the same seed and
 * clock, in one by the methods that take the fast way, in the other by name, give the same replies, data and counters.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  byMethod,
  compareWays,
  type Handle,
  type Opened,
  openStore as openPlainStore,
  type Step,
} from "../testing/two-ways.ts";
import type { ArgumentValue } from "./argument-writer.ts";

/** From the third member on, and from the second item on, a collection is a large one. */
const LIMITS = ["hash-max-listpack-entries", "set-max-intset-entries", "set-max-listpack-entries"];
const CONFIGURED = [...LIMITS, "zset-max-listpack-entries"].flatMap((name) => [name, "2"]);

function openStore(regionSize: number, memoryLimit = 0, shards = 2): Opened {
  const opened = openPlainStore(regionSize, memoryLimit, shards);
  opened.db.call("CONFIG", "SET", ...CONFIGURED, "list-max-listpack-size", "4");
  opened.executed = 0;
  return opened;
}

/** Mostly the key of its own type. */
const keyFor = (own: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 20, arbitrary: fc.constant(own) },
    { weight: 1, arbitrary: fc.constantFrom("hash", "set", "zset", "list", "text", "none") },
    { weight: 1, arbitrary: fc.constantFrom(`${own}:${"x".repeat(40)}`, "ключ", "y".repeat(65)) },
  );
const [hash, set, zset, list] = [keyFor("hash"), keyFor("set"), keyFor("zset"), keyFor("list")];
const key = fc.constantFrom("hash", "set", "zset", "list", "text");
const member = fc.oneof(
  { weight: 8, arbitrary: fc.nat(40).map((n) => `member:${n}`) },
  { weight: 2, arbitrary: fc.nat(12).map(String) },
  { weight: 1, arbitrary: fc.constantFrom("", "é€𝄞", "\ud800", "-9", "007", "m".repeat(64), "n".repeat(65)) },
);
const value = fc.oneof(
  fc.constantFrom("", "0", "41", "-9", "9223372036854775806", "007", "é€𝄞", "\ud800"),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.integer({ min: 0, max: 20 }).map((length) => "v".repeat(length)),
  fc.nat(2000).map((length) => "v".repeat(length)),
);
const score = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.double(),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 1e21, 0.1),
);

const calling = (name: string, ...args: fc.Arbitrary<ArgumentValue>[]): fc.Arbitrary<Step> =>
  fc.record({ name: fc.constant(name), args: fc.tuple(...args) });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: calling("HSET", hash, member, value) },
  { weight: 8, arbitrary: calling("HGET", hash, member) },
  { weight: 10, arbitrary: calling("SADD", set, member) },
  { weight: 8, arbitrary: calling("SISMEMBER", set, member) },
  { weight: 12, arbitrary: calling("ZADD", zset, score, member) },
  { weight: 8, arbitrary: calling("ZSCORE", zset, member) },
  { weight: 12, arbitrary: fc.oneof(calling("LPUSH", list, value), calling("RPUSH", list, value)) },
  { weight: 8, arbitrary: fc.oneof(calling("LPOP", list), calling("RPOP", list)) },
  { weight: 4, arbitrary: fc.oneof(calling("HDEL", hash, member), calling("SREM", set, member)) },
  { weight: 2, arbitrary: calling("ZREM", zset, member) },
  {
    weight: 2,
    arbitrary: calling("HPEXPIRE", hash, fc.integer({ min: 1, max: 9 }), fc.constant("FIELDS"), fc.constant(1), member),
  },
  { weight: 1, arbitrary: fc.oneof(calling("DEL", key), calling("PERSIST", key)) },
  { weight: 1, arbitrary: calling("SET", fc.constantFrom("text", "none"), value) },
  { weight: 1, arbitrary: calling("PEXPIRE", key, fc.integer({ min: 1, max: 9 })) },
  { weight: 1, arbitrary: calling("SELECT", fc.constantFrom(0, 0, 0, 1)) },
  { weight: 1, arbitrary: calling("CLIENT", fc.constant("NO-TOUCH"), fc.constantFrom("ON", "OFF", "OFF", "OFF")) },
  { weight: 1, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 3000 }), ticks: fc.boolean() }) },
);

const METHODS = {
  HSET: (db: Handle, name: string, field: string, text: string) => db.hset(name, field, text),
  HGET: (db: Handle, name: string, field: string) => db.hget(name, field),
  SADD: (db: Handle, name: string, item: string) => db.sadd(name, item),
  SISMEMBER: (db: Handle, name: string, item: string) => db.sismember(name, item),
  ZADD: (db: Handle, name: string, points: number, item: string) => db.zadd(name, points, item),
  ZSCORE: (db: Handle, name: string, item: string) => db.zscore(name, item),
  LPUSH: (db: Handle, name: string, text: string) => db.lpush(name, text),
  RPUSH: (db: Handle, name: string, text: string) => db.rpush(name, text),
  LPOP: (db: Handle, name: string) => db.lpop(name),
  RPOP: (db: Handle, name: string) => db.rpop(name),
};

test("the same replies, data and counters", async () => {
  let [spared, calls] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 500, size: "max" }), async (steps) => {
      calls += steps.length;
      spared += await compareWays(METHODS, steps, () => openStore(1024 * 1024));
    }),
    { numRuns: 60 },
  );
  assert(spared > calls / 5, `only ${spared} of ${calls} calls took the fast way`);
});

test("each of the calls takes the fast way, once its collection is large", async () => {
  const opened = openStore(1024 * 1024);
  const { db } = opened;
  for (let n = 0; n < 20; n++) {
    db.hset("hash", `f${n}`, "v");
    db.sadd("set", `m${n}`);
    db.zadd("zset", n, `m${n}`);
    db.rpush("list", `e${n}`);
  }
  // The first call of each command is the one that is timed.
  for (const name of ["HGET", "SISMEMBER", "ZSCORE"]) byMethod(METHODS, db, name, ["none", "f"]);
  for (const name of ["LPUSH", "LPOP", "RPOP"])
    byMethod(METHODS, db, name, ["list", "e"].slice(0, name === "LPUSH" ? 2 : 1));
  const { executed } = opened;
  assert.equal(db.hset("hash", "f1", "w"), 0);
  assert.equal(db.hset("hash", "f20", "x"), 1);
  assert.equal(db.hget("hash", "f1"), "w");
  assert.equal(db.hget("hash", "none"), null);
  assert.equal(db.sadd("set", "m1"), 0);
  assert.equal(db.sadd("set", "m20"), 1);
  assert.equal(db.sismember("set", "m20"), 1);
  assert.equal(db.sismember("set", "none"), 0);
  assert.equal(db.zadd("zset", 7.5, "m1"), 0);
  assert.equal(db.zadd("zset", 1, "m20"), 1);
  assert.equal(db.zscore("zset", "m1"), 7.5);
  assert.equal(db.zscore("zset", "none"), null);
  assert.equal(db.lpush("list", "first"), 20);
  assert.equal(db.rpush("list", "last"), 21);
  assert.equal(db.lpop("list"), "first");
  assert.equal(db.rpop("list"), "last");
  assert.equal(opened.executed, executed);
  opened.now += 60_000;
  opened.store.tick();
  assert.equal(db.hget("hash", "f1"), "w");
  db.rpush("list", "last");
  assert.deepEqual([db.object("IDLETIME", "hash"), db.object("IDLETIME", "list")], [0, 0]);
  assert.equal(db.object("IDLETIME", "set"), 60);
  await opened.store.close();
});

test("the same where memory is short", async () => {
  const many = fc.nat(400).map((n) => `member:${n}`);
  const filling = fc.oneof(
    calling("HSET", fc.constant("hash"), many, value),
    calling("SADD", fc.constant("set"), many),
    calling("ZADD", fc.constant("zset"), score, many),
    calling("LPUSH", fc.constant("list"), value),
    calling("RPUSH", fc.constant("list"), value),
    calling("LPOP", fc.constant("list")),
  );
  const steps = fc.array(filling, { minLength: 1200, maxLength: 2400, size: "max" });
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (taken, isLimited) => {
      await compareWays(METHODS, taken, () =>
        isLimited ? openStore(4096 * 1024, 60_000, 1) : openStore(256 * 1024, 0, 1),
      );
    }),
    { numRuns: 12 },
  );
});

test("calls that somebody wants to hear of go through the engine", async () => {
  const opened = openStore(1024 * 1024);
  const { core, db, store } = opened;
  for (let n = 0; n < 20; n++) db.sadd("set", `m${n}`);
  const through = (): number => {
    const { executed } = opened;
    db.sadd("set", "m1");
    return opened.executed - executed;
  };
  assert.equal(through(), 0);
  store.keyspace.eventTypes = 1;
  assert.equal(through(), 1);
  store.keyspace.eventTypes = 0;
  const monitor = { send: () => undefined };
  store.engine.monitors.add(monitor);
  assert.equal(through(), 1);
  store.engine.monitors.delete(monitor);
  db.call("CONFIG", "SET", "slowlog-log-slower-than", "0");
  assert.equal(through(), 1);
  assert.match(JSON.stringify(db.call("SLOWLOG", "GET")), /"sadd","set","m1"/i);
  db.call("CONFIG", "SET", "slowlog-log-slower-than", "10000");
  assert.equal(through(), 0);
  core.isClosed = true;
  assert.throws(through, /closed/);
  await store.close();
});
