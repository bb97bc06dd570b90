import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FreezeReader } from "../memory/freeze-reader.ts";
import { DictionaryTwins, type HashShape } from "../testing/freeze-dictionary.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { FrozenDictionary } from "./frozen-dictionary.ts";

const seed = seedOfRun();
const shape = fc.constantFrom<HashShape>("uniform", "clustered", "colliding");
const change = fc.record({
  insert: fc.integer({ min: 0, max: 3000 }),
  remove: fc.integer({ min: 0, max: 3000 }),
  clear: fc.boolean(),
});

test("a frozen dictionary stays what it was, and no write to the live one escapes the guard", (context) => {
  context.diagnostic(`seed ${seed}`);
  const arbitrary = [shape, fc.array(change, { minLength: 1, maxLength: 6 }), fc.integer()] as const;
  const property = fc.property(...arbitrary, (kind, changes, choice) => {
    const twins = new DictionaryTwins(4 * 1024 * 1024, kind, new Random(choice));
    for (const { insert, remove, clear } of changes) {
      const hashes = new Map(twins.hashes);
      const frozen = new FrozenDictionary(new FreezeReader(twins.region.freeze(true)), twins.header);
      twins.insert(insert >>> 1);
      twins.remove(remove);
      if (clear) twins.clear();
      twins.insert(insert - (insert >>> 1));
      twins.replace(10);
      assert.equal(frozen.count, hashes.size);
      frozen.forEach((ref, hash) => {
        assert.equal(hashes.get(ref), hash);
        hashes.delete(ref);
      });
      assert.equal(hashes.size, 0);
      assert.equal(twins.region.release().aborted, false);
      twins.verify();
    }
  });
  fc.assert(property, { seed, numRuns: 40 });
});
