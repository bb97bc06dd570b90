import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { debugCommands } from "./debug.ts";
import { monitorCommands } from "./monitor.ts";
import { serverCommands } from "./server.ts";
import { stringCommands } from "./strings.ts";
import { REDIS_VERSION } from "./version.ts";

const commands = [...serverCommands, ...debugCommands, ...monitorCommands, ...stringCommands];

test("texts and replies that clients match on", () => {
  const misused = (name: string): string =>
    `-ERR unknown subcommand or wrong number of arguments for '${name}'. Try DEBUG HELP.\r\n`;
  const cases: [command: string, reply: string][] = [
    ["TIME x", "-ERR wrong number of arguments for 'time' command\r\n"],
    ["ROLE", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"],
    ["SHUTDOWN x", "-ERR syntax error\r\n"],
    ["SHUTDOWN SAVE NOSAVE", "-ERR syntax error\r\n"],
    ["SHUTDOWN ABORT NOW", "-ERR syntax error\r\n"],
    ["SHUTDOWN ABORT", "-ERR No shutdown in progress.\r\n"],
    ["LOLWUT VERSION x", "-ERR value is not an integer or out of range\r\n"],
    ["DEBUG", "-ERR wrong number of arguments for 'debug' command\r\n"],
    ["DEBUG FOO", misused("FOO")],
    ["DEBUG SLEEP", misused("SLEEP")],
    ["DEBUG SLEEP x", "+OK\r\n"],
    ["DEBUG OBJECT none", "-ERR no such key\r\n"],
    ["DEBUG VERIFY", "+OK\r\n"],
    ["MONITOR", "+OK\r\n"],
  ];
  const runner = new CommandRunner(commands);
  for (const [command, reply] of cases) assert.equal(runner.run(...command.split(" ")), reply, command);
  assert.equal(runner.context.session.isMonitor, true);
});

test("TIME is now", () => {
  const runner = new CommandRunner(commands);
  const [seconds, microseconds] = runner.ask("TIME") as string[];
  assert.ok(Math.abs(Number(seconds) - Date.now() / 1000) < 2);
  assert.match(microseconds!, /^\d{1,6}$/);
});

test("SHUTDOWN hands its options over and has no reply of its own", () => {
  const runner = new CommandRunner(commands);
  assert.equal(runner.run("SHUTDOWN"), "");
  assert.equal(runner.run("SHUTDOWN", "nosave", "now", "force"), "");
  assert.equal(runner.run("SHUTDOWN", "SAVE"), "");
  assert.deepEqual(runner.lifecycle.requests, [
    { save: undefined, now: false, force: false },
    { save: false, now: true, force: true },
    { save: true, now: false, force: false },
  ]);
  assert.equal(runner.run("SHUTDOWN", "ABORT"), "+OK\r\n");
  runner.lifecycle.refusal = "ERR Errors trying to SHUTDOWN. Check logs.";
  assert.equal(runner.run("SHUTDOWN"), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
});

test("LOLWUT draws, and ends with the version", () => {
  const runner = new CommandRunner(commands, { protocol: 3 });
  for (const words of [["LOLWUT"], ["LOLWUT", "VERSION", "6"], ["LOLWUT", "1", "2"]]) {
    const text = String(runner.ask(...words));
    assert.ok(text.endsWith(`\nRedis ver. ${REDIS_VERSION}\n`));
    assert.ok(text.split("\n").length > 10 && text.split("\n").every((line) => line.length <= 60));
  }
});

test("DEBUG OBJECT describes how a value is stored", () => {
  const runner = new CommandRunner(commands);
  const cases: [value: string, encoding: string, length: number][] = [
    ["bar", "embstr", 4],
    ["12", "int", 2],
    ["-129", "int", 3],
    ["70000", "int", 5],
    ["9223372036854775807", "int", 20],
    ["x".repeat(100), "raw", 102],
  ];
  for (const [value, encoding, length] of cases) {
    runner.run("SET", "k", value);
    const text = runner.run("DEBUG", "OBJECT", "k");
    assert.match(text, /^\+Value at:0x[0-9a-f]+ refcount:1 encoding:.* lru:\d+ lru_seconds_idle:0\r\n$/);
    assert.ok(text.includes(` encoding:${encoding} serializedlength:${length} `), `${value}: ${text}`);
  }
  runner.verify();
});

test("DEBUG SLEEP sleeps, SET-ACTIVE-EXPIRE is remembered, and VERIFY reports", () => {
  const runner = new CommandRunner(commands);
  const begin = performance.now();
  assert.equal(runner.run("DEBUG", "SLEEP", "0.02"), "+OK\r\n");
  assert.ok(performance.now() - begin >= 19);
  runner.run("DEBUG", "SET-ACTIVE-EXPIRE", "0");
  assert.equal(runner.keyspace.expiresActively, false);
  runner.run("DEBUG", "SET-ACTIVE-EXPIRE", "1");
  assert.equal(runner.keyspace.expiresActively, true);
  runner.keyspace.verify = () => {
    throw new Error("heap: a block is lost");
  };
  assert.equal(runner.run("DEBUG", "VERIFY"), "-ERR heap: a block is lost\r\n");
});

test("DEBUG is for whom the configuration allows it", () => {
  const refused = /^-ERR DEBUG command not allowed\. If the enable-debug-command option is set to "local"/;
  const settingsThatAllow = (address: string): string[] => {
    return ["no", "local", "yes"].filter((setting) => {
      const runner = new CommandRunner(commands, { directives: { "enable-debug-command": setting } });
      const reply = runner.runAs(runner.connect(address), "DEBUG", "VERIFY");
      assert.ok(reply === "+OK\r\n" || refused.test(reply), reply);
      return reply === "+OK\r\n";
    });
  };
  for (const address of ["127.0.0.1:1", "[::1]:1", "/tmp/socket:0"]) {
    assert.deepEqual(settingsThatAllow(address), ["local", "yes"]);
  }
  assert.deepEqual(settingsThatAllow("10.0.0.1:1"), ["yes"]);
});
