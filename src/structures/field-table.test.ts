import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Slice } from "../base/bytes.ts";
import { Heap, NONE, RegionFullError } from "../memory/heap.ts";
import { Region } from "../memory/region.ts";
import { seedOfRun } from "../testing/random.ts";
import { FieldTable, INLINE_MAX, type StagedField, UNDATED } from "./field-table.ts";

const seed = seedOfRun();

interface Twin {
  value: Buffer;
  deadline: number;
}

/** A field's name in padded words, with a hash that few bits of it decide, so that hashes collide. */
function staged(name: Buffer): StagedField {
  const words = new Int32Array((name.length + 3) >>> 2);
  Buffer.from(words.buffer).set(name);
  const hash = name.reduce((sum, byte) => Math.imul(sum ^ byte, 0x9e3779b1), name.length) & 0x1f000fff;
  return { words, length: name.length, hash };
}

class Twins {
  readonly heap: Heap;
  readonly table: FieldTable;
  readonly twin = new Map<string, Twin>();
  refusals = 0;
  readonly #root: number;

  constructor(size: number) {
    this.heap = new Heap(new Region(size));
    this.table = new FieldTable(this.heap);
    this.#root = this.table.create();
    this.heap.root = this.#root;
    this.table.attach(this.#root);
  }

  set(name: Buffer, value: Buffer, deadline: number): void {
    this.#tried(() => {
      const field = this.table.find(staged(name));
      if (field === NONE) this.table.add(staged(name), deadline, value, 0, value.length);
      else this.table.set(field, staged(name).hash, deadline, value, 0, value.length);
      this.twin.set(name.toString("latin1"), { value, deadline });
    });
  }

  date(name: Buffer, deadline: number): void {
    const field = this.table.find(staged(name));
    const twin = this.twin.get(name.toString("latin1"));
    assert.equal(field === NONE, twin === undefined);
    if (twin === undefined) return;
    this.#tried(() => {
      this.table.date(field, staged(name).hash, deadline);
      twin.deadline = deadline;
    });
  }

  remove(name: Buffer): void {
    const field = this.table.find(staged(name));
    assert.equal(field !== NONE, this.twin.delete(name.toString("latin1")));
    if (field !== NONE) this.table.remove(field, staged(name).hash);
  }

  verify(): void {
    const { table, twin, heap } = this;
    heap.verify();
    table.verify();
    assert.equal(table.count, twin.size);
    const [name, value] = [new Slice(), new Slice()];
    let blocks = 0;
    table.dictionary.forEach((field) => {
      const expected = twin.get(table.readName(field, name).toLatin1())!;
      assert.equal(table.readValue(field, value).toBuffer().equals(expected.value), true);
      assert.equal(table.deadline(field), expected.deadline);
    });
    table.forEachBlock(() => {
      blocks += 1;
    });
    assert.equal(blocks, heap.figures().liveBlocks);
  }

  /** Everything freed: nothing is left of the table. */
  clear(): void {
    this.table.forEachBlock((block) => this.heap.free(block));
    assert.equal(this.heap.figures().liveBlocks, 0);
  }

  #tried(change: () => void): void {
    const { liveBlocks } = this.heap.figures();
    try {
      change();
    } catch (error) {
      assert(error instanceof RegionFullError);
      assert.equal(this.heap.figures().liveBlocks, liveBlocks);
      this.refusals += 1;
    }
  }
}

const names = fc.oneof(
  fc.nat({ max: 300 }).map((number) => Buffer.from(`field:${number}`)),
  fc.nat({ max: 40 }).map((length) => Buffer.alloc(length, 0x78)),
  fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
);
const values = fc
  .tuple(
    fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 3000 }), fc.integer({ min: INLINE_MAX - 2, max: INLINE_MAX + 2 })),
    fc.nat({ max: 255 }),
  )
  .map(([length, byte]) => Buffer.alloc(length, byte));
const deadlines = fc.oneof(fc.constant(UNDATED), fc.integer({ min: 1, max: 2 ** 46 - 1 }));
const steps = fc.oneof(
  { weight: 5, arbitrary: fc.record({ name: names, value: values, deadline: deadlines }) },
  { weight: 2, arbitrary: fc.record({ name: names, deadline: deadlines }) },
  { weight: 2, arbitrary: fc.record({ name: names }) },
);

for (const size of [256 * 1024, 4 * 1024 * 1024]) {
  test(`a table of fields is what a Map is, in ${size / 1024} KiB`, (context) => {
    context.diagnostic(`seed ${seed}`);
    let refusals = 0;
    const property = fc.property(fc.array(steps, { maxLength: 400, size: "max" }), (sequence) => {
      const twins = new Twins(size);
      // Audited: no write escapes the guard.
      twins.heap.region.freeze(true);
      for (const step of sequence) {
        if ("value" in step) twins.set(step.name, step.value, step.deadline);
        else if ("deadline" in step) twins.date(step.name, step.deadline);
        else twins.remove(step.name);
      }
      assert.equal(twins.heap.region.release().aborted, false);
      twins.verify();
      refusals += twins.refusals;
      twins.clear();
    });
    fc.assert(property, { seed, numRuns: 60 });
    assert.equal(refusals > 0, size === 256 * 1024);
  });
}

test("a value that changes its length a little stays where it is", () => {
  const twins = new Twins(1024 * 1024);
  const name = Buffer.from("name");
  for (const length of [60, 3000]) {
    twins.set(name, Buffer.alloc(length, 1), UNDATED);
    const field = twins.table.find(staged(name));
    const used = twins.heap.usedBytes;
    for (const other of [length - 20, length + 1]) {
      twins.set(name, Buffer.alloc(other, 2), UNDATED);
      assert.equal(twins.table.find(staged(name)), field);
      assert.equal(twins.heap.usedBytes, used);
    }
    twins.verify();
  }
});

test("a long value grows and is dated without being copied", () => {
  const twins = new Twins(4 * 1024 * 1024);
  const name = Buffer.from("name");
  const value = new Slice();
  twins.set(name, Buffer.alloc(100_000, 1), UNDATED);
  const field = twins.table.find(staged(name));
  twins.set(name, Buffer.alloc(300_000, 2), UNDATED);
  assert.equal(twins.table.find(staged(name)), field);
  const at = twins.table.readValue(field, value).start;
  twins.date(name, 5);
  assert.equal(twins.table.readValue(twins.table.find(staged(name)), value).start, at);
  twins.verify();
});

test("the earliest deadline is a bound, and begins anew when no field has one", () => {
  const { table, ...twins } = new Twins(1024 * 1024);
  const put = (name: string, deadline: number): void => {
    const field = staged(Buffer.from(name));
    const found = table.find(field);
    if (found === NONE) table.add(field, deadline, Buffer.from("x"), 0, 1);
    else table.date(found, field.hash, deadline);
  };
  put("a", 2 ** 40);
  assert.equal(table.deadlines.earliest, 2 ** 40);
  put("b", 7);
  assert.deepEqual([table.deadlines.earliest, table.datedCount], [7, 2]);
  put("b", UNDATED);
  assert.deepEqual([table.deadlines.earliest, table.datedCount], [7, 1]);
  put("a", UNDATED);
  put("a", 2 ** 41);
  assert.deepEqual([table.deadlines.earliest, table.datedCount], [2 ** 41, 1]);
  table.verify();
  twins.heap.verify();
});
