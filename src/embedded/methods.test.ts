/** Every command has its method, and every method does what its command does. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { allCommands } from "../commands/all-commands.ts";
import { type ArgumentValue, open, type Stillwater } from "./index.ts";

const START = 1_700_000_000_000;
const OPTIONS = { now: () => START, seed: [1, 2], regionSize: "1mb" } as const;
/**
 * SHUTDOWN is `close`, BGREWRITEAOF `rewrite`, WAITAOF `durable`; WAIT has no replicas to wait for, MONITOR nowhere to
 * send its lines; subscriptions end by what has begun them.
 */
const UNSUBSCRIBING = ["UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"];
const WITHOUT_METHOD = ["SHUTDOWN", "BGREWRITEAOF", "WAITAOF", "WAIT", "MONITOR", ...UNSUBSCRIBING];

const db = await open(OPTIONS);
after(() => db.close());

test("every command has a method of its name", () => {
  const methods = db as unknown as Record<string, unknown>;
  const missing = allCommands.filter(({ name }) => typeof methods[name.toLowerCase()] !== "function");
  assert(allCommands.length > 60);
  assert.deepEqual(missing.map(({ name }) => name).sort(), [...WITHOUT_METHOD].sort());
});

/** Runs each line on a fresh store: what it gives, and what is wanted. */
function expectations(title: string, lines: (fresh: Stillwater) => [given: unknown, wanted: unknown][]): void {
  test(title, async () => {
    const fresh = await open(OPTIONS);
    for (const [index, [given, wanted]] of lines(fresh).entries()) assert.deepEqual(given, wanted, `line ${index + 1}`);
    assert.equal(fresh.debug("VERIFY"), "OK");
    await fresh.close();
  });
}

expectations("strings", (s) => [
  [s.set("k", "v"), "OK"],
  [s.get("k"), "v"],
  [s.get("missing"), null],
  [s.getBuffer("k"), Buffer.from("v")],
  [s.getBuffer("missing"), null],
  [s.set("k", "w", { NX: true }), null],
  [s.set("k", "w", { XX: true, EX: 10 }), "OK"],
  [s.ttl("k"), 10],
  [s.set("k", "x", { GET: true, KEEPTTL: true }), "w"],
  [s.pttl("k"), 10_000],
  [s.setBuffer("k", "y", { GET: true, PXAT: START + 5 }), Buffer.from("x")],
  [s.pexpiretime("k"), START + 5],
  [s.set("none", "v", { XX: true }), null],
  [s.getex("k", { PERSIST: true }), "y"],
  [s.getexBuffer("k", { PX: 1500 }), Buffer.from("y")],
  [s.getex("k"), "y"],
  [s.pttl("k"), 1500],
  [s.getset("k", "z"), "y"],
  [s.getsetBuffer("k", "a"), Buffer.from("z")],
  [s.getdel("k"), "a"],
  [s.getdelBuffer("k"), null],
  [s.append("k", "hello"), 5],
  [s.getrange("k", 1, -2), "ell"],
  [s.getrangeBuffer("k", 0, 0), Buffer.from("h")],
  [s.substr("k", 0, 1), "he"],
  [s.substrBuffer("k", 0, 1), Buffer.from("he")],
  [s.setrange("k", 7, "!"), 8],
  [s.get("k"), "hello\0\0!"],
  [s.strlen("k"), 8],
  [s.setnx("k", "v"), 0],
  [s.setnx("new", "v"), 1],
  [s.setex("e", 5, "v"), "OK"],
  [s.psetex("p", 5n, "v"), "OK"],
  [
    [s.ttl("e"), s.pttl("p")],
    [5, 5],
  ],
]);

expectations("counters", (s) => [
  [s.incr("n"), 1],
  [s.incr(Buffer.from("n")), 2],
  [s.incrby("n", 40), 42],
  [s.decr("n"), 41],
  [s.decrby("n", 2), 39],
  [s.incrbyfloat("n", 0.5), "39.5"],
  [s.incrbyfloat("n", "1e1"), "49.5"],
]);

