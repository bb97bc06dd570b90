/** Snapshots as files: what is in them, and what becomes of them when calls fail, the power goes, nobody wants them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { digestOf } from "../keyspace/live-digest.ts";
import { CommandRunner } from "../testing/commands.ts";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { FreezeWriter } from "../testing/freeze-writer.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { snapshotPlan } from "../testing/snapshot-plans.ts";
import { RdbLoader } from "./rdb-loader.ts";
import { CANCELLED, COMMITTING, decide, ENDED, newSnapshotWords, STATE } from "./snapshot-words.ts";
import { SnapshotCancelledError, type SnapshotPlan, writeSnapshot } from "./snapshot-writer.ts";

const seed = seedOfRun();
const PATH = "/data/dump.rdb";
const TEMPORARY = "/data/temp-1.dump.rdb";
const PLAN = snapshotPlan({ path: PATH, temporary: TEMPORARY });

function digests(keyspace: Keyspace): string[] {
  return keyspace.databases.map((database) => digestOf(database));
}

/** Writes what the keyspace holds, as of now. */
function write(keyspace: Keyspace, files: FaultyFiles, plan: Partial<SnapshotPlan> = {}, words = newSnapshotWords()) {
  const frozen = keyspace.freeze();
  try {
    const view = new FrozenKeyspace(frozen.regions, frozen.databases);
    return writeSnapshot(files, view, frozen.access, { ...PLAN, ...plan }, words);
  } finally {
    frozen.release();
  }
}

/** Loads a file into an empty store with another seed. */
function load(
  files: FaultyFiles,
  path = PATH,
  now = 0,
): { keyspace: Keyspace; loader: RdbLoader; functions: Buffer[] } {
  const keyspace = new Keyspace({ shards: 1, regionSize: 64 << 20, databases: 4, seed: [5, 7] });
  const functions: Buffer[] = [];
  const onFunction = (code: Buffer): void => void functions.push(code);
  const loader = new RdbLoader(files, path, keyspace, { checksum: true, now, onFunction });
  while (loader.step(1000));
  loader.close();
  return { keyspace, loader, functions };
}

function filled(random: Random, writes: number): Keyspace {
  const keyspace = new Keyspace({ shards: 2, regionSize: 32 << 20, databases: 4 });
  const writer = new FreezeWriter(keyspace, random, 800);
  writer.collectionEvery = 2;
  for (let count = 0; count < writes; count++) writer.write();
  return keyspace;
}

const header = (files: FaultyFiles): string => files.contentOf(PATH)!.latin1Slice(0, 9);

test("any history, saved and loaded, is the same data", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  for (const plan of [{}, { compress: false }, { checksum: false }, { access: "idle" }] as const) {
    const keyspace = filled(random, 1500);
    const files = new FaultyFiles(["/data"]);
    const { bytes, keys } = write(keyspace, files, plan);
    assert.equal(bytes, files.contentOf(PATH)!.length);
    const { keyspace: loaded, loader } = load(files);
    assert.deepEqual(digests(loaded), digests(keyspace));
    assert.equal(loader.keysLoaded, keys);
    assert(keys > 300, "nothing was saved");
    assert.deepEqual(files.list("/data"), ["dump.rdb"]);
    assert.equal(files.openFiles, 0);
    assert.equal(files.contentOf(PATH)!.readBigUInt64LE(bytes - 8) === 0n, "checksum" in plan);
  }
});

test("the version is that of Redis 7.0, and that of 7.4 only while a hash has fields with deadlines", () => {
  const runner = new CommandRunner(allCommands);
  const files = new FaultyFiles(["/data"]);
  const save = (plan: Partial<SnapshotPlan> = {}): string => {
    write(runner.keyspace, files, plan);
    assert.deepEqual(digests(load(files).keyspace).slice(0, 4), digests(runner.keyspace).slice(0, 4));
    return header(files);
  };
  assert.equal(save(), "REDIS0010");
  runner.run("HSET", "small", "a", "1", "b", "2");
  runner.run("HSET", "large", "a", "x".repeat(100), "b", "2");
  assert.equal(save(), "REDIS0010");
  runner.run("HPEXPIREAT", "small", "4000000000000", "FIELDS", "1", "a");
  assert.equal(save(), "REDIS0012");
  runner.run("DEL", "small");
  assert.equal(save(), "REDIS0010");
  runner.run("HPEXPIREAT", "large", "4000000000000", "FIELDS", "1", "b");
  assert.equal(save(), "REDIS0012");
  assert.equal(save({ checksum: false }), "REDIS0012");
  runner.run("HPERSIST", "large", "FIELDS", "1", "b");
  assert.equal(save(), "REDIS0010");
});

