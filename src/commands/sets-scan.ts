/** SSCAN: a walk through a set, some members with each call. */
import type { Place } from "../keyspace/member-set.ts";
import { setOf } from "../keyspace/sets.ts";
import { key, rest } from "./argument.ts";
import { collectMatching, readScanOptions, replyScanHead, SCAN_OPTION_DOCUMENTS } from "./collection-scan.ts";
import { command } from "./command.ts";
import { ACCESS_KEY } from "./key-specs.ts";
import { cursor } from "./scan.ts";
import { readSet, replyMember } from "./sets-access.ts";

/** Places of the members that match; reused. */
const found: Place[] = [];

export const SSCAN = command({
  name: "SSCAN",
  summary: "Walks through the members of a set, some with each call.",
  complexity: "O(1) for a call, O(N) for a whole walk, where N is the number of members.",
  since: "2.8.0",
  group: "set",
  arity: -3,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  tips: ["nondeterministic_output"],
  args: { key: key(), cursor, options: rest(...SCAN_OPTION_DOCUMENTS) },
  run(context, parsed, args) {
    const { reply } = context;
    const key = readSet(context, args, parsed.key);
    if (!key.found) {
      replyScanHead(reply, 0, 0);
      return;
    }
    const options = readScanOptions(args, parsed.options, false);
    const set = setOf(key);
    const next = collectMatching(set, parsed.cursor, options, found);
    replyScanHead(reply, next, found.length);
    for (const place of found) replyMember(reply, set, place);
  },
});
