import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Random, seedOfRun } from "../testing/random.ts";
import {
  DENSE_SIZE,
  denseRank,
  isHyperLogLog,
  mergeInto,
  placeOf,
  REGISTERS,
  rankOf,
  registerOf,
} from "./hyperloglog.ts";
import { estimateOf, estimateOfRegisters } from "./hyperloglog-estimate.ts";
import { selfTest } from "./hyperloglog-self-test.ts";
import { CHANGED, DAMAGED, Sketch, UNCHANGED } from "./hyperloglog-sketch.ts";

const seed = seedOfRun();

/** A register and a rank; registers near each other, so that runs are split and joined. */
const steps = fc.array(
  fc.tuple(
    fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 300 }), fc.nat({ max: REGISTERS - 1 }), fc.constant(REGISTERS - 1)),
    fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 32 }), fc.constant(1)),
  ),
  { maxLength: 300 },
);
const sizes = fc.constantFrom(0, 18, 30, 100, 3000, 20_000);

test("a sketch has the registers of its naive twin, whatever its encoding", (context) => {
  context.diagnostic(`seed ${seed}`);
  const [sketch, other] = [new Sketch(), new Sketch()];
  const property = fc.property(steps, sizes, fc.boolean(), (given, sizeMax, isHigh) => {
    const twin = new Uint8Array(REGISTERS);
    sketch.clear();
    for (const [register, rank] of isHigh ? [...given, [77, 33] as const] : given) {
      const outcome = sketch.raise(register, rank, sizeMax);
      assert.equal(outcome, rank > twin[register]! ? CHANGED : UNCHANGED);
      twin[register] = Math.max(twin[register]!, rank);
      if (!sketch.isDense) assert.ok(sketch.length <= Math.max(18, sizeMax));
    }
    assert.ok(isHyperLogLog(sketch.bytes, 0, sketch.length));
    const merged = new Uint8Array(REGISTERS);
    assert.ok(mergeInto(merged, sketch.bytes, 0, sketch.length));
    assert.deepEqual(merged, twin);
    const estimate = estimateOf(sketch.bytes, 0, sketch.length);
    assert.equal(estimate, estimateOfRegisters(twin));
    other.clear();
    // Raised in order, as merging does it: the search that goes on where the last one ended finds the same runs.
    for (let register = 0; register < REGISTERS; register++) {
      if (twin[register]! > 0) assert.equal(other.raise(register, twin[register]!, sizeMax), CHANGED);
    }
    merged.fill(0);
    assert.ok(mergeInto(merged, other.bytes, 0, other.length));
    assert.deepEqual(merged, twin);
    assert.ok(sketch.makeDense());
    assert.equal(estimateOf(sketch.bytes, 0, DENSE_SIZE), estimate);
    for (const [register] of given) assert.equal(denseRank(sketch.bytes, 0, register), twin[register]);
  });
  fc.assert(property, { seed, numRuns: 150 });
});

test("values of any bytes are read without harm, and damage is told", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const sketch = new Sketch();
  let damaged = 0;
  for (let count = 0; count < 300; count++) {
    const header = Buffer.from("HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80", "latin1");
    const value = Buffer.concat([header, random.bytes(random.below(count % 2 === 0 ? 20 : 400))]);
    const slice = { bytes: value, start: 0, length: value.length } as Parameters<Sketch["load"]>[0];
    sketch.load(slice);
    const isWhole = mergeInto(new Uint8Array(REGISTERS), value, 0, value.length);
    assert.equal(estimateOf(value, 0, value.length) !== undefined, isWhole);
    if (!isWhole) damaged += 1;
    const outcome = sketch.raise(random.below(REGISTERS), random.between(1, 51), 3000);
    if (outcome === DAMAGED) assert.deepEqual(sketch.bytes.subarray(0, sketch.length), value);
    assert.equal(sketch.makeDense() || sketch.isDense, isWhole || sketch.isDense);
  }
  assert.ok(damaged > 100);
});

test("elements choose registers and ranks as in Redis", () => {
  const cases: [element: string, register: number, rank: number][] = [
    ["a", 12711, 2],
    ["b", 15780, 1],
    ["foo", 7348, 5],
    ["", 5938, 2],
  ];
  for (const [element, register, rank] of cases) {
    const place = placeOf(Buffer.from(element), 0, element.length);
    assert.deepEqual([registerOf(place), rankOf(place)], [register, rank], element);
  }
});

test("forged registers give what Redis gives, not a number that makes no sense", () => {
  const full = Buffer.alloc(DENSE_SIZE, 0xff);
  full[4] = 0;
  assert.equal(estimateOf(full, 0, DENSE_SIZE), -(2n ** 63n));
  assert.equal(estimateOfRegisters(new Uint8Array(REGISTERS)), 0);
  assert.equal(estimateOfRegisters(new Uint8Array(REGISTERS).fill(1)), 23_637);
});

test("the self-test finds nothing wrong", () => {
  assert.equal(selfTest(3, 100_000, 3000), undefined);
  assert.equal(selfTest(1, 1000, 0), undefined);
});
