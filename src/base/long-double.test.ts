import assert from "node:assert/strict";
import { test } from "node:test";
import { LongDouble } from "./long-double.ts";

function sum(left: string, right: string): string | undefined {
  const [one, other] = [LongDouble.parse(left), LongDouble.parse(right)];
  if (one === undefined || other === undefined) return undefined;
  const result = one.plus(other);
  return result.isFinite ? result.toString() : "not finite";
}

/** What a program in C prints with %.17Lf on x86, zeros and a bare sign taken off. */
const SUMS: readonly (readonly [left: string, right: string, sum: string | undefined])[] = [
  ["0", "0", "0"],
  ["0.1", "0.2", "0.3"],
  ["3.0e3", "200", "3200"],
  ["10.50", "0.1", "10.6"],
  ["-5", "5.0", "0"],
  ["-0", "-0", "0"],
  ["-1e-20", "0", "0"],
  ["5e-18", "0", "0"],
  ["6e-18", "0", "0.00000000000000001"],
  ["-6e-18", "0", "-0.00000000000000001"],
  ["9223372036854775807", "0", "9223372036854775807"],
  ["18446744073709551615", "0", "18446744073709551615"],
  ["18446744073709551616", "1", "18446744073709551616"],
  ["18446744073709551616", "2", "18446744073709551618"],
  ["18446744073709551617", "0", "18446744073709551616"],
  ["18446744073709551619", "0", "18446744073709551620"],
  ["0.1", "1e18", "1000000000000000000.125"],
  [".5", "5.", "5.5"],
  ["+1", "1E2", "101"],
  ["0x10", "0x1p-3", "16.125"],
  ["0X.8", "-0xA.8p1", "-20.5"],
  ["1e-4950", "0", "0"],
  ["0e99999999999", "1", "1"],
  ["0x0p99999999999", "1", "1"],
  ["inf", "1", "not finite"],
  ["-infinity", "INF", "not finite"],
  ["1e4932", "1e4932", "not finite"],
];

test("sums are those of the processor", () => {
  for (const [left, right, wanted] of SUMS) {
    assert.equal(sum(left, right), wanted, `${left} + ${right}`);
    assert.equal(sum(right, left), wanted, `${right} + ${left}`);
  }
});

test("the largest and the smallest numbers", () => {
  const largest = "1.18973149535723176502e4932";
  assert.equal(LongDouble.parse(largest)?.toString().length, 4933);
  assert.equal(sum(largest, largest), "not finite");
  assert.equal(LongDouble.parse("1.18973149535723176505e4932")?.toString().length, 4933);
  assert.equal(LongDouble.parse("1.18973149535723176506e4932"), undefined);
  assert.equal(LongDouble.parse("0x1p16384"), undefined);
  assert.equal(LongDouble.parse("0x0.ffffffffffffffff8p16384"), undefined);
  assert.notEqual(LongDouble.parse("0x0.ffffffffffffffff7p16384"), undefined);
  assert.equal(LongDouble.parse("0x1p-16445")?.isZero, false);
  assert.equal(LongDouble.parse("0x1p-16446"), undefined);
  assert.equal(LongDouble.parse("0x1.8p-16446")?.isZero, false);
  assert.equal(LongDouble.parse("1e-4951"), undefined);
});

test("what is no number to Redis is none here", () => {
  const texts = [
    "",
    " ",
    " 1",
    "1 ",
    "-",
    "+",
    ".",
    "e5",
    "1e",
    "1e+",
    "--1",
    "1.5abc",
    "1,5",
    "nan",
    "-nan",
    "0x",
    "0x.",
    "0x1p",
  ];
  for (const text of [
    ...texts,
    "infinit",
    "1.5\0",
    "1e5000",
    "-1e5000",
    "1e-5000",
    "1e99999999999",
    "0x1p99999999999",
  ]) {
    assert.equal(LongDouble.parse(text), undefined, JSON.stringify(text));
  }
  assert.equal(LongDouble.parse("0".repeat(5119))?.toString(), "0");
  assert.equal(LongDouble.parse("0".repeat(5120)), undefined);
});

test("integers of 64 bits are exact", () => {
  for (const value of [0, 1, -1, 2 ** 53 - 1, 2n ** 63n - 1n, -(2n ** 63n)]) {
    assert.equal(LongDouble.fromInt64(value).toString(), `${value}`);
  }
});
