/** Taking members from either end of a sorted set: ZPOPMIN, ZPOPMAX, ZMPOP. */
import type { Arguments } from "../base/arguments.ts";
import type { Key } from "../keyspace/key.ts";
import { Span } from "../keyspace/score-range.ts";
import type { SortedSet } from "../keyspace/sorted-set.ts";
import { removeSpan, sortedSetOf } from "../keyspace/sorted-sets.ts";
import { deferred, key, pureToken, rest } from "./argument.ts";
import { type Command, command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, SYNTAX_ERROR } from "./errors.ts";
import { notifyRemoval, SORTED_SET_EVENT } from "./key-events.ts";
import { GIVEN_AWAY_COUNTED_KEYS, GIVEN_AWAY_KEY } from "./key-specs.ts";
import type { Reply } from "./reply.ts";
import { replyMember, writeSortedSet } from "./sorted-sets-access.ts";

const NOT_POSITIVE = "ERR value is out of range, must be positive";
const NO_KEYS = "ERR numkeys should be greater than 0";
const NO_COUNT = "ERR count should be greater than 0";

const span = new Span();

/** Points `span` at the members to be popped. */
function spanAtEnd(set: SortedSet, count: number, isMax: boolean): Span {
  const total = set.count;
  const popped = Math.min(count, total);
  return span.set(isMax ? total - popped : 0, popped);
}

/** Replies with the members of `span`, beginning at the end where they are popped, and removes them. */
function pop(reply: Reply, key: Key, set: SortedSet, isMax: boolean, isNested: boolean): void {
  const { first, count } = span;
  let place = set.seek(isMax ? first + count - 1 : first);
  for (let left = count; left > 0; left--) {
    if (isNested) reply.array(2);
    replyMember(reply, set, place);
    reply.double(set.score(place));
    if (left > 1) place = isMax ? set.previous() : set.next();
  }
  removeSpan(key, set, first, count);
  notifyRemoval(key, SORTED_SET_EVENT, isMax ? "zpopmax" : "zpopmin");
}

/** ZPOPMIN or ZPOPMAX. */
function popCommand(name: string, isMax: boolean, summary: string): Command {
  return command({
    name,
    summary,
    complexity: "O(log(N)*M) where N is the size of the sorted set and M is the number of members popped.",
    since: "5.0.0",
    group: "sorted-set",
    arity: -2,
    flags: ["write", "fast"],
    replay: "as-is",
    keys: [GIVEN_AWAY_KEY],
    args: { key: key(), count: rest({ name: "count", type: "integer", flags: ["optional"] }) },
    run(context, parsed, args) {
      const { reply } = context;
      if (args.count > 3) throw new CommandError(SYNTAX_ERROR);
      const hasCount = args.count === 3;
      const count = hasCount ? args.int64(parsed.count) : 1;
      if (count === undefined || count < 0) throw new CommandError(NOT_POSITIVE);
      const key = writeSortedSet(context, args, parsed.key);
      if (!key.found || count === 0) {
        reply.array(0);
        return;
      }
      const isNested = hasCount && reply.version === 3;
      const set = sortedSetOf(key);
      const popped = spanAtEnd(set, Number(count), isMax).count;
      reply.array(isNested ? popped : popped * 2);
      pop(reply, key, set, isMax, isNested);
    },
  });
}

export const ZPOPMIN = popCommand("ZPOPMIN", false, "Removes the members with the lowest scores and returns them.");
export const ZPOPMAX = popCommand("ZPOPMAX", true, "Removes the members with the highest scores and returns them.");

/** What ZMPOP is asked for, behind its keys. */
function readPop(args: Arguments, from: number): { isMax: boolean; count: number } {
  if (from >= args.count) throw new CommandError(SYNTAX_ERROR);
  const isMax = args.is(from, "MAX");
  if (!isMax && !args.is(from, "MIN")) throw new CommandError(SYNTAX_ERROR);
  if (args.count === from + 1) return { isMax, count: 1 };
  if (!args.is(from + 1, "COUNT") || args.count === from + 2) throw new CommandError(SYNTAX_ERROR);
  const count = args.int64(from + 2);
  if (count === undefined || count < 1) throw new CommandError(NO_COUNT);
  if (args.count > from + 3) throw new CommandError(SYNTAX_ERROR);
  return { isMax, count: Number(count) };
}

/** The first key that holds a sorted set; undefined if none exists. */
function firstFound(context: Context, args: Arguments, first: number, end: number): Key | undefined {
  for (let index = first; index < end; index++) {
    const key = writeSortedSet(context, args, index);
    if (key.found) return key;
  }
  return undefined;
}

export const ZMPOP = command({
  name: "ZMPOP",
  summary: "Removes members from one end of the first of several sorted sets that exists, and returns them.",
  complexity:
    "O(K) + O(M*log(N)) where K is the number of keys, N the size of the sorted set, M the number of members popped.",
  since: "7.0.0",
  group: "sorted-set",
  arity: -4,
  flags: ["write"],
  replay: "rewritten",
  keys: [GIVEN_AWAY_COUNTED_KEYS],
  args: {
    numkeys: deferred("integer"),
    rest: rest(
      { name: "key", type: "key", keySpecIndex: 0, flags: ["multiple"] },
      { name: "where", type: "oneof", arguments: [pureToken("MIN"), pureToken("MAX")] },
      { name: "count", type: "integer", token: "COUNT", flags: ["optional"] },
    ),
  },
  run(context, parsed, args) {
    const { reply } = context;
    const keys = args.int64(parsed.numkeys);
    if (keys === undefined || keys < 1) throw new CommandError(NO_KEYS);
    const end = parsed.rest + Math.min(Number(keys), args.count);
    const { isMax, count } = readPop(args, end);
    const key = firstFound(context, args, parsed.rest, end);
    if (key === undefined) {
      reply.nullArray();
      return;
    }
    const set = sortedSetOf(key);
    const popped = spanAtEnd(set, count, isMax).count;
    reply.array(2);
    reply.bulk(key.bytes, key.start, key.length);
    reply.array(popped);
    pop(reply, key, set, isMax, true);
    // As Redis says it: replaying need not find out again which key it was.
    if (context.effects.areKept) context.effects.add(isMax ? "ZPOPMAX" : "ZPOPMIN", key, popped);
  },
});
