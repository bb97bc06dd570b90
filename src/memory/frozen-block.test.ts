import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seedOfRun } from "../testing/random.ts";
import { FreezeLostError, FreezeReader } from "./freeze-reader.ts";
import { FrozenBlock } from "./frozen-block.ts";
import { PAGE_SIZE, Region } from "./region.ts";

const seed = seedOfRun();
const SIZE = 1024 * PAGE_SIZE;

/** A region of random bytes, frozen, and then overwritten. */
function frozenRegion(): { region: Region; reader: FreezeReader; before: Buffer } {
  const region = new Region(SIZE);
  for (let word = 0; word < SIZE >>> 2; word++) region.words[word] = Math.imul(word, 0x9e3779b1);
  const before = Buffer.from(region.bytes);
  const reader = new FreezeReader(region.freeze());
  region.guard(0, SIZE);
  region.bytes.fill(0xee);
  return { region, reader, before };
}

test("what is copied is what was there, wherever it stands and however it is asked for", (context) => {
  context.diagnostic(`seed ${seed}`);
  const { region, reader, before } = frozenRegion();
  const block = new FrozenBlock();
  const near = fc.nat(200).map((distance) => 3 * PAGE_SIZE - distance);
  const at = fc.oneof(near, fc.nat(SIZE / 4));
  const needs = fc.array(fc.oneof(fc.nat(300), fc.nat(20_000), fc.constantFrom(3_000_000)), { maxLength: 4 });
  const property = fc.property(at, needs, (ref, lengths) => {
    block.moveTo(reader, ref);
    const first = Math.min(128, PAGE_SIZE - (ref % PAGE_SIZE));
    for (const length of [first, ...lengths]) {
      block.need(length);
      assert(block.bytes.subarray(0, length).equals(before.subarray(ref, ref + length)));
      if (length < 8) continue;
      assert.equal(block.words[1], before.readInt32LE(ref + 4));
      assert(Object.is(block.doubles[0], before.readDoubleLE(ref)));
    }
  });
  fc.assert(property, { seed, numRuns: 300 });
  region.release();
  assert.throws(() => block.moveTo(reader, 0), FreezeLostError);
});

test("memory that a large block needed is let go by the next", () => {
  const { reader } = frozenRegion();
  const block = new FrozenBlock();
  block.moveTo(reader, 0);
  block.need(3_000_000);
  assert(block.bytes.length >= 3_000_000);
  block.moveTo(reader, 16);
  assert(block.bytes.length < 10_000);
});
