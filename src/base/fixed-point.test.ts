import assert from "node:assert/strict";
import { test } from "node:test";
import { formatFixed, formatFixedShort } from "./fixed-point.ts";

test("numbers are written as printf does", () => {
  const cases: [value: number, digits: number, text: string][] = [
    [0, 6, "0.000000"],
    [-0, 6, "-0.000000"],
    [200, 6, "200.000000"],
    // Halves between two: to the even one.
    [0.5 ** 7, 6, "0.007812"],
    [3 * 0.5 ** 7, 6, "0.023438"],
    [-200.0078125, 6, "-200.007812"],
    [0.1, 17, "0.10000000000000001"],
    [1e20, 1, "100000000000000000000.0"],
    [1e22, 2, "10000000000000000000000.00"],
    [-1e300, 1, `-${BigInt(1e300)}.0`],
    [Number.POSITIVE_INFINITY, 6, "inf"],
    [Number.NEGATIVE_INFINITY, 6, "-inf"],
    [Number.NaN, 6, "nan"],
  ];
  for (const [value, digits, text] of cases) assert.equal(formatFixed(value, digits), text);
});

test("zeros at the end are left out, and the sign of nothing", () => {
  const cases: [value: number, text: string][] = [
    [13.361389338970184, "13.36138933897018433"],
    [100, "100"],
    [0.25, "0.25"],
    [-1e-20, "0"],
    [0, "0"],
    [-0, "0"],
    [-85.05112878, "-85.0511287799999991"],
    [Number.POSITIVE_INFINITY, "inf"],
  ];
  for (const [value, text] of cases) assert.equal(formatFixedShort(value, 17), text);
});
