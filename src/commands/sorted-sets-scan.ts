/** ZSCAN: a walk through a sorted set, some members with each call. */
import { formatDouble, formatSeventeenDigits } from "../base/format-double.ts";
import type { Place } from "../keyspace/scored-members.ts";
import type { SortedSet } from "../keyspace/sorted-set.ts";
import { sortedSetOf } from "../keyspace/sorted-sets.ts";
import { TREE } from "../structures/collection.ts";
import { key, rest } from "./argument.ts";
import { collectMatching, readScanOptions, replyScanHead, SCAN_OPTION_DOCUMENTS } from "./collection-scan.ts";
import { command } from "./command.ts";
import { ACCESS_KEY } from "./key-specs.ts";
import { cursor } from "./scan.ts";
import { readSortedSet, replyMember } from "./sorted-sets-access.ts";

/** Places of the members that match; reused. */
const found: Place[] = [];

/** As Redis shows it here: in its listpacks as it is stored, in others with seventeen digits. */
function scoreText(set: SortedSet, place: Place): string {
  const score = set.score(place);
  return set.encoding === TREE ? formatSeventeenDigits(score) : formatDouble(score);
}

export const ZSCAN = command({
  name: "ZSCAN",
  summary: "Walks through the members of a sorted set and their scores, some with each call.",
  complexity: "O(1) for a call, O(N) for a whole walk, where N is the number of members.",
  since: "2.8.0",
  group: "sorted-set",
  arity: -3,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  tips: ["nondeterministic_output"],
  args: { key: key(), cursor, options: rest(...SCAN_OPTION_DOCUMENTS) },
  run(context, parsed, args) {
    const { reply } = context;
    const key = readSortedSet(context, args, parsed.key);
    if (!key.found) {
      replyScanHead(reply, 0, 0);
      return;
    }
    const options = readScanOptions(args, parsed.options, false);
    const set = sortedSetOf(key);
    const next = collectMatching(set, parsed.cursor, options, found);
    replyScanHead(reply, next, found.length * 2);
    for (const place of found) {
      replyMember(reply, set, place);
      reply.bulkText(scoreText(set, place));
    }
  },
});
