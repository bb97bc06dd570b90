import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Random, seedOfRun } from "../testing/random.ts";
import { Heap, type Ref, RegionFullError } from "./heap.ts";
import { PAGE_SIZE, Region } from "./region.ts";
import { SMALL_MAX, SPAN_SIZE } from "./size-classes.ts";

const SIZE = 1024 * 1024;
const GRAIN = 16;
const seed = seedOfRun();

interface Block {
  readonly ref: Ref;
  readonly size: number;
  readonly stamp: number;
}

/** A heap and a naive twin: which 16 bytes belong to which block, and what was written there. */
class Twins {
  readonly region = new Region(SIZE);
  readonly heap = new Heap(this.region);
  readonly empty = this.heap.figures();
  readonly blocks: Block[] = [];
  readonly #owners = new Int32Array(SIZE / GRAIN);
  #stamp = 0;

  allocate(size: number, structural = false): boolean {
    const { activeBytes, capacityBytes } = this.heap.figures();
    const isTight = capacityBytes - activeBytes < 2 * size + 4 * SPAN_SIZE;
    const before = isTight ? Buffer.from(this.region.bytes) : undefined;
    let ref: Ref;
    try {
      ref = structural ? this.heap.allocateStructural(size) : this.heap.allocate(size);
    } catch (error) {
      assert(error instanceof RegionFullError);
      assert(before?.equals(this.region.bytes) ?? true, "a refused request changed something");
      return false;
    }
    assert.equal(ref % GRAIN, 0);
    assert.equal(this.heap.sizeOf(ref), Heap.roundUp(size));
    assert(this.heap.sizeOf(ref) >= size);
    for (const within of [0, 1, size >>> 1, size - 1]) {
      if (within >= 0 && within <= size && (size <= SMALL_MAX || within < PAGE_SIZE))
        assert.equal(this.heap.blockOf(ref + within), ref);
    }
    this.#stamp += 1;
    const owners = this.#owners.subarray(ref / GRAIN, (ref + this.heap.sizeOf(ref)) / GRAIN);
    assert(
      owners.every((owner) => owner === 0),
      `${ref} overlaps another block`,
    );
    owners.fill(this.#stamp);
    this.region.bytes.fill(this.#stamp, ref, ref + this.heap.sizeOf(ref));
    this.blocks.push({ ref, size, stamp: this.#stamp });
    return true;
  }

  free(index: number): void {
    const [{ ref, stamp }] = this.blocks.splice(index % this.blocks.length, 1) as [Block];
    const size = this.heap.sizeOf(ref);
    const kept = this.region.bytes.compare(Buffer.alloc(size, stamp & 0xff), 0, size, ref, ref + size) === 0;
    assert(kept, `block ${ref} did not keep its contents`);
    this.#owners.fill(0, ref / GRAIN, (ref + size) / GRAIN);
    this.heap.free(ref);
  }

  freeAll(): void {
    while (this.blocks.length > 0) this.free(this.blocks.length * 31);
  }

  verify(): void {
    this.heap.verify();
    const figures = this.heap.figures();
    const usedBytes = this.blocks.reduce((sum, { size }) => sum + Heap.roundUp(size), 0);
    assert.equal(figures.usedBytes, usedBytes);
    assert.equal(this.heap.usedBytes, usedBytes);
    assert.equal(figures.liveBlocks, this.blocks.length);
    assert(figures.activeBytes >= usedBytes && figures.activeBytes <= figures.capacityBytes);
    if (this.blocks.length === 0) assert.deepEqual(figures, this.empty);
  }
}

const size = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 200 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: SMALL_MAX }) },
  { weight: 1, arbitrary: fc.integer({ min: SMALL_MAX + 1, max: 150_000 }) },
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ allocate: size, structural: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ free: fc.nat() }) },
);

test("blocks never overlap and keep their contents, figures are exact, everything returns", (context) => {
  context.diagnostic(`seed ${seed}`);
  const property = fc.property(fc.array(step, { maxLength: 250, size: "max" }), (steps) => {
    const twins = new Twins();
    for (const each of steps) {
      if ("free" in each) {
        if (twins.blocks.length > 0) twins.free(each.free);
      } else {
        twins.allocate(each.allocate, each.structural);
      }
    }
    twins.verify();
    twins.freeAll();
    twins.verify();
  });
  fc.assert(property, { seed, numRuns: 150 });
});

