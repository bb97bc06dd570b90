/**
 * Areas to search on Earth: a circle or a rectangle around a place, and the geohash cells that cover it.
 *
 *     NW | N | NE     The middle cell holds the centre, and its size is chosen so that these nine cells cover the area;
 *     ---+---+---     those that the area does not reach are left out. Each cell is one range of scores. Their order is
 *     W  |   | E      Redis's, because what is found without sorting is shown in it: the middle, N, S, E, W, NE, NW,
 *     ---+---+---     SE, SW. At the edges of the map cells go on at the other side.
 *     SW | S | SE
 */
import { degrees, distance, EARTH_RADIUS, latitudeDistance, radians } from "./geo-distance.ts";
import { interleave, LATITUDE_MAX, LONGITUDE_MAX, type Position, partOf, STEPS_MAX, startOfPart } from "./geohash.ts";

/** Half the edge of the Mercator map, in metres. */
const MERCATOR_MAX = 20037726.37;
/** From these latitudes on, cells are so narrow that larger ones are taken. */
const NORTHERN = 66;
const FAR_NORTHERN = 80;

/** East and north of the middle cell, in cells. */
const NEIGHBOURS: readonly (readonly [east: number, north: number])[] = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
];

/** A circle or a rectangle. */
export interface Area {
  readonly centre: Position;
  /** From the centre to the edges, north and east: the same for a circle. In metres. */
  readonly halfHeight: number;
  readonly halfWidth: number;
  /** From the centre to the farthest place. */
  readonly reach: number;
  readonly isCircle: boolean;
}

/** @param unit in metres */
export function circleAround(centre: Position, radius: number, unit: number): Area {
  const reach = radius * unit;
  return { centre, halfHeight: reach, halfWidth: reach, reach, isCircle: true };
}

/** @param unit in metres */
export function rectangleAround(centre: Position, width: number, height: number, unit: number): Area {
  const [halfWidth, halfHeight] = [width / 2, height / 2];
  const reach = Math.sqrt(halfWidth * halfWidth + halfHeight * halfHeight) * unit;
  return { centre, halfHeight: unit * halfHeight, halfWidth: unit * halfWidth, reach, isCircle: false };
}

/** Scores that a cell's places have. */
export interface ScoreRange {
  readonly min: number;
  /** The first score behind them. */
  readonly end: number;
}

/** The distance from an area's centre to a place, or -1 if the place is not in the area. */
export function distanceWithin(area: Area, { longitude, latitude }: Position): number {
  const { centre } = area;
  if (!area.isCircle) {
    if (latitudeDistance(latitude, centre.latitude) > area.halfHeight) return -1;
    if (distance(longitude, latitude, centre.longitude, latitude) > area.halfWidth) return -1;
  }
  const metres = distance(centre.longitude, centre.latitude, longitude, latitude);
  return area.isCircle && metres > area.halfWidth ? -1 : metres;
}

/** The cells that cover an area. */
export function cellsOf(area: Area): ScoreRange[] {
  const bounds = boundsOf(area);
  let cell = new Cell(area.centre, stepsFor(area));
  if (cell.steps > 1 && !cell.reaches(bounds)) cell = new Cell(area.centre, cell.steps - 1);
  const ranges: ScoreRange[] = [];
  let last = 0;
  for (const [index, [east, north]] of NEIGHBOURS.entries()) {
    if (cell.steps >= 2 && cell.covers(bounds, east, north)) continue;
    // Large cells have the same neighbour on both sides. Redis forgets the middle one, as the first, when it compares.
    if (last > 0 && cell.areSame(NEIGHBOURS[last]!, [east, north])) continue;
    ranges.push(cell.scores(east, north));
    last = index;
  }
  return ranges;
}

interface Bounds {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

/** A rectangle of degrees around the area: as wide as it is where it is widest, at the edge nearer to a pole. */
function boundsOf({ centre, halfHeight, halfWidth }: Area): Bounds {
  const { longitude, latitude } = centre;
  const height = degrees(halfHeight / EARTH_RADIUS);
  const edge = latitude < 0 ? latitude - height : latitude + height;
  const width = degrees(halfWidth / EARTH_RADIUS / Math.cos(radians(edge)));
  return { west: longitude - width, east: longitude + width, south: latitude - height, north: latitude + height };
}

/** Halvings of the map after which cells are just large enough, as a first guess. */
function stepsFor({ centre, reach }: Area): number {
  if (reach === 0) return STEPS_MAX;
  let steps = -1;
  for (let size = reach; size < MERCATOR_MAX; size *= 2) steps += 1;
  const latitude = Math.abs(centre.latitude);
  if (latitude > NORTHERN) steps -= latitude > FAR_NORTHERN ? 2 : 1;
  return Math.min(STEPS_MAX, Math.max(1, steps));
}

/** The cell of a place, and its neighbours. */
class Cell {
  readonly steps: number;
  readonly #longitudePart: number;
  readonly #latitudePart: number;

  constructor({ longitude, latitude }: Position, steps: number) {
    this.steps = steps;
    this.#longitudePart = partOf(longitude, LONGITUDE_MAX, steps);
    this.#latitudePart = partOf(latitude, LATITUDE_MAX, steps);
  }

  /** Whether the neighbours reach the area's edges. */
  reaches(bounds: Bounds): boolean {
    return !(
      this.#latitudeAt(this.#moved(this.#latitudePart, 1) + 1) < bounds.north ||
      this.#latitudeAt(this.#moved(this.#latitudePart, -1)) > bounds.south ||
      this.#longitudeAt(this.#moved(this.#longitudePart, 1) + 1) < bounds.east ||
      this.#longitudeAt(this.#moved(this.#longitudePart, -1)) > bounds.west
    );
  }

  /** Whether the middle cell reaches beyond the area towards a neighbour, which therefore has nothing of it. */
  covers(bounds: Bounds, east: number, north: number): boolean {
    return (
      (north < 0 && this.#latitudeAt(this.#latitudePart) < bounds.south) ||
      (north > 0 && this.#latitudeAt(this.#latitudePart + 1) > bounds.north) ||
      (east < 0 && this.#longitudeAt(this.#longitudePart) < bounds.west) ||
      (east > 0 && this.#longitudeAt(this.#longitudePart + 1) > bounds.east)
    );
  }

  /** Whether two neighbours are one cell. */
  areSame(one: readonly [number, number], other: readonly [number, number]): boolean {
    return (
      this.#moved(this.#longitudePart, one[0]) === this.#moved(this.#longitudePart, other[0]) &&
      this.#moved(this.#latitudePart, one[1]) === this.#moved(this.#latitudePart, other[1])
    );
  }

  scores(east: number, north: number): ScoreRange {
    const longitudePart = this.#moved(this.#longitudePart, east);
    const latitudePart = this.#moved(this.#latitudePart, north);
    const scale = 4 ** (STEPS_MAX - this.steps);
    return {
      min: interleave(longitudePart, latitudePart) * scale,
      end: interleave(longitudePart, latitudePart, 1) * scale,
    };
  }

  #moved(part: number, by: number): number {
    return by === 0 ? part : (part + by) & (2 ** this.steps - 1);
  }

  #longitudeAt(part: number): number {
    return startOfPart(part, LONGITUDE_MAX, this.steps);
  }

  #latitudeAt(part: number): number {
    return startOfPart(part, LATITUDE_MAX, this.steps);
  }
}
