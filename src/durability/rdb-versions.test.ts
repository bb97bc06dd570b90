/**
 * Files as the versions of Redis wrote them, every encoding there ever was, built byte by byte; what redis-server 7.0
 * makes of the same bytes; and files that it writes itself.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { CommandRunner } from "../testing/commands.ts";
import { loadBytes, rdbFile, savedKey, savedString, selectRecord } from "../testing/rdb-files.ts";
import type { RespClient } from "../testing/resp-client.ts";
import { type Argument, decode, type Reply } from "../testing/resp-frame.ts";
import {
  double,
  intset,
  listpack,
  littleEndian,
  size,
  text,
  textScore,
  ziplist,
  zipmap,
} from "../testing/saved-forms.ts";
import { startRedis } from "../testing/servers.ts";

const LONG = "long ".repeat(40);
const value = (type: number, ...parts: Buffer[]): Buffer => Buffer.concat([Buffer.from([type]), ...parts]);
const strings = (...elements: string[]): Buffer[] => [size(elements.length), ...elements.map(text)];

/** What a version writes for the types: the name of each key, its value. */
const RDB_1: readonly [string, Buffer][] = [
  ["list", value(1, ...strings("a", "12", LONG))],
  ["set", value(2, ...strings("a", "12", LONG))],
  ["zset", value(3, size(3), text("a"), textScore(-1.5), text("b"), textScore(Infinity), text("c"), textScore(1 / 3))],
  ["hash", value(4, size(2), text("f"), text("1"), text("g"), text(LONG))],
];
const RDB_2: readonly [string, Buffer][] = [
  ...RDB_1,
  ["zipmap", value(9, text(zipmap(1, "f", "1", "g", LONG)))],
  ["ziplist", value(10, text(ziplist("a", "-5", "300", "70000", "9000000", "9223372036854775807", LONG)))],
  ["intset16", value(11, text(intset(2, -5, 7)))],
  ["intset32", value(11, text(intset(4, -70_000, 7)))],
  ["intset64", value(11, text(intset(8, -(2n ** 60n), 7)))],
  ["zziplist", value(12, text(ziplist("a", "-1.5", "b", "2", "c", "inf")))],
];
const RDB_6: readonly [string, Buffer][] = [...RDB_2, ["hziplist", value(13, text(ziplist("f", "1", "g", LONG)))]];
const RDB_7: readonly [string, Buffer][] = [
  ...RDB_6,
  ["quicklist", value(14, size(2), text(ziplist("a", "b", LONG)), text(ziplist("12", "c")))],
];
const RDB_8: readonly [string, Buffer][] = [
  ...RDB_7,
  ["zset2", value(5, size(3), text("b"), double(Infinity), text("c"), double(1 / 3), text("a"), double(-1.5))],
];
const RDB_10: readonly [string, Buffer][] = [
  ...RDB_8,
  ["hlistpack", value(16, text(listpack(["f", "1", "g", LONG])))],
  ["zlistpack", value(17, text(listpack(["a", "-1.5", "b", "2", "c", "inf"])))],
  ["quicklist2", value(18, size(2), size(2), text(listpack(["a", "b", "12"])), size(1), text(LONG))],
];
const RDB_11: readonly [string, Buffer][] = [...RDB_10, ["slistpack", value(20, text(listpack(["a", "12", LONG])))]];

/** By Redis's versions: the file's version, and what it may hold. The last are more than redis-server 7.0 reads. */
const VERSIONS: readonly [redis: string, version: number, keys: readonly [string, Buffer][]][] = [
  ["1.0", 1, RDB_1],
  ["2.4", 2, RDB_2],
  ["2.8", 6, RDB_6],
  ["3.2", 7, RDB_7],
  ["4.0", 8, RDB_8],
  ["5.0 and 6.2", 9, RDB_8],
  ["7.0", 10, RDB_10],
  ["7.2, and Valkey 7.2 and 8", 11, RDB_11],
];

function fileOf(version: number, keys: readonly [string, Buffer][]): Buffer {
  const records = [
    selectRecord(0),
    savedString("string", "value"),
    savedKey("int8", value(0, Buffer.from([0xc0, 0x80]))),
    savedKey("int16", value(0, Buffer.from([0xc1, 0x00, 0x80]))),
    savedKey("int32", value(0, Buffer.from([0xc2]), littleEndian(-70_000, 4))),
    savedKey("lzf", value(0, Buffer.from("c3051c0061e01200", "hex"))),
    savedString(Buffer.from("binary\0\xff", "latin1"), Buffer.from("\0\xff\r\n", "latin1")),
    savedString("seconds", "v", { seconds: 2_100_000_000 }),
  ];
  if (version >= 3) records.push(savedString("milliseconds", "v", { deadline: 2_100_000_000_123 }));
  for (const [name, bytes] of keys) records.push(savedKey(name, bytes));
  records.push(selectRecord(9), savedString("elsewhere", "v"));
  return rdbFile(records, version);
}

