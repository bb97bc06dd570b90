/** Counting and removing the members of sorted sets within a range. */
import type { Arguments } from "../base/arguments.ts";
import { ByteRange, ScoreRange, Span } from "../keyspace/score-range.ts";
import type { SortedSet } from "../keyspace/sorted-set.ts";
import { removeSpan, sortedSetOf } from "../keyspace/sorted-sets.ts";
import { bytes, deferred, key } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, NOT_AN_INTEGER } from "./errors.ts";
import { notifyRemoval, SORTED_SET_EVENT } from "./key-events.ts";
import { ACCESS_KEY, REMOVED_FROM_KEY } from "./key-specs.ts";
import { readSortedSet, writeSortedSet } from "./sorted-sets-access.ts";
import { readBytes, readScores, spanOfRanks } from "./sorted-sets-bounds.ts";

const scores = new ScoreRange();
const range = new ByteRange();
const span = new Span();

function countSpan(context: Context, args: Arguments, spanIn: (set: SortedSet) => Span): void {
  const key = readSortedSet(context, args, 1);
  context.reply.integer(key.found ? spanIn(sortedSetOf(key)).count : 0);
}

/** Removes a span of the key's sorted set, and replies with how many members that were. */
function dropSpan(context: Context, args: Arguments, event: string, spanIn: (set: SortedSet) => Span): void {
  const key = writeSortedSet(context, args, 1);
  if (!key.found) {
    context.reply.integer(0);
    return;
  }
  const set = sortedSetOf(key);
  const { first, count } = spanIn(set);
  removeSpan(key, set, first, count);
  if (count > 0) notifyRemoval(key, SORTED_SET_EVENT, event);
  context.reply.integer(count);
}

const byScores = (set: SortedSet): Span => set.spanOfScores(scores, span);
const byBytes = (set: SortedSet): Span => set.spanOfBytes(range, false, span);

const counting = {
  complexity: "O(log(N)) where N is the size of the sorted set.",
  group: "sorted-set",
  arity: 4,
  flags: ["readonly", "fast"],
  keys: [ACCESS_KEY],
} as const;

export const ZCOUNT = command({
  ...counting,
  name: "ZCOUNT",
  summary: "Returns how many members of a sorted set have scores within a range.",
  since: "2.0.0",
  args: { key: key(), min: deferred("double"), max: deferred("double") },
  run(context, parsed, args) {
    readScores(args, parsed.min, parsed.max, scores);
    countSpan(context, args, byScores);
  },
});

export const ZLEXCOUNT = command({
  ...counting,
  name: "ZLEXCOUNT",
  summary: "Returns how many members are within a range of bytes, of a sorted set all of whose scores are equal.",
  since: "2.8.9",
  args: { key: key(), min: bytes(), max: bytes() },
  run(context, parsed, args) {
    readBytes(args, parsed.min, parsed.max, range);
    countSpan(context, args, byBytes);
  },
});

const removing = {
  complexity: "O(log(N)+M) where N is the size of the sorted set and M is the number of members removed.",
  group: "sorted-set",
  arity: 4,
  flags: ["write"],
  replay: "as-is",
  keys: [REMOVED_FROM_KEY],
} as const;

export const ZREMRANGEBYSCORE = command({
  ...removing,
  name: "ZREMRANGEBYSCORE",
  summary: "Removes the members of a sorted set whose scores are within a range.",
  since: "1.2.0",
  args: { key: key(), min: deferred("double"), max: deferred("double") },
  run(context, parsed, args) {
    readScores(args, parsed.min, parsed.max, scores);
    dropSpan(context, args, "zremrangebyscore", byScores);
  },
});

export const ZREMRANGEBYLEX = command({
  ...removing,
  name: "ZREMRANGEBYLEX",
  summary: "Removes the members within a range of bytes from a sorted set all of whose scores are equal.",
  since: "2.8.9",
  args: { key: key(), min: bytes(), max: bytes() },
  run(context, parsed, args) {
    readBytes(args, parsed.min, parsed.max, range);
    dropSpan(context, args, "zremrangebylex", byBytes);
  },
});

export const ZREMRANGEBYRANK = command({
  ...removing,
  name: "ZREMRANGEBYRANK",
  summary: "Removes the members of a sorted set within a range of ranks.",
  since: "2.0.0",
  args: { key: key(), start: deferred("integer"), stop: deferred("integer") },
  run(context, parsed, args) {
    const start = args.int64(parsed.start);
    const end = start === undefined ? undefined : args.int64(parsed.stop);
    if (start === undefined || end === undefined) throw new CommandError(NOT_AN_INTEGER);
    dropSpan(context, args, "zremrangebyrank", (set) => spanOfRanks(start, end, set.count, span));
  },
});
