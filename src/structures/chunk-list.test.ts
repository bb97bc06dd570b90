import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Slice } from "../base/bytes.ts";
import { Heap, RegionFullError } from "../memory/heap.ts";
import { Region } from "../memory/region.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { ChunkList } from "./chunk-list.ts";

const seed = seedOfRun();

/** A chunk list beside an array that holds what it should. */
class Twins {
  readonly region: Region;
  readonly heap: Heap;
  readonly list: ChunkList;
  readonly limit: number;
  elements: string[] = [];

  constructor(limit: number, size = 4 * 1024 * 1024) {
    this.limit = limit;
    this.region = new Region(size);
    this.heap = new Heap(this.region);
    this.list = new ChunkList(this.heap);
    this.list.attach(this.list.create());
  }

  push(isHead: boolean, text: string): void {
    this.list.push(isHead, Buffer.from(text), 0, text.length, this.limit);
    if (isHead) this.elements.unshift(text);
    else this.elements.push(text);
  }

  insert(index: number, isBehind: boolean, text: string): void {
    const at = this.list.seek(index);
    this.list.insert(at, isBehind, Buffer.from(text), 0, text.length, this.limit);
    this.elements.splice(isBehind ? index + 1 : index, 0, text);
  }

  contents(isForward: boolean): string[] {
    const { list } = this;
    const found: string[] = [];
    const slice = new Slice();
    for (let at = isForward ? list.first() : list.last(); at !== 0; ) {
      found.push(list.pack.read(at, slice).toLatin1());
      const next = isForward ? list.pack.next(at) : list.pack.previous(at);
      at = next !== 0 ? next : isForward ? list.nextNode() : list.previousNode();
    }
    return found;
  }

  verify(): void {
    const { list, elements, heap } = this;
    list.verify();
    assert.deepEqual(this.contents(true), elements);
    assert.deepEqual(this.contents(false), elements.toReversed());
    assert.equal(list.count, elements.length);
    const slice = new Slice();
    for (const index of [0, 1, elements.length >>> 1, elements.length - 1, -1, -2, -(elements.length >>> 1)]) {
      const at = list.seek(index);
      assert.equal(at === 0 ? undefined : list.pack.read(at, slice).toLatin1(), elements.at(index));
    }
    assert.equal(list.seek(elements.length), 0);
    assert.equal(list.seek(-elements.length - 1), 0);
    heap.verify();
    assert.equal(heap.figures().liveBlocks, 1 + 2 * list.nodes);
  }
}

