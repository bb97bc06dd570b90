import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { seedOfRun } from "../testing/random.ts";
import { keyCommands } from "./keys.ts";
import { setCommands } from "./sets.ts";

const COMMANDS = [...keyCommands, ...setCommands];
const seed = seedOfRun();

function start(intsetEntries: number, listpackEntries: number): CommandRunner {
  const runner = new CommandRunner(COMMANDS);
  runner.keyspace.limits.setIntsetEntries = intsetEntries;
  runner.keyspace.limits.setListpackEntries = listpackEntries;
  return runner;
}

function numbers(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${first + index}`);
}

/** Walks through "s", calling `between` after each call. @returns what came, as often as it came */
function walk(runner: CommandRunner, options: readonly string[], between: () => void = () => undefined): string[] {
  const found: string[] = [];
  let cursor = "0";
  do {
    const [next, page] = runner.ask("SSCAN", "s", cursor, ...options) as [string, string[]];
    found.push(...page);
    cursor = String(next);
    between();
  } while (cursor !== "0");
  return found;
}

test("a walk shows every member once while nothing changes", () => {
  for (const [intsetEntries, listpackEntries] of [
    [5000, 0],
    [0, 5000],
    [0, 0],
  ] as const) {
    const runner = start(intsetEntries, listpackEntries);
    runner.run("SADD", "s", ...numbers(0, 2000));
    for (const options of [[], ["COUNT", "1"], ["COUNT", "100"], ["COUNT", "9223372036854775807"], ["MATCH", "*"]]) {
      assert.deepEqual(walk(runner, options).sort(), numbers(0, 2000).sort());
    }
    assert.deepEqual(walk(runner, ["MATCH", "17?", "COUNT", "30"]).sort(), numbers(170, 10));
    assert.deepEqual(walk(runner, ["MATCH", "x", "MATCH", "1234"]), ["1234"]);
  }
});

test("small sets come at once, large ones in pages", () => {
  const small = start(512, 128);
  small.run("SADD", "s", ...numbers(0, 512));
  assert.deepEqual(small.ask("SSCAN", "s", "0", "COUNT", "1"), ["0", numbers(0, 512)]);
  assert.deepEqual(small.ask("SSCAN", "s", "77"), ["0", numbers(0, 512)]);
  const large = start(0, 0);
  large.run("SADD", "s", ...numbers(0, 512));
  const [cursor, page] = large.ask("SSCAN", "s", "0") as [string, string[]];
  assert.notEqual(cursor, "0");
  assert(page.length >= 10 && page.length < 30);
  assert.deepEqual(large.ask("SSCAN", "s", "18446744073709551615"), ["0", []]);
});

test("options and what is wrong with them", () => {
  const runner = start(0, 0);
  runner.run("SADD", "s", "a");
  const cases: [options: string, reply: string][] = [
    ["0 COUNT", "-ERR syntax error\r\n"],
    ["0 COUNT 0", "-ERR syntax error\r\n"],
    ["0 COUNT x", "-ERR value is not an integer or out of range\r\n"],
    ["0 TYPE set", "-ERR syntax error\r\n"],
    ["0 MATCH", "-ERR syntax error\r\n"],
    ["x FOO", "-ERR invalid cursor\r\n"],
    ["0 match A count 5", "*2\r\n$1\r\n0\r\n*0\r\n"],
  ];
  for (const [options, reply] of cases) assert.equal(runner.run("SSCAN", "s", ...options.split(" ")), reply, options);
});

/** What happens after a call: the set grows, shrinks, is made small, or is another one of the same members. */
const change = fc.oneof(
  fc.nat({ max: 3000 }).map((count) => ["grow", count] as const),
  fc.nat({ max: 3000 }).map((count) => ["shrink", count] as const),
  fc.constant(["remake", 0] as const),
  fc.constant(["nothing", 0] as const),
);

test("a walk shows every member that is there from its first call to its last, whatever else happens", (context) => {
  context.diagnostic(`seed ${seed}`);
  const property = fc.property(
    fc.integer({ min: 1, max: 150 }),
    fc.nat({ max: 3000 }),
    fc.array(change, { minLength: 1, maxLength: 12 }),
    fc.constantFrom("1", "10", "100"),
    fc.constantFrom(0, 100),
    (stays, goes, changes, count, listpackEntries) => {
      const runner = start(0, listpackEntries);
      runner.run("SADD", "s", ...numbers(0, stays));
      if (goes > 0) runner.run("SADD", "s", ...numbers(10_000, goes));
      let step = 0;
      const found = walk(runner, ["COUNT", count], () => {
        const [what, amount] = changes[step] ?? ["nothing", 0];
        step += 1;
        const others = numbers(10_000, amount);
        if (what === "grow") runner.run("SADD", "s", ...others, "10000");
        else if (what === "shrink") runner.run("SREM", "s", ...numbers(10_000 + 3000 - amount, amount), "10000");
        else if (what === "remake") {
          runner.run("DEL", "s");
          runner.run("SADD", "s", ...numbers(0, stays));
        }
      });
      const shown = new Set(found);
      for (const member of numbers(0, stays)) assert(shown.has(member), `${member} was missed`);
      runner.verify();
    },
  );
  fc.assert(property, { seed, numRuns: 40 });
});
