import assert from "node:assert/strict";
import { test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { exactAsin, exactCos, exactSin } from "./exact-trigonometry.ts";

const seed = seedOfRun();

/** Numbers as integers of 2^-SCALE. */
const SCALE = 220n;
const ONE = 1n << SCALE;

function toFixed(value: number): bigint {
  let bits = 0n;
  let rest = Math.abs(value);
  for (let shift = SCALE; rest > 0 && shift >= 0n; shift -= 26n) {
    const whole = Math.floor(rest);
    bits += BigInt(whole) << shift;
    rest = (rest - whole) * 2 ** 26;
  }
  return value < 0 ? -bits : bits;
}

/** The sine or the cosine by their series, with far more digits than are compared. */
function series(angle: number, first: number): bigint {
  const x = toFixed(angle);
  let term = first === 0 ? ONE : x;
  let sum = term;
  for (let n = BigInt(first) + 2n; term !== 0n; n += 2n) {
    term = -((((term * x) >> SCALE) * x) >> SCALE) / (n * (n - 1n));
    sum += term;
  }
  return sum;
}

/** How far a number is from the exact result, in units of its last digit. */
function error(value: number, exact: bigint): number {
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 52);
  return Math.abs(Number(toFixed(value) - exact) / 2 ** Number(SCALE) / unit);
}

/** Half a unit is the best there is; this is so near to it that one number in ten million may be off. */
const NEAREST = 0.5000001;

test("known values", () => {
  assert.equal(exactSin(0), 0);
  assert.equal(exactCos(0), 1);
  assert.equal(exactSin(Math.PI), 1.2246467991473532e-16);
  assert.equal(exactCos(Math.PI / 2), 6.123233995736766e-17);
  assert.equal(exactSin(-Math.PI / 2), -1);
  assert.equal(exactCos(Math.PI), -1);
  assert.equal(exactAsin(1), Math.PI / 2);
  assert.equal(exactAsin(0), 0);
  assert.equal(exactAsin(0.5), 0.5235987755982989);
  for (const value of [exactSin(Number.NaN), exactCos(Number.POSITIVE_INFINITY), exactAsin(1.1)]) {
    assert.ok(Number.isNaN(value));
  }
});

test("sines and cosines are the nearest numbers", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  for (let count = 0; count < 2000; count++) {
    const magnitude = random.chance(0.5) ? 1 : 10 ** -random.below(10);
    const angle = ((random.below(2 ** 53) / 2 ** 53) * 2 - 1) * Math.PI * magnitude;
    assert.ok(error(exactSin(angle), series(angle, 1)) < NEAREST, `sin ${angle}`);
    assert.ok(error(exactCos(angle), series(angle, 0)) < NEAREST, `cos ${angle}`);
  }
});

test("the sine of an arc sine is as near as the arc sine's digits let it be", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  for (let count = 0; count < 2000; count++) {
    const value = (random.below(2 ** 53) / 2 ** 53) * (random.chance(0.5) ? 1 : 10 ** -random.below(10));
    const angle = exactAsin(value);
    const [below, above] = [angle * (1 - 2 ** -53), angle * (1 + 2 ** -52)];
    const distance = (candidate: number): bigint => {
      const difference = series(candidate, 1) - toFixed(value);
      return difference < 0n ? -difference : difference;
    };
    // A tenth more, for the curve between the neighbours and where they are half as far apart.
    for (const other of [below, above]) {
      assert.ok(other === angle || distance(angle) <= (distance(other) * 11n) / 10n, `asin ${value}`);
    }
  }
});
