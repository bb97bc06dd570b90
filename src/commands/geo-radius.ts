/** The six commands that search for places. */
import { type ArgumentDocument, bytes, deferred, key, pureToken, rest } from "./argument.ts";
import { type Command, command } from "./command.ts";
import { LATITUDE, LONGITUDE, UNIT } from "./geo-arguments.ts";
import { search } from "./geo-search.ts";
import { ACCESS_KEY, OVERWRITE_KEY } from "./key-specs.ts";

const optional = (document: ArgumentDocument): ArgumentDocument => ({ ...document, flags: ["optional"] });

const RADIUS: ArgumentDocument = { name: "radius", type: "double" };
const ORDER = optional({ name: "order", type: "oneof", arguments: [pureToken("ASC"), pureToken("DESC")] });
const DETAILS = [pureToken("WITHCOORD"), pureToken("WITHDIST"), pureToken("WITHHASH")].map(optional);
const ANY = optional(pureToken("ANY"));

function count(any: ArgumentDocument): ArgumentDocument {
  const number: ArgumentDocument = { name: "count", type: "integer", token: "COUNT" };
  return optional({ name: "count-block", type: "block", arguments: [number, any] });
}

const FROM: ArgumentDocument = {
  name: "from",
  type: "oneof",
  arguments: [
    { name: "member", type: "string", token: "FROMMEMBER" },
    { name: "fromlonlat", type: "block", token: "FROMLONLAT", arguments: [LONGITUDE, LATITUDE] },
  ],
};
const BY: ArgumentDocument = {
  name: "by",
  type: "oneof",
  arguments: [
    { name: "circle", type: "block", arguments: [{ ...RADIUS, token: "BYRADIUS" }, UNIT] },
    {
      name: "box",
      type: "block",
      arguments: [{ name: "width", type: "double", token: "BYBOX" }, { name: "height", type: "double" }, UNIT],
    },
  ],
};
const STORE: ArgumentDocument = optional({
  name: "store",
  type: "oneof",
  arguments: [
    { name: "storekey", type: "key", displayText: "key", keySpecIndex: 1, token: "STORE" },
    { name: "storedistkey", type: "key", displayText: "key", keySpecIndex: 2, token: "STOREDIST" },
  ],
});

const SEARCH_COMPLEXITY =
  "O(N+M*log(M)) where N is the number of members in the cells of the grid that the area touches, " +
  "and M the number of those inside it.";
const RADIUS_COMPLEXITY =
  "O(N+M*log(M)) where N is the number of members in the cells of the grid that the circle touches, " +
  "and M the number of those inside it.";
const UPPER_CASE_UNITS = ["7.0.0", "Units may be given in upper case."] as const;
const ANY_ADDED = ["6.2.0", "Added the option ANY of COUNT."] as const;

export const GEOSEARCH = command({
  name: "GEOSEARCH",
  summary: "Returns the members that are places in a circle or a rectangle.",
  complexity: SEARCH_COMPLEXITY,
  since: "6.2.0",
  group: "geo",
  arity: -7,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  history: [UPPER_CASE_UNITS],
  args: { key: key(), options: rest(FROM, BY, ORDER, count(ANY), ...DETAILS) },
  run: (context, _, args) => search(context, args, { source: 1, from: "options", store: "never" }),
});

export const GEOSEARCHSTORE = command({
  name: "GEOSEARCHSTORE",
  summary: "Stores the members that are places in a circle or a rectangle.",
  complexity: SEARCH_COMPLEXITY,
  since: "6.2.0",
  group: "geo",
  arity: -8,
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [OVERWRITE_KEY, { ...ACCESS_KEY, begin: { index: 2 } }],
  history: [UPPER_CASE_UNITS],
  args: {
    destination: key(),
    source: key(1),
    options: rest(FROM, BY, ORDER, count(ANY), optional(pureToken("STOREDIST"))),
  },
  run: (context, _, args) => search(context, args, { source: 2, from: "options", store: "always" }),
});

/** Facts of one of the four commands that are older than GEOSEARCH. */
interface RadiusFacts {
  readonly name: string;
  readonly from: "coordinates" | "member";
  readonly canStore: boolean;
  readonly replacedBy: string;
  readonly history?: readonly (readonly [version: string, change: string])[];
  /** Of the option ANY, where it has come later than the command. */
  readonly anySince?: string;
}

function radiusCommand({ name, from, canStore, replacedBy, history, anySince }: RadiusFacts): Command {
  const around = from === "coordinates" ? "coordinates" : "a member";
  const firstOption = from === "coordinates" ? 6 : 5;
  const stored = (keyword: string) => ({ ...OVERWRITE_KEY, begin: { keyword, from: firstOption } });
  const any = anySince === undefined ? ANY : { ...ANY, since: anySince };
  const options = rest(UNIT, ...DETAILS, count(any), ORDER, ...(canStore ? [STORE] : []));
  return command({
    name,
    summary: `Returns${canStore ? " or stores" : ""} the members that are places within a distance from ${around}.`,
    complexity: RADIUS_COMPLEXITY,
    since: canStore ? "3.2.0" : "3.2.10",
    group: "geo",
    arity: -firstOption,
    flags: canStore ? ["write", "denyoom"] : ["readonly"],
    replay: "as-is",
    keys: canStore ? [ACCESS_KEY, stored("STORE"), stored("STOREDIST")] : [ACCESS_KEY],
    ...(history !== undefined && { history }),
    deprecatedSince: "6.2.0",
    replacedBy,
    args: {
      key: key(),
      ...(from === "coordinates"
        ? { longitude: deferred("double"), latitude: deferred("double") }
        : { member: bytes() }),
      radius: deferred("double"),
      options,
    },
    run: (context, _, args) => search(context, args, { source: 1, from, store: canStore ? "option" : "never" }),
  });
}

export const GEORADIUS = radiusCommand({
  name: "GEORADIUS",
  from: "coordinates",
  canStore: true,
  replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
  history: [ANY_ADDED, UPPER_CASE_UNITS],
  anySince: "6.2.0",
});

export const GEORADIUS_RO = radiusCommand({
  name: "GEORADIUS_RO",
  from: "coordinates",
  canStore: false,
  replacedBy: "`GEOSEARCH` with the `BYRADIUS` argument",
  history: [ANY_ADDED],
  anySince: "6.2.0",
});

export const GEORADIUSBYMEMBER = radiusCommand({
  name: "GEORADIUSBYMEMBER",
  from: "member",
  canStore: true,
  replacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
  history: [UPPER_CASE_UNITS],
});

export const GEORADIUSBYMEMBER_RO = radiusCommand({
  name: "GEORADIUSBYMEMBER_RO",
  from: "member",
  canStore: false,
  replacedBy: "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
});
