import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { databaseCommands } from "./databases.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const commands = [...keyCommands, ...databaseCommands, ...stringCommands];

for (const shards of [1, 4]) {
  const start = (regionSize = 1024 * 1024): CommandRunner => new CommandRunner(commands, { shards, regionSize });

  test(`keys are deleted, counted and told by type, with ${shards} shards`, () => {
    const runner = start();
    converse(
      runner,
      `
      MSET a 1 b 2 c 3 '' 4     => +OK
      EXISTS a b a nokey ''     => :4
      TYPE a                    => +string
      TYPE nokey                => +none
      TOUCH a a nokey           => :2
      DEL a nokey a             => :1
      UNLINK b c b              => :2
      EXISTS a b c              => :0
      DEL ''                    => :1
      DEL                       => -ERR wrong number of arguments for 'del' command
      `,
    );
    runner.verify();
  });

  test(`a renamed key keeps its value, its encoding and its time to live, with ${shards} shards`, () => {
    const runner = start();
    const long = "x".repeat(5000);
    for (const [index, value] of ["12", "text", "x".repeat(45), long].entries()) {
      const [from, to] = [`from${index}`, `to${index}`];
      runner.run("SET", from, value, "PXAT", "9000000000000");
      const encoding = runner.run("OBJECT", "ENCODING", from);
      if (index % 2 === 1) runner.run("SET", to, long);
      assert.equal(runner.run("RENAME", from, to), "+OK\r\n");
      assert.equal(runner.ask("GET", to), value);
      assert.equal(runner.run("OBJECT", "ENCODING", to), encoding);
      assert.equal(runner.ask("PEXPIRETIME", to), 9_000_000_000_000);
      assert.equal(runner.ask("EXISTS", from), 0);
    }
    runner.verify();
  });

  test(`renaming replies as Redis does, with ${shards} shards`, () => {
    const runner = start();
    converse(
      runner,
      `
      RENAME nokey b   => -ERR no such key
      RENAME nokey nokey => -ERR no such key
      RENAMENX nokey b => -ERR no such key
      MSET a 1 b 2     => +OK
      EXPIRE b 100     => :1
      RENAMENX a b     => :0
      RENAME a a       => +OK
      RENAMENX a a     => :0
      RENAME a b       => +OK
      GET b            => $1 1
      TTL b            => :-1
      RENAMENX b a     => :1
      GET a            => $1 1
      DBSIZE           => :1
      `,
    );
    runner.verify();
  });

  test(`a copy is independent of its source, with ${shards} shards`, () => {
    const runner = start();
    converse(
      runner,
      `
      SET a hello           => +OK
      APPEND a !            => :6
      PEXPIREAT a 9000000000000 => :1
      COPY a a              => -ERR source and destination objects are the same
      COPY nokey nokey      => -ERR source and destination objects are the same
      COPY nokey b          => :0
      COPY a b              => :1
      COPY a b              => :0
      OBJECT ENCODING b     => $3 raw
      PEXPIRETIME b         => :9000000000000
      APPEND a x            => :7
      GET b                 => $6 hello!
      COPY a b REPLACE      => :1
      GET b                 => $7 hello!x
      COPY a a DB 3         => :1
      COPY a b DB 1 DB 0    => :0
      COPY a b DB           => -ERR syntax error
      COPY a b FOO          => -ERR syntax error
      COPY a b DB x         => -ERR value is not an integer or out of range
      COPY a b DB 99 FOO    => -ERR DB index is out of range
      COPY a b DB 5000000000 => -ERR value is out of range, value must between -2147483648 and 2147483647
      COPY a b DB 99999999999999999999 => -ERR value is not an integer or out of range
      SELECT 3              => +OK
      GET a                 => $7 hello!x
      DBSIZE                => :1
      `,
    );
    runner.verify();
  });

  test(`a key is moved to another database with its time to live, with ${shards} shards`, () => {
    const runner = start();
    converse(
      runner,
      `
      MOVE nokey 0    => -ERR source and destination objects are the same
      MOVE nokey 16   => -ERR DB index is out of range
      MOVE nokey -1   => -ERR DB index is out of range
      MOVE nokey x    => -ERR value is not an integer or out of range
      MOVE nokey -2147483649 => -ERR value is out of range, value must between -2147483648 and 2147483647
      MOVE nokey 1    => :0
      SET a 1         => +OK
      PEXPIREAT a 9000000000000 => :1
      MOVE a 1        => :1
      EXISTS a        => :0
      SET a 2         => +OK
      MOVE a 1        => :0
      GET a           => $1 2
      SELECT 1        => +OK
      GET a           => $1 1
      PEXPIRETIME a   => :9000000000000
      `,
    );
    runner.verify();
  });

  test(`a key whose deadline has passed neither is the source nor stands in the way, with ${shards} shards`, () => {
    let now = 1_000_000;
    const runner = new CommandRunner(commands, { shards, regionSize: 1024 * 1024, now: () => now });
    for (const name of ["a", "b", "c"]) runner.run("SET", name, "old", "PX", "100");
    runner.run("MSET", "x", "1", "y", "2", "z", "3");
    now += 100;
    converse(
      runner,
      `
      RENAME a y     => -ERR no such key
      RENAMENX x b   => :1
      COPY y c       => :1
      MOVE a 1       => :0
      GET c          => $1 2
      TTL b          => :-1
      `,
    );
    assert.equal(runner.keyspace.expiredKeys, 3);
    runner.verify();
  });
}