expectations("several keys at once", (s) => [
  [s.mset({ a: "1", b: 2 }), "OK"],
  [s.mset(new Map([["c", "3"]])), "OK"],
  [
    s.mset([
      ["d", "4"],
      ["e", Buffer.from("5")],
    ]),
    "OK",
  ],
  [s.mset("f", "6", "g", 7), "OK"],
  [s.mget(["a", "b", "c", "d", "e", "f", "g", "h"]), ["1", "2", "3", "4", "5", "6", "7", null]],
  [s.mget("a", "h"), ["1", null]],
  [s.mgetBuffer("a", "h"), [Buffer.from("1"), null]],
  [s.mgetBuffer(["b"]), [Buffer.from("2")]],
  [s.msetnx({ a: "x", z: "x" }), 0],
  [s.msetnx("y", "x", "z", "x"), 1],
  [s.exists("a", "a", "h"), 2],
  [s.exists(["a"]), 1],
  [s.touch("a", "h"), 1],
  [s.del("a", "h"), 1],
  [s.del(["b", "c"]), 2],
  [s.unlink("d", "e"), 2],
  [s.dbsize(), 4],
]);

expectations("common subsequences", (s) => [
  [s.mset({ a: "ohmytext", b: "mynewtext" }), "OK"],
  [s.lcs("a", "b"), "mytext"],
  [s.lcsBuffer("a", "b"), Buffer.from("mytext")],
  [s.lcs("a", "b", { LEN: true }), 6],
  [s.lcs("a", "b", { IDX: true, MINMATCHLEN: 4, WITHMATCHLEN: true }), { matches: [[[4, 7], [5, 8], 4]], len: 6 }],
]);

expectations("bitmaps", (s) => [
  [s.setbit("b", 7, 1), 0],
  [s.setbit("b", 7, 1), 1],
  [s.getbit("b", 7), 1],
  [s.set("b", "\x7f\x00"), "OK"],
  [s.bitcount("b"), 7],
  [s.bitcount("b", 0, 0), 7],
  [s.bitcount("b", 0, 3, "BIT"), 3],
  [s.bitpos("b", 1), 1],
  [s.bitpos("b", 0, 1), 8],
  [s.bitpos("b", 0, 2, -1, "BIT"), 8],
  [s.bitop("NOT", "c", "b"), 2],
  [s.getBuffer("c"), Buffer.from([0x80, 0xff])],
  [s.bitop("OR", "d", "b", "c"), 2],
  [s.bitop("AND", "d", ["b", "c"]), 2],
  [s.bitfield("f", "OVERFLOW", "FAIL", "SET", "u8", 0, 255, "INCRBY", "u8", 0, 1, "GET", "u4", 0), [0, null, 15]],
  [s.bitfield_ro("f", "GET", "i8", 0), [-1]],
]);

expectations("keys", (s) => [
  [s.set("k", "v"), "OK"],
  [s.type("k"), "string"],
  [s.type("none"), "none"],
  [s.object("ENCODING", "k"), "embstr"],
  [s.object("REFCOUNT", "k"), 1],
  [s.object("ENCODING", "none"), null],
  [Array.isArray(s.object("HELP")), true],
  [s.copy("k", "l"), 1],
  [s.copy("k", "l"), 0],
  [s.copy("k", "l", { REPLACE: true }), 1],
  [s.copy("k", "k", { DB: 1 }), 1],
  [s.move("l", 1), 1],
  [s.rename("k", "m"), "OK"],
  [s.renamenx("m", "m"), 0],
  [s.randomkey(), "m"],
  [s.randomkeyBuffer(), Buffer.from("m")],
  [s.keys("*"), ["m"]],
  [s.keysBuffer("m*"), [Buffer.from("m")]],
  [s.select(1), "OK"],
  [s.keys("*").sort(), ["k", "l"]],
  [s.flushdb("ASYNC"), "OK"],
  [s.swapdb(0, 1), "OK"],
  [s.dbsize(), 1],
  [s.flushall(), "OK"],
  [s.flushall("SYNC"), "OK"],
  [s.flushdb(), "OK"],
  [s.randomkey(), null],
]);

