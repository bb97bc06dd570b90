/** When snapshots are made, what becomes of them, that no freeze outlives them: with the thread that writes them. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { BackgroundThreads } from "../background/background-threads.ts";
import { allCommands } from "../commands/all-commands.ts";
import { realFiles } from "../durability/files.ts";
import { RdbLoader } from "../durability/rdb-loader.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { digestOf } from "../keyspace/live-digest.ts";
import { CommandRunner } from "../testing/commands.ts";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { FreezeWriter } from "../testing/freeze-writer.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { until } from "../testing/sockets.ts";
import { snapshotFields } from "./snapshot-figures.ts";
import { Snapshotter, type SnapshotterStore } from "./snapshotter.ts";

const seed = seedOfRun();
const IN_PROGRESS = { message: "ERR Background save already in progress" };
const OTHER_JOB = {
  message: /^ERR Another child process is active \(AOF\?\): can't BGSAVE right now\. Use BGSAVE SCH/,
};
const ERR = { message: "ERR" };

/** Those of the present test. */
const scenes: Scene[] = [];

afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.close();
});

class Scene {
  readonly directory = mkdtempSync(join(tmpdir(), "snapshotter-test-"));
  readonly runner: CommandRunner;
  readonly threads = new BackgroundThreads();
  readonly snapshotter: Snapshotter;
  readonly notices: string[] = [];
  readonly news: string[] = [];
  /** How jobs ended. */
  readonly ends: (string | undefined)[] = [];
  now = 1_700_000_000_000;

  constructor(directives: Readonly<Record<string, string>> = {}, shadowLimit?: number, files?: FaultyFiles) {
    const limit = shadowLimit === undefined ? {} : { shadowLimit };
    const options = { shards: 2, regionSize: 32 << 20, databases: 4, now: () => this.now, ...limit };
    const over = new Keyspace(options);
    this.runner = new CommandRunner(allCommands, { over, directives: { save: "", ...directives } });
    this.configure("dir", this.directory);
    const { configuration, services } = this.runner;
    const store: SnapshotterStore = {
      keyspace: over,
      configuration,
      services,
      threads: this.threads,
      onNotice: (line) => void this.notices.push(line),
      onNews: (line) => void this.news.push(line),
    };
    this.snapshotter = new Snapshotter(store, files);
    scenes.push(this);
    this.snapshotter.saveListeners.add((error) => void this.ends.push(error));
  }

  get keyspace(): Keyspace {
    return this.runner.keyspace;
  }

  /** What INFO says. */
  get info(): Readonly<Record<string, string | number>> {
    return snapshotFields(this.snapshotter.stats);
  }

  get path(): string {
    return join(this.directory, "dump.rdb");
  }

  configure(name: string, value: string): void {
    const { configuration } = this.runner;
    if (name === "dir") configuration.initialize(name, [value]);
    else configuration.configSet([[name, value]]);
  }

  /** Time passes, as the housekeeper sees it. */
  pass(seconds: number): void {
    this.now += seconds * 1000;
    this.keyspace.tick();
    this.snapshotter.tick();
  }

  fill(keys: number): void {
    for (let count = 0; count < keys; count++) this.runner.run("SET", `key ${count}`, `value ${count}`);
  }

  /** Each key takes so long from now on, so that a test can be there meanwhile. */
  slow(microseconds: number): void {
    this.configure("rdb-key-save-delay", `${microseconds}`);
  }

  async settle(): Promise<void> {
    await until("the job is over", () => !this.snapshotter.isRunning);
  }

  /** Every structure is sound, and nothing is frozen. */
  check(): void {
    this.keyspace.freeze().release();
    this.keyspace.verify();
  }

  digests(): string[] {
    return this.keyspace.databases.map((database) => digestOf(database));
  }

  /** The digests of what the file holds. */
  saved(): string[] {
    const keyspace = new Keyspace({ shards: 1, regionSize: 64 << 20, databases: 4 });
    const loader = new RdbLoader(realFiles, this.path, keyspace, { checksum: true, now: 0 });
    while (loader.step(1000));
    loader.close();
    return keyspace.databases.map((database) => digestOf(database));
  }

