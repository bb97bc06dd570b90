/**
 * ZRANGE and the commands that it stands for since 6.2: members from one end to the other of a range of ranks, scores
 * or bytes, in either direction, replied with or stored.
 */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import type { Int64 } from "../base/int64.ts";
import type { Key } from "../keyspace/key.ts";
import { ByteRange, ScoreRange, Span } from "../keyspace/score-range.ts";
import { ScoreSelection } from "../keyspace/score-selection.ts";
import type { SortedSet } from "../keyspace/sorted-set.ts";
import { sortedSetOf, sourceOf, storeSelection } from "../keyspace/sorted-sets.ts";
import { type ArgumentDocument, bytes, deferred, key, pureToken, rest } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";
import { notifyStored, SORTED_SET_EVENT } from "./key-events.ts";
import { ACCESS_KEY, ACCESS_SECOND_KEY, OVERWRITE_KEY } from "./key-specs.ts";
import { readSortedSet, replySpan } from "./sorted-sets-access.ts";
import { readBytes, readScores, spanOfRanks } from "./sorted-sets-bounds.ts";

const LIMIT_OF_RANKS = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
const SCORES_OF_BYTES = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";

type Kind = "rank" | "score" | "bytes";

/** What a command fixes; the others let options say it. */
interface Form {
  readonly kind?: Kind;
  readonly isReversed?: boolean;
  readonly isStored?: boolean;
}

/** What is asked for. One is reused for all commands. */
class Query {
  kind: Kind = "rank";
  isReversed = false;
  withScores = false;
  offset = 0;
  /** Negative for all. */
  limit = -1;
  start: Int64 = 0;
  end: Int64 = 0;
  readonly scores = new ScoreRange();
  readonly bytes = new ByteRange();
}

const query = new Query();
const span = new Span();
const selection = new ScoreSelection();
const slice = new Slice();

/** Reads a range's two ends and the options behind them. @param first argument of the first end @throws CommandError */
function readQuery(args: Arguments, first: number, { kind, isReversed, isStored }: Form): void {
  query.withScores = false;
  query.offset = 0;
  query.limit = -1;
  let asked = kind;
  let reversed = isReversed;
  for (let index = first + 2; index < args.count; index++) {
    if (isStored !== true && args.is(index, "WITHSCORES")) {
      query.withScores = true;
    } else if (args.is(index, "LIMIT") && index + 2 < args.count) {
      query.offset = Number(integerAt(args, index + 1));
      query.limit = Number(integerAt(args, index + 2));
      index += 2;
    } else if (reversed === undefined && args.is(index, "REV")) {
      reversed = true;
    } else if (asked === undefined && args.is(index, "BYLEX")) {
      asked = "bytes";
    } else if (asked === undefined && args.is(index, "BYSCORE")) {
      asked = "score";
    } else {
      throw new CommandError(SYNTAX_ERROR);
    }
  }
  query.kind = asked ?? "rank";
  query.isReversed = reversed ?? false;
  if (query.limit !== -1 && query.kind === "rank") throw new CommandError(LIMIT_OF_RANKS);
  if (query.withScores && query.kind === "bytes") throw new CommandError(SCORES_OF_BYTES);
  readEnds(args, first);
}

/** Of scores and bytes, the higher end comes first if the range is reversed. */
function readEnds(args: Arguments, first: number): void {
  if (query.kind === "rank") {
    query.start = integerAt(args, first);
    query.end = integerAt(args, first + 1);
    return;
  }
  const min = query.isReversed ? first + 1 : first;
  const max = query.isReversed ? first : first + 1;
  if (query.kind === "score") readScores(args, min, max, query.scores);
  else readBytes(args, min, max, query.bytes);
}

function integerAt(args: Arguments, index: number): Int64 {
  const value = args.int64(index);
  if (value === undefined) throw new CommandError(NOT_AN_INTEGER);
  return value;
}

/** The members that are asked for, as ranks from the lowest on. */
function spanIn(set: SortedSet): Span {
  const { kind, isReversed } = query;
  if (kind === "rank") {
    const { count } = set;
    spanOfRanks(query.start, query.end, count, span);
    if (isReversed) span.first = count - span.first - span.count;
    return span;
  }
  if (kind === "score") set.spanOfScores(query.scores, span);
  else set.spanOfBytes(query.bytes, isReversed, span);
  if (query.offset !== 0 || query.limit >= 0) span.limit(query.offset, query.limit, isReversed);
  return span;
}

function replyRange(context: Context, args: Arguments, index: number, form: Form): void {
  readQuery(args, index + 1, form);
  const key = readSortedSet(context, args, index);
  if (!key.found) {
    context.reply.array(0);
    return;
  }
  const set = sortedSetOf(key);
  replySpan(context.reply, set, spanIn(set), query.isReversed, query.withScores);
}

const LIMIT: ArgumentDocument = {
  name: "limit",
  type: "block",
  token: "LIMIT",
  flags: ["optional"],
  arguments: [
    { name: "offset", type: "integer" },
    { name: "count", type: "integer" },
  ],
};
const WITH_SCORES: ArgumentDocument = { ...pureToken("WITHSCORES"), flags: ["optional"] };
const REVERSED: ArgumentDocument = { ...pureToken("REV"), flags: ["optional"] };
const SORTED_BY: ArgumentDocument = {
  name: "sortby",
  type: "oneof",
  flags: ["optional"],
  arguments: [pureToken("BYSCORE"), pureToken("BYLEX")],
};

const ranging = {
  group: "sorted-set",
  arity: -4,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  complexity: "O(log(N)+M) where N is the size of the sorted set and M is the number of members returned.",
} as const;

