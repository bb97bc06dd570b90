/**
 * Geohashes: a place on Earth as one number, such that numbers near each other are places near each other.
 *
 * Both coordinates are halved again and again, up to 26 times; each time one bit says which half the place is in. The
 * bits alternate, longitude first from the top, so that a prefix is a rectangle and all places in it are one range of
 * numbers. 52 bits fit a sorted set's score.
 *
 *     latitude       y25   y24  …   y0        score   x25 y25 x24 y24 … x0 y0        decoded to the middle of its
 *     longitude   x25   x24  …   x0                                                  rectangle, half a metre across
 *
 * The square of the Mercator projection is what is halved: there are no places beyond 85.05112878 degrees north or
 * south. All arithmetic is in Redis's order, so that the same coordinates come out.
 */
export const LONGITUDE_MAX = 180;
export const LATITUDE_MAX = 85.05112878;
/** Halvings of each coordinate in a score. */
export const STEPS_MAX = 26;

/** What geohashes as text cover. */
const WORLD_LATITUDE_MAX = 90;
const ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz";
const TEXT_LENGTH = 11;
const BITS_PER_LETTER = 5;
const TWO_WORDS = 2 ** 32;

/** A place, in degrees. Reused by whoever owns it. */
export class Position {
  longitude = 0;
  latitude = 0;
}

/** Which of the 2^steps parts of -max to max a coordinate is in; the last end counts as one part more. */
export function partOf(coordinate: number, max: number, steps: number): number {
  return Math.floor(((coordinate + max) / (max - -max)) * 2 ** steps);
}

/** Where a part begins. */
export function startOfPart(part: number, max: number, steps: number): number {
  return -max + (part / 2 ** steps) * (max - -max);
}

/** The bits of two parts, alternating, as a number. @param added to it, before it is rounded to 53 bits */
export function interleave(longitudePart: number, latitudePart: number, added = 0): number {
  const low = (spread(latitudePart & 0xffff) | (spread(longitudePart & 0xffff) << 1)) >>> 0;
  const high = (spread(latitudePart >>> 16) | (spread(longitudePart >>> 16) << 1)) >>> 0;
  return high * TWO_WORDS + (low + added);
}

/** The score of a place. */
export function scoreOf({ longitude, latitude }: Position): number {
  return interleave(partOf(longitude, LONGITUDE_MAX, STEPS_MAX), partOf(latitude, LATITUDE_MAX, STEPS_MAX));
}

/** Points `position` at the place a score stands for; any number stands for one. */
export function decodeScore(score: number, position: Position): Position {
  const high = highWord(score);
  const low = lowWord(score);
  const latitudePart = (gather(low) | (gather(high) << 16)) >>> 0;
  const longitudePart = (gather(low >>> 1) | (gather(high >>> 1) << 16)) >>> 0;
  position.longitude = middleOfPart(longitudePart, LONGITUDE_MAX);
  position.latitude = middleOfPart(latitudePart, LATITUDE_MAX);
  return position;
}

function middleOfPart(part: number, max: number): number {
  const next = (part + 1) >>> 0;
  const middle = (startOfPart(part, max, STEPS_MAX) + startOfPart(next, max, STEPS_MAX)) / 2;
  return Math.min(max, Math.max(-max, middle));
}

/**
 * A score as an unsigned 64-bit integer, as the processors do that Redis runs on: fractions are dropped, negative
 * numbers wrap around, and what is out of range is 0 or 2^63.
 */
function highWord(score: number): number {
  const whole = Math.trunc(score);
  if (whole >= 2 ** 64) return 0;
  if (whole < -(2 ** 63)) return 0x80000000;
  return Math.floor(whole / TWO_WORDS) >>> 0;
}

function lowWord(score: number): number {
  const whole = Math.trunc(score);
  return whole >= 2 ** 64 || whole < -(2 ** 63) ? 0 : whole >>> 0;
}

/** The geohash as other programs write it, with latitudes from -90 to 90: ten letters of five bits, and a "0". */
export function textOf({ longitude, latitude }: Position): string {
  const longitudePart = partOf(longitude, LONGITUDE_MAX, STEPS_MAX);
  const latitudePart = partOf(latitude, WORLD_LATITUDE_MAX, STEPS_MAX);
  const bits = interleave(longitudePart, latitudePart);
  let text = "";
  for (let letter = 1; letter < TEXT_LENGTH; letter++) {
    const shifted = Math.floor(bits / 2 ** (2 * STEPS_MAX - letter * BITS_PER_LETTER));
    text += ALPHABET[shifted % ALPHABET.length];
  }
  return `${text}0`;
}

/** 16 bits, a zero before each. */
function spread(bits: number): number {
  let spread = bits;
  spread = (spread | (spread << 8)) & 0x00ff00ff;
  spread = (spread | (spread << 4)) & 0x0f0f0f0f;
  spread = (spread | (spread << 2)) & 0x33333333;
  return (spread | (spread << 1)) & 0x55555555;
}

/** Every second bit of a word, from the lowest on. */
function gather(word: number): number {
  let bits = word & 0x55555555;
  bits = (bits | (bits >>> 1)) & 0x33333333;
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f;
  bits = (bits | (bits >>> 4)) & 0x00ff00ff;
  return (bits | (bits >>> 8)) & 0xffff;
}
