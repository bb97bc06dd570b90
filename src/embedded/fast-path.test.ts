/**
 * The fast path and the engine are the same: the same random calls to two stores of the same seed and clock, in one by
 * the methods that take the fast path, in the other by name, give the same replies, data and counters.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Configuration } from "../config/configuration.ts";
import { Store } from "../engine/store.ts";
import type { ArgumentValue } from "./argument-writer.ts";
import { Core } from "./core.ts";
import { ServerMethods } from "./server-methods.ts";

class Handle extends ServerMethods {}

const COUNTED = ["GET", "SET", "INCR"];
const START = 1_700_000_000_000;

interface Opened {
  readonly store: Store;
  readonly db: Handle;
  now: number;
}

function openStore(regionSize: number, memoryLimit = 0, shards = 2): Opened {
  const opened: { now: number; store?: Store; db?: Handle } = { now: START };
  opened.store = new Store(new Configuration(), () => opened.now, { shards, regionSize, seed: [1, 2] });
  opened.store.engine.memory.bytes = memoryLimit;
  opened.db = new Handle(new Core(opened.store), 0);
  return opened as Opened;
}

type Step =
  | { readonly name: string; readonly args: readonly ArgumentValue[] }
  | { readonly wait: number; readonly ticks: boolean };

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
      args: fc.constantFrom(["NO-TOUCH", "ON"], ["NO-TOUCH", "OFF"]),
    }),
  },
  { weight: 1, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 3000 }), ticks: fc.boolean() }) },
);

function byMethod(db: Handle, name: string, args: readonly ArgumentValue[]): unknown {
  const [first, second] = args as readonly [string, string];
  if (name === "GET") return db.get(first);
  if (name === "SET") return db.set(first, second);
  return name === "INCR" ? db.incr(first) : db.call(name, ...args);
}

function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return String(error);
  }
}

function take(opened: Opened, taken: Step, call: (name: string, args: readonly ArgumentValue[]) => unknown): unknown {
  if ("name" in taken) return outcome(() => call(taken.name, taken.args));
  opened.now += taken.wait;
  // Without an end to its time: what a slice gets done within a millisecond is not the same twice.
  if (taken.ticks) opened.store.tick(Number.POSITIVE_INFINITY);
  return undefined;
}

/** All that a client could ask about the data, and the counters. */
function stateOf({ store, db }: Opened): unknown {
  const { keyspace, services } = store;
  const keys = [0, 1].map((database) => {
    db.select(database);
    return db
      .keysBuffer("*")
      .map((name) => [
        name.toString("latin1"),
        db.object("ENCODING", name),
        db.object("IDLETIME", name),
        db.pexpiretime(name),
        db.getBuffer(name)?.toString("latin1"),
      ]);
  });
  const counts = COUNTED.map((name) => {
    const { calls, failedCalls, rejectedCalls } = services.statistics.of(services.commands.byName(name)!.id);
    return { name, calls, failedCalls, rejectedCalls };
  });
  const { hits, misses, changes, expiredKeys, usedBytes } = keyspace;
  const { totalCommands, totalErrors, errors } = services.statistics;
  return { keys, counts, hits, misses, changes, expiredKeys, usedBytes, totalCommands, totalErrors, errors };
}

function compare(steps: readonly Step[], open: () => Opened): void {
  const [fast, slow] = [open(), open()];
  for (const taken of steps) {
    const mine = take(fast, taken, (name, args) => byMethod(fast.db, name, args));
    const theirs = take(slow, taken, (name, args) => slow.db.call(name, ...args));
    assert.deepEqual(mine, theirs, JSON.stringify(taken));
    assert.equal(fast.store.services.statistics.totalCommands, slow.store.services.statistics.totalCommands);
  }
  assert.deepEqual(stateOf(fast), stateOf(slow));
  for (const { store } of [fast, slow]) {
    store.keyspace.verify();
    void store.close();
  }
}

test("the same replies, data and counters", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 400, size: "max" }), (steps) => {
      compare(steps, () => openStore(1024 * 1024));
    }),
    { numRuns: 60 },
  );
});

test("the same where memory is short", () => {
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
  fc.assert(
    fc.property(steps, fc.boolean(), (taken, isLimited) => {
      compare(taken, () => (isLimited ? openStore(4096 * 1024, 60_000, 1) : openStore(256 * 1024, 0, 1)));
    }),
    { numRuns: 12 },
  );
});

test("a fast command is timed as often as by the engine, and monitors see all", () => {
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
  void store.close();
});
