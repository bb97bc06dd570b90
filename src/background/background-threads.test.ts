/** A store's threads together: what is shown of them, who hears of failures, and that they end with their store. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Configuration } from "../config/configuration.ts";
import { Store } from "../engine/store.ts";
import type { Echo, Orders, Setting } from "../testing/background-orders.ts";
import type { BackgroundThread, ThreadFailure } from "./background-thread.ts";
import { BackgroundThreads } from "./background-threads.ts";

const SCRIPT = new URL("../testing/background-worker.js", import.meta.url);
const PATIENCE_MS = 20_000;

function add(threads: BackgroundThreads, name: string, workerData: Setting = {}): BackgroundThread<Orders, Echo> {
  return threads.add({ name, script: SCRIPT, workerData, inboxMax: 10, onMessage: () => undefined });
}

function newThreads(t: TestContext): BackgroundThreads {
  const threads = new BackgroundThreads();
  t.after(() => threads.stop(0));
  return threads;
}

async function until(isThere: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!isThere()) {
    assert(performance.now() < end, "it never came");
    await sleep(5);
  }
}

test("each thread has its own figures", async (t) => {
  const threads = newThreads(t);
  const idle = { state: "idle", restarts: 0, messages: 0, inbox: 0, busyMs: 0, lastError: "" };
  const first = add(threads, "first");
  add(threads, "second");
  assert.deepEqual(threads.figures(), [
    { name: "first", ...idle },
    { name: "second", ...idle },
  ]);
  first.post({ kind: "work", ms: 5 });
  assert.deepEqual(threads.figures()[0], { name: "first", ...idle, state: "starting", messages: 1, inbox: 1 });
  await until(() => threads.figures()[0]!.busyMs > 0);
  const { state, inbox } = threads.figures()[0]!;
  assert.deepEqual([state, inbox], ["running", 0]);
  assert.deepEqual(threads.figures()[1], { name: "second", ...idle });
});

test("whoever listens is told of failures, until he does not listen any more", async (t) => {
  const threads = newThreads(t);
  const own: string[] = [];
  const heard: ThreadFailure[] = [];
  const thread = threads.add<Orders, Echo>({
    name: "weak",
    script: SCRIPT,
    inboxMax: 10,
    limits: { retryMinMs: 20, retryMaxMs: 20 },
    onMessage: () => undefined,
    onExit: () => own.push("exit"),
    onFailure: ({ error }) => own.push(error),
  });
  const stopListening = threads.onFailure((failure) => heard.push(failure));
  thread.post({ kind: "burst", replies: 0, ending: "throw" });
  await until(() => heard.length === 1);
  assert.deepEqual(heard, [{ name: "weak", error: "thrown in a handler", retryMs: 20 }]);
  assert.deepEqual(own, ["exit", "thrown in a handler"]);
  await until(() => thread.state === "running");
  stopListening();
  thread.post({ kind: "burst", replies: 0, ending: "exit" });
  await until(() => own.length === 4);
  assert.equal(heard.length, 1);
});

test("all are joined at the same time, those that hang as well", async (t) => {
  const threads = newThreads(t);
  const hanging = ["a", "b", "c"].map((name) => add(threads, name, { start: "hang" }));
  for (const thread of hanging) thread.post({ kind: "echo", id: 1 });
  const begin = performance.now();
  await threads.stop(500);
  const took = performance.now() - begin;
  assert(took >= 498 && took < 1400, `${took} ms`);
  assert(threads.figures().every(({ state }) => state === "stopped"));
  await threads.stop(500);
});

test("a store joins its threads when it is closed, however often, and tells of failures", async () => {
  const store = new Store(new Configuration(), Date.now, { shards: 1, regionSize: 2 ** 20 });
  const failures: unknown[] = [];
  store.metrics.listeners.add((event) => failures.push(event));
  const hanging = add(store.threads, "hanging");
  const failing = add(store.threads, "failing", { start: "throw" });
  hanging.post({ kind: "burst", replies: 0, ending: "hang" });
  failing.post({ kind: "echo", id: 1 });
  await until(() => failures.length > 0);
  assert.deepEqual(failures[0], {
    type: "worker",
    storeId: store.runId,
    thread: "failing",
    error: "thrown at start",
    retryMs: 100,
  });
  const figures = [...store.services.threads.figures()].filter(({ name }) => name === "failing");
  assert.equal(figures[0]!.lastError, "thrown at start");
  const begin = performance.now();
  const closing = store.close();
  assert.equal(hanging.state, "stopped", "at once");
  await Promise.all([closing, store.close()]);
  const took = performance.now() - begin;
  assert(took < 2500, `${took} ms`);
  assert.equal(hanging.lastError, "did not stop within 1000 ms");
  await store.close();
});
