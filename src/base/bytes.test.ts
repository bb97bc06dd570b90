import assert from "node:assert/strict";
import { test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { copyBytes, EMPTY_BYTES, equalBytes, moveBytes, Slice } from "./bytes.ts";

test("ranges of any length are copied from anywhere to anywhere, and nothing beside them", () => {
  const random = new Random(seedOfRun());
  for (let length = 0; length < 200; length++) {
    const source = random.bytes(length + 20);
    const from = random.below(21);
    const to = random.below(21);
    const target = random.bytes(length + 20);
    const expected = Buffer.from(target);
    source.copy(expected, to, from, from + length);
    copyBytes(source, from, target, to, length);
    assert.ok(target.equals(expected), `length ${length}`);
  }
});

test("ranges of any length are moved within one buffer, over each other or not", () => {
  const random = new Random(seedOfRun());
  for (const length of [...Array(100).keys(), 511, 512, 513, 2000, 65_536, 65_537, 200_000]) {
    for (const distance of [1, 7, 64, 600, 70_000]) {
      for (const [from, to] of [
        [3, 3 + distance],
        [3 + distance, 3],
      ] as const) {
        const bytes = random.bytes(64);
        const buffer = Buffer.from(new SharedArrayBuffer(length + distance + 6));
        buffer.fill(bytes);
        const expected = Buffer.from(buffer);
        expected.set(Buffer.from(buffer.subarray(from, from + length)), to);
        moveBytes(buffer, from, to, length);
        assert.ok(buffer.equals(expected), `${length} bytes from ${from} to ${to}`);
      }
    }
  }
});

test("ranges are equal if every byte is", () => {
  const random = new Random(seedOfRun());
  for (let length = 0; length < 100; length++) {
    const left = random.bytes(length + 5);
    const right = Buffer.concat([random.bytes(3), left.subarray(5)]);
    assert.ok(equalBytes(left, 5, right, 3, length));
    for (let at = 0; at < length; at++) {
      right[3 + at]! ^= 1 << random.below(8);
      assert.ok(!equalBytes(left, 5, right, 3, length), `byte ${at} of ${length}`);
      right[3 + at] = left[5 + at]!;
    }
  }
});

test("a slice shows what it points at, and gives copies", () => {
  const slice = new Slice();
  assert.equal(slice.toLatin1(), "");
  assert.ok(slice.toBuffer().equals(EMPTY_BYTES));
  const bytes = Buffer.from("<\xe9\0\xff>", "latin1");
  slice.set(bytes, 1, 3);
  assert.equal(slice.toLatin1(), "\xe9\0\xff");
  const copy = slice.toBuffer();
  bytes.fill(0);
  assert.deepEqual([...copy], [0xe9, 0, 0xff]);
});
