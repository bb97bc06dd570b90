/** What commands on places share: coordinates, distances and units, among their arguments and in their replies. */
import type { Arguments } from "../base/arguments.ts";
import { formatFixed, formatFixedShort } from "../base/fixed-point.ts";
import { LATITUDE_MAX, LONGITUDE_MAX, type Position } from "../base/geohash.ts";
import { type ArgumentDocument, parseDouble, pureToken } from "./argument.ts";
import { CommandError, NOT_A_FLOAT } from "./errors.ts";
import type { Reply } from "./reply.ts";

/** Metres of each unit. */
const UNITS = { M: 1, KM: 1000, FT: 0.3048, MI: 1609.34 };
const UNSUPPORTED_UNIT = "ERR unsupported unit provided. please use M, KM, FT, MI";

/** Digits behind the point of a coordinate, at the most, and of a distance. */
const COORDINATE_DIGITS = 17;
const DISTANCE_DIGITS = 4;

export const UNIT: ArgumentDocument = {
  name: "unit",
  type: "oneof",
  arguments: ["m", "km", "ft", "mi"].map((unit) => pureToken(unit)),
};
export const LONGITUDE: ArgumentDocument = { name: "longitude", type: "double" };
export const LATITUDE: ArgumentDocument = { name: "latitude", type: "double" };

/** A number in argument `index`. @param error the text for anything else */
export function doubleAt(args: Arguments, index: number, error: string = NOT_A_FLOAT): number {
  const value = parseDouble(args.latin1(index));
  if (value === undefined) throw new CommandError(error);
  return value;
}

/** Points `position` at the longitude in argument `index` and the latitude behind it. @throws CommandError */
export function readPosition(args: Arguments, index: number, position: Position): void {
  const longitude = doubleAt(args, index);
  const latitude = doubleAt(args, index + 1);
  if (Math.abs(longitude) > LONGITUDE_MAX || Math.abs(latitude) > LATITUDE_MAX) {
    const [east, north] = [formatFixed(longitude, 6), formatFixed(latitude, 6)];
    throw new CommandError(`ERR invalid longitude,latitude pair ${east},${north}`);
  }
  position.longitude = longitude;
  position.latitude = latitude;
}

/** The unit in argument `index`, in metres. @throws CommandError */
export function unitAt(args: Arguments, index: number): number {
  for (const [name, metres] of Object.entries(UNITS)) if (args.is(index, name)) return metres;
  throw new CommandError(UNSUPPORTED_UNIT);
}

export function replyPosition(reply: Reply, { longitude, latitude }: Position): void {
  reply.array(2);
  reply.doubleAs(formatFixedShort(longitude, COORDINATE_DIGITS));
  reply.doubleAs(formatFixedShort(latitude, COORDINATE_DIGITS));
}

/** A string in either protocol. Rounded as Redis does: what is scaled is rounded, ties to even. */
export function replyDistance(reply: Reply, distance: number): void {
  const scaled = distance * 10 ** DISTANCE_DIGITS;
  const below = Math.floor(scaled);
  const isUp = scaled - below > 0.5 || (scaled - below === 0.5 && below % 2 === 1);
  const digits = String(isUp ? below + 1 : below).padStart(DISTANCE_DIGITS + 1, "0");
  reply.bulkText(`${digits.slice(0, -DISTANCE_DIGITS)}.${digits.slice(-DISTANCE_DIGITS)}`);
}
