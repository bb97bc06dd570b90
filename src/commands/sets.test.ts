import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner, type RunnerOptions } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { keyCommands } from "./keys.ts";
import { setCommands } from "./sets.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...keyCommands, ...setCommands, ...stringCommands];
const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

function start(options: RunnerOptions = {}): CommandRunner {
  return new CommandRunner(COMMANDS, options);
}

/** How sets are stored: by the limits of small encodings. */
const STORED: readonly [name: string, intsetEntries: number, listpackEntries: number][] = [
  ["as by default", 512, 128],
  ["as listpacks", 0, 128],
  ["as tables", 0, 0],
];

for (const [name, intsetEntries, listpackEntries] of STORED) {
  for (const shards of [1, 4]) {
    test(`members come, are found and go, ${name}, in ${shards} regions`, () => {
      const runner = start({ shards });
      runner.keyspace.limits.setIntsetEntries = intsetEntries;
      runner.keyspace.limits.setListpackEntries = listpackEntries;
      converse(
        runner,
        `
        SADD s 1 2 3                  => :3
        SADD s 3 4                    => :1
        SADD s 4                      => :0
        SCARD s                       => :4
        SISMEMBER s 2                 => :1
        SISMEMBER s 5                 => :0
        SISMEMBER s 02                => :0
        SMISMEMBER s 1 x 4            => *3 :1 :0 :1
        SADD s x ''                   => :2
        SMISMEMBER s '' x y 3         => *4 :1 :1 :0 :1
        SREM s 1 2 nothing            => :2
        SREM s 1                      => :0
        SCARD s                       => :4
        SADD t x 9                    => :2
        SMOVE s t x                   => :1
        SMOVE s t x                   => :0
        SMOVE s t 3                   => :1
        SMOVE s s 4                   => :1
        SMOVE s s 5                   => :0
        SMOVE s new 4                 => :1
        SMOVE s new ''                => :1
        EXISTS s                      => :0
        SCARD new                     => :2
        SREM new 4 '' 4               => :2
        EXISTS new                    => :0
        SCARD t                       => :3
        SINTERCARD 2 t t              => :3
        `,
      );
      assert.deepEqual((runner.ask("SMEMBERS", "t") as string[]).sort(), ["3", "9", "x"]);
      runner.verify();
    });

    test(`sets are combined, ${name}, in ${shards} regions`, () => {
      const runner = start({ shards });
      runner.keyspace.limits.setIntsetEntries = intsetEntries;
      runner.keyspace.limits.setListpackEntries = listpackEntries;
      converse(runner, "SADD a 1 2 3 x y => :5\nSADD b 2 3 z => :3\nSADD c 3 y => :2\nSADD n 1 2 => :2");
      const cases: [command: string, members: string][] = [
        ["INTER a b", "2 3"],
        ["INTER a b c", "3"],
        ["INTER a a", "1 2 3 x y"],
        ["INTER n a b", "2"],
        ["INTER a none", ""],
        ["INTER none", ""],
        ["UNION a b c", "1 2 3 x y z"],
        ["UNION none n none", "1 2"],
        ["UNION n n", "1 2"],
        ["UNION none", ""],
        ["DIFF a b", "1 x y"],
        ["DIFF a b c", "1 x"],
        ["DIFF a none c", "1 2 x"],
        ["DIFF a c a", ""],
        ["DIFF none a", ""],
        ["DIFF a", "1 2 3 x y"],
        ["DIFF n a", ""],
      ];
      for (const [command, members] of cases) {
        const [operation, ...keys] = command.split(" ");
        const expected = members === "" ? [] : members.split(" ");
        assert.deepEqual((runner.ask(`S${operation}`, ...keys) as string[]).sort(), expected, command);
        runner.run("SET", "d", "something else");
        assert.equal(runner.run(`S${operation}STORE`, "d", ...keys), `:${expected.length}\r\n`);
        assert.deepEqual((runner.ask("SMEMBERS", "d") as string[]).sort(), expected, `${command}, stored`);
        assert.equal(runner.run("EXISTS", "d"), `:${expected.length > 0 ? 1 : 0}\r\n`);
      }
      runner.run("SUNIONSTORE", "a", "a", "b");
      assert.equal(runner.run("SCARD", "a"), ":6\r\n");
      runner.run("SDIFFSTORE", "a", "a", "c", "b");
      assert.deepEqual((runner.ask("SMEMBERS", "a") as string[]).sort(), ["1", "x"]);
      runner.run("SINTERSTORE", "c", "b", "n");
      assert.deepEqual(runner.ask("SMEMBERS", "c"), ["2"]);
      assert.equal(runner.run("SINTERSTORE", "c", "c", "a"), ":0\r\n");
      assert.equal(runner.run("EXISTS", "c"), ":0\r\n");
      runner.verify();
    });
  }
}

