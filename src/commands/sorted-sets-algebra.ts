/** Unions, intersections and differences of sorted sets and sets, replied with or stored. */
import type { Arguments } from "../base/arguments.ts";
import { SET, SORTED_SET } from "../keyspace/entry.ts";
import { type Aggregate, ScoreSelection } from "../keyspace/score-selection.ts";
import { sourceOf as setSourceOf } from "../keyspace/sets.ts";
import {
  countIntersection,
  greatest,
  least,
  ScoreSource,
  type Sources,
  selectDifference,
  selectIntersection,
  selectUnion,
  sum,
} from "../keyspace/sorted-set-algebra.ts";
import { sourceOf, storeSelection } from "../keyspace/sorted-sets.ts";
import { type ArgumentDocument, deferred, key, pureToken, rest } from "./argument.ts";
import { type Command, command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR, WRONG_TYPE } from "./errors.ts";
import { notifyStored, SORTED_SET_EVENT } from "./key-events.ts";
import { COUNTED_KEYS, COUNTED_KEYS_FROM_SECOND, OVERWRITE_KEY } from "./key-specs.ts";
import { replyHead, replyMember, scoreAt } from "./sorted-sets-access.ts";

const NOT_A_WEIGHT = "ERR weight value is not a float";
const NEGATIVE_LIMIT = "ERR LIMIT can't be negative";

type Operation = "union" | "intersection" | "difference" | "count";

/** What a command is asked for. */
interface Request {
  readonly sources: Sources;
  aggregate: Aggregate;
  withScores: boolean;
  limit: number;
}

const selection = new ScoreSelection();

/**
 * Reads the number of keys in argument `first`, the keys, and the options behind them. Whether the keys hold sets comes
 * before the options, as in Redis.
 * @throws CommandError
 */
function readRequest(
  context: Context,
  args: Arguments,
  first: number,
  name: string,
  operation: Operation,
  isStored: boolean,
): Request {
  const keys = args.int64(first);
  if (keys === undefined) throw new CommandError(NOT_AN_INTEGER);
  if (keys < 1) throw new CommandError(`ERR at least 1 input key is needed for '${name.toLowerCase()}' command`);
  if (keys > args.count - first - 1) throw new CommandError(SYNTAX_ERROR);
  const end = first + 1 + Number(keys);
  const request = {
    sources: readSources(context, args, first + 1, end),
    aggregate: sum,
    withScores: false,
    limit: 0,
  };
  const combines = operation === "union" || operation === "intersection";
  for (let index = end; index < args.count; ) {
    const left = args.count - index;
    if (combines && left > keys && args.is(index, "WEIGHTS")) {
      index = readWeights(args, index + 1, request.sources);
    } else if (combines && left > 1 && args.is(index, "AGGREGATE")) {
      request.aggregate = aggregateAt(args, index + 1);
      index += 2;
    } else if (!isStored && operation !== "count" && args.is(index, "WITHSCORES")) {
      request.withScores = true;
      index += 1;
    } else if (operation === "count" && left > 1 && args.is(index, "LIMIT")) {
      request.limit = limitAt(args, index + 1);
      index += 2;
    } else {
      throw new CommandError(SYNTAX_ERROR);
    }
  }
  return request;
}

/** The sets of the keys in arguments `first` to before `end`. @throws CommandError if one holds something else */
function readSources(context: Context, args: Arguments, first: number, end: number): (ScoreSource | undefined)[] {
  const sources: (ScoreSource | undefined)[] = [];
  for (let index = first; index < end; index++) {
    const key = context.database.read(args, index);
    if (!key.found) {
      sources.push(undefined);
    } else if (key.type === SORTED_SET) {
      const set = sourceOf(key, index - first);
      sources.push(new ScoreSource(set, set));
    } else if (key.type === SET) {
      sources.push(new ScoreSource(setSourceOf(key, index - first), undefined));
    } else {
      throw new CommandError(WRONG_TYPE);
    }
  }
  return sources;
}

/** Reads a weight for each source. @returns the argument behind them */
function readWeights(args: Arguments, from: number, sources: Sources): number {
  for (const [index, source] of sources.entries()) {
    const weight = scoreAt(args, from + index, NOT_A_WEIGHT);
    if (source !== undefined) source.weight = weight;
  }
  return from + sources.length;
}

function aggregateAt(args: Arguments, index: number): Aggregate {
  if (args.is(index, "SUM")) return sum;
  if (args.is(index, "MIN")) return least;
  if (args.is(index, "MAX")) return greatest;
  throw new CommandError(SYNTAX_ERROR);
}

function limitAt(args: Arguments, index: number): number {
  const limit = args.int64(index);
  if (limit === undefined || limit < 0) throw new CommandError(NEGATIVE_LIMIT);
  return Number(limit);
}

function select(context: Context, operation: Operation, { sources, aggregate }: Request): void {
  const { member } = context.keyspace;
  if (operation === "union") selectUnion(sources, member, aggregate, selection);
  else if (operation === "intersection") selectIntersection(sources, member, aggregate, selection);
  else selectDifference(sources, member, selection);
  selection.sort();
}

