/** Places: the methods of a handle that deal with sorted sets of longitudes and latitudes. */
import type { Int64 } from "../base/int64.ts";
import type { ArgumentValue } from "./argument-writer.ts";
import { flattened, listOf, optionWords, type Several } from "./caller.ts";
import { SortedSetRangeMethods } from "./sorted-set-range-methods.ts";
import type { ReplyValue } from "./value-reply.ts";

/** Metres, kilometres, miles, feet. */
export type GeoUnit = "m" | "km" | "mi" | "ft";

/** Longitude first, as in all of Redis. */
export type Coordinates = [longitude: number, latitude: number];

/** Options of `geoadd`. */
export interface GeoaddOptions {
  /** Only add members, change none. */
  readonly NX?: boolean | undefined;
  /** Only change members, add none. */
  readonly XX?: boolean | undefined;
  /** Return how many members are new or changed, instead of how many are new. */
  readonly CH?: boolean | undefined;
}

/** What is told of each place that is found, besides its name. */
export interface GeoDetails {
  readonly WITHDIST?: boolean | undefined;
  readonly WITHHASH?: boolean | undefined;
  readonly WITHCOORD?: boolean | undefined;
}

/** How many places are wanted, and in what order. */
export interface GeoSelection {
  /** The nearest first. */
  readonly ASC?: boolean | undefined;
  /** The farthest first. */
  readonly DESC?: boolean | undefined;
  /** No more than so many: the nearest, or with ANY whichever are found first. */
  readonly COUNT?: Int64 | undefined;
  readonly ANY?: boolean | undefined;
}

/** Options of `geosearch` and `geosearchstore`: one centre, one shape. */
export interface GeosearchOptions extends GeoSelection {
  /** The centre is where this member is. */
  readonly FROMMEMBER?: ArgumentValue | undefined;
  readonly FROMLONLAT?: readonly [longitude: number, latitude: number] | undefined;
  readonly BYRADIUS?: readonly [radius: number, unit: GeoUnit] | undefined;
  readonly BYBOX?: readonly [width: number, height: number, unit: GeoUnit] | undefined;
}

/** Options of `geosearchstore`. */
export interface GeosearchstoreOptions extends GeosearchOptions {
  /** Store distances as scores, in the unit of the shape. */
  readonly STOREDIST?: boolean | undefined;
}

/** Where `georadius` and `georadiusbymember` store what they find, instead of returning it. */
export interface GeoStore {
  readonly STORE?: ArgumentValue | undefined;
  /** With distances as scores. */
  readonly STOREDIST?: ArgumentValue | undefined;
}

/** A place that was found; with what was asked for. */
export interface GeoMatch<Text = string> {
  readonly member: Text;
  /** From the centre, in the unit asked with. */
  readonly distance?: number;
  readonly hash?: Int64;
  readonly coordinates?: Coordinates;
}

type Names = { readonly WITHDIST?: false; readonly WITHHASH?: false; readonly WITHCOORD?: false };
type NotStored = { readonly STORE?: undefined; readonly STOREDIST?: undefined };
type Stored = { readonly STORE: ArgumentValue } | { readonly STOREDIST: ArgumentValue };
type Places = readonly (readonly [longitude: number, latitude: number, member: ArgumentValue])[];
type Found<Text> = Text[] | GeoMatch<Text>[];

const GEOADD_KINDS = { NX: "word", XX: "word", CH: "word" } as const;
const DETAIL_KINDS = { WITHDIST: "word", WITHHASH: "word", WITHCOORD: "word" } as const;
const SELECTION_KINDS = { ASC: "word", DESC: "word", COUNT: "number", ANY: "word" } as const;
const WHERE_KINDS = { FROMMEMBER: "value", FROMLONLAT: "values", BYRADIUS: "values", BYBOX: "values" } as const;
const SEARCH_KINDS = { ...WHERE_KINDS, ...SELECTION_KINDS, ...DETAIL_KINDS } as const;
const STORE_KINDS = { ...WHERE_KINDS, ...SELECTION_KINDS, STOREDIST: "word" } as const;
const RADIUS_RO_KINDS = { ...SELECTION_KINDS, ...DETAIL_KINDS } as const;
const RADIUS_KINDS = { ...RADIUS_RO_KINDS, STORE: "value", STOREDIST: "value" } as const;

