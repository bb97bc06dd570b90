import type { Random } from "../testing/random.ts";
import type { Argument } from "../testing/resp-frame.ts";
import { command, type Draw, type Family, often, oneOf, optional, repeated, sequence, someOf } from "./shape.ts";

/** Keys that mostly hold places, two that hold something else now and then, and one that seldom exists. */
const key = oneOf("a", "b", "c", "a", "b", "c", "a", "b", "a", "b", "plain", oneOf("string", "none", "a"));
const target = oneOf("c", "d", "string", "a");

const member: Draw = (random) => [random.chance(0.8) ? `m${random.below(16)}` : `${random.below(8)}`];

const LONGITUDES = ["0", "180", "-180", "179.999999", "13.361389", "15.087269", "-122.4", "5e-324", "90", "45", "1e1"];
const LATITUDES = [
  "0",
  "85.05112878",
  "-85.05112878",
  "85.0511",
  "38.115556",
  "37.502669",
  "66",
  "-66.1",
  "80.5",
  "45",
];
const NO_DEGREES = [
  "181",
  "-180.0001",
  "85.0512",
  "-90",
  "abc",
  "",
  " 1",
  "nan",
  "inf",
  "1e400",
  "200.0078125",
  "-1e22",
];

/** Few places exactly, so that distances are equal; many near each other; some anywhere. */
function degrees(random: Random, known: readonly string[], range: number): Argument {
  if (random.chance(0.01)) return random.pick(NO_DEGREES);
  if (random.chance(0.3)) return random.pick(known);
  if (random.chance(0.4)) return random.between(-8, 8) / 4;
  if (random.chance(0.5)) return ((random.between(-1e6, 1e6) / 1e6) * 0.01 + 13).toFixed(random.between(1, 8));
  return ((random.between(-1e9, 1e9) / 1e9) * range).toFixed(random.between(0, 12));
}

const place: Draw = (random) => [degrees(random, LONGITUDES, 180), degrees(random, LATITUDES, 85)];

const unit = oneOf(
  "m",
  "km",
  "ft",
  "mi",
  "M",
  "KM",
  "m",
  "km",
  "m",
  "km",
  "km",
  "mi",
  "km",
  oneOf("km", "ft", "cm", ""),
);

const size: Draw = (random) => {
  if (random.chance(0.02)) return [random.pick(["-1", "abc", "", "nan", "-0", "1e309"])];
  if (random.chance(0.1)) return [random.pick(["0", "inf", "20037", "5000000", "1e10", "0.5"])];
  return [Math.ceil(10 ** (2 + random.below(6000) / 1000)) / random.pick([1, 1, 10])];
};

const count = sequence("COUNT", oneOf("1", "2", "3", "5", "8", "20", "100", "3", "5", oneOf("0", "-1", "abc", "1.5")));
const order = oneOf("ASC", "DESC");
const details = someOf("WITHDIST", "WITHCOORD", "WITHHASH");
const limits = sequence(optional(sequence(count, optional("ANY", 0.3)), 0.4), optional(order));
const radiusOptions = sequence(details, limits);
const storing = sequence(limits, oneOf(sequence("STORE", target), sequence("STOREDIST", target)));

const centre = oneOf(sequence("FROMLONLAT", place), sequence("FROMMEMBER", member));
const shape = oneOf(sequence("BYRADIUS", size, unit), sequence("BYBOX", size, size, unit));
const area = oneOf(sequence(centre, shape), sequence(centre, shape), sequence(shape, centre));
const wrongArea = someOf(centre, shape, centre, shape, count, "ANY", "WITHDIST", "STOREDIST", "STORE", order);

export const geo: Family = {
  name: "geo",
  prologue: [
    ["CONFIG", "SET", "zset-max-listpack-entries", "12"],
    ["SET", "string", "text"],
    ["ZADD", "plain", "0", "m0", "-1", "m1", "1.5", "m2", "4503599627370496", "m3", "1e300", "m4", "-inf", "m5"],
    ["ZADD", "plain", "inf", "m6", "3479099956230698", "m7", "18446744073709551615", "m8", "9e18", "m9"],
  ],
  commands: [
    often(20, command("GEOADD", key, repeated(sequence(place, member), 1, 12))),
    often(4, command("GEOADD", key, someOf("NX", "XX", "CH"), repeated(sequence(place, member), 1, 3))),
    command("GEOADD", key, someOf("NX", "CH"), repeated(member, 2, 4)),
    often(6, command("GEODIST", key, member, member, optional(unit))),
    often(4, command("GEOPOS", key, repeated(member, 0, 4))),
    often(4, command("GEOHASH", key, repeated(member, 0, 4))),
    often(16, command("GEOSEARCH", key, area, radiusOptions)),
    often(3, command("GEOSEARCH", key, wrongArea)),
    often(6, command("GEOSEARCHSTORE", target, key, area, limits, optional("STOREDIST"))),
    command("GEOSEARCHSTORE", target, key, wrongArea),
    often(5, command("GEORADIUS", key, place, size, unit, radiusOptions)),
    often(3, command("GEORADIUS", key, place, size, unit, storing)),
    command("GEORADIUS", key, place, size, unit, storing, details),
    often(5, command("GEORADIUSBYMEMBER", key, member, size, unit, radiusOptions)),
    often(3, command("GEORADIUSBYMEMBER", key, member, size, unit, storing)),
    often(2, command("GEORADIUS_RO", key, place, size, unit, radiusOptions)),
    command("GEORADIUS_RO", key, place, size, unit, storing),
    often(2, command("GEORADIUSBYMEMBER_RO", key, member, size, unit, radiusOptions)),
    often(4, command("ZRANGE", key, "0", "-1")),
    often(2, command("ZSCORE", key, member)),
    often(2, command("ZREM", key, repeated(member, 1, 4))),
    command("DEL", oneOf("a", "b", "c", "d")),
    command("OBJECT ENCODING", key),
  ],
};