expectations("expiry", (s) => [
  [s.set("k", "v"), "OK"],
  [s.expire("k", 10), 1],
  [s.expire("k", 20, "NX"), 0],
  [s.expire("k", 20, "XX", "GT"), 1],
  [s.ttl("k"), 20],
  [s.pexpire("k", 1500, "LT"), 1],
  [s.pttl("k"), 1500],
  [s.expireat("k", START / 1000 + 100), 1],
  [s.expiretime("k"), START / 1000 + 100],
  [s.pexpireat("k", BigInt(START) + 5n), 1],
  [s.pexpiretime("k"), START + 5],
  [s.persist("k"), 1],
  [
    [s.ttl("k"), s.pttl("none")],
    [-1, -2],
  ],
  [s.pexpire("k", -1), 1],
  [s.exists("k"), 0],
]);

test("walking all keys", async () => {
  const fresh = await open({ ...OPTIONS, regionSize: "4mb" });
  const names = Array.from({ length: 5_000 }, (_, index) => `key:${index}`);
  fresh.mset(names.map((name) => [name, "v"]));
  assert.deepEqual([...new Set(fresh.scanIterator())].sort(), [...names].sort());
  assert.deepEqual([...new Set(fresh.scanIterator({ match: "key:1?" }))].sort(), names.slice(10, 20));
  assert.deepEqual([...fresh.scanIterator({ type: "hash", count: 1000 })], []);
  assert.equal([...fresh.scanIteratorBuffer({ match: Buffer.from("key:77") })].join(), "key:77");
  const walked = new Set<string>();
  let cursor = "0";
  do {
    const [next, keys] = fresh.scan(cursor, { count: 50 });
    for (const key of keys) walked.add(key);
    cursor = next;
  } while (cursor !== "0");
  assert.equal(walked.size, names.length);
  const [next, keys] = fresh.scanBuffer(0, { count: 100_000 });
  assert.deepEqual([next, keys.length, Buffer.isBuffer(keys[0])], ["0", names.length, true]);
  for (const key of fresh.scanIterator()) fresh.del(key);
  assert.equal(fresh.dbsize(), 0);
  await fresh.close();
});

