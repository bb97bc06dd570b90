import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { sortedSetCommands } from "./sorted-sets.ts";

/**
 * Asserts that counts are those of uniform choices. The sum has as many degrees of freedom as members less one; six
 * standard deviations above its mean are exceeded once in many millions of runs.
 */
function assertUniform(counts: readonly number[], expected: number, what: string): void {
  const sum = counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  assert(sum < freedom + 6 * Math.sqrt(2 * freedom) + 6, `${what}: ${sum} for ${freedom} degrees of freedom`);
}

for (const entries of [1000, 0]) {
  for (const size of [60, 200]) {
    test(`every member is as likely as another: ${size}, ${entries === 0 ? "skiplist" : "listpack"}`, () => {
      const runner = new CommandRunner(sortedSetCommands);
      runner.keyspace.limits.sortedSetEntries = entries;
      // Scores and members that are anything but evenly spread.
      const scored = Array.from({ length: size }, (_, index) => [`${(index % 7) ** 5}`, `${index}`]).flat();
      runner.run("ZADD", "z", ...scored);
      for (const count of [undefined, 1, 5, size - 5, -size]) {
        // Each member is expected to be drawn ten times at least.
        const rounds = Math.ceil((size * 10) / Math.abs(count ?? 1)) + 100;
        const counts = new Array<number>(size).fill(0);
        for (let round = 0; round < rounds; round++) {
          const drawn = [runner.ask("ZRANDMEMBER", "z", ...(count === undefined ? [] : [`${count}`]))].flat();
          assert.equal(drawn.length, Math.abs(count ?? 1));
          if (count !== undefined && count > 0) assert.equal(new Set(drawn).size, count);
          for (const member of drawn) counts[Number(member)]! += 1;
        }
        assertUniform(counts, (rounds * Math.abs(count ?? 1)) / size, `ZRANDMEMBER ${count}`);
      }
    });
  }
}

test("all members at once come with their scores, none twice", () => {
  for (const entries of [1000, 0]) {
    const runner = new CommandRunner(sortedSetCommands);
    runner.keyspace.limits.sortedSetEntries = entries;
    runner.run("ZADD", "z", ...Array.from({ length: 300 }, (_, index) => [`${index * 2}`, `${index}`]).flat());
    for (const count of [300, 299, 150, 2]) {
      const reply = runner.ask("ZRANDMEMBER", "z", `${count}`, "WITHSCORES") as string[];
      assert.equal(reply.length, count * 2);
      const members = reply.filter((_, index) => index % 2 === 0);
      assert.equal(new Set(members).size, count);
      for (const [index, member] of members.entries()) assert.equal(Number(reply[index * 2 + 1]), Number(member) * 2);
    }
  }
});

test("a walk finds every member that stays, while others come and go", () => {
  for (const entries of [10_000, 0]) {
    const runner = new CommandRunner(sortedSetCommands);
    runner.keyspace.limits.sortedSetEntries = entries;
    for (let index = 0; index < 500; index++)
      runner.run("ZADD", "z", `${index}`, `stays:${index}`, "1", `goes:${index}`);
    const found = new Map<string, string>();
    let [cursor, step] = ["0", 0];
    do {
      const [next, elements] = runner.ask("ZSCAN", "z", cursor, "COUNT", "7") as [string, string[]];
      for (let index = 0; index < elements.length; index += 2) found.set(elements[index]!, elements[index + 1]!);
      cursor = next;
      if (step < 100) {
        for (let index = step * 5; index < step * 5 + 5; index++) runner.run("ZREM", "z", `goes:${index}`);
        for (let index = 0; index < 20; index++) runner.run("ZADD", "z", "2", `new:${step}:${index}`);
      }
      step += 1;
    } while (cursor !== "0");
    for (let index = 0; index < 500; index++) assert.equal(found.get(`stays:${index}`), `${index}`);
    assert(entries > 0 || step > 20, `${step} calls`);
  }
});