/** What each of these keys is, whatever it was saved as: its type, and what its reader says. */
const EXPECTED: Readonly<Record<string, readonly [type: string, content: readonly (string | number)[] | string]>> = {
  string: ["string", "value"],
  int8: ["string", "-128"],
  int16: ["string", "-32768"],
  int32: ["string", "-70000"],
  lzf: ["string", "a".repeat(28)],
  seconds: ["string", "v"],
  milliseconds: ["string", "v"],
  elsewhere: ["string", "v"],
  list: ["list", ["a", "12", LONG]],
  set: ["set", ["12", "a", LONG]],
  zset: ["zset", ["a", -1.5, "c", 1 / 3, "b", "inf"]],
  hash: ["hash", ["f=1", `g=${LONG}`]],
  zipmap: ["hash", ["f=1", `g=${LONG}`]],
  ziplist: ["list", ["a", "-5", "300", "70000", "9000000", "9223372036854775807", LONG]],
  intset16: ["set", ["-5", "7"]],
  intset32: ["set", ["-70000", "7"]],
  intset64: ["set", ["-1152921504606846976", "7"]],
  zziplist: ["zset", ["a", -1.5, "b", 2, "c", "inf"]],
  hziplist: ["hash", ["f=1", `g=${LONG}`]],
  quicklist: ["list", ["a", "b", LONG, "12", "c"]],
  zset2: ["zset", ["a", -1.5, "c", 1 / 3, "b", "inf"]],
  hlistpack: ["hash", ["f=1", `g=${LONG}`]],
  zlistpack: ["zset", ["a", -1.5, "b", 2, "c", "inf"]],
  quicklist2: ["list", ["a", "b", "12", LONG]],
  slistpack: ["set", ["12", "a", LONG]],
};

/** What tells all of a value, by its type. */
const READERS: Readonly<Record<string, (key: Argument) => Argument[]>> = {
  string: (key) => ["GET", key],
  list: (key) => ["LRANGE", key, "0", "-1"],
  set: (key) => ["SMEMBERS", key],
  zset: (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"],
  hash: (key) => ["HGETALL", key],
};

type Ask = (...command: Argument[]) => Promise<Reply> | Reply;

interface Content {
  readonly type: string;
  readonly deadline: Reply;
  readonly content: unknown;
}

/** All that there is in two databases of a store. */
async function contents(ask: Ask): Promise<Record<string, Content>> {
  const found: Record<string, Content> = {};
  for (const database of ["0", "9"]) {
    await ask("SELECT", database);
    for (const name of (await ask("KEYS", "*")) as readonly (string | Buffer)[]) {
      const type = String(await ask("TYPE", name));
      const content = await ask(...READERS[type]!(name));
      const deadline = await ask("PEXPIRETIME", name);
      found[`${database} ${typeof name === "string" ? name : name.toString("latin1")}`] = {
        type,
        deadline,
        content: inOrder(type, content),
      };
    }
  }
  await ask("SELECT", "0");
  return found;
}

/** Members and fields come in any order; versions 7.0 and 7.2 write the same score in different words. */
function inOrder(type: string, content: Reply): unknown {
  if (type === "zset") {
    return (content as string[]).map((part, index) => (index % 2 === 0 || part.endsWith("inf") ? part : Number(part)));
  }
  if (type === "set") return [...(content as string[])].map(String).sort();
  if (type !== "hash") return content;
  const parts = (content as string[]).map(String);
  return parts.flatMap((part, index) => (index % 2 === 0 ? [`${part}=${parts[index + 1]}`] : [])).sort();
}

const inRunner =
  (runner: CommandRunner): Ask =>
  (...command) =>
    runner.ask(...command);

const inRedis =
  (client: RespClient): Ask =>
  async (...command) =>
    decode(await client.command(...command));

/** A redis-server that loads `file` at its start. */
async function redisWith(t: TestContext, file: Buffer): Promise<Ask> {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-rdb-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, "dump.rdb"), file);
  const server = await startRedis(["--dir", directory]);
  t.after(() => server.stop());
  return inRedis(await server.client());
}