export const ZRANGE = command({
  ...ranging,
  name: "ZRANGE",
  summary: "Returns the members of a sorted set within a range of ranks, scores or bytes.",
  since: "1.2.0",
  history: [["6.2.0", "Added the REV, BYSCORE, BYLEX and LIMIT options."]],
  args: {
    key: key(),
    start: bytes(),
    stop: bytes(),
    options: rest(
      { ...SORTED_BY, since: "6.2.0" },
      { ...REVERSED, since: "6.2.0" },
      { ...LIMIT, since: "6.2.0" },
      WITH_SCORES,
    ),
  },
  run: (context, parsed, args) => replyRange(context, args, parsed.key, {}),
});

const BY_RANK_REVERSED: Form = { kind: "rank", isReversed: true };
const BY_SCORE: Form = { kind: "score", isReversed: false };
const BY_SCORE_REVERSED: Form = { kind: "score", isReversed: true };
const BY_BYTES: Form = { kind: "bytes", isReversed: false };
const BY_BYTES_REVERSED: Form = { kind: "bytes", isReversed: true };

export const ZREVRANGE = command({
  ...ranging,
  name: "ZREVRANGE",
  summary: "Returns the members of a sorted set within a range of ranks, counted from the highest score.",
  since: "1.2.0",
  replacedBy: "`ZRANGE` with the `REV` argument",
  deprecatedSince: "6.2.0",
  args: { key: key(), start: deferred("integer"), stop: deferred("integer"), options: rest(WITH_SCORES) },
  run: (context, parsed, args) => replyRange(context, args, parsed.key, BY_RANK_REVERSED),
});

export const ZRANGEBYSCORE = command({
  ...ranging,
  name: "ZRANGEBYSCORE",
  summary: "Returns the members of a sorted set within a range of scores.",
  since: "1.0.5",
  history: [["2.0.0", "Added the WITHSCORES option."]],
  replacedBy: "`ZRANGE` with the `BYSCORE` argument",
  deprecatedSince: "6.2.0",
  args: {
    key: key(),
    min: deferred("double"),
    max: deferred("double"),
    options: rest({ ...WITH_SCORES, since: "2.0.0" }, LIMIT),
  },
  run: (context, parsed, args) => replyRange(context, args, parsed.key, BY_SCORE),
});

export const ZREVRANGEBYSCORE = command({
  ...ranging,
  name: "ZREVRANGEBYSCORE",
  summary: "Returns the members of a sorted set within a range of scores, from the highest on.",
  since: "2.2.0",
  history: [["2.1.6", "Either end can be excluded."]],
  replacedBy: "`ZRANGE` with the `REV` and `BYSCORE` arguments",
  deprecatedSince: "6.2.0",
  args: { key: key(), max: deferred("double"), min: deferred("double"), options: rest(WITH_SCORES, LIMIT) },
  run: (context, parsed, args) => replyRange(context, args, parsed.key, BY_SCORE_REVERSED),
});

export const ZRANGEBYLEX = command({
  ...ranging,
  name: "ZRANGEBYLEX",
  summary: "Returns the members within a range of bytes of a sorted set all of whose scores are equal.",
  since: "2.8.9",
  replacedBy: "`ZRANGE` with the `BYLEX` argument",
  deprecatedSince: "6.2.0",
  args: { key: key(), min: bytes(), max: bytes(), options: rest(LIMIT) },
  run: (context, parsed, args) => replyRange(context, args, parsed.key, BY_BYTES),
});

export const ZREVRANGEBYLEX = command({
  ...ranging,
  name: "ZREVRANGEBYLEX",
  summary: "Returns the members within a range of bytes of a sorted set all of whose scores are equal, backwards.",
  since: "2.8.9",
  replacedBy: "`ZRANGE` with the `REV` and `BYLEX` arguments",
  deprecatedSince: "6.2.0",
  args: { key: key(), max: bytes(), min: bytes(), options: rest(LIMIT) },
  run: (context, parsed, args) => replyRange(context, args, parsed.key, BY_BYTES_REVERSED),
});

export const ZRANGESTORE = command({
  name: "ZRANGESTORE",
  summary: "Stores the members of a sorted set within a range of ranks, scores or bytes as a sorted set.",
  complexity: "O(log(N)+M) where N is the size of the sorted set and M is the number of members stored.",
  since: "6.2.0",
  group: "sorted-set",
  arity: -5,
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [OVERWRITE_KEY, ACCESS_SECOND_KEY],
  args: {
    dst: key(),
    src: key(1),
    min: bytes(),
    max: bytes(),
    options: rest(SORTED_BY, REVERSED, LIMIT),
  },
  run(context, parsed, args) {
    readQuery(args, parsed.min, { isStored: true });
    select(readSortedSet(context, args, parsed.src));
    const target = context.database.write(args, parsed.dst, context.database.other);
    const existed = target.found;
    const size = storeSelection(target, selection);
    notifyStored(target, existed, SORTED_SET_EVENT, "zrangestore");
    context.reply.integer(size);
  },
});

/** Selects what is asked for, in order: in which direction it was to be walked through matters for the limit only. */
function select(key: Key): void {
  selection.reset(false);
  if (!key.found) return;
  const set = sourceOf(key, 0);
  const { first, count } = spanIn(set);
  selection.from(set);
  for (let place = set.seek(first), left = count; left > 0; left--) {
    selection.push(place, 0, set.read(place, slice).length, set.score(place));
    if (left > 1) place = set.next();
  }
}
