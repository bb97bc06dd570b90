import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { seedOfRun } from "../testing/random.ts";
import { keyCommands } from "./keys.ts";
import { sortedSetCommands } from "./sorted-sets.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...keyCommands, ...sortedSetCommands, ...stringCommands];
const REGION_SIZE = 1024 * 1024;
const KEYS = ["a", "b", "c", "d", "e"];
const seed = seedOfRun();

type Scores = Map<string, number>;
type Twin = Map<string, Scores>;
type Pair = readonly [member: string, score: number];

/** One command: its words, and what it does to the twin if there is room for it. @returns the reply that it expects */
interface Step {
  readonly words: readonly string[];
  apply(twin: Twin): unknown;
}

function step(words: readonly (string | number)[], apply: Step["apply"]): Step {
  return { words: words.map(String), apply };
}

const scoresOf = (twin: Twin, key: string): Scores => twin.get(key) ?? new Map();

/** In order. */
function pairsOf(scores: Scores): Pair[] {
  const byBytes = (left: string, right: string): number => Buffer.from(left).compare(Buffer.from(right));
  return [...scores].sort(([one, left], [other, right]) => (left === right ? byBytes(one, other) : left - right));
}

function store(twin: Twin, key: string, pairs: Iterable<Pair>): number {
  const scores = new Map(pairs);
  if (scores.size === 0) twin.delete(key);
  else twin.set(key, scores);
  return scores.size;
}

/** As replies show them. */
const flat = (pairs: readonly Pair[]): string[] => pairs.flatMap(([member, score]) => [member, String(score)]);

const keys = fc.constantFrom(...KEYS);
const score = fc.integer({ min: -400, max: 400 }).map((quarters) => quarters / 4);
const member = fc.oneof(
  fc.integer({ min: -5, max: 40 }).map(String),
  fc.nat({ max: 500 }).map((number) => `m${number}`),
  fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 20_000 })).map(([first, length]) => `${first}:`.padEnd(length, "x")),
);
const pair = fc.tuple(member, score);
const pairs = fc.oneof(
  fc.array(pair, { minLength: 1, maxLength: 4 }),
  fc.array(pair, { minLength: 1, maxLength: 200, size: "max" }),
);

const conditions: Readonly<Record<string, (present: number | undefined, score: number) => boolean>> = {
  NX: (present) => present === undefined,
  XX: (present) => present !== undefined,
  GT: (present, given) => present === undefined || given > present,
  LT: (present, given) => present === undefined || given < present,
  CH: () => true,
};
const adding = fc
  .tuple(keys, pairs, fc.constantFrom(...Object.keys(conditions)), fc.boolean())
  .map(([key, added, condition, isPlain]) => {
    const words = isPlain ? ["ZADD", key] : ["ZADD", key, condition];
    return step([...words, ...added.flatMap(([name, value]) => [value, name])], (twin) => {
      const scores = new Map(scoresOf(twin, key));
      let [news, changes] = [0, 0];
      for (const [name, value] of added) {
        const present = scores.get(name);
        if (!isPlain && !conditions[condition]!(present, value)) continue;
        if (present === undefined) news += 1;
        else if (present !== value) changes += 1;
        scores.set(name, value);
      }
      store(twin, key, scores);
      return !isPlain && condition === "CH" ? news + changes : news;
    });
  });
const incrementing = fc.tuple(keys, pair).map(([key, [name, by]]) =>
  step(["ZINCRBY", key, by, name], (twin) => {
    const scores = scoresOf(twin, key);
    const sum = (scores.get(name) ?? 0) + by;
    store(twin, key, scores.set(name, sum));
    return String(sum);
  }),
);
const removing = fc.tuple(keys, fc.array(member, { minLength: 1, maxLength: 60, size: "max" })).map(([key, gone]) =>
  step(["ZREM", key, ...gone], (twin) => {
    const scores = scoresOf(twin, key);
    const before = scores.size;
    for (const each of gone) scores.delete(each);
    return before - store(twin, key, scores);
  }),
);

/** Removes what a range has, or replies with it. */
function ranging(words: (string | number)[], key: string, isRemoved: boolean, inRange: (all: Pair[]) => Pair[]): Step {
  return step(words, (twin) => {
    const all = pairsOf(scoresOf(twin, key));
    const found = inRange(all);
    if (!isRemoved) return flat(found);
    store(
      twin,
      key,
      all.filter((each) => !found.includes(each)),
    );
    return found.length;
  });
}
const byScore = fc.tuple(keys, score, score, fc.boolean(), fc.boolean()).map(([key, low, high, isOpen, isRemoved]) => {
  const min = isOpen ? `(${low}` : low;
  const words = isRemoved ? ["ZREMRANGEBYSCORE", key, min, high] : ["ZRANGEBYSCORE", key, min, high, "WITHSCORES"];
  return ranging(words, key, isRemoved, (all) =>
    all.filter(([, value]) => (isOpen ? value > low : value >= low) && value <= high),
  );
});
const byRank = fc
  .tuple(keys, fc.integer({ min: -60, max: 60 }), fc.integer({ min: -60, max: 300 }), fc.nat({ max: 2 }))
  .map(([key, start, stop, kind]) => {
    const slice = (all: Pair[]): Pair[] => {
      const end = stop < 0 ? all.length + stop : stop;
      return all.slice(Math.max(0, start < 0 ? all.length + start : start), Math.max(0, end + 1));
    };
    if (kind === 0) return ranging(["ZREMRANGEBYRANK", key, start, stop], key, true, slice);
    if (kind === 1) return ranging(["ZRANGE", key, start, stop, "WITHSCORES"], key, false, slice);
    return ranging(["ZREVRANGE", key, start, stop, "WITHSCORES"], key, false, (all) => slice(all.reverse()));
  });
