import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "./random.ts";
import { TrueLru, ZipfTrace } from "./zipf-trace.ts";

test("keys come as often as their popularity says, the same ones for a seed", () => {
  const [keys, requests] = [1_000, 200_000];
  const trace = new ZipfTrace(keys, 0.99, new Random(5));
  const again = new ZipfTrace(keys, 0.99, new Random(5));
  const counts = new Array<number>(keys).fill(0);
  for (let i = 0; i < requests; i += 1) {
    const key = trace.next();
    assert.equal(key, again.next());
    counts[key] = (counts[key] ?? 0) + 1;
  }
  const weights = counts.map((_, i) => (i + 1) ** -0.99);
  const sum = weights.reduce((a, b) => a + b);
  for (const key of [0, 1, 9, 99]) {
    const expected = ((weights[key] as number) / sum) * requests;
    const deviation = Math.abs((counts[key] as number) - expected) / Math.sqrt(expected);
    assert.ok(deviation < 4, `key ${key}: ${counts[key]} of ${expected}`);
  }
  const best = weights.slice(0, 100).reduce((a, b) => a + b) / sum;
  assert.ok(Math.abs(trace.best(100) - best) < 1e-9);
  assert.ok(Math.abs(trace.best(keys) - 1) < 1e-9);
});

test("the true LRU holds what a plain list of keys in the order of their use holds", () => {
  const [keys, capacity, seed] = [40, 12, 3];
  const random = new Random(seed);
  const lru = new TrueLru(capacity, keys);
  const order: number[] = []; // the key used longest ago comes first
  for (let i = 0; i < 20_000; i += 1) {
    const key = random.below(keys);
    const isHeld = order.includes(key);
    if (random.below(2) === 0) {
      assert.equal(lru.get(key), isHeld, `seed ${seed}, step ${i}`);
      if (!isHeld) continue;
    } else lru.set(key);
    if (isHeld) order.splice(order.indexOf(key), 1);
    else if (order.length === capacity) order.shift();
    order.push(key);
  }
  assert.equal(order.length, capacity);
  for (let key = 0; key < keys; key += 1) assert.equal(lru.get(key), order.includes(key));
});
