/** A frozen collection shows what was there at the freeze, in every encoding, whatever becomes of it meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { allCommands } from "../commands/all-commands.ts";
import { ENCODING_NAMES } from "../structures/collection.ts";
import { CommandRunner } from "../testing/commands.ts";
import { seedOfRun } from "../testing/random.ts";
import { HASH, LIST, SET, SORTED_SET } from "./entry.ts";
import type { FrozenCollection } from "./frozen-collection.ts";
import { FrozenKeyspace } from "./frozen-keyspace.ts";
import { digestOf } from "./live-digest.ts";

const seed = seedOfRun();
const FUTURE = 4_000_000_000_000;

/** Limits that make every collection as small as can be, of middling size, or as Redis would have it. */
const limits = fc.constantFrom(
  { entries: 0, value: 0, listSize: 2 },
  { entries: 8, value: 20, listSize: -1 },
  undefined,
);
const piece = fc.oneof(
  fc.constantFrom("", "0", "-1", "127", "128", "4095", "-4097", "8388607", "-2147483649", "9223372036854775807"),
  fc.integer({ min: -70_000, max: 70_000 }).map(String),
  fc.integer({ min: 0, max: 20 }).map(String),
  fc.string({ unit: "binary-ascii", maxLength: 30 }),
  fc.tuple(fc.constantFrom(63, 64, 70, 1023, 1025, 4095, 4096, 20_000), fc.constantFrom("x", "\xff")).map(([n, c]) => {
    return c.repeat(n);
  }),
);
const integer = fc.integer({ min: -40_000, max: 40_000 }).map(String);
const pieces = fc.oneof(
  fc.array(piece, { minLength: 1, maxLength: 30, size: "max" }),
  fc.array(integer, { minLength: 1, maxLength: 700, size: "max" }),
  fc.array(piece, { minLength: 1, maxLength: 300, size: "max" }),
);
const score = fc.oneof(
  fc.constantFrom(0, 1, 1, 1, 3.5, -2.25, 1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  fc.integer({ min: -1000, max: 1000 }),
  fc.double({ noNaN: true }).map((value) => value + 0),
);

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");
const textOf = (value: number): string => {
  return Number.isFinite(value) ? String(value) : value > 0 ? "inf" : "-inf";
};

type Seen = readonly (readonly [element: string, ...more: (string | number)[]])[];

/** All that a frozen collection shows. */
function read(collection: FrozenCollection): Seen {
  const seen: [string, ...(string | number)[]][] = [];
  const { type } = collection;
  if (type === LIST) collection.forEachItem((item) => void seen.push([item.toLatin1()]));
  else if (type === SET) collection.forEachMember((member) => void seen.push([member.toLatin1()]));
  else if (type === HASH) {
    collection.forEachField((field, value, deadline) => {
      seen.push([field.toLatin1(), value.toLatin1(), deadline]);
    });
  } else collection.forEachScored((member, found) => void seen.push([member.toLatin1(), found]));
  assert.equal(collection.count, seen.length);
  return seen;
}

const byBytes = (left: readonly unknown[], right: readonly unknown[]): number => {
  return Buffer.compare(bytesOf(String(left[0])), bytesOf(String(right[0])));
};

/** The elements of one key of each type, as `read` shows them, sets and hashes sorted. */
class Twin {
  readonly list: string[];
  readonly set: ReadonlySet<string>;
  readonly hash = new Map<string, [value: string, deadline: number]>();
  readonly scores = new Map<string, number>();

  constructor(items: readonly string[], scores: readonly number[]) {
    this.list = [...items];
    this.set = new Set(items);
    for (const [index, item] of items.entries()) {
      this.hash.set(item, [items[items.length - 1 - index]!, index % 3 === 0 ? FUTURE + index : 0]);
      this.scores.set(item, scores[index % scores.length]!);
    }
  }

  write(runner: CommandRunner): void {
    runner.run("RPUSH", "list", ...this.list.map(bytesOf));
    runner.run("SADD", "set", ...[...this.set].map(bytesOf));
    runner.run("HSET", "hash", ...[...this.hash].flatMap(([field, [value]]) => [bytesOf(field), bytesOf(value)]));
    for (const [field, [, deadline]] of this.hash) {
      if (deadline > 0) runner.run("HPEXPIREAT", "hash", String(deadline), "FIELDS", "1", bytesOf(field));
    }
    runner.run("ZADD", "zset", ...[...this.scores].flatMap(([member, value]) => [textOf(value), bytesOf(member)]));
  }

  expected(type: number): Seen {
    if (type === LIST) return this.list.map((item) => [item]);
    if (type === SET) return [...this.set].map((member): [string] => [member]).sort(byBytes);
    if (type === HASH)
      return [...this.hash].map(([field, more]): [string, string, number] => [field, ...more]).sort(byBytes);
    return [...this.scores].sort((left, right) => {
      if (left[1] === right[1]) return byBytes(left, right);
      return left[1] < right[1] ? -1 : 1;
    });
  }
}

/** Changes, converts and removes all of them. */
function overturn(runner: CommandRunner, choice: number): void {
  const more = Array.from({ length: 600 }, (_, index) => `more ${index}`);
  if (choice === 0) {
    runner.keyspace.flushAll();
  } else if (choice === 1) {
    runner.run("DEL", "list", "set", "hash", "zset");
  } else {
    runner.run("LTRIM", "list", "1", "-2");
    runner.run("SPOP", "set", "5");
    runner.run("ZPOPMIN", "zset", "3");
  }
  runner.run("LPUSH", "list", ...more);
  runner.run("SADD", "set", ...more);
  runner.run("HSET", "hash", ...more);
  runner.run("ZADD", "zset", ...more.flatMap((member, index) => [String(index / 8), member]));
}

test("every type in every encoding is read as it was", (context) => {
  context.diagnostic(`seed ${seed}`);
  const encodings = new Set<string>();
  const property = fc.property(
    limits,
    pieces,
    fc.array(score, { minLength: 1 }),
    fc.nat(2),
    (limit, items, scores, choice) => {
      const runner = new CommandRunner(allCommands, { databases: 1, regionSize: 8 * 1024 * 1024 });
      const { keyspace } = runner;
      if (limit !== undefined) {
        Object.assign(keyspace.limits, {
          hashEntries: limit.entries,
          hashValue: limit.value,
          listSize: limit.listSize,
          setIntsetEntries: limit.entries * 4,
          setListpackEntries: limit.entries,
          setListpackValue: limit.value,
          sortedSetEntries: limit.entries,
          sortedSetValue: limit.value,
        });
      }
      const twin = new Twin(items, scores);
      twin.write(runner);
      const digest = digestOf(keyspace.databases[0]!);
      const view = keyspace.freeze(true);
      overturn(runner, choice);
      const [database] = new FrozenKeyspace(view.regions, view.databases).databases;
      const types = new Set<number>();
      database!.forEach(({ type, encoding, collection }) => {
        const seen = [...read(collection)];
        if (type === SET || type === HASH) seen.sort(byBytes);
        assert.deepEqual(seen, twin.expected(type), `type ${type}, ${ENCODING_NAMES[encoding]}`);
        types.add(type);
        encodings.add(`${type} ${ENCODING_NAMES[encoding]}`);
      });
      assert.deepEqual(types, new Set([LIST, SET, SORTED_SET, HASH]));
      assert.equal(database!.digest(), digest);
      assert.equal(view.release().aborted, false);
      runner.verify();
    },
  );
  // Chance leaves an encoding out now and then: some more, until all have come.
  for (let round = 0; round < 10 && !isComplete(encodings); round++) {
    fc.assert(property, { seed: seed + round, numRuns: 60 });
  }
  assert.ok(isComplete(encodings), [...encodings].sort().join());
});

/** Whether every encoding was seen that a collection here can have; a hash without any deadline need not come. */
function isComplete(encodings: ReadonlySet<string>): boolean {
  const all = [
    [LIST, "listpack"],
    [LIST, "quicklist"],
    [SET, "intset"],
    [SET, "listpack"],
    [SET, "hashtable"],
  ];
  all.push([SORTED_SET, "listpack"], [SORTED_SET, "skiplist"], [HASH, "listpackex"], [HASH, "hashtable"]);
  return all.every((names) => encodings.has(names.join(" ")));
}

test("a digest does not depend on encodings, nor on an order that is chance; on that of a list it does", () => {
  const digest = (entries: number, ...commands: readonly string[]): string => {
    const runner = new CommandRunner(allCommands, { databases: 1 });
    const { limits: own } = runner.keyspace;
    Object.assign(own, { hashEntries: entries, setListpackEntries: entries, sortedSetEntries: entries });
    Object.assign(own, { setIntsetEntries: entries, listSize: entries === 0 ? 1 : 128 });
    for (const command of commands) runner.run(...(command.split(" ") as [string]));
    runner.verify();
    return digestOf(runner.keyspace.databases[0]!);
  };
  const groups: string[][][] = [
    [["SADD s 1 2 3"], ["SADD s 3 1", "SADD s 2 x", "SREM s x"]],
    [["SADD s 1 2 4"]],
    [["HSET h a 1 b 2"], ["HSET h b 2 a 1"], ["HSET h b 2 a 7", "HINCRBY h a -6"]],
    [["HSET h a 2 b 1"]],
    [["HSET h a 1 b 2", `HPEXPIREAT h ${FUTURE} FIELDS 1 a`]],
    [["HSET h a 1 b 2", `HPEXPIREAT h ${FUTURE} FIELDS 1 b`]],
    [["ZADD z 1 a 2 b 0 c"], ["ZADD z 0.5 b 1 a 1.5 c", "ZINCRBY z 1.5 b", "ZADD z -0.0 c"]],
    [["ZADD z 1 a 2 b 0.5 c"]],
    [["RPUSH l a b c"], ["LPUSH l c b a"]],
    [["RPUSH l b a c"]],
    [["SADD l a b c"]],
    [["HSET l a b"]],
    [["RPUSH l a b"]],
  ];
  const digests = groups.map((group) =>
    group.flatMap((commands) => [0, 128].map((entries) => digest(entries, ...commands))),
  );
  for (const same of digests) assert.equal(new Set(same).size, 1, JSON.stringify(same));
  assert.equal(new Set(digests.flat()).size, groups.length);
});
