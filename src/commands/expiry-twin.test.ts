/**
 * Deadlines of keys and of fields against a naive twin with the same clock: any history of commands, rounds of expiry
 * in slices, and a clock that runs, leaps and is set back.
 *
 * What has expired is gone for whoever asks, with two exceptions. The clock must not bring it back: before it is set
 * back, everything is looked at once, so that both sides have lost the same. And, as in Redis, a hash of which all
 * fields have expired is a key until somebody looks at a field or a round comes by: so such a hash is looked at, too,
 * before a command for which it would matter.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { cloned, DATABASES, type Field, type Hash, START, type Step, Twin } from "../testing/expiry-twin.ts";
import { seedOfRun } from "../testing/random.ts";
import { databaseCommands } from "./databases.ts";
import { dumpCommands } from "./dump.ts";
import { expireCommands } from "./expire.ts";
import { hashCommands } from "./hashes.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const commands = [
  ...new Set([keyCommands, expireCommands, databaseCommands, stringCommands, hashCommands, dumpCommands].flat()),
];
const HOUR = 3_600_000;
const YEAR = 8766 * HOUR;
const MANY = 200;
const OK = "+OK\r\n";

/** A step for which a hash without fields would matter. */
function keyed(step: fc.Arbitrary<Step>): fc.Arbitrary<Step> {
  return step.map((take) => (twin, runner) => {
    twin.lookAtEmptied(runner);
    take(twin, runner);
  });
}

const NAMES = ["a", "b", "c", "a longer key that is no word long", ..."defghijk"];
const name = fc.constantFrom(...NAMES);
const database = fc.nat(DATABASES - 1);
const fieldName = fc.nat(MANY - 1).map((index) => `f${index}`);
const lifetime = fc.oneof(
  fc.integer({ min: -20, max: 3000 }),
  fc.integer({ min: 1, max: 60_000 }),
  fc.integer({ min: 1, max: 50 * HOUR }),
  fc.integer({ min: 1, max: 30 }).map((years) => years * YEAR),
);
const fields = fc.oneof(
  fc.array(fieldName, { minLength: 1, maxLength: 4 }).map((names) => [...new Set(names)]),
  fc.constant(Array.from({ length: MANY }, (_, index) => `f${index}`)),
);

const set = fc.tuple(name, fc.nat(3000), fc.option(lifetime, { nil: undefined })).map(
  ([key, size, life]): Step =>
    (twin, runner) => {
      const value = "x".repeat(size);
      const lives = life === undefined || life > 0;
      const command = life === undefined ? ["SET", key, value] : ["SET", key, value, "PX", `${life}`];
      const reply = runner.run(...command);
      assert.equal(reply, lives ? OK : "-ERR invalid expire time in 'set' command\r\n");
      if (lives) twin.current.set(key, { value, deadline: life === undefined ? undefined : twin.now + life });
    },
);

const count = fc.tuple(name, lifetime).map(
  ([key, life]): Step =>
    (twin, runner) => {
      const value = `${Math.abs(life)}`;
      runner.run("SET", key, value, "PXAT", twin.now + Math.abs(life) + 1);
      twin.current.set(key, { value, deadline: twin.now + Math.abs(life) + 1 });
    },
);

const expire = fc.tuple(name, lifetime).map(
  ([key, life]): Step =>
    (twin, runner) => {
      const found = twin.current.get(key);
      assert.equal(runner.ask("PEXPIRE", key, life), found === undefined ? 0 : 1);
      if (found !== undefined && life > 0) twin.current.set(key, { value: found.value, deadline: twin.now + life });
      else twin.current.delete(key);
    },
);

const persist = name.map(
  (key): Step =>
    (twin, runner) => {
      const found = twin.current.get(key);
      assert.equal(runner.ask("PERSIST", key), found?.deadline === undefined ? 0 : 1);
      if (found !== undefined) twin.current.set(key, { value: found.value, deadline: undefined });
    },
);

const remove = name.map(
  (key): Step =>
    (twin, runner) => {
      assert.equal(runner.ask("DEL", key), twin.current.delete(key) ? 1 : 0);
    },
);

const setFields = fc.tuple(name, fields, fc.nat(100)).map(
  ([key, names, size]): Step =>
    (twin, runner) => {
      const reply = runner.run("HSET", key, ...names.flatMap((each) => [each, "v".repeat(size)]));
      if (typeof twin.current.get(key)?.value === "string") {
        assert.match(reply, /^-WRONGTYPE/);
        return;
      }
      const entry = twin.current.get(key) ?? { value: new Map<string, Field>(), deadline: undefined };
      for (const each of names) (entry.value as Hash).set(each, { value: "v".repeat(size), deadline: undefined });
      twin.current.set(key, entry);
    },
);

