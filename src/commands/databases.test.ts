import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { databaseCommands } from "./databases.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const start = (shards: number): CommandRunner =>
  new CommandRunner([...keyCommands, ...databaseCommands, ...stringCommands], { shards, regionSize: 1024 * 1024 });

test("SELECT refuses what is no database", () => {
  const runner = start(1);
  converse(
    runner,
    `
    SELECT 15           => +OK
    SELECT 16           => -ERR DB index is out of range
    SELECT -1           => -ERR DB index is out of range
    SELECT abc          => -ERR value is not an integer or out of range
    SELECT ''           => -ERR value is not an integer or out of range
    SELECT 2147483648   => -ERR value is out of range, value must between -2147483648 and 2147483647
    SELECT -9007199254740993 => -ERR value is out of range, value must between -2147483648 and 2147483647
    `,
  );
  assert.equal(runner.context.session.databaseIndex, 15);
});

test("SWAPDB exchanges what all clients see", () => {
  const runner = start(4);
  const other = runner.connect();
  runner.runAs(other, "SELECT", "1");
  converse(
    runner,
    `
    SET a zero          => +OK
    SET b zero EX 100   => +OK
    SWAPDB 0 1          => +OK
    DBSIZE              => :0
    SET a one           => +OK
    SWAPDB 1 1          => +OK
    SWAPDB x y          => -ERR invalid first DB index
    SWAPDB 5000000000 1 => -ERR invalid first DB index
    SWAPDB 1 y          => -ERR invalid second DB index
    SWAPDB 16 1         => -ERR DB index is out of range
    SWAPDB 1 -1         => -ERR DB index is out of range
    `,
  );
  assert.equal(runner.runAs(other, "GET", "a"), "$4\r\nzero\r\n");
  assert.equal(runner.runAs(other, "TTL", "b"), ":100\r\n");
  assert.equal(runner.run("GET", "a"), "$3\r\none\r\n");
  runner.verify();
});

for (const shards of [1, 4]) {
  test(`FLUSHDB empties one database, FLUSHALL all, with ${shards} shards`, () => {
    const runner = start(shards);
    converse(
      runner,
      `
      MSET a 1 b 2 c 3    => +OK
      SELECT 1            => +OK
      MSET a 1 b 2        => +OK
      EXPIRE a 100        => :1
      FLUSHDB             => +OK
      DBSIZE              => :0
      SELECT 0            => +OK
      DBSIZE              => :3
      FLUSHDB LATER       => -ERR syntax error
      FLUSHDB SYNC ASYNC  => -ERR syntax error
      FLUSHALL SYNC SYNC  => -ERR syntax error
      DBSIZE              => :3
      FLUSHALL async      => +OK
      DBSIZE              => :0
      SET a 1             => +OK
      FLUSHDB sync        => +OK
      EXISTS a            => :0
      `,
    );
    runner.verify();
  });
}

test("FLUSHALL of much data gives its memory back at once", () => {
  const runner = new CommandRunner([...databaseCommands, ...stringCommands], { shards: 2, regionSize: 32 << 20 });
  const empty = runner.keyspace.usedBytes;
  for (let index = 0; index < 400; index++) runner.run("SET", `key:${index}`, "x".repeat(100_000));
  assert.equal(runner.run("FLUSHALL"), "+OK\r\n");
  assert.equal(runner.keyspace.usedBytes, empty);
  runner.run("SET", "a", "1");
  runner.verify();
});
