/** Snapshots as commands: what is in them, that they load, that Redis writes the same, and what damage does to them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { Recovery } from "../engine/recovery.ts";
import { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { digestOf } from "../keyspace/live-digest.ts";
import { HASH_LISTPACK_OF_DEADLINES } from "../rdb/format.ts";
import { CommandRunner } from "../testing/commands.ts";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { FreezeWriter } from "../testing/freeze-writer.ts";
import { resp } from "../testing/log-builder.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { AOF_DIR, DIR, incrPath, MANIFEST, ON, refusal, runnerWith } from "../testing/recovering.ts";
import { listpack, littleEndian, payload, text } from "../testing/saved-forms.ts";
import { startRedis } from "../testing/servers.ts";
import { snapshotPlan } from "../testing/snapshot-plans.ts";
import { until } from "../testing/sockets.ts";
import { type CommandFileOptions, CommandFileWriter } from "./command-file-writer.ts";
import { LogReader } from "./log-reader.ts";
import { CANCELLED, decide, KEYS, KIBIBYTES, newSnapshotWords } from "./snapshot-words.ts";
import { SnapshotCancelledError, writeSnapshot } from "./snapshot-writer.ts";

const seed = seedOfRun();
const BASE = join(AOF_DIR, "appendonly.aof.1.base.aof");
const SETTINGS = { syncPortion: Number.POSITIVE_INFINITY, timestamp: undefined };
const BATCH_LINES = /#stillwater:.*\r\n/g;
/** As small as a buffer may be, one that splits hardly anything, and the usual one. */
const CAPACITIES = [1024, 50_000, undefined];
const ELEMENTS_MAX = 64;
/** Syncs of a portion and of the whole, and what makes the file disappear. */
const CALLS_TO_END = 4;

const PLAN = snapshotPlan({ path: undefined, temporary: BASE, form: "commands", aux: [["aof-base", "1"]] });

/** A disk with a log whose base is what the keyspace holds, and whose only increment is this. */
function written(
  keyspace: Keyspace,
  options: Partial<CommandFileOptions>,
  incr: Buffer = Buffer.alloc(0),
): FaultyFiles {
  const files = new FaultyFiles([DIR, AOF_DIR]);
  const frozen = keyspace.freeze();
  const file = files.open(BASE, "create");
  const writer = new CommandFileWriter(file, { ...SETTINGS, ...options });
  let keys = 0;
  for (const { index, count, forEach } of withMethods(new FrozenKeyspace(frozen.regions, frozen.databases))) {
    if (count > 0) writer.database(index);
    forEach((entry) => {
      writer.entry(entry);
      keys += 1;
    });
  }
  writer.finish();
  assert.equal(writer.keys, keys);
  assert.equal(writer.written, file.size());
  file.close();
  frozen.release();
  files.put(incrPath(1), incr);
  const lines = ["appendonly.aof.1.base.aof seq 1 type b", "appendonly.aof.1.incr.aof seq 1 type i"];
  files.put(MANIFEST, Buffer.from(lines.map((line) => `file ${line}\n`).join("")));
  return files;
}

function withMethods({ databases }: FrozenKeyspace) {
  return databases.map((database) => ({
    index: database.index,
    count: database.count,
    forEach: database.forEach.bind(database),
  }));
}

async function loaded(files: FaultyFiles, regionSize = 64 << 20): Promise<CommandRunner> {
  const runner = runnerWith(ON, regionSize);
  await new Recovery(runner.engine, { files }).run();
  runner.verify();
  return runner;
}

const digests = ({ databases }: Keyspace): string[] => databases.slice(0, 4).map((database) => digestOf(database));

function filled(random: Random, writes: number): Keyspace {
  const keyspace = new Keyspace({ shards: 2, regionSize: 32 << 20, databases: 4 });
  const writer = new FreezeWriter(keyspace, random, 800);
  writer.collectionEvery = 2;
  for (let count = 0; count < writes; count++) writer.write();
  return keyspace;
}

const bodyOf = (files: FaultyFiles): string => files.contentOf(BASE)!.toString("latin1").replace(BATCH_LINES, "");

