import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { countOnes, findBit, readBits, withBits } from "./bits.ts";

/** Bytes at any alignment, long enough for words, often with long runs of the same byte. */
const ranges = fc
  .record({
    runs: fc.array(
      fc.record({
        byte: fc.oneof(fc.constantFrom(0, 255), fc.integer({ min: 0, max: 255 })),
        count: fc.integer({ min: 1, max: 90 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    start: fc.integer({ min: 0, max: 9 }),
  })
  .map(({ runs, start }) => {
    const value = Buffer.concat(runs.map(({ byte, count }) => Buffer.alloc(count, byte)));
    return {
      bytes: Buffer.concat([Buffer.alloc(start, 0x55), value, Buffer.alloc(9, 0xaa)]),
      start,
      length: value.length,
    };
  });

/** The naive twin: a character a bit. */
function textOf(bytes: Uint8Array, start: number, length: number): string {
  return Array.from(bytes.subarray(start, start + length), (byte) => byte.toString(2).padStart(8, "0")).join("");
}

test("ones are counted as in the text of the bits", () => {
  fc.assert(
    fc.property(ranges, ({ bytes, start, length }) => {
      assert.equal(countOnes(bytes, start, length), textOf(bytes, start, length).replaceAll("0", "").length);
    }),
  );
});

test("bits are found as in the text of the bits", () => {
  const positions = fc.tuple(fc.nat(), fc.nat(), fc.constantFrom(0, 1));
  fc.assert(
    fc.property(ranges, positions, ({ bytes, start, length }, [one, other, bit]) => {
      const [from, to] = [one % (length * 8), other % (length * 8)].sort((left, right) => left - right) as [
        number,
        number,
      ];
      const found = textOf(bytes, start, length).indexOf(`${bit}`, from);
      assert.equal(findBit(bytes, start, from, to, bit), found > to ? -1 : found);
    }),
  );
});

test("fields are read and written as in the text of the bits", () => {
  const fields = fc.record({
    offset: fc.nat({ max: 700 }),
    count: fc.integer({ min: 1, max: 32 }),
    value: fc.nat({ max: 2 ** 32 - 1 }),
  });
  fc.assert(
    fc.property(ranges, fields, ({ bytes, start, length }, { offset, count, value }) => {
      const text = textOf(bytes, start, length).padEnd(offset + count, "0");
      assert.equal(
        readBits(bytes, start, length, offset, count),
        Number.parseInt(text.slice(offset, offset + count), 2),
      );
      const stored = count === 32 ? value : value % 2 ** count;
      const first = Math.floor(offset / 8);
      const last = Math.floor((offset + count - 1) / 8);
      const written = Buffer.alloc(last + 1);
      for (let at = first; at <= last; at++) {
        written[at] = withBits(at < length ? bytes[start + at]! : 0, at, offset, count, stored);
      }
      const after = text.slice(0, offset) + stored.toString(2).padStart(count, "0") + text.slice(offset + count);
      assert.equal(
        textOf(written, first, last - first + 1),
        after.padEnd((last + 1) * 8, "0").slice(first * 8, (last + 1) * 8),
      );
    }),
  );
});
