import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { keyCommands } from "./keys.ts";
import { setCommands } from "./sets.ts";

const COMMANDS = [...keyCommands, ...setCommands];

/** How sets are stored: by the limits of small encodings, for members that are numbers. */
const STORED: readonly [encoding: string, intsetEntries: number, listpackEntries: number][] = [
  ["intset", 100_000, 0],
  ["listpack", 0, 100_000],
  ["hashtable", 0, 0],
];

function start(intsetEntries: number, listpackEntries: number): CommandRunner {
  const runner = new CommandRunner(COMMANDS, { regionSize: 64 * 1024 * 1024 });
  runner.keyspace.limits.setIntsetEntries = intsetEntries;
  runner.keyspace.limits.setListpackEntries = listpackEntries;
  return runner;
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index}`);
}

/**
 * Asserts that counts are those of uniform choices. The sum has as many degrees of freedom as members less one; six
 * standard deviations above its mean are exceeded once in many millions of runs.
 */
function assertUniform(counts: readonly number[], expected: number, what: string): void {
  const sum = counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  assert(sum < freedom + 6 * Math.sqrt(2 * freedom) + 6, `${what}: ${sum} for ${freedom} degrees of freedom`);
}

for (const [encoding, intsetEntries, listpackEntries] of STORED) {
  test(`every member is as likely as another: ${encoding}`, () => {
    const size = 60;
    const rounds = 120;
    const runner = start(intsetEntries, listpackEntries);
    runner.run("SADD", "s", ...numbers(size));
    assert.equal(runner.ask("OBJECT", "ENCODING", "s"), encoding);
    const drawing: [name: string, draw: () => readonly string[], each: number][] = [
      ["SRANDMEMBER", () => Array.from({ length: size }, () => runner.ask("SRANDMEMBER", "s") as string), size],
      ["SRANDMEMBER of few", () => runner.ask("SRANDMEMBER", "s", "5") as string[], 5],
      ["SRANDMEMBER of most", () => runner.ask("SRANDMEMBER", "s", "55") as string[], 55],
      ["SRANDMEMBER with repetition", () => runner.ask("SRANDMEMBER", "s", `-${size}`) as string[], size],
      ["SPOP", () => Array.from({ length: 10 }, () => runner.ask("SPOP", "s") as string), 10],
      ["SPOP of few", () => runner.ask("SPOP", "s", "5") as string[], 5],
      ["SPOP of most", () => runner.ask("SPOP", "s", "55") as string[], 55],
    ];
    for (const [name, draw, each] of drawing) {
      const counts = new Array<number>(size).fill(0);
      for (let round = 0; round < rounds; round++) {
        const drawn = draw();
        assert.equal(drawn.length, each);
        if (!name.endsWith("repetition") && each < size) assert.equal(new Set(drawn).size, each);
        for (const text of drawn) counts[Number(text)]! += 1;
        runner.run("SADD", "s", ...drawn);
      }
      assert.equal(runner.run("SCARD", "s"), `:${size}\r\n`);
      assertUniform(counts, (rounds * each) / size, `${encoding}, ${name}`);
    }
    runner.verify();
  });

  test(`a large set gives the whole of it: ${encoding}`, () => {
    const runner = start(intsetEntries, listpackEntries);
    runner.run("SADD", "s", ...numbers(1000));
    const all = numbers(1000).sort();
    assert.deepEqual((runner.ask("SRANDMEMBER", "s", "1000") as string[]).sort(), all);
    assert.deepEqual((runner.ask("SRANDMEMBER", "s", "9223372036854775807") as string[]).sort(), all);
    for (const count of [1, 3, 500, 995]) {
      const popped = runner.ask("SPOP", "s", count) as string[];
      const left = runner.ask("SMEMBERS", "s") as string[];
      assert.equal(popped.length, count);
      assert.deepEqual([...popped, ...left].sort(), all);
      runner.verify();
      runner.run("SADD", "s", ...popped);
    }
    assert.deepEqual((runner.ask("SPOP", "s", "1000") as string[]).sort(), all);
    assert.equal(runner.run("EXISTS", "s"), ":0\r\n");
    runner.verify();
  });
}

test("what little SPOP leaves of a table is a listpack, as in Redis", () => {
  const runner = start(0, 0);
  runner.run("SADD", "s", ...numbers(1000));
  runner.run("EXPIRE", "s", "100");
  runner.keyspace.limits.setListpackEntries = 100;
  runner.run("SPOP", "s", "10");
  assert.equal(runner.ask("OBJECT", "ENCODING", "s"), "hashtable");
  runner.run("SPOP", "s", "840");
  assert.equal(runner.ask("OBJECT", "ENCODING", "s"), "hashtable");
  runner.run("SPOP", "s", "130");
  assert.equal(runner.ask("OBJECT", "ENCODING", "s"), "listpack");
  assert.equal(runner.run("SCARD", "s"), ":20\r\n");
  assert.equal(runner.run("TTL", "s"), ":100\r\n");
  runner.verify();
});

test("popping nearly all of a large set takes no more for each than popping few", () => {
  const runner = start(0, 0);
  const size = 40_000;
  const time = (count: number): number => {
    const members = numbers(size);
    for (let at = 0; at < size; at += 1000) runner.run("SADD", "s", ...members.slice(at, at + 1000));
    const began = performance.now();
    assert.equal((runner.ask("SPOP", "s", count) as string[]).length, count);
    return (performance.now() - began) / count;
  };
  time(1000);
  const few = time(4000);
  const most = time(size - 300);
  assert(most < few * 20, `${most} and ${few} ms each`);
  runner.verify();
});

test("a count that no reply could hold is refused", () => {
  const runner = start(0, 0);
  runner.run("SADD", "s", "a", "b");
  assert.equal(runner.run("SRANDMEMBER", "s", "-9223372036854775807"), "-ERR value is out of range\r\n");
  assert.equal((runner.ask("SRANDMEMBER", "s", "-1000") as string[]).length, 1000);
});
