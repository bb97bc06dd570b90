import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { latencyCommands } from "./latency.ts";
import { slowlogCommands } from "./slowlog.ts";
import { stringCommands } from "./strings.ts";

const commands = [...latencyCommands, ...slowlogCommands, ...stringCommands];

test("texts and replies that clients match on", () => {
  const misused = "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.\r\n";
  const count = "-ERR count should be greater than or equal to -1\r\n";
  const cases: [command: string, reply: string][] = [
    ["LATENCY HISTORY x", "*0\r\n"],
    ["LATENCY GRAPH x", "-ERR No samples available for event 'x'\r\n"],
    ["LATENCY RESET", ":0\r\n"],
    ["LATENCY RESET a b", ":0\r\n"],
    ["LATENCY LATEST", "*0\r\n"],
    ["LATENCY HISTOGRAM nope", "*0\r\n"],
    ["SLOWLOG GET x", count],
    ["SLOWLOG GET -2", count],
    ["SLOWLOG GET 1 2", misused],
    ["SLOWLOG GET", "*0\r\n"],
    ["SLOWLOG LEN", ":0\r\n"],
    ["SLOWLOG RESET", "+OK\r\n"],
  ];
  // A slow machine's slow commands are not what is tested here.
  const runner = new CommandRunner(commands, { directives: { "slowlog-log-slower-than": "60000000" } });
  for (const [command, reply] of cases) assert.equal(runner.run(...command.split(" ")), reply, command);
});

test("spikes are listed by event, and forgotten on demand", () => {
  const now = 1_700_000_000_000;
  const runner = new CommandRunner(commands, { now: () => now, directives: { "latency-monitor-threshold": "500" } });
  const { latency } = runner.services;
  latency.add("command", 700, now - 2000);
  latency.add("command", 600.9, now - 1000);
  latency.add("fork", 900, now);
  assert.deepEqual(runner.ask("LATENCY", "LATEST"), [
    ["command", 1_699_999_999, 600, 700],
    ["fork", 1_700_000_000, 900, 900],
  ]);
  assert.deepEqual(runner.ask("LATENCY", "HISTORY", "command"), [
    [1_699_999_998, 700],
    [1_699_999_999, 600],
  ]);
  assert.match(String(runner.ask("LATENCY", "GRAPH", "command")), /^command - high 700 ms, low 600 ms/);
  const report = String(runner.ask("LATENCY", "DOCTOR"));
  assert.match(report, /1\. command: 2 spikes, one every 1\.00 seconds, average 650 ms/);
  assert.equal(runner.run("LATENCY", "RESET", "fork", "nope"), ":1\r\n");
  assert.equal(runner.run("LATENCY", "RESET"), ":1\r\n");
});

test("HISTOGRAM counts every call, though not every one was timed", () => {
  const runner = new CommandRunner(commands, { protocol: 3 });
  for (let index = 0; index < 300; index++) runner.run("GET", "none");
  runner.run("SET", "a", "b");
  const histograms = runner.ask("LATENCY", "HISTOGRAM", "get", "nope", "incr") as Map<string, Map<string, unknown>>;
  assert.deepEqual([...histograms.keys()], ["get"]);
  const { calls, histogram_usec: buckets } = Object.fromEntries(histograms.get("get")!) as {
    calls: number;
    histogram_usec: Map<number, number>;
  };
  assert.equal(calls, 300);
  const counts = [...buckets.values()];
  assert.equal(counts.at(-1), 300);
  assert.ok(counts.every((count, index) => index === 0 || count > counts[index - 1]!));
  const names = [1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113];
  assert.ok([...buckets.keys()].every((name) => names.includes(name) || name > 2113));
  const all = runner.ask("LATENCY", "HISTOGRAM") as Map<string, unknown>;
  assert.deepEqual([...all.keys()], ["latency|histogram", "get", "set"]);
});

test("SLOWLOG shows what was slow, newest first", () => {
  const runner = new CommandRunner(commands, { directives: { "slowlog-log-slower-than": "0" } });
  runner.context.session.name = "me";
  runner.run("SET", "a", "1");
  runner.run("SET", "b", Buffer.from([0xff]));
  const [newest] = runner.ask("SLOWLOG", "GET", "1") as unknown[][];
  const [id, time, microseconds, args, address, name] = newest!;
  assert.deepEqual([id, args, address, name], [1, ["SET", "b", Buffer.from([0xff])], "127.0.0.1:50000", "me"]);
  assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 5 && Number.isInteger(microseconds));
  assert.equal((runner.ask("SLOWLOG", "GET", "-1") as unknown[]).length, 3);
  runner.run("SLOWLOG", "RESET");
  assert.equal(runner.run("SLOWLOG", "LEN"), ":1\r\n");
});
