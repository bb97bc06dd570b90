import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { seedOfRun } from "../testing/random.ts";
import { hashCommands } from "./hashes.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const NOW = 1_700_000_000_000;
const COMMANDS = [...hashCommands, ...keyCommands, ...stringCommands];
const REGION_SIZE = 1024 * 1024;
const seed = seedOfRun();

/** @param entries hash-max-listpack-entries: 0 makes every hash a table */
function start(entries: number): { runner: CommandRunner; pass: (milliseconds: number) => void } {
  let now = NOW;
  const runner = new CommandRunner(COMMANDS, { now: () => now, regionSize: REGION_SIZE });
  runner.keyspace.limits.hashEntries = entries;
  const pass = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { runner, pass };
}

for (const entries of [512, 0]) {
  const name = entries === 0 ? "hashtable" : "listpackex";

  test(`a field lives until its deadline, and not a millisecond longer: ${name}`, () => {
    for (const [command, time] of [
      ["HEXPIRE", 2],
      ["HPEXPIRE", 2000],
      ["HEXPIREAT", NOW / 1000 + 2],
      ["HPEXPIREAT", NOW + 2000],
    ] as const) {
      const { runner, pass } = start(entries);
      runner.run("HSET", "h", "a", "1", "b", "2");
      assert.deepEqual(runner.ask(command, "h", time, "FIELDS", 2, "a", "x"), [1, -2]);
      assert.equal(runner.ask("OBJECT", "ENCODING", "h"), name);
      assert.deepEqual(runner.ask("HPTTL", "h", "FIELDS", 3, "a", "b", "x"), [2000, -1, -2]);
      assert.deepEqual(runner.ask("HPEXPIRETIME", "h", "FIELDS", 1, "a"), [NOW + 2000]);
      pass(1999);
      assert.equal(runner.ask("HGET", "h", "a"), "1");
      runner.verify();
      pass(1);
      assert.equal(runner.ask("HGET", "h", "a"), null);
      assert.deepEqual(runner.ask("HGETALL", "h"), ["b", "2"]);
      assert.equal(runner.ask("HLEN", "h"), 1);
      runner.verify();
    }
  });

  test(`what has expired is not seen by any command: ${name}`, () => {
    for (const [line, reply] of [
      ["HGET h gone", "$-1"],
      ["HMGET h gone b", "*2 $-1 $1 2"],
      ["HEXISTS h gone", ":0"],
      ["HSTRLEN h gone", ":0"],
      ["HGETALL h", "*2 $1 b $1 2"],
      ["HKEYS h", "*1 $1 b"],
      ["HVALS h", "*1 $1 2"],
      ["HSCAN h 0", "*2 $1 0 *2 $1 b $1 2"],
      ["HRANDFIELD h", "$1 b"],
      ["HRANDFIELD h 10", "*1 $1 b"],
      ["HRANDFIELD h -2 WITHVALUES", "*4 $1 b $1 2 $1 b $1 2"],
      ["HDEL h gone", ":0"],
      ["HSETNX h gone new", ":1"],
      ["HSET h gone new", ":1"],
      ["HMSET h gone new b 3", "+OK"],
      ["HINCRBY h gone 5", ":5"],
      ["HINCRBYFLOAT h gone 0.5", "$3 0.5"],
      ["HTTL h FIELDS 1 gone", "*1 :-2"],
      ["HEXPIRE h 100 FIELDS 1 gone", "*1 :-2"],
      ["HEXPIRE h 100 XX FIELDS 1 gone", "*1 :-2"],
      ["HPERSIST h FIELDS 1 gone", "*1 :-2"],
    ] as const) {
      const { runner, pass } = start(entries);
      runner.run("HSET", "h", "gone", "1", "b", "2");
      runner.run("HPEXPIRE", "h", "10", "FIELDS", "1", "gone");
      pass(10);
      converse(runner, `${line} => ${reply}`);
      runner.verify();
      assert.equal(runner.ask("HLEN", "h"), reply === "*1 :-2" || !/SET|INCR/.test(line) ? 1 : 2, line);
    }
  });

  test(`with its last field the hash is gone: ${name}`, () => {
    for (const line of [
      "HMGET h a b a",
      "HGETALL h",
      "HKEYS h",
      "HSCAN h 0",
      "HRANDFIELD h",
      "HRANDFIELD h 3",
      "HTTL h FIELDS 3 a b x",
      "HDEL h a b",
      "HEXPIRE h 10 FIELDS 2 a b",
      "HPERSIST h FIELDS 2 a b",
    ]) {
      const { runner, pass } = start(entries);
      runner.run("HSET", "h", "a", "1", "b", "2");
      runner.run("HPEXPIRE", "h", "10", "FIELDS", "2", "a", "b");
      pass(10);
      runner.run(...line.split(" "));
      assert.equal(runner.ask("EXISTS", "h"), 0, line);
      assert.equal(runner.run("HGETALL", "h"), "*0\r\n");
      runner.verify();
    }
    const { runner, pass } = start(entries);
    for (const line of ["HSET h b 2", "HSETNX h a 2", "HINCRBY h a 2"]) {
      runner.run("HSET", "h", "a", "1");
      runner.run("HPEXPIRE", "h", "10", "FIELDS", "1", "a");
      pass(10);
      runner.run(...line.split(" "));
      assert.deepEqual(runner.ask("HVALS", "h"), ["2"], line);
      runner.run("DEL", "h");
      runner.verify();
    }
  });

  test(`conditions compare with the deadline that is there, and none is later than any: ${name}`, () => {
    const { runner } = start(entries);
    converse(
      runner,
      `
      HSET h a 1 b 2                       => :2
      HEXPIRE h 100 XX FIELDS 1 a          => *1 :0
      HEXPIRE h 100 GT FIELDS 1 a          => *1 :0
      HEXPIRE h 100 LT FIELDS 1 a          => *1 :1
      HEXPIRE h 100 NX FIELDS 2 a b        => *2 :0 :1
      HEXPIRE h 100 gt FIELDS 2 a nofield  => *2 :0 :-2
      HEXPIRE h 101 LT FIELDS 1 a          => *1 :0
      HEXPIRE h 101 GT FIELDS 1 a          => *1 :1
      HEXPIRE h 99 xx FIELDS 2 a b         => *2 :1 :1
      HTTL h FIELDS 2 a b                  => *2 :99 :99
      HPERSIST h FIELDS 3 a a nofield      => *3 :1 :-1 :-2
      HTTL h FIELDS 1 a                    => *1 :-1
      HEXPIRE h 0 NX FIELDS 2 a b          => *2 :2 :0
      HEXISTS h a                          => :0
      HPEXPIREAT h 1 FIELDS 2 b b          => *2 :2 :-2
      EXISTS h                             => :0
      HEXPIRE h 10 FIELDS 2 a b            => *2 :-2 :-2
      HTTL h FIELDS 1 a                    => *1 :-2
      HPERSIST h FIELDS 1 a                => *1 :-2
      `,
    );
    runner.verify();
  });

  test(`setting a field ends its deadline, counting does not: ${name}`, () => {
    const { runner } = start(entries);
    converse(
      runner,
      `
      HSET h a 1 b 2 c 3 d 4               => :4
      HEXPIRE h 100 FIELDS 4 a b c d       => *4 :1 :1 :1 :1
      HSET h a 5                           => :0
      HINCRBY h b 5                        => :7
      HINCRBYFLOAT h c 0.5                 => $3 3.5
      HSETNX h d 5                         => :0
      HTTL h FIELDS 4 a b c d              => *4 :-1 :100 :100 :100
      HMGET h a b c d                      => *4 $1 5 $1 7 $3 3.5 $1 4
      HMSET h b 1 d ${"x".repeat(70)}      => +OK
      HTTL h FIELDS 4 a b c d              => *4 :-1 :-1 :100 :-1
      OBJECT ENCODING h                    => $9 hashtable
      `,
    );
    runner.verify();
  });
}

