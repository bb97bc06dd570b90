import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { bitmapCommands } from "./bitmaps.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...keyCommands, ...stringCommands, ...bitmapCommands];

test("single bits", () => {
  const runner = new CommandRunner(COMMANDS);
  converse(
    runner,
    `
    SETBIT a 7 1                        => :0
    SETBIT a 7 1                        => :1
    SETBIT a 0 0                        => :0
    GETBIT a 7                          => :1
    GETBIT a 6                          => :0
    GETBIT a 100                        => :0
    GETBIT nokey 4294967295             => :0
    STRLEN a                            => :1
    SETBIT a 20 0                       => :0
    STRLEN a                            => :3
    SET n 1                             => +OK
    GETBIT n 2                          => :1
    SETBIT n 6 1                        => :0
    GET n                               => $1 3
    GETBIT a 4294967296                 => -ERR bit offset is not an integer or out of range
    SETBIT a -1 1                       => -ERR bit offset is not an integer or out of range
    SETBIT a x 1                        => -ERR bit offset is not an integer or out of range
    SETBIT a #1 1                       => -ERR bit offset is not an integer or out of range
    SETBIT a 0 2                        => -ERR bit is not an integer or out of range
    SETBIT a 0 x                        => -ERR bit is not an integer or out of range
    SETBIT a 4294967295 1               => -OOM command not allowed when used memory > 'maxmemory'.
    STRLEN a                            => :3
    `,
  );
  runner.verify();
});

test("setting what is set already is no change", () => {
  const runner = new CommandRunner(COMMANDS);
  const changesOf = (...command: string[]): number => {
    const { changes } = runner.keyspace;
    assert.doesNotMatch(runner.run(...command), /^-/);
    return runner.keyspace.changes - changes;
  };
  const rows: readonly (readonly [command: string, changes: number])[] = [
    ["SETBIT a 0 0", 1],
    ["SETBIT a 0 0", 0],
    ["SETBIT a 0 1", 1],
    ["SETBIT a 0 1", 0],
    ["SETBIT a 90 0", 1],
    ["SET number 7", 1],
    ["SETBIT number 0 0", 0],
    ["BITFIELD b SET u8 0 0", 1],
    ["BITFIELD b SET u8 0 0 GET u8 0", 0],
    ["BITFIELD b SET u8 0 1 SET u8 0 1 INCRBY u8 0 1", 2],
    ["BITFIELD b INCRBY u8 0 0", 0],
    ["BITFIELD b SET u8 90 0 SET u8 0 2", 2],
    ["BITFIELD b OVERFLOW FAIL SET u8 0 300", 0],
    ["BITFIELD c OVERFLOW FAIL SET u8 0 300", 1],
  ];
  for (const [command, changes] of rows) assert.equal(changesOf(...command.split(" ")), changes, command);
  assert.equal(runner.run("OBJECT", "ENCODING", "number"), "$3\r\nraw\r\n");
  runner.verify();
});

test("counting bits", () => {
  const runner = new CommandRunner(COMMANDS);
  converse(
    runner,
    `
    SET a foobar                        => +OK
    BITCOUNT a                          => :26
    BITCOUNT a 0 0                      => :4
    BITCOUNT a 1 1                      => :6
    BITCOUNT a 1 1 BYTE                 => :6
    BITCOUNT a 5 30 BIT                 => :17
    BITCOUNT a -5 -1 bit                => :2
    BITCOUNT a -1 -5                    => :0
    BITCOUNT a 5 4                      => :0
    BITCOUNT a 100 200                  => :0
    BITCOUNT a -9223372036854775808 9223372036854775807 => :26
    BITCOUNT nokey 0 x                  => :0
    BITCOUNT a 0                        => -ERR syntax error
    BITCOUNT a 0 1 BITS                 => -ERR syntax error
    BITCOUNT a 0 x                      => -ERR value is not an integer or out of range
    `,
  );
});

