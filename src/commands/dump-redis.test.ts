/** DUMP and RESTORE between this store and redis-server: what one writes, the other reads as the same value. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { defaultLimits } from "../keyspace/collection-limits.ts";
import { CommandRunner } from "../testing/commands.ts";
import type { RespClient } from "../testing/resp-client.ts";
import { type Argument, decode } from "../testing/resp-frame.ts";
import {
  double,
  intset,
  listpack,
  littleEndian,
  payload,
  size,
  text,
  textScore,
  ziplist,
  zipmap,
} from "../testing/saved-forms.ts";
import { startRedis, type TestServer } from "../testing/servers.ts";
import { allCommands } from "./all-commands.ts";

const OK = "+OK\r\n";
const LONG = "x".repeat(100);
const HUGE = "0123456789".repeat(1000);
const NUMBERS = ["0", "12", "13", "127", "-1", "128", "-129", "4095", "-4096", "32767", "40000", "-8388608", "8388608"]
  .concat(["2147483647", "-2147483649", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-0"])
  .concat(["", "01", "1.0"]);

/** What tells all of a value of a type. */
const READERS: Readonly<Record<string, (key: string) => string[]>> = {
  string: (key) => ["GET", key],
  list: (key) => ["LRANGE", key, "0", "-1"],
  set: (key) => ["SMEMBERS", key],
  zset: (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"],
  hash: (key) => ["HGETALL", key],
};

type Command = readonly Argument[];
type Value = readonly [type: string, command: Command];

const value = (type: string, ...command: Argument[]): Value => [type, command];

/** One of each type and encoding, by the limits that are set below. */
const VALUES: readonly Value[] = [
  ...NUMBERS.concat([LONG, HUGE, "\0\xff"]).map((content) => value("string", "SET", "k", content)),
  value("list", "RPUSH", "k", ...NUMBERS),
  value("list", "RPUSH", "k", LONG, ...NUMBERS, LONG),
  value("list", "RPUSH", "k", ...Array.from({ length: 50 }, () => HUGE)),
  value("set", "SADD", "k", "1", "-5", "300"),
  value("set", "SADD", "k", "1", "-70000"),
  value("set", "SADD", "k", "1", "9223372036854775807", "-9223372036854775808"),
  value("set", "SADD", "k", "a", "1", ""),
  value("set", "SADD", "k", ...NUMBERS, LONG, HUGE),
  value("zset", "ZADD", "k", "1", "a", "2", "b"),
  value("zset", "ZADD", "k", "1.5", "a", "-inf", "12", "inf", "", "0.1", LONG.slice(0, 9)),
  value("zset", "ZADD", "k", ...NUMBERS.flatMap((name, index) => [`${index / 3}`, name]), "1e100", LONG),
  value("zset", "ZADD", "k", "9007199254740993", "a", "1e17", "b", "-1e-300", "c", "-0.0", "d"),
  value("hash", "HSET", "k", "a", "1", "b", "text", "", ""),
  value("hash", "HSET", "k", "a", LONG, "b", "2"),
  value("hash", "HSET", "k", ...NUMBERS.flatMap((name) => [name, name]), HUGE, HUGE),
];

/** Forms that only other versions of Redis write; all that redis-server 7.0 reads too. */
const FORMS: readonly [type: string, payload: Buffer][] = [
  ["list", payload(1, [size(4), ...["a", "1", LONG, HUGE].map(text)])],
  ["list", payload(10, [text(ziplist(...NUMBERS, LONG, HUGE, "end"))])],
  ["list", payload(14, [size(3), text(ziplist("a", "b")), text(ziplist()), text(ziplist(...NUMBERS))])],
  [
    "list",
    payload(18, [size(3), size(2), text(listpack(NUMBERS)), size(1), text(HUGE), size(2), text(listpack(["z"]))]),
  ],
  ["list", payload(18, [size(1), size(2), text(listpack(["12", "a", "-5"], true))])],
  ["set", payload(2, [size(3), ...["1", "2", "70000"].map(text)])],
  ["set", payload(11, [text(intset(8, -5, 1, 70_000, 2n ** 62n))])],
  ["set", payload(11, [text(intset(4, -70_000, 1))])],
  ["zset", payload(3, [size(4), ...[1, 1.5, 1 / 3, -1e-9].flatMap((score, at) => [text(`${at}`), textScore(score)])])],
  ["zset", payload(3, [size(2), text("low"), textScore(-Infinity), text("high"), textScore(Infinity)])],
  ["zset", payload(5, [size(2), text("a"), double(0.1), text(LONG), double(-2.5)])],
  ["zset", payload(12, [text(ziplist("z", "-inf", "a", "1", "b", "1", "10", "2.5", "c", "inf"))])],
  ["zset", payload(17, [text(listpack(["z", "-inf", "a", "0.10000000000000001", "b", "1", "10", "1e+17"]))])],
  ["zset", payload(17, [text(listpack(["1", "1", "2", "2"], true))])],
  ["hash", payload(4, [size(2), ...["a", "1", "b", LONG].map(text)])],
  ["hash", payload(9, [text(zipmap(0, "a", "1", "b", LONG))])],
  ["hash", payload(9, [text(zipmap(3, "a", "1", "b", "x".repeat(300), "x".repeat(254), ""))])],
  ["hash", payload(13, [text(ziplist(...NUMBERS.flatMap((name) => [name, LONG])))])],
  ["hash", payload(16, [text(listpack(NUMBERS.flatMap((name) => [name, HUGE])))])],
  ["hash", payload(16, [text(listpack(["1", "2", "a", "3"], true))])],
];

/** The bytes with another one at a place. */
function changed(bytes: Buffer, at: number, byte: number): Buffer {
  assert.notEqual(bytes[at], byte);
  const result = Buffer.from(bytes);
  result[at] = byte;
  return result;
}

/** What both refuse. redis-server is told to look closely (`sanitize-dump-payload`), as is always done here. */
const DAMAGED: readonly Buffer[] = [
  payload(1, [size(0)]),
  payload(2, [size(0)]),
  payload(4, [size(0)]),
  payload(5, [size(0)]),
  payload(2, [size(2), text("a"), text("a")]),
  payload(2, [size(2), text("1"), text("1")]),
  payload(4, [size(2), text("a"), text("1"), text("a"), text("2")]),
  payload(4, [size(2), text("a"), text("1"), text("b")]),
  payload(5, [size(2), text("a"), double(1), text("a"), double(2)]),
  payload(5, [size(1), text("a"), double(Number.NaN)]),
  payload(3, [size(1), text("a"), textScore(Number.NaN)]),
  payload(9, [text(zipmap(0))]),
  payload(9, [text(zipmap(0, "a", "1", "a", "2"))]),
  payload(9, [text(zipmap(0, "a", "1").subarray(0, -1))]),
  payload(10, [text(ziplist())]),
  payload(10, [text(changed(ziplist("abc", "b"), 15, 4))]),
  payload(10, [text(changed(ziplist("abc", "b"), 4, 10))]),
  payload(10, [text(changed(ziplist("abc", "b"), 8, 3))]),
  payload(10, [text(changed(ziplist("abc", "b"), 0, 18))]),
  payload(10, [text(changed(ziplist("abc", "b"), 16, 0xff))]),
  payload(10, [text(changed(ziplist("abc", "b"), 16, 0xc1))]),
  payload(11, [text(intset(2))]),
  payload(11, [text(intset(2, 2, 1))]),
  payload(11, [text(intset(2, 1, 1))]),
  payload(11, [text(Buffer.concat([littleEndian(3, 4), littleEndian(1, 4), Buffer.alloc(3)]))]),
  payload(12, [text(ziplist("a", "1", "b"))]),
  payload(12, [text(ziplist("a", "1", "a", "2"))]),
  payload(13, [text(ziplist("a"))]),
  payload(13, [text(ziplist("a", "1", "a", "2"))]),
  payload(14, [size(1), text(ziplist())]),
  payload(14, [size(0)]),
  payload(16, [text(listpack(["a"]))]),
  payload(16, [text(listpack([]))]),
  payload(16, [text(listpack(["a", "1", "a", "2"]))]),
  payload(17, [text(listpack(["a", "1", "a", "2"]))]),
  payload(17, [text(listpack(["a"]))]),
  payload(18, [size(1), size(2), text(listpack([]))]),
  payload(18, [size(1), size(3), text(listpack(["a"]))]),
  payload(18, [size(1), size(1), text("")]),
  payload(0, [Buffer.from([0xc3]), size(2), size(5), Buffer.from([1, 97])]),
  payload(0, [Buffer.from([0xc4]), text("a")]),
];

/** Settings of redis-server, and what they are here. */
const LIMITS = [
  ["hash-max-listpack-entries", "hashEntries"],
  ["hash-max-listpack-value", "hashValue"],
  ["zset-max-listpack-entries", "sortedSetEntries"],
  ["zset-max-listpack-value", "sortedSetValue"],
  ["set-max-intset-entries", "setIntsetEntries"],
] as const;

describe("values travel between this store and redis-server", () => {
  let server: TestServer;
  let redis: RespClient;
  const runner = new CommandRunner(allCommands, { shards: 2 });
  before(async () => {
    server = await startRedis(["--sanitize-dump-payload", "yes"]);
    redis = await server.client();
  });
  after(() => server?.stop());

  /** Gives both the same limits of small encodings. */
  const limit = async (most: number | undefined): Promise<void> => {
    const { limits } = runner.keyspace;
    Object.assign(limits, defaultLimits());
    if (most !== undefined) {
      for (const [, name] of LIMITS) limits[name] = most;
      Object.assign(limits, { setListpackEntries: most, setListpackValue: most, listSize: Math.max(most, 1) });
    }
    const settings = LIMITS.flatMap(([directive, name]) => [directive, `${limits[name]}`]);
    const reply = await redis.command("CONFIG", "SET", ...settings, "list-max-listpack-size", `${limits.listSize}`);
    assert.equal(String(reply), OK);
  };

  /** Makes both read the value under a key; they must agree, sets and hashes in any order. */
  const same = async (type: string, what: string): Promise<void> => {
    const command = READERS[type]!("k");
    const ours = decode(Buffer.from(runner.run(...command), "latin1"));
    const theirs = decode(await redis.command(...command));
    assert.equal(comparable(type, ours), comparable(type, theirs), what);
    runner.verify();
  };

  const clear = async (): Promise<void> => {
    runner.run("DEL", "k");
    await redis.command("DEL", "k");
  };

  for (const entries of [undefined, 2, 0]) {
    test(`there and back, limits ${entries ?? "as by default"}`, async () => {
      await clear();
      await limit(entries);
      for (const [type, command] of VALUES) {
        const what = `${command.slice(0, 4).join(" ").slice(0, 60)}, limit ${entries}`;
        runner.run(...command);
        const ours = bulk(Buffer.from(runner.run("DUMP", "k"), "latin1"));
        assert.equal(String(await redis.command("RESTORE", "k", "0", ours)), OK, what);
        await same(type, what);
        await clear();
        await redis.command(...command);
        const theirs = bulk(await redis.command("DUMP", "k"));
        assert.equal(runner.run("RESTORE", "k", "0", theirs), OK, what);
        await same(type, what);
        await clear();
      }
      await limit(undefined);
    });

    test(`forms of other versions, limits ${entries ?? "as by default"}`, async () => {
      await clear();
      await limit(entries);
      for (const [index, [type, bytes]] of FORMS.entries()) {
        const what = `form ${index}, type ${bytes[0]}`;
        assert.equal(String(await redis.command("RESTORE", "k", "0", bytes)), OK, what);
        assert.equal(runner.run("RESTORE", "k", "0", bytes), OK, what);
        await same(type, what);
        const again = bulk(Buffer.from(runner.run("DUMP", "k"), "latin1"));
        assert.equal(runner.run("RESTORE", "k", "0", again, "REPLACE"), OK, what);
        await same(type, what);
        await clear();
      }
      await limit(undefined);
    });
  }

  for (const entries of [undefined, 0]) {
    test(`both refuse what is damaged, limits ${entries ?? "as by default"}`, async () => {
      await clear();
      await limit(entries);
      for (const [index, bytes] of DAMAGED.entries()) {
        const what = `payload ${index}, type ${bytes[0]}`;
        assert.equal(String(await redis.command("RESTORE", "k", "0", bytes)), "-ERR Bad data format\r\n", what);
        assert.equal(runner.run("RESTORE", "k", "0", bytes), "-ERR Bad data format\r\n", what);
      }
      runner.verify();
      assert.equal(runner.ask("EXISTS", "k"), 0);
      await limit(undefined);
    });
  }

  test("whatever is stored, it arrives as it was", async () => {
    await clear();
    await limit(6);
    await fc.assert(
      fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: 40 }), async (several) => {
        for (const [type, command] of several) {
          runner.run(...command);
          const ours = bulk(Buffer.from(runner.run("DUMP", "k"), "latin1"));
          const [restored, theirs] = await redis.pipeline([
            ["RESTORE", "k", "0", ours, "REPLACE"],
            ["DUMP", "k"],
          ]);
          assert.equal(String(restored), OK);
          await same(type, "sent");
          runner.run("DEL", "k");
          assert.equal(runner.run("RESTORE", "k", "0", bulk(theirs!)), OK);
          await same(type, "returned");
          runner.run("DEL", "k");
        }
      }),
      { numRuns: 15 },
    );
    await clear();
    await limit(undefined);
  });
});