test("header, functions, deadlines and uses are as they were", () => {
  let now = 1_700_000_000_000;
  const aux = [
    ["redis-ver", "7.2.4"],
    ["somebody's", "\x00\xff\x80"],
  ] as const;
  const code = Buffer.from("#!lua name=mylib\n...");
  for (const policy of ["allkeys-lru", "volatile-lfu", "noeviction"]) {
    const runner = new CommandRunner(allCommands, {
      directives: { "maxmemory-policy": policy, "lfu-decay-time": "0" },
      now: () => now,
    });
    const files = new FaultyFiles(["/data"]);
    runner.run("SET", "old", "1");
    for (let count = 0; count < 200; count++) runner.run("GET", "old");
    now += 5_000_000;
    runner.keyspace.tick();
    runner.run("SET", "new", "1", "PXAT", "1800000000123");
    runner.run("SET", "over", "1", "PX", "1");
    now += 2;
    const { access } = runner.keyspace;
    const record = policy === "noeviction" ? "none" : access.countsAccesses ? "frequency" : "idle";
    write(runner.keyspace, files, { access: record, aux, functions: [code] });
    const { keyspace, loader, functions } = load(files, PATH, now);
    assert.deepEqual([...loader.aux], aux);
    assert.deepEqual(functions, [code]);
    assert.deepEqual([loader.keysLoaded, loader.keysExpired], [2, 1]);
    const text = files.contentOf(PATH)!.toString("latin1");
    if (record === "idle") assert(text.includes("\xf8\x53\x88\x00\x03old"), "5000 seconds, as a length of 14 bits");
    else if (record === "frequency") assert.match(text, /\xf9[^\0\x05]\x00\x03old/);
    else assert(!/[\xf8\xf9].{1,2}\x00\x03old/.test(text));
    const loaded = new CommandRunner(allCommands, { over: keyspace });
    assert.equal(loaded.run("PEXPIRETIME", "new"), ":1800000000123\r\n");
    assert.equal(loaded.run("PEXPIRETIME", "old"), ":-1\r\n");
  }
});

test("whichever call fails, the file before is in force, nothing is left over, and the error comes out", () => {
  const random = new Random(seed);
  const before = filled(random, 200);
  const after = filled(random, 1500);
  let isDone = false;
  let failures = 0;
  for (let n = 1; !isDone; n++) {
    for (const fault of ["EIO", "ENOSPC", "short"] as const) {
      const files = new FaultyFiles(["/data"]);
      write(before, files);
      const old = files.contentOf(PATH)!;
      files.failAt(n, fault);
      const { calls } = files;
      const words = newSnapshotWords();
      let error: NodeJS.ErrnoException | undefined;
      try {
        write(after, files, {}, words);
      } catch (thrown) {
        error = thrown as NodeJS.ErrnoException;
      }
      isDone = files.calls - calls < n;
      files.heal();
      assert.equal(files.openFiles, 0);
      assert.equal(files.contentOf(TEMPORARY), undefined);
      assert.equal(error?.code, files.faults === 0 || fault === "short" ? undefined : fault);
      if (error === undefined) {
        assert.deepEqual(digests(load(files).keyspace), digests(after));
        continue;
      }
      failures += 1;
      assert.notEqual(words[STATE], COMMITTING, "whoever waits for the end would wait for ever");
      if (error.syscall !== "fsync") assert(files.contentOf(PATH)!.equals(old), `${n} ${error.message}`);
    }
  }
  // At the least two ways each of making the file, writing it, syncing it, and renaming it.
  assert(failures >= 8, `only ${failures} failures`);
});

