/**
 * Files move between this server and redis-server by being copied: what one wrote, the other loads, key by key. The
 * tools of Redis accept what is written here.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { Random, seedOfRun } from "../testing/random.ts";
import type { RespClient } from "../testing/resp-client.ts";
import { type Argument, decode, printableCommand, type Reply } from "../testing/resp-frame.ts";
import { startRedis, startStillwater, type TestServer } from "../testing/servers.ts";
import { until } from "../testing/sockets.ts";

type Command = readonly Argument[];

const run = promisify(execFile);
const seed = seedOfRun();
const LONG = "x".repeat(100);
const HUGE = "0123456789".repeat(1000);
const BINARY = Buffer.from([0, 255, 13, 10, 36, 42, 35, 0]);
const WORDS = ["0", "12", "-1", "127", "128", "-129", "4095", "32767", "40000", "-8388608", "2147483648", "", "01"];
const INTEGERS = ["9223372036854775807", "-9223372036854775808", "-2147483649", "65536"];
const MANY = 700;

const many = (make: (index: number) => Argument[]): Argument[] =>
  Array.from({ length: MANY }, (_, index) => make(index)).flat();

/** Every type and encoding there is, small and large, in three databases, with and without deadlines. */
function contents(): readonly Command[] {
  const random = new Random(seed);
  const inAnHour = Date.now() + 3_600_000;
  return [
    ...[...WORDS, ...INTEGERS, LONG, HUGE].map((word, index) => ["SET", `string:${index}`, word]),
    ["SET", BINARY, BINARY],
    ["SET", "random", random.bytes(5000)],
    ["SETBIT", "bits", "70000", "1"],
    ["PFADD", "estimate:sparse", ...WORDS],
    ["PFADD", "estimate:dense", ...many((index) => [`member ${index}`, `${index * index}`])],
    ["RPUSH", "list:small", ...WORDS, ...INTEGERS],
    ["RPUSH", "list:nodes", ...many((index) => [`item ${index}`, `${index}`])],
    ["RPUSH", "list:plain", HUGE, ...WORDS, HUGE, BINARY],
    ["SADD", "set:16", "1", "-5", "300"],
    ["SADD", "set:32", "1", "-70000"],
    ["SADD", "set:64", ...INTEGERS],
    ["SADD", "set:small", ...WORDS, "a"],
    ["SADD", "set:large", ...many((index) => [`member ${index}`]), BINARY],
    ["HSET", "hash:small", "a", "1", "b", "text", "", ""],
    ["HSET", "hash:long", "a", LONG, "b", HUGE],
    ["HSET", "hash:large", ...many((index) => [`field ${index}`, `${index}`]), BINARY, BINARY],
    ["ZADD", "zset:small", "1", "a", "-inf", "12", "inf", "", "0.1", "b", "1e100", "c"],
    ["ZADD", "zset:large", ...many((index) => [`${index / 3}`, `member ${index}`]), "1", LONG],
    ["GEOADD", "places", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania"],
    ["SET", "deadline:far", "1", "PXAT", `${inAnHour}`],
    ["PEXPIREAT", "hash:small", `${inAnHour + 1}`],
    ["PEXPIREAT", "list:nodes", `${inAnHour + 2}`],
    ["SELECT", "3"],
    ["SET", "here", "database 3"],
    ["HSET", "hash", "field", "value"],
    ["SELECT", "15"],
    ["RPUSH", "list", ...WORDS],
    ["SET", "gone", "soon", "PX", "1"],
    ["SELECT", "0"],
  ];
}

/** Commands that must not be executed twice, or are logged in another form than they came in. */
const CHANGES: readonly Command[] = [
  ["INCR", "string:0"],
  ["INCRBY", "counter", "5"],
  ["INCRBYFLOAT", "float", "0.1"],
  ["INCRBYFLOAT", "float", "0.2"],
  ["HINCRBYFLOAT", "hash:large", "field 1", "0.1"],
  ["APPEND", "string:1", "more"],
  ["SETRANGE", "string:17", "3", "abc"],
  ["BITFIELD", "bits", "INCRBY", "u8", "0", "200", "OVERFLOW", "SAT", "INCRBY", "u8", "0", "100"],
  ["LMOVE", "list:small", "list:nodes", "LEFT", "RIGHT"],
  ["LPOP", "list:plain"],
  ["LINSERT", "list:small", "BEFORE", "127", "inserted"],
  ["LMPOP", "2", "none", "list:small", "RIGHT", "COUNT", "2"],
  ["SPOP", "set:large", "10"],
  ["SPOP", "set:16"],
  ["SMOVE", "set:small", "set:16", "a"],
  ["SUNIONSTORE", "union", "set:32", "set:64"],
  ["ZINCRBY", "zset:small", "0.1", "a"],
  ["ZPOPMIN", "zset:large", "3"],
  ["ZADD", "zset:small", "GT", "CH", "5", "a", "7", "new"],
  ["ZRANGESTORE", "range", "zset:large", "0", "20"],
  ["HDEL", "hash:large", "field 2"],
  ["SORT", "list:small", "ALPHA", "STORE", "sorted"],
  ["GETDEL", "string:2"],
  ["GETEX", "string:3", "EX", "5000"],
  ["SET", "string:4", "v", "EX", "5000"],
  ["SETEX", "string:5", "5000", "v"],
  ["EXPIRE", "hash:long", "5000"],
  ["EXPIRE", "set:32", "-1"],
  ["PERSIST", "deadline:far"],
  ["COPY", "zset:small", "zset:copy", "DB", "3"],
  ["RENAME", "hash:long", "hash:renamed"],
  ["MOVE", "places", "3"],
  ["SELECT", "3"],
  ["MSET", "a", "1", "b", "2"],
  ["DEL", "here"],
  ["SWAPDB", "3", "5"],
  ["SELECT", "15"],
  ["FLUSHDB"],
  ["SET", "after", "the flush"],
  ["SELECT", "0"],
];

const TRANSACTION: readonly Command[] = [
  ["MULTI"],
  ["INCR", "transaction"],
  ["RPUSH", "transaction:list", "a", "b"],
  ["SELECT", "3"],
  ["INCR", "transaction"],
  ["SPOP", "hash"],
  ["EXEC"],
  ["SELECT", "0"],
];

/** Thresholds of small encodings, as arguments of either server. */
const LIMITS: Readonly<Record<string, readonly string[]>> = {
  "limits as by default": [],
  "everything large": ["hash-max-listpack-entries", "zset-max-listpack-entries", "set-max-intset-entries"]
    .flatMap((name) => [`--${name}`, "0"])
    .concat("--list-max-listpack-size", "1"),
  "everything small": ["hash-max-listpack-entries", "zset-max-listpack-entries", "set-max-intset-entries"]
    .flatMap((name) => [`--${name}`, "2000"])
    .concat("--list-max-listpack-size", "2000", "--hash-max-listpack-value", "20000"),
};

const READERS: Readonly<Record<string, (key: Argument) => Command>> = {
  string: (key) => ["GET", key],
  list: (key) => ["LRANGE", key, "0", "-1"],
  set: (key) => ["SMEMBERS", key],
  zset: (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"],
  hash: (key) => ["HGETALL", key],
};

async function send(server: TestServer, commands: readonly Command[]): Promise<void> {
  const client = await server.client();
  const replies = await client.pipeline(commands);
  const refused = replies.findIndex((reply) => /^-/.test(reply.toString()));
  assert.equal(refused, -1, `${printableCommand(commands[refused] ?? [])} => ${replies[refused]}`);
  await client.close();
}

/** All keys of all databases: what reading commands say of them. */
async function everything(server: TestServer): Promise<Map<string, Reply>> {
  const client = await server.client();
  const found = new Map<string, Reply>();
  for (let database = 0; database < 16; database++) {
    await client.command("SELECT", database);
    for (const key of decode(await client.command("KEYS", "*")) as readonly (string | Buffer)[]) {
      found.set(`${database} ${JSON.stringify(key)}`, await described(client, key));
    }
  }
  await client.close();
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function described(client: RespClient, key: string | Buffer): Promise<Reply> {
  const type = String(decode(await client.command("TYPE", key)));
  const [value, deadline] = await client.pipeline([READERS[type]!(key), ["PEXPIRETIME", key]]);
  return [type, comparable(type, decode(value!)), decode(deadline!)];
}

/** Without an order where there is none, and with scores as numbers: 7.0 writes more digits of them than are needed. */
function comparable(type: string, value: Reply): Reply {
  if (!Array.isArray(value)) return value;
  const texts = (value as readonly Reply[]).map((item) => JSON.stringify(item));
  if (type === "set") return texts.sort();
  const pairs = texts.flatMap((text, index) => (index % 2 === 0 ? [[text, texts[index + 1]!]] : []));
  if (type === "hash") return pairs.map(String).sort();
  if (type === "zset") return pairs.map(([member, score]) => [member!, Number(JSON.parse(score!))]);
  return texts;
}

async function assertSame(server: TestServer, wanted: Map<string, Reply>): Promise<void> {
  const found = await everything(server);
  assert.deepEqual([...found.keys()], [...wanted.keys()]);
  for (const [key, value] of wanted) assert.deepEqual(found.get(key), value, key);
}

/** What a server holds, which must be much: comparing nothing with nothing shows nothing. */
async function much(server: TestServer): Promise<Map<string, Reply>> {
  const all = await everything(server);
  assert(all.size > 30, `only ${all.size} keys`);
  for (const type of Object.keys(READERS)) {
    assert(
      [...all.values()].some((value) => (value as readonly Reply[])[0] === type),
      `no ${type}`,
    );
  }
  return all;
}

type Starter = (args: readonly string[]) => Promise<TestServer>;

async function started(t: TestContext, start: Starter, args: readonly string[]): Promise<TestServer> {
  const server = await start(args);
  t.after(() => server.stop());
  return server;
}

/** Copies a server's files, to start another on them while the first one still runs: without the first one's lock. */
function copyOf(t: TestContext, { directory }: TestServer): string {
  const copy = mkdtempSync(join(tmpdir(), "stillwater-files-"));
  t.after(() => rmSync(copy, { recursive: true, force: true }));
  cpSync(directory, copy, { recursive: true, filter: (path) => !path.endsWith(".lock") });
  return copy;
}

/** Waits for a rewrite of the log that has been asked for. */
async function rewritten(server: TestServer): Promise<void> {
  const client = await server.client();
  await until(
    "the log is rewritten",
    async () => {
      const info = (await client.command("INFO", "persistence")).toString();
      assert.match(info, /\r\naof_last_bgrewrite_status:ok\r\n/);
      return /\r\naof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(info);
    },
    20_000,
  );
  await client.close();
}

/** What INFO says of the last RDB that was loaded, be it the base of a log. */
async function lastLoad(server: TestServer): Promise<string[]> {
  const client = await server.client();
  const info = (await client.command("INFO", "persistence")).toString();
  await client.close();
  const lines = info.match(/rdb_last_load_\w+:\d+/g) ?? [];
  assert.equal(lines.length, 2);
  return lines.sort();
}

/** The log's files, the manifest first. */
function logFiles(directory: string): string[] {
  const names = readdirSync(join(directory, "appendonlydir"));
  const isManifest = (name: string): boolean => name.endsWith(".manifest");
  return [...names.filter(isManifest), ...names.filter((name) => !isManifest(name))].map((name) =>
    join(directory, "appendonlydir", name),
  );
}

const ON = ["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"];
const loadedFrom = (directory: string, ...more: string[]): string[] => ["--dir", directory, ...more];

describe("dump.rdb", { concurrency: 2 }, () => {
  for (const [name, limits] of Object.entries(LIMITS)) {
    for (const compression of limits.length === 0 ? ["yes", "no"] : ["yes"]) {
      test(`ours, to redis-server: ${name}, compression ${compression}`, async (t) => {
        const ours = await started(t, startStillwater, [...limits, "--rdbcompression", compression]);
        await send(ours, [...contents(), ...CHANGES, ["SAVE"]]);
        const directory = copyOf(t, ours);
        const { stdout } = await run("redis-check-rdb", [join(directory, "dump.rdb")]);
        assert.match(stdout, /RDB looks OK!/);
        await assertSame(await started(t, startRedis, loadedFrom(directory)), await much(ours));
      });

      test(`redis-server's, to ours: ${name}, compression ${compression}`, async (t) => {
        const redis = await started(t, startRedis, [...limits, "--rdbcompression", compression]);
        await send(redis, [...contents(), ...CHANGES, ["SAVE"]]);
        const directory = copyOf(t, redis);
        await assertSame(await started(t, startStillwater, loadedFrom(directory)), await much(redis));
      });
    }
  }

  test("redis-server's becomes the first base of our log, and later redis-server reads that", async (t) => {
    const redis = await started(t, startRedis, []);
    await send(redis, [...contents(), ["SAVE"]]);
    const ours = await started(t, startStillwater, loadedFrom(copyOf(t, redis), ...ON));
    await assertSame(ours, await much(redis));
    await send(ours, CHANGES);
    const before = await much(ours);
    const client = await ours.client();
    const [, directory] = decode(await client.command("CONFIG", "GET", "dir")) as readonly string[];
    await client.close();
    await ours.stop();
    await assertSame(await started(t, startRedis, loadedFrom(directory!, ...ON)), before);
  });
});

describe("the log", { concurrency: 2 }, () => {
  const cases = Object.entries(LIMITS).flatMap(([name, limits]) =>
    (name === "everything small" ? ["yes"] : ["yes", "no"]).map((preamble) => [name, limits, preamble] as const),
  );
  for (const [name, limits, preamble] of cases) {
    const form = ["--aof-use-rdb-preamble", preamble, "--aof-timestamp-enabled", preamble === "yes" ? "no" : "yes"];

    test(`ours, to redis-server: ${name}, RDB preamble ${preamble}`, async (t) => {
      const ours = await started(t, startStillwater, [...limits, ...ON, ...form, "--appendfsync", "always"]);
      await send(ours, [...contents(), ["BGREWRITEAOF"]]);
      await rewritten(ours);
      await send(ours, CHANGES);
      const before = await much(ours);
      const directory = copyOf(t, ours);
      const [manifest, ...others] = logFiles(directory);
      assert(others.length >= 2, `${others}`);
      assert(others.some((other) => other.endsWith(preamble === "yes" ? ".base.rdb" : ".base.aof")));
      for (const file of [manifest!, ...others.filter((other) => other.endsWith(".aof"))]) {
        const { stdout } = await run("redis-check-aof", [file]);
        assert.match(stdout, /is valid|AOF analyzed: .*ok_up_to/s, file);
        assert.doesNotMatch(stdout, /not valid|diff=[1-9]/, file);
      }
      const redis = await started(t, startRedis, loadedFrom(directory, ...ON));
      await assertSame(redis, before);
      const load = await lastLoad(redis);
      assert.equal(load.includes("rdb_last_load_keys_loaded:0"), preamble === "no", `${load}`);
      // What it appends stands behind our batches, in the same file.
      await send(redis, [["INCR", "counter"], ...TRANSACTION, ["RPUSH", "list:nodes", "last"]]);
      const after = await much(redis);
      await redis.stop();
      const again = await started(t, startStillwater, loadedFrom(directory, ...ON));
      await assertSame(again, after);
      assert.deepEqual(await lastLoad(again), load);
    });

    if (preamble === "yes" || limits.length === 0) {
      test(`redis-server's, to ours and back: ${name}, RDB preamble ${preamble}`, async (t) => {
        const redis = await started(t, startRedis, [...limits, ...ON, ...form]);
        await send(redis, [...contents(), ["BGREWRITEAOF"]]);
        await rewritten(redis);
        await send(redis, [...CHANGES, ...TRANSACTION]);
        const before = await much(redis);
        const directory = copyOf(t, redis);
        const ours = await started(t, startStillwater, loadedFrom(directory, ...ON));
        await assertSame(ours, before);
        await send(ours, [
          ["INCR", "counter"],
          ["RPUSH", "list:nodes", "last"],
        ]);
        const after = await much(ours);
        await ours.stop();
        await assertSame(await started(t, startStillwater, loadedFrom(directory, ...ON)), after);
      });
    }
  }
});
