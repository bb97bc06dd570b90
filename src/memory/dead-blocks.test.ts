import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seedOfRun } from "../testing/random.ts";
import { DeadBlocks } from "./dead-blocks.ts";
import { Heap, type Ref } from "./heap.ts";
import { Region } from "./region.ts";

const seed = seedOfRun();
const SIZE = 64 * 1024 * 1024;

/** A heap full of blocks of a few sizes, and what finds and takes back those of them that are dead. */
class Cemetery {
  readonly region = new Region(SIZE);
  readonly heap = new Heap(this.region);
  /** The finder's: over a view, as another thread has it. */
  readonly finder: DeadBlocks;
  readonly owner: DeadBlocks;
  readonly blocks: Ref[] = [];

  constructor(sizes: readonly number[]) {
    for (const size of sizes) this.blocks.push(this.heap.allocate(size));
    this.owner = new DeadBlocks(this.region);
    this.finder = new DeadBlocks(Region.view(this.region.buffer), this.owner.buffer);
  }

  mark(dead: readonly Ref[]): void {
    this.finder.begin();
    for (const block of dead) this.finder.mark(block);
    this.finder.end();
  }

  link(): void {
    for (let row = 0; row < this.finder.rows; row++) this.finder.link(row);
  }

  takeBack(isLinked: boolean): void {
    assert.equal(this.owner.countFrom(this.owner.rows), 0);
    for (let row = 0; row < this.owner.rows; row++) {
      const [before, count] = [
        this.heap.figures().liveBlocks,
        this.owner.countFrom(row) - this.owner.countFrom(row + 1),
      ];
      this.owner.takeBack(this.heap, row, isLinked);
      assert.equal(this.heap.figures().liveBlocks, before - count);
      if (row % 8 === 0) this.heap.verify();
    }
    this.heap.verify();
  }

  /** All marks, as they are left behind. */
  get isClear(): boolean {
    const words = new Int32Array(this.owner.buffer);
    const rows = 16 + (SIZE >>> 12);
    return words.subarray(rows).every((word) => word === 0);
  }
}

const size = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(16, 48, 100) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 16_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 16_000, max: 100_000 }) },
);
const plan = fc.record({
  sizes: fc.array(size, { minLength: 1, maxLength: 2000, size: "max" }),
  /** How many of a hundred blocks die in each round. */
  shares: fc.array(fc.constantFrom(1, 30, 99, 100), { minLength: 1, maxLength: 4 }),
  links: fc.constantFrom("none", "all", "cut off"),
  choice: fc.nat(),
});

test("blocks that were found dead come back as if they had been freed one by one", (context) => {
  context.diagnostic(`seed ${seed}`);
  const property = fc.property(plan, ({ sizes, shares, links, choice }) => {
    const twin = new Heap(new Region(SIZE));
    const twins = sizes.map((bytes) => twin.allocate(bytes));
    const cemetery = new Cemetery(sizes);
    let living = cemetery.blocks.map((_, index) => index);
    for (const [round, share] of shares.entries()) {
      const dead = living.filter((index) => (index * 7919 + choice + round * 31) % 100 < share);
      living = living.filter((index) => !dead.includes(index));
      cemetery.mark(dead.map((index) => cemetery.blocks[index]!).sort((a, b) => (a ^ choice) - (b ^ choice)));
      cemetery.heap.verify();
      assert.equal(cemetery.owner.countFrom(0), dead.length);
      if (links !== "none") cemetery.link();
      cemetery.heap.verify();
      cemetery.takeBack(links === "all");
      for (const index of dead) twin.free(twins[index]!);
      assert.equal(cemetery.heap.usedBytes, twin.usedBytes);
      assert.equal(cemetery.heap.figures().liveBlocks, living.length);
      assert(cemetery.isClear);
    }
    for (const index of living) cemetery.heap.free(cemetery.blocks[index]!);
    cemetery.heap.verify();
    assert.deepEqual(cemetery.heap.figures(), new Heap(new Region(SIZE)).figures());
  });
  fc.assert(property, { seed, numRuns: 60 });
});

test("what the owner does between marking and taking back is kept", () => {
  const cemetery = new Cemetery(Array.from({ length: 4000 }, () => 64));
  const { heap, blocks } = cemetery;
  const dead = blocks.filter((_, index) => index % 3 !== 0);
  cemetery.mark(dead);
  // Spans that were full have room now, spans had their last living block freed, others have got new ones.
  for (const [index, block] of blocks.entries()) if (index % 3 === 0 && index > 2000) heap.free(block);
  cemetery.link();
  const late = Array.from({ length: 500 }, () => heap.allocate(64));
  heap.verify();
  cemetery.takeBack(true);
  assert.equal(heap.figures().liveBlocks, 667 + 500);
  assert.equal(new Set(late).size, 500);
  const again = Array.from({ length: dead.length }, () => heap.allocate(64));
  assert.equal(new Set([...again, ...late]).size, again.length + late.length);
  heap.verify();
});

test("a dead span is neither linked nor written to", () => {
  const cemetery = new Cemetery(Array.from({ length: 5000 }, () => 128));
  const before = Buffer.from(cemetery.region.bytes);
  cemetery.mark(cemetery.blocks);
  cemetery.link();
  assert(before.equals(cemetery.region.bytes));
  cemetery.takeBack(true);
  assert.equal(cemetery.heap.usedBytes, 0);
});

test("rows that are cleared leave the blocks alone", () => {
  const cemetery = new Cemetery([16, 16, 40_000, 70_000, 16_400]);
  cemetery.mark(cemetery.blocks);
  for (let row = 0; row < cemetery.owner.rows; row++) cemetery.owner.clearRow(row);
  assert(cemetery.isClear);
  assert.equal(cemetery.heap.figures().liveBlocks, 5);
  cemetery.heap.verify();
});

test("a block that is dead twice, or none, is refused; a view is not written to", () => {
  const cemetery = new Cemetery([16, 40_000]);
  cemetery.mark(cemetery.blocks);
  assert.throws(() => cemetery.finder.mark(cemetery.blocks[0]!), /dead already/);
  assert.throws(() => cemetery.finder.mark(4096), /not a block/);
  assert.throws(() => Region.view(cemetery.region.buffer).setWord(4096, 1), /only its owner/);
  assert.throws(() => new Heap(Region.view(cemetery.region.buffer)).allocate(16), /only its owner/);
});