  async close(): Promise<void> {
    this.snapshotter.close();
    await this.threads.stop(1000);
    rmSync(this.directory, { recursive: true });
  }
}

test("BGSAVE saves what there was when it was asked for, while everything goes on", async (context) => {
  context.diagnostic(`seed ${seed}`);
  const scene = new Scene();
  const random = new Random(seed);
  const writer = new FreezeWriter(scene.keyspace, random, 800);
  for (let round = 0; round < 3; round++) {
    for (let count = 0; count < 1000; count++) writer.write();
    const expected = scene.digests();
    const { changes } = scene.keyspace;
    assert.equal(scene.snapshotter.bgsave(false), "Background saving started");
    assert.throws(() => scene.snapshotter.bgsave(false), IN_PROGRESS);
    assert.throws(() => scene.snapshotter.bgsave(true), IN_PROGRESS);
    assert.throws(() => scene.snapshotter.saveNow(), IN_PROGRESS);
    assert.equal(scene.info["rdb_bgsave_in_progress"], 1);
    for (let count = 0; count < 1000; count++) writer.write();
    scene.now += 3000;
    await scene.settle();
    assert.deepEqual(scene.saved(), expected);
    assert.deepEqual(readdirSync(scene.directory), ["dump.rdb"]);
    const { info } = scene;
    assert.equal(info["rdb_changes_since_last_save"], scene.keyspace.changes - changes);
    assert.deepEqual([info["rdb_last_bgsave_status"], info["rdb_saves"]], ["ok", round + 1]);
    assert.equal(info["rdb_last_save_time"], scene.now / 1000);
    assert(Number(info["rdb_last_cow_size"]) > 0, "nothing was copied, so nothing was written meanwhile");
    assert.equal(scene.snapshotter.stats.freezes, round + 1);
    scene.check();
  }
  assert.deepEqual(scene.notices, []);
  assert.deepEqual(scene.news, Array(3).fill("DB saved on disk"));
});

test("SAVE saves what there is, also while the base of a log is being written", async () => {
  const scene = new Scene();
  scene.fill(1000);
  scene.slow(100);
  const ends: unknown[] = [];
  const base = join(scene.directory, "temp-base");
  scene.snapshotter.begin(base, "rdb", (error) => ends.push(error));
  assert.throws(() => scene.snapshotter.begin(base, "rdb", () => undefined), /another snapshot/);
  assert.throws(() => scene.snapshotter.bgsave(false), OTHER_JOB);
  scene.runner.run("SET", "later", "1");
  scene.slow(0);
  scene.snapshotter.saveNow();
  assert.deepEqual(scene.saved(), scene.digests());
  assert(scene.snapshotter.isRunning);
  assert.equal(scene.snapshotter.bgsave(true), "Background saving scheduled");
  assert.deepEqual(ends, []);
  await scene.settle();
  assert.deepEqual(ends, [undefined]);
  assert(readFileSync(base).includes("aof-base\xc0\x01", 0, "latin1"), "its header does not say what it is");
  assert.equal(scene.info["rdb_saves"], 1);
  scene.snapshotter.hasOtherJob = () => true;
  scene.pass(1);
  assert(!scene.snapshotter.isRunning, "a save that is scheduled waits for everybody");
  scene.snapshotter.hasOtherJob = () => false;
  scene.pass(1);
  assert(scene.snapshotter.isSaving);
  await scene.settle();
  assert.equal(scene.info["rdb_saves"], 2);
  scene.check();
});

