/** A broken table is an error where it is met, never a search without an end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DictionaryTwins } from "../testing/freeze-dictionary.ts";
import { Random } from "../testing/random.ts";
import { segmentIn } from "./segments.ts";

const ABSENT = 0x1234_5678;
/** No ref that the twins have given out. */
const STRANGER = 2 ** 30;
const SEGMENT_HEADER_WORDS = 4;

function filled(count: number): DictionaryTwins {
  const twins = new DictionaryTwins(4 * 1024 * 1024, "uniform", new Random(1));
  twins.insert(count);
  return twins;
}

/** Fills the only segment to the last slot, behind the table's back. */
function overfill({ region, dictionary, header }: DictionaryTwins): void {
  const begin = (segmentIn(region.words[region.words[header >>> 2]! >>> 2]!) >>> 2) + SEGMENT_HEADER_WORDS;
  for (let slot = begin; slot < begin + dictionary.capacity * 2; slot += 2) {
    if (region.words[slot + 1] !== 0) continue;
    region.words[slot] = 1;
    region.words[slot + 1] = STRANGER;
  }
}

for (const count of [1, 5, 300, 5000]) {
  test(`of ${count} refs, each has its slot; one that is not there is found by no search, and each search ends`, () => {
    const { dictionary, hashes } = filled(count);
    for (const [ref, hash] of hashes) {
      const slot = dictionary.slotOf(hash, ref);
      assert.deepEqual([dictionary.at(slot), dictionary.hashAt(slot)], [ref, hash]);
      assert.equal(dictionary.findSlot(hash, STRANGER), 0);
      assert.throws(() => dictionary.slotOf(hash, STRANGER), /not where its hash/);
      assert.throws(() => dictionary.slotOf(ABSENT, ref), /not where its hash/);
    }
  });
}

test("refs of one hash are told apart, and a stranger among them is not found", () => {
  const twins = filled(100);
  const refs = Array.from({ length: 50 }, () => twins.insertHash(ABSENT));
  const slots = refs.map((ref) => twins.dictionary.slotOf(ABSENT, ref));
  assert.equal(new Set(slots).size, refs.length);
  assert.throws(() => twins.dictionary.slotOf(ABSENT, STRANGER), /not where its hash/);
});

test("a segment without an empty slot ends every search with an error", () => {
  const twins = filled(300);
  const { dictionary, hashes } = twins;
  const [ref, hash] = [...hashes][0]!;
  const slot = dictionary.slotOf(hash, ref);
  const many = twins.insertHash(hash);
  overfill(twins);
  const searches = {
    seek: () => dictionary.seek(ABSENT),
    seekNext: () => dictionary.seekNext(dictionary.slotOf(hash, many), ABSENT),
    "findSlot, its hash being there once and again": () => dictionary.findSlot(hash, STRANGER),
    slotOf: () => dictionary.slotOf(hash, STRANGER),
    scan: () => dictionary.scan(0, () => undefined),
    remove: () => dictionary.remove(slot),
    insert: () => dictionary.insert(ABSENT, STRANGER),
  };
  for (const [name, search] of Object.entries(searches)) assert.throws(search, /^Error: dictionary: /, name);
});
