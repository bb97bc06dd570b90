import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeScore, interleave, LATITUDE_MAX, LONGITUDE_MAX, Position, partOf, scoreOf, textOf } from "./geohash.ts";

function at(longitude: number, latitude: number): Position {
  return Object.assign(new Position(), { longitude, latitude });
}

const longitudes = fc.double({ min: -LONGITUDE_MAX, max: LONGITUDE_MAX, noNaN: true });
const latitudes = fc.double({ min: -LATITUDE_MAX, max: LATITUDE_MAX, noNaN: true });

test("scores, places and texts that Redis gives", () => {
  const cases: [longitude: number, latitude: number, score: number, text: string][] = [
    [13.361389, 38.115556, 3479099956230698, "sqc8b49rny0"],
    [15.087269, 37.502669, 3479447370796909, "sqdtr74hyu0"],
    [0, 0, 3377699720527872, "s0000000000"],
    [-180, -LATITUDE_MAX, 0, "00bh0hbj200"],
    [179.9999999, LATITUDE_MAX - 1e-7, 2 ** 52 - 1, "zzpgzgpfxz0"],
  ];
  for (const [longitude, latitude, score, text] of cases) {
    assert.equal(scoreOf(at(longitude, latitude)), score);
    assert.equal(textOf(decodeScore(score, new Position())), text, `${longitude} ${latitude}`);
  }
  assert.deepEqual(decodeScore(3479099956230698, new Position()), at(13.361389338970184, 38.1155563954963));
});

test("a place is decoded to the middle of its cell, which has the same score", () => {
  const property = fc.property(longitudes, latitudes, (longitude, latitude) => {
    const score = scoreOf(at(longitude, latitude));
    const middle = decodeScore(score, new Position());
    // The last end of a range has a part of its own, beyond the map: the score then has more bits than a double.
    const isOnMap = [partOf(longitude, LONGITUDE_MAX, 26), partOf(latitude, LATITUDE_MAX, 26)].every(
      (part) => part < 2 ** 26,
    );
    if (!isOnMap) return;
    assert.equal(scoreOf(middle), score);
    assert.ok(Math.abs(middle.longitude - longitude) <= 360 / 2 ** 26);
    assert.ok(Math.abs(middle.latitude - latitude) <= 180 / 2 ** 26);
  });
  fc.assert(property, { numRuns: 2000 });
});

test("bits alternate, the longitude's first", () => {
  const parts = fc.nat({ max: 2 ** 26 - 1 });
  const property = fc.property(parts, parts, (longitudePart, latitudePart) => {
    let expected = 0n;
    for (let bit = 25n; bit >= 0n; bit--) {
      expected = (expected << 2n) | (((BigInt(longitudePart) >> bit) & 1n) << 1n);
      expected |= (BigInt(latitudePart) >> bit) & 1n;
    }
    assert.equal(BigInt(interleave(longitudePart, latitudePart)), expected);
    assert.equal(BigInt(interleave(longitudePart, latitudePart, 1)), expected + 1n);
  });
  fc.assert(property, { numRuns: 1000 });
});

test("any number is decoded, to a place on the map", () => {
  const property = fc.property(fc.double({ noNaN: true }), (score) => {
    const { longitude, latitude } = decodeScore(score, new Position());
    assert.ok(Math.abs(longitude) <= LONGITUDE_MAX && Math.abs(latitude) <= LATITUDE_MAX, `${score}`);
  });
  fc.assert(property, { numRuns: 1000, examples: [[Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY], [-1]] });
});
