/**
 * The fast path and the engine are the same: the same random calls to two stores of the same seed and clock, in one by
 * the methods that take the fast path, in the other by name, give the same replies, data and counters.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareWays, type Handle, openStore, type Step } from "../testing/two-ways.ts";

const key = fc.constantFrom("a", "key:000000000001", "", "k2", "ключ", "naïve", "x".repeat(64), "y".repeat(65));
const text = fc.oneof(
  fc.constantFrom("", "0", "41", "-9", "9223372036854775806", "9007199254740991", "007", "é€𝄞", "\ud800"),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.nat(2000).map((length) => "v".repeat(length)),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ name: fc.constant("SET"), args: fc.tuple(key, text) }) },
  { weight: 6, arbitrary: fc.record({ name: fc.constantFrom("GET", "INCR"), args: fc.tuple(key) }) },
  { weight: 1, arbitrary: fc.record({ name: fc.constantFrom("DEL", "PERSIST"), args: fc.tuple(key) }) },
  {
    weight: 1,
    arbitrary: fc.record({ name: fc.constant("PEXPIRE"), args: fc.tuple(key, fc.integer({ min: 1, max: 9 })) }),
  },
  { weight: 1, arbitrary: fc.record({ name: fc.constant("APPEND"), args: fc.tuple(key, text) }) },
  { weight: 1, arbitrary: fc.record({ name: fc.constant("SELECT"), args: fc.tuple(fc.constantFrom(0, 1)) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      name: fc.constant("CLIENT"),
      // Mostly off: while it is on, no call takes the fast way.
      args: fc.tuple(fc.constant("NO-TOUCH"), fc.constantFrom("ON", "OFF", "OFF", "OFF")),
    }),
  },
  { weight: 1, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 3000 }), ticks: fc.boolean() }) },
);

const METHODS = {
  GET: (db: Handle, name: string) => db.get(name),
  SET: (db: Handle, name: string, value: string) => db.set(name, value),
  INCR: (db: Handle, name: string) => db.incr(name),
};

test("the same replies, data and counters", async () => {
  let [spared, calls] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 400, size: "max" }), async (steps) => {
      calls += steps.length;
      spared += await compareWays(METHODS, steps, () => openStore(1024 * 1024));
    }),
    { numRuns: 60 },
  );
  assert(spared > calls / 10, `only ${spared} of ${calls} calls took the fast way`);
});

test("the same where memory is short", async () => {
  const filled = fc.record({
    name: fc.constant("SET"),
    args: fc.tuple(
      fc.nat(400).map((n) => `k${n}`),
      text,
    ),
  });
  const counted = fc.record({ name: fc.constantFrom("INCR", "GET"), args: fc.tuple(fc.nat(400).map((n) => `k${n}`)) });
  const steps = fc.array(fc.oneof({ weight: 8, arbitrary: filled }, { weight: 1, arbitrary: counted }), {
    minLength: 600,
    maxLength: 1200,
    size: "max",
  });
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (taken, isLimited) => {
      await compareWays(METHODS, taken, () =>
        isLimited ? openStore(4096 * 1024, 60_000, 1) : openStore(256 * 1024, 0, 1),
      );
    }),
    { numRuns: 12 },
  );
});

test("a fast command is timed as often as by the engine, and monitors see all", async () => {
  const { store, db } = openStore(1024 * 1024);
  const lines: string[] = [];
  for (let call = 0; call < 300; call++) db.get("k");
  const { calls, timedCalls } = store.services.statistics.of(store.services.commands.byName("GET")!.id);
  assert.deepEqual([calls, timedCalls], [300, 3]);
  const monitor = { send: (line: Buffer) => void lines.push(line.toString()) };
  store.engine.monitors.add(monitor);
  db.set("k", "1");
  db.get("k");
  db.incr("k");
  store.engine.monitors.delete(monitor);
  db.get("k");
  assert.equal(lines.length, 3);
  assert.match(lines[0]!, /\[0 embedded\] "SET" "k" "1"/);
  await store.close();
});