const elements = fc.oneof(
  fc.constantFrom(...NUMBERS),
  fc.integer().map(String),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String),
  fc.uint8Array({ maxLength: 70 }).map((bytes) => Buffer.from(bytes)),
  fc.tuple(fc.nat({ max: 9000 }), fc.nat({ max: 255 })).map(([length, byte]) => Buffer.alloc(length, byte)),
);
const scores = fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.constantFrom(0, 0.1, Infinity, -Infinity));
const several = { minLength: 1, maxLength: 12 };

/** Redis's word for a score. */
function scoreWord(score: number): string {
  if (!Number.isFinite(score)) return score > 0 ? "inf" : "-inf";
  return `${score}`;
}

const values: fc.Arbitrary<Value> = fc.oneof(
  elements.map((content) => value("string", "SET", "k", content)),
  fc.array(elements, several).map((items) => value("list", "RPUSH", "k", ...items)),
  fc.array(elements, several).map((items) => value("set", "SADD", "k", ...items)),
  fc
    .array(fc.tuple(scores, elements), several)
    .map((pairs) => value("zset", "ZADD", "k", ...pairs.flatMap(([score, item]) => [scoreWord(score), item]))),
  fc.array(fc.tuple(elements, elements), several).map((pairs) => value("hash", "HSET", "k", ...pairs.flat())),
);

/** The bytes of a bulk string. */
function bulk(reply: Buffer): Buffer {
  return reply.subarray(reply.indexOf("\n") + 1, -2);
}

/** Long elements by their digests, so that a difference can be read. */
function short(element: unknown): string {
  const shown = JSON.stringify(element);
  return shown.length < 200 ? shown : `${shown.length} ${createHash("sha256").update(shown).digest("hex")}`;
}

function comparable(type: string, reply: unknown): string {
  if (!Array.isArray(reply)) return short(reply);
  const texts = reply.map(short);
  if (type === "set") return texts.sort().join(" ");
  // Redis 7.0 writes more digits of a score than are needed.
  if (type === "zset") return texts.map((word, index) => (index % 2 === 0 ? word : Number(reply[index]))).join(" ");
  if (type !== "hash") return texts.join(" ");
  const fields = texts.flatMap((field, index) => (index % 2 === 0 ? [`${field}: ${texts[index + 1]}`] : []));
  return fields.sort().join(" ");
}
