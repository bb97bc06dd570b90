import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seedOfRun } from "../testing/random.ts";
import { formatMemorySize, parseExactMemorySize, parseMemorySize } from "./memory-size.ts";

test("sizes are read with every unit, in either case", () => {
  const cases: Array<[text: string, size: number | undefined]> = [
    ["0", 0],
    ["1024", 1024],
    ["7b", 7],
    ["3k", 3000],
    ["3kb", 3072],
    ["100mb", 104_857_600],
    ["100MB", 104_857_600],
    ["2m", 2_000_000],
    ["1g", 1_000_000_000],
    ["1Gb", 2 ** 30],
    ["", 0],
    ["kb", 0],
    ["007", 7],
    ["-1", undefined],
    ["+1", undefined],
    ["1.5gb", undefined],
    ["1 kb", undefined],
    [" 1", undefined],
    ["1tb", undefined],
    ["1kbb", undefined],
    ["constructor", undefined],
    ["1".repeat(128), undefined],
  ];
  for (const [text, size] of cases) assert.equal(parseMemorySize(text), size, JSON.stringify(text));
});

test("sizes are exact up to 2^64, and refused from there on", () => {
  assert.equal(parseExactMemorySize("18446744073709551615"), 2n ** 64n - 1n);
  assert.equal(parseExactMemorySize("18446744073709551616"), undefined);
  assert.equal(parseExactMemorySize("17179869184gb"), undefined);
  assert.equal(parseExactMemorySize("17179869183gb"), 17179869183n << 30n);
});

test("a formatted size reads back as itself", () => {
  const size = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const round = fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 20n }), fc.constantFrom(0n, 10n, 20n, 30n));
  const property = fc.property(
    fc.oneof(
      size,
      round.map(([count, shift]) => count << shift),
    ),
    (bytes) => {
      assert.equal(parseExactMemorySize(formatMemorySize(bytes)), bytes);
    },
  );
  fc.assert(property, { seed: seedOfRun() });
  assert.equal(formatMemorySize(0n), "0");
  assert.equal(formatMemorySize(2n ** 20n), "1mb");
  assert.equal(formatMemorySize(1000n), "1000");
});