const KEYS: ArgumentDocument = { name: "key", type: "key", keySpecIndex: 0, flags: ["multiple"] };
const WITH_SCORES: ArgumentDocument = { ...pureToken("WITHSCORES"), flags: ["optional"] };
const COMBINING: readonly ArgumentDocument[] = [
  { name: "weight", type: "integer", token: "WEIGHTS", flags: ["optional", "multiple"] },
  {
    name: "aggregate",
    type: "oneof",
    token: "AGGREGATE",
    flags: ["optional"],
    arguments: [pureToken("SUM"), pureToken("MIN"), pureToken("MAX")],
  },
];

const UNION_WORK = "O(N)+O(M*log(M)) where N is the size of all sets together and M that of the result.";
const INTERSECTION_WORK =
  "O(N*K)+O(M*log(M)) at the most, where N is the smallest set's size, K the number of sets, and M the result's size.";
const DIFFERENCE_WORK = "O(N*K)+O(M*log(M)) at the most, where N is the size of the first set, K and M as for ZINTER.";
const WORK = { union: UNION_WORK, intersection: INTERSECTION_WORK, difference: DIFFERENCE_WORK } as const;

/** ZUNION, ZINTER or ZDIFF. */
function combineCommand(name: string, operation: keyof typeof WORK, summary: string): Command {
  const options = operation === "difference" ? [] : COMBINING;
  return command({
    name,
    summary,
    complexity: WORK[operation],
    since: "6.2.0",
    group: "sorted-set",
    arity: -3,
    flags: ["readonly"],
    keys: [COUNTED_KEYS],
    args: { numkeys: deferred("integer"), rest: rest(KEYS, ...options, WITH_SCORES) },
    run(context, parsed, args) {
      const { reply } = context;
      const request = readRequest(context, args, parsed.numkeys, name, operation, false);
      select(context, operation, request);
      const { withScores } = request;
      replyHead(reply, selection.count, withScores);
      selection.forEach((source, place, _hash, score) => {
        if (withScores && reply.version === 3) reply.array(2);
        replyMember(reply, source, place);
        if (withScores) reply.double(score);
      });
      selection.reset(false);
    },
  });
}

/** ZUNIONSTORE, ZINTERSTORE or ZDIFFSTORE. */
function storeCommand(name: string, operation: keyof typeof WORK, since: string, summary: string): Command {
  const event = name.toLowerCase();
  const options = operation === "difference" ? [] : COMBINING;
  return command({
    name,
    summary,
    complexity: WORK[operation],
    since,
    group: "sorted-set",
    arity: -4,
    flags: ["write", "denyoom"],
    replay: "as-is",
    keys: [OVERWRITE_KEY, COUNTED_KEYS_FROM_SECOND],
    args: {
      destination: key(),
      numkeys: deferred("integer"),
      rest: rest({ ...KEYS, keySpecIndex: 1 }, ...options),
    },
    run(context, parsed, args) {
      select(context, operation, readRequest(context, args, parsed.numkeys, name, operation, true));
      const target = context.database.write(args, parsed.destination, context.database.other);
      const existed = target.found;
      const size = storeSelection(target, selection);
      notifyStored(target, existed, SORTED_SET_EVENT, event);
      context.reply.integer(size);
    },
  });
}

export const ZUNION = combineCommand("ZUNION", "union", "Returns the members that any of several sorted sets has.");
export const ZINTER = combineCommand(
  "ZINTER",
  "intersection",
  "Returns the members that all of several sorted sets have.",
);
export const ZDIFF = combineCommand(
  "ZDIFF",
  "difference",
  "Returns the members that the first sorted set has and no other.",
);

export const ZUNIONSTORE = storeCommand(
  "ZUNIONSTORE",
  "union",
  "2.0.0",
  "Stores the members that any of several sorted sets has as a sorted set.",
);
export const ZINTERSTORE = storeCommand(
  "ZINTERSTORE",
  "intersection",
  "2.0.0",
  "Stores the members that all of several sorted sets have as a sorted set.",
);
export const ZDIFFSTORE = storeCommand(
  "ZDIFFSTORE",
  "difference",
  "6.2.0",
  "Stores the members that the first sorted set has and no other as a sorted set.",
);

export const ZINTERCARD = command({
  name: "ZINTERCARD",
  summary: "Returns how many members all of several sorted sets have.",
  complexity: "O(N*K) at the most, where N is the size of the smallest set and K is the number of sets.",
  since: "7.0.0",
  group: "sorted-set",
  arity: -3,
  flags: ["readonly"],
  keys: [COUNTED_KEYS],
  args: {
    numkeys: deferred("integer"),
    rest: rest(KEYS, { name: "limit", type: "integer", token: "LIMIT", flags: ["optional"] }),
  },
  run(context, parsed, args) {
    const { sources, limit } = readRequest(context, args, parsed.numkeys, "ZINTERCARD", "count", false);
    context.reply.integer(countIntersection(sources, context.keyspace.member, limit));
  },
});