/** The same deadline for all, or a few milliseconds between one and the next. */
const expireFields = fc.tuple(name, fields, lifetime, fc.constantFrom(0, 1, 97)).map(
  ([key, names, life, distance]): Step =>
    (twin, runner) => {
      const groups = distance === 0 ? [names] : names.map((each) => [each]);
      for (const [index, group] of groups.entries()) {
        const hash = twin.hash(key);
        const deadline = twin.now + life + index * distance;
        const reply = runner.ask("HPEXPIREAT", key, deadline, "FIELDS", group.length, ...group);
        if (hash === undefined) continue;
        const codes = group.map((each) => (hash.has(each) ? (twin.isOver(deadline) ? 2 : 1) : -2));
        assert.deepEqual(reply, codes);
        for (const each of group) {
          const found = hash.get(each);
          if (found !== undefined) hash.set(each, { value: found.value, deadline });
        }
        for (const [each, field] of hash) if (twin.isOver(field.deadline)) hash.delete(each);
        twin.removeIfEmpty(key);
      }
    },
);

const persistFields = fc.tuple(name, fields).map(
  ([key, names]): Step =>
    (twin, runner) => {
      runner.run("HPERSIST", key, "FIELDS", names.length, ...names);
      const hash = twin.hash(key);
      for (const each of names) {
        const found = hash?.get(each);
        if (found !== undefined) hash!.set(each, { value: found.value, deadline: undefined });
      }
    },
);

const removeFields = fc.tuple(name, fields).map(
  ([key, names]): Step =>
    (twin, runner) => {
      runner.run("HDEL", key, ...names);
      const hash = twin.hash(key);
      for (const each of names) hash?.delete(each);
      twin.removeIfEmpty(key);
    },
);

const rename = fc.tuple(name, name).map(
  ([from, to]): Step =>
    (twin, runner) => {
      const found = twin.current.get(from);
      assert.equal(runner.run("RENAME", from, to), found === undefined ? "-ERR no such key\r\n" : OK);
      if (found === undefined) return;
      twin.current.delete(from);
      twin.current.set(to, found);
    },
);

const copy = fc.tuple(name, name, database).map(
  ([from, to, number]): Step =>
    (twin, runner) => {
      const target = twin.databases[number]!;
      if (target === twin.current && from === to) return;
      const found = twin.current.get(from);
      assert.equal(runner.ask("COPY", from, to, "DB", number, "REPLACE"), found === undefined ? 0 : 1);
      if (found !== undefined) target.set(to, cloned(found));
    },
);

const move = fc.tuple(name, database).map(
  ([key, number]): Step =>
    (twin, runner) => {
      const target = twin.databases[number]!;
      if (target === twin.current) return;
      const found = twin.current.get(key);
      const isDone = found !== undefined && !target.has(key);
      assert.equal(runner.ask("MOVE", key, number), isDone ? 1 : 0);
      if (!isDone) return;
      target.set(key, found);
      twin.current.delete(key);
    },
);

const restore = fc.tuple(name, name, fc.nat(5000)).map(
  ([from, to, life]): Step =>
    (twin, runner) => {
      const found = twin.current.get(from);
      if (found === undefined) return;
      const dump = runner.run("DUMP", from);
      const payload = Buffer.from(dump.slice(dump.indexOf("\r\n") + 2, -2), "latin1");
      assert.equal(runner.run("RESTORE", to, life, payload, "REPLACE"), OK);
      const { value } = cloned(found);
      twin.current.set(to, { value, deadline: life === 0 ? undefined : twin.now + life });
    },
);

const select = database.map(
  (number): Step =>
    (twin, runner) => {
      runner.run("SELECT", number);
      twin.selected = number;
    },
);

const swap: Step = (twin, runner) => {
  runner.run("SWAPDB", 0, 1);
  twin.databases.reverse();
};

const flush = fc.boolean().map(
  (all): Step =>
    (twin, runner) => {
      runner.run(all ? "FLUSHALL" : "FLUSHDB");
      for (const each of all ? twin.databases : [twin.current]) each.clear();
    },
);

/** A round of expiry: in slices of a batch, of which some are left for later. */
const round = fc.integer({ min: 1, max: 12 }).map(
  (slices): Step =>
    (_twin, runner) => {
      for (let slice = 0; slice < slices && runner.keyspace.expireDue(0); slice++);
    },
);

/** All of what is due goes, a tick later. */
const rounds: Step = (twin, runner) => {
  twin.now += 128;
  twin.settle();
  while (runner.keyspace.expireDue(1000));
  const counts = runner.keyspace.databases.map(({ count }) => count);
  const known = twin.databases.map(({ size }) => size);
  // What ends within the tick that is passing may still be there, or be gone.
  for (const [index, count] of counts.entries()) assert(count >= known[index]!);
  twin.now += 128;
  twin.settle();
  while (runner.keyspace.expireDue(1000));
  for (const [index, { count }] of runner.keyspace.databases.entries()) assert(count <= known[index]!);
};

