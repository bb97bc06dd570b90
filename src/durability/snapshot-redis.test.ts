/** Snapshots as redis-server 7.0 reads them: started with our file, it has the same keys, values and deadlines. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
import { CommandRunner } from "../testing/commands.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import type { RespClient } from "../testing/resp-client.ts";
import { decode } from "../testing/resp-frame.ts";
import { startRedis } from "../testing/servers.ts";
import { snapshotPlan } from "../testing/snapshot-plans.ts";
import { realFiles } from "./files.ts";
import { newSnapshotWords } from "./snapshot-words.ts";
import { type SnapshotPlan, writeSnapshot } from "./snapshot-writer.ts";

const seed = seedOfRun();
const FUTURE = 4_000_000_000_000;
const KEYS_MIN = 300;

/** What tells all of a value of a type, and whether its order has a meaning. */
const READERS: Readonly<Record<string, readonly [command: (key: string) => string[], isOrdered: boolean]>> = {
  string: [(key) => ["GET", key], true],
  list: [(key) => ["LRANGE", key, "0", "-1"], true],
  set: [(key) => ["SMEMBERS", key], false],
  zset: [(key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"], true],
  hash: [(key) => ["HGETALL", key], false],
};

/** What 7.0 calls, or has instead of, encodings that Redis has had since 7.2. */
const ENCODINGS_OF_7_0: Readonly<Record<string, string>> = {
  "list listpack": "quicklist",
  "set listpack": "hashtable",
};

function fill(runner: CommandRunner, random: Random): void {
  const texts = [() => `${random.between(-70_000, 70_000)}`, () => random.text(random.below(30)), () => "\0\xff\r\n"];
  texts.push(
    () => random.text(3).repeat(random.between(10, 2000)),
    () => `${2 ** 62 - random.below(9) * 2 ** 10}`,
  );
  const piece = (): string => random.pick(texts)();
  const pieces = (): string[] => Array.from({ length: random.pick([1, 3, 10, 100, 600]) }, piece);
  const integers = (): string[] => Array.from({ length: random.pick([1, 10, 600]) }, () => `${random.below(1e9)}`);
  const score = (): string =>
    random.pick(["-inf", "inf", "0", `${random.between(-99, 99)}`, `${random.below(1e9) / 7}`]);
  for (let index = 0; index < KEYS_MIN + 200; index++) {
    if (index % 50 === 0) runner.run("SELECT", `${random.pick([0, 1, 15])}`);
    const key = random.chance(0.9) ? `${random.text(3)}${index}` : `${index}`;
    const command = random.pick([
      () => ["SET", key, piece()],
      () => ["RPUSH", key, ...pieces()],
      () => ["SADD", key, ...pieces()],
      () => ["SADD", key, ...integers()],
      () => ["ZADD", key, ...pieces().flatMap((member) => [score(), member])],
      // Each field once: a long value that is overwritten leaves a large encoding, which a load makes small again.
      () => ["HSET", key, ...[...new Set(pieces())].flatMap((field) => [field, piece()])],
    ])();
    runner.run(...command.map((word) => Buffer.from(word, "latin1")));
    if (random.chance(0.3)) runner.run("PEXPIREAT", key, `${FUTURE + random.below(1e6)}`);
  }
}

function save(runner: CommandRunner, path: string, plan: Partial<SnapshotPlan>): void {
  const frozen = runner.keyspace.freeze();
  const view = new FrozenKeyspace(frozen.regions, frozen.databases);
  const whole = snapshotPlan({
    path,
    temporary: `${path}.temporary`,
    syncPortion: Number.POSITIVE_INFINITY,
    aux: [
      ["redis-ver", "7.2.4"],
      ["redis-bits", "64"],
      ["ctime", "1700000000"],
      ["used-mem", "1000000"],
      ["aof-base", "0"],
    ],
    ...plan,
  });
  writeSnapshot(realFiles, view, frozen.access, whole, newSnapshotWords());
  frozen.release();
}

async function describe(ask: (...command: string[]) => Promise<unknown> | unknown, key: string): Promise<unknown[]> {
  const type = String(await ask("TYPE", key));
  const [command, isOrdered] = READERS[type]!;
  const value = await ask(...command(key));
  const encoding = String(await ask("OBJECT", "ENCODING", key));
  const shown = Array.isArray(value) ? elementsOf(type, value as string[]) : value;
  if (!isOrdered) (shown as string[]).sort();
  const idle = await ask("PEXPIRETIME", key);
  return [type, ENCODINGS_OF_7_0[`${type} ${encoding}`] ?? encoding, idle, shown];
}

/** One text for each element. Of scores, 7.0 and 7.2 write the same in different ways. */
function elementsOf(type: string, value: string[]): string[] {
  if (type !== "hash" && type !== "zset") return value;
  return value.flatMap((word, index) => {
    if (index % 2 === 1) return [];
    const second = value[index + 1]!;
    return `${word.length} ${word} ${type === "zset" && !second.endsWith("inf") ? Number(second) : second}`;
  });
}

/** Compares all keys of a database. @returns how many there are */
async function compare(runner: CommandRunner, redis: RespClient, index: number): Promise<number> {
  const theirs = async (...command: string[]): Promise<unknown> => decode(await redis.command(...command));
  const ours = (...command: string[]): unknown => runner.ask(...command);
  runner.run("SELECT", `${index}`);
  await theirs("SELECT", `${index}`);
  const keys = (ours("KEYS", "*") as string[]).sort();
  assert.deepEqual(((await theirs("KEYS", "*")) as string[]).sort(), keys);
  for (const key of keys) {
    const [found, expected] = [await describe(theirs, key), await describe(ours, key)].map((it) => JSON.stringify(it));
    assert(found === expected, `${key}: ${found!.slice(0, 500)}\n${expected!.slice(0, 500)}`);
  }
  return keys.length;
}

for (const [name, plan, directives] of [
  ["as it is written by default", {}, {}],
  ["neither compressed nor summed", { compress: false, checksum: false }, { rdbchecksum: "no" }],
  ["with idle times", { access: "idle" }, { "maxmemory-policy": "allkeys-lru" }],
  ["with counts of accesses", { access: "frequency" }, { "maxmemory-policy": "allkeys-lfu" }],
] as const) {
  test(`redis-server loads a snapshot, redis-check-rdb accepts it: ${name}`, async (context) => {
    context.diagnostic(`seed ${seed}`);
    const directory = mkdtempSync(join(tmpdir(), "snapshot-redis-test-"));
    const path = join(directory, "dump.rdb");
    const lists = { "list-max-listpack-size": "-2" };
    const runner = new CommandRunner(allCommands, { directives: { ...lists, ...directives }, regionSize: 128 << 20 });
    fill(runner, new Random(seed));
    const policy = Object.entries(directives).flatMap(([directive, value]) => [`--${directive}`, value]);
    try {
      save(runner, path, plan);
      const check = spawnSync("redis-check-rdb", [path], { encoding: "utf8", timeout: 20_000 });
      assert.equal(check.status, 0, check.stdout);
      assert.match(check.stdout, /RDB looks OK/);
      const server = await startRedis(["--dir", directory, ...policy]);
      try {
        const redis = await server.client();
        let keys = 0;
        for (const index of [0, 1, 2, 15]) keys += await compare(runner, redis, index);
        assert(keys >= KEYS_MIN, `only ${keys} keys`);
        await redis.close();
      } finally {
        await server.stop();
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}
