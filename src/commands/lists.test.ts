import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { keyCommands } from "./keys.ts";
import { listCommands } from "./lists.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...keyCommands, ...listCommands, ...stringCommands];

const DIALOGUES: Readonly<Record<string, string>> = {
  "elements are added at both ends": `
    RPUSH l a b c                      => :3
    LPUSH l 1 2                        => :5
    LRANGE l 0 -1                      => *5 $1 2 $1 1 $1 a $1 b $1 c
    RPUSHX l d                         => :6
    LPUSHX l 0                         => :7
    LLEN l                             => :7
    RPUSHX nokey d                     => :0
    LPUSHX nokey d                     => :0
    EXISTS nokey                       => :0
    LLEN nokey                         => :0
    RPUSH l                            => -ERR wrong number of arguments for 'rpush' command
  `,
  "elements are taken from both ends": `
    RPUSH l a b c d e f                => :6
    LPOP l                             => $1 a
    RPOP l                             => $1 f
    LPOP l 2                           => *2 $1 b $1 c
    RPOP l 5                           => *2 $1 e $1 d
    EXISTS l                           => :0
    LPOP l                             => $-1
    RPOP l                             => $-1
    LPOP l 1                           => *-1
    RPOP l 0                           => *-1
    RPUSH l a                          => :1
    LPOP l 0                           => *0
    LPOP l -1                          => -ERR value is out of range, must be positive
    LPOP l x                           => -ERR value is out of range, must be positive
    LPOP l 1 2                         => -ERR wrong number of arguments for 'lpop' command
    RPOP l x 2                         => -ERR wrong number of arguments for 'rpop' command
    RPOP l 9223372036854775807         => *1 $1 a
  `,
  "the first list that exists gives elements away": `
    RPUSH l a b c                      => :3
    LMPOP 2 nokey l LEFT               => *2 $1 l *1 $1 a
    LMPOP 1 l RIGHT COUNT 10           => *2 $1 l *2 $1 c $1 b
    LMPOP 2 nokey l RIGHT              => *-1
    LMPOP 0 l LEFT                     => -ERR numkeys should be greater than 0
    LMPOP x l LEFT                     => -ERR numkeys should be greater than 0
    LMPOP 2 l LEFT                     => -ERR syntax error
    LMPOP 1 l MIDDLE                   => -ERR syntax error
    LMPOP 1 l LEFT COUNT               => -ERR syntax error
    LMPOP 1 l LEFT COUNT 0             => -ERR count should be greater than 0
    LMPOP 1 l LEFT COUNT x             => -ERR count should be greater than 0
    LMPOP 1 l LEFT COUNT 1 COUNT 1     => -ERR syntax error
    LMPOP 1 l LEFT 1                   => -ERR syntax error
    SET s v                            => +OK
    LMPOP 2 s l LEFT                   => -WRONGTYPE Operation against a key holding the wrong kind of value
    LMPOP 9223372036854775807 l LEFT   => -ERR syntax error
  `,
  "elements are found by their index": `
    RPUSH l a b c                      => :3
    LINDEX l 0                         => $1 a
    LINDEX l -1                        => $1 c
    LINDEX l 3                         => $-1
    LINDEX l -4                        => $-1
    LINDEX l x                         => -ERR value is not an integer or out of range
    LINDEX nokey x                     => $-1
    LSET l 1 B                         => +OK
    LSET l -1 C                        => +OK
    LSET l 3 D                         => -ERR index out of range
    LSET l -4 D                        => -ERR index out of range
    LSET l x D                         => -ERR value is not an integer or out of range
    LSET nokey x D                     => -ERR no such key
    LRANGE l 0 -1                      => *3 $1 a $1 B $1 C
  `,
  "ranges are cut to what there is": `
    RPUSH l a b c d                    => :4
    LRANGE l 1 2                       => *2 $1 b $1 c
    LRANGE l -100 0                    => *1 $1 a
    LRANGE l -1 100                    => *1 $1 d
    LRANGE l 2 1                       => *0
    LRANGE l 4 9                       => *0
    LRANGE l 0 -100                    => *0
    LRANGE l x 1                       => -ERR value is not an integer or out of range
    LRANGE nokey 0 -1                  => *0
    LTRIM l 1 -2                       => +OK
    LRANGE l 0 -1                      => *2 $1 b $1 c
    LTRIM nokey 0 0                    => +OK
    LTRIM nokey x 0                    => -ERR value is not an integer or out of range
    LTRIM l 5 9                        => +OK
    EXISTS l                           => :0
  `,
  "elements are put beside others": `
    RPUSH l a b a                      => :3
    LINSERT l BEFORE a x               => :4
    LINSERT l after a y                => :5
    LINSERT l BEFORE b 1               => :6
    LINSERT l AFTER nothing z          => :-1
    LINSERT nokey AFTER a z            => :0
    LINSERT l BESIDE a z               => -ERR syntax error
    LRANGE l 0 -1                      => *6 $1 x $1 a $1 y $1 1 $1 b $1 a
  `,
  "elements are removed by value": `
    RPUSH l a b a 1 a b a              => :7
    LREM l 1 a                         => :1
    LREM l -2 a                        => :2
    LRANGE l 0 -1                      => *4 $1 b $1 a $1 1 $1 b
    LREM l 0 b                         => :2
    LREM l 0 01                        => :0
    LREM l 0 1                         => :1
    LREM l x a                         => -ERR value is not an integer or out of range
    LREM l 0 a                         => :1
    EXISTS l                           => :0
    LREM l 0 a                         => :0
  `,
  "elements are found by value": `
    RPUSH l a b c a b c a              => :7
    LPOS l b                           => :1
    LPOS l x                           => $-1
    LPOS l a RANK 2                    => :3
    LPOS l a RANK -1                   => :6
    LPOS l a RANK -3                   => :0
    LPOS l a RANK 4                    => $-1
    LPOS l a COUNT 0                   => *3 :0 :3 :6
    LPOS l a COUNT 2                   => *2 :0 :3
    LPOS l a RANK -1 COUNT 2           => *2 :6 :3
    LPOS l a RANK 2 COUNT 1            => *1 :3
    LPOS l a COUNT 0 MAXLEN 4          => *2 :0 :3
    LPOS l a COUNT 0 MAXLEN 3          => *1 :0
    LPOS l c MAXLEN 2                  => $-1
    LPOS l c RANK -1 MAXLEN 1          => $-1
    LPOS l x COUNT 1                   => *0
    LPOS nokey a                       => $-1
    LPOS nokey a COUNT 1               => *0
    LPOS l a RANK x                    => -ERR value is not an integer or out of range
    LPOS l a COUNT -1                  => -ERR COUNT can't be negative
    LPOS l a COUNT x                   => -ERR COUNT can't be negative
    LPOS l a MAXLEN -1                 => -ERR MAXLEN can't be negative
    LPOS l a RANK                      => -ERR syntax error
    LPOS l a FIRST                     => -ERR syntax error
    LPOS l a RANK 1 RANK 2             => :3
  `,
  "elements are moved": `
    RPUSH l a b c                      => :3
    LMOVE l m LEFT RIGHT               => $1 a
    LMOVE l m RIGHT LEFT               => $1 c
    LRANGE m 0 -1                      => *2 $1 c $1 a
    RPOPLPUSH l m                      => $1 b
    EXISTS l                           => :0
    LRANGE m 0 -1                      => *3 $1 b $1 c $1 a
    LMOVE m m LEFT RIGHT               => $1 b
    LRANGE m 0 -1                      => *3 $1 c $1 a $1 b
    LMOVE m m RIGHT LEFT               => $1 b
    LMOVE m m LEFT LEFT                => $1 b
    LMOVE m m RIGHT RIGHT              => $1 a
    LRANGE m 0 -1                      => *3 $1 b $1 c $1 a
    LMOVE nokey m LEFT LEFT            => $-1
    SET s v                            => +OK
    LMOVE nokey s LEFT LEFT            => $-1
    LMOVE m s LEFT LEFT                => -WRONGTYPE Operation against a key holding the wrong kind of value
    LMOVE s m LEFT LEFT                => -WRONGTYPE Operation against a key holding the wrong kind of value
    LMOVE m l LEFT UP                  => -ERR syntax error
    LMOVE m l UP LEFT                  => -ERR syntax error
    RPUSH one 12                       => :1
    EXPIRE one 1000                    => :1
    RPOPLPUSH one one                  => $2 12
    TTL one                            => :1000
    LRANGE one 0 -1                    => *1 $2 12
  `,
  "other types are refused": `
    SET s v                            => +OK
    LPUSH s a                          => -WRONGTYPE Operation against a key holding the wrong kind of value
    RPUSHX s a                         => -WRONGTYPE Operation against a key holding the wrong kind of value
    LPOP s                             => -WRONGTYPE Operation against a key holding the wrong kind of value
    RPOP s 1                           => -WRONGTYPE Operation against a key holding the wrong kind of value
    LLEN s                             => -WRONGTYPE Operation against a key holding the wrong kind of value
    LINDEX s x                         => -WRONGTYPE Operation against a key holding the wrong kind of value
    LRANGE s 0 1                       => -WRONGTYPE Operation against a key holding the wrong kind of value
    LTRIM s 0 1                        => -WRONGTYPE Operation against a key holding the wrong kind of value
    LSET s x v                         => -WRONGTYPE Operation against a key holding the wrong kind of value
    LREM s 0 v                         => -WRONGTYPE Operation against a key holding the wrong kind of value
    LPOS s v                           => -WRONGTYPE Operation against a key holding the wrong kind of value
    LINSERT s AFTER v v                => -WRONGTYPE Operation against a key holding the wrong kind of value
    RPUSH l a                          => :1
    GET l                              => -WRONGTYPE Operation against a key holding the wrong kind of value
    TYPE l                             => +list
  `,
};

