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
    OBJECT FREQ a      => :5
    OBJECT FREQ nokey  => $-1
    `,
  );
});

test("the frequency counts accesses and decays, stays with a key that is overwritten, and asking is none", () => {
  let now = 5_000_000;
  const directives = { "maxmemory-policy": "volatile-lfu", "lfu-log-factor": "0" };
  const runner = new CommandRunner(commands, { directives, now: () => now });
  const frequency = (key: string) => runner.ask("OBJECT", "FREQ", key);
  runner.run("SET", "a", "hello");
  for (const command of ["GET a", "TOUCH a", "APPEND a x", "SET a 1", "INCR a", `SET a ${"x".repeat(2000)}`]) {
    runner.run(...command.split(" "));
  }
  for (const command of ["TYPE", "TTL", "EXISTS", "OBJECT ENCODING", "OBJECT FREQ"])
    runner.run(...command.split(" "), "a");
  assert.equal(frequency("a"), 11);
  runner.run("EXPIRE", "a", "100000");
  runner.run("SET", "b", "1");
  runner.run("RENAME", "a", "b");
  assert.equal(frequency("b"), 13);
  now += 4 * 60_000;
  runner.keyspace.tick();
  assert.equal(frequency("b"), 9);
  runner.run("CONFIG", "SET", "lfu-decay-time", "2");
  runner.verify();
});

test("after a switch of policy, what was stamped is read as what it now would be", () => {
  const runner = new CommandRunner(commands, { now: () => 1_700_000_000_000 });
  runner.run("SET", "a", "1");
  runner.configuration.configSet([["maxmemory-policy", "allkeys-lfu"]]);
  assert.equal(typeof runner.ask("OBJECT", "FREQ", "a"), "number");
  runner.run("SET", "b", "1");
  assert.equal(runner.ask("OBJECT", "FREQ", "b"), 5);
  runner.configuration.configSet([["maxmemory-policy", "allkeys-lru"]]);
  runner.run("GET", "b");
  assert.equal(runner.ask("OBJECT", "IDLETIME", "b"), 0);
});

test("a client that does not touch leaves idle times and counts as they are, but for TOUCH", () => {
  for (const policy of ["allkeys-lru", "allkeys-lfu"]) {
    let now = 5_000_000;
    const directives = { "maxmemory-policy": policy, "lfu-log-factor": "0", "lfu-decay-time": "0" };
    const runner = new CommandRunner(commands, { directives, now: () => now });
    const stamp = () =>
      policy === "allkeys-lru" ? runner.ask("OBJECT", "IDLETIME", "a") : runner.ask("OBJECT", "FREQ", "a");
    runner.run("SET", "a", "1");
    now += 9000;
    runner.keyspace.tick();
    const before = stamp();
    for (const command of ["GET a", "APPEND a x", "SET a 1", "INCR a", "EXPIRE a 1000", "SETRANGE a 0 xy", "TOUCH a"]) {
      assert.equal(stamp(), before, command);
      runner.keyspace.touches = false;
      runner.run(...command.split(" "));
      runner.keyspace.touches = true;
    }
    assert.notEqual(stamp(), before);
  }
});

test("HELP is a list of simple strings", () => {
  const lines = new CommandRunner(commands).run("OBJECT", "HELP").split("\r\n");
  assert.equal(lines[0], "*15");
  assert.equal(lines[1], "+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  assert.equal(lines[15], "+    Prints this help.");
});
