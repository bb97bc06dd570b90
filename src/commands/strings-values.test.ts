import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { bitmapCommands } from "./bitmaps.ts";
import { introspectionCommands } from "./introspection.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const NOW = 1_700_000_000_000;
const COMMANDS = [...keyCommands, ...stringCommands, ...bitmapCommands, ...introspectionCommands];

function start(): CommandRunner {
  return new CommandRunner(COMMANDS, { now: () => NOW });
}

test("SET and its options", () => {
  const runner = start();
  converse(
    runner,
    `
    SET a 1                       => +OK
    SET a 2 NX                    => $-1
    SET b 2 XX                    => $-1
    SET a 2 xx                    => +OK
    SET b 1 NX NX                 => +OK
    SET b 3 GET                   => $1 1
    SET b 4 NX GET                => $1 3
    SET c 1 GET                   => $-1
    SET d 1 XX GET                => $-1
    EXISTS d                      => :0
    SET a 1 EX 10                 => +OK
    PTTL a                        => :10000
    SET a 2 KEEPTTL               => +OK
    PTTL a                        => :10000
    SET a 3 GET KEEPTTL           => $1 2
    PTTL a                        => :10000
    SET a 3                       => +OK
    PTTL a                        => :-1
    SET a 3 PX 5 PX 7000          => +OK
    PTTL a                        => :7000
    SET a 3 EXAT 1700000100       => +OK
    PTTL a                        => :100000
    SET a 3 PXAT 1700000000500    => +OK
    PTTL a                        => :500
    SET a 3 PXAT 1                => +OK
    EXISTS a                      => :0
    SET a 3 EX 1 PX 1             => -ERR syntax error
    SET a 3 NX XX                 => -ERR syntax error
    SET a 3 EX 1 KEEPTTL          => -ERR syntax error
    SET a 3 EX                    => -ERR syntax error
    SET a 3 EX 0                  => -ERR invalid expire time in 'set' command
    SET a 3 EX x                  => -ERR value is not an integer or out of range
    SET a 3 EX 9223372036854775   => -ERR invalid expire time in 'set' command
    SET a 3 PX 9223372036854775807 => -ERR invalid expire time in 'set' command
    EXISTS a                      => :0
    `,
  );
  runner.verify();
});

test("the older ways to set", () => {
  const runner = start();
  converse(
    runner,
    `
    SETNX a 1              => :1
    SETNX a 2              => :0
    GET a                  => $1 1
    SETEX a 10 x           => +OK
    PTTL a                 => :10000
    PSETEX a 500 y         => +OK
    PTTL a                 => :500
    SETEX a 0 x            => -ERR invalid expire time in 'setex' command
    PSETEX a -1 x          => -ERR invalid expire time in 'psetex' command
    SETEX a x x            => -ERR value is not an integer or out of range
    GET a                  => $1 y
    GETSET a z             => $1 y
    PTTL a                 => :-1
    GETSET nokey z         => $-1
    GETDEL nokey           => $1 z
    GETDEL nokey           => $-1
    EXISTS nokey           => :0
    `,
  );
  runner.verify();
});

test("GETEX changes how long a key lives", () => {
  const runner = start();
  converse(
    runner,
    `
    GETEX nokey EX x               => $-1
    SET a x                        => +OK
    GETEX a                        => $1 x
    PTTL a                         => :-1
    GETEX a EX 10                  => $1 x
    PTTL a                         => :10000
    GETEX a                        => $1 x
    PTTL a                         => :10000
    GETEX a PXAT 1700000000500     => $1 x
    PTTL a                         => :500
    GETEX a PERSIST                => $1 x
    PTTL a                         => :-1
    GETEX a PERSIST                => $1 x
    GETEX a EX 10 PERSIST          => -ERR syntax error
    GETEX a KEEPTTL                => -ERR syntax error
    GETEX a PX 0                   => -ERR invalid expire time in 'getex' command
    GETEX a EXAT 1                 => $1 x
    EXISTS a                       => :0
    `,
  );
  runner.verify();
});

test("how values are stored is told as Redis tells it", () => {
  const runner = start();
  const cases: readonly (readonly [wanted: string, ...commands: string[]])[] = [
    ["int", "SET a 12"],
    ["int", "SET a -9223372036854775808"],
    ["embstr", "SET a 9223372036854775808"],
    ["embstr", "SET a 012"],
    ["embstr", "SET a ''"],
    ["embstr", `SET a ${"x".repeat(44)}`],
    ["raw", `SET a ${"x".repeat(45)}`],
    ["raw", `SET a ${"x".repeat(5000)}`],
    ["int", "DEL a", "APPEND a 12"],
    ["raw", "SET a 1", "APPEND a 2"],
    ["raw", "SET a x", "APPEND a ''"],
    ["int", "SET a 1", "APPEND a 2", "INCR a"],
    ["raw", "DEL a", "SETRANGE a 0 1"],
    ["raw", "SET a 1", "SETRANGE a 0 2"],
    ["int", "SET a 1", "SETRANGE a 5 ''"],
    ["raw", "DEL a", "SETBIT a 0 1"],
    ["raw", "SET a 1", "SETBIT a 7 1"],
    ["raw", "SET a 1", "BITFIELD a SET u8 0 50"],
    ["int", "SET a 1", "BITFIELD a GET u8 0"],
    ["raw", "SET a 1", "BITOP OR a a"],
    ["embstr", "SET a 1", "INCRBYFLOAT a 1"],
    ["raw", "SET a 1", "INCRBYFLOAT a 1e60"],
    ["int", "SET a x", "GETSET a 5"],
    ["int", "SET a x", "MSET a 5"],
    ["embstr", "SET a x", "APPEND a y", "SET a z"],
  ];
  for (const [wanted, ...commands] of cases) {
    for (const command of commands) runner.run(...command.split(" ").map((word) => (word === "''" ? "" : word)));
    assert.equal(runner.ask("OBJECT", "ENCODING", "a")?.toString(), wanted, commands.join("; "));
  }
  runner.verify();
});

test("a reply is given once, even where there is no room for the new value", () => {
  const runner = new CommandRunner(COMMANDS, { regionSize: 512 * 1024 });
  const large = "x".repeat(400_000);
  runner.run("SET", "a", "old");
  for (const command of [
    ["SET", "a", large, "GET"],
    ["GETSET", "a", large],
    ["SET", "b", large, "GET"],
  ]) {
    assert.match(runner.run(...command), /^-OOM [^\r]*\r\n$/);
  }
  converse(runner, "GET a => $3 old\nEXISTS b => :0");
  runner.verify();
});

test("what a call does to its key depends on its options", () => {
  const runner = start();
  converse(
    runner,
    `
    COMMAND GETKEYSANDFLAGS SET a x                           => *1 *2 $1 a *2 +OW +update
    COMMAND GETKEYSANDFLAGS SET a x XX get                    => *1 *2 $1 a *3 +RW +access +update
    COMMAND GETKEYSANDFLAGS BITFIELD a GET u8 0 OVERFLOW SAT  => *1 *2 $1 a *2 +RO +access
    COMMAND GETKEYSANDFLAGS BITFIELD a GET u8 0 SET u8 0 1    => *1 *2 $1 a *3 +RW +access +update
    COMMAND GETKEYS BITOP NOT a b                             => *2 $1 a $1 b
    `,
  );
});
