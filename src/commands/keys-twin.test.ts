/** The whole keyspace against its naive twin: a Map for each database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { seedOfRun } from "../testing/random.ts";
import { databaseCommands } from "./databases.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const commands = [...keyCommands, ...databaseCommands, ...stringCommands];
const DATABASES = 3;
const REFUSED = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

interface TwinEntry {
  readonly value: string;
  /** Milliseconds since 1970. */
  readonly deadline: number | undefined;
}

type TwinDatabase = Map<string, TwinEntry>;

class Twin {
  databases: TwinDatabase[] = Array.from({ length: DATABASES }, () => new Map());
  selected = 0;
  now = 1_000_000;

  get current(): TwinDatabase {
    return this.databases[this.selected]!;
  }

  /** Lets time pass: whatever is over is gone. */
  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const database of this.databases) {
      for (const [name, { deadline }] of database)
        if (deadline !== undefined && deadline <= this.now) database.delete(name);
    }
  }
}

/** A command, the reply that the twin expects, and what the command does to it if it is not refused. */
interface Step {
  readonly command: readonly string[];
  readonly reply: string;
  apply(): void;
}

type Plan = (twin: Twin) => Step;

const OK = "+OK\r\n";
const integer = (value: number): string => `:${value}\r\n`;

function step(command: readonly (string | number)[], reply: string, apply: () => void): Step {
  return { command: command.map(String), reply, apply };
}

const name = fc.constantFrom(
  ...["", "a", "b", "c", "four", "12345678", `long:${"n".repeat(60)}`, `longer:${"n".repeat(3000)}`],
  ...Array.from({ length: 24 }, (_, index) => `key:${index}`),
);
const length = fc.oneof(fc.nat(60), fc.integer({ min: 1000, max: 1050 }), fc.nat(8000), fc.nat(150_000));
const value = fc.oneof(
  fc.integer().map(String),
  fc.tuple(length, fc.constantFrom("x", "y")).map(([size, letter]) => letter.repeat(size)),
);
const database = fc.nat(DATABASES - 1);
const lifetime = fc.integer({ min: 1, max: 300 });

const set = fc.tuple(name, value, fc.option(lifetime, { nil: undefined })).map(
  ([key, text, life]): Plan =>
    (twin) => {
      const deadline = life === undefined ? undefined : twin.now + life;
      const command = life === undefined ? ["SET", key, text] : ["SET", key, text, "PX", life];
      return step(command, OK, () => twin.current.set(key, { value: text, deadline }));
    },
);

const remove = fc.array(name, { minLength: 1, maxLength: 3 }).map(
  (keys): Plan =>
    (twin) => {
      const { current } = twin;
      const existing = new Set(keys.filter((key) => current.has(key)));
      return step(["DEL", ...keys], integer(existing.size), () => {
        for (const key of existing) current.delete(key);
      });
    },
);

const expire = fc.tuple(name, fc.integer({ min: -20, max: 300 })).map(
  ([key, life]): Plan =>
    (twin) => {
      const { current } = twin;
      const found = current.get(key);
      return step(["PEXPIRE", key, life], integer(found === undefined ? 0 : 1), () => {
        if (found !== undefined && life > 0) current.set(key, { value: found.value, deadline: twin.now + life });
        else current.delete(key);
      });
    },
);

const persist = name.map(
  (key): Plan =>
    (twin) => {
      const { current } = twin;
      const found = current.get(key);
      return step(["PERSIST", key], integer(found?.deadline === undefined ? 0 : 1), () => {
        if (found !== undefined) current.set(key, { value: found.value, deadline: undefined });
      });
    },
);

const rename = fc.tuple(name, name, fc.boolean()).map(
  ([from, to, onlyNew]): Plan =>
    (twin) => {
      const { current } = twin;
      const found = current.get(from);
      const command = [onlyNew ? "RENAMENX" : "RENAME", from, to];
      if (found === undefined) return step(command, "-ERR no such key\r\n", () => undefined);
      const isDone = !onlyNew || !current.has(to);
      const reply = onlyNew ? integer(isDone ? 1 : 0) : OK;
      return step(command, reply, () => {
        if (isDone) current.delete(from);
        if (isDone) current.set(to, found);
      });
    },
);