test("rules: so many changes, so many seconds; after a failure not before five seconds have passed", async () => {
  const scene = new Scene({ save: "100 2 10 500" });
  const rises = async (isDue: boolean, seconds: number): Promise<void> => {
    scene.pass(seconds);
    assert.equal(scene.snapshotter.isSaving, isDue);
    await scene.settle();
  };
  await rises(false, 10_000);
  scene.snapshotter.saveNow();
  scene.fill(1);
  await rises(false, 10_000);
  scene.snapshotter.saveNow();
  scene.fill(2);
  await rises(false, 100);
  await rises(true, 1);
  assert.deepEqual(scene.saved(), scene.digests());
  scene.fill(500);
  await rises(false, 10);
  await rises(true, 1);
  scene.fill(500);
  scene.configure("rdb-key-save-delay", "0");
  rmSync(scene.path);
  mkdirSync(join(scene.path, "in the way"), { recursive: true });
  await rises(true, 11);
  assert.match(scene.notices.join(), /Background saving failed: Is a directory$/);
  assert.equal(scene.info["rdb_last_bgsave_status"], "err");
  await rises(false, 5);
  await rises(true, 1);
  rmSync(scene.path, { recursive: true });
  await rises(true, 6);
  assert.equal(scene.info["rdb_last_bgsave_status"], "ok");
  assert.deepEqual(scene.saved(), scene.digests());
  assert.deepEqual(scene.ends.map((error) => error === undefined).join(), "true,true,false,false,true");
});

test("while snapshots fail, writes are refused, if there are rules and nobody has said otherwise", async () => {
  const scene = new Scene({ save: "100 1" });
  scene.fill(10);
  mkdirSync(join(scene.path, "in the way"), { recursive: true });
  assert.throws(() => scene.snapshotter.saveNow(), ERR);
  assert.match(scene.notices.join(), /Saving the data failed: Is a directory$/);
  assert.equal(scene.snapshotter.writeRefusal, undefined, "as in Redis, only what runs in the background counts");
  scene.snapshotter.bgsave(false);
  await scene.settle();
  const refusal = /^MISCONF Redis is configured to save RDB snapshots, but .* about the RDB error\.$/;
  assert.match(scene.snapshotter.writeRefusal ?? "", refusal);
  scene.configure("stop-writes-on-bgsave-error", "no");
  assert.equal(scene.snapshotter.writeRefusal, undefined);
  scene.configure("stop-writes-on-bgsave-error", "yes");
  assert.match(scene.snapshotter.writeRefusal ?? "", refusal);
  scene.configure("save", "");
  assert.equal(scene.snapshotter.writeRefusal, undefined);
  scene.configure("save", "5 5");
  assert.match(scene.snapshotter.writeRefusal ?? "", refusal);
  rmSync(scene.path, { recursive: true });
  scene.snapshotter.saveNow();
  assert.equal(scene.snapshotter.writeRefusal, undefined);
  assert.deepEqual(readdirSync(scene.directory), ["dump.rdb"]);
  scene.check();
});

test("the thread dies in the middle: the job has failed, nothing is left over, and the next one succeeds", async () => {
  const scene = new Scene();
  scene.fill(3000);
  scene.snapshotter.saveNow();
  const before = readFileSync(scene.path);
  scene.fill(5000);
  scene.slow(500);
  for (let round = 0; round < 2; round++) {
    scene.snapshotter.bgsave(false);
    await until("it writes", () => Number(scene.info["current_save_keys_processed"]) > 10);
    assert.equal(scene.info["current_save_keys_total"], 5000);
    assert.match(String(scene.info["current_fork_perc"]), /^(0\.[2-9]\d|[1-9]\d?\.\d\d)$/);
    assert.equal(readdirSync(scene.directory).length, 2);
    await scene.snapshotter.thread.kill();
    await scene.settle();
    assert.match(scene.ends.at(-1) ?? "", /the thread has died: /);
    assert.equal(scene.info["rdb_last_bgsave_status"], "err");
    await until("the file is gone", () => readdirSync(scene.directory).length === 1);
    assert(readFileSync(scene.path).equals(before));
    scene.check();
    assert.throws(() => scene.snapshotter.bgsave(false), ERR);
    scene.check();
    await until("it is there again", () => scene.snapshotter.thread.state === "running");
  }
  scene.slow(0);
  scene.snapshotter.bgsave(false);
  await scene.settle();
  assert.deepEqual(scene.saved(), scene.digests());
});