export abstract class GeoMethods extends SortedSetRangeMethods {
  /**
   * Adds places, or moves them: `geoadd("g", [[13.36, 38.11, "Palermo"]])`, `geoadd("g", 13.36, 38.11, "Palermo")`.
   * @returns how many are new
   */
  geoadd(key: ArgumentValue, places: Places, options?: GeoaddOptions): number;
  geoadd(key: ArgumentValue, longitude: number, latitude: number, ...rest: readonly ArgumentValue[]): number;
  geoadd(key: ArgumentValue, ...args: readonly unknown[]): number {
    const [places, options = {}] = args as [Places | ArgumentValue, GeoaddOptions?];
    if (!Array.isArray(places)) return this.run("GEOADD", [key, ...(args as readonly ArgumentValue[])]);
    return this.run("GEOADD", [
      key,
      ...optionWords("geoadd", options, GEOADD_KINDS),
      ...flattened("geoadd", places, 3),
    ]);
  }

  /** The distance between two places, in metres by default; null if one of them is missing. */
  geodist(key: ArgumentValue, first: ArgumentValue, second: ArgumentValue, unit: GeoUnit = "m"): number | null {
    const distance = this.run<string | null>("GEODIST", [key, first, second, unit]);
    return distance === null ? null : Number(distance);
  }

  /** The geohashes of places, 11 characters each; null for what is missing. */
  geohash(key: ArgumentValue, ...members: Several): (string | null)[] {
    return this.run("GEOHASH", [key, ...listOf(members)]);
  }

  /** Where places are; null for what is missing. */
  geopos(key: ArgumentValue, ...members: Several): (Coordinates | null)[] {
    return this.run("GEOPOS", [key, ...listOf(members)]);
  }

  /** The old form of `geosearch` for a circle around a point. @returns what is found; with STORE how many */
  georadius(
    key: ArgumentValue,
    longitude: number,
    latitude: number,
    radius: number,
    unit: GeoUnit,
    options?: GeoSelection & Names & NotStored,
  ): string[];
  georadius(
    key: ArgumentValue,
    longitude: number,
    latitude: number,
    radius: number,
    unit: GeoUnit,
    options: GeoSelection & Stored,
  ): number;
  georadius(
    key: ArgumentValue,
    longitude: number,
    latitude: number,
    radius: number,
    unit: GeoUnit,
    options: GeoSelection & GeoDetails & NotStored,
  ): GeoMatch[];
  georadius(
    key: ArgumentValue,
    longitude: number,
    latitude: number,
    radius: number,
    unit: GeoUnit,
    options: GeoSelection & GeoDetails & GeoStore = {},
  ): Found<string> | number {
    const words = optionWords("georadius", options, RADIUS_KINDS);
    return found(this.run("GEORADIUS", [key, longitude, latitude, radius, unit, ...words]), options);
  }

  /** As `georadius`, and stores nothing. */
  georadius_ro(
    key: ArgumentValue,
    longitude: number,
    latitude: number,
    radius: number,
    unit: GeoUnit,
    options?: GeoSelection & Names,
  ): string[];
  georadius_ro(
    key: ArgumentValue,
    longitude: number,
    latitude: number,
    radius: number,
    unit: GeoUnit,
    options: GeoSelection & GeoDetails,
  ): GeoMatch[];
  georadius_ro(
    key: ArgumentValue,
    longitude: number,
    latitude: number,
    radius: number,
    unit: GeoUnit,
    options: GeoSelection & GeoDetails = {},
  ): Found<string> {
    const words = optionWords("georadius_ro", options, RADIUS_RO_KINDS);
    return found(this.run("GEORADIUS_RO", [key, longitude, latitude, radius, unit, ...words]), options);
  }

