/** Distances on a sphere of Earth's mean radius, in metres; angles in degrees. In Redis's order of operations. */
import { exactAsin, exactCos, exactSin } from "./exact-trigonometry.ts";
import type { Position } from "./geohash.ts";

export const EARTH_RADIUS = 6372797.560856;
const RADIANS_PER_DEGREE = Math.PI / 180;

export function radians(degrees: number): number {
  return degrees * RADIANS_PER_DEGREE;
}

export function degrees(angle: number): number {
  return angle / RADIANS_PER_DEGREE;
}

/** Between two places on one meridian. */
export function latitudeDistance(from: number, to: number): number {
  return EARTH_RADIUS * Math.abs(radians(to) - radians(from));
}

/** The sine of half the angle from which on a last bit more or less of it, by the arc sine, becomes millimetres. */
const FAR = 0.99;

/** Along the great circle, by the haversine formula; quick, but where the formula makes much of each last bit. */
export function distance(fromLongitude: number, fromLatitude: number, toLongitude: number, toLatitude: number): number {
  const v = Math.sin((radians(toLongitude) - radians(fromLongitude)) / 2);
  if (v === 0) return latitudeDistance(fromLatitude, toLatitude);
  const from = radians(fromLatitude);
  const to = radians(toLatitude);
  const u = Math.sin((to - from) / 2);
  const root = Math.sqrt(u * u + Math.cos(from) * Math.cos(to) * v * v);
  if (root < FAR) return 2 * EARTH_RADIUS * Math.asin(root);
  return exactBetween(fromLongitude, fromLatitude, toLongitude, toLatitude);
}

/** The same with all digits right, as far as the formula goes: for what is kept, not just compared and rounded. */
export function exactDistance(from: Position, to: Position): number {
  return exactBetween(from.longitude, from.latitude, to.longitude, to.latitude);
}

function exactBetween(fromLongitude: number, fromLatitude: number, toLongitude: number, toLatitude: number): number {
  const v = exactSin((radians(toLongitude) - radians(fromLongitude)) / 2);
  if (v === 0) return latitudeDistance(fromLatitude, toLatitude);
  const from = radians(fromLatitude);
  const to = radians(toLatitude);
  const u = exactSin((to - from) / 2);
  return 2 * EARTH_RADIUS * exactAsin(Math.sqrt(u * u + exactCos(from) * exactCos(to) * v * v));
}
