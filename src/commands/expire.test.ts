import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const NOW = 1_700_000_000_000;

function start(): { runner: CommandRunner; pass: (milliseconds: number) => void } {
  let now = NOW;
  const runner = new CommandRunner([...keyCommands, ...stringCommands], { now: () => now, regionSize: 1024 * 1024 });
  const pass = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { runner, pass };
}

test("a key lives until its deadline, and not a millisecond longer", () => {
  const { runner, pass } = start();
  for (const [command, time] of [
    ["EXPIRE", 2],
    ["PEXPIRE", 2000],
    ["EXPIREAT", NOW / 1000 + 2],
    ["PEXPIREAT", NOW + 2000],
  ] as const) {
    runner.run("SET", command, "x");
    assert.equal(runner.ask(command, command, time), 1);
    assert.equal(runner.ask("PTTL", command), 2000);
    assert.equal(runner.ask("PEXPIRETIME", command), NOW + 2000);
  }
  assert.equal(runner.keyspace.databases[0]!.volatileCount, 4);
  pass(1999);
  assert.equal(runner.ask("EXISTS", "EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"), 4);
  pass(1);
  assert.equal(runner.ask("EXISTS", "EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"), 0);
  assert.equal(runner.keyspace.expiredKeys, 4);
  runner.verify();
});

test("times are told in seconds to the nearest", () => {
  const { runner, pass } = start();
  converse(
    runner,
    `
    SET a x            => +OK
    TTL a              => :-1
    PTTL a             => :-1
    EXPIRETIME a       => :-1
    PEXPIRETIME a      => :-1
    TTL nokey          => :-2
    PTTL nokey         => :-2
    EXPIRETIME nokey   => :-2
    PEXPIRETIME nokey  => :-2
    PEXPIRE a 10499    => :1
    TTL a              => :10
    PEXPIRE a 10500    => :1
    TTL a              => :11
    EXPIRETIME a       => :1700000011
    PERSIST a          => :1
    PERSIST a          => :0
    PERSIST nokey      => :0
    TTL a              => :-1
    `,
  );
  pass(20_000);
  assert.equal(runner.ask("GET", "a"), "x");
  runner.verify();
});

test("a deadline in the past removes the key", () => {
  const { runner } = start();
  for (const command of ["EXPIRE a 0", "EXPIRE a -5", "PEXPIRE a -1", "EXPIREAT a 1", `PEXPIREAT a ${NOW}`]) {
    runner.run("SET", "a", "x", "EX", "100");
    assert.equal(runner.ask(...command.split(" ")), 1, command);
    assert.equal(runner.keyspace.databases[0]!.count, 0, command);
  }
  assert.equal(runner.ask("EXPIRE", "a", "0"), 0);
  assert.equal(runner.keyspace.expiredKeys, 0);
  runner.verify();
});

test("conditions compare with the deadline that is there, and none is later than any", () => {
  const { runner } = start();
  converse(
    runner,
    `
    SET a x                => +OK
    EXPIRE a 100 XX        => :0
    EXPIRE a 100 GT        => :0
    EXPIRE a 100 XX GT     => :0
    EXPIRE a 100 XX LT     => :0
    EXPIRE a 100 lt        => :1
    EXPIRE a 100 NX        => :0
    EXPIRE a 100 GT        => :0
    EXPIRE a 100 LT        => :0
    EXPIRE a 101 GT LT     => -ERR GT and LT options at the same time are not compatible
    EXPIRE a 101 LT        => :0
    EXPIRE a 101 xx gt XX  => :1
    EXPIRE a 99 GT         => :0
    EXPIRE a 99 XX LT      => :1
    PERSIST a              => :1
    EXPIRE a 100 NX NX     => :1
    EXPIRE a -1 GT         => :0
    EXPIRE a -1 LT         => :1
    EXISTS a               => :0
    `,
  );
  runner.verify();
});

test("errors come in Redis's order", () => {
  const { runner } = start();
  converse(
    runner,
    `
    EXPIRE a x FOO   => -ERR Unsupported option FOO
    EXPIRE a x NX XX => -ERR NX and XX, GT or LT options at the same time are not compatible
    EXPIRE a x NX GT => -ERR NX and XX, GT or LT options at the same time are not compatible
    EXPIRE a x NX LT => -ERR NX and XX, GT or LT options at the same time are not compatible
    EXPIRE a x       => -ERR value is not an integer or out of range
    EXPIRE a 9223372036854775807    => -ERR invalid expire time in 'expire' command
    EXPIRE a -9223372036854775808   => -ERR invalid expire time in 'expire' command
    EXPIRE a 9223372036854775       => -ERR invalid expire time in 'expire' command
    PEXPIRE a 9223372036854775807   => -ERR invalid expire time in 'pexpire' command
    EXPIREAT a 9223372036854776     => -ERR invalid expire time in 'expireat' command
    PEXPIREAT a 9223372036854775808 => -ERR value is not an integer or out of range
    EXPIRE a 10 NX   => :0
    EXPIRE a         => -ERR wrong number of arguments for 'expire' command
    `,
  );
});

test("deadlines are exact to the last of their 64 bits", () => {
  const { runner } = start();
  converse(
    runner,
    `
    SET a x                            => +OK
    PEXPIREAT a 9223372036854775807    => :1
    PEXPIRETIME a                      => :9223372036854775807
    PTTL a                             => :9223370336854775807
    EXPIRETIME a                       => :9223372036854776
    TTL a                              => :9223370336854776
    PEXPIREAT a 9223372036854775806 LT => :1
    PEXPIREAT a 9223372036854775807 GT => :1
    EXPIREAT a 9223372036854775        => :1
    PEXPIRETIME a                      => :9223372036854775000
    PEXPIREAT a -9223372036854775808   => :1
    EXISTS a                           => :0
    `,
  );
  runner.verify();
});
