import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Int64, toInt64 } from "../base/int64.ts";
import { Heap, RegionFullError } from "../memory/heap.ts";
import { Region } from "../memory/region.ts";
import { seedOfRun } from "../testing/random.ts";
import { Intset, validateIntset } from "./intset.ts";

const seed = seedOfRun();

/** An intset beside a sorted array. */
class Twins {
  readonly region: Region;
  readonly heap: Heap;
  readonly intset: Intset;
  values: Int64[] = [];

  constructor(size = 1024 * 1024) {
    this.region = new Region(size);
    this.heap = new Heap(this.region);
    this.intset = new Intset(this.heap);
    this.intset.attach(this.intset.create());
  }

  add(value: Int64): void {
    const isNew = !this.values.includes(value);
    assert.equal(this.intset.add(value), isNew);
    if (isNew) this.values.push(value);
    this.values.sort((left, right) => (left < right ? -1 : 1));
  }

  remove(value: Int64): void {
    assert.equal(this.intset.remove(value), this.values.includes(value));
    this.values = this.values.filter((other) => other !== value);
  }

  bytes(): Buffer {
    return Buffer.from(this.region.bytes.subarray(this.intset.ref, this.intset.ref + this.intset.byteLength));
  }

  verify(): void {
    const { intset, values } = this;
    intset.verify();
    assert.equal(intset.count, values.length);
    assert.deepEqual(
      values.map((_, index) => intset.at(index)),
      values,
    );
    for (const value of values) assert(intset.has(value));
    this.heap.verify();
    assert.equal(this.heap.figures().liveBlocks, 1);
  }
}

const bounds = [0n, 2n ** 15n, 2n ** 31n, 2n ** 53n, 2n ** 63n - 2n].flatMap((bound) => [
  bound,
  bound - 1n,
  bound + 1n,
  -bound,
  -bound - 1n,
  -bound - 2n,
]);
const narrow = fc.integer({ min: -40, max: 40 });
const value = fc.oneof(
  { weight: 10, arbitrary: narrow },
  { weight: 2, arbitrary: fc.integer({ min: -40_000, max: 40_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(...bounds.map(toInt64)) },
);
const step = fc.record({ isRemoval: fc.boolean(), value });

test("an intset is what a sorted array is", (context) => {
  context.diagnostic(`seed ${seed}`);
  const property = fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
    const twins = new Twins();
    for (const each of steps) {
      if (each.isRemoval) twins.remove(each.value);
      else twins.add(each.value);
      assert.equal(twins.intset.has(each.value), !each.isRemoval);
      twins.verify();
    }
  });
  fc.assert(property, { seed, numRuns: 100 });
});

test("every write passes the guard", () => {
  const steps = fc.sample(step, { seed, numRuns: 400 });
  const twins = new Twins();
  for (let at = 0; at < steps.length; at += 10) {
    twins.region.freeze(true);
    for (const each of steps.slice(at, at + 10)) {
      if (each.isRemoval) twins.remove(each.value);
      else twins.add(each.value);
    }
    assert.equal(twins.region.release().aborted, false);
  }
  twins.verify();
});

/** Taken from redis-server 7.0.15: DUMP of a set, sixteen bits, widened to 32, and to 64. */
for (const [values, bytes] of [
  [[1, -2, 300], "0200000003000000feff01002c01"],
  [[1, -32768, 32767, 32768], "04000000040000000080ffff01000000ff7f000000800000"],
  [
    [5, -2147483648, 2147483648, -(2n ** 63n), 2n ** 63n - 1n],
    "0800000005000000000000000000008000000080ffffffff05000000000000000000008000000000ffffffffffffff7f",
  ],
] as [Int64[], string][]) {
  test(`the bytes are Redis's: ${values}`, () => {
    const twins = new Twins();
    for (const each of values) twins.add(each);
    assert.equal(twins.bytes().toString("hex"), bytes);
    twins.verify();
  });
}

test("a value for which there is no room changes nothing; removing still works", () => {
  const { intset, heap } = new Twins(256 * 1024);
  const full = 40_000;
  let added = 0;
  assert.throws(() => {
    for (; added < full; added++) intset.add(added * 2);
  }, RegionFullError);
  assert.equal(intset.count, added);
  assert.throws(() => intset.add(2n ** 60n), RegionFullError);
  assert.equal(intset.count, added);
  intset.verify();
  for (let value = 0; value < added; value++) assert(intset.remove(value * 2));
  intset.verify();
  heap.verify();
  assert(heap.sizeOf(intset.ref) <= 64);
});

test("a damaged intset is told", () => {
  const twins = new Twins();
  for (const each of [1, 2, 3, -5, 1000]) twins.add(each);
  const good = twins.bytes();
  assert(validateIntset(good, 0, good.length));
  assert(validateIntset(Buffer.concat([Buffer.alloc(1), good]), 1, good.length));
  for (let length = 0; length < good.length; length++) assert.equal(validateIntset(good, 0, length), false);
  const damage = (at: number, byte: number): boolean => {
    const damaged = Buffer.from(good);
    damaged[at] = byte;
    return validateIntset(damaged, 0, damaged.length);
  };
  assert.equal(damage(0, 3), false);
  assert.equal(damage(0, 4), false);
  assert.equal(damage(4, 4), false);
  assert.equal(damage(7, 128), false);
  assert.equal(damage(8, 1), true);
  assert.equal(damage(9, 1), false);
  assert.equal(damage(12, 1), false);
  const empty = Buffer.from("0200000000000000", "hex");
  assert.equal(validateIntset(empty, 0, 8), false);
  for (const width of [4, 8]) {
    const wide = Buffer.alloc(8 + 2 * width);
    wide.writeUInt32LE(width, 0);
    wide.writeUInt32LE(2, 4);
    wide.writeInt8(-1, 8 + width - 1);
    assert(validateIntset(wide, 0, wide.length));
    wide.fill(0, 8);
    assert.equal(validateIntset(wide, 0, wide.length), false);
  }
});
