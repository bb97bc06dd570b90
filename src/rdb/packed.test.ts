/** Walks through packed elements of which none may be there twice. The encodings themselves: commands/dump.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { listpack, ziplist } from "../testing/saved-forms.ts";
import { DamagedValueError } from "./format.ts";
import { walkDistinct, walkListpack } from "./packed.ts";
import { StringHolder } from "./reader.ts";
import { walkZiplist } from "./ziplist.ts";

const element = new StringHolder();

function held(bytes: Buffer): StringHolder {
  const holder = new StringHolder();
  holder.set(bytes, 0, bytes.length);
  return holder;
}

/** Walks through both kinds of lists. @returns what was seen */
function walkBoth(elements: readonly string[], step: 1 | 2): string[] {
  const seen: string[] = [];
  const count = walkDistinct(held(listpack(elements)), element, walkListpack, step, (each) =>
    seen.push(each.toLatin1()),
  );
  assert.equal(count, elements.length);
  assert.equal(walkDistinct(held(ziplist(...elements)), element, walkZiplist, step), elements.length);
  return seen;
}

const seed = seedOfRun();

test(`elements that come twice are found, however many there are, seed ${seed}`, () => {
  const random = new Random(seed);
  for (const count of [1, 2, 3, 10, 100, 511, 512, 513, 600, 5000]) {
    const elements = Array.from({ length: count }, (_, index) => (index % 3 === 0 ? `${index}` : `element ${index}`));
    assert.deepEqual(walkBoth(elements, 1), elements);
    if (count === 1) continue;
    const [from, to] = random.shuffled(elements.map((_, index) => index));
    const twice = elements.with(to!, elements[from!]!);
    assert.throws(() => walkBoth(twice, 1), DamagedValueError, `${count} elements, ${from} and ${to}`);
    // The table of hashes forgets one value's elements before the next.
    assert.deepEqual(walkBoth(elements, 1), elements);
  }
});

test("of what alternates with values, the values may be equal", () => {
  const pairs = ["a", "1", "b", "1", "1", "a", "c", "c"];
  assert.deepEqual(walkBoth(pairs, 2), pairs);
  assert.throws(() => walkBoth(pairs, 1), DamagedValueError);
  assert.throws(() => walkBoth([...pairs, "b", "2"], 2), DamagedValueError);
  const many = Array.from({ length: 600 }, (_, index) => [`${index}`, "v"]).flat();
  assert.deepEqual(walkBoth(many, 2), many);
  assert.throws(() => walkBoth([...many, "17", "v"], 2), DamagedValueError);
});