const pass = lifetime.map(
  (milliseconds): Step =>
    (twin) => {
      twin.now += Math.abs(milliseconds);
      twin.settle();
    },
);

const back = lifetime.map(
  (milliseconds): Step =>
    (twin, runner) => {
      for (let index = 0; index < DATABASES; index++) {
        runner.run("SELECT", index);
        for (const key of NAMES) runner.run("HGETALL", key);
      }
      runner.run("SELECT", twin.selected);
      twin.now = Math.max(START - 20 * YEAR, twin.now - Math.abs(milliseconds));
    },
);

const step = fc.oneof(
  { weight: 14, arbitrary: keyed(set) },
  { weight: 8, arbitrary: keyed(count) },
  { weight: 12, arbitrary: keyed(expire) },
  { weight: 5, arbitrary: keyed(persist) },
  { weight: 4, arbitrary: keyed(remove) },
  { weight: 16, arbitrary: keyed(setFields) },
  { weight: 16, arbitrary: keyed(expireFields) },
  { weight: 3, arbitrary: keyed(persistFields) },
  { weight: 3, arbitrary: keyed(removeFields) },
  { weight: 6, arbitrary: keyed(rename) },
  { weight: 6, arbitrary: keyed(copy) },
  { weight: 5, arbitrary: keyed(move) },
  { weight: 5, arbitrary: keyed(restore) },
  { weight: 5, arbitrary: select },
  { weight: 2, arbitrary: fc.constant(swap) },
  { weight: 1, arbitrary: flush },
  { weight: 12, arbitrary: round },
  { weight: 4, arbitrary: fc.constant(rounds) },
  { weight: 12, arbitrary: pass },
  { weight: 5, arbitrary: back },
);

/** Compares everything, through commands. */
function assertEqual(runner: CommandRunner, twin: Twin): void {
  for (const [number, expected] of twin.databases.entries()) {
    runner.run("SELECT", number);
    for (const key of NAMES) runner.run("HGETALL", key);
    const keys = runner.ask("KEYS", "*") as string[];
    for (const [key, { value, deadline }] of expected) {
      assert(keys.includes(key), `${key} is gone early`);
      assert.equal(runner.ask("PEXPIRETIME", key), deadline ?? -1);
      if (typeof value === "string") {
        assert.equal(runner.run("GET", key), `$${value.length}\r\n${value}\r\n`);
        continue;
      }
      const names = [...value.keys()];
      const found = runner.ask("HGETALL", key) as string[];
      assert.deepEqual(
        new Map(names.map((_, index) => [found[2 * index], found[2 * index + 1]])),
        new Map(names.map((each) => [each, value.get(each)!.value])),
      );
      assert.equal(found.length, 2 * names.length);
      assert.deepEqual(
        runner.ask("HPEXPIRETIME", key, "FIELDS", names.length, ...names),
        names.map((each) => value.get(each)!.deadline ?? -1),
      );
    }
    assert.deepEqual(keys.sort(), [...expected.keys()].sort());
  }
  runner.run("SELECT", twin.selected);
}

for (const shards of [1, 4]) {
  test(`any history with expiry is that of a naive twin, with ${shards} shards`, (context) => {
    const seed = seedOfRun();
    context.diagnostic(`seed ${seed}`);
    const seen = { expiredKeys: 0, expiredFields: 0 };
    const property = fc.property(fc.array(step, { minLength: 30, maxLength: 200, size: "max" }), (steps) => {
      const twin = new Twin();
      const options = { shards, regionSize: 4 * 1024 * 1024, databases: DATABASES, now: () => twin.now };
      const runner = new CommandRunner(commands, options);
      runner.keyspace.limits.hashEntries = 16;
      for (const [index, take] of steps.entries()) {
        take(twin, runner);
        if (index % 16 === 0) runner.verify();
      }
      assertEqual(runner, twin);
      runner.verify();
      seen.expiredKeys += runner.keyspace.expiredKeys;
      seen.expiredFields += runner.keyspace.expiredFields;
      runner.run("FLUSHALL");
      assert.equal(runner.keyspace.nextDeadline, Number.POSITIVE_INFINITY);
      runner.verify();
    });
    const isEnough = (): boolean => seen.expiredKeys > 300 && seen.expiredFields > 1000;
    // Histories of which by chance too little expires are followed by others.
    for (let round = 0; round < 6 && !isEnough(); round++) fc.assert(property, { seed: seed + round, numRuns: 60 });
    context.diagnostic(JSON.stringify(seen));
    assert(isEnough());
  });
}
