import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Slice } from "../base/bytes.ts";
import { Heap, RegionFullError } from "../memory/heap.ts";
import { Region } from "../memory/region.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { Listpack } from "./listpack.ts";
import { EMPTY_SIZE, validateListpack } from "./listpack-format.ts";

const seed = seedOfRun();

/** A listpack beside an array that holds what it should. */
class Twins {
  readonly region: Region;
  readonly heap: Heap;
  readonly listpack: Listpack;
  elements: Buffer[] = [];

  constructor(size = 1024 * 1024, floats = false) {
    this.region = new Region(size);
    this.heap = new Heap(this.region);
    this.listpack = new Listpack(this.heap, floats);
    this.listpack.attach(this.listpack.create());
  }

  contents(): Buffer[] {
    const slice = new Slice();
    const found: Buffer[] = [];
    const { listpack } = this;
    for (let at = listpack.first(); at !== 0; at = listpack.next(at)) found.push(listpack.read(at, slice).toBuffer());
    return found;
  }

  verify(): void {
    const { listpack, elements } = this;
    listpack.verify();
    assert.deepEqual(this.contents(), elements);
    assert.equal(listpack.count, elements.length);
    let at = listpack.last();
    for (let index = elements.length - 1; index >= 0; index--) {
      assert.equal(listpack.seek(index), at);
      assert.equal(listpack.seek(index - elements.length), at);
      assert(listpack.equals(at, elements[index]!, 0, elements[index]!.length));
      at = listpack.previous(at);
    }
    assert.equal(at, 0);
    assert.equal(listpack.seek(elements.length), 0);
    assert.equal(listpack.seek(-elements.length - 1), 0);
    this.heap.verify();
    assert.equal(this.heap.figures().liveBlocks, 1);
  }
}

const BOUNDS = [0, 127, 128, 4095, 4096, 32767, 32768, 8388607, 8388608, 2147483647, 2147483648, 2 ** 53 - 1, 2 ** 53];
const INTEGERS = [
  ...BOUNDS.flatMap((bound) => [bound, -bound, -bound - 1].map((value) => String(value + 0))),
  "9223372036854775807",
  "-9223372036854775808",
];
const NOT_INTEGERS = ["", "-", "+1", "-0", "007", "1.5", "9223372036854775808", "-9223372036854775809", " 1", "1 "];
const LENGTHS = [1, 63, 64, 125, 126, 127, 4095, 4096, 5000];

const element = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...INTEGERS, ...NOT_INTEGERS) },
  { weight: 4, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(...LENGTHS).map((length) => "v".repeat(length)) },
);
const place = fc.nat({ max: 1000 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ append: element }) },
  { weight: 2, arbitrary: fc.record({ prepend: element }) },
  { weight: 2, arbitrary: fc.record({ before: element, place }) },
  { weight: 2, arbitrary: fc.record({ after: element, place }) },
  { weight: 2, arbitrary: fc.record({ replace: element, place }) },
  { weight: 2, arbitrary: fc.record({ remove: fc.integer({ min: 1, max: 4 }), place }) },
  { weight: 1, arbitrary: fc.record({ copy: place, place }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function apply(twins: Twins, each: Step): void {
  const { listpack, elements } = twins;
  const text = (value: string): [Buffer, number, number] => {
    const bytes = Buffer.from(`<${value}>`);
    return [bytes, 1, bytes.length - 2];
  };
  const own = (value: string): Buffer => Buffer.from(value);
  if ("append" in each) {
    listpack.append(...text(each.append));
    elements.push(own(each.append));
  } else if ("prepend" in each) {
    listpack.prepend(...text(each.prepend));
    elements.unshift(own(each.prepend));
  } else if (elements.length > 0) {
    const index = each.place % elements.length;
    const at = listpack.seek(index);
    if ("before" in each) {
      assert.equal(listpack.insertBefore(at, ...text(each.before)), listpack.seek(index));
      elements.splice(index, 0, own(each.before));
    } else if ("after" in each) {
      assert.equal(listpack.insertAfter(at, ...text(each.after)), listpack.seek(index + 1));
      elements.splice(index + 1, 0, own(each.after));
    } else if ("replace" in each) {
      assert.equal(listpack.replace(at, ...text(each.replace)), at);
      elements[index] = own(each.replace);
    } else if ("remove" in each) {
      assert.equal(listpack.remove(at, each.remove), index + each.remove < elements.length ? at : 0);
      elements.splice(index, each.remove);
    } else {
      const source = each.copy % elements.length;
      const { bytes, start, length } = listpack.read(listpack.seek(source), new Slice());
      listpack.insertBefore(at, bytes, start, length);
      elements.splice(index, 0, elements[source]!);
    }
  }
}

for (const floats of [false, true]) {
  const kind = floats ? "that floats" : "that does not float";

  test(`a listpack ${kind} is what an array is`, (context) => {
    context.diagnostic(`seed ${seed}`);
    const property = fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const twins = new Twins(1024 * 1024, floats);
      for (const each of steps) {
        apply(twins, each);
        twins.verify();
      }
    });
    fc.assert(property, { seed, numRuns: 100 });
  });

  test(`every write to a listpack ${kind} passes the guard`, () => {
    const random = new Random(seed);
    const sample = fc.sample(step, { seed, numRuns: 400 });
    const twins = new Twins(1024 * 1024, floats);
    for (let round = 0; round < 40; round++) {
      twins.region.freeze(true);
      for (let count = 0; count < 10; count++) apply(twins, random.pick(sample));
      assert.equal(twins.region.release().aborted, false);
    }
    twins.verify();
  });
}

