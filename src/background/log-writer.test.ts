/** The thread that writes the log, with a real one and real files. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AppendLog, LogFailedError, type SyncPolicy } from "../durability/append-log.ts";
import { EffectLog } from "../durability/effect-log.ts";
import { realFiles } from "../durability/files.ts";
import { LogChannel } from "../durability/log-channel.ts";
import { FIRST_SEQUENCE } from "../durability/log-lines.ts";
import { AofNames } from "../durability/manifest.ts";
import { withoutPadding } from "../testing/log-builder.ts";
import { until } from "../testing/sockets.ts";
import { BackgroundThreads } from "./background-threads.ts";
import { LogWriterThread } from "./log-writer.ts";

const NAMES = new AofNames("a.aof");

async function startLog(t: TestContext, policy: SyncPolicy, ringBytes?: number) {
  const parent = mkdtempSync(join(tmpdir(), "stillwater-log-"));
  t.after(() => rmSync(parent, { recursive: true }));
  const path = join(parent, "log");
  mkdirSync(path);
  // The thread does not keep the test's process alive.
  const alive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(alive));
  const threads = new BackgroundThreads();
  t.after(() => threads.stop(1000));
  const link = new LogWriterThread(threads, { path, parent, filename: "a.aof", rdbName: "dump.rdb" });
  const effects = new EffectLog();
  const log = new AppendLog(effects);
  log.policy = policy;
  link.onProgress = (progress) => {
    if (progress.kind === "failed") log.fail(progress.error);
    else if (progress.kind !== "retired") log.poll();
  };
  await link.run({ kind: "create", manifest: { base: undefined, incrs: [NAMES.incr(1)], history: [] } });
  const channel = new LogChannel(undefined, ringBytes);
  const { name } = NAMES.incr(1);
  await link.run({ kind: "begin", buffers: channel.buffers, name, isNew: false });
  log.begin(channel, realFiles.open(join(path, name), "append"), link, FIRST_SEQUENCE);
  const write = (value: string): void => {
    effects.beginUnit(0);
    effects.add("SET", "k", value);
    effects.endUnit();
    log.flush(1);
  };
  const content = (incr = 1): string => readFileSync(join(path, NAMES.incr(incr).name), "latin1");
  return { path, link, log, effects, channel, write, content };
}

function released(log: AppendLog): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (log.released < log.appended) return;
      log.listeners.delete(look);
      resolve();
    };
    log.listeners.add(look);
    look();
  });
}

test("always: what one client writes is on disk soon, one after the other", async (t) => {
  const { log, write, content } = await startLog(t, "always");
  const times: number[] = [];
  for (let index = 0; index < 50; index += 1) {
    const begin = performance.now();
    write(`value-${index}`);
    await released(log);
    times.push(performance.now() - begin);
    assert(content().includes(`value-${index}\r\n`));
    assert.equal(log.durable, log.appended);
  }
  times.sort((one, other) => one - other);
  // A sync of a busy disk may take its time; a lost wake-up would take for ever, a timer at least LINGER_MS.
  t.diagnostic(`one client: median ${times[25]!.toFixed(2)} ms, longest ${times[49]!.toFixed(2)} ms`);
});

test("always: it wakes up however long it has slept", async (t) => {
  const { log, write } = await startLog(t, "always");
  for (const ms of [0, 5, 15, 19, 20, 21, 25, 60]) {
    await sleep(ms);
    write("x");
    await released(log);
  }
  assert.equal(log.durable, log.appended);
});

test("more than the ring holds goes through it, while this thread waits", async (t) => {
  const { log, effects, write, content } = await startLog(t, "always", 4096);
  const value = "v".repeat(100_000);
  write(value);
  assert(log.delays > 0);
  await released(log);
  assert.equal(withoutPadding(content()).length, log.appended);
  assert.equal(effects.length, 0);
});

test("everysec: it syncs by itself within about a second, and asks nobody", async (t) => {
  const { log, write } = await startLog(t, "everysec");
  write("x");
  assert.equal(log.written, log.appended);
  assert.equal(log.durable, 0);
  await until("it is durable", () => log.durable === log.appended, 4000);
});

for (const policy of ["always", "everysec"] as const) {
  test(`${policy}: once nothing comes any more, the file tells that all of it is on the disk`, async (t) => {
    const { log, write, content } = await startLog(t, policy);
    write("x");
    const line = () => /#stillwater:synced (\d+)\r\n(?:#+\n)*$/.exec(content())?.[1];
    await until("the file tells", () => line() !== undefined, 4000);
    assert.equal(Number(line()), log.appended);
    assert.equal(log.durable, log.appended);
    const { length } = content();
    await log.sync();
    await sleep(100);
    assert.equal(content().length, length, "told twice");
  });
}

test("no: it syncs when that is asked for", async (t) => {
  const { log, write } = await startLog(t, "no");
  write("x");
  await sleep(50);
  assert.equal(log.durable, 0);
  await log.sync();
  assert.equal(log.durable, log.appended);
});

test("at the end of the process this thread waits for it", async (t) => {
  const { log, write, content } = await startLog(t, "always");
  write("last");
  assert.equal(log.finishWithin(10_000), true);
  assert(content().includes("last"));
  assert.equal(log.durable, log.appended);
});

test("a switch leaves each batch in its file, and old files are deleted", async (t) => {
  const { log, write, link, path, content } = await startLog(t, "always");
  write("old");
  const incr = NAMES.incr(2);
  const manifest = { base: undefined, incrs: [NAMES.incr(1), incr], history: [] };
  log.askToListen();
  await link.run({ kind: "prepare", incr, manifest });
  write("older");
  log.switchTo(realFiles.open(join(path, incr.name), "append"));
  write("new");
  await released(log);
  const old = content(1).replace(/#stillwater:synced \d+\r\n/, "");
  assert.match(old, /#stillwater:1 [\s\S]*old\r\n#stillwater:2 [\s\S]*older\r\n$/);
  assert.match(content(2), /^#stillwater:1 [\s\S]*SELECT[\s\S]*new\r\n$/);
  const base = NAMES.base(1, true);
  const temporary = join(path, `temp-${process.pid}.${base.name}`);
  realFiles.open(temporary, "create").close();
  log.askToListen();
  await link.run({ kind: "commit", temporary, from: undefined, manifest: { base, incrs: [incr], history: [] } });
  await link.run({ kind: "retire", isStart: false });
  await until("the old one is gone", () => readdirSync(path).length === 3);
  assert.deepEqual(readdirSync(path).sort(), [base.name, incr.name, NAMES.manifest].sort());
});

test("what a task retires while files are being deleted goes as soon as these are gone", async (t) => {
  const { link, path } = await startLog(t, "always");
  // All are given at once: the thread does not get round to hearing of the first deletion before the last task.
  const tasks = [1, 2, 3, 4].flatMap((sequence) => [
    link.run({ kind: "create", manifest: { base: undefined, incrs: [NAMES.incr(sequence + 1)], history: [] } }),
    link.run({ kind: "retire", isStart: false }),
  ]);
  await Promise.all(tasks);
  await until("only the last one is there", () => readdirSync(path).length === 2);
  assert.deepEqual(readdirSync(path).sort(), [NAMES.incr(5).name, NAMES.manifest]);
});

test("a thread that dies fails the log, and what it was asked for", async (t) => {
  const { log, write, link } = await startLog(t, "always");
  write("a");
  await released(log);
  await link.thread.kill();
  await until("it is known", () => log.failure !== undefined);
  assert.match(log.failure!, /the thread log-writer is gone/);
  await assert.rejects(log.sync(), LogFailedError);
  const { appended } = log;
  write("b");
  assert.equal(log.appended, appended);
});

test("a task that fails says why", async (t) => {
  const { link } = await startLog(t, "no");
  await assert.rejects(link.run({ kind: "discard", name: "nothing" }), /No such file or directory/);
});
