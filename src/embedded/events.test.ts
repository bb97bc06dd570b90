/** What a store tells its program of: failures of threads, and what it does on its own. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type TestContext, test } from "node:test";
import type { BackgroundThread } from "../background/background-thread.ts";
import { Configuration } from "../config/configuration.ts";
import { Store } from "../engine/store.ts";
import type { Echo, Orders } from "../testing/background-orders.ts";
import { until } from "../testing/sockets.ts";
import { Core } from "./core.ts";
import { type Metric, open, type StoreEvents, ThreadError } from "./index.ts";
import { statsOf } from "./stats.ts";

const SCRIPT = new URL("../testing/background-worker.js", import.meta.url);

/** A store with one more thread, which does as it is told. */
function newCore(t: TestContext): { core: Core; thread: BackgroundThread<Orders, Echo> } {
  const core = new Core(new Store(new Configuration(), Date.now, { shards: 1, regionSize: 2 ** 20 }));
  const thread = core.store.threads.add<Orders, Echo>({
    name: "tested",
    script: SCRIPT,
    inboxMax: 10,
    limits: { retryMinMs: 10 },
    onMessage: () => undefined,
  });
  t.after(() => core.store.close());
  return { core, thread };
}

test("a thread that dies is an error event, a metric, and a line of the statistics", async (t) => {
  const { core, thread } = newCore(t);
  const errors: StoreEvents["error"][] = [];
  const metrics: Metric[] = [];
  const published: unknown[] = [];
  const publish = (metric: unknown): unknown => published.push(metric);
  core.listenersTo("error", () => undefined).add((error) => errors.push(error));
  core.listenersTo("metric", () => undefined).add((metric) => metrics.push(metric));
  subscribe("stillwater:worker", publish);
  t.after(() => unsubscribe("stillwater:worker", publish));
  thread.post({ kind: "burst", replies: 0, ending: "throw" });
  await until("the failure is told", () => errors.length > 0 && metrics.length > 0);
  assert(errors[0] instanceof ThreadError);
  assert.equal(errors[0].code, "THREAD_FAILED");
  assert.equal(errors[0].thread, "tested");
  assert.equal(errors[0].message, "the background thread tested failed: thrown in a handler");
  const metric: Metric = {
    type: "worker",
    storeId: core.store.runId,
    thread: "tested",
    error: "thrown in a handler",
    retryMs: 10,
  };
  assert.deepEqual(metrics, [metric]);
  assert.deepEqual(published, [metric]);
  await until("it is started again", () => {
    const figures = statsOf(core.store).threads.find(({ name }) => name === "tested");
    return figures?.restarts === 1 && figures.state === "running" && figures.lastError === "thrown in a handler";
  });
});

test("one that is killed from outside, too; and nobody has to listen", async (t) => {
  const { core, thread } = newCore(t);
  thread.post({ kind: "work", ms: 1 });
  await until("it runs", () => thread.state === "running");
  await thread.kill();
  await until("it is started again", () => thread.restarts === 1 && thread.state === "running");
  const errors: StoreEvents["error"][] = [];
  core.listenersTo("error", () => undefined).add((error) => errors.push(error));
  await thread.kill();
  await until("the failure is told", () => errors.length === 1);
  assert.match(errors[0]!.message, /^the background thread tested failed: ended with exit code 1$/);
});

test("the thread that frees is killed in the middle: an error, and everything is free all the same", async (t) => {
  const { core } = newCore(t);
  const { store } = core;
  const context = core.newContext(0);
  const errors: StoreEvents["error"][] = [];
  core.listenersTo("error", () => undefined).add((error) => errors.push(error));
  const members = Array.from({ length: 5000 }, (_, index) => `member:${index}`);
  core.execute(context, "SADD", ["first", ...members], false);
  core.execute(context, "SADD", ["second", ...members], false);
  core.execute(context, "UNLINK", ["first"], false);
  await until("it runs", () => store.lazyFree.thread.state === "running");
  core.execute(context, "UNLINK", ["second"], false);
  await store.lazyFree.thread.kill();
  await until("it is told", () => errors.length === 1);
  assert(errors[0] instanceof ThreadError && errors[0].thread === "lazyfree");
  await until("all is free", () => statsOf(store).lazyFree.pendingObjects === 0);
  assert.equal(statsOf(store).lazyFree.freedObjects, 2);
  store.keyspace.verify();
});

test("a store that is closed has no failures", async (t) => {
  const { core, thread } = newCore(t);
  const errors: StoreEvents["error"][] = [];
  core.listenersTo("error", () => undefined).add((error) => errors.push(error));
  thread.post({ kind: "burst", replies: 0, ending: "hang" });
  await until("it runs", () => thread.state === "running");
  await core.store.close();
  assert.deepEqual(errors, []);
  assert.equal(thread.state, "stopped");
});

test("names and listeners that are wrong are refused; handles share their listeners", async () => {
  const db = await open();
  const wrong: [name: unknown, listener: unknown, message: RegExp][] = [
    ["metrics", () => undefined, /^metrics: no such event; there are metric, error/],
    ["toString", () => undefined, /no such event/],
    ["metric", undefined, /^listener: undefined, not a function/],
    ["error", "text", /^listener: a string, not a function/],
  ];
  for (const [name, listener, message] of wrong) {
    for (const method of ["on", "once", "off"] as const) {
      assert.throws(() => db[method](name as "error", listener as () => void), { name: "TypeError", message });
    }
  }
  const listener = (): void => undefined;
  assert.equal(db.on("metric", listener), db);
  assert.equal(db.database(1).off("metric", listener).once("error", listener).off("error", listener).get("k"), null);
  await db.close();
});