for (const [kind, bytes] of [
  ["small", 700],
  ["pages", 20_000],
] as const) {
  test(`a queue in either direction moves its elements seldom: ${kind}`, () => {
    for (const isUpward of [true, false]) {
      const twins = new Twins(1024 * 1024, true);
      const { listpack, elements, region } = twins;
      let written = 0;
      const guard = region.guard.bind(region);
      region.guard = (at, length) => {
        written += length;
        guard(at, length);
      };
      for (let round = 0; round < 10_000; round++) {
        const value = Buffer.from(`v${round}`);
        if (isUpward) listpack.append(value, 0, value.length);
        else listpack.prepend(value, 0, value.length);
        elements[isUpward ? "push" : "unshift"](value);
        while (listpack.byteLength > bytes) {
          listpack.remove(isUpward ? listpack.first() : listpack.last());
          elements[isUpward ? "shift" : "pop"]();
        }
      }
      assert(written < 10_000 * 500, `${written} bytes were written`);
      twins.verify();
    }
  });
}

/** Taken from redis-server 7.0.15: DUMP of a hash of these fields and values. */
const BYTES_OF_REDIS =
  "270100001e00800100017f01c08002dfff02cfff02d00002f1001003f1ffef03f1ff7f03f1008003f200800004f2ff7fff04f2ffff7f04f2" +
  "00008004f30000800005f3ffff7fff05f3ffffff7f05f30000008005f4000000800000000009f4ffffff7fffffffff09f4ffffffffffffff" +
  `7f09f4000000000000008009933932323333373230333638353437373538303814822d30038330303704bf${"61".repeat(63)}40` +
  `e040${"62".repeat(64)}4283312e3504812d02ff`;

test("the bytes are Redis's", () => {
  const values = (
    ",0,127,128,-1,4095,-4096,4096,-4097,32767,-32768,32768,-32769,8388607,-8388608,8388608,-8388609,2147483647," +
    "-2147483648,2147483648,-2147483649,9223372036854775807,-9223372036854775808,9223372036854775808,-0,007"
  ).split(",");
  const { listpack, region } = new Twins();
  for (const value of [...values, "a".repeat(63), "b".repeat(64), "1.5", "-"]) {
    listpack.append(Buffer.from(value), 0, value.length);
  }
  assert.equal(region.bytes.toString("hex", listpack.ref, listpack.ref + listpack.byteLength), BYTES_OF_REDIS);
});

for (const [length, head, backLength] of [
  [4095, "efff", "2081"],
  [4096, "f000100000", "2085"],
  [16377, "f0f93f0000", "7ffe"],
  [16378, "f0fa3f0000", "00ffff"],
  [16379, "f0fb3f0000", "018080"],
  [2097145, "f0f9ff1f00", "7ffffe"],
  [2097146, "f0faff1f00", "00ffffff"],
] as const) {
  test(`a string of ${length} bytes has Redis's head and back length`, () => {
    const twins = new Twins(16 * 1024 * 1024);
    const { listpack, region } = twins;
    listpack.append(Buffer.alloc(length, "v"), 0, length);
    listpack.append(Buffer.from("x"), 0, 1);
    const begin = listpack.ref + 6;
    const behind = listpack.ref + listpack.byteLength - 4;
    assert.equal(region.bytes.toString("hex", begin, begin + head.length / 2), head);
    const written = region.bytes.toString("hex", behind - backLength.length / 2, behind);
    assert.equal(written, backLength);
    assert.equal(Listpack.sizeOf(Buffer.alloc(length, "v"), 0, length), listpack.byteLength - EMPTY_SIZE - 3);
    twins.elements = [Buffer.alloc(length, "v"), Buffer.from("x")];
    twins.verify();
  });
}

test("appendInteger writes what its digits would", () => {
  const [left, right] = [new Twins(), new Twins()];
  for (const text of INTEGERS) {
    const value = BigInt(text);
    const short = value >= -(2n ** 53n) + 1n && value < 2n ** 53n ? Number(value) : value;
    left.listpack.appendInteger(short);
    right.listpack.append(Buffer.from(text), 0, text.length);
    assert.equal(left.listpack.integerAt(left.listpack.last()), short);
  }
  const bytes = (twins: Twins): Buffer =>
    twins.region.bytes.subarray(twins.listpack.ref, twins.listpack.ref + twins.listpack.byteLength);
  assert.deepEqual(bytes(left), bytes(right));
  right.listpack.append(Buffer.from("a"), 0, 1);
  assert.equal(right.listpack.integerAt(right.listpack.last()), undefined);
});

