import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cellsOf, circleAround, distanceWithin, rectangleAround } from "./geo-area.ts";
import { distance, exactDistance } from "./geo-distance.ts";
import { decodeScore, Position, scoreOf } from "./geohash.ts";

function at(longitude: number, latitude: number): Position {
  return Object.assign(new Position(), { longitude, latitude });
}

const degrees = (max: number) => fc.double({ min: -max, max, noNaN: true });
const places = fc.tuple(degrees(150), degrees(60)).map(([longitude, latitude]) => at(longitude, latitude));
const metres = fc.double({ min: 1, max: 800_000, noNaN: true });
/** Where something is, seen from an area's centre, in degrees. */
const offsets = fc.tuple(degrees(12), degrees(8));

test("the distance between two places, as Redis gives it", () => {
  const palermo = at(13.361389338970184, 38.1155563954963);
  const catania = at(15.087267458438873, 37.50266842333162);
  const metres = distance(palermo.longitude, palermo.latitude, catania.longitude, catania.latitude);
  assert.equal(metres.toFixed(4), "166274.1516");
  assert.equal(distance(10, 20, 10, 20), 0);
  const property = fc.property(places, places, (one, other) => {
    const exact = exactDistance(one, other);
    const quick = distance(one.longitude, one.latitude, other.longitude, other.latitude);
    assert.ok(Math.abs(exact - quick) <= 1e-8 + exact * 1e-14);
  });
  fc.assert(property, { numRuns: 1000 });
});

test("half the Earth away, where the last bit of a sine becomes centimetres, all digits are right", () => {
  // As redis-server has it, with the C library's sines.
  const metres = distance(180, 85.05109963070666, 0.000002682209014892578, -85.05112751263943);
  assert.equal(metres.toFixed(4), "20020730.8966");
  const property = fc.property(
    places,
    degrees(1),
    degrees(1),
    fc.integer({ min: 0, max: 7 }),
    (one, east, north, shift) => {
      const longitude = one.longitude + (one.longitude > 0 ? -180 : 180) + east * 10 ** -shift;
      const other = at(longitude, north * 10 ** -shift - one.latitude);
      const quick = distance(one.longitude, one.latitude, other.longitude, other.latitude);
      assert.equal(quick, exactDistance(one, other));
    },
  );
  fc.assert(property, { numRuns: 1000 });
});

test("each place of an area is in one of its cells, and in no other", () => {
  const areas = fc.oneof(
    fc.tuple(places, metres).map(([centre, radius]) => circleAround(centre, radius, 1)),
    fc.tuple(places, metres, metres).map(([centre, width, height]) => rectangleAround(centre, width, height, 1)),
  );
  let within = 0;
  const property = fc.property(areas, fc.array(offsets, { minLength: 20, maxLength: 40 }), (area, given) => {
    const cells = cellsOf(area);
    assert.ok(cells.length >= 1 && cells.length <= 9);
    for (const [east, north] of given) {
      const scale = area.reach / 800_000;
      const place = at(area.centre.longitude + east * scale, area.centre.latitude + north * scale);
      const score = scoreOf(place);
      const isWithin = distanceWithin(area, decodeScore(score, new Position())) >= 0;
      const count = cells.filter(({ min, end }) => score >= min && score < end).length;
      assert.ok(count <= 1);
      if (!isWithin) continue;
      within += 1;
      assert.equal(count, 1, `${JSON.stringify({ area, place })}`);
    }
  });
  fc.assert(property, { numRuns: 500 });
  assert.ok(within > 1000, `only ${within} places were within`);
});

test("the whole map, and a single point", () => {
  assert.equal(cellsOf(circleAround(at(0, 0), 1e9, 1)).length, 4);
  const [cell, ...others] = cellsOf(circleAround(at(13, 38), 0, 1));
  const score = scoreOf(at(13, 38));
  assert.deepEqual(cell, { min: score, end: score + 1 });
  assert.deepEqual(others, []);
});