test("seconds are rounded up, as Redis does for fields", () => {
  const { runner } = start(512);
  converse(
    runner,
    `
    HSET h a 1                      => :1
    HPEXPIRE h 10001 FIELDS 1 a     => *1 :1
    HTTL h FIELDS 1 a               => *1 :11
    HEXPIRETIME h FIELDS 1 a        => *1 :1700000011
    HPEXPIRE h 10000 FIELDS 1 a     => *1 :1
    HTTL h FIELDS 1 a               => *1 :10
    HEXPIRETIME h FIELDS 1 a        => *1 :1700000010
    `,
  );
});

test("errors come in Redis's order", () => {
  const { runner } = start(512);
  converse(
    runner,
    `
    SET s x                               => +OK
    HEXPIRE s x FIELDS 1 a                => -WRONGTYPE Operation against a key holding the wrong kind of value
    HTTL s FOO 1 a                        => -WRONGTYPE Operation against a key holding the wrong kind of value
    HPERSIST s FOO 1 a                    => -WRONGTYPE Operation against a key holding the wrong kind of value
    HEXPIRE h x FOO 1 a                   => -ERR value is not an integer or out of range
    HEXPIRE h -1 FOO 1 a                  => -ERR invalid expire time, must be >= 0
    HEXPIRE h 9223372036854775807 FOO 1 a => -ERR invalid expire time in 'hexpire' command
    HPEXPIREAT h 70368744177664 FOO 1 a   => -ERR invalid expire time in 'hpexpireat' command
    HPEXPIREAT h 70368744177663 FOO 1 a   => -ERR Mandatory argument FIELDS is missing or not at the right position
    HEXPIRE h 10 NX XX 1 a                => -ERR Mandatory argument FIELDS is missing or not at the right position
    HEXPIRE h 10 FIELDS 0 a               => -ERR Parameter \`numFields\` should be greater than 0
    HEXPIRE h 10 FIELDS x a               => -ERR Parameter \`numFields\` should be greater than 0
    HEXPIRE h 10 FIELDS 2 a               => -ERR The \`numfields\` parameter must match the number of arguments
    HEXPIRE h 10 NX FIELDS 1              => -ERR The \`numfields\` parameter must match the number of arguments
    HEXPIRE h 10 FIELDS 1                 => -ERR wrong number of arguments for 'hexpire' command
    HTTL h FOO 1 a                        => -ERR Mandatory argument FIELDS is missing or not at the right position
    HTTL h FIELDS 0 a                     => -ERR Number of fields must be a positive integer
    HTTL h FIELDS 2 a                     => -ERR The \`numfields\` parameter must match the number of arguments
    HPERSIST h FIELDS 0 a                 => -ERR Number of fields must be a positive integer
    HTTL h FIELDS 1                       => -ERR wrong number of arguments for 'httl' command
    `,
  );
});