test("wherever the power goes, the file is the old one or the new one, whole", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const before = filled(random, 200);
  const after = filled(random, 2000);
  const expected = [before, after].map((keyspace) => digests(keyspace).join());
  const found = [0, 0];
  const files = new FaultyFiles(["/data"]);
  write(before, files);
  const disks: FaultyFiles[] = [];
  files.onCall = () => {
    for (let count = 0; count < 4; count++) disks.push(files.crash(random));
  };
  write(after, files);
  files.onCall = undefined;
  disks.push(files.crash(random));
  for (const disk of disks) {
    const which = expected.indexOf(digests(load(disk).keyspace).join());
    assert.notEqual(which, -1);
    found[which]! += 1;
  }
  assert.equal(expected.indexOf(digests(load(disks.at(-1)!).keyspace).join()), 1);
  assert(found[0]! > 0 && found[1]! > 0, `${found}`);
});

test("what is given up is gone, until it has been decided", () => {
  const random = new Random(seed);
  const before = filled(random, 200);
  const after = filled(random, 2000);
  let isDone = false;
  let given = 0;
  for (let n = 1; !isDone; n++) {
    const files = new FaultyFiles(["/data"]);
    write(before, files);
    const old = files.contentOf(PATH)!;
    const words = newSnapshotWords();
    let wasInTime: boolean | undefined;
    let calls = 0;
    files.onCall = () => {
      calls += 1;
      if (calls === n) wasInTime = decide(words, CANCELLED);
    };
    let error: unknown;
    try {
      write(after, files, {}, words);
    } catch (thrown) {
      error = thrown;
    }
    isDone = wasInTime === undefined;
    assert.equal(files.openFiles, 0);
    assert.deepEqual(files.list("/data"), ["dump.rdb"]);
    if (wasInTime === true) {
      given += 1;
      assert(error instanceof SnapshotCancelledError);
      assert(files.contentOf(PATH)!.equals(old));
    } else {
      assert.equal(error, undefined);
      assert.equal(words[STATE], ENDED);
      assert.deepEqual(digests(load(files).keyspace), digests(after));
    }
  }
  assert(given > 3);
});

test("a view that is lost is an error, and leaves nothing behind", () => {
  const keyspace = filled(new Random(seed), 1000);
  const files = new FaultyFiles(["/data"]);
  const frozen = keyspace.freeze();
  const view = new FrozenKeyspace(frozen.regions, frozen.databases);
  frozen.release();
  assert.throws(() => writeSnapshot(files, view, frozen.access, PLAN, newSnapshotWords()), { code: "FREEZE_LOST" });
  assert.deepEqual(files.list("/data"), []);
});

test("a base that is not renamed stays where it is, durable", () => {
  const random = new Random(seed);
  const keyspace = filled(random, 500);
  const files = new FaultyFiles(["/data"]);
  write(keyspace, files, { path: undefined });
  assert.deepEqual(files.list("/data"), ["temp-1.dump.rdb"]);
  files.syncDirectory("/data");
  const found = load(files.crash(random), TEMPORARY);
  assert.deepEqual(digests(found.keyspace), digests(keyspace));
});

test("what has been written is synced after each portion, and a value longer than the buffer goes past it", () => {
  const runner = new CommandRunner(allCommands);
  const random = new Random(seed);
  const long = random.bytes(300_000);
  const piece = Buffer.concat(Array.from({ length: 20 }, () => long));
  for (let count = 0; count < 100; count++) runner.run("SET", `${count}`, random.bytes(90_000));
  const syncs = (plan: Partial<SnapshotPlan>): number => {
    const files = new FaultyFiles(["/data"]);
    let count = 0;
    files.onCall = (call) => {
      if (call === "fdatasync") count += 1;
    };
    write(runner.keyspace, files, { ...plan, compress: false });
    assert.deepEqual(digests(load(files).keyspace)[0], digests(runner.keyspace)[0]);
    return count;
  };
  assert.equal(syncs({ syncPortion: Number.POSITIVE_INFINITY }), 1);
  const many = syncs({ syncPortion: 2 << 20 });
  assert(many >= 4 && many <= 6, `${many} syncs of 9 MB`);
  runner.run("SET", "long", piece);
  assert.equal(syncs({ syncPortion: 2 ** 30 }), 1);
});
