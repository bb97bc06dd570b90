/** What a store tells of its files: snapshots, rewrites, syncs, failures. That INFO and stats agree: stats.test.ts. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { keptAlive } from "../base/keep-alive.ts";
import { Configuration } from "../config/configuration.ts";
import { Store } from "../engine/store.ts";
import type { RewriteMetric, SnapshotMetric, SyncMetric } from "../monitoring/metrics.ts";
import { until } from "../testing/sockets.ts";
import { type Metric, type OpenOptions, open, type Stillwater } from "./index.ts";

const SMALL = { maxMemory: "20mb", regionSize: "4mb" } as const;

interface Scene {
  readonly db: Stillwater;
  readonly dir: string;
  readonly heard: Metric[];
  snapshots(): SnapshotMetric[];
  rewrites(): RewriteMetric[];
  syncs(): SyncMetric[];
}

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-metrics-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function opened(t: TestContext, options: OpenOptions = {}): Promise<Scene> {
  const dir = temporaryDirectory(t);
  const db = await open({ ...SMALL, dir, ...options });
  t.after(() => db.close().catch(() => undefined));
  const heard: Metric[] = [];
  db.on("metric", (metric) => heard.push(metric));
  const of = <Type extends Metric["type"]>(type: Type): Extract<Metric, { type: Type }>[] => {
    return heard.filter((metric): metric is Extract<Metric, { type: Type }> => metric.type === type);
  };
  return { db, dir, heard, snapshots: () => of("snapshot"), rewrites: () => of("rewrite"), syncs: () => of("sync") };
}

function fill(db: Stillwater, keys: number): void {
  for (let index = 0; index < keys; index++) db.set(`key:${index}`, `value ${index}`);
}

test("a snapshot tells what it wrote, and in how long, on the channel as well", async (t) => {
  const { db, dir, snapshots } = await opened(t);
  const published: unknown[] = [];
  const publish = (metric: unknown): unknown => published.push(metric);
  subscribe("stillwater:snapshot", publish);
  t.after(() => unsubscribe("stillwater:snapshot", publish));
  fill(db, 500);
  db.set("gone", "1", { PX: 1 });
  await db.bgsave();
  await until("the first is told", () => snapshots().length === 1);
  const { bytes, keys, durationMs, freezeMs, copiedBytes, ...rest } = snapshots()[0]!;
  const storeId = /run_id:(\w+)/.exec(db.info("server"))![1];
  assert.deepEqual(rest, { type: "snapshot", storeId, kind: "bgsave", error: "" });
  assert.equal(bytes, statSync(join(dir, "dump.rdb")).size);
  assert(keys >= 500 && keys <= 501);
  assert(durationMs > freezeMs && freezeMs > 0 && copiedBytes >= 0);
  db.flushall();
  fill(db, 10);
  db.save();
  await until("the second is told", () => snapshots().length === 2);
  const save = snapshots()[1]!;
  assert.deepEqual([save.kind, save.keys, save.freezeMs, save.error], ["save", 10, 0, ""]);
  assert.equal(save.bytes, statSync(join(dir, "dump.rdb")).size);
  assert(save.durationMs > 0);
  assert.deepEqual(published, snapshots());
});

test("one that fails says why, one that is given up how far it came", async (t) => {
  const { db, dir, snapshots } = await opened(t);
  db.on("error", () => undefined);
  fill(db, 2000);
  mkdirSync(join(dir, "dump.rdb", "not empty"), { recursive: true });
  await assert.rejects(db.bgsave());
  assert.throws(() => db.save());
  await until("both are told", () => snapshots().length === 2);
  assert.deepEqual(
    snapshots().map(({ kind }) => kind),
    ["bgsave", "save"],
  );
  for (const { error } of snapshots()) assert.match(error, /directory/);
  assert.match(db.stats().persistence.snapshots.lastError, /directory/);
  rmSync(join(dir, "dump.rdb"), { recursive: true });
  db.config("SET", "rdb-key-save-delay", "2000");
  const given = db.bgsave().catch((error: Error) => error.message);
  await until("it writes", () => db.stats().persistence.snapshots.keysWritten > 5);
  db.flushall();
  assert.match(String(await given), /given up/);
  await until("it is told", () => snapshots().length === 3);
  const { kind, error, keys } = snapshots()[2]!;
  assert.deepEqual([kind, error], ["bgsave", "the snapshot was given up"]);
  assert(keys > 5 && keys < 2000, `${keys} keys`);
});

test("a rewrite tells the bytes before and after, and so does its base; a failure says why", async (t) => {
  const { db, dir, rewrites, snapshots } = await opened(t);
  db.on("error", () => undefined);
  for (let round = 0; round < 20; round++) fill(db, 100);
  await db.durable();
  const before = db.stats().persistence.log.bytes;
  await db.rewrite();
  await until("all is told", () => rewrites().length === 1 && snapshots().length === 1);
  const { bytesBefore, bytesAfter, durationMs, error } = rewrites()[0]!;
  assert(bytesBefore >= before && bytesAfter < bytesBefore / 4, `${before} ${bytesBefore} ${bytesAfter}`);
  assert.equal(bytesAfter, db.stats().persistence.log.bytes);
  assert.equal(error, "");
  const base = snapshots()[0]!;
  assert.deepEqual([base.kind, base.keys, base.error], ["base", 100, ""]);
  assert(durationMs >= base.durationMs);
  mkdirSync(join(dir, "appendonlydir", "appendonly.aof.2.base.rdb", "not empty"), { recursive: true });
  await assert.rejects(db.rewrite());
  await until("the failure is told", () => rewrites().length === 2);
  assert.match(rewrites()[1]!.error, /directory/);
  assert.equal(rewrites()[1]!.bytesAfter, db.stats().persistence.log.bytes);
  assert.equal(db.stats().persistence.log.rewriteFailures, 1);
});

test("syncs are summed up: each is told of once, and not more than some ten times a second", async (t) => {
  const { db, syncs } = await opened(t, { fsync: "always" });
  await db.durable();
  const begin = performance.now();
  for (let index = 0; index < 300; index++) {
    db.set("k", `${index}`);
    await db.durable();
  }
  const seconds = (performance.now() - begin) / 1000;
  const told = (): number => syncs().reduce((sum, metric) => sum + metric.syncs, 0);
  await until("all is told", () => told() >= 300 && told() === db.stats().persistence.log.syncs.count);
  assert(syncs().length <= 10 * seconds + 3, `${syncs().length} in ${seconds} s`);
  for (const { durationMs, longestMs, syncs: count } of syncs()) {
    assert(longestMs > 0 && durationMs >= longestMs && durationMs <= longestMs * count * 1.0001);
  }
  const longest = syncs().reduce((max, { longestMs }) => Math.max(max, longestMs), 0);
  assert.equal(longest, db.stats().persistence.log.syncs.maxMs);
});

test("a log that fails is told, and nothing is made where nobody listens", async (t) => {
  const configuration = new Configuration();
  configuration.initialize("dir", [temporaryDirectory(t)]);
  configuration.initialize("appendonly", ["yes"]);
  const store = new Store(configuration, Date.now, { shards: 1, regionSize: 2 ** 22 });
  t.after(() => store.close().catch(() => undefined));
  await store.open();
  const { emit } = store.metrics;
  let made = 0;
  store.metrics.emit = (metric) => {
    made += 1;
    emit.call(store.metrics, metric);
  };
  await keptAlive(store.files.snapshot());
  await keptAlive(store.files.rewrite());
  store.tick();
  assert.equal(made, 0);
  const heard: Metric[] = [];
  store.metrics.listeners.add((metric) => heard.push(metric));
  store.files.log.log.fail("the disk is on fire");
  assert.equal(heard.length, 0, "a command may be under way");
  await until("it is told", () => heard.length > 0);
  assert.deepEqual(heard, [{ type: "log", storeId: store.runId, error: "the disk is on fire" }]);
  assert.equal(made, 1);
});

test("what ends with the store is told as well; a listener may do anything", async (t) => {
  const { db, heard, snapshots } = await opened(t, { fsync: "no", expiry: { mode: "manual" } });
  fill(db, 10);
  db.once("metric", () => {
    db.set("from", "a listener");
    db.save();
    db.tick();
  });
  db.save();
  assert.deepEqual(heard, [], "by hand means: not before it is asked for");
  db.tick();
  db.tick();
  assert.deepEqual(
    snapshots().map(({ keys }) => keys),
    [10, 11],
  );
  db.save();
  await db.close();
  assert.equal(snapshots().length, 3);
});