  /** The old form of `geosearch` for a circle around a member. @returns what is found; with STORE how many */
  georadiusbymember(
    key: ArgumentValue,
    member: ArgumentValue,
    radius: number,
    unit: GeoUnit,
    options?: GeoSelection & Names & NotStored,
  ): string[];
  georadiusbymember(
    key: ArgumentValue,
    member: ArgumentValue,
    radius: number,
    unit: GeoUnit,
    options: GeoSelection & Stored,
  ): number;
  georadiusbymember(
    key: ArgumentValue,
    member: ArgumentValue,
    radius: number,
    unit: GeoUnit,
    options: GeoSelection & GeoDetails & NotStored,
  ): GeoMatch[];
  georadiusbymember(
    key: ArgumentValue,
    member: ArgumentValue,
    radius: number,
    unit: GeoUnit,
    options: GeoSelection & GeoDetails & GeoStore = {},
  ): Found<string> | number {
    const words = optionWords("georadiusbymember", options, RADIUS_KINDS);
    return found(this.run("GEORADIUSBYMEMBER", [key, member, radius, unit, ...words]), options);
  }

  /** As `georadiusbymember`, and stores nothing. */
  georadiusbymember_ro(
    key: ArgumentValue,
    member: ArgumentValue,
    radius: number,
    unit: GeoUnit,
    options?: GeoSelection & Names,
  ): string[];
  georadiusbymember_ro(
    key: ArgumentValue,
    member: ArgumentValue,
    radius: number,
    unit: GeoUnit,
    options: GeoSelection & GeoDetails,
  ): GeoMatch[];
  georadiusbymember_ro(
    key: ArgumentValue,
    member: ArgumentValue,
    radius: number,
    unit: GeoUnit,
    options: GeoSelection & GeoDetails = {},
  ): Found<string> {
    const words = optionWords("georadiusbymember_ro", options, RADIUS_RO_KINDS);
    return found(this.run("GEORADIUSBYMEMBER_RO", [key, member, radius, unit, ...words]), options);
  }

  /** The places in a circle or a box: `geosearch("g", { FROMMEMBER: "Palermo", BYRADIUS: [200, "km"] })`. */
  geosearch(key: ArgumentValue, options: GeosearchOptions & Names): string[];
  geosearch(key: ArgumentValue, options: GeosearchOptions & GeoDetails): GeoMatch[];
  geosearch(key: ArgumentValue, options: GeosearchOptions & GeoDetails): Found<string> {
    return found(this.run("GEOSEARCH", [key, ...optionWords("geosearch", options, SEARCH_KINDS)]), options);
  }

  geosearchBuffer(key: ArgumentValue, options: GeosearchOptions & Names): Buffer[];
  geosearchBuffer(key: ArgumentValue, options: GeosearchOptions & GeoDetails): GeoMatch<Buffer>[];
  geosearchBuffer(key: ArgumentValue, options: GeosearchOptions & GeoDetails): Found<Buffer> {
    return found(this.runBuffer("GEOSEARCH", [key, ...optionWords("geosearchBuffer", options, SEARCH_KINDS)]), options);
  }

  /** Stores the places that `geosearch` would return. @returns how many there are */
  geosearchstore(destination: ArgumentValue, source: ArgumentValue, options: GeosearchstoreOptions): number {
    const words = optionWords("geosearchstore", options, STORE_KINDS);
    return this.run("GEOSEARCHSTORE", [destination, source, ...words]);
  }
}

/** What a search replies for one place, if more than its name was asked for. */
type Row = [member: string | Buffer, ...details: (string | Buffer | Int64 | Coordinates)[]];

/** A search's reply as a `T`; its rows have their columns in one order, whatever the order of the options. */
function found<T>(reply: ReplyValue<Buffer>, options: GeoDetails): T {
  const { WITHDIST = false, WITHHASH = false, WITHCOORD = false } = options;
  if (!Array.isArray(reply) || (!WITHDIST && !WITHHASH && !WITHCOORD)) return reply as T;
  return (reply as Row[]).map(([member, ...details]) => ({
    member,
    ...(WITHDIST ? { distance: Number(String(details.shift())) } : {}),
    ...(WITHHASH ? { hash: details.shift() } : {}),
    ...(WITHCOORD ? { coordinates: details.shift() } : {}),
  })) as T;
}
