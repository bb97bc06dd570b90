import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Random, seedOfRun } from "../testing/random.ts";
import { compress, decompress, decompressedMax } from "./lzf.ts";

/** Where the bytes stand in larger buffers: nothing around them may be read or written. */
const MARGIN = 5;

function compressed(source: Buffer, room = source.length * 2 + 8): Buffer | undefined {
  const from = Buffer.concat([Buffer.alloc(MARGIN, 0x61), source, Buffer.alloc(MARGIN, 0x61)]);
  const target = Buffer.alloc(MARGIN + room + MARGIN, 0xee);
  const length = compress(from, MARGIN, source.length, target, MARGIN, room);
  assert.ok(length <= room);
  for (let index = 0; index < MARGIN; index++) {
    assert.equal(target[index], 0xee);
    assert.equal(target[MARGIN + room + index], 0xee);
  }
  return length === 0 ? undefined : target.subarray(MARGIN, MARGIN + length);
}

function decompressed(source: Buffer, size: number): Buffer | undefined {
  const from = Buffer.concat([Buffer.alloc(MARGIN), source]);
  const target = Buffer.alloc(MARGIN + size + MARGIN, 0xee);
  const isRight = decompress(from, MARGIN, source.length, target, MARGIN, size);
  for (let index = 0; index < MARGIN; index++) {
    assert.equal(target[index], 0xee);
    assert.equal(target[MARGIN + size + index], 0xee);
  }
  return isRight ? target.subarray(MARGIN, MARGIN + size) : undefined;
}

test("data that redis-server 7.0.15 has compressed", () => {
  // DUMP of 30 times "a", and of 12 times "abc".
  const cases: [hex: string, text: string][] = [
    ["016161e01100016161", "a".repeat(30)],
    ["0361626361e01502016263", "abc".repeat(12)],
  ];
  for (const [hex, text] of cases) {
    const source = Buffer.from(hex, "hex");
    assert.equal(decompressed(source, text.length)?.toString(), text);
    assert.equal(decompressed(source, text.length - 1), undefined);
    assert.equal(decompressed(source, text.length + 1), undefined);
  }
});

test("what cannot be compressed is refused where room is less", () => {
  const noise = new Random(1).bytes(1000);
  assert.equal(compressed(noise, 996), undefined);
  assert.deepEqual(decompressed(compressed(noise)!, 1000), noise);
});

test("distances and lengths at their limits", () => {
  const random = new Random(seedOfRun());
  for (const distance of [1, 2, 3, 8191, 8192, 8193]) {
    for (const length of [3, 4, 8, 9, 10, 263, 264, 265, 528, 529]) {
      const source = random.bytes(distance + length);
      for (let at = distance; at < source.length; at++) source[at] = source[at - distance]!;
      assert.deepEqual(decompressed(compressed(source)!, source.length), source, `${distance} ${length}`);
    }
  }
});

const texts = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.array(fc.constantFrom(0x61, 0x62), { maxLength: 2000 }),
  fc
    .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 6 }), fc.nat({ max: 400 })), { maxLength: 12 })
    .map((runs) => runs.flatMap(([bytes, count]) => Array.from({ length: count }, () => [...bytes]).flat())),
);

test("whatever is compressed comes back, and repetitive text becomes short", () => {
  fc.assert(
    fc.property(texts, (bytes) => {
      const source = Buffer.from(bytes);
      const result = compressed(source);
      if (source.length === 0) return;
      assert.ok(source.length <= decompressedMax(result!.length));
      assert.deepEqual(decompressed(result!, source.length), source);
    }),
  );
  assert.ok(compressed(Buffer.from("the quick brown fox ".repeat(50)))!.length < 60);
});

test("damaged data ends in a refusal or in the right number of bytes, within bounds", () => {
  const random = new Random(seedOfRun());
  for (let round = 0; round < 20_000; round++) {
    const source = random.bytes(random.between(0, 12));
    decompressed(source, random.below(40));
  }
});
