/** When syncs are told of; LATENCY's events of files, as Redis names them; what CONFIG RESETSTAT sets back. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { keptAlive } from "../base/keep-alive.ts";
import { allCommands } from "../commands/all-commands.ts";
import { Configuration } from "../config/configuration.ts";
import type { SyncPolicy } from "../durability/append-log.ts";
import type { Files, OpenFile } from "../durability/files.ts";
import { ASLEEP, STATE } from "../durability/log-channel.ts";
import { Core } from "../embedded/core.ts";
import { type Metric, Metrics } from "../monitoring/metrics.ts";
import { CommandRunner } from "../testing/commands.ts";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { PausedLog } from "../testing/paused-log.ts";
import { LogFigures, logFields } from "./log-figures.ts";
import { PersistenceMonitor } from "./persistence-monitor.ts";
import { RewriteSchedule } from "./rewrite-schedule.ts";
import { Store } from "./store.ts";

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
  const files = new FaultyFiles(["/d"]);
  const openFast = files.open.bind(files);
  const open = (path: string, mode: "read" | "append" | "create" | "update"): OpenFile => {
    const file = openFast(path, mode);
    const write = file.write.bind(file);
    file.write = (bytes, start, length) => {
      for (const until = performance.now() + milliseconds; performance.now() < until; );
      return write(bytes, start, length);
    };
    return file;
  };
  return Object.assign(files, { open });
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

/** A log on this thread and a slow disk, and what is listened to of it. */
function monitoredLog(policy: SyncPolicy) {
  const { services } = new CommandRunner(allCommands, { directives: { "latency-monitor-threshold": "5" } });
  const paused = new PausedLog(slowFiles(8), "/d/log", policy);
  const { log, channel, writer } = paused;
  const fallAsleep = (): void => channel.store(STATE, ASLEEP);
  paused.onWake = () => {
    writer.round();
    fallAsleep();
  };
  fallAsleep();
  const figures = new LogFigures(log, new RewriteSchedule(services.configuration));
  const snapshots = { onOutcome: undefined, isRunning: false };
  new PersistenceMonitor({ metrics: new Metrics("s"), services, hurry: () => undefined }, snapshots, { log, figures });
  const { latency, configuration } = services;
  const names = (): string[] => latency.events.map(({ name }) => name);
  const append = (value: string): void => {
    paused.gather(value);
    log.flush();
  };
  return { paused, figures, snapshots, latency, configuration, names, append };
}

test("appends that were slow are spikes: alone, or beside a snapshot; none where nothing is monitored", () => {
  const { paused, snapshots, latency, configuration, names, append } = monitoredLog("everysec");
  const { log } = paused;
  append("alone");
  assert.equal(log.written, log.appended);
  assert.deepEqual(names(), ["aof-write-alone", "aof-write"]);
  assert(latency.event("aof-write")!.worst >= 8);
  snapshots.isRunning = true;
  append("beside");
  assert.deepEqual(names(), ["aof-write-alone", "aof-write", "aof-write-active-child"]);
  latency.resetAll();
  configuration.configSet([["latency-monitor-threshold", "0"]]);
  append("unwatched");
  assert.equal(log.written, log.appended);
  assert.deepEqual(names(), []);
});

test("what the writer appends is no spike, unless everybody has to wait for it", () => {
  const { paused, latency, names, append } = monitoredLog("always");
  const { log } = paused;
  append("short");
  log.poll();
  assert.equal(log.durable, log.appended);
  assert.deepEqual([names(), log.delays], [[], 0]);
  append("longer than the ring: ".repeat(80));
  log.poll();
  assert.equal(log.durable, log.appended);
  assert.equal(log.delays, 1);
  assert.deepEqual(names(), ["aof-write-pending-fsync", "aof-write"]);
  assert(latency.event("aof-write")!.worst >= 8);
});

test("INFO tells of a sync that is asked for", async () => {
  const { paused, figures, append } = monitoredLog("everysec");
  paused.onWake = undefined;
  const state = { isOn: true, isRefusing: false, isRewriting: false, currentBytes: 0, gatheredBytes: 0, lastError: "" };
  const pending = (): unknown => logFields(figures.stats(state)).whileOn["aof_pending_bio_fsync"];
  append("a");
  assert.equal(pending(), 0);
  const isDurable = paused.log.sync();
  assert.equal(pending(), 1);
  paused.round();
  await isDurable;
  assert.equal(pending(), 0);
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