test("find compares from a position on, passing over what is to be skipped", () => {
  const { listpack } = new Twins();
  const add = (text: string): void => listpack.append(Buffer.from(text), 0, text.length);
  for (const text of ["a", "b", "b", "1", "300", "a", "x", "-70000"]) add(text);
  const find = (from: number, text: string, skip: number): number => {
    const at = listpack.find(from === -1 ? 0 : listpack.seek(from), Buffer.from(text), 0, text.length, skip);
    for (let index = 0; index < listpack.count; index++) if (listpack.seek(index) === at) return index;
    return -1;
  };
  assert.equal(find(0, "a", 0), 0);
  assert.equal(find(1, "a", 0), 5);
  assert.equal(find(0, "b", 1), 2);
  assert.equal(find(0, "1", 1), -1);
  assert.equal(find(1, "1", 1), 3);
  assert.equal(find(0, "300", 0), 4);
  assert.equal(find(0, "-70000", 0), 7);
  assert.equal(find(0, "0300", 0), -1);
  assert.equal(find(0, "", 0), -1);
  assert.equal(find(-1, "a", 0), -1);
});

test("more than 65,534 elements are counted", () => {
  const twins = new Twins(4 * 1024 * 1024);
  const { listpack } = twins;
  const one = Buffer.from("1");
  for (let count = 0; count < 65_534; count++) listpack.append(one, 0, 1);
  assert.equal(listpack.count, 65_534);
  for (let count = 0; count < 6; count++) listpack.append(one, 0, 1);
  assert.equal(listpack.count, 65_540);
  assert.equal(listpack.seek(65_539), listpack.last());
  assert.equal(listpack.seek(-65_540), listpack.first());
  assert.equal(listpack.seek(65_540), 0);
  assert.equal(listpack.seek(-65_541), 0);
  listpack.verify();
  assert.equal(listpack.remove(listpack.seek(20), 100_000), 0);
  assert.equal(listpack.count, 20);
  listpack.verify();
});

test("a block is moved seldom as it grows, and gives back what is left over", () => {
  const { listpack, heap } = new Twins();
  let moves = 0;
  for (let count = 0; count < 20_000; count++) {
    const { ref } = listpack;
    listpack.append(Buffer.from("1234567"), 0, 7);
    if (listpack.ref !== ref) moves += 1;
    assert(heap.sizeOf(listpack.ref) <= listpack.byteLength * 1.25 + 4096);
  }
  assert(moves < 100, `${moves} moves`);
  listpack.remove(listpack.first(), 19_990);
  assert(heap.sizeOf(listpack.ref) <= 128);
});

test("a write for which there is no room changes nothing; removing still works", () => {
  const twins = new Twins(256 * 1024);
  const value = Buffer.alloc(3000, "v");
  for (let refused = 0; refused < 3; ) {
    try {
      twins.listpack.prepend(value, 0, value.length);
      twins.elements.unshift(value);
    } catch (error) {
      assert(error instanceof RegionFullError);
      refused += 1;
    }
    twins.verify();
  }
  while (twins.elements.length > 0) {
    twins.listpack.remove(twins.listpack.first());
    twins.elements.shift();
    twins.verify();
  }
});

test("a damaged listpack is told, whatever byte is wrong, and never read beyond its end", () => {
  const { listpack, region } = new Twins();
  for (const text of ["", "5", "300", "hello", "x".repeat(70), "123456789012", "y".repeat(5000), "-9"]) {
    listpack.append(Buffer.from(text), 0, text.length);
  }
  const good = Buffer.from(region.bytes.subarray(listpack.ref, listpack.ref + listpack.byteLength));
  assert.equal(validateListpack(good, 0, good.length), 8);
  const padded = Buffer.concat([Buffer.alloc(3), good]);
  assert.equal(validateListpack(padded, 3, good.length), 8);
  assert.equal(validateListpack(padded, 3, good.length + 1), -1);
  for (let length = 0; length < good.length; length++) assert.equal(validateListpack(good, 0, length), -1);
  const random = new Random(seed);
  for (let round = 0; round < 3000; round++) {
    const damaged = Buffer.from(good);
    const at = random.chance(0.5) ? random.below(120) : good.length - 1 - random.below(20);
    damaged[at] = random.below(256);
    const count = validateListpack(damaged, 0, damaged.length);
    if (count !== -1) assert.equal(walkBack(damaged), count);
  }
  const unknown = Buffer.from(good);
  unknown.fill(0xff, 4, 6);
  assert.equal(validateListpack(unknown, 0, unknown.length), 8);
  const wrongCount = Buffer.from(good);
  wrongCount[4] = 7;
  assert.equal(validateListpack(wrongCount, 0, wrongCount.length), -1);
});

/** Elements met on a walk from the end to the beginning. */
function walkBack(bytes: Buffer): number {
  const { region, listpack, heap } = new Twins();
  const ref = heap.allocate(bytes.length);
  bytes.copy(region.bytes, ref);
  let count = 0;
  for (let at = listpack.attach(ref).last(); at !== 0; at = listpack.previous(at)) count += 1;
  return count;
}
