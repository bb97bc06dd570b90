/** The life of a log: started, rewritten, failed, healed, turned off and on; over real files and threads. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { BackgroundThreads } from "../background/background-threads.ts";
import { LogWriterThread } from "../background/log-writer.ts";
import { allCommands } from "../commands/all-commands.ts";
import { type Files, type OpenFile, type OpenMode, realFiles } from "../durability/files.ts";
import { CommandRunner } from "../testing/commands.ts";
import { until } from "../testing/sockets.ts";
import { LogKeeper } from "./log-keeper.ts";
import type { BaseWriter } from "./log-parts.ts";
import { Recovery } from "./recovery.ts";
import { RewriteSchedule } from "./rewrite-schedule.ts";
import { Snapshotter } from "./snapshotter.ts";

interface Scene {
  readonly runner: CommandRunner;
  readonly keeper: LogKeeper;
  readonly path: string;
  readonly notices: string[];
  /** Lets the owner's next append fail. */
  failAppend(): void;
  /** Lets all snapshots fail, or not any more. */
  failSnapshots(fails: boolean): void;
  run(...words: string[]): Promise<string>;
  files(): string[];
  end(): Promise<void>;
}

/** Real files, but for an append that is to fail. */
function failingFiles(): { files: Files; failAppend: () => void } {
  let appendFails = false;
  const open = (name: string, mode: OpenMode): OpenFile => {
    const file = realFiles.open(name, mode);
    const write = file.write.bind(file);
    file.write = (bytes, start, length) => {
      if (!appendFails) return write(bytes, start, length);
      appendFails = false;
      throw Object.assign(new Error("ENOSPC: no space left on device"), { errno: -28, code: "ENOSPC" });
    };
    return file;
  };
  return {
    files: { ...realFiles, open },
    failAppend: () => {
      appendFails = true;
    },
  };
}

/** The one that writes snapshots, but for all of them failing. */
function failingSnapshots(real: Snapshotter): { snapshots: BaseWriter; failSnapshots: (fails: boolean) => void } {
  let snapshotsFail = false;
  const snapshots: BaseWriter = {
    get isRunning() {
      return real.isRunning;
    },
    hasOtherJob: () => false,
    begin(temporary, aux, onEnd) {
      if (snapshotsFail) throw new Error("snapshots fail");
      real.begin(temporary, aux, onEnd);
    },
    cancel: () => real.cancel(),
  };
  return {
    snapshots,
    failSnapshots: (fails) => {
      snapshotsFail = fails;
    },
  };
}

async function open(
  t: TestContext,
  directives: Readonly<Record<string, string>> = {},
  dir = mkdtempSync(join(tmpdir(), "stillwater-keeper-")),
): Promise<Scene> {
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  // Threads do not keep the test's process alive.
  const alive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(alive));
  const all = { dir, appendonly: "yes", save: "", ...directives };
  const runner = new CommandRunner(allCommands, { directives: all });
  const { configuration, effects, keyspace, services } = runner;
  const { log } = await new Recovery(runner.engine).run();
  const threads = new BackgroundThreads();
  const notices: string[] = [];
  const onNotice = (line: string): void => void notices.push(line);
  const real = new Snapshotter({ keyspace, configuration, services, threads, onNotice } as never);
  const { snapshots, failSnapshots } = failingSnapshots(real);
  const path = join(dir, "appendonlydir");
  const directory = { path, parent: dir, filename: "appendonly.aof", rdbName: "dump.rdb" };
  const { files, failAppend } = failingFiles();
  const keeper = new LogKeeper({
    configuration,
    effects,
    snapshots,
    link: new LogWriterThread(threads, directory),
    files,
    directory,
    hasData: () => keyspace.databases.some(({ count }) => count > 0),
    notice: onNotice,
  });
  if (log !== undefined) await keeper.start(log);
  const end = async (): Promise<void> => {
    clearInterval(alive);
    await threads.stop(1000);
    runner.verify();
  };
  t.after(end);
  return {
    runner,
    keeper,
    path,
    notices,
    failAppend,
    failSnapshots,
    run: async (...words) => {
      const reply = runner.run(...words);
      await turn();
      return reply;
    },
    files: () => readdirSync(path).sort(),
    end,
  };
}

/** What a fresh start finds. */
async function reopened(t: TestContext, scene: Scene): Promise<Scene> {
  await scene.keeper.close();
  await scene.end();
  return await open(t, {}, join(scene.path, ".."));
}

