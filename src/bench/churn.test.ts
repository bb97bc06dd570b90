import assert from "node:assert/strict";
import { test } from "node:test";
import { Churn, DAYS, HOURS_PER_DAY } from "./churn.ts";
import { Random } from "./random.ts";

const LEVEL = 500_000;

function churn(seed: number): Churn {
  return new Churn(new Random(seed), LEVEL, 3_000, 400);
}

/** What a store would hold after the commands. */
class NaiveStore {
  readonly values = new Map<string, Map<string, number> | number[] | number>();

  run([command, key, ...words]: readonly string[]): void {
    const value = this.values.get(key as string);
    const length = (words.at(-1) ?? "").length;
    if (command === "SET") this.values.set(key as string, length);
    else if (command === "DEL") assert.ok(this.values.delete(key as string));
    else if (command === "HSET") {
      const fields = (value ?? new Map()) as Map<string, number>;
      assert.ok(!fields.has(words[0] as string));
      this.values.set(key as string, fields.set(words[0] as string, length));
    } else if (command === "RPUSH") this.values.set(key as string, [...((value ?? []) as number[]), length]);
    else {
      assert.equal(command, "LPOP");
      const items = value as number[];
      items.shift();
      if (items.length === 0) this.values.delete(key as string);
    }
  }

  bytes(): number {
    let sum = 0;
    for (const value of this.values.values()) {
      if (typeof value === "number") sum += value;
      else for (const length of value.values()) sum += length;
    }
    return sum;
  }
}

test("the history knows what its commands leave behind, and keeps to its level", () => {
  const history = churn(11);
  const store = new NaiveStore();
  for (const command of history.fill()) store.run(command);
  let deletedInBurst = 0;
  for (let hour = 0; hour < DAYS * HOURS_PER_DAY; hour += 1) {
    const before = store.values.size;
    const commands = history.hour(hour);
    for (const command of commands) store.run(command);
    assert.equal(store.values.size, history.count, `hour ${hour}`);
    assert.equal(store.bytes(), history.total, `hour ${hour}`);
    assert.ok(history.total < LEVEL * 1.1, `hour ${hour}: ${history.total} bytes`);
    if (hour % HOURS_PER_DAY === 3) deletedInBurst += (commands.length - 400) / before;
  }
  assert.ok(Math.abs(deletedInBurst / DAYS - 0.4) < 0.05, `${deletedInBurst / DAYS} of the keys go at night`);
});

test("the same seed gives the same history, another one another", () => {
  assert.deepEqual(churn(1).hour(5), churn(1).hour(5));
  assert.notDeepEqual(churn(1).hour(5), churn(2).hour(5));
});
