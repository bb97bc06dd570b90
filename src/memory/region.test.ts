import assert from "node:assert/strict";
import { test } from "node:test";
import { FreezeLostError, FreezeReader } from "./freeze-reader.ts";
import { PAGE_SIZE, REGION_SIZE_MAX, REGION_SIZE_MIN, Region } from "./region.ts";

const SIZE = 512 * 1024;

function filled(shadowLimit = SIZE): Region {
  const region = new Region(SIZE, shadowLimit);
  for (let word = 0; word < region.words.length; word++) region.words[word] = word;
  return region;
}

/** A write as the owner should do it. */
function write(region: Region, at: number, length: number): void {
  region.guard(at, length);
  region.bytes.fill(0xee, at, at + length);
}

test("a region has its size, and no other than an allowed one", () => {
  assert.equal(new Region(REGION_SIZE_MIN).bytes.length, REGION_SIZE_MIN);
  assert.equal(new Region(REGION_SIZE_MAX).size, REGION_SIZE_MAX);
  for (const size of [0, PAGE_SIZE, REGION_SIZE_MIN + 1, REGION_SIZE_MAX + PAGE_SIZE]) {
    assert.throws(() => new Region(size), RangeError);
  }
});

test("a frozen page is read as it was, whatever was written since", () => {
  const region = filled();
  const before = Buffer.from(region.bytes);
  const reader = new FreezeReader(region.freeze());
  const ranges: [at: number, length: number][] = [
    [0, 1],
    [PAGE_SIZE - 1, 2],
    [5 * PAGE_SIZE, 3 * PAGE_SIZE],
    [9 * PAGE_SIZE + 7, 5000],
    [SIZE - 1, 1],
    [SIZE, 0],
    [0, 0],
  ];
  for (const [at, length] of ranges) write(region, at, length);
  const seen = Buffer.alloc(SIZE);
  reader.copy(0, SIZE, seen, 0);
  assert(seen.equals(before));
  for (let at = 0; at < SIZE; at += 4) assert.equal(reader.word(at), at >>> 2);
  assert.equal(region.shadowPages, 1 + 1 + 3 + 2 + 1);
  assert.deepEqual(region.release(), { aborted: false, copiedPages: 8 });
  assert.equal(region.shadowPages, 0);
});

test("freezes follow each other, and a reader of an ended one is told", () => {
  const region = filled();
  const first = new FreezeReader(region.freeze());
  assert.equal(first.word(8), 2);
  assert.throws(() => region.freeze(), /already active/);
  region.release();
  assert.throws(() => region.release(), /no freeze/);
  assert.throws(() => first.word(PAGE_SIZE), FreezeLostError);
  write(region, PAGE_SIZE, 4);
  const second = new FreezeReader(region.freeze());
  write(region, PAGE_SIZE, 1);
  assert.equal(second.word(PAGE_SIZE), 0xeeeeeeee | 0);
  assert.throws(() => first.word(2 * PAGE_SIZE), { name: "Error", code: "FREEZE_LOST" });
  assert.equal(region.release().copiedPages, 1);
});

test("when the shadow area is full the view is given up, and said to be", () => {
  const region = filled(4 * PAGE_SIZE);
  const reader = new FreezeReader(region.freeze());
  assert.equal(reader.word(0), 0);
  for (let page = 0; page < 4; page++) write(region, page * PAGE_SIZE, 1);
  assert.equal(reader.word(PAGE_SIZE), PAGE_SIZE >>> 2);
  write(region, 4 * PAGE_SIZE, 100 * PAGE_SIZE);
  assert.throws(() => reader.word(2 * PAGE_SIZE), /given up/);
  assert.equal(region.frozen, false);
  assert.throws(() => region.freeze(), /already active/);
  assert.deepEqual(region.release(), { aborted: true, copiedPages: 4 });
  const again = new FreezeReader(region.freeze(true));
  write(region, 0, 1);
  assert.equal(again.word(0), 0x000000ee);
  assert.equal(region.release().aborted, false);
});

test("the audit finds a write that escaped the guard", () => {
  const region = filled();
  const escapes: (() => void)[] = [
    () => {
      region.bytes[7 * PAGE_SIZE] = 1;
    },
    () => {
      region.words[7 * 1024 + 3] = 1;
      region.guard(7 * PAGE_SIZE, 4);
    },
    () => {
      region.guard(7 * PAGE_SIZE - 1, 1);
      region.bytes.fill(9, 7 * PAGE_SIZE - 1, 7 * PAGE_SIZE + 1);
    },
  ];
  for (const writeUnguarded of escapes) {
    region.freeze(true);
    write(region, 3 * PAGE_SIZE, 10_000);
    region.setWord(100, 1);
    writeUnguarded();
    assert.throws(() => region.release(), /page 7 escaped/);
    region.freeze(true);
    write(region, 7 * PAGE_SIZE, 100);
    assert.equal(region.release().aborted, false, "an audit that fails has ended the freeze all the same");
  }
});
