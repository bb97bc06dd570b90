import assert from "node:assert/strict";
import { test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { Crc64 } from "./crc64.ts";
import { sumOfLoneByte } from "./crc64-zeros.ts";

const seed = seedOfRun();

function sumOf(bytes: Buffer): bigint {
  const crc = new Crc64();
  crc.update(bytes, 0, bytes.length);
  return BigInt(`0x${crc.toString()}`);
}

test("the sum of one byte and zeros behind it, and what changing a byte changes in a sum", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  for (const length of [1, 2, 3, 8, 9, 255, 256, 1000, 65_536, 100_003, random.between(1, 200_000)]) {
    const at = random.below(length);
    const change = random.between(1, 255);
    const before = random.bytes(length);
    const lone = Buffer.alloc(length);
    lone[at] = change;
    const after = Buffer.from(before);
    after[at] = after[at]! ^ change;
    const sum = sumOfLoneByte(change, length - 1 - at);
    assert.equal(sum, sumOf(lone));
    assert.equal(sumOf(before) ^ sum, sumOf(after));
  }
});

test("terabytes of zeros cost nothing", () => {
  assert.equal(sumOfLoneByte(2, 2 ** 45 - 1), sumOfLoneByte(2, 2 ** 45 - 1));
  assert.notEqual(sumOfLoneByte(2, 2 ** 45 - 1), sumOfLoneByte(2, 2 ** 45));
});
