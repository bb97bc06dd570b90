/**
 * Searching for places: what all six commands come to, once it is known around what, how far, and what for.
 *
 * The order in which arguments are checked is Redis's; a member to search around is looked up while they are read.
 */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { type Area, circleAround, rectangleAround } from "../base/geo-area.ts";
import { exactDistance } from "../base/geo-distance.ts";
import { decodeScore, Position } from "../base/geohash.ts";
import { toInt64 } from "../base/int64.ts";
import type { Key } from "../keyspace/key.ts";
import { ScoreSelection } from "../keyspace/score-selection.ts";
import type { SortedSet } from "../keyspace/sorted-set.ts";
import { scoreOf, sortedSetOf, storeSelection } from "../keyspace/sorted-sets.ts";
import type { Context } from "./context.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";
import { doubleAt, readPosition, replyDistance, replyPosition, unitAt } from "./geo-arguments.ts";
import { Matches, type Order } from "./geo-matches.ts";
import { notifyStored, SORTED_SET_EVENT } from "./key-events.ts";
import { readSortedSet } from "./sorted-sets-access.ts";

const NO_SUCH_MEMBER = "ERR could not decode requested zset member";
const NEGATIVE_RADIUS = "ERR radius cannot be negative";
const NEGATIVE_SIDE = "ERR height or width cannot be negative";
const NO_COUNT = "ERR COUNT must be > 0";
const ANY_WITHOUT_COUNT = "ERR the ANY argument requires COUNT argument";

/** What a command takes. */
export interface SearchForm {
  /** Index of the key that is searched. */
  readonly source: number;
  /** Where the centre stands: before all options as coordinates or as a member, or among the options. */
  readonly from: "coordinates" | "member" | "options";
  /** What may be stored: nothing, into a key among the options, or always into the first argument. */
  readonly store: "never" | "option" | "always";
}

/** Where in the arguments options begin, where the centre and a radius stand before them. */
const FIRST_OPTION = { coordinates: 6, member: 5 };

const member = new Slice();
const position = new Position();
const selection = new ScoreSelection();

/** Reads all arguments, searches, and replies or stores. @throws CommandError */
export function search(context: Context, args: Arguments, form: SearchForm): void {
  const key = readSortedSet(context, args, form.source);
  const request = new SearchRequest(args, form, key);
  request.read();
  const { store, area } = request;
  if (!key.found || area === undefined) {
    selection.reset(false);
    if (store === 0) context.reply.array(0);
    else context.reply.integer(storeSelected(context, args, form, store));
    return;
  }
  const set = sortedSetOf(key);
  const { count, isAny } = request;
  // The closest are meant where only a count is given, unless any will do.
  const order = count > 0 && !isAny && request.order === "none" ? "ascending" : request.order;
  const matches = new Matches(set, area, isAny ? count : 0);
  const wanted = count > 0 ? Math.min(count, matches.count) : matches.count;
  const found = matches.ordered(order, wanted);
  if (store === 0) replyMatches(context, set, request, matches, found);
  else context.reply.integer(storeMatches(context, args, form, set, request, area, matches, found));
}

/** What is asked for, read off the arguments. */
class SearchRequest {
  /** Undefined while there is no key to search, or its centre or its size is not known. */
  area: Area | undefined;
  unit = 1;
  /** 0 for all. */
  count = 0;
  isAny = false;
  order: Order = "none";
  withDistance = false;
  withHash = false;
  withPosition = false;
  /** Index of the key to store into, 0 for none. */
  store = 0;
  storesDistances = false;
  readonly #args: Arguments;
  readonly #form: SearchForm;
  readonly #key: Key;
  readonly #centre = new Position();
  #from: "member" | "coordinates" | undefined;
  #shape: "circle" | "rectangle" | undefined;
  /** The next option. */
  #at = 0;

  constructor(args: Arguments, form: SearchForm, key: Key) {
    this.#args = args;
    this.#form = form;
    this.#key = key;
  }