test("a store without data begins with an empty increment, and goes on with it", async (t) => {
  const scene = await open(t);
  assert.deepEqual(scene.files(), ["appendonly.aof.1.incr.aof", "appendonly.aof.manifest"]);
  await scene.run("SET", "a", "1");
  await scene.run("INCR", "a");
  const next = await reopened(t, scene);
  assert.equal(next.runner.ask("GET", "a"), "2");
  await next.run("INCR", "a");
  const last = await reopened(t, next);
  assert.equal(last.runner.ask("GET", "a"), "3");
  assert.deepEqual(last.files(), ["appendonly.aof.1.incr.aof", "appendonly.aof.manifest"]);
});

test("a rewrite: one base, one increment, what was written meanwhile is in it, and old files go", async (t) => {
  const scene = await open(t);
  for (let index = 0; index < 100; index += 1) await scene.run("RPUSH", "list", String(index));
  assert.equal(scene.keeper.rewrite(), "Background append only file rewriting started");
  assert.throws(() => scene.keeper.rewrite(), {
    message: "ERR Background append only file rewriting already in progress",
  });
  for (let index = 100; scene.keeper.isRewriting; index += 1) {
    await scene.run("RPUSH", "list", String(index));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await until("the old ones are gone", () => scene.files().length === 3);
  assert.deepEqual(scene.files(), [
    "appendonly.aof.1.base.rdb",
    "appendonly.aof.2.incr.aof",
    "appendonly.aof.manifest",
  ]);
  await scene.run("RPUSH", "list", "last");
  const before = scene.runner.run("LRANGE", "list", "0", "-1");
  const { always, whileOn } = scene.keeper.info();
  assert.equal(always["aof_rewrites"], 1);
  assert.equal(always["aof_last_bgrewrite_status"], "ok");
  const sizes = ["appendonly.aof.1.base.rdb", "appendonly.aof.2.incr.aof"].map((name) => {
    return readFileSync(join(scene.path, name)).length;
  });
  assert.equal(whileOn["aof_current_size"], sizes[0]! + sizes[1]!);
  const next = await reopened(t, scene);
  assert.equal(next.runner.run("LRANGE", "list", "0", "-1"), before);
  assert.equal(next.keeper.info().whileOn["aof_current_size"], sizes[0]! + sizes[1]!);
});

test("a rewrite that fails leaves a set that is complete, and the next one mends it", async (t) => {
  const scene = await open(t);
  await scene.run("SET", "a", "1");
  scene.failSnapshots(true);
  await assert.rejects(scene.keeper.rewriteNow(), /snapshots fail/);
  assert.equal(scene.keeper.info().always["aof_last_bgrewrite_status"], "err");
  assert.equal(scene.keeper.writeRefusal, undefined);
  await scene.run("INCR", "a");
  const next = await reopened(t, scene);
  assert.equal(next.runner.ask("GET", "a"), "2");
  assert.equal(next.files().filter((name) => name.includes("incr")).length, 2);
  await next.keeper.rewriteNow();
  await until("the old ones are gone", () => next.files().length === 3);
});

test("after an append that failed writes are refused, until a rewrite has begun a new set", async (t) => {
  const scene = await open(t);
  await scene.run("SET", "a", "1");
  scene.failAppend();
  await scene.run("SET", "a", "2");
  const refusal = "MISCONF Errors writing to the AOF file: No space left on device";
  assert.equal(scene.keeper.writeRefusal, refusal);
  assert.equal(scene.keeper.info().always["aof_last_write_status"], "err");
  assert.equal(scene.keeper.info().whileOn["aof_last_error"], "No space left on device");
  assert.equal(scene.notices.length, 1);
  await assert.rejects(scene.keeper.durable());
  scene.failSnapshots(true);
  await assert.rejects(scene.keeper.rewriteNow(), /snapshots fail/);
  assert.notEqual(scene.keeper.writeRefusal, undefined);
  scene.keeper.tick();
  assert.equal(scene.keeper.isRewriting, false, "it heals only when that is asked for");
  scene.failSnapshots(false);
  await scene.keeper.rewriteNow();
  assert.equal(scene.keeper.writeRefusal, undefined);
  assert.equal(scene.keeper.info().always["aof_last_write_status"], "ok");
  await scene.run("INCR", "a");
  await scene.keeper.durable();
  const next = await reopened(t, scene);
  assert.equal(next.runner.ask("GET", "a"), "3");
});

test("CONFIG SET appendonly: yes begins a set with what is there, no ends it, yes begins another", async (t) => {
  const scene = await open(t, { appendonly: "no" });
  const { configuration } = scene.runner;
  assert.throws(() => scene.keeper.rewrite(), /appendonly is no/);
  await scene.run("SET", "a", "1");
  assert.equal(existsSync(scene.path), false);
  configuration.configSet([["appendonly", "yes"]]);
  await scene.keeper.durable();
  await scene.run("INCR", "a");
  configuration.configSet([["appendonly", "no"]]);
  await scene.run("INCR", "a");
  assert.equal(scene.keeper.isOn, false);
  assert.deepEqual(Object.keys(scene.keeper.info().whileOn), []);
  configuration.configSet([["appendonly", "yes"]]);
  await scene.keeper.durable();
  await scene.run("INCR", "a");
  await until("the old ones are gone", () => scene.files().length === 3);
  assert.deepEqual(scene.files(), [
    "appendonly.aof.2.base.rdb",
    "appendonly.aof.2.incr.aof",
    "appendonly.aof.manifest",
  ]);
  const next = await reopened(t, scene);
  assert.equal(next.runner.ask("GET", "a"), "4");
});

test("turned off while it is being begun, nothing is left of it", async (t) => {
  const scene = await open(t, { appendonly: "no" });
  const { configuration } = scene.runner;
  await scene.run("SET", "a", "1");
  configuration.configSet([["appendonly", "yes"]]);
  configuration.configSet([["appendonly", "no"]]);
  await until("the rewrite is over", () => !scene.keeper.isRewriting);
  assert.equal(scene.keeper.isOn, false);
  assert.equal(scene.keeper.log.isOn, false);
  configuration.configSet([["appendonly", "yes"]]);
  await scene.keeper.durable();
  assert.equal(scene.keeper.isOn, true);
});

test("a base in another form than RDB is refused in so many words", async (t) => {
  const scene = await open(t);
  assert.throws(
    () => scene.runner.configuration.configSet([["aof-use-rdb-preamble", "no"]]),
    /a base in any other form than RDB is not written/,
  );
  await assert.rejects(open(t, { "aof-use-rdb-preamble": "no" }), /any other form than RDB/);
});

test("it is rewritten by itself when it has grown by so much, and is so large", async (t) => {
  const scene = await open(t, { "auto-aof-rewrite-min-size": "10kb", "auto-aof-rewrite-percentage": "100" });
  const value = "v".repeat(1000);
  for (let index = 0; index < 9; index += 1) await scene.run("SET", "a", value);
  scene.keeper.tick();
  assert.equal(scene.keeper.isRewriting, false);
  await scene.run("SET", "a", value);
  scene.keeper.tick();
  assert.equal(scene.keeper.isRewriting, true);
  await until("it is over", () => !scene.keeper.isRewriting);
  scene.keeper.tick();
  assert.equal(scene.keeper.isRewriting, false);
  assert.equal(scene.keeper.info().always["aof_rewrites"], 1);
});

test("the schedule: percentage, size, and longer waits after each failure", () => {
  let now = 0;
  const runner = new CommandRunner(allCommands, {
    directives: { "auto-aof-rewrite-min-size": "1000", "auto-aof-rewrite-percentage": "50" },
  });
  const schedule = new RewriteSchedule(runner.configuration, () => now);
  schedule.rememberSize(1000);
  assert.equal(schedule.isDue(1499, true), false);
  assert.equal(schedule.isDue(1500, true), true);
  assert.equal(schedule.isDue(1500, false), false);
  schedule.rememberSize(10);
  assert.equal(schedule.isDue(999, true), false);
  schedule.begin();
  schedule.end(false, 1);
  assert.equal(schedule.isDue(5000, true), false);
  now = 60_000;
  assert.equal(schedule.isDue(5000, true), true);
  schedule.end(false, 1);
  now = 120_000;
  assert.equal(schedule.isDue(5000, true), false);
  schedule.isScheduled = true;
  assert.equal(schedule.isDue(0, false), true);
  schedule.end(true, 3.7);
  assert.equal(schedule.lastSeconds, 3);
  assert.equal(schedule.hasFailed, false);
});
