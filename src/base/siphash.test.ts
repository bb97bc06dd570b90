import assert from "node:assert/strict";
import { test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { halfSipHash, halfSipHashText } from "./siphash.ts";

/** The algorithm as its authors describe it, for any numbers of rounds. @returns the 32-bit hash, unsigned */
function describedHash(input: Uint8Array, key: readonly [number, number], rounds: number, finalRounds: number): number {
  const rotated = (word: number, by: number) => ((word << by) | (word >>> (32 - by))) >>> 0;
  let [v0, v1, v2, v3] = [key[0], key[1], (0x6c796765 ^ key[0]) >>> 0, (0x74656462 ^ key[1]) >>> 0];
  const round = () => {
    v0 = (v0 + v1) >>> 0;
    v1 = (rotated(v1, 5) ^ v0) >>> 0;
    v0 = rotated(v0, 16);
    v2 = (v2 + v3) >>> 0;
    v3 = (rotated(v3, 8) ^ v2) >>> 0;
    v0 = (v0 + v3) >>> 0;
    v3 = (rotated(v3, 7) ^ v0) >>> 0;
    v2 = (v2 + v1) >>> 0;
    v1 = (rotated(v1, 13) ^ v2) >>> 0;
    v2 = rotated(v2, 16);
  };
  const whole = input.length - (input.length % 4);
  const padded = new Uint8Array(whole + 4);
  padded.set(input);
  padded[whole + 3] = input.length & 0xff;
  const view = new DataView(padded.buffer);
  for (let at = 0; at <= whole; at += 4) {
    const word = view.getUint32(at, true);
    v3 = (v3 ^ word) >>> 0;
    for (let count = 0; count < rounds; count++) round();
    v0 = (v0 ^ word) >>> 0;
  }
  v2 = (v2 ^ 0xff) >>> 0;
  for (let count = 0; count < finalRounds; count++) round();
  return (v1 ^ v3) >>> 0;
}

function hash(input: Uint8Array, key: readonly [number, number]): number {
  const words = new Int32Array(Math.ceil(input.length / 4));
  new Uint8Array(words.buffer).set(input);
  return halfSipHash(words, input.length, key[0], key[1]) >>> 0;
}

/** Published for HalfSipHash-2-4: key 00 … 07, input 00, 01 … of as many bytes as the index; read as little-endian. */
const PUBLISHED = ["a9359f5b", "27475ab8", "fa62a603", "8afee704", "2a6e4689", "c5fab669", "5863fc23", "8bcf63c5"];

test("the description in this test gives the published hashes", () => {
  for (const [length, expected] of PUBLISHED.entries()) {
    const input = Uint8Array.from({ length }, (_, index) => index);
    const result = Buffer.alloc(4);
    result.writeUInt32LE(describedHash(input, [0x03020100, 0x07060504], 2, 4));
    assert.equal(result.toString("hex"), expected);
  }
});

test("the hash is what the description gives with one and two rounds", () => {
  const seed = seedOfRun();
  const random = new Random(seed);
  for (let length = 0; length < 600; length++) {
    const input = random.bytes(length);
    const key: [number, number] = [random.below(2 ** 32), random.below(2 ** 32)];
    assert.equal(hash(input, key), describedHash(input, key, 1, 2), `length ${length}, seed ${seed}`);
  }
});

test("bytes behind the input do not count", () => {
  const words = new Int32Array([0x64636261, 0x00000065, -1, -1]);
  assert.equal(halfSipHash(words, 5, 1, 2), halfSipHash(words.subarray(0, 2), 5, 1, 2));
  assert.equal(halfSipHash(words, 4, 1, 2), halfSipHash(words.subarray(0, 1), 4, 1, 2));
});

test("a text has the hash of its bytes, and leaves them behind", () => {
  const random = new Random(seedOfRun());
  const letters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join("");
  for (let length = 0; length < 300; length++) {
    const text = random.text(length, letters);
    const key: [number, number] = [random.below(2 ** 32), random.below(2 ** 32)];
    const words = new Int32Array(Math.ceil(length / 4) + 1).fill(-1);
    assert.equal(halfSipHashText(text, words, ...key)! >>> 0, hash(Buffer.from(text), key));
    assert.equal(Buffer.from(words.buffer).latin1Slice(0, length), text);
    assert.equal(words.at(-1), -1);
  }
});

test("a text that is not ASCII has no hash", () => {
  const words = new Int32Array(8);
  for (const odd of ["\x80", "\xff", "é", "Ā", "€", "\ud800", "😀"]) {
    for (let at = 0; at < 9; at++) {
      assert.equal(halfSipHashText(`${"a".repeat(at)}${odd}${"b".repeat(9 - at)}`, words, 1, 2), undefined);
      assert.equal(halfSipHashText("a".repeat(at) + odd, words, 1, 2), undefined);
    }
  }
});

test("hashes of counted keys spread evenly, whatever the seed", () => {
  const random = new Random(seedOfRun());
  const key: [number, number] = [random.below(2 ** 32), random.below(2 ** 32)];
  const buckets = new Array<number>(256).fill(0);
  for (let index = 0; index < 25_600; index++) buckets[hash(Buffer.from(`key:${index}`), key) & 0xff]! += 1;
  const chiSquare = buckets.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
  // 255 degrees of freedom: beyond 400 by chance once in a hundred million runs.
  assert.ok(chiSquare < 400, `${chiSquare} with seeds ${key}`);
});