const element = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 100_000 }).map(String) },
  { weight: 6, arbitrary: fc.nat({ max: 1000 }).map((value) => `element ${value}`) },
  { weight: 1, arbitrary: fc.constantFrom(500, 2000, 5000, 8170, 9000).map((length) => "v".repeat(length)) },
);
const place = fc.nat({ max: 100_000 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ push: fc.array(element, { maxLength: 40 }), isHead: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ insert: element, place, isBehind: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ replace: element, place }) },
  { weight: 3, arbitrary: fc.record({ removeOne: place, isForward: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ from: place, count: fc.nat({ max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ copy: place, isHead: fc.boolean() }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function apply(twins: Twins, each: Step): void {
  const { list, elements, limit } = twins;
  const size = elements.length;
  if ("push" in each) {
    for (const text of each.push) twins.push(each.isHead, text);
  } else if (size === 0) {
    twins.push(true, "only");
  } else if ("insert" in each) {
    twins.insert(each.place % size, each.isBehind, each.insert);
  } else if ("replace" in each) {
    const index = each.place % size;
    list.replace(list.seek(index), Buffer.from(each.replace), 0, each.replace.length);
    elements[index] = each.replace;
  } else if ("removeOne" in each) {
    const index = each.removeOne % size;
    const at = list.seek(index);
    const next = each.isForward ? list.removeForward(at) : list.removeBackward(at);
    elements.splice(index, 1);
    const neighbour = each.isForward ? elements[index] : elements[index - 1];
    assert.equal(next === 0 ? undefined : list.pack.read(next, new Slice()).toLatin1(), neighbour);
  } else if ("from" in each) {
    const from = each.from % size;
    const count = Math.min(each.count, size - from);
    list.removeRange(from, count);
    elements.splice(from, count);
  } else {
    const index = each.copy % size;
    const { bytes, start, length } = list.pack.read(list.seek(index), new Slice());
    list.push(each.isHead, bytes, start, length, limit);
    elements[each.isHead ? "unshift" : "push"](elements[index]!);
  }
}

for (const limit of [-1, -2, -5, 1, 2, 7, 128, 0]) {
  test(`a chunk list is what an array is, limit ${limit}`, (context) => {
    context.diagnostic(`seed ${seed}`);
    const property = fc.property(fc.array(step, { maxLength: 30, size: "max" }), (steps) => {
      const twins = new Twins(limit);
      for (const each of steps) {
        apply(twins, each);
        twins.verify();
      }
    });
    fc.assert(property, { seed, numRuns: 25 });
  });
}

test("every write passes the guard", () => {
  const random = new Random(seed);
  const sample = fc.sample(step, { seed, numRuns: 300 });
  const twins = new Twins(5);
  for (let round = 0; round < 30; round++) {
    twins.region.freeze(true);
    for (let count = 0; count < 10; count++) apply(twins, random.pick(sample));
    assert.equal(twins.region.release().aborted, false);
  }
  twins.verify();
});

test("a full node is split where an element is put into it, and what fits is joined", () => {
  const twins = new Twins(4);
  for (let value = 0; value < 12; value++) twins.push(false, `${value}`);
  twins.insert(5, true, "x");
  assert.deepEqual(sizes(twins), [4, 2, 3, 4]);
  for (const [from, count] of [
    [0, 3],
    [3, 2],
    [5, 3],
  ] as const) {
    twins.list.removeRange(from, count);
    twins.elements.splice(from, count);
  }
  assert.deepEqual(sizes(twins), [1, 2, 1, 1], "removing joins nothing");
  for (const text of ["p", "q", "r"]) twins.insert(1, true, text);
  assert.deepEqual(sizes(twins), [2, 4, 1, 1], "around a split, what fits is joined");
  twins.verify();
});

test("an element at the end of a full node goes to its neighbour, or to a node of its own", () => {
  const twins = new Twins(4);
  for (let value = 0; value < 8; value++) twins.push(false, `${value}`);
  twins.insert(3, true, "between");
  assert.deepEqual(sizes(twins), [4, 1, 4]);
  twins.insert(5, false, "again");
  assert.deepEqual(sizes(twins), [4, 2, 4]);
  twins.insert(3, true, "and again");
  assert.deepEqual(sizes(twins), [4, 3, 4]);
  twins.verify();
});

function sizes(twins: Twins): number[] {
  const found: number[] = [];
  twins.list.forEachListpack((_, count) => found.push(count));
  return found;
}

test("without room, a write changes nothing, and removing works", () => {
  const twins = new Twins(-1, 256 * 1024);
  const random = new Random(seed);
  let refused = 0;
  for (let round = 0; round < 1500; round++) {
    const text = "v".repeat(random.below(900));
    try {
      if (twins.elements.length > 0 && random.chance(0.5)) {
        twins.insert(random.below(twins.elements.length), random.chance(0.5), text);
      } else {
        twins.push(random.chance(0.5), text);
      }
    } catch (error) {
      assert(error instanceof RegionFullError);
      refused += 1;
      if (refused % 100 === 1) twins.verify();
    }
  }
  assert(refused > 100);
  twins.verify();
  for (; twins.elements.length > 0; twins.elements.splice(0, 7)) {
    twins.list.removeRange(0, Math.min(7, twins.elements.length));
  }
  twins.verify();
});

test("elements of a large list cost little more than their bytes, and no write much work", () => {
  const twins = new Twins(-2, 16 * 1024 * 1024);
  const { region, heap, list } = twins;
  let written = 0;
  const guard = region.guard.bind(region);
  region.guard = (at, length) => {
    written += length;
    guard(at, length);
  };
  for (const isHead of [true, false]) {
    written = 0;
    for (let value = 0; value < 100_000; value++) list.push(isHead, Buffer.from("0123456789"), 1, 8, -2);
    assert(written < 100_000 * 250, `${written} bytes were written`);
  }
  assert(heap.figures().usedBytes < 200_000 * 10 * 1.2, `${heap.figures().usedBytes} bytes`);
  written = 0;
  for (let round = 0; round < 100_000; round++) list.removeForward(list.first());
  for (let round = 0; round < 100_000; round++) list.removeBackward(list.last());
  assert(written < 200_000 * 250, `${written} bytes were written`);
  assert.equal(heap.figures().liveBlocks, 1);
});
