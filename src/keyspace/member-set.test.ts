import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Slice } from "../base/bytes.ts";
import { Heap, RegionFullError } from "../memory/heap.ts";
import { Region } from "../memory/region.ts";
import { INTSET, LISTPACK, TABLE } from "../structures/collection.ts";
import { SCAN_END } from "../structures/dictionary.ts";
import { seedOfRun } from "../testing/random.ts";
import { type CollectionLimits, defaultLimits } from "./collection-limits.ts";
import { MemberSet, type Place } from "./member-set.ts";
import { SetMember } from "./set-member.ts";
import { setType } from "./set-type.ts";
import { StagedKey } from "./staged-key.ts";

const REGION_SIZE = 512 * 1024;
/** Room for blocks of all sizes that the tests use. */
const LARGE_REGION_SIZE = 16 * 1024 * 1024;
const seed = seedOfRun();
const staged = new StagedKey(1, 2);
const member = new SetMember();
const slice = new Slice();

function memberOf(text: string): SetMember {
  const bytes = Buffer.from(text, "latin1");
  return member.point(staged, bytes, 0, bytes.length);
}

function limitsOf(setIntsetEntries: number, setListpackEntries: number, setListpackValue = 64): CollectionLimits {
  return { ...defaultLimits(), setIntsetEntries, setListpackEntries, setListpackValue };
}

function newSet(limits: CollectionLimits, ...members: string[]): MemberSet {
  return newSetIn(new Heap(new Region(REGION_SIZE)), limits, ...members);
}

function newSetIn(heap: Heap, limits: CollectionLimits, ...members: string[]): MemberSet {
  const set = new MemberSet(heap).createFor(memberOf(members[0] ?? ""), members.length, limits);
  for (const text of members) set.add(memberOf(text), limits);
  return set;
}

function membersOf(set: MemberSet): string[] {
  const found: string[] = [];
  set.forEach((place) => {
    found.push(set.read(place, slice).toLatin1());
  });
  return found;
}

test("encodings are those of Redis 7.2", () => {
  const cases: [members: string[], limits: CollectionLimits, encoding: number][] = [
    [["1", "2"], limitsOf(2, 2), INTSET],
    [["1", "2", "3"], limitsOf(2, 2), TABLE],
    [["1", "2", "3"], limitsOf(2, 3), LISTPACK],
    [["1", "2", "1"], limitsOf(2, 3), LISTPACK],
    [["1", "a"], limitsOf(2, 2), LISTPACK],
    [["1", "a", "b"], limitsOf(2, 2), TABLE],
    [["a", "a", "b"], limitsOf(2, 2), TABLE],
    [["1", "01"], limitsOf(2, 2), LISTPACK],
    [["1", "abcd"], limitsOf(2, 2, 3), TABLE],
    [["1234", "abc"], limitsOf(2, 2, 3), TABLE],
    [["123", "abc"], limitsOf(2, 2, 3), LISTPACK],
    [["abc", "1234"], limitsOf(2, 2, 3), TABLE],
    [["a"], limitsOf(2, 0), TABLE],
    [["1"], limitsOf(0, 0), TABLE],
    [["1"], limitsOf(0, 1), LISTPACK],
  ];
  for (const [members, limits, encoding] of cases) {
    const set = newSet(limits, ...members);
    assert.equal(set.encoding, encoding, members.join(" "));
    assert.deepEqual(new Set(membersOf(set)), new Set(members));
    setType.verify(set.heap, set.encoding, set.root);
  }
});

test("small encodings have Redis's order", () => {
  assert.deepEqual(membersOf(newSet(defaultLimits(), "3", "-1", "70000", "2")), ["-1", "2", "3", "70000"]);
  assert.deepEqual(membersOf(newSet(defaultLimits(), "3", "-1", "b", "a", "0")), ["-1", "3", "b", "a", "0"]);
});

test("adding many turns a small set into a table first", () => {
  const set = newSet(limitsOf(4, 4), "1", "2");
  set.expect(4, limitsOf(4, 4), staged);
  assert.equal(set.encoding, INTSET);
  set.expect(5, limitsOf(4, 4), staged);
  assert.equal(set.encoding, TABLE);
  assert.deepEqual(membersOf(set).sort(), ["1", "2"]);
});

const texts = fc.oneof(
  fc.integer({ min: -20, max: 20 }).map(String),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.constantFrom("", "a", "b", "01", "-0", "+1", "9223372036854775808", "\0", "ab\0", "abc", "abcd\xff"),
  fc.nat({ max: 3000 }).map((number) => `member:${number}`),
  fc.nat({ max: 300 }).map((length) => "x".repeat(length)),
);
const limits = fc.constantFrom(
  defaultLimits(),
  limitsOf(0, 0),
  limitsOf(8, 0),
  limitsOf(8, 8, 10),
  limitsOf(0, 100_000, 100_000),
);
const change = fc.tuple(fc.constantFrom("add", "add", "add", "remove", "take", "has"), texts);

