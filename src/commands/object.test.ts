import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const commands = [...keyCommands, ...stringCommands];
const SWITCHING =
  "Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.";
const NO_FREQUENCY = `An LFU maxmemory policy is not selected, access frequency not tracked. ${SWITCHING}`;

test("OBJECT tells encodings and references as Redis does", () => {
  const runner = new CommandRunner(commands);
  converse(
    runner,
    `
    MSET small 9999 large 10000 negative -1 text hello long ${"x".repeat(45)} => +OK
    OBJECT ENCODING small     => $3 int
    OBJECT ENCODING text      => $6 embstr
    OBJECT ENCODING long      => $3 raw
    OBJECT ENCODING nokey     => $-1
    OBJECT REFCOUNT small     => :2147483647
    OBJECT REFCOUNT large     => :1
    OBJECT REFCOUNT negative  => :1
    OBJECT REFCOUNT text      => :1
    OBJECT REFCOUNT nokey     => $-1
    OBJECT                    => -ERR wrong number of arguments for 'object' command
    OBJECT FOO                => -ERR unknown subcommand 'FOO'. Try OBJECT HELP.
    OBJECT ENCODING           => -ERR wrong number of arguments for 'object|encoding' command
    OBJECT HELP x             => -ERR wrong number of arguments for 'object|help' command
    OBJECT FREQ nokey         => $-1
    OBJECT FREQ text          => -ERR ${NO_FREQUENCY}
    `,
  );
});

test("the idle time counts from the last access, and asking is none", () => {
  let now = 5_000_000;
  const runner = new CommandRunner(commands, { now: () => now });
  runner.run("SET", "a", "1");
  now += 7000;
  runner.keyspace.tick();
  for (const command of ["TYPE", "TTL", "EXISTS", "OBJECT ENCODING"]) runner.run(...command.split(" "), "a");
  assert.equal(runner.ask("OBJECT", "IDLETIME", "a"), 7);
  runner.run("TOUCH", "a");
  assert.equal(runner.ask("OBJECT", "IDLETIME", "a"), 0);
});

test("the idle time survives the 24 bits of the access clock", () => {
  let now = (2 ** 24 - 2) * 1000;
  const runner = new CommandRunner(commands, { now: () => now });
  runner.run("SET", "a", "1");
  now += 5000;
  runner.keyspace.tick();
  assert.equal(runner.ask("OBJECT", "IDLETIME", "a"), 5);
});

test("with a policy by frequency there is no idle time", () => {
  const runner = new CommandRunner(commands, { directives: { "maxmemory-policy": "allkeys-lfu" } });
  converse(
    runner,
    `
    SET a 1            => +OK
    OBJECT IDLETIME a  => -ERR An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING}
    OBJECT FREQ a      => -ERR access frequency is not tracked in this version
    `,
  );
});

test("HELP is a list of simple strings", () => {
  const lines = new CommandRunner(commands).run("OBJECT", "HELP").split("\r\n");
  assert.equal(lines[0], "*15");
  assert.equal(lines[1], "+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  assert.equal(lines[15], "+    Prints this help.");
});
