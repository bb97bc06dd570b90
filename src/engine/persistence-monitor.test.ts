/** When syncs are told of; LATENCY's events of files, as Redis names them; what CONFIG RESETSTAT sets back. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { keptAlive } from "../base/keep-alive.ts";
import { allCommands } from "../commands/all-commands.ts";
import { Configuration } from "../config/configuration.ts";
import type { Files, OpenFile } from "../durability/files.ts";
import { Core } from "../embedded/core.ts";
import { type Metric, Metrics } from "../monitoring/metrics.ts";
import { CommandRunner } from "../testing/commands.ts";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { PersistenceMonitor } from "./persistence-monitor.ts";
import { Store } from "./store.ts";
import { timedFiles } from "./timed-files.ts";

async function opened(t: TestContext, directives: Readonly<Record<string, string>>): Promise<Store> {
  const dir = mkdtempSync(join(tmpdir(), "stillwater-monitor-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const configuration = new Configuration();
  for (const [name, value] of Object.entries({ dir, appendonly: "yes", ...directives })) {
    configuration.initialize(name, [value]);
  }
  const store = new Store(configuration, Date.now, { shards: 1, regionSize: 2 ** 22 });
  t.after(() => store.close().catch(() => undefined));
  await store.open();
  return store;
}

/** A disk whose appends take so long. */
function slowFiles(milliseconds: number): Files {
  const files = new FaultyFiles();
  const open = (path: string, mode: "read" | "append" | "create" | "update"): OpenFile => {
    const file = files.open(path, mode);
    const write = file.write.bind(file);
    file.write = (bytes, start, length) => {
      for (const until = performance.now() + milliseconds; performance.now() < until; );
      return write(bytes, start, length);
    };
    return file;
  };
  return Object.assign(Object.create(files) as Files, { open });
}

test("however many slices there are in a round, syncs are told of once", async (t) => {
  const store = await opened(t, {});
  const { snapshotter, log } = store.files;
  const metrics = new Metrics("s");
  const heard: Metric[] = [];
  const monitor = new PersistenceMonitor(
    { metrics, services: store.services, hurry: () => undefined },
    snapshotter,
    log,
  );
  log.figures.addSync(1000);
  monitor.beginRound();
  monitor.tell();
  metrics.listeners.add((metric) => heard.push(metric));
  for (const microseconds of [1000, 7000, 2000]) {
    log.figures.addSync(microseconds);
    monitor.tell();
  }
  assert.deepEqual(heard, []);
  monitor.beginRound();
  monitor.tell();
  monitor.tell();
  monitor.beginRound();
  monitor.tell();
  assert.deepEqual(heard, [{ type: "sync", storeId: "s", syncs: 3, durationMs: 10, longestMs: 7 }]);
  log.figures.addSync(3000);
  monitor.close();
  assert.equal(heard.length, 2, "what is left is told in the end");
});

test("appends that were slow are spikes: alone, or beside a snapshot; none where nothing is monitored", () => {
  const { services } = new CommandRunner(allCommands, { directives: { "latency-monitor-threshold": "5" } });
  const { latency, configuration } = services;
  let hasJob = false;
  const files = timedFiles(slowFiles(8), services, () => hasJob);
  const names = (): string[] => latency.events.map(({ name }) => name);
  const append = (path: string, mode: "append" | "create"): void => {
    const file = files.open(path, mode);
    assert.equal(file.write(Buffer.from("text"), 1, 2), 2);
    assert.equal(file.size(), 2);
    file.close();
  };
  append("/made", "create");
  assert.deepEqual(names(), [], "other files are no appends");
  append("/alone", "append");
  assert.deepEqual(names(), ["aof-write-alone", "aof-write"]);
  assert(latency.event("aof-write")!.worst >= 8);
  hasJob = true;
  append("/beside", "append");
  assert.deepEqual(names(), ["aof-write-alone", "aof-write", "aof-write-active-child"]);
  latency.resetAll();
  configuration.configSet([["latency-monitor-threshold", "0"]]);
  append("/unwatched", "append");
  assert.deepEqual(names(), []);
});

test("a sync that was slow is a spike under always, because somebody waits for it", async (t) => {
  const store = await opened(t, { "latency-monitor-threshold": "1", appendfsync: "always" });
  const { latency } = store.services;
  const { figures } = store.files.log;
  figures.addSync(500);
  assert.equal(latency.event("aof-fsync-always"), undefined, "that was quick");
  figures.addSync(25_000);
  assert.equal(latency.event("aof-fsync-always")?.worst, 25);
  store.configuration.configSet([["appendfsync", "everysec"]]);
  latency.resetAll();
  figures.addSync(25_000);
  assert.deepEqual(latency.events, [], "nobody has waited for it");
});

test("a store times its freezes, its appends, and its defragmentation", async (t) => {
  const store = await opened(t, { "latency-monitor-threshold": "1000" });
  const { latency } = store.services;
  const timed = new Set<string>();
  latency.add = (event) => timed.add(event);
  await keptAlive(store.files.rewrite());
  const core = new Core(store);
  core.execute(core.newContext(0), "SET", ["k", "v"], false);
  store.files.log.log.flush();
  store.tick();
  for (const event of ["fork", "aof-write", "expire-cycle", "active-defrag-cycle"]) assert(timed.has(event), event);
});

test("CONFIG RESETSTAT sets back what Redis sets back, and the gauges that are our own", async (t) => {
  const store = await opened(t, {});
  await keptAlive(store.files.snapshot());
  await keptAlive(store.files.rewrite());
  const before = store.persistence;
  const { lastDurationMs } = before.snapshots;
  assert.deepEqual([before.snapshots.saves, before.snapshots.freezes, before.log.rewrites], [1, 2, 1]);
  assert(before.log.syncs.count > 0 && before.log.syncs.maxMs >= before.log.syncs.p99Ms);
  store.services.statistics.reset();
  const { snapshots, log } = store.persistence;
  assert.deepEqual([snapshots.saves, snapshots.freezes, snapshots.lastFreezeMs, log.rewrites], [0, 0, 0, 0]);
  assert.deepEqual(log.syncs, { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
  assert.equal(snapshots.lastDurationMs, lastDurationMs, "what was last is no counter");
  await store.close();
  assert.equal(store.services.statistics.resetListeners.size, 0);
});
