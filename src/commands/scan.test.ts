import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { databaseCommands } from "./databases.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const commands = [...keyCommands, ...databaseCommands, ...stringCommands];

function start(shards: number, now?: () => number): CommandRunner {
  const clock = now === undefined ? {} : { now };
  return new CommandRunner(commands, { shards, regionSize: 4 * 1024 * 1024, ...clock });
}

/** The keys of a whole walk, sorted, each once. */
function walk(runner: CommandRunner, ...options: (string | number)[]): string[] {
  const found = new Set<string>();
  let cursor = "0";
  do {
    const [next, keys] = runner.ask("SCAN", cursor, ...options) as [string | number, string[]];
    for (const key of keys) found.add(key);
    cursor = String(next);
  } while (cursor !== "0");
  return [...found].sort();
}

for (const shards of [1, 4]) {
  test(`a walk shows all keys that match, with ${shards} shards`, () => {
    const runner = start(shards);
    const names = Array.from({ length: 1500 }, (_, index) => `key:${index}`).sort();
    for (const name of names) runner.run("SET", name, "x");
    runner.run("SET", "", "empty");
    assert.deepEqual(walk(runner), ["", ...names]);
    assert.deepEqual(walk(runner, "MATCH", "*", "COUNT", 1), ["", ...names]);
    assert.deepEqual(walk(runner, "COUNT", "9223372036854775807"), ["", ...names]);
    assert.deepEqual(
      walk(runner, "MATCH", "key:12?", "COUNT", 100),
      names.filter((name) => /^key:12.$/.test(name)),
    );
    assert.deepEqual(walk(runner, "MATCH", "?*"), names);
    assert.deepEqual(walk(runner, "MATCH", "x", "MATCH", "key:7"), ["key:7"]);
    assert.deepEqual(walk(runner, "TYPE", "String"), ["", ...names]);
    assert.deepEqual(walk(runner, "TYPE", "hash"), []);
    assert.deepEqual(walk(runner, "TYPE", "nothing"), []);
    assert.deepEqual((runner.ask("KEYS", "*") as string[]).sort(), ["", ...names]);
    assert.deepEqual(
      (runner.ask("KEYS", "*99") as string[]).sort(),
      names.filter((name) => name.endsWith("99")),
    );
    runner.verify();
  });
}

test("a pattern without wildcards is looked up", () => {
  const runner = start(4);
  for (let index = 0; index < 1000; index++) runner.run("SET", `key:${index}`, "x");
  runner.run("SET", "", "empty");
  converse(
    runner,
    `
    SCAN 0 MATCH key:5            => *2 $1 0 *1 $5 key:5
    SCAN 0 MATCH key:5 TYPE list  => *2 $1 0 *0
    SCAN 0 MATCH nokey COUNT 1    => *2 $1 0 *0
    SCAN 0 MATCH ''               => *2 $1 0 *1 $0
    KEYS key:5                    => *1 $5 key:5
    KEYS nokey                    => *0
    KEYS ''                       => *1 $0
    KEYS \\k\\e\\y:5              => *1 $5 key:5
    `,
  );
});

test("expired keys are not found", () => {
  let now = 1_000_000;
  const runner = start(1, () => now);
  runner.run("SET", "a", "x", "PX", "100");
  runner.run("SET", "b", "x");
  now += 100;
  converse(
    runner,
    `
    KEYS *          => *1 $1 b
    SCAN 0 COUNT 99 => *2 $1 0 *1 $1 b
    RANDOMKEY       => $1 b
    DBSIZE          => :1
    `,
  );
  runner.run("SET", "b", "x", "PX", "100");
  now += 100;
  assert.equal(runner.run("RANDOMKEY"), "$-1\r\n");
  assert.equal(runner.run("SCAN", "0"), "*2\r\n$1\r\n0\r\n*0\r\n");
  runner.verify();
});