test("any history, written and loaded, is the same data, whatever the buffer", async (t) => {
  t.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  for (const capacity of CAPACITIES) {
    const keyspace = filled(random, 1500);
    const files = written(keyspace, capacity === undefined ? {} : { capacity });
    const counts = { alone: 0, batched: 0, portions: 0 };
    const file = files.open(BASE, "read");
    const reader = new LogReader(file);
    while (reader.next()) {
      const { args } = reader;
      counts[reader.isInBatch ? "batched" : "alone"] += 1;
      const width = args.is(0, "HMSET") || args.is(0, "ZADD") ? 2 : args.is(0, "RPUSH") || args.is(0, "SADD") ? 1 : 0;
      if (width === 0) continue;
      const elements = (args.count - 2) / width;
      assert(elements >= 1 && elements <= ELEMENTS_MAX, `${elements} elements`);
      if (elements === ELEMENTS_MAX) counts.portions += 1;
    }
    file.close();
    assert.equal(reader.torn, undefined);
    assert(counts.batched > 300, "nothing was written");
    assert(counts.portions > 0 || capacity === 1024, "nothing was large");
    // What does not fit into the buffer has no checksum: for the usual one, nothing here is so large.
    assert.equal(counts.alone > 0, capacity === 1024, JSON.stringify(counts));
    assert.deepEqual(digests((await loaded(files)).keyspace), digests(keyspace));
  }
});

test("the commands: portions of 64, deadlines behind, databases, functions, the time", () => {
  const runner = new CommandRunner(allCommands);
  const items = Array.from({ length: 130 }, (_, index) => `item ${index}`);
  const commands = [
    ["RPUSH", "list", ...items],
    ["PEXPIREAT", "list", "4000000000001"],
    ["SELECT", "2"],
    ["SADD", "set", "3", "1", "2"],
    ["SELECT", "3"],
    ["ZADD", "zset", "1", "a", "2.5", "b", "inf", "c"],
    ["SELECT", "4"],
    ["HSET", "hash", "f", "1", "g", "2", "h", "3"],
    ["HPEXPIREAT", "hash", "4000000000002", "FIELDS", "2", "f", "h"],
    ["SELECT", "5"],
    ["SET", "string", "-12"],
  ];
  for (const command of commands) runner.run(...command);
  const library = "#!lua name=mylib\n-- nothing";
  const files = new FaultyFiles([DIR, AOF_DIR]);
  const frozen = runner.keyspace.freeze();
  const view = new FrozenKeyspace(frozen.regions, frozen.databases);
  const plan = { ...PLAN, timestamp: 1_700_000_000, functions: [Buffer.from(library)] };
  const figures = writeSnapshot(files, view, frozen.access, plan, newSnapshotWords());
  frozen.release();
  const expected = [
    ["FUNCTION", "LOAD", library],
    ["SELECT", "0"],
    ["RPUSH", "list", ...items.slice(0, 64)],
    ["RPUSH", "list", ...items.slice(64, 128)],
    ["RPUSH", "list", ...items.slice(128)],
    ["PEXPIREAT", "list", "4000000000001"],
    ["SELECT", "2"],
    ["SADD", "set", "1", "2", "3"],
    ["SELECT", "3"],
    ["ZADD", "zset", "1", "a", "2.5", "b", "inf", "c"],
    ["SELECT", "4"],
    ["HMSET", "hash", "f", "1", "h", "3", "g", "2"],
    ["HPEXPIREAT", "hash", "4000000000002", "FIELDS", "1", "f"],
    ["HPEXPIREAT", "hash", "4000000000002", "FIELDS", "1", "h"],
    ["SELECT", "5"],
    ["SET", "string", "-12"],
  ].map((words) => resp(...words).toString("latin1"));
  assert.equal(bodyOf(files), `#TS:1700000000\r\n${expected.join("")}`);
  assert.deepEqual(figures, { keys: 5, bytes: files.contentOf(BASE)!.length });
});

