import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { hashCommands } from "./hashes.ts";
import { introspectionCommands } from "./introspection.ts";
import { keyCommands } from "./keys.ts";
import { listCommands } from "./lists.ts";
import { setCommands } from "./sets.ts";
import { sortCommands } from "./sort.ts";
import { sortedSetCommands } from "./sorted-sets.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [
  ...sortCommands,
  ...listCommands,
  ...setCommands,
  ...sortedSetCommands,
  ...hashCommands,
  ...stringCommands,
  ...keyCommands,
  ...introspectionCommands,
];
const NO_NUMBER = "-ERR One or more scores can't be converted into double";
const seed = seedOfRun();

function start(): CommandRunner {
  return new CommandRunner(COMMANDS);
}

test("by numbers, by bytes, a part, the other way round", () => {
  converse(
    start(),
    `
    RPUSH l 10 9 1.5 -3 100              => :5
    SORT l                               => *5 $2 -3 $3 1.5 $1 9 $2 10 $3 100
    SORT l DESC                          => *5 $3 100 $2 10 $1 9 $3 1.5 $2 -3
    SORT l ALPHA                         => *5 $2 -3 $3 1.5 $2 10 $3 100 $1 9
    SORT l alpha desc asc                => *5 $2 -3 $3 1.5 $2 10 $3 100 $1 9
    SORT l LIMIT 1 2                     => *2 $3 1.5 $1 9
    SORT l LIMIT 1 -1                    => *4 $3 1.5 $1 9 $2 10 $3 100
    SORT l LIMIT -5 1                    => *1 $2 -3
    SORT l LIMIT 5 1                     => *0
    SORT l LIMIT 0 0                     => *0
    SORT l LIMIT 0 9223372036854775807   => *5 $2 -3 $3 1.5 $1 9 $2 10 $3 100
    SORT_RO l LIMIT 0 1 DESC             => *1 $3 100
    SORT none                            => *0
    SORT none STORE x                    => :0
    RPUSH l word                         => :6
    SORT l                               => ${NO_NUMBER}
    SORT l ALPHA LIMIT 5 9               => *1 $4 word
    SET text 1                           => +OK
    SORT text                            => -WRONGTYPE Operation against a key holding the wrong kind of value
    SORT text WRONG                      => -ERR syntax error
    SORT l LIMIT 1                       => -ERR syntax error
    SORT l LIMIT x 1                     => -ERR value is not an integer or out of range
    SORT l BY                            => -ERR syntax error
    SORT l GET                           => -ERR syntax error
    SORT l STORE                         => -ERR syntax error
    SORT_RO l STORE x                    => -ERR syntax error
    `,
  );
});

test("by what other keys hold, and with what they hold", () => {
  converse(
    start(),
    `
    RPUSH l 1 2 3                        => :3
    MSET w_1 30 w_2 20 w_3 10 n_1 one n_3 three => +OK
    HSET h_1 f c g 1                     => :2
    HSET h_2 f a                         => :1
    HSET h_3 f b                         => :1
    SORT l BY w_*                        => *3 $1 3 $1 2 $1 1
    SORT l BY w_* DESC GET n_* GET #     => *6 $3 one $1 1 $-1 $1 2 $5 three $1 3
    SORT l BY h_*->f ALPHA               => *3 $1 2 $1 3 $1 1
    SORT l BY h_*->f ALPHA GET h_*->f GET h_*->none GET w_* => *9 $1 a $-1 $2 20 $1 b $-1 $2 10 $1 c $-1 $2 30
    SORT l BY h_*->f                     => ${NO_NUMBER}
    SORT l BY h_*->g                     => *3 $1 2 $1 3 $1 1
    SORT l BY n_* ALPHA                  => *3 $1 2 $1 1 $1 3
    SORT l BY none_* DESC                => *3 $1 3 $1 2 $1 1
    SORT l GET w_1                       => *3 $-1 $-1 $-1
    SORT l GET h_* GET w_*->f            => *6 $-1 $-1 $-1 $-1 $-1 $-1
    SORT l GET h_*->                     => *3 $-1 $-1 $-1
    SORT l BY nosort GET w_*             => *3 $2 30 $2 20 $2 10
    SORT l BY nosort DESC LIMIT 0 2      => *2 $1 3 $1 2
    SORT l BY nosort LIMIT 1 1           => *1 $1 2
    SORT l BY nosort BY w_*              => *3 $1 1 $1 2 $1 3
    SORT l BY w_* LIMIT 1 1 STORE s      => :1
    LRANGE s 0 -1                        => *1 $1 2
    SORT l BY w_* GET n_* GET # STORE s  => :6
    LRANGE s 0 -1                        => *6 $5 three $1 3 $0  $1 2 $3 one $1 1
    `,
  );
});

test("sets and sorted sets", () => {
  converse(
    start(),
    `
    SADD s 3 1 2                         => :3
    SORT s                               => *3 $1 1 $1 2 $1 3
    SORT s BY nosort                     => *3 $1 1 $1 2 $1 3
    SORT s BY nosort LIMIT 1 1           => *1 $1 2
    SORT s BY nosort DESC STORE d        => :3
    LRANGE d 0 -1                        => *3 $1 3 $1 2 $1 1
    SADD t 10 9 x                        => :3
    SORT t BY nosort STORE d             => :3
    LRANGE d 0 -1                        => *3 $2 10 $1 9 $1 x
    ZADD z 3 1 2 2 1 3                   => :3
    SORT z                               => *3 $1 1 $1 2 $1 3
    SORT z BY nosort                     => *3 $1 3 $1 2 $1 1
    SORT z BY nosort DESC LIMIT 1 5      => *2 $1 2 $1 3
    SORT z BY nosort LIMIT 3 5           => *0
    SORT z DESC STORE z                  => :3
    LRANGE z 0 -1                        => *3 $1 3 $1 2 $1 1
    `,
  );
});

