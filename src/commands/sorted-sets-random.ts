/** ZRANDMEMBER: random members of a sorted set. Every choice is uniform. */
import type { SortedSet } from "../keyspace/sorted-set.ts";
import { sortedSetOf } from "../keyspace/sorted-sets.ts";
import { key, pureToken, rest } from "./argument.ts";
import { command } from "./command.ts";
import { ACCESS_KEY } from "./key-specs.ts";
import { checkRepeated, readRandomPairs } from "./random-count.ts";
import type { Reply } from "./reply.ts";
import { readSortedSet, replyElement, replyHead, replyMember } from "./sorted-sets-access.ts";

/** Ranks are drawn until there are enough different ones if there are at least this many members for each. */
const MEMBERS_PER_DRAWN = 3;

function randomRank(set: SortedSet): number {
  return Math.floor(Math.random() * set.count);
}

/** Members drawn one by one, none of them put aside. */
function replyRepeating(reply: Reply, set: SortedSet, count: number, withScores: boolean): void {
  checkRepeated(count);
  replyHead(reply, count, withScores);
  for (let drawn = 0; drawn < count; drawn++) replyElement(reply, set, set.seek(randomRank(set)), withScores);
}

function replyDifferent(reply: Reply, set: SortedSet, count: number, withScores: boolean): void {
  const size = set.count;
  replyHead(reply, Math.min(count, size), withScores);
  if (count * MEMBERS_PER_DRAWN > size || size < SMALL) replyInOrder(reply, set, count, withScores);
  else for (const rank of draw(set, count)) replyElement(reply, set, set.seek(rank), withScores);
}

/** Up to this size, walking through all members beats seeking some. */
const SMALL = 64;

/** Members chosen on a walk from the last to the first, as Redis walks; each such choice is equally likely. */
function replyInOrder(reply: Reply, set: SortedSet, count: number, withScores: boolean): void {
  let left = set.count;
  let wanted = count;
  for (let place = set.seek(left - 1); wanted > 0 && left > 0; left--) {
    if (Math.random() * left < wanted) {
      replyElement(reply, set, place, withScores);
      wanted -= 1;
    }
    if (left > 1) place = set.previous();
  }
}

function draw(set: SortedSet, count: number): ReadonlySet<number> {
  const ranks = new Set<number>();
  while (ranks.size < count) ranks.add(randomRank(set));
  return ranks;
}

export const ZRANDMEMBER = command({
  name: "ZRANDMEMBER",
  summary: "Returns random members of a sorted set.",
  complexity: "O(N) where N is the number of members returned.",
  since: "6.2.0",
  group: "sorted-set",
  arity: -2,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  tips: ["nondeterministic_output"],
  args: {
    key: key(),
    options: rest({
      name: "options",
      type: "block",
      flags: ["optional"],
      arguments: [
        { name: "count", type: "integer" },
        { ...pureToken("WITHSCORES"), flags: ["optional"] },
      ],
    }),
  },
  run(context, parsed, args) {
    const { reply } = context;
    const request = readRandomPairs(args, parsed.options, "WITHSCORES");
    const key = readSortedSet(context, args, parsed.key);
    if (request !== undefined) {
      const { count, withPairs: withScores } = request;
      if (!key.found || count === 0) reply.array(0);
      else if (count < 0) replyRepeating(reply, sortedSetOf(key), -count, withScores);
      else replyDifferent(reply, sortedSetOf(key), count, withScores);
    } else if (key.found) {
      const set = sortedSetOf(key);
      replyMember(reply, set, set.seek(randomRank(set)));
    } else {
      reply.null();
    }
  },
});