test("cursors are read as Redis reads them", () => {
  const runner = start(1);
  converse(
    runner,
    `
    SCAN ''                     => *2 $1 0 *0
    SCAN -1                     => *2 $1 0 *0
    SCAN +0                     => *2 $1 0 *0
    SCAN 00                     => *2 $1 0 *0
    SCAN 18446744073709551615   => *2 $1 0 *0
    SCAN 18446744073709551616   => -ERR invalid cursor
    SCAN -18446744073709551616  => -ERR invalid cursor
    SCAN abc FOO                => -ERR invalid cursor
    SCAN 0x10                   => -ERR invalid cursor
    SCAN 1.0                    => -ERR invalid cursor
    SCAN -                      => -ERR invalid cursor
    SCAN 0 COUNT 0              => -ERR syntax error
    SCAN 0 COUNT x FOO          => -ERR value is not an integer or out of range
    SCAN 0 COUNT                => -ERR syntax error
    SCAN 0 FOO 1                => -ERR syntax error
    SCAN                        => -ERR wrong number of arguments for 'scan' command
    `,
  );
  assert.equal(runner.run("SCAN", " 0"), "-ERR invalid cursor\r\n");
  assert.equal(runner.run("SCAN", "0 "), "-ERR invalid cursor\r\n");
  assert.equal(runner.run("SCAN", "9".repeat(1_000_000)), "-ERR invalid cursor\r\n");
});

/** What happens between two calls of a walk. */
interface Turn {
  readonly inserted: number;
  readonly deleted: number;
  /** Delete the newest of the passing keys rather than the oldest. */
  readonly newest: boolean;
  readonly count: number;
}

const turn: fc.Arbitrary<Turn> = fc.record({
  inserted: fc.oneof(fc.nat(5), fc.nat(1500)),
  deleted: fc.oneof(fc.nat(5), fc.nat(3000)),
  newest: fc.boolean(),
  count: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 600 })),
});

for (const shards of [1, 4]) {
  test(`a key that is there from start to end of a walk is seen, with ${shards} shards`, () => {
    const seed = seedOfRun();
    let segmentsMax = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.nat(4000),
        fc.array(turn, { maxLength: 30 }),
        (kept, first, turns) => {
          const runner = start(shards);
          const passing: string[] = [];
          let made = 0;
          const insert = (): void => {
            passing.push(`passing:${made++}`);
            runner.run("SET", passing.at(-1)!, "");
          };
          for (let index = 0; index < kept; index++) runner.run("SET", `kept:${index}`, "");
          for (let index = 0; index < first; index++) insert();
          const missing = new Set(Array.from({ length: kept }, (_, index) => `kept:${index}`));
          let cursor = "0";
          for (let call = 0; call === 0 || cursor !== "0"; call++) {
            const { inserted, deleted, newest, count } = turns[call] ?? {
              inserted: 0,
              deleted: 0,
              newest: true,
              count: 500,
            };
            const [next, keys] = runner.ask("SCAN", cursor, "COUNT", count) as [string | number, string[]];
            cursor = String(next);
            for (const key of keys) missing.delete(key);
            for (let index = 0; index < inserted; index++) insert();
            segmentsMax = Math.max(segmentsMax, runner.keyspace.shards[0]!.dictionaries[0]!.segments);
            const gone = newest ? passing.splice(-deleted || passing.length) : passing.splice(0, deleted);
            if (gone.length > 0) runner.run("DEL", ...gone);
          }
          assert.deepEqual([...missing], []);
          runner.verify();
        },
      ),
      { seed, numRuns: 60 },
    );
    assert.ok(
      segmentsMax >= (shards === 1 ? 8 : 2),
      `the table had ${segmentsMax} segments at the most (seed ${seed})`,
    );
  });

  test(`RANDOMKEY chooses all keys with the same probability, with ${shards} shards`, () => {
    const runner = new CommandRunner(commands, { shards, regionSize: 4 * 1024 * 1024, seed: [11, 22] });
    // Deleting most of many keys leaves segments of unequal depth and load.
    for (let index = 0; index < 6000; index++) runner.run("SET", `key:${index}`, "");
    for (let index = 1000; index < 6000; index++) runner.run("DEL", `key:${index}`);
    const random = new Random(20_240_229);
    const draws = new Map<string, number>();
    const expected = 60;
    for (let draw = 0; draw < 1000 * expected; draw++) {
      const name = runner.keyspace.databases[0]!.sample(() => random.below(2 ** 32) / 2 ** 32)!.toLatin1();
      draws.set(name, (draws.get(name) ?? 0) + 1);
    }
    assert.equal(draws.size, 1000);
    const chiSquared = [...draws.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 999 degrees of freedom: mean 999, standard deviation 44.7; four of them on either side.
    assert.ok(Math.abs(chiSquared - 999) < 4 * 44.7, `chi squared is ${chiSquared}`);
  });
}
