/** What commands on keys of any type do with sets, however these are stored and wherever the other key lies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { databaseCommands } from "./databases.ts";
import { debugCommands } from "./debug.ts";
import { keyCommands } from "./keys.ts";
import { memoryCommands } from "./memory.ts";
import { setCommands } from "./sets.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [
  ...keyCommands,
  ...databaseCommands,
  ...debugCommands,
  ...memoryCommands,
  ...setCommands,
  ...stringCommands,
];

/** Sets of each encoding, by the members that make them so. */
const SETS: readonly [encoding: string, members: readonly string[]][] = [
  ["intset", ["1", "2", "300000"]],
  ["listpack", ["1", "b", "", "2"]],
  ["hashtable", Array.from({ length: 2000 }, (_, index) => `member:${index}`)],
];

function start(shards: number): CommandRunner {
  return new CommandRunner(COMMANDS, { shards, regionSize: 4 * 1024 * 1024, now: () => 1_700_000_000_000 });
}

function membersOf(runner: CommandRunner, key: string): string[] {
  return (runner.ask("SMEMBERS", key) as string[]).sort();
}

for (const [encoding, members] of SETS) {
  const sorted = [...members].sort();
  for (const shards of [1, 4]) {
    test(`keys that hold an ${encoding} are copied, renamed, moved and deleted, in ${shards} regions`, () => {
      const runner = start(shards);
      runner.run("SADD", "s", ...members);
      runner.run("EXPIRE", "s", "1000");
      // Enough names that some are in each region.
      for (const name of ["a", "b", "c", "d", "e", "f"]) {
        runner.run("SET", name, "to be overwritten");
        assert.equal(runner.run("COPY", "s", name), ":0\r\n");
        assert.equal(runner.run("COPY", "s", name, "REPLACE"), ":1\r\n");
        assert.deepEqual(membersOf(runner, name), sorted);
        assert.equal(runner.ask("OBJECT", "ENCODING", name), encoding);
        assert.equal(runner.run("TTL", name), ":1000\r\n");
        runner.run("SADD", name, "7");
        assert.equal(runner.run("SISMEMBER", "s", "7"), ":0\r\n");
        assert.equal(runner.run("RENAME", name, `${name}${name}`), "+OK\r\n");
        assert.equal(runner.run("RENAMENX", `${name}${name}`, "s"), ":0\r\n");
        assert.deepEqual(membersOf(runner, `${name}${name}`), [...sorted, "7"].sort());
        assert.equal(runner.run("SCARD", name), ":0\r\n");
      }
      runner.verify();
      assert.equal(runner.run("RENAME", "s", "aa"), "+OK\r\n");
      assert.deepEqual(membersOf(runner, "aa"), sorted);
      assert.equal(runner.run("MOVE", "aa", "1"), ":1\r\n");
      assert.equal(runner.run("COPY", "bb", "aa", "DB", "2"), ":1\r\n");
      assert.equal(runner.run("EXISTS", "aa"), ":0\r\n");
      runner.run("SELECT", "1");
      assert.deepEqual(membersOf(runner, "aa"), sorted);
      assert.equal(runner.run("PERSIST", "aa"), ":1\r\n");
      assert.deepEqual(membersOf(runner, "aa"), sorted);
      runner.run("SET", "aa", "string");
      runner.run("SELECT", "2");
      runner.verify();
      assert.equal(runner.run("UNLINK", "aa"), ":1\r\n");
      runner.run("SELECT", "0");
      assert.equal(runner.run("DEL", "bb", "cc", "dd", "ee", "ff"), ":5\r\n");
      runner.run("SELECT", "1");
      assert.equal(runner.run("DEL", "aa"), ":1\r\n");
      runner.verify();
    });
  }

  test(`what is told of an ${encoding}`, () => {
    const runner = start(4);
    runner.run("SADD", "s", ...members);
    runner.run("SET", "other", "x");
    assert.equal(runner.run("TYPE", "s"), "+set\r\n");
    assert.equal(runner.ask("OBJECT", "ENCODING", "s"), encoding);
    assert.equal(runner.run("OBJECT", "REFCOUNT", "s"), ":1\r\n");
    assert.equal(runner.run("OBJECT", "IDLETIME", "s"), ":0\r\n");
    assert.match(runner.run("OBJECT", "FREQ", "s"), /^-ERR An LFU maxmemory policy is not selected/);
    assert.deepEqual(runner.ask("SCAN", "0", "TYPE", "set"), ["0", ["s"]]);
    assert.deepEqual(runner.ask("SCAN", "0", "TYPE", "string"), ["0", ["other"]]);
    assert.match(runner.run("GET", "s"), /^-WRONGTYPE /);
    assert.match(runner.run("APPEND", "s", "x"), /^-WRONGTYPE /);
    assert.equal(runner.run("DEBUG", "VERIFY"), "+OK\r\n");
    const bytes = (...samples: string[]): number => Number(runner.ask("MEMORY", "USAGE", "s", ...samples));
    const all = bytes("SAMPLES", "0");
    const text = members.join("").length;
    assert(all > text && all < 100 + text * 4, `${all} for ${text}`);
    assert.equal(bytes("SAMPLES", "1000000"), all);
    assert.equal(bytes("SAMPLES", "5"), bytes());
    assert(Math.abs(bytes() - all) < all / 4, `${bytes()} of ${all}`);
  });
}

test("an intset and a listpack are flushed and made again", () => {
  const runner = start(2);
  for (const [encoding, members] of SETS) runner.run("SADD", encoding, ...members);
  runner.run("FLUSHALL");
  for (const [encoding, members] of SETS) {
    runner.run("SADD", encoding, ...members);
    assert.equal(runner.ask("OBJECT", "ENCODING", encoding), encoding);
  }
  runner.verify();
});

test("a set whose time is over is gone", () => {
  let now = 1_700_000_000_000;
  const runner = new CommandRunner(COMMANDS, { now: () => now });
  runner.run("SADD", "s", "a", "b");
  runner.run("PEXPIRE", "s", "100");
  assert.equal(runner.run("SADD", "s", "c"), ":1\r\n");
  assert.equal(runner.run("PTTL", "s"), ":100\r\n");
  now += 100;
  assert.equal(runner.run("SUNIONSTORE", "d", "s"), ":0\r\n");
  assert.equal(runner.run("SCARD", "s"), ":0\r\n");
  assert.equal(runner.run("SADD", "s", "d"), ":1\r\n");
  assert.equal(runner.run("TTL", "s"), ":-1\r\n");
  runner.verify();
});