test("a job that is given up never replaces what is saved after it", async () => {
  const scene = new Scene({ save: "100 1" });
  const random = new Random(seed);
  for (let round = 0; round < 25; round++) {
    scene.fill(random.between(1, 300));
    scene.snapshotter.bgsave(false);
    for (const end = performance.now() + random.between(0, 10); performance.now() < end; );
    scene.runner.run("SET", "round", `${round}`);
    scene.snapshotter.cancel();
    assert(!scene.snapshotter.isRunning);
    scene.snapshotter.saveNow();
    const expected = scene.digests();
    if (round % 10 === 0) await until("the worker has noticed", () => readdirSync(scene.directory).length === 1);
    assert.deepEqual(scene.saved(), expected);
    assert.equal(scene.info["rdb_last_bgsave_status"], "ok");
    // Four jobs may wait for a worker that has not noticed anything.
    await until("the worker is not behind", () => scene.snapshotter.thread.inbox === 0);
  }
  await until("the worker has noticed", () => readdirSync(scene.directory).length === 1);
  assert.deepEqual(scene.saved(), scene.digests());
  assert.deepEqual(new Set(scene.ends), new Set(["the snapshot was given up"]));
  scene.check();
});

test("FLUSHALL gives up what is being saved, and the empty store is saved, if there are rules", async () => {
  const scene = new Scene({ save: "100 1" });
  scene.fill(2000);
  scene.snapshotter.saveNow();
  scene.slow(1000);
  scene.snapshotter.bgsave(false);
  scene.snapshotter.beforeFlushAll();
  assert(!scene.snapshotter.isRunning);
  scene.keyspace.flushAll();
  scene.snapshotter.afterFlushAll();
  assert(scene.snapshotter.isSaving);
  await scene.settle();
  assert.deepEqual(scene.ends, ["the snapshot was given up", undefined]);
  assert.deepEqual(scene.saved(), scene.digests());
  assert.equal(scene.snapshotter.changes, 0);
  scene.keyspace.isLoading = true;
  scene.snapshotter.afterFlushAll();
  assert(!scene.snapshotter.isRunning, "what has not been read completely was saved");
  scene.keyspace.isLoading = false;
  scene.configure("save", "");
  scene.slow(0);
  scene.fill(5);
  scene.snapshotter.bgsave(false);
  await scene.settle();
  scene.snapshotter.beforeFlushAll();
  scene.keyspace.flushAll();
  scene.snapshotter.afterFlushAll();
  assert(!scene.snapshotter.isRunning);
  assert.notDeepEqual(scene.saved(), scene.digests());
});

test("SAVE on a disk that is full says so, and succeeds when it is not any more", async () => {
  const files = new FaultyFiles();
  const scene = new Scene({}, undefined, files);
  files.makeDirectory(scene.directory);
  scene.fill(1000);
  files.failFrom(1, "ENOSPC");
  assert.throws(() => scene.snapshotter.saveNow(), ERR);
  assert.match(scene.notices.join(), /Saving the data failed: No space left on device$/);
  assert.equal(scene.snapshotter.changes, 1000);
  files.heal();
  scene.snapshotter.saveNow();
  assert.equal(scene.snapshotter.changes, 0);
  assert.deepEqual(files.list(scene.directory), ["dump.rdb"]);
  scene.check();
});

test("a view that had to be given up is a failure that says so", async () => {
  const scene = new Scene({}, 64 * 1024);
  scene.fill(3000);
  scene.slow(200);
  scene.snapshotter.bgsave(false);
  scene.fill(3000);
  for (let count = 0; count < 3000; count++) scene.runner.run("SET", `more ${count}`, "x".repeat(500));
  await scene.settle();
  assert.match(scene.notices.join(), /Background saving failed: the shadow area was full, the view was given up/);
  assert.deepEqual(readdirSync(scene.directory), []);
  scene.check();
});

test("the end of the store gives up what is being written, and nothing waits for it", async () => {
  const scene = new Scene();
  scene.fill(2000);
  scene.slow(10_000);
  scene.snapshotter.begin(join(scene.directory, "base"), "rdb", (error) => void scene.ends.push(error));
  await until("it writes", () => existsSync(join(scene.directory, "base")));
  scene.snapshotter.close();
  assert.deepEqual(scene.ends, ["the snapshot was given up"]);
  const begin = performance.now();
  await scene.threads.stop(5000);
  assert(performance.now() - begin < 4000);
  assert.deepEqual(readdirSync(scene.directory), []);
  assert.throws(() => scene.snapshotter.bgsave(false), ERR);
  scene.check();
});
