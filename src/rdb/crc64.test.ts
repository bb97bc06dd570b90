import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Crc64 } from "./crc64.ts";

function sumOf(bytes: Uint8Array): string {
  const crc = new Crc64();
  crc.update(bytes, 0, bytes.length);
  return crc.toString();
}

/** Bit by bit, in BigInt, from the polynomial as it is published. */
function naiveSum(bytes: Uint8Array): string {
  const reversed = BigInt(`0b${[...0xad93d23594c935a9n.toString(2)].reverse().join("")}`);
  let sum = 0n;
  for (const byte of bytes) {
    sum ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1n) === 0n ? sum >> 1n : (sum >> 1n) ^ reversed;
  }
  return sum.toString(16).padStart(16, "0");
}

test("sums that are known", () => {
  assert.equal(sumOf(Buffer.from("")), "0000000000000000");
  assert.equal(sumOf(Buffer.from("123456789")), "e9c6d914c4b8d9ca");
  // The footer that redis-server 7.0.15 wrote behind DUMP of the string "hello".
  const dump = Buffer.from("\x00\x05hello\x0a\x00", "latin1");
  assert.equal(sumOf(dump), Buffer.from("cr\xdfve4 \n", "latin1").reverse().toString("hex"));
});

test("the sum is that of its definition, however the bytes are cut", () => {
  const cuts = fc.array(fc.nat({ max: 80 }), { maxLength: 4 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), cuts, (bytes, places) => {
      const crc = new Crc64();
      let at = 0;
      for (const place of [...places, bytes.length].sort((left, right) => left - right)) {
        const end = Math.min(place, bytes.length);
        crc.update(bytes, at, end);
        at = end;
      }
      assert.equal(crc.toString(), naiveSum(bytes));
      crc.reset();
      crc.update(bytes, 0, bytes.length);
      assert.equal(crc.toString(), naiveSum(bytes));
    }),
  );
});

test("long pieces, wherever in memory they begin and end", () => {
  const memory = Uint8Array.from({ length: 1_100 }, (_, index) => (index * index * 31) >>> 3);
  for (let offset = 0; offset < 9; offset += 1) {
    for (const length of [255, 256, 257, 263, 264, 511, 1_000, 1_001]) {
      const bytes = memory.subarray(offset, offset + length);
      const wanted = naiveSum(bytes);
      assert.equal(sumOf(bytes), wanted, `${length} bytes at ${offset}`);
      const crc = new Crc64();
      crc.update(memory, offset, offset + length);
      assert.equal(crc.toString(), wanted, `${length} bytes from ${offset}`);
      crc.reset();
      crc.update(bytes, 0, 3);
      crc.update(bytes, 3, length);
      assert.equal(crc.toString(), wanted, `${length} bytes at ${offset}, in two pieces`);
    }
  }
});
