import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { seedOfRun } from "../testing/random.ts";
import { hashCommands } from "./hashes.ts";
import { keyCommands } from "./keys.ts";

const COMMANDS = [...hashCommands, ...keyCommands];
const REGION_SIZE = 2 * 1024 * 1024;
const KEYS = ["h", "i", "j"];
const seed = seedOfRun();

type Hash = Map<string, string>;
type Twin = Map<string, Hash>;

/** One command: its words, and what it does to the twin if there is room for it. */
interface Step {
  readonly words: readonly string[];
  apply(twin: Twin): void;
}

const keys = fc.constantFrom(...KEYS);
const names = fc.oneof(
  fc.nat({ max: 30 }).map((number) => `f${number}`),
  fc.nat({ max: 30 }).map((number) => `${number}`),
  fc.nat({ max: 100 }).map((length) => "n".repeat(length)),
);
const values = fc.oneof(
  fc.integer().map((number) => `${number}`),
  fc.nat({ max: 70 }).map((length) => "v".repeat(length)),
  fc.nat({ max: 4000 }).map((length) => "w".repeat(length)),
  fc.nat({ max: 90_000 }).map((length) => "x".repeat(length)),
);

function step(words: readonly string[], apply: Step["apply"]): Step {
  return { words, apply };
}

const setters = fc
  .tuple(fc.constantFrom("HSET", "HMSET"), keys, fc.array(fc.tuple(names, values), { minLength: 1, maxLength: 6 }))
  .map(([name, key, pairs]) =>
    step([name, key, ...pairs.flat()], (twin) => {
      const hash: Hash = twin.get(key) ?? new Map();
      for (const [field, value] of pairs) hash.set(field, value);
      twin.set(key, hash);
    }),
  );

const careful = fc.tuple(keys, names, values).map(([key, field, value]) =>
  step(["HSETNX", key, field, value], (twin) => {
    const hash: Hash = twin.get(key) ?? new Map();
    if (!hash.has(field)) hash.set(field, value);
    twin.set(key, hash);
  }),
);

const removers = fc.tuple(keys, fc.array(names, { minLength: 1, maxLength: 8 })).map(([key, fields]) =>
  step(["HDEL", key, ...fields], (twin) => {
    for (const field of fields) twin.get(key)?.delete(field);
    if (twin.get(key)?.size === 0) twin.delete(key);
  }),
);

/** Deadlines far away: they change how a field is stored, not what it is. */
const daters = fc
  .tuple(fc.constantFrom(["HEXPIRE", "100000"], ["HPERSIST"]), keys, fc.array(names, { minLength: 1, maxLength: 4 }))
  .map(([[name, ...time], key, fields]) =>
    step([name!, key, ...time, "FIELDS", `${fields.length}`, ...fields], () => undefined),
  );

const others = fc.oneof(
  fc.tuple(keys, keys).map(([from, to]) =>
    step(["COPY", from, to, "REPLACE"], (twin) => {
      const hash = twin.get(from);
      if (hash !== undefined && from !== to) twin.set(to, new Map(hash));
    }),
  ),
  keys.map((key) => step(["DEL", key], (twin) => twin.delete(key))),
);

const steps = fc.oneof(
  { weight: 5, arbitrary: setters },
  { weight: 2, arbitrary: careful },
  { weight: 3, arbitrary: removers },
  { weight: 2, arbitrary: daters },
  { weight: 1, arbitrary: others },
);

function contents(runner: CommandRunner, key: string): Hash | undefined {
  const flat = runner.ask("HGETALL", key) as string[];
  if (flat.length === 0) return undefined;
  return new Map(Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!]));
}

for (const shards of [1, 2]) {
  test(`every command is done completely or, without room, not at all: ${shards} regions`, (context) => {
    context.diagnostic(`seed ${seed}`);
    let refused = 0;
    const property = fc.property(
      fc.array(steps, { maxLength: 80, size: "max" }),
      fc.constantFrom(0, 1, 4, 512),
      fc.constantFrom(4, 64, 100_000),
      (sequence, entries, length) => {
        const runner = new CommandRunner(COMMANDS, { shards, regionSize: REGION_SIZE });
        runner.keyspace.limits.hashEntries = entries;
        runner.keyspace.limits.hashValue = length;
        const twin: Twin = new Map();
        // Audited: no write of any command escapes the guard.
        const frozen = runner.keyspace.freeze(true);
        for (const { words, apply } of sequence) {
          const { changes } = runner.keyspace;
          if (!runner.run(...words).startsWith("-OOM ")) {
            apply(twin);
            continue;
          }
          refused += 1;
          assert.equal(runner.keyspace.changes, changes);
          const key = words[1]!;
          assert.deepEqual(contents(runner, key), twin.get(key));
        }
        for (const key of KEYS) assert.deepEqual(contents(runner, key), twin.get(key));
        assert.equal(frozen.release().aborted, false);
        runner.verify();
      },
    );
    fc.assert(property, { seed, numRuns: 60 });
    assert.ok(refused > 0, "the regions were never full");
  });
}
