import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seedOfRun } from "../testing/random.ts";
import { formatDouble, formatSeventeenDigits } from "./format-double.ts";

test("doubles are formatted as Redis 7.2 formats them", () => {
  const cases: ReadonlyArray<readonly [value: number, text: string]> = [
    [0, "0"],
    [3, "3"],
    [0.1, "0.1"],
    [0.30000000000000004, "0.30000000000000004"],
    [4.1415926535897931, "4.141592653589793"],
    [1e6, "1000000"],
    [1e17, "100000000000000000"],
    [2 ** 53, "9007199254740992"],
    [2 ** 62, "4611686018427387904"],
    [2 ** 63, "9223372036854776000"],
    [1e19, "1e+19"],
    [12345678901234567000, "12345678901234567000"],
    [1e21, "1e+21"],
    [1.5e300, "1.5e+300"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [1e-6, "0.000001"],
    [1e-7, "1e-7"],
    [1.5e-7, "1.5e-7"],
    [0.001234567890123, "0.001234567890123"],
    [0.0001234567890123, "1.234567890123e-4"],
    [12345.678901, "12345.678901"],
    [12345.6789012, "1.23456789012e+4"],
    [1234.56789012345, "1234.56789012345"],
    [1e-100, "1e-100"],
    [5e-324, "5e-324"],
    [Infinity, "inf"],
  ];
  for (const [value, text] of cases) {
    assert.equal(formatDouble(value), text);
    assert.equal(formatDouble(-value), `-${text}`);
  }
  assert.equal(formatDouble(Number.NaN), "nan");
});

test("a formatted double reads back as itself", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.equal(Number(formatDouble(value)), value);
    }),
    { seed: seedOfRun(), numRuns: 5000 },
  );
});

test("seventeen digits as C prints them", () => {
  const cases: [value: number, text: string][] = [
    [0.1, "0.10000000000000001"],
    [-0.3, "-0.29999999999999999"],
    [1, "1"],
    [-0, "-0"],
    [100, "100"],
    [1234567.5, "1234567.5"],
    [1e16, "10000000000000000"],
    [1e17, "1e+17"],
    [1.5e300, "1.5000000000000001e+300"],
    [0.0001, "0.0001"],
    [0.00001, "1.0000000000000001e-05"],
    [1e-300, "1e-300"],
    [9007199254740994, "9007199254740994"],
    [Number.POSITIVE_INFINITY, "inf"],
    [Number.NEGATIVE_INFINITY, "-inf"],
  ];
  for (const [value, text] of cases) assert.equal(formatSeventeenDigits(value), text);
});
