/**
 * INFO beside redis-server's: the same fields in the same order, and where it does not depend on the program the same
 * values, in every state that files can be in.
 *
 * Both are brought into a state by the same commands; then every section is compared. What is allowed to differ is
 * listed here, each with its reason.
 */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Configuration } from "../config/configuration.ts";
import { Store } from "../engine/store.ts";
import type { RespClient } from "../testing/resp-client.ts";
import { decode } from "../testing/resp-frame.ts";
import { startRedis, startStillwater, type TestServer } from "../testing/servers.ts";

/** Fields that redis-server 7.0.15 does not have. */
const MORE: readonly (readonly [fields: RegExp, reason: string])[] = [
  [/^(stillwater|node)_version$/, "which program it really is"],
  [/^total_blocking_keys(_on_nokey)?$|^acl_access_denied_/, "new in Redis 7.2"],
  [/^(instantaneous_)?eventloop_/, "new in Redis 7.2, and only where this version of Node.js counts turns"],
  [/^expired_fields$/, "fields of hashes expire, as in Redis 7.4"],
  [/^lazyfree_(pending_bytes|inline_frees|longest_slice_ms)$|^housekeeping_/, "gauges of freeing in the background"],
  [/^thread_/, "the threads that do what Redis's children do"],
  [/^aof_(pending_bytes|oldest_unsynced_ms|fsyncs|fsync_usec_\w+|files_to_delete|last_error)$/, "gauges of the log"],
  [/^rdb_last_error$/, "why a snapshot failed, which Redis has only in its log"],
];
const MORE_SECTIONS = ["# Threads"];

/** Fields that count the same in both programs. */
const SAME: ReadonlySet<string> = new Set(
  [
    "loading async_loading current_save_keys_total current_cow_size_age total_forks",
    "module_fork_in_progress module_fork_last_cow_size",
    "rdb_changes_since_last_save rdb_bgsave_in_progress rdb_last_bgsave_status rdb_saves",
    "rdb_last_load_keys_expired rdb_last_load_keys_loaded",
    "aof_enabled aof_rewrite_in_progress aof_rewrite_scheduled aof_last_bgrewrite_status aof_last_write_status",
    "aof_rewrites aof_rewrites_consecutive_failures aof_pending_rewrite",
  ].flatMap((names) => names.split(" ")),
);

/** Numbers, texts: what a dashboard makes of a value. Where that is a choice of the program, a reason. */
const OTHER_FORM: readonly (readonly [fields: RegExp, reason: string])[] = [
  [/^(os|monotonic_clock|multiplexing_api|atomicvar_api|redis_build_id|executable|mem_allocator)$/, "free text"],
  [/^(run_id|master_replid2?)$/, "random"],
  [/^(cmd|error)stat_|^latency_percentiles_/, "a field for each command that has been called"],
];

interface Side {
  readonly server: TestServer;
  readonly client: RespClient;
}

let ours: Side;
let redis: Side;
const KEYS = 300;

before(async () => {
  const [stillwater, other] = await Promise.all([startStillwater(), startRedis()]);
  ours = { server: stillwater, client: await stillwater.client() };
  redis = { server: other, client: await other.client() };
});

after(async () => {
  for (const { server } of [ours, redis]) await server.stop();
});

async function ask({ client }: Side, ...command: string[]): Promise<string> {
  return String(decode(await client.command(...command)));
}

/** The same commands to both. */
async function both(...command: string[]): Promise<void> {
  const [mine, wanted] = await Promise.all([ask(ours, ...command), ask(redis, ...command)]);
  assert.equal(mine, wanted, command.join(" "));
}

/** Titles of sections, and fields, in order. */
async function linesOf(side: Side): Promise<string[]> {
  return (await ask(side, "INFO", "everything")).split("\r\n").filter((line) => line !== "");
}

function nameOf(line: string): string {
  return line.startsWith("#") ? line : line.slice(0, line.indexOf(":"));
}

function isListed(list: readonly (readonly [RegExp, string])[], name: string): boolean {
  return list.some(([fields]) => fields.test(name));
}

/** Commands are listed in the order of a table; which have been called is the same. */
function sortCommands(names: readonly string[]): string[] {
  const isOfCommand = (name: string): boolean => /^(cmdstat|latency_percentiles)_/.test(name);
  const sorted = names.filter(isOfCommand).sort();
  return names.map((name) => (isOfCommand(name) ? sorted.shift()! : name));
}

/** What a value looks like: digits stand for all digits, letters stay. */
function formOf(value: string): string {
  return value.replace(/-?\d+/g, "0").replace(/\b0(\.0)?[BKMG]\b/g, "0B");
}

async function compare(state: string): Promise<void> {
  const [mine, wanted] = await Promise.all([linesOf(ours), linesOf(redis)]);
  const shared = mine.filter((line) => !isListed(MORE, nameOf(line)) && !MORE_SECTIONS.includes(line));
  assert.deepEqual(sortCommands(shared.map(nameOf)), sortCommands(wanted.map(nameOf)), state);
  const values = new Map(wanted.map((line) => [nameOf(line), line.slice(line.indexOf(":") + 1)]));
  let same = 0;
  for (const line of shared) {
    const name = nameOf(line);
    if (line.startsWith("#")) continue;
    const value = line.slice(line.indexOf(":") + 1);
    if (SAME.has(name)) {
      assert.equal(value, values.get(name), `${state}: ${name}`);
      same += 1;
    } else if (!isListed(OTHER_FORM, name)) {
      assert.equal(formOf(value), formOf(values.get(name)!), `${state}: ${name}`);
    }
  }
  assert(same >= 20, `only ${same} values were compared`);
}

