import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { EventListeners } from "./event-listeners.ts";
import { type Metric, Metrics } from "./metrics.ts";

const EXPIRY: Metric = { type: "expiry", storeId: "s", durationMs: 1, keys: 2, fields: 3, isMore: false };
const WORKER: Metric = { type: "worker", storeId: "s", thread: "t", error: "e", retryMs: 100 };

test("listeners hear of every type, until they are removed", () => {
  const metrics = new Metrics("s");
  const heard: Metric[] = [];
  const listen = (metric: Metric): unknown => heard.push(metric);
  assert(!metrics.hasListeners && !metrics.wants("expiry"));
  metrics.listeners.add(listen);
  assert(metrics.hasListeners && metrics.wants("expiry") && metrics.wants("worker"));
  metrics.emit(EXPIRY);
  metrics.emit(WORKER);
  metrics.listeners.remove(listen);
  metrics.emit(EXPIRY);
  assert.deepEqual(heard, [EXPIRY, WORKER]);
  assert(!metrics.hasListeners);
});

test("a channel of node:diagnostics_channel for each type", () => {
  const metrics = new Metrics("s");
  const heard: unknown[] = [];
  const listen = (metric: unknown, name: string | symbol): unknown => heard.push([name, metric]);
  subscribe("stillwater:expiry", listen);
  assert(metrics.hasListeners && metrics.wants("expiry") && !metrics.wants("worker"));
  metrics.emit(EXPIRY);
  metrics.emit(WORKER);
  unsubscribe("stillwater:expiry", listen);
  assert(!metrics.hasListeners);
  metrics.emit(EXPIRY);
  assert.deepEqual(heard, [["stillwater:expiry", EXPIRY]]);
});

test("listeners are told in their order, as often as they were added, or once", () => {
  const listeners = new EventListeners<number>();
  const heard: string[] = [];
  const first = (event: number): unknown => heard.push(`first ${event}`);
  const second = (event: number): void => {
    heard.push(`second ${event}`);
    if (event === 1) listeners.add(first);
  };
  listeners.add(first);
  listeners.add(second, true);
  listeners.tell(1);
  assert.deepEqual(heard.splice(0), ["first 1", "second 1"], "who comes while all are told waits for the next event");
  listeners.tell(2);
  assert.deepEqual(heard.splice(0), ["first 2", "first 2"]);
  listeners.remove(first);
  listeners.remove(second);
  assert.equal(listeners.size, 1);
  listeners.tell(3);
  assert.deepEqual(heard, ["first 3"]);
});

test("what a listener throws stops nobody, and is thrown later", async () => {
  const listeners = new EventListeners<number>();
  const heard: number[] = [];
  listeners.add(() => {
    throw new Error("of the program's own");
  });
  listeners.add((event) => heard.push(event));
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
  listeners.tell(1);
  assert.deepEqual(heard, [1]);
  assert.equal(((await thrown) as Error).message, "of the program's own");
  for (const other of others) process.on("uncaughtException", other);
});