test("every small size and the first large ones are served", () => {
  const twins = new Twins();
  for (let bytes = 0; bytes <= SMALL_MAX + PAGE_SIZE; bytes += bytes < 2048 ? 1 : 61) {
    assert(twins.allocate(bytes));
    if (twins.blocks.length > 5) twins.free(bytes);
  }
  twins.verify();
});

test("a span whose last block goes returns to the pages", () => {
  const { heap } = new Twins();
  const active = heap.figures().activeBytes;
  const refs = Array.from({ length: 3 * Math.floor(SPAN_SIZE / 64) }, () => heap.allocate(64));
  assert(heap.figures().activeBytes >= active + 3 * SPAN_SIZE);
  for (const ref of refs.reverse()) heap.free(ref);
  assert.equal(heap.figures().activeBytes, active);
  heap.verify();
});

for (const bytes of [200, 1000, 5000, 100_000]) {
  test(`a full region keeps a reserve for structures: blocks of ${bytes} bytes`, () => {
    const twins = new Twins();
    let plain = 0;
    while (twins.allocate(bytes)) plain += 1;
    assert(plain > 0);
    let structural = 0;
    while (twins.allocate(bytes, true)) structural += 1;
    assert(structural > 0, "the reserve can be used");
    assert(!twins.allocate(bytes));
    twins.verify();
    twins.freeAll();
    twins.verify();
    assert(twins.allocate(bytes));
  });
}

test("what was required can be allocated, in any pieces, also in a heap full of holes", () => {
  const random = new Random(seed);
  let [granted, refused] = [0, 0];
  for (let round = 0; round < 300; round++) {
    const heap = new Heap(new Region(4 * SIZE));
    const blocks: Ref[] = [];
    const size = random.pick([100, 900, 5000, 40_000, 70_000, 300_000]);
    const isFull = random.chance(0.7);
    try {
      while (isFull || blocks.length < 20) blocks.push(heap.allocate(random.between(size >>> 1, size)));
    } catch (error) {
      assert(error instanceof RegionFullError);
    }
    const keep = random.pick([2, 5, 50]);
    for (const [index, block] of blocks.entries()) if (index % keep !== 0) heap.free(block);
    const pieces = Array.from({ length: random.between(1, 30) }, () => random.pick([40, 200, 1000, 9000, 100_000]));
    const rounded = pieces.map((piece) => Heap.roundUp(piece));
    try {
      heap.require(
        rounded.reduce((sum, piece) => sum + piece, 0),
        new Set(rounded.filter((piece) => piece <= SMALL_MAX)).size,
      );
    } catch (error) {
      assert(error instanceof RegionFullError);
      refused += 1;
      continue;
    }
    granted += 1;
    for (const piece of pieces) heap.allocate(piece);
    heap.verify();
  }
  assert.ok(granted > 30 && refused > 30, `${granted} granted, ${refused} refused`);
});

test("reset takes every block back", () => {
  const twins = new Twins();
  for (let bytes = 1; bytes < 60_000; bytes += 997) twins.allocate(bytes);
  twins.heap.root = twins.blocks[0]!.ref;
  twins.heap.reset();
  twins.blocks.length = 0;
  twins.verify();
  assert.equal(twins.heap.root, 0);
  assert(twins.heap.allocate(SIZE / 2));
});

test("a heap is found again from its region alone", () => {
  const { heap, region } = new Twins();
  heap.root = heap.allocate(100);
  const again = new Heap(region);
  assert.equal(again.root, heap.root);
  assert.deepEqual(again.figures(), heap.figures());
  region.setWord(4, 99);
  assert.throws(() => new Heap(region), /another version/);
});

test("verify finds damage, and what is no block cannot be freed", () => {
  const damaged = (damage: (heap: Heap, region: Region, ref: Ref) => void): (() => void) => {
    const { heap, region } = new Twins();
    const refs = Array.from({ length: 100 }, (_, index) => heap.allocate(48 + index));
    heap.free(refs[50]!);
    damage(heap, region, refs[0]!);
    return () => heap.verify();
  };
  assert.doesNotThrow(damaged(() => undefined));
  assert.throws(
    damaged((_, region) => region.setWord(20, 7)),
    /USED_BYTES/,
  );
  assert.throws(
    damaged((_, region) => region.setWord(28, 7)),
    /LIVE_BLOCKS/,
  );
  assert.throws(
    damaged((_, region, ref) => region.setWord((ref & -PAGE_SIZE) + 8, 7)),
    /live of/,
  );
  assert.throws(damaged((_, region, ref) => region.setWord(4096 + (ref >>> 12) * 4, 0)));
  assert.throws(() => new Twins().heap.free(SIZE / 2), /not a block/);
});