/** Waits until nothing is being written on either side. */
async function settled(): Promise<void> {
  for (const side of [ours, redis]) {
    for (const deadline = Date.now() + 8000; ; await sleep(20)) {
      const info = await ask(side, "INFO", "persistence");
      if (!/(_in_progress|_scheduled):1/.test(info)) break;
      assert(Date.now() < deadline, `${side.server.name} is still at it:\n${info}`);
    }
  }
}

/** Waits until a file is being written: with us, threads may have to start before. */
async function isWriting(side: Side): Promise<void> {
  for (const deadline = Date.now() + 8000; ; await sleep(5)) {
    const info = await ask(side, "INFO", "persistence");
    if (/_in_progress:1/.test(info) && !info.includes("current_save_keys_total:0\r")) return;
    assert(Date.now() < deadline, `${side.server.name} does not begin:\n${info}`);
  }
}

/** Both begin a job that takes a while, are compared in the middle of it, and finish. */
async function compareDuring(state: string, ...command: string[]): Promise<void> {
  await both("CONFIG", "SET", "rdb-key-save-delay", "3000");
  await both(...command);
  await Promise.all([ours, redis].map(isWriting));
  // A child of Redis keeps the delay that it was forked with: longer than it takes to ask twice.
  await compare(`during ${state}`);
  await both("CONFIG", "SET", "rdb-key-save-delay", "0");
  await settled();
  await compare(`after ${state}`);
}

/** Nothing can be renamed over a directory that is not empty. */
function obstruct(...path: string[]): () => void {
  const places = [ours, redis].map(({ server }) => join(server.directory, ...path));
  for (const place of places) mkdirSync(join(place, "not empty"), { recursive: true });
  return () => {
    for (const place of places) rmSync(place, { recursive: true });
  };
}

test("the same fields, and the same values where they do not depend on the program", async () => {
  await compare("fresh");
  for (let index = 0; index < KEYS; index++) await both("SET", `key:${index}`, "value");
  await both("SET", "short-lived", "v", "EX", "1000");
  await compare("with data");
  const clear = obstruct("dump.rdb");
  await both("BGSAVE");
  await settled();
  await compare("after a BGSAVE that failed");
  clear();
  await both("SAVE");
  await compare("after SAVE");
  await compareDuring("BGSAVE", "BGSAVE");
  await both("SET", "one", "more");
  await compareDuring("the first rewrite", "CONFIG", "SET", "appendonly", "yes");
  await both("SET", "one", "more");
  await compareDuring("a rewrite", "BGREWRITEAOF");
  await both("CONFIG", "RESETSTAT");
  await compare("after RESETSTAT");
  await both("CONFIG", "SET", "rdb-key-save-delay", "3000");
  await both("BGSAVE");
  await Promise.all([ours, redis].map(isWriting));
  await both("BGREWRITEAOF");
  await compare("with a rewrite that waits for a snapshot");
  await both("CONFIG", "SET", "rdb-key-save-delay", "0");
  await settled();
  obstruct("appendonlydir", "appendonly.aof.4.base.rdb");
  await both("BGREWRITEAOF");
  await settled();
  await compare("after a rewrite that failed");
  await both("CONFIG", "SET", "appendonly", "no");
  await compare("with the log off again");
});

/** The section as redis-server has it while it loads. */
async function linesWhileLoading(): Promise<string[]> {
  await ask(redis, "CONFIG", "SET", "key-load-delay", "3000", "loading-process-events-interval-bytes", "1024");
  const other = await redis.server.client();
  const reloaded = redis.client.command("DEBUG", "RELOAD");
  for (const deadline = Date.now() + 8000; ; await sleep(5)) {
    const lines = String(decode(await other.command("INFO", "persistence"))).split("\r\n");
    assert(Date.now() < deadline, "redis-server is never seen to load");
    if (!lines.includes("loading:1")) continue;
    await ask({ server: redis.server, client: other }, "CONFIG", "SET", "key-load-delay", "0");
    await reloaded;
    await other.close();
    return lines.filter((line) => line.includes(":"));
  }
}

test("while loading", async (t) => {
  const wanted = await linesWhileLoading();
  const dir = mkdtempSync(join(tmpdir(), "stillwater-info-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  copyFileSync(join(redis.server.directory, "dump.rdb"), join(dir, "dump.rdb"));
  const configuration = new Configuration();
  configuration.initialize("dir", [dir]);
  configuration.initialize("save", [""]);
  const store = new Store(configuration, Date.now, { shards: 1, regionSize: 2 ** 22 });
  t.after(() => store.close({ saves: false }));
  let mine: string[] = [];
  await store.open({
    onProgress: ({ phase }) => {
      if (phase !== "loading") return;
      const fields = Object.entries(store.services.persistence.figures().persistence);
      mine = fields.map(([name, value]) => `${name}:${value}`).filter((line) => !isListed(MORE, nameOf(line)));
    },
  });
  assert.deepEqual(mine.map(nameOf), wanted.map(nameOf));
  // The last rewrite of redis-server has failed, above.
  const form = (line: string): string => formOf(line).replace(/:(ok|err)$/, ":status");
  assert.deepEqual(mine.map(form), wanted.map(form));
  assert(mine.includes("loading:1"));
});