test("numbers are read as in C, patterns and texts up to a zero byte", () => {
  const runner = start();
  const sortOf = (elements: readonly string[], ...options: string[]): string => {
    runner.run("DEL", "l");
    runner.run("RPUSH", "l", ...elements);
    return (runner.ask("SORT", "l", ...options) as string[]).join?.(" ") ?? "error";
  };
  assert.equal(sortOf(["0x10", "1e1", " 5", "+4", "-inf", "inf"]), "-inf +4  5 1e1 0x10 inf");
  assert.equal(sortOf(["1", "", "-1"]), "-1  1");
  assert.equal(sortOf(["2\0x", "1\0z"]), "1\0z 2\0x");
  for (const wrong of [" ", "1x", "nan", "1e400", "1e-400", "1e-310", "0x", "--1"]) {
    runner.run("DEL", "l");
    runner.run("RPUSH", "l", wrong);
    assert.equal(runner.run("SORT", "l"), `${NO_NUMBER}\r\n`, wrong);
  }
  // What is stored is compared as bytes, what is shown as C compares texts: the second ends where the first does.
  assert.equal(sortOf(["a\0b", "a\0a", "a"], "ALPHA"), "a\0b a\0a a");
  runner.run("SORT", "l", "ALPHA", "STORE", "d");
  assert.equal((runner.ask("LRANGE", "d", "0", "-1") as string[]).join(" "), "a a\0a a\0b");
  runner.run("SET", "w_a\0b", "found");
  assert.equal(sortOf(["a"], "BY", "nosort", "GET", "w_*\0b"), "found");
  assert.equal(sortOf(["a"], "BY", "nosort", "GET", "#\0"), "a");
});

test("the stored list has the encoding that it would have grown to", () => {
  const runner = start();
  runner.run("RPUSH", "l", ...Array.from({ length: 200 }, (_, index) => `${index}`));
  runner.run("SORT", "l", "STORE", "d");
  assert.equal(runner.run("OBJECT", "ENCODING", "d"), "$8\r\nlistpack\r\n");
  runner.keyspace.limits.listSize = 100;
  runner.run("SORT", "l", "STORE", "d");
  assert.equal(runner.run("OBJECT", "ENCODING", "d"), "$9\r\nquicklist\r\n");
  assert.equal(runner.run("LLEN", "d"), ":200\r\n");
  runner.run("SORT", "l", "LIMIT", "0", "100", "STORE", "d");
  assert.equal(runner.run("OBJECT", "ENCODING", "d"), "$8\r\nlistpack\r\n");
  runner.verify();
});

test("looking up counts hits and misses; storing counts changes, and ends a deadline", () => {
  const runner = start();
  const { keyspace } = runner;
  runner.run("RPUSH", "l", "1", "2");
  runner.run("SET", "w_1", "5");
  const { hits, misses, changes } = keyspace;
  runner.run("SORT", "l", "BY", "w_*");
  assert.deepEqual([keyspace.hits - hits, keyspace.misses - misses, keyspace.changes - changes], [2, 1, 0]);
  runner.run("SET", "d", "x", "EX", "100");
  const before = keyspace.changes;
  runner.run("SORT", "l", "STORE", "d");
  assert.equal(keyspace.changes - before, 2);
  assert.equal(runner.run("TTL", "d"), ":-1\r\n");
});

test("where the keys are among the arguments", () => {
  converse(
    start(),
    `
    COMMAND GETKEYS SORT l BY w_* STORE d                  => *2 $1 l $1 d
    COMMAND GETKEYS SORT l STORE a GET STORE LIMIT STORE b STORE c => *2 $1 l $1 c
    COMMAND GETKEYS SORT l STORE                           => *1 $1 l
    COMMAND GETKEYS SORT_RO l STORE d                      => *1 $1 l
    COMMAND GETKEYSANDFLAGS SORT l STORE d                 => *2 *2 $1 l *2 +RO +access *2 $1 d *2 +OW +update
    `,
  );
});

test("storing is done completely or, without room, not at all; no write escapes the guard", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  let refused = 0;
  for (let round = 0; round < 6; round++) {
    const runner = new CommandRunner(COMMANDS, { shards: 2, regionSize: 512 * 1024 });
    const frozen = runner.keyspace.freeze(true);
    for (let step = 0; step < 200; step++) {
      const [key, other] = [`k${random.below(14)}`, `k${random.below(14)}`];
      if (random.chance(0.4)) {
        const elements = Array.from({ length: random.pick([1, 10, 300]) }, () => random.text(random.between(1, 60)));
        runner.run("RPUSH", key, ...elements);
      }
      const before = runner.run("LRANGE", key, "0", "-1");
      if (!runner.run("SORT", other, "ALPHA", "GET", "#", "GET", "#", "STORE", key).startsWith("-OOM ")) continue;
      refused += 1;
      assert.equal(runner.run("LRANGE", key, "0", "-1"), before);
    }
    assert.equal(frozen.release().aborted, false);
    runner.verify();
  }
  assert.ok(refused > 0, "the regions were never full");
});