test("finding bits", () => {
  const runner = new CommandRunner(COMMANDS);
  runner.run(
    "MSET",
    "a",
    Buffer.from([0xff, 0xf0, 0]),
    "ones",
    Buffer.alloc(3, 255),
    "zeros",
    Buffer.alloc(3),
    "empty",
    "",
  );
  converse(
    runner,
    `
    BITPOS a 0                          => :12
    BITPOS a 1                          => :0
    BITPOS a 1 2                        => :-1
    BITPOS a 0 -1                       => :16
    BITPOS a 0 0 0                      => :-1
    BITPOS a 0 7 15 BIT                 => :12
    BITPOS a 1 7 15 BIT                 => :7
    BITPOS a 1 12 -1 BIT                => :-1
    BITPOS ones 0                       => :24
    BITPOS ones 0 0                     => :24
    BITPOS ones 0 0 -1                  => :-1
    BITPOS zeros 1                      => :-1
    BITPOS empty 0                      => :-1
    BITPOS nokey 0                      => :0
    BITPOS nokey 1                      => :-1
    BITPOS a 0 100                      => :-1
    BITPOS a 1 -10 -20                  => :0
    BITPOS a 2                          => -ERR The bit argument must be 1 or 0.
    BITPOS a x                          => -ERR value is not an integer or out of range
    BITPOS a 1 0 1 BITS                 => -ERR syntax error
    BITPOS a 1 0 1 BIT x                => -ERR syntax error
    `,
  );
});

test("bits whose numbers need more than 31 bits", () => {
  const runner = new CommandRunner(COMMANDS, { regionSize: 2 ** 29 });
  const last = 2 ** 31 + 7;
  assert.equal(runner.ask("SETBIT", "a", last, 1), 0);
  assert.equal(runner.ask("STRLEN", "a"), 2 ** 28 + 1);
  assert.equal(runner.ask("BITPOS", "a", 1), last);
  assert.equal(runner.ask("BITPOS", "a", 1, -9, -1, "BIT"), last);
  assert.equal(runner.ask("BITCOUNT", "a", last, -1, "BIT"), 1);
  assert.equal(runner.ask("GETBIT", "a", last), 1);
  assert.deepEqual(runner.ask("BITFIELD", "a", "GET", "u3", last - 2, "GET", "u8", last), [1, 128]);
  runner.verify();
});

/** A string's reply; no bytes are no string to BITOP. */
function bulk(value: Buffer): string {
  return value.length === 0 ? "$-1\r\n" : `$${value.length}\r\n${value.toString("latin1")}\r\n`;
}

/** The twin: byte by byte. */
function combined(operation: string, sources: readonly Uint8Array[]): Buffer {
  const length = Math.max(...sources.map((source) => source.length));
  return Buffer.from(
    Array.from({ length }, (_, at) => {
      const [first = 0, ...others] = sources.map((source) => source[at] ?? 0);
      if (operation === "NOT") return ~first;
      return others.reduce((left, right) => {
        if (operation === "AND") return left & right;
        return operation === "OR" ? left | right : left ^ right;
      }, first);
    }),
  );
}

test("strings are combined as byte by byte", () => {
  const lengths = fc.oneof(fc.nat({ max: 40 }), fc.integer({ min: 16_370, max: 16_400 }), fc.nat({ max: 40_000 }));
  const values = fc.oneof(
    fc.record({ integer: fc.integer() }),
    fc.record({ length: lengths, step: fc.integer({ min: 1, max: 255 }) }),
  );
  const operations = fc.constantFrom("AND", "OR", "XOR", "NOT");
  fc.assert(
    fc.property(operations, fc.array(values, { minLength: 1, maxLength: 4 }), fc.nat(), (operation, all, place) => {
      const sources = (operation === "NOT" ? all.slice(0, 1) : all).map((value) => {
        if ("integer" in value) return Buffer.from(`${value.integer}`);
        return Buffer.from(Array.from({ length: value.length }, (_, at) => (at * value.step) >>> 3));
      });
      const runner = new CommandRunner(COMMANDS, { shards: 2 });
      sources.forEach((source, index) => {
        runner.run("SET", `k${index}`, source);
      });
      // The result replaces one of the sources, or makes another key.
      const destination = `k${place % (sources.length + 1)}`;
      const wanted = combined(operation, sources);
      const keys = sources.map((_, index) => `k${index}`);
      assert.equal(runner.ask("BITOP", operation, destination, ...keys), wanted.length);
      assert.equal(runner.run("GET", destination), bulk(wanted));
      runner.verify();
    }),
    { numRuns: 60 },
  );
});

test("BITOP and what it is given", () => {
  const runner = new CommandRunner(COMMANDS);
  converse(
    runner,
    `
    SET a abc                           => +OK
    SET b x                             => +OK
    EXPIRE b 100                        => :1
    BITOP AND b a a                     => :3
    TTL b                               => :-1
    BITOP or b nokey nokey              => :0
    EXISTS b                            => :0
    BITOP XOR b nokey                   => :0
    BITOP NOT b a a                     => -ERR BITOP NOT must be called with a single source key.
    BITOP NAND b a a                    => -ERR syntax error
    `,
  );
  runner.verify();
});
