import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { seedOfRun } from "../testing/random.ts";
import { keyCommands } from "./keys.ts";
import { setCommands } from "./sets.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...keyCommands, ...setCommands, ...stringCommands];
const REGION_SIZE = 1024 * 1024;
const KEYS = ["a", "b", "c", "d", "e", "f"];
const seed = seedOfRun();

type Twin = Map<string, Set<string>>;

/** One command: its words, and what it does to the twin if there is room for it. @returns the reply that it expects */
interface Step {
  readonly words: readonly string[];
  apply(twin: Twin, reply: string): unknown;
}

function step(words: readonly string[], apply: Step["apply"]): Step {
  return { words, apply };
}

function store(twin: Twin, key: string, members: Iterable<string>): number {
  const set = new Set(members);
  if (set.size === 0) twin.delete(key);
  else twin.set(key, set);
  return set.size;
}

const setOf = (twin: Twin, key: string): Set<string> => twin.get(key) ?? new Set();

const keys = fc.constantFrom(...KEYS);
const member = fc.oneof(
  fc.integer({ min: -5, max: 40 }).map(String),
  fc.nat({ max: 500 }).map((number) => `m${number}`),
  fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20_000 })).map(([first, length]) => `${first}:`.padEnd(length, "x")),
);
const members = fc.oneof(
  fc.array(member, { minLength: 1, maxLength: 4 }),
  fc.array(member, { minLength: 1, maxLength: 150, size: "max" }),
);

const adding = fc.tuple(keys, members).map(([key, added]) =>
  step(["SADD", key, ...added], (twin) => {
    const before = setOf(twin, key).size;
    return store(twin, key, [...setOf(twin, key), ...added]) - before;
  }),
);
const removing = fc.tuple(keys, members).map(([key, removed]) =>
  step(["SREM", key, ...removed], (twin) => {
    const set = setOf(twin, key);
    const before = set.size;
    for (const each of removed) set.delete(each);
    return before - store(twin, key, set);
  }),
);
const moving = fc.tuple(keys, keys, member).map(([from, to, moved]) =>
  step(["SMOVE", from, to, moved], (twin) => {
    const source = setOf(twin, from);
    if (!source.delete(moved)) return 0;
    store(twin, from, source);
    store(twin, to, [...setOf(twin, to), moved]);
    return 1;
  }),
);

const combine: Record<string, (sets: Set<string>[]) => Iterable<string>> = {
  SUNION: (sets) => sets.flatMap((set) => [...set]),
  SINTER: ([first, ...others]) => [...first!].filter((each) => others.every((set) => set.has(each))),
  SDIFF: ([first, ...others]) => [...first!].filter((each) => !others.some((set) => set.has(each))),
};
const operations = fc.tuple(fc.constantFrom(...Object.keys(combine)), fc.array(keys, { minLength: 1, maxLength: 5 }));

const storing = fc
  .tuple(operations, keys)
  .map(([[name, sources], key]) =>
    step([`${name}STORE`, key, ...sources], (twin) =>
      store(twin, key, combine[name]!(sources.map((source) => setOf(twin, source)))),
    ),
  );
const replying = operations.map(([name, sources]) =>
  step([name, ...sources], (twin) => [...new Set(combine[name]!(sources.map((source) => setOf(twin, source))))].sort()),
);
const popping = fc.tuple(keys, fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 500 }))).map(([key, count]) =>
  step(["SPOP", key, `${count}`], (twin, reply) => {
    const set = setOf(twin, key);
    const popped = reply.split("\r\n").filter((_, index) => index > 0 && index % 2 === 0);
    assert.equal(popped.length, Math.min(count, set.size));
    for (const each of popped) assert(set.delete(each));
    store(twin, key, set);
    return popped.sort();
  }),
);
const transferring = fc.tuple(fc.constantFrom("RENAME", "COPY", "DEL"), keys, keys).map(([name, from, to]) => {
  if (name === "DEL") return step(["DEL", from], (twin) => (twin.delete(from) ? 1 : 0));
  if (from === to) return step(["SCARD", from], (twin) => setOf(twin, from).size);
  return step(name === "COPY" ? ["COPY", from, to, "REPLACE"] : ["RENAME", from, to], (twin, reply) => {
    if (!twin.has(from)) return undefined;
    twin.set(to, new Set(twin.get(from)));
    if (name === "RENAME") twin.delete(from);
    return reply.startsWith("+") ? "OK" : 1;
  });
});

const steps = fc.oneof(
  { arbitrary: adding, weight: 5 },
  { arbitrary: removing, weight: 2 },
  { arbitrary: storing, weight: 2 },
  moving,
  replying,
  popping,
  transferring,
);

/** The reply as the twin gives it: sets are sorted. */
function comparable(reply: string): unknown {
  if (reply.startsWith(":")) return Number(reply.slice(1));
  if (!reply.startsWith("*")) return reply.slice(1, -2);
  return reply
    .split("\r\n")
    .filter((_, index) => index > 0 && index % 2 === 0)
    .sort();
}

const stored: readonly [intsetEntries: number, listpackEntries: number][] = [
  [512, 128],
  [3, 5],
  [0, 0],
];

for (const shards of [1, 2]) {
  test(`every command is done completely or, without room, not at all: ${shards} regions`, (context) => {
    context.diagnostic(`seed ${seed}`);
    let refused = 0;
    const property = fc.property(
      fc.array(steps, { maxLength: 60, size: "max" }),
      fc.constantFrom(...stored),
      (sequence, [intsetEntries, listpackEntries]) => {
        const runner = new CommandRunner(COMMANDS, { shards, regionSize: REGION_SIZE });
        runner.keyspace.limits.setIntsetEntries = intsetEntries;
        runner.keyspace.limits.setListpackEntries = listpackEntries;
        const twin: Twin = new Map();
        // Audited: no write of any command escapes the guard.
        const frozen = runner.keyspace.freeze(true);
        for (const { words, apply } of sequence) {
          const reply = runner.run(...words);
          if (reply.startsWith("-OOM ")) {
            refused += 1;
            continue;
          }
          const expected = apply(twin, reply);
          if (expected !== undefined) assert.deepEqual(comparable(reply), expected, words.join(" ").slice(0, 300));
        }
        for (const key of KEYS) {
          assert.deepEqual(comparable(runner.run("SMEMBERS", key)), [...setOf(twin, key)].sort());
        }
        assert.equal(frozen.release().aborted, false);
        runner.verify();
      },
    );
    fc.assert(property, { seed, numRuns: 50 });
    assert.ok(refused > 0, "the regions were never full");
  });
}
