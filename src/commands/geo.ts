/** All commands on places: members of sorted sets whose scores are geohashes. */
import type { Arguments } from "../base/arguments.ts";
import { distance } from "../base/geo-distance.ts";
import { decodeScore, Position, scoreOf as scoreOfPosition, textOf } from "../base/geohash.ts";
import { addScores, IF_ABSENT, IF_PRESENT, scoreOf } from "../keyspace/sorted-sets.ts";
import { bytes, key, optional, pureToken, repeated, rest } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, SYNTAX_ERROR } from "./errors.ts";
import { LATITUDE, LONGITUDE, readPosition, replyDistance, replyPosition, UNIT, unitAt } from "./geo-arguments.ts";
import {
  GEORADIUS,
  GEORADIUS_RO,
  GEORADIUSBYMEMBER,
  GEORADIUSBYMEMBER_RO,
  GEOSEARCH,
  GEOSEARCHSTORE,
} from "./geo-radius.ts";
import { SORTED_SET_EVENT } from "./key-events.ts";
import { ACCESS_KEY, CHANGED_KEY } from "./key-specs.ts";
import { readSortedSet, writeSortedSet } from "./sorted-sets-access.ts";

const position = new Position();
const other = new Position();

/** Arguments of a place that is added: longitude, latitude, member. */
const PLACE_SIZE = 3;

const GEOADD = command({
  name: "GEOADD",
  summary: "Adds members with their longitudes and latitudes; a key that does not exist is made.",
  complexity: "O(log(N)) for each member, where N is the size of the sorted set.",
  since: "3.2.0",
  group: "geo",
  arity: -5,
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [CHANGED_KEY],
  history: [["6.2.0", "Added the options CH, NX and XX."]],
  args: {
    key: key(),
    rest: rest(
      {
        name: "condition",
        type: "oneof",
        since: "6.2.0",
        flags: ["optional"],
        arguments: [pureToken("NX"), pureToken("XX")],
      },
      { ...pureToken("CH", "change"), since: "6.2.0", flags: ["optional"] },
      {
        name: "data",
        type: "block",
        flags: ["multiple"],
        arguments: [LONGITUDE, LATITUDE, { name: "member", type: "string" }],
      },
    ),
  },
  run(context, parsed, args) {
    let at = parsed.rest;
    let conditions = 0;
    let countsUpdates = false;
    for (; at < args.count; at++) {
      if (args.is(at, "NX")) conditions |= IF_ABSENT;
      else if (args.is(at, "XX")) conditions |= IF_PRESENT;
      else if (args.is(at, "CH")) countsUpdates = true;
      else break;
    }
    const count = (args.count - at) / PLACE_SIZE;
    const isContradiction = conditions === (IF_ABSENT | IF_PRESENT);
    if (!Number.isInteger(count) || count === 0 || isContradiction) throw new CommandError(SYNTAX_ERROR);
    const scores = readScores(args, at, count);
    const key = writeSortedSet(context, args, parsed.key);
    const { added, updated } = addScores(key, args, at + 2, PLACE_SIZE, scores, count, conditions);
    if (added + updated > 0) key.notify(SORTED_SET_EVENT, "zadd");
    context.reply.integer(countsUpdates ? added + updated : added);
  },
});

/** The scores of `count` places, from argument `first` on. @throws CommandError */
function readScores(args: Arguments, first: number, count: number): Float64Array {
  const scores = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    readPosition(args, first + index * PLACE_SIZE, position);
    scores[index] = scoreOfPosition(position);
  }
  return scores;
}

const GEODIST = command({
  name: "GEODIST",
  summary: "Returns the distance between two members.",
  complexity: "O(1)",
  since: "3.2.0",
  group: "geo",
  arity: -4,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  args: { key: key(), member1: bytes(), member2: bytes(), unit: rest({ ...UNIT, flags: ["optional"] }) },
  run(context, parsed, args) {
    if (args.count > parsed.unit + 1) throw new CommandError(SYNTAX_ERROR);
    const unit = args.count > parsed.unit ? unitAt(args, parsed.unit) : 1;
    const key = readSortedSet(context, args, parsed.key);
    const from = key.found ? scoreOf(key, args, parsed.member1) : Number.NaN;
    const to = key.found ? scoreOf(key, args, parsed.member2) : Number.NaN;
    if (Number.isNaN(from) || Number.isNaN(to)) {
      context.reply.null();
      return;
    }
    decodeScore(from, position);
    decodeScore(to, other);
    const metres = distance(position.longitude, position.latitude, other.longitude, other.latitude);
    replyDistance(context.reply, metres / unit);
  },
});

/**
 * Replies with something about each member named from argument `first` on.
 * @param reply replies with what is told of a place; undefined stands for no such member
 */
function replyEach(
  context: Context,
  args: Arguments,
  index: number,
  first: number | undefined,
  reply: (place: Position | undefined) => void,
): void {
  const key = readSortedSet(context, args, index);
  const begin = first ?? args.count;
  context.reply.array(args.count - begin);
  for (let at = begin; at < args.count; at++) {
    const score = key.found ? scoreOf(key, args, at) : Number.NaN;
    reply(Number.isNaN(score) ? undefined : decodeScore(score, position));
  }
}

const GEOHASH = command({
  name: "GEOHASH",
  summary: "Returns the geohashes of members as text.",
  complexity: "O(N) where N is the number of members asked for.",
  since: "3.2.0",
  group: "geo",
  arity: -2,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  args: { key: key(), member: optional(repeated({ member: bytes() })) },
  run(context, parsed, args) {
    replyEach(context, args, parsed.key, parsed.member, (place) => {
      if (place === undefined) context.reply.null();
      else context.reply.bulkText(textOf(place));
    });
  },
});

const GEOPOS = command({
  name: "GEOPOS",
  summary: "Returns the longitudes and latitudes of members.",
  complexity: "O(N) where N is the number of members asked for.",
  since: "3.2.0",
  group: "geo",
  arity: -2,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  args: { key: key(), member: optional(repeated({ member: bytes() })) },
  run(context, parsed, args) {
    replyEach(context, args, parsed.key, parsed.member, (place) => {
      if (place === undefined) context.reply.nullArray();
      else replyPosition(context.reply, place);
    });
  },
});

export const geoCommands = [
  GEOADD,
  GEODIST,
  GEOHASH,
  GEOPOS,
  GEORADIUS,
  GEORADIUS_RO,
  GEORADIUSBYMEMBER,
  GEORADIUSBYMEMBER_RO,
  GEOSEARCH,
  GEOSEARCHSTORE,
];