test("SINTERCARD and its limit", () => {
  const runner = start();
  converse(
    runner,
    `
    SADD a 1 2 3 4                    => :4
    SADD b 2 3 4 5                    => :4
    SINTERCARD 2 a b                  => :3
    SINTERCARD 2 a b LIMIT 2          => :2
    SINTERCARD 2 a b limit 0          => :3
    SINTERCARD 2 a b LIMIT 7          => :3
    SINTERCARD 2 a b LIMIT 2 LIMIT 1  => :1
    SINTERCARD 1 a LIMIT 3            => :3
    SINTERCARD 1 a                    => :4
    SINTERCARD 2 a none               => :0
    SINTERCARD 0 a                    => -ERR numkeys should be greater than 0
    SINTERCARD x a                    => -ERR numkeys should be greater than 0
    SINTERCARD 2 a                    => -ERR Number of keys can't be greater than number of args
    SINTERCARD 1 a b                  => -ERR syntax error
    SINTERCARD 1 a LIMIT              => -ERR syntax error
    SINTERCARD 1 a LIMIT -1           => -ERR LIMIT can't be negative
    SINTERCARD 1 a LIMIT x            => -ERR LIMIT can't be negative
    `,
  );
  runner.keyspace.limits.setListpackEntries = 0;
  const many = Array.from({ length: 1000 }, (_, index) => `m${index}`);
  runner.run("SADD", "c", ...many);
  runner.run("SADD", "d", ...many, "more");
  assert.equal(runner.run("SINTERCARD", "2", "c", "d"), ":1000\r\n");
  assert.equal(runner.run("SINTERCARD", "2", "c", "d", "LIMIT", "10"), ":10\r\n");
});

test("the wrong type, wherever it stands", () => {
  const runner = start();
  converse(runner, "SET k v => +OK\nSADD s 1 => :1");
  const commands = [
    "SADD k a",
    "SREM k a",
    "SCARD k",
    "SISMEMBER k a",
    "SMISMEMBER k a",
    "SMEMBERS k",
    "SMOVE k s a",
    "SMOVE s k 1",
    "SMOVE s k missing",
    "SPOP k",
    "SPOP k 0",
    "SRANDMEMBER k",
    "SRANDMEMBER k 0",
    "SSCAN k 0",
    "SSCAN k 0 FOO",
    "SINTER k",
    "SINTER none s k",
    "SUNION s k",
    "SDIFF none k",
    "SINTERSTORE d s k",
    "SUNIONSTORE d k s",
    "SDIFFSTORE d none k",
    "SINTERCARD 2 none k",
  ];
  for (const command of commands) assert.equal(runner.run(...command.split(" ")), WRONG_TYPE, command);
  assert.equal(runner.run("SMOVE", "none", "k", "a"), ":0\r\n");
  assert.equal(runner.run("EXISTS", "d"), ":0\r\n");
  assert.equal(runner.run("GET", "s"), WRONG_TYPE);
  assert.equal(runner.run("SUNIONSTORE", "k", "s"), ":1\r\n");
});

test("what does not exist is empty", () => {
  const runner = start();
  converse(
    runner,
    `
    SREM s a           => :0
    SCARD s            => :0
    SISMEMBER s a      => :0
    SMISMEMBER s a b   => *2 :0 :0
    SMEMBERS s         => *0
    SPOP s             => $-1
    SPOP s 3           => *0
    SRANDMEMBER s      => $-1
    SRANDMEMBER s 3    => *0
    SSCAN s 0          => *2 $1 0 *0
    SSCAN s 0 FOO      => *2 $1 0 *0
    SMOVE s t a        => :0
    SPOP s x           => -ERR value is out of range, must be positive
    SPOP s -1          => -ERR value is out of range, must be positive
    SPOP s 1 2         => -ERR syntax error
    SPOP s x 2         => -ERR syntax error
    SRANDMEMBER s x    => -ERR value is not an integer or out of range
    SRANDMEMBER s 1 2  => -ERR syntax error
    SSCAN s x          => -ERR invalid cursor
    SADD s             => -ERR wrong number of arguments for 'sadd' command
    `,
  );
  const tooLow = "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n";
  assert.equal(runner.run("SRANDMEMBER", "s", "-9223372036854775808"), tooLow);
});