test("long strings, long elements and long keys, around the size of the buffer", async (t) => {
  t.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const capacity = 1024;
  const runner = new CommandRunner(allCommands);
  const lengths = [0, 200, 255, 256, 257, 400, 511, 512, 513, 990, 1000, 1023, 1024, 1025, 3000];
  const piece = (): Buffer => random.bytes(random.pick(lengths));
  for (const length of lengths) {
    const long = random.bytes(length);
    runner.run("SET", `string ${length}`, long);
    const key = (type: string): Buffer => Buffer.concat([Buffer.from(`${type} ${length} `), long]);
    runner.run("SET", key("s"), piece(), "PXAT", "4000000000000");
    for (let count = 0; count < 100; count++) {
      runner.run("RPUSH", key("l"), piece());
      runner.run("SADD", key("m"), piece());
      runner.run("ZADD", key("z"), `${random.below(1e9) / 7}`, piece());
      runner.run("HSET", key("h"), piece(), piece());
    }
  }
  const files = written(runner.keyspace, { capacity });
  assert.deepEqual(digests((await loaded(files)).keyspace), digests(runner.keyspace));
});

test("what has expired is there until the log says that it is gone, a field as well as a key", async () => {
  let now = 1_000_000;
  const runner = new CommandRunner(allCommands, { now: () => now });
  runner.run("SET", "counter", "5", "PXAT", "1000100");
  runner.run("HSET", "hash", "f", "5", "g", "1");
  runner.run("HPEXPIREAT", "hash", "1000100", "FIELDS", "1", "f");
  now = 1_000_050;
  const incr = Buffer.concat([resp("SELECT", "0"), resp("INCR", "counter"), resp("HINCRBY", "hash", "f", "1")]);
  const { keyspace } = await loaded(written(runner.keyspace, {}, incr));
  keyspace.isLoading = true;
  const view = new CommandRunner(allCommands, { over: keyspace });
  assert.equal(view.ask("GET", "counter"), "6");
  assert.equal(view.run("PEXPIRETIME", "counter"), ":1000100\r\n");
  assert.deepEqual(view.ask("HMGET", "hash", "f", "g"), ["6", "1"]);
  assert.equal(view.run("HPEXPIRETIME", "hash", "FIELDS", "1", "f"), "*1\r\n:1000100\r\n");
});

test("a field's deadline that is later than a command may say is as late as it may be", async () => {
  const late = 2 ** 47;
  const pack = listpack(["f", "v", `${late}`]);
  const runner = new CommandRunner(allCommands);
  const value = payload(HASH_LISTPACK_OF_DEADLINES, [littleEndian(late, 8), text(pack)], 12);
  assert.equal(runner.run("RESTORE", "hash", "0", value), "+OK\r\n");
  assert.equal(runner.run("HPEXPIRETIME", "hash", "FIELDS", "1", "f"), `*1\r\n:${late}\r\n`);
  const found = await loaded(written(runner.keyspace, {}));
  assert.equal(found.run("HPEXPIRETIME", "hash", "FIELDS", "1", "f"), `*1\r\n:${2 ** 46 - 1}\r\n`);
});

test("redis-server writes the same, byte for byte", async (t) => {
  const contents = [
    ["SET", "string", "value\r\n\0\xff"],
    ["SELECT", "1"],
    ["SET", "integer", "-9223372036854775808", "PXAT", "4000000000000"],
    ["SELECT", "2"],
    ["RPUSH", "list", ...Array.from({ length: 1000 }, (_, index) => `item ${index}`), "", "12"],
    ["PEXPIREAT", "list", "4000000000001"],
    ["SELECT", "3"],
    ["SADD", "set", ...Array.from({ length: 200 }, (_, index) => `${index * index - 5000}`)],
    ["SELECT", "4"],
    ["ZADD", "zset", ...Array.from({ length: 100 }, (_, index) => [`${index * 1e6 - 7}`, `m${index}`]).flat()],
    ["ZADD", "zset", "-inf", "low", "inf", "high", "0.5", "half"],
    ["SELECT", "5"],
    ["HSET", "hash", ...Array.from({ length: 100 }, (_, index) => [`field ${index}`, `${index}`]).flat()],
    ["SELECT", "6"],
    ["ZADD", "score", "1.25", "alone"],
  ];
  const redis = await startRedis(["--appendonly", "yes", "--aof-use-rdb-preamble", "no", "--save", ""]);
  t.after(() => redis.stop());
  const client = await redis.client();
  const runner = new CommandRunner(allCommands);
  for (const words of contents) {
    const command = words.map((word) => Buffer.from(word, "latin1"));
    assert.doesNotMatch((await client.command(...command)).toString(), /^-/);
    assert.doesNotMatch(runner.run(...command), /^-/);
  }
  await client.command("BGREWRITEAOF");
  await until("it is rewritten", async () => {
    return /aof_rewrites:1\r\n/.test((await client.command("INFO", "persistence")).toString());
  });
  const directory = join(redis.directory, "appendonlydir");
  const isBase = (name: string): boolean => name.endsWith(".base.aof");
  await until("the base is there", () =>
    readdirSync(directory)
      .filter(isBase)
      .some((name) => name.includes(".2.")),
  );
  const name = readdirSync(directory).find((candidate) => candidate.includes(".2.base"))!;
  const theirs = readFileSync(join(directory, name), "latin1");
  assert.equal(bodyOf(written(runner.keyspace, {})), theirs);
  assert(theirs.length > 10_000);
});

