import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Ref } from "../memory/heap.ts";
import { DictionaryTwins, type HashShape } from "../testing/freeze-dictionary.ts";
import { Random, seedOfRun } from "../testing/random.ts";

const END = 2 ** 32;
const seed = seedOfRun();

const shape = fc.constantFrom<HashShape>("uniform", "clustered", "colliding");
const size = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 6000 }));

test("scan visits every key once when nothing changes", (context) => {
  context.diagnostic(`seed ${seed}`);
  const property = fc.property(shape, size, fc.integer(), (kind, count, choice) => {
    const twins = new DictionaryTwins(2 * 1024 * 1024, kind, new Random(choice));
    twins.insert(count);
    const seen: Ref[] = [];
    for (let cursor = 0; cursor !== END; ) {
      const next = twins.dictionary.scan(cursor, (ref) => seen.push(ref));
      assert(next > cursor && next <= END && Number.isInteger(next));
      cursor = next;
    }
    assert.equal(seen.length, count);
    assert.equal(new Set(seen).size, count);
  });
  fc.assert(property, { seed, numRuns: 60 });
});

/** What happens in the middle of a walk: after `at` of the hash space, so many keys come and then go. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  insert: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3000 })),
  remove: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 6000 })),
});

test("scan visits every key that is there from its first call to its last, whatever else comes and goes", (context) => {
  context.diagnostic(`seed ${seed}`);
  let [walksWithSplits, walksWithMerges] = [0, 0];
  const arbitrary = [
    shape,
    size,
    size,
    fc.array(change, { minLength: 1, maxLength: 16, size: "max" }),
    fc.integer(),
  ] as const;
  const property = fc.property(...arbitrary, (kind, stable, fleeting, changes, choice) => {
    const pending = changes.toSorted((left, right) => left.at - right.at);
    const twins = new DictionaryTwins(8 * 1024 * 1024, kind, new Random(choice));
    twins.insert(stable);
    const wanted = new Set(twins.hashes.keys());
    twins.insert(fleeting);
    const everThere = new Set(twins.hashes.keys());
    const before = twins.dictionary.segments;
    let [fewest, most] = [before, before];
    for (let cursor = 0; cursor !== END; ) {
      while (pending.length > 0 && pending[0]!.at * END <= cursor) {
        const { insert, remove } = pending.shift()!;
        twins.insert(insert);
        for (const ref of twins.hashes.keys()) everThere.add(ref);
        twins.removeAllBut(wanted, remove);
        fewest = Math.min(fewest, twins.dictionary.segments);
        most = Math.max(most, twins.dictionary.segments);
      }
      const next = twins.dictionary.scan(cursor, (ref) => {
        wanted.delete(ref);
        assert(everThere.has(ref), "a key that never was");
      });
      assert(next > cursor && next <= END);
      cursor = next;
    }
    assert.equal(wanted.size, 0, `${wanted.size} of ${stable} keys were missed`);
    twins.verify();
    if (most > before) walksWithSplits += 1;
    if (fewest < before) walksWithMerges += 1;
  });
  fc.assert(property, { seed, numRuns: 120 });
  assert(
    walksWithSplits >= 5 && walksWithMerges >= 5,
    `${walksWithSplits} with splits, ${walksWithMerges} with merges`,
  );
});

test("scan takes any cursor", () => {
  const twins = new DictionaryTwins(1024 * 1024, "uniform", new Random(6));
  assert.equal(
    twins.dictionary.scan(0, () => assert.fail()),
    END,
  );
  twins.insert(2000);
  for (let cursor = 1; cursor < END; cursor = cursor * 3 + 1) {
    assert(twins.dictionary.scan(cursor, () => undefined) > cursor);
  }
  assert.equal(
    twins.dictionary.scan(END - 1, () => undefined),
    END,
  );
});
