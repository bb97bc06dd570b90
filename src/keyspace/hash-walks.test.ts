import assert from "node:assert/strict";
import { test } from "node:test";
import { Slice } from "../base/bytes.ts";
import { hashCommands } from "../commands/hashes.ts";
import { keyCommands } from "../commands/keys.ts";
import { CommandRunner } from "../testing/commands.ts";
import { chiSquared } from "../testing/freeze-dictionary.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { chooseFields, drawFields } from "./hash-walks.ts";
import { readName } from "./hashes.ts";
import type { Key } from "./key.ts";

const FIELDS = 60;
const DRAWS = 12_000;
const seed = seedOfRun();
const name = new Slice();

/** A hash of 60 fields, named f0 … f59. */
function hash(entries: number, dated: boolean): { runner: CommandRunner; key: Key } {
  const runner = new CommandRunner([...hashCommands, ...keyCommands], { regionSize: 1024 * 1024 });
  runner.keyspace.limits.hashEntries = entries;
  for (let index = 0; index < FIELDS; index++) runner.run("HSET", "h", `f${index}`, `${index}`);
  if (dated) runner.run("HEXPIRE", "h", "1000", "FIELDS", "2", "f3", "f40");
  const { key } = runner.keyspace.databases[0]!;
  key.locate(runner.keyspace.databases[0]!, Buffer.from("h"), 0, 1);
  return { runner, key };
}

function assertUniform(counts: ReadonlyMap<string, number>, what: string): void {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const deviation = chiSquared([...counts.values()], FIELDS, total / FIELDS);
  assert(deviation < FIELDS + 5 * Math.sqrt(2 * FIELDS), `${what}: chi-squared is ${deviation}`);
}

for (const [encoding, entries, dated] of [
  ["listpack", 512, false],
  ["listpackex", 512, true],
  ["hashtable", 0, false],
] as const) {
  test(`fields are drawn and chosen with equal probability: ${encoding}`, (context) => {
    context.diagnostic(`seed ${seed}`);
    const { runner, key } = hash(entries, dated);
    assert.equal(runner.ask("OBJECT", "ENCODING", "h"), encoding);
    const generator = new Random(seed);
    const random = (): number => generator.below(2 ** 30) / 2 ** 30;
    const counted = (counts: Map<string, number>, at: number): void => {
      const field = readName(key, at, name).toLatin1();
      counts.set(field, (counts.get(field) ?? 0) + 1);
    };
    const drawn = new Map<string, number>();
    for (let draw = 0; draw < DRAWS / 4; draw++) drawFields(key, 1, random, (at) => counted(drawn, at));
    drawFields(key, DRAWS, random, (at) => counted(drawn, at));
    assertUniform(drawn, "drawn");
    // Few, some, most: the ways of choosing differ.
    for (const count of [3, 15, 30, 57]) {
      const chosen = new Map<string, number>();
      for (let draw = 0; draw < DRAWS; draw += count) {
        const positions = chooseFields(key, count, random);
        assert.equal(new Set(positions).size, count);
        for (const at of positions) counted(chosen, at);
      }
      assertUniform(chosen, `${count} chosen`);
    }
    assert.equal(new Set(chooseFields(key, FIELDS, random)).size, FIELDS);
    assert.equal(chooseFields(key, 1000, random).length, FIELDS);
    assert.equal(chooseFields(key, 0, random).length, 0);
    runner.verify();
  });

  test(`HRANDFIELD replies with so many fields, different ones or any: ${encoding}`, () => {
    const { runner } = hash(entries, dated);
    for (const count of [0, 1, 7, 25, 59, 60, 100]) {
      const fields = runner.ask("HRANDFIELD", "h", count) as string[];
      assert.equal(new Set(fields).size, Math.min(count, FIELDS));
      const pairs = runner.ask("HRANDFIELD", "h", count, "WITHVALUES") as string[];
      assert.equal(pairs.length, 2 * Math.min(count, FIELDS));
      for (let index = 0; index < pairs.length; index += 2) assert.equal(pairs[index], `f${pairs[index + 1]!}`);
      assert.equal((runner.ask("HRANDFIELD", "h", -count) as string[]).length, count);
      assert.equal((runner.ask("HRANDFIELD", "h", -count, "withvalues") as string[]).length, 2 * count);
    }
    assert.equal(runner.ask("HEXISTS", "h", runner.ask("HRANDFIELD", "h") as string), 1);
    assert.equal(runner.ask("HRANDFIELD", "nokey"), null);
    assert.deepEqual(runner.ask("HRANDFIELD", "nokey", "-3"), []);
  });
}

test("what a hash uses is counted exactly, or estimated from some of its fields", () => {
  const { runner } = hash(0, false);
  const { heap } = runner.keyspace.shards[0]!;
  for (let index = 0; index < 2000; index++) runner.run("HSET", "h", `field:${index}`, "v".repeat(index % 50));
  const { key } = runner.keyspace.databases[0]!;
  key.locate(runner.keyspace.databases[0]!, Buffer.from("h"), 0, 1);
  const before = heap.usedBytes;
  const exact = key.memoryUsage();
  const estimated = key.memoryUsage(5);
  assert(estimated > exact * 0.6 && estimated < exact * 1.4, `${estimated} for ${exact}`);
  key.remove();
  // What is left beside the hash is the key's place in the table of keys, which goes as well with the last key.
  assert(before - heap.usedBytes >= exact && before - heap.usedBytes < exact + 1024);
  runner.verify();
});