test("the store as a whole", () => {
  assert.equal(db.ping(), "PONG");
  assert.equal(db.ping("hé"), "hé");
  assert.equal(db.echo("é"), "é");
  assert.deepEqual(db.echoBuffer(Buffer.from([255])), Buffer.from([255]));
  assert.equal(db.quit(), "OK");
  assert.equal(db.get("still open"), null);
  assert.match(db.info(), /^# Server\r\nredis_version:7\.2\./);
  assert.match(db.info("memory", "clients"), /used_memory:\d+\r\n/);
  assert.equal(db.hello()["server"], "redis");
  assert.equal(db.hello(3)["proto"], 3);
  assert.equal(db.config("SET", "slowlog-max-len", 64), "OK");
  assert.deepEqual(db.config("GET", "slowlog-max-*"), { "slowlog-max-len": "64" });
  assert.equal(db.config("RESETSTAT"), "OK");
  assert.equal(db.command("COUNT"), allCommands.length);
  assert.deepEqual(db.command("GETKEYS", "MSET", "a", 1, "b", 2), ["a", "b"]);
  assert(db.command("DOCS", "GET") instanceof Map);
  assert.equal((db.command() as unknown[]).length, allCommands.length);
  assert.equal(typeof db.client("ID"), "number");
  assert.equal(db.client("SETNAME", "me"), "OK");
  assert.equal(db.client("GETNAME"), "me");
  assert.equal(typeof db.client("LIST"), "string");
  assert.equal(db.reset(), "RESET");
  assert.equal(db.client("GETNAME"), null);
  assert.throws(() => db.auth("password"), { code: "ERR" });
  assert.equal(typeof db.lastsave(), "number");
  assert.deepEqual(db.role(), ["master", 0, []]);
  assert.match(db.lolwut(), /Redis ver\. 7\.2/);
  assert(Math.abs(Number(db.time()[0]) - Date.now() / 1000) < 10);
  assert.equal(db.slowlog("RESET"), "OK");
  assert.equal(db.slowlog("LEN"), 0);
  assert.deepEqual(db.slowlog("GET", 5), []);
  assert.deepEqual(db.latency("LATEST"), []);
  assert(db.latency("HISTOGRAM", "get") instanceof Map);
  db.set("k", "v");
  assert.equal(typeof db.memory("USAGE", "k"), "number");
  assert.equal(db.memory("USAGE", "none"), null);
  assert(db.memory("STATS") instanceof Map);
  assert.equal(typeof db.memory("DOCTOR"), "string");
  assert.equal(db.debug("VERIFY"), "OK");
});

type Random = (db: Stillwater) => unknown;
interface Pair {
  readonly method: Random;
  readonly command: readonly ArgumentValue[];
}

const key = fc.constantFrom("a", "b", "c", "ключ");
const value = fc.oneof(fc.constantFrom("1", "12", "-3", "0.5", ""), fc.string({ maxLength: 30 }));
const number = fc.integer({ min: -5, max: 40 });
const bit = fc.constantFrom(0 as const, 1 as const);

/** A method and its command with the same arguments. */
function pair<T extends readonly unknown[]>(
  args: fc.Arbitrary<T>,
  name: string,
  method: (db: Stillwater, ...args: T) => unknown,
  words: (...args: T) => readonly ArgumentValue[] = (...given) => given as unknown as ArgumentValue[],
): fc.Arbitrary<Pair> {
  return args.map((given) => ({ method: (store) => method(store, ...given), command: [name, ...words(...given)] }));
}

const pairs: fc.Arbitrary<Pair> = fc.oneof(
  pair(fc.tuple(key, value), "SET", (s, k, v) => s.set(k, v)),
  pair(
    fc.tuple(key, value, number),
    "SET",
    (s, k, v, n) => s.set(k, v, { PX: n, GET: true }),
    (k, v, n) => [k, v, "PX", n, "GET"],
  ),
  pair(
    fc.tuple(key, value),
    "SET",
    (s, k, v) => s.set(k, v, { NX: true }),
    (k, v) => [k, v, "NX"],
  ),
  pair(fc.tuple(key), "GET", (s, k) => s.get(k)),
  pair(fc.tuple(key), "INCR", (s, k) => s.incr(k)),
  pair(fc.tuple(key), "DECR", (s, k) => s.decr(k)),
  pair(fc.tuple(key, number), "INCRBY", (s, k, n) => s.incrby(k, n)),
  pair(fc.tuple(key, number), "DECRBY", (s, k, n) => s.decrby(k, n)),
  pair(fc.tuple(key, value), "INCRBYFLOAT", (s, k, v) => s.incrbyfloat(k, v)),
  pair(fc.tuple(key, value), "APPEND", (s, k, v) => s.append(k, v)),
  pair(fc.tuple(key, number, number), "GETRANGE", (s, k, m, n) => s.getrange(k, m, n)),
  pair(fc.tuple(key, number, value), "SETRANGE", (s, k, n, v) => s.setrange(k, n, v)),
  pair(fc.tuple(key, value), "GETSET", (s, k, v) => s.getset(k, v)),
  pair(fc.tuple(key), "GETDEL", (s, k) => s.getdel(k)),
  pair(
    fc.tuple(key, number),
    "GETEX",
    (s, k, n) => s.getex(k, { EX: n }),
    (k, n) => [k, "EX", n],
  ),
  pair(fc.tuple(key, number, value), "SETEX", (s, k, n, v) => s.setex(k, n, v)),
  pair(fc.tuple(key, number, value), "PSETEX", (s, k, n, v) => s.psetex(k, n, v)),
  pair(fc.tuple(key, value), "SETNX", (s, k, v) => s.setnx(k, v)),
  pair(fc.tuple(key), "STRLEN", (s, k) => s.strlen(k)),
  pair(fc.tuple(key, key), "LCS", (s, j, k) => s.lcs(j, k)),
  pair(fc.tuple(key, key), "MGET", (s, j, k) => s.mget([j, k])),
  pair(fc.tuple(key, value, key, value), "MSET", (s, j, v, k, w) =>
    s.mset([
      [j, v],
      [k, w],
    ]),
  ),
  pair(fc.tuple(key, value, key, value), "MSETNX", (s, j, v, k, w) => s.msetnx(j, v, k, w)),
  pair(fc.tuple(key, number, bit), "SETBIT", (s, k, n, b) => s.setbit(k, n, b)),
  pair(fc.tuple(key, number), "GETBIT", (s, k, n) => s.getbit(k, n)),
  pair(fc.tuple(key, number, number), "BITCOUNT", (s, k, m, n) => s.bitcount(k, m, n)),
  pair(fc.tuple(key, bit, number), "BITPOS", (s, k, b, n) => s.bitpos(k, b, n)),
  pair(fc.tuple(fc.constantFrom("AND", "OR", "XOR", "NOT"), key, key), "BITOP", (s, o, j, k) => s.bitop(o, j, k)),
  pair(
    fc.tuple(key, number),
    "BITFIELD",
    (s, k, n) => s.bitfield(k, "INCRBY", "u5", n, 9),
    (k, n) => [k, "INCRBY", "u5", n, 9],
  ),
  pair(
    fc.tuple(key, key),
    "COPY",
    (s, j, k) => s.copy(j, k, { REPLACE: true, DB: 1 }),
    (j, k) => [j, k, "REPLACE", "DB", 1],
  ),
  pair(fc.tuple(key, key), "RENAME", (s, j, k) => s.rename(j, k)),
  pair(fc.tuple(key, key), "RENAMENX", (s, j, k) => s.renamenx(j, k)),
  pair(fc.tuple(key, bit), "MOVE", (s, k, n) => s.move(k, n)),
  pair(fc.tuple(key), "DEL", (s, k) => s.del(k)),
  pair(fc.tuple(key, key), "EXISTS", (s, j, k) => s.exists(j, k)),
  pair(fc.tuple(key, number), "EXPIRE", (s, k, n) => s.expire(k, n)),
  pair(
    fc.tuple(key, number),
    "PEXPIRE",
    (s, k, n) => s.pexpire(k, n, "GT"),
    (k, n) => [k, n, "GT"],
  ),
  pair(fc.tuple(key), "PERSIST", (s, k) => s.persist(k)),
  pair(fc.tuple(key), "PTTL", (s, k) => s.pttl(k)),
  pair(fc.tuple(key), "TYPE", (s, k) => s.type(k)),
  pair(
    fc.tuple(key),
    "OBJECT",
    (s, k) => s.object("ENCODING", k),
    (k) => ["ENCODING", k],
  ),
  pair(fc.tuple(key), "KEYS", (s, k) => s.keys(k)),
  pair(fc.tuple(bit), "SELECT", (s, n) => s.select(n)),
  pair(fc.tuple(), "DBSIZE", (s) => s.dbsize()),
  pair(
    fc.tuple(),
    "SCAN",
    (s) => s.scan(0, { count: 1000 }),
    () => [0, "COUNT", 1000],
  ),
);

function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return String(error);
  }
}

test("methods reply as their commands do", async () => {
  const [left, right] = [await open(OPTIONS), await open(OPTIONS)];
  fc.assert(
    fc.property(fc.array(pairs, { maxLength: 200, size: "max" }), (steps) => {
      for (const { method, command } of steps) {
        const [name, ...args] = command as [string, ...ArgumentValue[]];
        const given = outcome(() => method(left));
        assert.deepEqual(
          given,
          outcome(() => right.call(name, ...args)),
          JSON.stringify(command),
        );
      }
      for (const store of [left, right]) {
        store.flushall();
        store.reset();
      }
    }),
    { numRuns: 50 },
  );
  assert.equal(left.debug("VERIFY"), "OK");
  await Promise.all([left.close(), right.close()]);
});
