import assert from "node:assert/strict";
import { test } from "node:test";
import { stringCommands } from "../commands/strings.ts";
import { CommandRunner } from "../testing/commands.ts";
import { Random } from "../testing/random.ts";
import { averageTtl } from "./average-ttl.ts";

const NOW = 1_700_000_000_000;

function start(shards: number): CommandRunner {
  return new CommandRunner(stringCommands, { now: () => NOW, shards, regionSize: 8 * 2 ** 20 });
}

test("none: 0; a few keys: exact, those without a deadline aside", () => {
  const runner = start(1);
  const database = runner.keyspace.databases[0]!;
  assert.equal(averageTtl(database), 0);
  runner.run("SET", "stays", "v");
  assert.equal(averageTtl(database), 0);
  runner.run("SET", "a", "v", "PX", 1000);
  runner.run("SET", "b", "v", "PX", 4000);
  assert.equal(averageTtl(database), 2500);
  assert.equal(averageTtl(runner.keyspace.databases[1]!), 0);
  runner.verify();
});

test("many keys: an estimate, the same for any number of shards", () => {
  const seed = 20_261_121;
  for (const shards of [1, 4]) {
    const runner = start(shards);
    const random = new Random(seed, shards);
    for (let index = 0; index < 20_000; index++) {
      const key = `key:${index}`;
      if (index % 4 === 0) runner.run("SET", key, "v", "PX", 1000 + random.below(1000));
      else runner.run("SET", key, "v");
    }
    const fraction = (): number => random.below(2 ** 32) / 2 ** 32;
    const estimates = Array.from({ length: 200 }, () => averageTtl(runner.keyspace.databases[0]!, fraction));
    const mean = estimates.reduce((sum, estimate) => sum + estimate, 0) / estimates.length;
    assert(Math.abs(mean - 1500) < 20, `seed ${seed}, ${shards} shards: ${mean} ms on average`);
    // 64 draws from a uniform distribution over a second deviate by 36 ms.
    for (const estimate of estimates) assert(Math.abs(estimate - 1500) < 200, `seed ${seed}: ${estimate} ms`);
    runner.verify();
  }
});
