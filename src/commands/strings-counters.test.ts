import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { startRedis, type TestServer } from "../testing/servers.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...keyCommands, ...stringCommands];

let redis: TestServer;
before(async () => {
  redis = await startRedis();
});
after(() => redis.stop());

test("counting up and down", () => {
  const runner = new CommandRunner(COMMANDS);
  converse(
    runner,
    `
    INCR a                              => :1
    INCRBY a 10                         => :11
    DECR a                              => :10
    DECRBY a 15                         => :-5
    DECRBY a -5                         => :0
    DECRBY a 0                          => :0
    EXPIRE a 100                        => :1
    INCR a                              => :1
    TTL a                               => :100
    INCRBY b 9007199254740991           => :9007199254740991
    INCR b                              => :9007199254740992
    INCRBY b 9214364837600034815        => :9223372036854775807
    INCR b                              => -ERR increment or decrement would overflow
    GET b                               => $19 9223372036854775807
    DECRBY c 9223372036854775807        => :-9223372036854775807
    DECR c                              => :-9223372036854775808
    DECR c                              => -ERR increment or decrement would overflow
    DECRBY c -9223372036854775808       => -ERR decrement would overflow
    DECRBY c -9223372036854775807       => :-1
    SET d 1                             => +OK
    APPEND d 2                          => :2
    INCR d                              => :13
    SET d 012                           => +OK
    INCR d                              => -ERR value is not an integer or out of range
    INCRBY d x                          => -ERR value is not an integer or out of range
    INCRBY a 9223372036854775808        => -ERR value is not an integer or out of range
    `,
  );
  runner.verify();
});

test("counting in fractions", () => {
  const runner = new CommandRunner(COMMANDS);
  converse(
    runner,
    `
    INCRBYFLOAT a 0.1                   => $3 0.1
    INCRBYFLOAT a 0.2                   => $3 0.3
    EXPIRE a 100                        => :1
    INCRBYFLOAT a 3.0e3                 => $22 3000.30000000000000004
    TTL a                               => :100
    INCRBYFLOAT a -3.3                  => $4 2997
    INCR a                              => :2998
    INCRBYFLOAT a 1e5000                => -ERR value is not a valid float
    INCRBYFLOAT a inf                   => -ERR increment would produce NaN or Infinity
    SET b text                          => +OK
    INCRBYFLOAT b 1                     => -ERR value is not a valid float
    SET b inf                           => +OK
    INCRBYFLOAT b -inf                  => -ERR increment would produce NaN or Infinity
    `,
  );
  runner.run("SET", "c", "0".repeat(6000));
  converse(runner, "INCRBYFLOAT c 1 => -ERR value is not a valid float");
  runner.verify();
});

/** Texts of numbers of every kind and size, from the simplest to those that no type of number holds exactly. */
const digits = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength });
const numbers = fc
  .tuple(
    fc.constantFrom("", "", "-", "+"),
    fc.oneof(
      digits(25),
      fc.tuple(digits(20), digits(25)).map(([whole, fraction]) => `${whole}.${fraction}`),
      fc.tuple(digits(20), fc.integer({ min: -40, max: 40 })).map(([whole, power]) => `${whole}e${power}`),
      fc.tuple(digits(20), fc.integer({ min: -5000, max: 4940 })).map(([whole, power]) => `.${whole}E${power}`),
      fc.tuple(fc.bigInt(0n, 2n ** 70n), fc.integer({ min: -90, max: 90 })).map(([n, e]) => `0x${n.toString(16)}p${e}`),
      fc.tuple(digits(9), fc.integer({ min: -16500, max: 16400 })).map(([whole, power]) => `0x${whole}.8p${power}`),
    ),
  )
  .map((parts) => parts.join(""));

test("sums are those of the real server", async () => {
  const runner = new CommandRunner(COMMANDS);
  const client = await redis.client();
  await fc.assert(
    fc.asyncProperty(fc.array(numbers, { minLength: 2, maxLength: 8 }), async ([first, ...others]) => {
      const commands = [["SET", "a", first!], ...others.map((number) => ["INCRBYFLOAT", "a", number]), ["GET", "a"]];
      const replies = (await client.pipeline(commands)).map((reply) => reply.toString("latin1"));
      assert.deepEqual(
        commands.map((command) => runner.run(...command)),
        replies,
      );
    }),
    { numRuns: 400 },
  );
  await client.close();
  runner.verify();
});
