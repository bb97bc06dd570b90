/**
 * Start after start, each on what a power cut has left of the one before: what one start repairs, the next ones must
 * read. Two counters are counted up in turn, so that what is missing, or there twice, is seen.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { LogMachine, MACHINE_DIRECTORY } from "../testing/log-machine.ts";
import { Random, seedOfRun } from "../testing/random.ts";

const CHAINS = 12;
const STARTS = 12;
const seed = seedOfRun();

interface Life {
  /** The disk as the next start finds it. */
  disk: FaultyFiles;
  /** Numbers that were promised to be on it when the power went. */
  durable: number;
  /** The last number that had been executed by then, or was being executed. */
  executed: number;
  cutOff: number;
}

/** Starts, writes, and loses power at some call. @param before what the life before has left */
async function live(before: Life, policy: string, random: Random): Promise<Life> {
  const { disk } = before;
  const machine = await LogMachine.start(disk, { appendonly: "yes", appendfsync: policy });
  const [odd, even] = ["odd", "even"].map((key) => Number(machine.runner.ask("GET", key) ?? 0)) as [number, number];
  const found = odd + even;
  assert.ok(odd === even || odd === even + 1, `${odd} odd ones, and ${even} even ones`);
  assert.ok(found >= before.durable, `${found} of ${before.durable} that were durable`);
  assert.ok(found <= before.executed, `${found}, and only ${before.executed} were executed`);
  const life = { disk, durable: found, executed: found, cutOff: machine.report.cutOff.length };
  // A start has synced what it read.
  let cut: Life | undefined;
  let left = random.between(1, 60);
  disk.onCall = () => {
    left -= 1;
    if (left === 0) cut = { ...life, disk: disk.crash(random) };
  };
  while (cut === undefined) {
    life.executed += 1;
    const outcome = machine.execute("INCR", life.executed % 2 === 1 ? "odd" : "even");
    assert.equal(outcome, "acknowledged");
    if (policy === "always") life.durable = life.executed;
    if (random.chance(0.05)) {
      assert.ok(await machine.durable());
      life.durable = life.executed;
    }
    if (random.chance(0.03)) {
      assert.ok(await machine.rewrite());
      life.durable = life.executed;
    }
  }
  disk.onCall = undefined;
  await machine.close();
  return cut;
}

for (const policy of ["always", "everysec"]) {
  test(`restart after restart under ${policy}`, async (context) => {
    context.diagnostic(`seed ${seed}`);
    let [cutOff, highest] = [0, 0];
    for (let chain = 0; chain < CHAINS; chain += 1) {
      const random = new Random(seed, chain);
      let life: Life = { disk: new FaultyFiles([MACHINE_DIRECTORY]), durable: 0, executed: 0, cutOff: 0 };
      for (let count = 0; count < STARTS; count += 1) {
        life = await live(life, policy, random).catch((error: Error) => {
          throw new Error(`seed ${seed}, chain ${chain}, start ${count}: ${error.message}`, { cause: error });
        });
        cutOff += life.cutOff;
      }
      highest = Math.max(highest, life.executed);
    }
    context.diagnostic(`${cutOff} ends were cut off, ${highest} numbers`);
    assert.ok(cutOff > 3 && highest > 50, "nothing was ever checked");
  });
}