test("a set does what a JavaScript set does, in all encodings", (context) => {
  context.diagnostic(`seed ${seed}`);
  const property = fc.property(
    limits,
    fc.array(change, { maxLength: 400, size: "max" }),
    fc.context(),
    (limits, changes, log) => {
      const set = newSetIn(new Heap(new Region(LARGE_REGION_SIZE)), limits, "first");
      const twin = new Set(["first"]);
      for (const [name, text] of changes) {
        log.log(`${name} ${JSON.stringify(text)}`);
        if (name === "add") {
          assert.equal(set.add(memberOf(text), limits), !twin.has(text));
          twin.add(text);
        } else if (name === "remove") {
          assert.equal(set.remove(memberOf(text)), twin.delete(text));
        } else if (name === "has") {
          assert.equal(set.has(memberOf(text)), twin.has(text));
        } else if (twin.size > 0) {
          const place = set.sample(Math.random);
          assert(twin.delete(set.read(place, slice).toLatin1()));
          set.removeAt(place, staged);
        }
        assert.equal(set.count, twin.size);
      }
      assert.deepEqual(new Set(membersOf(set)), twin);
      for (const text of twin) assert(set.has(memberOf(text)));
      if (twin.size > 0) setType.verify(set.heap, set.encoding, set.root);
      set.free();
      assert.equal(set.heap.figures().liveBlocks, 0);
    },
  );
  fc.assert(property, { seed, numRuns: 150 });
});

test("where there is no room nothing changes", () => {
  for (const limits of [limitsOf(8, 8), limitsOf(0, 100_000, 100_000), limitsOf(0, 0)]) {
    const set = newSet(limits, "first");
    const heap = set.heap;
    const twin = new Set(["first"]);
    let refused = 0;
    for (let index = 0; refused < 50; index++) {
      const text = `${index}`.padEnd((index * 37) % 900, "y");
      const [encoding, root, blocks] = [set.encoding, set.root, heap.figures().liveBlocks];
      try {
        set.add(memberOf(text), limits);
        twin.add(text);
      } catch (error) {
        assert(error instanceof RegionFullError);
        assert.deepEqual([set.encoding, set.root, heap.figures().liveBlocks], [encoding, root, blocks]);
        refused += 1;
      }
    }
    assert.deepEqual(new Set(membersOf(set)), twin);
    setType.verify(heap, set.encoding, set.root);
    for (const text of twin) assert(set.remove(memberOf(text)));
    set.free();
    assert.equal(heap.figures().liveBlocks, 0);
  }
});

test("copies are complete, and in any heap", () => {
  for (const [limits, count] of [
    [defaultLimits(), 100],
    [limitsOf(0, 1000), 100],
    [limitsOf(0, 0), 2000],
  ] as const) {
    const set = newSet(limits, ...Array.from({ length: count }, (_, index) => `${index}`));
    for (const heap of [set.heap, new Heap(new Region(REGION_SIZE))]) {
      const root = setType.copy(set.heap, set.encoding, set.root, heap);
      const copy = new MemberSet(heap).attach(set.encoding, root);
      assert.deepEqual(membersOf(copy).sort(), membersOf(set).sort());
      setType.verify(heap, set.encoding, root);
      assert.equal(setType.count(heap, set.encoding, root), count);
      assert(setType.memoryUsage(heap, set.encoding, root, 0) > count * 2);
    }
    const full = new Heap(new Region(REGION_SIZE));
    assert.throws(() => {
      for (;;) full.allocate(4096);
    }, RegionFullError);
    const { liveBlocks } = full.figures();
    assert.throws(() => setType.copy(set.heap, set.encoding, set.root, full), RegionFullError);
    assert.equal(full.figures().liveBlocks, liveBlocks);
  }
});

test("memory usage by samples is near the whole", () => {
  const set = newSet(limitsOf(0, 0), ...Array.from({ length: 1000 }, (_, index) => `member:${index}`));
  const whole = setType.memoryUsage(set.heap, set.encoding, set.root, 0);
  const sampled = setType.memoryUsage(set.heap, set.encoding, set.root, 5);
  assert.equal(whole, set.heap.usedBytes);
  assert(Math.abs(whole - sampled) < whole / 4, `${sampled} of ${whole}`);
});

test("a walk meets all members once while nothing changes", () => {
  for (const limits of [defaultLimits(), limitsOf(0, 1000, 100), limitsOf(0, 0)]) {
    const set = newSet(limits, ...Array.from({ length: 300 }, (_, index) => `${index}`));
    const found: Place[] = [];
    for (let at = 0; at < SCAN_END; ) at = set.walk(at, (place) => found.push(place));
    assert.equal(new Set(found).size, 300);
    assert.equal(found.length, 300);
  }
});