const copy = fc.tuple(name, name, database, fc.boolean()).map(
  ([from, to, number, replace]): Plan =>
    (twin) => {
      const target = twin.databases[number]!;
      const command = ["COPY", from, to, "DB", number, ...(replace ? ["REPLACE"] : [])];
      if (target === twin.current && from === to) {
        return step(command, "-ERR source and destination objects are the same\r\n", () => undefined);
      }
      const found = twin.current.get(from);
      const isDone = found !== undefined && (replace || !target.has(to));
      return step(command, integer(isDone ? 1 : 0), () => {
        if (isDone) target.set(to, found);
      });
    },
);

const move = fc.tuple(name, database).map(
  ([key, number]): Plan =>
    (twin) => {
      const { current } = twin;
      const target = twin.databases[number]!;
      if (target === current) {
        return step(["MOVE", key, number], "-ERR source and destination objects are the same\r\n", () => undefined);
      }
      const found = current.get(key);
      const isDone = found !== undefined && !target.has(key);
      return step(["MOVE", key, number], integer(isDone ? 1 : 0), () => {
        if (isDone) target.set(key, found);
        if (isDone) current.delete(key);
      });
    },
);

const select = database.map(
  (number): Plan =>
    (twin) => {
      return step(["SELECT", number], OK, () => {
        twin.selected = number;
      });
    },
);

const swap = fc.tuple(database, database).map(
  ([left, right]): Plan =>
    (twin) => {
      return step(["SWAPDB", left, right], OK, () => {
        const { databases } = twin;
        [databases[left], databases[right]] = [databases[right]!, databases[left]!];
      });
    },
);

const flush = fc.boolean().map(
  (all): Plan =>
    (twin) => {
      return step([all ? "FLUSHALL" : "FLUSHDB"], OK, () => {
        for (const one of all ? twin.databases : [twin.current]) one.clear();
      });
    },
);

const pass = fc.nat(100).map(
  (milliseconds): Plan =>
    (twin) => {
      twin.pass(milliseconds);
      return step(["EXISTS", "a"], integer(twin.current.has("a") ? 1 : 0), () => undefined);
    },
);

const plan = fc.oneof(
  { weight: 40, arbitrary: set },
  { weight: 10, arbitrary: remove },
  { weight: 10, arbitrary: expire },
  { weight: 5, arbitrary: persist },
  { weight: 20, arbitrary: rename },
  { weight: 20, arbitrary: copy },
  { weight: 10, arbitrary: move },
  { weight: 10, arbitrary: select },
  { weight: 3, arbitrary: swap },
  { weight: 1, arbitrary: flush },
  { weight: 8, arbitrary: pass },
);

/** Compares all databases, through commands. */
function assertEqual(runner: CommandRunner, twin: Twin): void {
  for (const [number, expected] of twin.databases.entries()) {
    runner.run("SELECT", number);
    assert.deepEqual((runner.ask("KEYS", "*") as string[]).sort(), [...expected.keys()].sort());
    for (const [key, { value, deadline }] of expected) {
      assert.equal(runner.run("GET", key), `$${value.length}\r\n${value}\r\n`);
      assert.equal(runner.ask("PEXPIRETIME", key), deadline ?? -1);
    }
  }
  runner.run("SELECT", twin.selected);
}

for (const shards of [1, 4]) {
  test(`the keyspace equals its naive twin, also when memory runs out, with ${shards} shards`, () => {
    const seed = seedOfRun();
    const refusals = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(plan, { minLength: 50, maxLength: 300, size: "max" }), (plans) => {
        const twin = new Twin();
        const options = { shards, regionSize: 512 * 1024, databases: DATABASES, now: () => twin.now };
        const runner = new CommandRunner(commands, options);
        for (const prepare of plans) {
          const { command, reply, apply } = prepare(twin);
          const heard = runner.run(...command);
          if (heard === REFUSED) {
            refusals.set(command[0]!, (refusals.get(command[0]!) ?? 0) + 1);
            assertEqual(runner, twin);
            continue;
          }
          assert.equal(heard, reply, command.map((word) => word.slice(0, 20)).join(" "));
          apply();
        }
        assertEqual(runner, twin);
        runner.verify();
        runner.run("FLUSHALL");
        runner.verify();
      }),
      { seed, numRuns: 40 },
    );
    const names = shards === 1 ? ["SET", "COPY"] : ["SET", "COPY", "RENAME"];
    for (const one of names) assert.ok(refusals.has(one), `no ${one} was refused (seed ${seed})`);
  });
}