for (const [limit, size] of [
  ["as one listpack", -2],
  ["in chunks of one element", 1],
  ["in chunks of two elements", 2],
] as const) {
  for (const [title, lines] of Object.entries(DIALOGUES)) {
    test(`${title}, ${limit}`, () => {
      const runner = new CommandRunner(COMMANDS);
      runner.keyspace.limits.listSize = size;
      converse(runner, lines);
      runner.verify();
    });
  }
}

const encodingOf = (runner: CommandRunner, key: string): string => String(runner.ask("OBJECT", "ENCODING", key));

test("a list becomes chunks when it grows too large, and a listpack when it has shrunk to half", () => {
  const runner = new CommandRunner(COMMANDS);
  runner.keyspace.limits.listSize = 10;
  for (let value = 0; value < 10; value++) runner.run("RPUSH", "l", `${value}`);
  assert.equal(encodingOf(runner, "l"), "listpack");
  runner.run("LPUSH", "l", "one too many");
  assert.equal(encodingOf(runner, "l"), "quicklist");
  runner.run("RPOP", "l", "5");
  assert.equal(encodingOf(runner, "l"), "quicklist", "six are not yet half");
  runner.run("LPOP", "l");
  assert.equal(encodingOf(runner, "l"), "listpack");
  runner.run("RPUSH", "many", ...Array.from({ length: 11 }, (_, index) => `${index}`));
  assert.equal(encodingOf(runner, "many"), "quicklist");
  runner.run("LTRIM", "many", "3", "6");
  assert.equal(encodingOf(runner, "many"), "listpack");
  runner.verify();
});

