/**
 * Sine, cosine and arc sine, rounded to the nearest number practically always.
 *
 * JavaScript's own are off by the last bit for some numbers in a hundred, and not where the C library is, which Redis
 * computes distances with: one in twenty would differ, and show where it is stored as a score. The C library rounds
 * rightly all but always, so that doing the same agrees with it, whatever its method.
 *
 * A value is kept as the unevaluated sum of two numbers, some 106 bits ("double-double", T. J. Dekker 1971). Some 0.4
 * microseconds a call, twenty times Math.sin: for results that are kept with all their digits.
 */

/** π/2 as the sum of three numbers. */
const QUARTER_HIGH = 1.5707963267948966;
const QUARTER_MIDDLE = 6.123233995736766e-17;
const QUARTER_LOW = -1.4973849048591698e-33;

/** Splits 53 bits into two halves. */
const SPLITTER = 2 ** 27 + 1;

/** The result of the last operation, in two parts, the first the nearest number to the whole. */
let high = 0;
let low = 0;

/** The coefficients 1/n!, up to where a term is nothing for arguments up to π/4, and what each is more than that. */
const RECIPROCALS: number[] = [];
const RESTS: number[] = [];
for (let n = 0, factorial = 1; n < 27; n++, factorial *= n) {
  RECIPROCALS.push(1 / factorial);
  multiplyExactly(1 / factorial, factorial);
  RESTS.push((1 - high - low) / factorial);
}

/** Of an angle from -π to π. */
export function exactSin(angle: number): number {
  sine(angle);
  return high;
}

/** Of an angle from -π to π. */
export function exactCos(angle: number): number {
  quadrant(angle, 1);
  return high;
}

/** Of a number from -1 to 1; NaN beyond. */
export function exactAsin(value: number): number {
  const near = Math.asin(value);
  if (!(Math.abs(value) < 1)) return near;
  // A step of Newton's method, the sine known to twice the digits.
  sine(near);
  const error = value - high - low;
  return near + error / Math.cos(near);
}

function sine(angle: number): void {
  quadrant(angle, 0);
}

/** The sine of an angle plus `shift` right angles. */
function quadrant(angle: number, shift: number): void {
  if (!Number.isFinite(angle)) {
    high = Number.NaN;
    low = Number.NaN;
    return;
  }
  const turns = Math.round(angle / QUARTER_HIGH);
  // A few right angles, in three parts whose products with so small numbers are exact.
  addExactly(angle, -turns * QUARTER_HIGH);
  const rest = low;
  addExactly(high, -turns * QUARTER_MIDDLE);
  addExactly(high, low + rest - turns * QUARTER_LOW);
  const place = (turns + shift) & 3;
  if ((place & 1) === 0) sineNearZero(high, low);
  else cosineNearZero(high, low);
  if (place >= 2) {
    high = -high;
    low = -low;
  }
}

/** x - x³/3! + x⁵/5! - … */
function sineNearZero(x: number, xRest: number): void {
  square(x, xRest);
  const z = high;
  const zRest = low;
  alternating(z, zRest, 3, 9);
  multiply(high, low, z, zRest);
  multiply(high, low, x, xRest);
  addTwo(x, xRest, -high, -low);
}

/** 1 - x²/2! + x⁴/4! - … */
function cosineNearZero(x: number, xRest: number): void {
  square(x, xRest);
  const z = high;
  const zRest = low;
  alternating(z, zRest, 2, 10);
  multiply(high, low, z, zRest);
  addTwo(1, 0, -high, -low);
}

/**
 * 1/n! - z/(n+2)! + z²/(n+4)! - …, the terms up to that of `last` in two parts each: what follows is so small that its
 * own digits are enough for the whole to be off by a billionth of its last one.
 */
function alternating(z: number, zRest: number, n: number, last: number): void {
  addExactly(RECIPROCALS[last]!, RESTS[last]! - z * alternatingTail(z, last + 2));
  for (let term = last - 2; term >= n; term -= 2) {
    multiply(high, low, z, zRest);
    addTwo(RECIPROCALS[term]!, RESTS[term]!, -high, -low);
  }
}

/** 1/n! - z/(n+2)! + z²/(n+4)! - … */
function alternatingTail(z: number, n: number): number {
  let sum = 0;
  for (let term = n + 14; term >= n; term -= 2) sum = RECIPROCALS[term]! - z * sum;
  return sum;
}

/** The sum of two numbers. */
function addExactly(left: number, right: number): void {
  const sum = left + right;
  const part = sum - left;
  low = left - (sum - part) + (right - part);
  high = sum;
}

function addTwo(left: number, leftRest: number, right: number, rightRest: number): void {
  addExactly(left, right);
  const rest = low + leftRest + rightRest;
  addExactly(high, rest);
}

/** The product of two numbers. */
function multiplyExactly(left: number, right: number): void {
  const product = left * right;
  const leftSplit = SPLITTER * left;
  const leftHigh = leftSplit - (leftSplit - left);
  const leftLow = left - leftHigh;
  const rightSplit = SPLITTER * right;
  const rightHigh = rightSplit - (rightSplit - right);
  const rightLow = right - rightHigh;
  low = leftHigh * rightHigh - product + leftHigh * rightLow + leftLow * rightHigh + leftLow * rightLow;
  high = product;
}

function multiply(left: number, leftRest: number, right: number, rightRest: number): void {
  multiplyExactly(left, right);
  addExactly(high, low + (left * rightRest + leftRest * right));
}

function square(x: number, rest: number): void {
  multiply(x, rest, x, rest);
}