  /** @throws CommandError */
  read(): void {
    const { from } = this.#form;
    if (from === "options") {
      this.#at = this.#form.source + 1;
    } else {
      this.#at = FIRST_OPTION[from];
      if (from === "coordinates") readPosition(this.#args, 2, this.#centre);
      else if (this.#key.found) this.#findMember(2);
      if (from === "coordinates" || this.#key.found) this.#readCircle(this.#at - 2);
    }
    if (this.#form.store === "always") this.store = 1;
    while (this.#at < this.#args.count) this.#readOption();
    this.#check();
  }

  #readOption(): void {
    const args = this.#args;
    const at = this.#at;
    this.#at += 1;
    if (args.is(at, "WITHDIST")) this.withDistance = true;
    else if (args.is(at, "WITHHASH")) this.withHash = true;
    else if (args.is(at, "WITHCOORD")) this.withPosition = true;
    else if (args.is(at, "ANY")) this.isAny = true;
    else if (args.is(at, "ASC")) this.order = "ascending";
    else if (args.is(at, "DESC")) this.order = "descending";
    else if (args.is(at, "COUNT") && this.#takes(1)) this.#readCount(at + 1);
    else if (!this.#readStore(at) && !this.#readArea(at)) throw new CommandError(SYNTAX_ERROR);
  }

  /** Takes the option's arguments, if there are as many. */
  #takes(count: number): boolean {
    if (this.#at + count > this.#args.count) return false;
    this.#at += count;
    return true;
  }

  #readCount(index: number): void {
    const count = this.#args.int64(index);
    if (count === undefined) throw new CommandError(NOT_AN_INTEGER);
    if (count <= 0) throw new CommandError(NO_COUNT);
    this.count = Number(count);
  }

  #readStore(at: number): boolean {
    const args = this.#args;
    const isDistances = args.is(at, "STOREDIST");
    if (this.#form.store === "always" && isDistances) {
      this.storesDistances = true;
      return true;
    }
    if (this.#form.store !== "option" || !(isDistances || args.is(at, "STORE")) || !this.#takes(1)) return false;
    this.store = at + 1;
    this.storesDistances = isDistances;
    return true;
  }

  /** Options of GEOSEARCH: the centre, and how far. */
  #readArea(at: number): boolean {
    const args = this.#args;
    if (this.#form.from !== "options") return false;
    if (args.is(at, "FROMMEMBER") && this.#from !== "coordinates" && this.#takes(1)) {
      this.#from = "member";
      if (this.#key.found) this.#findMember(at + 1);
    } else if (args.is(at, "FROMLONLAT") && this.#from !== "member" && this.#takes(2)) {
      this.#from = "coordinates";
      readPosition(args, at + 1, this.#centre);
    } else if (args.is(at, "BYRADIUS") && this.#shape !== "rectangle" && this.#takes(2)) {
      this.#shape = "circle";
      this.#readCircle(at + 1);
    } else if (args.is(at, "BYBOX") && this.#shape !== "circle" && this.#takes(3)) {
      this.#shape = "rectangle";
      this.#readRectangle(at + 1);
    } else {
      return false;
    }
    return true;
  }

  #findMember(index: number): void {
    const score = scoreOf(this.#key, this.#args, index);
    if (Number.isNaN(score)) throw new CommandError(NO_SUCH_MEMBER);
    decodeScore(score, this.#centre);
  }

  #readCircle(index: number): void {
    const radius = doubleAt(this.#args, index, "ERR need numeric radius");
    if (radius < 0) throw new CommandError(NEGATIVE_RADIUS);
    this.unit = unitAt(this.#args, index + 1);
    this.area = circleAround(this.#centre, radius, this.unit);
  }

  #readRectangle(index: number): void {
    const width = doubleAt(this.#args, index, "ERR need numeric width");
    const height = doubleAt(this.#args, index + 1, "ERR need numeric height");
    if (width < 0 || height < 0) throw new CommandError(NEGATIVE_SIDE);
    this.unit = unitAt(this.#args, index + 2);
    this.area = rectangleAround(this.#centre, width, height, this.unit);
  }

  /** What can only be seen when all options are known. */
  #check(): void {
    const name = this.#args.shown(0);
    if (this.store > 0 && (this.withDistance || this.withHash || this.withPosition)) {
      const what = this.#form.store === "always" ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS";
      throw new CommandError(`ERR ${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`);
    }
    if (this.#form.from === "options" && this.#from === undefined) {
      throw new CommandError(`ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${name}`);
    }
    if (this.#form.from === "options" && this.#shape === undefined) {
      throw new CommandError(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${name}`);
    }
    if (this.isAny && this.count === 0) throw new CommandError(ANY_WITHOUT_COUNT);
  }
}

function replyMatches(
  { reply }: Context,
  set: SortedSet,
  { withDistance, withHash, withPosition, unit }: SearchRequest,
  matches: Matches,
  found: Int32Array,
): void {
  const details = Number(withDistance) + Number(withHash) + Number(withPosition);
  reply.array(found.length);
  for (const index of found) {
    const score = matches.scores[index]!;
    if (details > 0) reply.array(details + 1);
    const { bytes, start, length } = set.read(matches.places[index]!, member);
    reply.bulk(bytes, start, length);
    if (withDistance) replyDistance(reply, matches.distances[index]! / unit);
    if (withHash) reply.integer(toInt64(BigInt(Math.trunc(score))));
    if (withPosition) replyPosition(reply, decodeScore(score, position));
  }
}

/** Makes key `store` a sorted set of what was found. @returns how many they are */
function storeMatches(
  context: Context,
  args: Arguments,
  form: SearchForm,
  set: SortedSet,
  { store, storesDistances, unit }: SearchRequest,
  { centre }: Area,
  matches: Matches,
  found: Int32Array,
): number {
  selection.reset(false);
  selection.from(set);
  for (const index of found) {
    const place = matches.places[index]!;
    const score = matches.scores[index]!;
    // A distance that is kept shows all its digits.
    const kept = storesDistances ? exactDistance(centre, decodeScore(score, position)) / unit : score;
    selection.push(place, 0, set.read(place, member).length, kept);
  }
  selection.sort();
  const count = storeSelected(context, args, form, store);
  // Storing has counted one of them.
  if (count > 0) context.keyspace.changes += count - 1;
  return count;
}

/** Makes key `store` a sorted set of what is selected, or removes it. @returns how many they are */
function storeSelected({ database }: Context, args: Arguments, form: SearchForm, store: number): number {
  const target = database.write(args, store, database.other);
  const existed = target.found;
  const count = storeSelection(target, selection);
  notifyStored(target, existed, SORTED_SET_EVENT, form.from === "options" ? "geosearchstore" : "georadiusstore");
  return count;
}
