/** `stats().persistence` and INFO persistence are two forms of the same figures, whatever a store has been through. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Random, seedOfRun } from "../testing/random.ts";
import { open, type PersistenceStats, type Stillwater } from "./index.ts";

const seed = seedOfRun();
const SMALL = { maxMemory: "20mb", regionSize: "4mb" } as const;

const seconds = (milliseconds: number): number => (milliseconds < 0 ? -1 : Math.floor(milliseconds / 1000));
const flag = (value: boolean): number => (value ? 1 : 0);
const status = (hasFailed: boolean): string => (hasFailed ? "err" : "ok");
const line = (text: string): string => text.replace(/\s+/g, " ");

type Expected = (stats: PersistenceStats) => string | number;

/** Each field, as the figures have it. */
const FIELDS: Readonly<Record<string, Expected>> = {
  current_cow_peak: ({ snapshots }) => snapshots.copiedBytesMax,
  current_cow_size: ({ snapshots }) => snapshots.copiedBytes,
  current_save_keys_processed: ({ snapshots }) => snapshots.keysWritten,
  current_save_keys_total: ({ snapshots }) => snapshots.keysToWrite,
  rdb_changes_since_last_save: ({ snapshots }) => snapshots.changes,
  rdb_bgsave_in_progress: ({ snapshots }) => flag(snapshots.isSaving),
  rdb_last_save_time: ({ snapshots }) => snapshots.lastSaveAt,
  rdb_last_bgsave_status: ({ snapshots }) => status(snapshots.lastError !== ""),
  rdb_last_bgsave_time_sec: ({ snapshots }) => seconds(snapshots.lastDurationMs),
  rdb_current_bgsave_time_sec: ({ snapshots }) => (snapshots.isSaving ? seconds(snapshots.savingMs) : -1),
  rdb_saves: ({ snapshots }) => snapshots.saves,
  rdb_last_cow_size: ({ snapshots }) => snapshots.lastCopiedBytes,
  rdb_last_error: ({ snapshots }) => line(snapshots.lastError),
  latest_fork_usec: ({ snapshots }) => Math.round(snapshots.lastFreezeMs * 1000),
  total_forks: ({ snapshots }) => snapshots.freezes,
  aof_enabled: ({ log }) => flag(log.isOn),
  aof_rewrite_in_progress: ({ log }) => flag(log.isRewriting),
  aof_rewrite_scheduled: ({ log }) => flag(log.isRewriteScheduled),
  aof_last_rewrite_time_sec: ({ log }) => seconds(log.lastRewriteMs),
  aof_current_rewrite_time_sec: ({ log }) => (log.isRewriting ? seconds(log.rewritingMs) : -1),
  aof_last_bgrewrite_status: ({ log }) => status(log.rewriteFailures > 0),
  aof_rewrites: ({ log }) => log.rewrites,
  aof_rewrites_consecutive_failures: ({ log }) => log.rewriteFailures,
  aof_last_write_status: ({ log }) => status(log.hasFailed),
  aof_last_cow_size: ({ log }) => log.lastCopiedBytes,
  aof_current_size: ({ log }) => log.bytes,
  aof_base_size: ({ log }) => log.rewrittenBytes,
  aof_pending_rewrite: ({ log }) => flag(log.isRewriteScheduled),
  aof_buffer_length: ({ log }) => log.gatheredBytes,
  aof_pending_bio_fsync: ({ log }) => flag(log.isSyncPending),
  aof_delayed_fsync: ({ log }) => log.delays,
  aof_pending_bytes: ({ log }) => log.pendingBytes,
  aof_oldest_unsynced_ms: ({ log }) => Math.round(log.oldestUnsyncedMs),
  aof_fsyncs: ({ log }) => log.syncs.count,
  aof_fsync_usec_p50: ({ log }) => Math.round(log.syncs.p50Ms * 1000),
  aof_fsync_usec_p99: ({ log }) => Math.round(log.syncs.p99Ms * 1000),
  aof_fsync_usec_max: ({ log }) => Math.round(log.syncs.maxMs * 1000),
  aof_files_to_delete: ({ log }) => log.filesToDelete,
  aof_last_error: ({ log }) => line(log.lastError),
  mem_aof_buffer: ({ log }) => log.gatheredBytes + log.pendingBytes,
};

/** What MEMORY STATS says of the log, too. */
function logBufferOf(db: Stillwater): unknown {
  const stats = db.call("MEMORY", "STATS");
  assert(stats instanceof Map);
  return stats.get("aof.buffer");
}

/** Of stores without a log, INFO does not show more than this. */
const WHILE_ON = /^aof_(current_size|base_size|buffer|pending|delayed|oldest|fsync|files|last_error)/;
/** Of what other threads are at, and of time, which go on between two looks. */
const RUNNING =
  /^(current_save_keys_processed|aof_(pending_bio|oldest_unsynced)_\w+|\w+_current_\w+_time_sec|aof_current_rew.*)$/;