const popping = fc.tuple(keys, fc.nat({ max: 30 }), fc.boolean()).map(([key, count, isMax]) =>
  step([isMax ? "ZPOPMAX" : "ZPOPMIN", key, count], (twin) => {
    const all = pairsOf(scoresOf(twin, key));
    const popped = isMax ? all.reverse().splice(0, count) : all.splice(0, count);
    store(twin, key, all);
    return flat(popped);
  }),
);

const combine: Readonly<Record<string, (sets: Scores[]) => Iterable<Pair>>> = {
  ZUNION: (sets) => {
    const result: Scores = new Map();
    for (const set of sets) for (const [name, value] of set) result.set(name, (result.get(name) ?? 0) + value);
    return result;
  },
  ZINTER: (sets) =>
    [...sets[0]!.keys()]
      .filter((name) => sets.every((set) => set.has(name)))
      .map((name) => [name, sets.reduce((sum, set) => sum + set.get(name)!, 0)] as const),
  ZDIFF: ([first, ...others]) => [...first!].filter(([name]) => !others.some((set) => set.has(name))),
};
const operations = fc.tuple(fc.constantFrom(...Object.keys(combine)), fc.array(keys, { minLength: 1, maxLength: 4 }));
const storing = fc
  .tuple(operations, keys)
  .map(([[name, sources], key]) =>
    step([`${name}STORE`, key, sources.length, ...sources], (twin) =>
      store(twin, key, combine[name]!(sources.map((source) => scoresOf(twin, source)))),
    ),
  );
const replying = operations.map(([name, sources]) =>
  step([name, sources.length, ...sources, "WITHSCORES"], (twin) =>
    flat(pairsOf(new Map(combine[name]!(sources.map((source) => scoresOf(twin, source)))))),
  ),
);
const transferring = fc.tuple(fc.constantFrom("RENAME", "COPY", "DEL"), keys, keys).map(([name, from, to]) => {
  if (name === "DEL") return step(["DEL", from], (twin) => (twin.delete(from) ? 1 : 0));
  if (from === to) return step(["ZCARD", from], (twin) => scoresOf(twin, from).size);
  return step(name === "COPY" ? ["COPY", from, to, "REPLACE"] : ["RENAME", from, to], (twin) => {
    if (!twin.has(from)) return undefined;
    twin.set(to, new Map(twin.get(from)));
    if (name === "RENAME") twin.delete(from);
    return name === "RENAME" ? "OK" : 1;
  });
});

const steps = fc.oneof(
  { arbitrary: adding, weight: 6 },
  { arbitrary: storing, weight: 2 },
  incrementing,
  removing,
  byScore,
  byRank,
  popping,
  replying,
  transferring,
);

/** With every member its rank and its score, each found on its own. */
function verifyMembers(runner: CommandRunner, key: string, all: readonly Pair[]): void {
  for (const [rank, [name, value]] of all.entries()) {
    if (rank % 7 !== 0) continue;
    assert.equal(runner.ask("ZRANK", key, name), rank);
    assert.equal(runner.ask("ZSCORE", key, name), String(value));
    assert.deepEqual(runner.ask("ZRANGE", key, `${rank}`, `${rank}`), [name]);
  }
}

for (const shards of [1, 2]) {
  test(`every command is done completely or, without room, not at all: ${shards} regions`, (context) => {
    context.diagnostic(`seed ${seed}`);
    let refused = 0;
    const property = fc.property(
      fc.array(steps, { maxLength: 60, size: "max" }),
      fc.constantFrom(128, 10, 0),
      (sequence, entries) => {
        const runner = new CommandRunner(COMMANDS, { shards, regionSize: REGION_SIZE });
        runner.keyspace.limits.sortedSetEntries = entries;
        const twin: Twin = new Map();
        // Audited: no write of any command escapes the guard.
        const frozen = runner.keyspace.freeze(true);
        for (const { words, apply } of sequence) {
          const reply = runner.run(...words);
          if (reply.startsWith("-OOM ")) {
            refused += 1;
            continue;
          }
          const expected = apply(twin);
          if (expected !== undefined) assert.deepEqual(comparable(reply), expected, words.join(" ").slice(0, 200));
        }
        assert.equal(frozen.release().aborted, false);
        for (const key of KEYS) {
          const all = pairsOf(scoresOf(twin, key));
          assert.deepEqual(runner.ask("ZRANGE", key, "0", "-1", "WITHSCORES"), flat(all));
          verifyMembers(runner, key, all);
        }
        runner.verify();
      },
    );
    fc.assert(property, { seed, numRuns: 60 });
    assert.ok(refused > 0, "the regions were never full");
  });
}

function comparable(reply: string): unknown {
  if (reply.startsWith(":")) return Number(reply.slice(1));
  if (reply.startsWith("$")) return reply.split("\r\n")[1];
  if (!reply.startsWith("*")) return reply.slice(1, -2);
  return reply.split("\r\n").filter((_, index) => index > 0 && index % 2 === 0);
}
