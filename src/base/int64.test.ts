import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seedOfRun } from "../testing/random.ts";
import {
  addInt64,
  fromWords,
  highWord,
  INT64_MAX,
  INT64_MIN,
  type Int64,
  lengthOfInt64,
  lowWord,
  multiplyInt64,
  parseInt64,
  toInt64,
  writeInt64,
} from "./int64.ts";

const RUNS = { seed: seedOfRun(), numRuns: 5000 };

/** Around every place where something changes: powers of two and of ten, and the ends. */
const boundaries: readonly bigint[] = [
  ...Array.from({ length: 64 }, (_, exponent) => 2n ** BigInt(exponent)),
  ...Array.from({ length: 19 }, (_, exponent) => 10n ** BigInt(exponent)),
]
  .flatMap((power) => [power - 1n, power, power + 1n])
  .flatMap((value) => [value, -value])
  .filter((value) => value >= INT64_MIN && value <= INT64_MAX);

const anyInt64 = fc.oneof(
  fc.bigInt({ min: INT64_MIN, max: INT64_MAX }),
  fc.constantFrom(...boundaries),
  fc.bigInt({ min: -1000n, max: 1000n }),
);

/** Exactly one form for each value. */
function assertForm(value: Int64 | undefined, expected: bigint): void {
  const isSafe = BigInt.asIntN(54, expected) === expected && expected !== -(2n ** 53n);
  assert.equal(typeof value, isSafe ? "number" : "bigint", `the form of ${expected}`);
  assert.equal(BigInt(value!), expected);
  assert.ok(!Object.is(value, -0));
}

function parse(text: string): Int64 | undefined {
  const bytes = Buffer.from(`<${text}>`, "latin1");
  return parseInt64(bytes, 1, text.length);
}

function checkEverything(value: bigint): void {
  const int = toInt64(value);
  assertForm(int, value);
  assertForm(parse(value.toString()), value);
  assert.equal(lengthOfInt64(int), value.toString().length);
  const target = Buffer.alloc(40, "#");
  const end = writeInt64(int, target, 7);
  assert.equal(target.latin1Slice(0, 40), `#######${value}`.padEnd(40, "#"));
  assert.equal(end, 7 + value.toString().length);
  assert.equal(BigInt(lowWord(int)), BigInt.asIntN(32, value));
  assert.equal(BigInt(highWord(int)), value >> 32n);
  assertForm(fromWords(lowWord(int), highWord(int)), value);
}

test("boundaries are read, written, taken apart and put together", () => {
  assert.ok(boundaries.length > 300);
  for (const value of boundaries) checkEverything(value);
});

test("so is any other value", () => {
  fc.assert(fc.property(anyInt64, checkEverything), RUNS);
});

test("sums and products are those of BigInt, or undefined beyond 64 bits", () => {
  const checkResult = (result: Int64 | undefined, expected: bigint) => {
    if (expected < INT64_MIN || expected > INT64_MAX) assert.equal(result, undefined);
    else assertForm(result, expected);
  };
  const check = (left: bigint, right: bigint) => {
    checkResult(addInt64(toInt64(left), toInt64(right)), left + right);
    checkResult(multiplyInt64(toInt64(left), toInt64(right)), left * right);
  };
  fc.assert(fc.property(anyInt64, anyInt64, check), RUNS);
  const others = [0n, 1n, -1n, 2n, 1000n, INT64_MAX, INT64_MIN, 2n ** 53n, -(2n ** 53n)];
  for (const value of boundaries) {
    for (const other of [...others, value]) check(value, other);
    check(value, value === INT64_MIN ? INT64_MIN : -value);
  }
});

test("only the canonical form of 64 bits is an integer", () => {
  const refused = [
    ...["", "-", "+", "+1", "-0", "00", "01", "-01", "0x1", "1.", "1.0", "1e3", " 1", "1 ", "1\0", "--1", "1-", "a"],
    ...["9223372036854775808", "-9223372036854775809", "99999999999999999999", "18446744073709551616", "1".repeat(21)],
    ...["1".repeat(1000), "\xb2", "٣", ":", "/"],
  ];
  for (const text of refused) assert.equal(parse(text), undefined, JSON.stringify(text));
  const digits = fc.string({ unit: fc.constantFrom(..."--0123456789"), maxLength: 22 });
  fc.assert(
    fc.property(digits, (text) => {
      const isCanonical = /^-?\d+$/.test(text) && BigInt(text).toString() === text;
      const isIn = isCanonical && BigInt(text) >= INT64_MIN && BigInt(text) <= INT64_MAX;
      if (isIn) assertForm(parse(text), BigInt(text));
      else assert.equal(parse(text), undefined);
    }),
    RUNS,
  );
});