describe("files of every version", { concurrency: 2 }, () => {
  for (const [redis, version, keys] of VERSIONS) {
    test(`Redis ${redis}: RDB ${version}`, async (t) => {
      const file = fileOf(version, keys);
      const { runner, error, loader } = loadBytes(file, { window: 64 });
      assert.equal(error, undefined);
      const found = await contents(inRunner(runner));
      for (const [name, { type, content }] of Object.entries(found)) {
        if (name.includes("binary")) assert.deepEqual(content, Buffer.from("\0\xff\r\n", "latin1"));
        else assert.deepEqual([type, content], EXPECTED[name.slice(2)], name);
      }
      assert.equal(found["0 seconds"]!.deadline, 2_100_000_000_000);
      if (version >= 3) assert.equal(found["0 milliseconds"]!.deadline, 2_100_000_000_123);
      assert.equal(Object.keys(found).length, loader.keysLoaded);
      assert.ok(loader.keysLoaded >= keys.length + 8);
      runner.verify();
      if (version <= 10) assert.deepEqual(await contents(await redisWith(t, file)), found);
    });
  }
});

test("Redis 7.4: RDB 12, fields that have deadlines", () => {
  const first = 2_100_000_000_000;
  const pairs = [size(0), text("f"), text("v"), size(6), text("g"), text("w")];
  const packed = listpack(["g", "w", `${first + 5}`, "f", "v", "0"]);
  const records = [
    savedKey("table", value(24, littleEndian(first, 8), size(2), ...pairs)),
    savedKey("packed", value(25, littleEndian(first + 5, 8), text(packed))),
    savedKey("packed by a candidate", value(23, text(packed))),
  ];
  const { runner, error } = loadBytes(rdbFile(records, 12), { window: 64 });
  assert.equal(error, undefined);
  for (const key of ["table", "packed", "packed by a candidate"]) {
    assert.deepEqual(runner.ask("HPEXPIRETIME", key, "FIELDS", "3", "f", "g", "h"), [-1, first + 5, -2], key);
    assert.equal(runner.ask("HGET", key, "g"), "w");
  }
  runner.verify();
});

/** Values of every type and encoding that redis-server 7.0 has, with the limits below. */
const COMMANDS: readonly (readonly Argument[])[] = [
  ["SET", "text", "value"],
  ["SET", "number", "12345"],
  ["SET", "large number", "-9223372036854775808"],
  ["SET", "long", "ab".repeat(50_000)],
  ["SET", "random", Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7919) & 0xff))],
  ["SET", Buffer.from("\0\xfe"), "binary"],
  ["SET", "", "no name"],
  ["SET", "dated", "v", "PXAT", "2100000000123"],
  ["RPUSH", "list", "a", "1", LONG],
  ["RPUSH", "long list", ...Array.from({ length: 1000 }, (_, index) => `element ${index}`)],
  ["RPUSH", "list of long ones", "x".repeat(20_000), "small", "y".repeat(20_000)],
  ["SADD", "integers", "1", "-5", "70000"],
  ["SADD", "long integers", "1", "-9223372036854775808"],
  ["SADD", "words", "a", "b", "12", ""],
  ["SADD", "many", ...Array.from({ length: 1000 }, (_, index) => `member ${index}`)],
  ["SADD", "many integers", ...Array.from({ length: 1000 }, (_, index) => `${index * 3}`)],
  ["ZADD", "scores", "1", "a", "-inf", "b", "0.1", "c", "1e300", "12"],
  ["ZADD", "many scores", ...Array.from({ length: 1000 }, (_, index) => [`${index / 7}`, `member ${index}`]).flat()],
  ["HSET", "small hash", "f", "1", "g", "text", "", ""],
  ["HSET", "large hash", ...Array.from({ length: 1000 }, (_, index) => [`field ${index}`, `${index}`]).flat()],
  ["HSET", "wide hash", "f", "w".repeat(5000)],
  ["PEXPIREAT", "large hash", "2100000000456"],
  ["SELECT", "9"],
  ["SET", "elsewhere", "v"],
  ["SELECT", "0"],
];

test("what redis-server has saved is read as what it has", async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const ask = inRedis(await server.client());
  for (const isCompressed of ["yes", "no"]) {
    await ask("FLUSHALL");
    await ask("CONFIG", "SET", "rdbcompression", isCompressed);
    for (const command of COMMANDS) await ask(...command);
    await ask("FUNCTION", "LOAD", "REPLACE", "#!lua name=one\nredis.register_function('f', function() return 1 end)");
    await ask("SAVE");
    const file = readFileSync(join(server.directory, "dump.rdb"));
    for (const window of [64, 1000, 1 << 20]) {
      const runner = new CommandRunner(allCommands);
      const { error, loader, functions } = loadBytes(file, { window }, runner);
      assert.equal(error, undefined);
      assert.equal(loader.aux.get("redis-bits"), "64");
      assert.equal(functions.length, 1);
      const found = await contents(inRunner(runner));
      assert.equal(Object.keys(found).length, loader.keysLoaded);
      assert.ok(loader.keysLoaded > 20);
      assert.deepEqual(found, await contents(ask));
      runner.verify();
    }
  }
});