test("bytes are counted as Redis counts them, before they are added", () => {
  const runner = new CommandRunner(COMMANDS);
  runner.run("RPUSH", "l", "v".repeat(8192 - 7));
  assert.equal(encodingOf(runner, "l"), "listpack");
  runner.run("RPUSH", "m", "v".repeat(8192 - 6));
  assert.equal(encodingOf(runner, "m"), "quicklist");
  runner.run("LSET", "m", "0", "v".repeat(4096 - 7 - 3));
  assert.equal(encodingOf(runner, "m"), "quicklist", "head and back length count as well");
  runner.run("LSET", "m", "0", "v".repeat(4096 - 7 - 4));
  assert.equal(encodingOf(runner, "m"), "listpack");
  runner.run("LINSERT", "m", "AFTER", "nothing", "v".repeat(5000));
  assert.equal(encodingOf(runner, "m"), "quicklist", "made ready for an element that finds no place");
  runner.verify();
});

test("ranks that make no sense are refused", () => {
  const runner = new CommandRunner(COMMANDS);
  assert.equal(
    runner.run("LPOS", "l", "a", "RANK", "0"),
    "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
      "or use negative to start from the end of the list\r\n",
  );
  assert.equal(
    runner.run("LPOS", "l", "a", "RANK", "-9223372036854775808"),
    "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n",
  );
  assert.equal(runner.run("LPOS", "l", "a", "RANK", "-9223372036854775807"), "$-1\r\n");
});

test("a list is freed also where taking its last element out has moved it", () => {
  const runner = new CommandRunner(COMMANDS);
  const { liveBlocks } = runner.keyspace.figures();
  for (const length of [100, 3000, 7000]) {
    const element = "v".repeat(length);
    for (const command of [
      ["LREM", "l", "0", element],
      ["LPOP", "l"],
      ["LTRIM", "l", "1", "0"],
    ]) {
      runner.run("RPUSH", "l", element);
      runner.run(...command);
      runner.verify();
      assert.equal(runner.ask("EXISTS", "l"), 0);
    }
  }
  assert.equal(runner.keyspace.figures().liveBlocks, liveBlocks);
});

test("changes are counted for each element", () => {
  const runner = new CommandRunner(COMMANDS);
  const changes = (...command: string[]): number => {
    const before = runner.keyspace.changes;
    runner.run(...command);
    return runner.keyspace.changes - before;
  };
  assert.equal(changes("RPUSH", "l", "a", "b", "c"), 3);
  assert.equal(changes("LPUSH", "l", "d"), 1);
  assert.equal(changes("LMOVE", "l", "m", "LEFT", "LEFT"), 1);
  assert.equal(changes("LMOVE", "l", "l", "LEFT", "LEFT"), 1);
  assert.equal(changes("LMOVE", "l", "l", "LEFT", "RIGHT"), 1);
  assert.equal(changes("LMOVE", "m", "l", "LEFT", "LEFT"), 1);
  assert.equal(changes("LINSERT", "l", "AFTER", "a", "x"), 1);
  assert.equal(changes("LSET", "l", "0", "y"), 1);
  assert.equal(changes("LREM", "l", "0", "nothing"), 0);
  assert.equal(changes("LREM", "l", "0", "x"), 1);
  assert.equal(changes("LTRIM", "l", "0", "-1"), 0);
  assert.equal(changes("LTRIM", "l", "1", "-2"), 2);
  assert.equal(changes("LPOP", "l", "10"), 2);
  assert.equal(changes("LPOP", "l"), 0);
});
