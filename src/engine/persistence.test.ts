/** A store's files as a whole: what INFO says, who is refused when, and what opening and closing leave behind. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { NoPersistence } from "../commands/no-persistence.ts";
import { Configuration } from "../config/configuration.ts";
import { LEASE_MS, thisHolder } from "../durability/lock-holder.ts";
import { CommandRunner } from "../testing/commands.ts";
import { until } from "../testing/sockets.ts";
import { OpeningEndedError, type OpenProgress } from "./persistence.ts";
import { Store } from "./store.ts";

const SMALL = { shards: 1, regionSize: 4 * 2 ** 20 };

/** The section as Redis 7.2 has it, without a log and with one. */
const FIELDS =
  "loading async_loading current_cow_peak current_cow_size current_cow_size_age current_fork_perc " +
  "current_save_keys_processed current_save_keys_total rdb_changes_since_last_save rdb_bgsave_in_progress " +
  "rdb_last_save_time rdb_last_bgsave_status rdb_last_bgsave_time_sec rdb_current_bgsave_time_sec rdb_saves " +
  "rdb_last_cow_size rdb_last_load_keys_expired rdb_last_load_keys_loaded aof_enabled aof_rewrite_in_progress " +
  "aof_rewrite_scheduled aof_last_rewrite_time_sec aof_current_rewrite_time_sec aof_last_bgrewrite_status " +
  "aof_rewrites aof_rewrites_consecutive_failures aof_last_write_status aof_last_cow_size module_fork_in_progress " +
  "module_fork_last_cow_size";
const FIELDS_OF_LOG =
  "aof_current_size aof_base_size aof_pending_rewrite aof_buffer_length aof_pending_bio_fsync aof_delayed_fsync";

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-persistence-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function newStore(t: TestContext, directives: Readonly<Record<string, string>>): Store {
  const configuration = new Configuration();
  for (const [name, value] of Object.entries(directives)) configuration.initialize(name, [value]);
  const store = new Store(configuration, Date.now, SMALL);
  t.after(() => store.close({ saves: false }));
  return store;
}

/** What Redis has no fields for. */
const OWN =
  /^(rdb_last_error|aof_(pending_bytes|oldest_unsynced_ms|fsyncs|fsync_usec_\w+|files_to_delete|last_error))$/;

function namesOf(store: Store): string[] {
  return Object.keys(store.services.persistence.figures().persistence);
}

test("INFO persistence has Redis's fields in Redis's order, then our own", async (t) => {
  const dir = temporaryDirectory(t);
  const without = newStore(t, { dir, save: "" });
  const withoutLog = [...FIELDS.split(" "), "rdb_last_error"];
  assert.deepEqual(namesOf(without), withoutLog, "before there are files");
  await without.open();
  assert.deepEqual(namesOf(without), withoutLog);
  const logged = newStore(t, { dir: temporaryDirectory(t), appendonly: "yes" });
  await logged.open();
  const names = namesOf(logged);
  const redis = [...FIELDS.split(" "), ...FIELDS_OF_LOG.split(" ")];
  assert.deepEqual(names.slice(0, redis.length), redis);
  const rest = names.slice(redis.length);
  assert.equal(rest.length, 9);
  assert.deepEqual(
    rest.filter((name) => !OWN.test(name)),
    [],
  );
});

test("until files are read, LOADING; and INFO tells how far it is", async (t) => {
  const store = newStore(t, { dir: temporaryDirectory(t), save: "" });
  await store.claimFiles();
  assert.equal(store.engine.isLoading, true);
  assert.equal(store.services.persistence.isLoading, true);
  const shown = (): unknown => store.services.persistence.figures().persistence["loading"];
  assert.equal(shown(), 1, "clients that look before they ask would take it for ready");
  const opening = store.open();
  const loading = namesOf(store).filter((name) => name.startsWith("loading_"));
  assert.deepEqual(loading, [
    "loading_start_time",
    "loading_total_bytes",
    "loading_rdb_used_mem",
    "loading_loaded_bytes",
    "loading_loaded_perc",
    "loading_eta_seconds",
  ]);
  await opening;
  assert.equal(store.engine.isLoading, false);
  assert.equal(store.services.persistence.isLoading, false);
  assert.equal(shown(), 0);
});

test("a store that is closed while it opens says so, and leaves nothing", async (t) => {
  const dir = temporaryDirectory(t);
  const store = newStore(t, { dir, appendonly: "yes" });
  const opening = assert.rejects(store.open(), OpeningEndedError);
  await store.close();
  await opening;
  assert.equal(store.engine.isLoading, true, "it never serves what it may not have read");
  assert(!readdirSync(dir).includes("stillwater.lock"));
});

test("a store waits for a lock that may be a dead one's, and can be closed meanwhile", async (t) => {
  const dir = temporaryDirectory(t);
  const lock = join(dir, "stillwater.lock");
  writeFileSync(lock, JSON.stringify({ ...thisHolder("other 1.0"), machine: "elsewhere" }));
  const told: OpenProgress[] = [];
  const onProgress = (progress: OpenProgress): void => void told.push(progress);
  const first = newStore(t, { dir, appendonly: "yes" });
  const opening = assert.rejects(first.open({ onProgress }), OpeningEndedError);
  assert.equal(told.length, 1);
  assert.match(told[0]!.waitingFor!, /^Waiting, 15 s at most, for the lock of \S+: other 1\.0, process \d+ on /);
  await first.close();
  await opening;
  assert.deepEqual(readdirSync(dir), ["stillwater.lock"]);
  const recently = new Date(Date.now() - LEASE_MS + 500);
  utimesSync(lock, recently, recently);
  const second = newStore(t, { dir, appendonly: "yes" });
  await second.open({ onProgress });
  assert.deepEqual([told[1]!.phase, told.at(-1)!.phase], ["waiting", "done"]);
  await second.close();
  assert.deepEqual(readdirSync(dir), ["appendonlydir"]);
});

test("rules for saving are looked at in rounds; nothing is where there are none", async (t) => {
  const dir = temporaryDirectory(t);
  const idle = newStore(t, { dir, save: "" });
  await idle.open();
  idle.keyspace.changes += 1;
  idle.tick();
  assert.equal(idle.files.snapshotter.isRunning, false);
  assert.deepEqual(readdirSync(dir), []);
  const ruled = newStore(t, { dir, save: "1 1" });
  await ruled.open();
  ruled.keyspace.changes += 1;
  await until("the rule is followed", () => ruled.files.snapshotter.changes === 0);
  assert(readdirSync(dir).includes("dump.rdb"));
});

test("writes and PING are refused while what they would change cannot be saved; the rest goes on", () => {
  const runner = new CommandRunner(allCommands);
  runner.run("SET", "k", "v");
  class Failed extends NoPersistence {
    override readonly writeRefusal = "MISCONF it failed" as unknown as undefined;
  }
  runner.services.persistence = new Failed(0, () => 0);
  for (const write of ["SET k w", "DEL k", "PING", "FLUSHALL"]) {
    assert.equal(runner.run(...write.split(" ")), "-MISCONF it failed\r\n", write);
  }
  assert.equal(runner.run("GET", "k"), "$1\r\nv\r\n");
  assert.equal(runner.run("CONFIG", "SET", "hz", "11"), "+OK\r\n");
  assert.match(runner.run("INFO", "commandstats"), /cmdstat_ping:.*rejected_calls=1,failed_calls=0/);
});
