/** The life of a log: started, rewritten, failed, healed, turned off and on; over real files and threads. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { allCommands } from "../commands/all-commands.ts";
import { CommandRunner } from "../testing/commands.ts";
import { open, reopened } from "../testing/log-keeping.ts";
import { until } from "../testing/sockets.ts";
import { logFields } from "./log-figures.ts";
import { RewriteSchedule } from "./rewrite-schedule.ts";

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
  await scene.keeper.durable();
  const { always, whileOn } = logFields(scene.keeper.stats());
  assert.equal(always["aof_rewrites"], 1);
  assert.equal(always["aof_last_bgrewrite_status"], "ok");
  const read = (name: string) => readFileSync(join(scene.path, name), "latin1");
  const baseSize = read("appendonly.aof.1.base.rdb").length;
  const increment = () => read("appendonly.aof.2.incr.aof");
  // Whether lines that tell of syncs have come yet is a matter of time.
  const batches = increment().replaceAll(/#stillwater:synced \d+\r\n/g, "");
  assert.equal(whileOn["aof_current_size"], baseSize + batches.length);
  const next = await reopened(t, scene);
  assert.equal(next.runner.run("LRANGE", "list", "0", "-1"), before);
  assert.equal(logFields(next.keeper.stats()).whileOn["aof_current_size"], baseSize + increment().length);
});

test("a rewrite that fails leaves a set that is complete, and the next one mends it", async (t) => {
  const scene = await open(t);
  await scene.run("SET", "a", "1");
  scene.failSnapshots(true);
  await assert.rejects(scene.keeper.rewriteNow(), /snapshots fail/);
  assert.equal(logFields(scene.keeper.stats()).always["aof_last_bgrewrite_status"], "err");
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
  assert.equal(logFields(scene.keeper.stats()).always["aof_last_write_status"], "err");
  assert.equal(logFields(scene.keeper.stats()).whileOn["aof_last_error"], "No space left on device");
  assert.equal(scene.notices.length, 1);
  await assert.rejects(scene.keeper.durable());
  scene.failSnapshots(true);
  await assert.rejects(scene.keeper.rewriteNow(), /snapshots fail/);
  assert.equal(scene.keeper.writeRefusal, refusal, "the first reason is the one to mend");
  assert.deepEqual(scene.notices, [
    "Writing the append only file failed: No space left on device. Writes are refused until it is rewritten.",
    "Rewriting the append only file failed: snapshots fail",
  ]);
  assert.equal(scene.told.length, 1);
  scene.keeper.tick();
  assert.equal(scene.keeper.isRewriting, false, "it heals only when that is asked for");
  scene.failSnapshots(false);
  await scene.keeper.rewriteNow();
  assert.equal(scene.keeper.writeRefusal, undefined);
  assert.equal(logFields(scene.keeper.stats()).always["aof_last_write_status"], "ok");
  assert.deepEqual(scene.told, ["No space left on device", ""]);
  assert.deepEqual(scene.news, [
    "The append only file can be written again: writes are accepted",
    "Background AOF rewrite finished successfully",
  ]);
  await scene.run("INCR", "a");
  await scene.keeper.durable();
  const next = await reopened(t, scene);
  assert.equal(next.runner.ask("GET", "a"), "3");
});

test("after an append that failed, CONFIG SET appendonly no allows writes at once, yes begins a set", async (t) => {
  const scene = await open(t);
  const { configuration } = scene.runner;
  await scene.run("SET", "a", "1");
  scene.failAppend();
  await scene.run("SET", "a", "2");
  assert.notEqual(scene.keeper.writeRefusal, undefined);
  configuration.configSet([["appendonly", "no"]]);
  await turn();
  assert.equal(scene.keeper.writeRefusal, undefined);
  assert.equal(logFields(scene.keeper.stats()).always["aof_enabled"], 0);
  assert.equal(logFields(scene.keeper.stats()).always["aof_last_write_status"], "ok");
  await scene.run("INCR", "a");
  assert.equal(scene.keeper.writeRefusal, undefined);
  configuration.configSet([["appendonly", "yes"]]);
  await scene.keeper.durable();
  await scene.run("INCR", "a");
  assert.equal(scene.notices.length, 1, scene.notices.join());
  const next = await reopened(t, scene);
  assert.equal(next.runner.ask("GET", "a"), "4");
});

test("an append that fails as the log is turned off is told, and refuses nothing", async (t) => {
  const scene = await open(t);
  await scene.run("SET", "a", "1");
  scene.runner.run("SET", "a", "2");
  scene.failAppend();
  scene.runner.configuration.configSet([["appendonly", "no"]]);
  await until("it is told", () => scene.notices.length > 0);
  assert.deepEqual(scene.notices, ["Ending the log failed: No space left on device"]);
  assert.equal(scene.keeper.writeRefusal, undefined);
});

test("what fails in the log's own thread is told in the C library's words", async (t) => {
  const scene = await open(t, { appendonly: "no" });
  await scene.run("SET", "a", "1");
  writeFileSync(scene.path, "");
  assert.throws(() => scene.runner.configuration.configSet([["appendonly", "yes"]]), / - Not a directory$/);
  rmSync(scene.path);
  // A link to nowhere looks like nothing, until its place is needed.
  symlinkSync(join(scene.path, "..", "none", "none"), scene.path);
  scene.runner.configuration.configSet([["appendonly", "yes"]]);
  await until("it has failed", () => scene.notices.length > 0);
  assert.deepEqual(scene.notices, ["Rewriting the append only file failed: No such file or directory"]);
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
  assert.deepEqual(Object.keys(logFields(scene.keeper.stats()).whileOn), []);
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

test("a base of commands: whenever that is wanted, from the next rewrite on, and back again", async (t) => {
  const scene = await open(t, { "aof-timestamp-enabled": "yes" });
  const { configuration } = scene.runner;
  const bases = (): string[] => scene.files().filter((name) => name.includes(".base."));
  const rewrite = async (): Promise<void> => {
    await scene.keeper.rewriteNow();
    await until("the old ones are gone", () => scene.files().length === 3);
  };
  await scene.run("RPUSH", "list", "a", "b");
  await rewrite();
  configuration.configSet([["aof-use-rdb-preamble", "no"]]);
  assert.deepEqual(bases(), ["appendonly.aof.1.base.rdb"]);
  await scene.run("RPUSH", "list", "c");
  await rewrite();
  assert.deepEqual(bases(), ["appendonly.aof.2.base.aof"]);
  const base = readFileSync(join(scene.path, bases()[0]!), "latin1");
  assert.match(base, /^#TS:\d{10}\r\n#stillwater:1 \d+ [0-9a-f]{8}\r\n\*2\r\n\$6\r\nSELECT\r\n/);
  assert.equal(logFields(scene.keeper.stats()).whileOn["aof_base_size"], base.length);
  await scene.run("RPUSH", "list", "d");
  const next = await reopened(t, scene);
  assert.deepEqual(next.runner.ask("LRANGE", "list", "0", "-1"), ["a", "b", "c", "d"]);
  await next.keeper.rewriteNow();
  await until("the old ones are gone", () => next.files().length === 3);
  assert.equal(next.files()[0], "appendonly.aof.3.base.rdb");
});

test("a set that is begun anew has the base that is wanted", async (t) => {
  const scene = await open(t, { appendonly: "no", "aof-use-rdb-preamble": "no" });
  await scene.run("SET", "a", "1");
  scene.runner.configuration.configSet([["appendonly", "yes"]]);
  await scene.keeper.durable();
  assert.equal(scene.files()[0], "appendonly.aof.1.base.aof");
  await scene.run("INCR", "a");
  const next = await reopened(t, scene);
  assert.equal(next.runner.ask("GET", "a"), "2");
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
  assert.equal(logFields(scene.keeper.stats()).always["aof_rewrites"], 1);
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
  schedule.end(false);
  assert.equal(schedule.isDue(5000, true), false);
  now = 60_000;
  assert.equal(schedule.isDue(5000, true), true);
  schedule.end(false);
  now = 120_000;
  assert.equal(schedule.isDue(5000, true), false);
  schedule.isScheduled = true;
  assert.equal(schedule.isDue(0, false), true);
  schedule.end(true);
  assert.equal(schedule.hasFailed, false);
});