function infoOf(db: Stillwater): Map<string, string> {
  const lines = db.info("persistence", "stats", "memory").split("\r\n");
  return new Map(lines.flatMap((text) => (text.includes(":") ? [[...splitField(text)]] : []) as [string, string][]));
}

function splitField(text: string): [name: string, value: string] {
  const colon = text.indexOf(":");
  return [text.slice(0, colon), text.slice(colon + 1)];
}

/** @returns how many fields were compared */
function compare(db: Stillwater): number {
  const { persistence } = db.stats();
  const info = infoOf(db);
  assert.equal(logBufferOf(db), persistence.log.gatheredBytes + persistence.log.pendingBytes);
  let compared = 0;
  for (const [name, expected] of Object.entries(FIELDS)) {
    if (!persistence.log.isOn && WHILE_ON.test(name)) {
      assert.equal(info.get(name), undefined, name);
      continue;
    }
    const value = info.get(name);
    assert.notEqual(value, undefined, `${name} is missing`);
    if (RUNNING.test(name)) assert(Number(value) - Number(expected(persistence)) <= 1000, name);
    else assert.equal(value, String(expected(persistence)), name);
    compared += 1;
  }
  return compared;
}

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-stats-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test("every figure is in INFO, and every field of INFO is a figure", async (t) => {
  const db = await open({ ...SMALL, dir: temporaryDirectory(t) });
  const { persistence } = db.stats();
  const used = new Set<string>();
  const watch = (group: string, figures: object): unknown =>
    new Proxy(figures, {
      get(target, name) {
        used.add(`${group}.${String(name)}`);
        const value: unknown = Reflect.get(target, name);
        return typeof value === "object" && value !== null ? watch(`${group}.${String(name)}`, value) : value;
      },
    });
  // Whatever depends on a condition is read in both cases.
  for (const isOn of [false, true]) {
    const both = {
      snapshots: watch("snapshots", { ...persistence.snapshots, isSaving: isOn }),
      log: watch("log", { ...persistence.log, isRewriting: isOn }),
    } as PersistenceStats;
    for (const expected of Object.values(FIELDS)) expected(both);
  }
  const all = [...Object.keys(persistence.snapshots).map((name) => `snapshots.${name}`)];
  all.push(...Object.keys(persistence.log).map((name) => `log.${name}`));
  all.push(...Object.keys(persistence.log.syncs).map((name) => `log.syncs.${name}`));
  assert.deepEqual([...used].sort(), all.sort());
  const shown = [...infoOf(db).keys()].filter((name) => /^(rdb|aof|current_cow|current_save)_/.test(name));
  // Of the loading, which the open report tells more of; and what is the same in every state.
  const others = /^(rdb_last_load_\w+|current_cow_size_age)$/;
  assert.deepEqual(
    shown.filter((name) => FIELDS[name] === undefined && !others.test(name)),
    [],
  );
  assert.equal(compare(db), Object.keys(FIELDS).length);
  await db.close();
});

/** Lets snapshots fail: nothing can be renamed over a directory that is not empty. */
function obstruct(path: string): void {
  try {
    mkdirSync(join(path, "not empty"), { recursive: true });
  } catch (error) {
    // One that was being written has got there first.
    assert.match(String((error as NodeJS.ErrnoException).code), /^(ENOTDIR|EEXIST)$/);
  }
}

test("they agree in every state", async (t) => {
  const random = new Random(seed);
  for (const appendonly of ["yes", "no"]) {
    const dir = temporaryDirectory(t);
    const db = await open({ ...SMALL, dir, config: { appendonly } });
    db.on("error", () => undefined);
    compare(db);
    const jobs: Promise<unknown>[] = [];
    const obstacle = join(dir, "dump.rdb");
    const steps: (() => unknown)[] = [
      () => db.set(`k${random.below(1000)}`, random.text(random.between(1, 2000))),
      () => db.mset(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`m${index}`, random.text(50)]))),
      () => jobs.push(db.bgsave().catch(() => undefined)),
      () => jobs.push(db.rewrite().catch(() => undefined)),
      () => jobs.push(db.durable().catch(() => undefined)),
      () => db.config("SET", "rdb-key-save-delay", random.chance(0.5) ? "0" : "200"),
      () => db.config("RESETSTAT"),
      () => sleep(random.below(20)),
      () => random.chance(0.2) && db.flushall(),
      () => {
        rmSync(obstacle, { recursive: true, force: true });
        if (random.chance(0.5)) obstruct(obstacle);
      },
    ];
    for (let step = 0; step < 300; step++) {
      await random.pick(steps)();
      compare(db);
    }
    db.config("SET", "rdb-key-save-delay", "0");
    await Promise.all(jobs);
    compare(db);
    await db.close();
  }
});

test("a store without files says of them what INFO says", async () => {
  const db = await open(SMALL);
  db.set("k", "v");
  compare(db);
  assert.equal(db.stats().persistence.snapshots.changes, 1);
  await db.close();
});
