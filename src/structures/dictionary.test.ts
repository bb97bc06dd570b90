import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RegionFullError } from "../memory/heap.ts";
import { PAGE_SIZE } from "../memory/region.ts";
import { chiSquared, DictionaryTwins, type HashShape } from "../testing/freeze-dictionary.ts";
import { Random, seedOfRun } from "../testing/random.ts";

const seed = seedOfRun();

const shape = fc.constantFrom<HashShape>("uniform", "clustered", "colliding");
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ insert: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 2, arbitrary: fc.record({ insert: fc.integer({ min: 500, max: 3000 }) }) },
  { weight: 3, arbitrary: fc.record({ remove: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.integer({ min: 500, max: 3000 }) }) },
  { weight: 1, arbitrary: fc.record({ replace: fc.integer({ min: 1, max: 60 }) }) },
);

test("a dictionary is what a Map is, while it grows by splits and shrinks by merges", (context) => {
  context.diagnostic(`seed ${seed}`);
  let [most, merged] = [0, 0];
  const property = fc.property(
    shape,
    fc.array(step, { maxLength: 12, size: "max" }),
    fc.integer(),
    (kind, steps, choice) => {
      const twins = new DictionaryTwins(4 * 1024 * 1024, kind, new Random(choice));
      let segments = 0;
      for (const each of steps) {
        if ("insert" in each) twins.insert(each.insert);
        else if ("remove" in each) twins.remove(each.remove);
        else twins.replace(each.replace);
        most = Math.max(most, twins.dictionary.segments);
        if (twins.dictionary.segments < segments) merged += 1;
        segments = twins.dictionary.segments;
        twins.verify();
      }
      twins.remove(twins.size);
      twins.verify();
      assert.equal(twins.heap.figures().liveBlocks, 1, "an empty dictionary has no tables");
    },
  );
  fc.assert(property, { seed, numRuns: 60 });
  assert(most > 8 && merged > 8, `only ${most} segments, ${merged} merges`);
});

test("many keys of one and the same hash are told apart", () => {
  const twins = new DictionaryTwins(1024 * 1024, "uniform", new Random(1));
  twins.insert(700);
  for (let count = 0; count < 400; count++) twins.insertHash(0x12345678);
  twins.verify();
  twins.remove(900);
  twins.verify();
  twins.remove(twins.size);
  twins.verify();
});

test("more keys of one hash than a segment holds are refused, and nothing is lost", () => {
  const twins = new DictionaryTwins(8 * 1024 * 1024, "uniform", new Random(2));
  twins.insert(2000);
  let refused = 0;
  for (let count = 0; count < 700; count++) {
    try {
      twins.insertHash(-1);
    } catch (error) {
      assert(error instanceof RegionFullError);
      refused += 1;
    }
  }
  assert(refused > 0 && refused < 200);
  twins.verify();
  twins.insert(1000);
  twins.remove(twins.size - 1);
  twins.verify();
  twins.remove(1);
  assert.equal(twins.heap.figures().liveBlocks, 1);
});

test("a full region: goes on while a slot is empty, refuses without a change, shrinks to nothing", () => {
  const twins = new DictionaryTwins(256 * 1024, "uniform", new Random(3));
  let refused = 0;
  while (refused < 2000) {
    const before = Buffer.from(twins.region.bytes);
    try {
      twins.insert(1);
    } catch (error) {
      assert(error instanceof RegionFullError);
      if (refused % 100 === 0) assert.equal(twins.headerDiffers(before), false);
      refused += 1;
    }
  }
  const { segments, capacity, count } = twins.dictionary;
  assert(count > segments * capacity * 0.85, `${count} refs in ${segments} segments of ${capacity}`);
  twins.verify();
  while (twins.size > 0) {
    twins.remove(Math.min(twins.size, 97));
    twins.verify();
  }
  assert.equal(twins.heap.figures().liveBlocks, 1);
});

test("no operation does more than a few segments' work, but for the directory", () => {
  const twins = new DictionaryTwins(64 * 1024 * 1024, "uniform", new Random(4));
  let written = 0;
  const { region } = twins;
  const guard = region.guard.bind(region);
  region.guard = (at, length) => {
    written += length;
    guard(at, length);
  };
  const worstOf = (count: number, operation: () => void): number => {
    let worst = 0;
    for (let done = 0; done < count; done++) {
      written = 0;
      operation();
      worst = Math.max(worst, written);
    }
    return worst;
  };
  const segmentBytes = twins.dictionary.capacity * 8;
  assert.equal(segmentBytes, 0);
  const insert = worstOf(300_000, () => twins.insert(1));
  const remove = worstOf(300_000, () => twins.removeLast());
  assert(insert < 4 * PAGE_SIZE + 2 * 542 * 8 + 8192 * 4, `an insertion wrote ${insert} bytes`);
  assert(remove < 4 * PAGE_SIZE + 2 * 542 * 8 + 8192 * 4, `a removal wrote ${remove} bytes`);
});

for (const size of [1, 7, 400, 5000]) {
  test(`sample chooses each of ${size} keys alike`, () => {
    const random = new Random(size);
    const twins = new DictionaryTwins(1024 * 1024, "uniform", random);
    twins.insert(size * 3);
    twins.remove(size * 2);
    const counts = new Map<number, number>();
    for (let draw = 0; draw < size * 40; draw++) {
      const ref = twins.dictionary.sample(() => random.below(2 ** 30) / 2 ** 30);
      counts.set(ref, (counts.get(ref) ?? 0) + 1);
    }
    const deviation = chiSquared([...counts.values()], size, 40);
    assert(deviation < size + 5 * Math.sqrt(2 * size), `chi-squared is ${deviation}`);
  });
}

test("sample of an empty dictionary is nothing", () => {
  const twins = new DictionaryTwins(1024 * 1024, "uniform", new Random(5));
  assert.equal(twins.dictionary.sample(Math.random), 0);
  twins.insert(1000);
  twins.clear();
  assert.equal(twins.dictionary.sample(Math.random), 0);
  twins.verify();
});
