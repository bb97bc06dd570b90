import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { bitmapCommands } from "./bitmaps.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...keyCommands, ...stringCommands, ...bitmapCommands];
const INVALID_TYPE =
  "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";

test("fields and what is wrong with them", () => {
  const runner = new CommandRunner(COMMANDS);
  converse(
    runner,
    `
    BITFIELD a INCRBY i5 100 1 GET u4 0 => *2 :1 :0
    BITFIELD a                          => *0
    BITFIELD nokey GET u8 0             => *1 :0
    BITFIELD nokey OVERFLOW FAIL        => *0
    EXISTS nokey                        => :0
    BITFIELD b SET u8 #1 200 GET u8 8   => *2 :0 :200
    BITFIELD b INCRBY u8 #1 100         => *1 :44
    BITFIELD b OVERFLOW SAT INCRBY u8 #1 250 OVERFLOW FAIL INCRBY u8 #1 1 INCRBY u8 #1 -1 => *3 :255 $-1 :254
    BITFIELD b SET i64 0 -9223372036854775808 INCRBY i64 0 -1 => *2 :71494644084506624 :9223372036854775807
    BITFIELD c OVERFLOW SAT SET u63 0 -1 GET u63 0 => *2 :0 :9223372036854775807
    BITFIELD_RO b GET u8 0 GET i4 4     => *2 :127 :-1
    BITFIELD_RO b SET u8 0 1            => -ERR BITFIELD_RO only supports the GET subcommand
    BITFIELD_RO b                       => *0
    BITFIELD b GET u64 0                => ${INVALID_TYPE}
    BITFIELD b GET i65 0                => ${INVALID_TYPE}
    BITFIELD b GET u0 0                 => ${INVALID_TYPE}
    BITFIELD b GET U8 0                 => ${INVALID_TYPE}
    BITFIELD b GET u 0                  => ${INVALID_TYPE}
    BITFIELD b GET u8                   => -ERR syntax error
    BITFIELD b PUT u8 0 1               => -ERR syntax error
    BITFIELD b OVERFLOW                 => -ERR syntax error
    BITFIELD b OVERFLOW NONE            => -ERR Invalid OVERFLOW type specified
    BITFIELD b GET u8 -1                => -ERR bit offset is not an integer or out of range
    BITFIELD b GET u8 #536870912        => -ERR bit offset is not an integer or out of range
    BITFIELD b GET u8 #9223372036854775807 => -ERR bit offset is not an integer or out of range
    BITFIELD b SET u8 0 x               => -ERR value is not an integer or out of range
    BITFIELD b SET u8 99 1 SET u8 0 x   => -ERR value is not an integer or out of range
    STRLEN b                            => :8
    BITFIELD b SET u8 4294967295 1      => -OOM command not allowed when used memory > 'maxmemory'.
    STRLEN b                            => :8
    `,
  );
  runner.verify();
});

/** The twin: the whole string as one integer, its first bit the highest. */
class BitString {
  bits = 0n;
  length = 0;

  grow(end: number): void {
    const length = Math.max(this.length, Math.ceil(end / 8) * 8);
    this.bits <<= BigInt(length - this.length);
    this.length = length;
  }

  read(offset: number, width: number, isSigned: boolean): bigint {
    const behind = this.length - offset - width;
    const field = behind >= 0 ? this.bits >> BigInt(behind) : this.bits << BigInt(-behind);
    return isSigned ? BigInt.asIntN(width, field) : BigInt.asUintN(width, field);
  }

  write(offset: number, width: number, value: bigint): void {
    const behind = BigInt(this.length - offset - width);
    const mask = ((1n << BigInt(width)) - 1n) << behind;
    this.bits = (this.bits & ~mask) | (BigInt.asUintN(width, value) << behind);
  }
}

interface Step {
  readonly kind: "GET" | "SET" | "INCRBY";
  readonly overflow: "WRAP" | "SAT" | "FAIL";
  readonly isSigned: boolean;
  readonly width: number;
  readonly offset: number;
  readonly operand: bigint;
}

function stepOfTwin(twin: BitString, { kind, overflow, isSigned, width, offset, operand }: Step): bigint | null {
  const old = twin.read(offset, width, isSigned);
  if (kind === "GET") return old;
  const given = isSigned ? operand : BigInt.asUintN(64, operand);
  const exact = kind === "SET" ? given : old + operand;
  const max = (1n << BigInt(isSigned ? width - 1 : width)) - 1n;
  const min = isSigned ? -max - 1n : 0n;
  let stored = exact;
  if (exact < min || exact > max) {
    if (overflow === "FAIL") return null;
    // Redis takes the distance to the largest number in 64 bits. Far below all it turns negative, and SET fills up.
    const isFarBelow = kind === "SET" && isSigned && width < 64 && max - exact > 2n ** 63n - 1n;
    if (overflow === "SAT") stored = exact > max || isFarBelow ? max : min;
    else stored = isSigned ? BigInt.asIntN(width, exact) : BigInt.asUintN(width, exact);
  }
  twin.write(offset, width, stored);
  return kind === "SET" ? old : stored;
}

const operands = fc.oneof(
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  fc.bigInt(-300n, 300n),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n),
);
const steps = fc
  .record({
    kind: fc.constantFrom("GET", "SET", "INCRBY"),
    overflow: fc.constantFrom("WRAP", "SAT", "FAIL"),
    isSigned: fc.boolean(),
    width: fc.oneof(fc.integer({ min: 1, max: 64 }), fc.constantFrom(1, 8, 31, 32, 33, 52, 53, 54, 63, 64)),
    offset: fc.nat({ max: 300 }),
    operand: operands,
  })
  .map((step): Step => ({ ...step, width: step.isSigned ? step.width : Math.min(63, step.width) }) as Step);

test("fields of any width behave as parts of one large integer", () => {
  fc.assert(
    fc.property(fc.array(fc.array(steps, { minLength: 1, maxLength: 5 }), { maxLength: 8 }), (calls) => {
      const runner = new CommandRunner(COMMANDS);
      const twin = new BitString();
      for (const call of calls) {
        const words = call.flatMap(({ kind, overflow, isSigned, width, offset, operand }) => {
          const field = [`${isSigned ? "i" : "u"}${width}`, `${offset}`];
          return kind === "GET" ? ["GET", ...field] : ["OVERFLOW", overflow, kind, ...field, `${operand}`];
        });
        for (const { kind, offset, width } of call) if (kind !== "GET") twin.grow(offset + width);
        const wanted = call.map((step) => stepOfTwin(twin, step));
        const shown = wanted.map((value) => (value === null ? "$-1\r\n" : `:${value}\r\n`)).join("");
        assert.equal(runner.run("BITFIELD", "a", ...words), `*${call.length}\r\n${shown}`);
      }
      const bytes = Buffer.from(twin.bits.toString(16).padStart(twin.length / 4, "0"), "hex").toString("latin1");
      assert.equal(runner.run("GET", "a"), twin.length === 0 ? "$-1\r\n" : `$${bytes.length}\r\n${bytes}\r\n`);
      runner.verify();
    }),
  );
});
