import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner, type RunnerOptions } from "../testing/commands.ts";
import { memoryCommands } from "./memory.ts";
import { stringCommands } from "./strings.ts";

function newRunner(options?: RunnerOptions): CommandRunner {
  return new CommandRunner([...memoryCommands, ...stringCommands], options);
}

test("texts and replies that clients match on", () => {
  const syntax = "-ERR syntax error\r\n";
  const cases: [command: string, reply: string][] = [
    ["MEMORY USAGE none", "$-1\r\n"],
    ["MEMORY USAGE none SAMPLES", syntax],
    ["MEMORY USAGE none SAMPLES x", "-ERR value is not an integer or out of range\r\n"],
    ["MEMORY USAGE none SAMPLES -1", syntax],
    ["MEMORY USAGE none SAMPLES 1 SAMPLES 2", "$-1\r\n"],
    ["MEMORY USAGE none x", syntax],
    ["MEMORY USAGE", "-ERR wrong number of arguments for 'memory|usage' command\r\n"],
    ["MEMORY STATS x", "-ERR wrong number of arguments for 'memory|stats' command\r\n"],
    ["MEMORY PURGE", "+OK\r\n"],
  ];
  const runner = newRunner();
  for (const [command, reply] of cases) assert.equal(runner.run(...command.split(" ")), reply, command);
});

test("USAGE grows with the value, and leaves no trace", () => {
  const runner = newRunner();
  runner.run("SET", "small", "x");
  runner.run("SET", "large", "x".repeat(10_000));
  const small = Number(runner.ask("MEMORY", "USAGE", "small"));
  const large = Number(runner.ask("MEMORY", "USAGE", "large"));
  assert.ok(small > 0 && small < 100);
  assert.ok(large > 10_000 && large < 20_000);
  assert.deepEqual([runner.keyspace.hits, runner.keyspace.misses], [0, 0]);
  runner.verify();
});

test("STATS shows each database that has keys, and counts keys", () => {
  const runner = newRunner({ protocol: 3 });
  runner.run("SET", "a", "1");
  const stats = runner.ask("MEMORY", "STATS") as Map<string, unknown>;
  assert.equal(stats.get("keys.count"), 1);
  assert.ok((stats.get("db.0") as Map<string, number>).get("overhead.hashtable.main")! > 0);
  assert.equal(stats.get("db.1"), undefined);
  assert.equal(stats.size, 28);
});

test("DOCTOR judges by limits, peaks and gaps", () => {
  const runner = newRunner({ directives: { maxmemory: "7000000" } });
  const diagnosis = (): string => String(runner.ask("MEMORY", "DOCTOR"));
  assert.match(diagnosis(), /^Little data/);
  for (let index = 0; index < 10; index++) runner.run("SET", `key:${index}`, "x".repeat(680_000));
  assert.match(diagnosis(), /^\* Near the limit: 6\.\d\dM of the 6\.68M/);
  runner.configuration.configSet([["maxmemory", "0"]]);
  assert.match(diagnosis(), /^\* Nothing unusual/);
  for (let index = 0; index < 10; index++) runner.run("SET", `more:${index}`, "x".repeat(680_000));
  runner.keyspace.tick();
  for (let index = 0; index < 10; index++) runner.run("SET", `more:${index}`, "x");
  assert.match(diagnosis(), /^\* Past peak: /);
  runner.verify();
});

test("MALLOC-STATS shows every region", () => {
  const runner = newRunner({ shards: 2 });
  const lines = String(runner.ask("MEMORY", "MALLOC-STATS")).trimEnd().split("\n");
  assert.equal(lines.length, 2);
  for (const [index, line] of lines.entries()) {
    assert.ok(line.startsWith(`region ${index}: used `));
  }
});
