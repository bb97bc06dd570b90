import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandRunner, type RunnerOptions } from "../testing/commands.ts";
import { clientCommands } from "./client.ts";
import { infoCommands } from "./info.ts";
import { memoryCommands } from "./memory.ts";
import { readableBytes } from "./memory-figures.ts";
import { stringCommands } from "./strings.ts";
import { REDIS_VERSION, STILLWATER_VERSION } from "./version.ts";

function newRunner(options?: RunnerOptions): CommandRunner {
  return new CommandRunner([...infoCommands, ...stringCommands, ...memoryCommands, ...clientCommands], options);
}

function fieldsOf(runner: CommandRunner, ...sections: string[]): Map<string, string> {
  const lines = String(runner.ask("INFO", ...sections)).split("\r\n");
  const pairs = lines.flatMap((line): [string, string][] => {
    const colon = line.indexOf(":");
    return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
  });
  assert.equal(new Set(pairs.map(([name]) => name)).size, pairs.length, "a field is shown twice");
  return new Map(pairs);
}

function titlesOf(runner: CommandRunner, ...sections: string[]): string[] {
  return String(runner.ask("INFO", ...sections))
    .split("\r\n")
    .filter((line) => line.startsWith("# "));
}

test("sections are chosen by name, in the order of all", () => {
  const runner = newRunner();
  assert.deepEqual(titlesOf(runner, "KEYSPACE", "cluster"), ["# Cluster", "# Keyspace"]);
  assert.deepEqual(titlesOf(runner, "nope"), []);
  assert.equal(
    runner.run("INFO", "cluster", "modules"),
    "$43\r\n# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n",
  );
  const usual = titlesOf(runner);
  assert.equal(usual.length, 12);
  assert.deepEqual(titlesOf(runner, "default"), usual);
  assert.equal(titlesOf(runner, "default", "commandstats").length, 13);
  assert.equal(titlesOf(runner, "all").length, 14);
  assert.deepEqual(titlesOf(runner, "everything"), titlesOf(runner, "all"));
});

test("a line for each background thread, whatever its last error was", () => {
  const runner = newRunner();
  assert.equal(runner.ask("INFO", "threads"), "# Threads\r\n");
  const quiet = { name: "a", state: "idle", restarts: 0, messages: 0, inbox: 0, busyMs: 0, lastError: "" } as const;
  const lastError = `torn,\r\nin\ttwo ${"x".repeat(500)}`;
  runner.threads.push(quiet, { ...quiet, name: "b", state: "failed", restarts: 3, messages: 9, inbox: 2, lastError });
  const fields = fieldsOf(runner);
  assert.equal(fields.get("thread_a"), "state=idle,restarts=0,messages=0,inbox=0,busy_ms=0,last_error=");
  const shown = `torn in two ${"x".repeat(188)}`;
  assert.equal(fields.get("thread_b"), `state=failed,restarts=3,messages=9,inbox=2,busy_ms=0,last_error=${shown}`);
});

test("the event loop's figures begin with the store, and anew when they are reset", async () => {
  const runner = newRunner();
  const { statistics } = runner.services;
  for (let tick = 1; tick <= 20; tick++) {
    await sleep(2);
    statistics.tick(tick * 100);
    for (const until = performance.now() + 2; performance.now() < until; ) runner.run("SET", "key", "value");
  }
  const fields = fieldsOf(runner, "stats", "commandstats");
  const number = (name: string) => Number(fields.get(name));
  assert.ok(number("eventloop_duration_sum") >= 40_000);
  const ofSet = Number(/usec=(\d+)/.exec(fields.get("cmdstat_set")!)![1]);
  assert.ok(Math.abs(number("eventloop_duration_cmd_sum") - ofSet) <= 1);
  if (performance.nodeTiming.uvMetricsInfo === undefined) assert.equal(fields.has("eventloop_cycles"), false);
  else {
    assert.ok(number("eventloop_cycles") >= 20 && number("eventloop_cycles") < 2000);
    assert.ok(number("instantaneous_eventloop_cycles_per_sec") >= 9);
    const perTurn = number("instantaneous_eventloop_duration_usec");
    assert.ok(perTurn > 100 && perTurn < 100_000, `${perTurn}`);
  }
  statistics.reset();
  assert.ok(Number(fieldsOf(runner, "stats").get("eventloop_duration_sum")) < 40_000);
});

test("RESP3 gets verbatim text", () => {
  const runner = newRunner({ protocol: 3 });
  assert.equal(runner.run("INFO", "cluster"), "=34\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n\r\n");
});

test("versions, as clients and people look for them", () => {
  const fields = fieldsOf(newRunner(), "server");
  assert.equal(fields.get("redis_version"), REDIS_VERSION);
  assert.equal(fields.get("stillwater_version"), STILLWATER_VERSION);
  assert.equal(fields.get("redis_mode"), "standalone");
});

test("counters follow what is done", () => {
  const runner = newRunner();
  runner.run("SET", "a", "1", "EX", "1000");
  runner.run("SET", "b", "2");
  runner.run("GET", "a");
  runner.run("GET", "none");
  runner.run("GET");
  runner.run("INCR", "a", "b");
  runner.run("SET", "c", "text");
  runner.run("INCR", "c");
  const fields = fieldsOf(runner, "everything");
  assert.match(fields.get("db0")!, /^keys=3,expires=1,avg_ttl=(999\d{3}|1000000)$/);
  assert.equal(fields.get("keyspace_hits"), "1");
  assert.equal(fields.get("keyspace_misses"), "1");
  assert.equal(fields.get("total_error_replies"), "3");
  assert.equal(fields.get("errorstat_ERR"), "count=3");
  assert.match(
    fields.get("cmdstat_get")!,
    /^calls=2,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=1,failed_calls=0$/,
  );
  assert.match(fields.get("cmdstat_incr")!, /^calls=1,.*,rejected_calls=1,failed_calls=1$/);
  assert.match(fields.get("latency_percentiles_usec_set")!, /^p50=[\d.]+,p99=[\d.]+,p99\.9=[\d.]+$/);
  assert.equal(fields.get("connected_clients"), "1");
  runner.verify();
});

test("latency-tracking no hides latencies", () => {
  const runner = newRunner({ directives: { "latency-tracking": "no" } });
  runner.run("GET", "a");
  assert.equal(runner.run("INFO", "latencystats"), "$16\r\n# Latencystats\r\n\r\n");
});

test("memory adds up", () => {
  const runner = newRunner();
  for (let index = 0; index < 1000; index++) runner.run("SET", `key:${index}`, "x".repeat(100));
  const fields = fieldsOf(runner, "memory");
  const figure = (name: string): number => Number(fields.get(name));
  assert.ok(figure("used_memory") > 100_000);
  assert.equal(figure("used_memory_overhead") + figure("used_memory_dataset"), figure("used_memory"));
  assert.ok(figure("used_memory_peak") >= figure("used_memory"));
  assert.ok(figure("used_memory_rss") > figure("used_memory"));
  assert.ok(figure("used_memory_dataset") > 100_000);
  runner.verify();
});

test("sizes as people read them", () => {
  const cases: [number, string][] = [
    [0, "0B"],
    [1023, "1023B"],
    [1024, "1.00K"],
    [1536, "1.50K"],
    [2 ** 20, "1.00M"],
    [5 * 2 ** 30, "5.00G"],
    [2 ** 50, "1.00P"],
  ];
  for (const [bytes, text] of cases) assert.equal(readableBytes(bytes), text);
});