test("RESP3 has sets", () => {
  const runner = start({ protocol: 3 });
  converse(
    runner,
    `
    SMEMBERS s         => ~0
    SADD s 1 2         => :2
    SMEMBERS s         => ~2 $1 1 $1 2
    SINTER s s         => ~2 $1 1 $1 2
    SINTER s none      => ~0
    SUNION s none      => ~2 $1 1 $1 2
    SDIFF s none       => ~2 $1 1 $1 2
    SRANDMEMBER s 2    => *2 $1 1 $1 2
    SPOP s 0           => ~0
    SPOP s 2           => ~2 $1 1 $1 2
    SPOP s 2           => ~0
    SPOP s             => _
    SRANDMEMBER s      => _
    SRANDMEMBER s 1    => *0
    SSCAN s 0          => *2 $1 0 *0
    `,
  );
});

test("stored results have Redis's encoding, and replies its order", () => {
  const runner = start();
  runner.keyspace.limits.setIntsetEntries = 4;
  converse(
    runner,
    `
    SADD i 3 1 2           => :3
    SADD l 3 b 1 a         => :4
    SADD m 9 5 7           => :3
    SUNION i m             => *6 $1 1 $1 2 $1 3 $1 5 $1 7 $1 9
    SUNION i l             => *5 $1 1 $1 2 $1 3 $1 b $1 a
    SUNION l i             => *5 $1 3 $1 b $1 1 $1 a $1 2
    SINTER l i             => *2 $1 1 $1 3
    SDIFF l m              => *4 $1 3 $1 b $1 1 $1 a
    SUNIONSTORE d i        => :3
    OBJECT ENCODING d      => $6 intset
    SUNIONSTORE d i m      => :6
    OBJECT ENCODING d      => $9 hashtable
    SUNIONSTORE d i l      => :5
    OBJECT ENCODING d      => $8 listpack
    SINTERSTORE d l i      => :2
    OBJECT ENCODING d      => $6 intset
    SADD big 1 2 3 4 5 b   => :6
    SINTERSTORE d l big    => :3
    OBJECT ENCODING d      => $8 listpack
    SREM l a b             => :2
    OBJECT ENCODING l      => $8 listpack
    SINTERSTORE d l l      => :2
    OBJECT ENCODING d      => $6 intset
    SADD o 1 2 3 4 5 z     => :6
    SADD p z               => :1
    SADD q 8               => :1
    SDIFFSTORE d o p       => :5
    OBJECT ENCODING d      => $9 hashtable
    SADD r 1 2 z           => :3
    SDIFFSTORE d r p       => :2
    OBJECT ENCODING d      => $6 intset
    SADD r 8 7 y x w       => :5
    SDIFFSTORE d r p q     => :6
    OBJECT ENCODING d      => $8 listpack
    `,
  );
  runner.verify();
});

test("changes are counted as Redis counts them", () => {
  const runner = start({ shards: 4 });
  const cases: [command: string, changes: number][] = [
    ["SADD s 1 2 3 a", 4],
    ["SADD s 1 2", 0],
    ["SADD s 1 b", 1],
    ["SREM s 1 x", 1],
    ["SMOVE s t a", 2],
    ["SADD s a", 1],
    ["SMOVE s t a", 1],
    ["SMOVE s t nothing", 0],
    ["SUNIONSTORE d s t", 1],
    ["SINTERSTORE d s none", 1],
    ["SINTERSTORE d s none", 0],
    ["SPOP s", 1],
    ["SPOP s 2", 2],
    ["SADD s 1 2 3", 3],
    ["SPOP s 9", 3],
    ["SREM t a b c", 1],
  ];
  for (const [command, changes] of cases) {
    const before = runner.keyspace.changes;
    runner.run(...command.split(" "));
    assert.equal(runner.keyspace.changes - before, changes, command);
  }
  assert.equal(runner.run("EXISTS", "s", "t", "d"), ":0\r\n");
});
