/** SSCAN: a walk through a set, some members with each call. */
import { Slice } from "../base/bytes.ts";
import { matchesGlob } from "../base/glob.ts";
import { type MemberSet, type Place, WALK_END } from "../keyspace/member-set.ts";
import { setOf } from "../keyspace/sets.ts";
import { key, rest } from "./argument.ts";
import {
  type CollectionScanOptions,
  readScanOptions,
  replyScanHead,
  SCAN_OPTION_DOCUMENTS,
} from "./collection-scan.ts";
import { command } from "./command.ts";
import { ACCESS_KEY } from "./key-specs.ts";
import { cursor } from "./scan.ts";
import { readSet, replyMember } from "./sets-access.ts";

const text = new Slice();
/** Places of the members that match, so that their number is known before the first is written. */
const found: Place[] = [];

/** Walks on from `cursor` and collects what matches. @returns the cursor to go on from, 0 at the end */
function collect(set: MemberSet, cursor: number, { pattern, count, slotsMax }: CollectionScanOptions): number {
  let seen = 0;
  const visit = (place: Place): void => {
    seen += 1;
    if (pattern !== undefined) {
      const { bytes, start, length } = set.read(place, text);
      if (!matchesGlob(pattern, bytes, start, length)) return;
    }
    found.push(place);
  };
  let at = cursor;
  for (let slots = slotsMax; at < WALK_END && slots > 0 && seen < count; slots--) at = set.walk(at, visit);
  return at >= WALK_END ? 0 : at;
}

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
    const next = collect(set, parsed.cursor, options);
    replyScanHead(reply, next, found.length);
    for (const place of found) replyMember(reply, set, place);
    found.length = 0;
  },
});