test("fields of a listpack stand in the order of their deadlines, as in Redis's files", () => {
  const { runner } = start(512);
  converse(
    runner,
    `
    HSET h a 1 b 2 c 3 d 4 e 5      => :5
    HEXPIRE h 300 FIELDS 1 a        => *1 :1
    HEXPIRE h 100 FIELDS 1 e        => *1 :1
    HEXPIRE h 200 FIELDS 1 c        => *1 :1
    HEXPIRE h 200 FIELDS 1 d        => *1 :1
    HKEYS h                         => *5 $1 e $1 c $1 d $1 a $1 b
    HSET h c 3                      => :0
    HSET h f 6                      => :1
    HKEYS h                         => *6 $1 e $1 d $1 a $1 b $1 c $1 f
    HPERSIST h FIELDS 1 e           => *1 :1
    HKEYS h                         => *6 $1 d $1 a $1 b $1 c $1 f $1 e
    `,
  );
  runner.verify();
});

interface Field {
  value: string;
  deadline: number;
}

const FIELDS = ["a", "b", "c", "d", "1", "2"];
const fields = fc.constantFrom(...FIELDS);
const steps = fc.oneof(
  fc.record({ set: fields, value: fc.string({ maxLength: 12 }) }),
  fc.record({ count: fields }),
  fc.record({ remove: fields }),
  fc.record({ expire: fields, time: fc.integer({ min: 0, max: 100 }) }),
  fc.record({ persist: fields }),
  fc.record({ pass: fc.nat({ max: 60 }) }),
  fc.record({ all: fc.constant(true) }),
);

for (const entries of [512, 3, 0]) {
  test(`hashes with deadlines are what a Map is, ${entries} fields in a listpack`, (context) => {
    context.diagnostic(`seed ${seed}`);
    const property = fc.property(fc.array(steps, { maxLength: 60 }), (sequence) => {
      const { runner, pass } = start(entries);
      const twin = new Map<string, Field>();
      let now = NOW;
      const frozen = runner.keyspace.freeze(true);
      for (const step of sequence) {
        for (const [field, { deadline }] of twin) if (deadline <= now) twin.delete(field);
        if ("set" in step) {
          assert.equal(runner.ask("HSET", "h", step.set, step.value), twin.has(step.set) ? 0 : 1);
          twin.set(step.set, { value: step.value, deadline: Number.POSITIVE_INFINITY });
        } else if ("count" in step) {
          const old = twin.get(step.count);
          if (old === undefined || !/^(0|[1-9]\d{0,14})$/.test(old.value)) continue;
          old.value = String(Number(old.value) + 7);
          assert.equal(runner.ask("HINCRBY", "h", step.count, "7"), Number(old.value));
        } else if ("remove" in step) {
          assert.equal(runner.ask("HDEL", "h", step.remove), twin.delete(step.remove) ? 1 : 0);
        } else if ("expire" in step) {
          const old = twin.get(step.expire);
          const reply = runner.ask("HPEXPIRE", "h", step.time, "FIELDS", "1", step.expire);
          assert.deepEqual(reply, [old === undefined ? -2 : step.time === 0 ? 2 : 1]);
          if (step.time === 0) twin.delete(step.expire);
          else if (old !== undefined) old.deadline = now + step.time;
        } else if ("persist" in step) {
          const old = twin.get(step.persist);
          const reply = runner.ask("HPERSIST", "h", "FIELDS", "1", step.persist);
          assert.deepEqual(reply, [old === undefined ? -2 : old.deadline === Number.POSITIVE_INFINITY ? -1 : 1]);
          if (old !== undefined) old.deadline = Number.POSITIVE_INFINITY;
        } else if ("pass" in step) {
          now += step.pass;
          pass(step.pass);
        } else {
          const found = new Map(pairsOf(runner.ask("HGETALL", "h") as string[]));
          assert.deepEqual(found, new Map([...twin].map(([field, { value }]) => [field, value])));
        }
      }
      assert.equal(frozen.release().aborted, false);
      runner.verify();
    });
    fc.assert(property, { seed, numRuns: 100 });
  });
}

function pairsOf(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!]);
}
