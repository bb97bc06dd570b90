import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MurmurHash } from "./murmur-hash.ts";

const SEED = 0xadc83b19;
const MULTIPLIER = 0xc6a4a7935bd1e995n;

/** The hash as its author wrote it, with integers of 64 bits. */
function naiveHash(bytes: Uint8Array, seed: number): bigint {
  const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
  const word = (from: number, to: number): bigint =>
    bytes.subarray(from, to).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let hash = BigInt(seed) ^ wrap(BigInt(bytes.length) * MULTIPLIER);
  const end = bytes.length - (bytes.length % 8);
  for (let at = 0; at < end; at += 8) {
    let mixed = wrap(word(at, at + 8) * MULTIPLIER);
    mixed = wrap((mixed ^ (mixed >> 47n)) * MULTIPLIER);
    hash = wrap((hash ^ mixed) * MULTIPLIER);
  }
  if (end < bytes.length) hash = wrap((hash ^ word(end, bytes.length)) * MULTIPLIER);
  hash = wrap((hash ^ (hash >> 47n)) * MULTIPLIER);
  return hash ^ (hash >> 47n);
}

function hashOf(bytes: Uint8Array, seed: number, start = 0, length = bytes.length): bigint {
  const hash = new MurmurHash(seed);
  hash.hash(bytes, start, length);
  return (BigInt(hash.high >>> 0) << 32n) | BigInt(hash.low >>> 0);
}

test("known hashes", () => {
  const cases: [text: string, hash: bigint][] = [
    ["", 0xd8dfea6585bc9732n],
    ["a", 0x53d2470a9b43b1a7n],
    ["12345678", 0x95ebb86389132953n],
    ["hello world", 0xa919bc3051f624b7n],
  ];
  for (const [text, hash] of cases) assert.equal(hashOf(Buffer.from(text), SEED), hash, text);
});

test("bytes of any length, anywhere, hash as with integers of 64 bits", () => {
  const property = fc.property(
    fc.uint8Array({ maxLength: 70 }),
    fc.nat({ max: 9 }),
    fc.integer(),
    (bytes, at, seed) => {
      const padded = Buffer.concat([Buffer.alloc(at, 0xff), bytes, Buffer.alloc(9, 0xff)]);
      assert.equal(hashOf(padded, seed >>> 0, at, bytes.length), naiveHash(bytes, seed >>> 0));
    },
  );
  fc.assert(property, { numRuns: 1000 });
});
