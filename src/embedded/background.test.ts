/** What a store does on its own, and when: by itself, or by `tick` only; and what `stats` says of it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { SHIPPED_INDEX } from "../testing/shipped.ts";
import { until } from "../testing/sockets.ts";
import {
  type EvictionMetric,
  type ExpiryMetric,
  type LazyFreeMetric,
  type Metric,
  type OpenOptions,
  open,
  type Stillwater,
} from "./index.ts";

test("options of expiry that are wrong are named", async () => {
  const wrong: [expiry: unknown, message: RegExp][] = [
    [null, /^expiry: null, not an object/],
    [[], /^expiry: an array, not an object/],
    ["manual", /^expiry: a string, not an object/],
    [{ interval: 5 }, /^expiry.interval: no such option; there are mode, intervalMs, effort/],
    [{ mode: "never" }, /^expiry.mode: never is neither background nor manual/],
    [{ mode: true }, /^expiry.mode: a boolean is neither/],
    [{ intervalMs: 0 }, /^expiry.intervalMs: 0 is no whole number between 1 and 60000/],
    [{ intervalMs: 60_001 }, /^expiry.intervalMs: 60001 is no whole number/],
    [{ intervalMs: "100" }, /^expiry.intervalMs: a string, not a number/],
    [{ mode: "manual", intervalMs: 5 }, /^expiry.intervalMs: the mode manual has no interval/],
    [{ effort: 0 }, /^expiry.effort: 0 is no whole number between 1 and 10/],
    [{ effort: 11 }, /^expiry.effort: 11 is no whole number/],
    [{ effort: Number.NaN }, /^expiry.effort: NaN is no whole number/],
  ];
  for (const [expiry, message] of wrong) {
    const options = { expiry } as OpenOptions;
    await assert.rejects(open(options), { name: "TypeError", message }, JSON.stringify(expiry));
  }
  for (const expiry of [{}, { mode: undefined, intervalMs: undefined, effort: undefined }]) {
    const db = await open({ expiry });
    assert.equal(db.stats().expiry.mode, "background");
    await db.close();
  }
  const db = await open({ expiry: { mode: "background", intervalMs: 20, effort: 7 } });
  assert.deepEqual(db.config("GET", "active-expire-effort"), { "active-expire-effort": "7" });
  await db.close();
});

test("a tick takes a budget, or says why not", async () => {
  const db = await open({ expiry: { mode: "manual" } });
  for (const budget of [0, -1, Number.NaN, "1", null]) {
    assert.throws(() => db.tick(budget as number), { name: "TypeError", message: /^tick: a budget of/ });
  }
  assert.equal(db.tick(), false);
  assert.equal(db.tick(5), false);
  await db.close();
});

test("manual: nothing happens by itself, and everything by tick", async () => {
  let now = 1_700_000_000_000;
  const db = await open({ now: () => now, expiry: { mode: "manual" } });
  for (let index = 0; index < 100; index++) db.set(`k${index}`, "v", { PX: 1000 });
  db.hset("h", "f", "v");
  db.hpexpire("h", 1000, ["f"]);
  const clock = (): string => /lru_clock:(\d+)/.exec(db.info("server"))![1]!;
  const before = clock();
  now += 5000;
  await sleep(300);
  assert.equal(db.stats().keys, 101);
  assert.equal(clock(), before);
  while (db.tick());
  assert.equal(db.stats().keys, 0);
  assert.equal(db.stats().expiry.expiredKeys, 100);
  assert.equal(db.stats().expiry.expiredFields, 1);
  assert.equal(Number(clock()), Number(before) + 5);
  assert.equal(db.debug("VERIFY"), "OK");
  await db.close();
});

test("background: what has expired goes by itself, with a clock of one's own", async () => {
  let now = 1_700_000_000_000;
  const db = await open({ now: () => now, expiry: { intervalMs: 10 } });
  const heard: Metric[] = [];
  const published: unknown[] = [];
  const publish = (metric: unknown): unknown => published.push(metric);
  db.on("metric", (metric) => heard.push(metric));
  subscribe("stillwater:expiry", publish);
  for (let index = 0; index < 10_000; index++) db.set(`k${index}`, "v", { PX: 1000 });
  db.set("stays", "v", { PX: 10_000 });
  now += 999;
  await sleep(100);
  assert.equal(db.stats().keys, 10_001);
  // What is due goes within an eighth of a second of the store's clock, which does not go on by itself here.
  now += 200;
  await until("they are gone", () => db.stats().keys === 1);
  const { expiry, hits } = db.stats();
  assert.deepEqual([expiry.expiredKeys, expiry.expiredFields, hits], [10_000, 0, 0]);
  await until("the end is told", () => heard.some((metric) => metric.type === "expiry" && !metric.isMore));
  assert.equal(
    heard.reduce((sum, metric) => sum + expiredOf(metric), 0),
    10_000,
  );
  unsubscribe("stillwater:expiry", publish);
  assert.deepEqual(published, heard);
  const runId = /run_id:(\w+)/.exec(db.info("server"))![1];
  assert(heard.every(({ storeId }) => storeId === runId));
  const busyMs = heard.reduce((sum, metric) => sum + (metric.type === "expiry" ? metric.durationMs : 0), 0);
  assert(busyMs > 0 && busyMs <= expiry.busyMs, `${busyMs} of ${expiry.busyMs} ms`);
  await sleep(50);
  assert.equal(heard.filter((metric) => metric.type === "expiry" && !metric.isMore).length, 1, "the end, told once");
  const last = heard.at(-1)!;
  assert(last.type === "expiry" && !last.isMore);
  assert.equal(db.debug("VERIFY"), "OK");
  await db.close();
});

test("whenever a slice's time is up, the last event on expiry says that no more is due", async () => {
  let now = 1_700_000_000_000;
  const db = await open({ now: () => now, expiry: { mode: "manual" } });
  const heard: ExpiryMetric[] = [];
  const hear = (metric: Metric): unknown => metric.type === "expiry" && heard.push(metric);
  db.on("metric", hear);
  const expire = (): void => {
    for (let index = 0; index < 100; index++) db.set(`k${index}`, "v", { PX: 1000 });
    now += 5000;
    // As good as no time: it is always up when something has been removed.
    while (db.tick(Number.MIN_VALUE));
  };
  expire();
  assert.equal(
    heard.reduce((sum, { keys }) => sum + keys, 0),
    100,
  );
  assert.deepEqual(
    heard.filter(({ isMore }) => !isMore),
    heard.slice(-1),
  );
  assert(heard.length > 1 && heard.slice(0, -1).every(({ keys }) => keys > 0));
  const count = heard.length;
  db.tick();
  assert.equal(heard.length, count, "the end is told once");
  // Who begins to listen afterwards is not told of an end whose beginning was told to somebody else.
  for (let index = 0; index < 100; index++) db.set(`k${index}`, "v", { PX: 1000 });
  now += 5000;
  assert(db.tick(Number.MIN_VALUE) && heard.at(-1)!.isMore);
  db.off("metric", hear);
  while (db.tick());
  heard.length = 0;
  db.on("metric", hear);
  db.tick();
  assert.equal(heard.length, 0);
  await db.close();
});

test("statistics are what was done, and cost no walk", async () => {
  const db = await open({ maxMemory: "100mb" });
  db.set("a", "1", { EX: 1000 });
  db.database(1).set("b", "2");
  db.get("a");
  db.get("none");
  assert.throws(() => db.lpush("a", "x"), { code: "WRONGTYPE" });
  const stats = db.stats();
  assert.deepEqual([stats.keys, stats.volatileKeys, stats.hits, stats.misses, stats.changes], [2, 1, 1, 1, 2]);
  assert.equal(stats.commands.total, 5);
  assert.equal(stats.commands.errors, 1);
  assert.equal(stats.memory.limit, 100 * 2 ** 20);
  const { used, peak, active, resident, reserved } = stats.memory;
  assert(used > 0 && used <= peak && used <= active && active <= resident && resident <= reserved);
  assert(reserved >= stats.memory.limit);
  assert.deepEqual(stats.clients, { connected: 0, bufferBytes: 0 });
  assert.equal(stats.eviction.policy, "noeviction");
  assert.deepEqual(JSON.parse(JSON.stringify(stats)), stats, "plain data");
  for (let index = 0; index < 100_000; index++) db.set(`key:${index}`, "v");
  const begin = process.cpuUsage();
  for (let index = 0; index < 1000; index++) db.stats();
  const { user, system } = process.cpuUsage(begin);
  assert(user + system < 300_000, `${user + system} µs for 1000 calls`);
  await db.close();
  assert.throws(() => db.stats(), { message: "the store is closed" });
});

test("a large value is freed by the worker, and that is told", async () => {
  const db = await open();
  const heard: Metric[] = [];
  db.on("metric", (metric) => heard.push(metric));
  const before = db.stats();
  fillSet(db);
  const filled = db.stats().memory.used;
  assert.equal(db.unlink("s"), 1);
  assert.equal(db.stats().lazyFree.pendingObjects, 1);
  assert(db.stats().lazyFree.pendingBytes > 1_000_000);
  assert(db.stats().memory.used > filled - 1000, "what is pending is in use");
  await until("it is free", () => db.stats().lazyFree.pendingObjects === 0);
  const { lazyFree, memory, threads } = db.stats();
  assert.deepEqual([lazyFree.freedObjects, lazyFree.inlineFrees, lazyFree.pendingBytes], [1, 0, 0]);
  assert(memory.used - before.memory.used < 100_000);
  assert(lazyFree.longestSliceMs > 0);
  assert.equal(threads.find(({ name }) => name === "lazyfree")?.state, "running");
  await until("it is told", () => heard.length > 0);
  const told = heard.filter(({ type }) => type === "lazyfree") as LazyFreeMetric[];
  assert.deepEqual([told[0]!.objects, told[0]!.inline, told[0]!.pendingObjects], [1, 0, 0]);
  assert(told[0]!.bytes > 1_000_000 && told[0]!.durationMs > 0);
  assert.equal(db.debug("VERIFY"), "OK");
  await db.close();
});

test("evictions are told, and the limit is kept", async () => {
  const db = await open({ maxMemory: "4mb", config: { "maxmemory-policy": "allkeys-lru" } });
  const heard: EvictionMetric[] = [];
  db.on("metric", (metric) => {
    if (metric.type === "eviction") heard.push(metric);
  });
  for (let index = 0; index < 20_000; index++) db.set(`key:${index}`, "0123456789".repeat(50));
  const { eviction, memory, keys } = db.stats();
  assert(eviction.evictedKeys > 5000 && keys + eviction.evictedKeys === 20_000, `${eviction.evictedKeys}, ${keys}`);
  assert(memory.counted <= memory.limit + 100_000 && memory.limit === 4 * 2 ** 20);
  assert(eviction.busyMs > 0 && eviction.policy === "allkeys-lru");
  await until("all is told", () => heard.reduce((sum, { keys }) => sum + keys, 0) === db.stats().eviction.evictedKeys);
  assert(heard.every(({ durationMs, excessBytes }) => durationMs > 0 && excessBytes === 0));
  db.config("RESETSTAT");
  assert.equal(db.stats().eviction.evictedKeys, 0);
  heard.length = 0;
  for (let index = 0; index < 100; index++) db.set(`more:${index}`, "0123456789".repeat(50));
  await until("all is told, although the counter began again", () => {
    return heard.reduce((sum, { keys }) => sum + keys, 0) === db.stats().eviction.evictedKeys;
  });
  assert(db.stats().eviction.evictedKeys >= 90);
  assert.equal(db.debug("VERIFY"), "OK");
  await db.close();
});

test("manual: what the worker has found is taken back by tick, and not before", async () => {
  const db = await open({ expiry: { mode: "manual" } });
  fillSet(db);
  db.unlink("s");
  await sleep(200);
  assert.equal(db.stats().lazyFree.pendingObjects, 1);
  assert.equal(db.stats().threads.find(({ name }) => name === "lazyfree")?.state, "idle");
  for (const deadline = Date.now() + 10_000; db.stats().lazyFree.pendingObjects > 0; db.tick()) {
    assert(Date.now() < deadline, "without a turn of the event loop");
  }
  assert.equal(db.stats().lazyFree.inlineFrees, 0);
  assert.equal(db.debug("VERIFY"), "OK");
  await db.close();
});

function expiredOf(metric: Metric): number {
  return metric.type === "expiry" ? metric.keys : 0;
}

function fillSet(db: Stillwater): void {
  for (let index = 0; index < 200; index++) {
    const members = Array.from({ length: 1000 }, (_, member) => `member:${index}:${member}`);
    db.sadd("s", members);
  }
}

/** Runs a script that has opened a store as `db`; the process must end by itself. */
async function outputOf(options: string, script: string): Promise<string> {
  const source = `
    const { open } = await import(${JSON.stringify(SHIPPED_INDEX)});
    let now = 1_700_000_000_000;
    const db = await open(${options});
    ${script}`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", source], {
    timeout: 20_000,
  });
  return stdout;
}

test("a program ends while slices are pending, without close", async () => {
  const script = `
    for (let index = 0; index < 200_000; index++) db.set("k" + index, "v", { PX: 1000 });
    now += 5000;
    db.tick();
    process.stdout.write(String(db.stats().keys > 100_000));`;
  assert.equal(await outputOf("{ now: () => now }", script), "true");
  const ended = `${script} await db.close(); await db.close(); process.stdout.write(" closed");`;
  assert.equal(await outputOf("{ now: () => now, expiry: { intervalMs: 1 } }", ended), "true closed");
});

test("a program ends while a worker has something to do, with close and without", async () => {
  const script = `
    for (let index = 0; index < 200; index++) {
      db.sadd("s", Array.from({ length: 1000 }, (_, member) => index + ":" + member));
    }
    db.unlink("s");
    await new Promise((resolve) => setTimeout(resolve, 1));
    process.stdout.write(String(db.exists("s")));`;
  assert.equal(await outputOf("{}", script), "0");
  assert.equal(await outputOf("{}", `${script} await db.close();`), "0");
  assert.equal(await outputOf("{ expiry: { mode: 'manual' } }", `${script} db.tick(); await db.close();`), "0");
});