test("whatever byte of a base is damaged, it is found", async (t) => {
  t.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const runner = new CommandRunner(allCommands);
  for (const command of ["SET a 1", "RPUSH l a b c", "HSET h f v", "ZADD z 1 m", "SADD s m", "PEXPIRE a 99999999"]) {
    runner.run(...command.split(" "));
  }
  // There is nothing behind it yet: even so it has no end that a crash could have torn.
  const files = written(runner.keyspace, {});
  const sound = files.contentOf(BASE)!;
  for (let at = 0; at < sound.length; at++) {
    const bytes = Buffer.from(sound);
    bytes[at]! ^= 1 << random.below(8);
    files.put(BASE, bytes);
    await refusal(files).catch((error: Error) => {
      throw new Error(`byte ${at} of ${sound.length}: ${error.message}`, { cause: error });
    });
  }
  for (const length of [sound.length - 1, sound.length >> 1]) {
    files.put(BASE, sound.subarray(0, length));
    assert.match((await refusal(files)).message, /it ends with/);
  }
});

test("whichever call fails, or whenever it is given up, nothing is left over, and the reason comes out", () => {
  const keyspace = filled(new Random(seed), 1000);
  new CommandRunner(allCommands, { over: keyspace }).run("SET", "long", new Random(seed).bytes(3 << 20));
  const attempt = (files: FaultyFiles, words = newSnapshotWords()): unknown => {
    const frozen = keyspace.freeze();
    try {
      const view = new FrozenKeyspace(frozen.regions, frozen.databases);
      writeSnapshot(files, view, frozen.access, { ...PLAN, syncPortion: 1 << 18 }, words);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      frozen.release();
    }
  };
  const good = new FaultyFiles([DIR, AOF_DIR]);
  let syncs = 0;
  good.onCall = (call) => {
    if (call === "fdatasync") syncs += 1;
  };
  const progress = newSnapshotWords();
  assert.equal(attempt(good, progress), undefined);
  assert(progress[KEYS]! > 100 && progress[KIBIBYTES]! > 1024, "nobody was told how far it is");
  assert(syncs > 1, "it is not synced in portions");
  const expected = good.contentOf(BASE)!;
  for (let n = 1; n <= good.calls; n++) {
    for (const fault of ["EIO", "ENOSPC", "short", "cancel"] as const) {
      const files = new FaultyFiles([DIR, AOF_DIR]);
      const words = newSnapshotWords();
      if (fault !== "cancel") files.failAt(n, fault);
      else files.onCall = () => void (files.calls >= n - 1 && decide(words, CANCELLED));
      const error = attempt(files, words);
      files.onCall = undefined;
      assert.equal(files.openFiles, 0);
      if (fault === "cancel") {
        assert(error instanceof SnapshotCancelledError, `${error}`);
        assert(files.calls <= n + CALLS_TO_END, `given up at call ${n}, and there were ${files.calls}`);
      } else
        assert.equal(
          (error as NodeJS.ErrnoException | undefined)?.code,
          files.faults > 0 && fault !== "short" ? fault : undefined,
        );
      const found = files.contentOf(BASE);
      if (error === undefined) assert(found!.equals(expected));
      else assert.equal(found, undefined);
    }
  }
});
