/** What all commands on sorted sets share: looking one up, reading scores, and replying with members. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { parsePlainNumber } from "../base/plain-number.ts";
import { SORTED_SET } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import type { Span } from "../keyspace/score-range.ts";
import type { Place } from "../keyspace/scored-members.ts";
import type { SortedSet } from "../keyspace/sorted-set.ts";
import { parseDouble } from "./argument.ts";
import type { Context } from "./context.ts";
import { CommandError, NOT_A_FLOAT } from "./errors.ts";
import { ofType } from "./key-type.ts";
import type { Reply } from "./reply.ts";

const member = new Slice();

/** The key, for reading. @throws CommandError if it holds something other than a sorted set */
export function readSortedSet(context: Context, args: Arguments, index: number): Key {
  return ofType(context.database.read(args, index), SORTED_SET);
}

/** The key, to be changed. @throws CommandError if it holds something other than a sorted set */
export function writeSortedSet(context: Context, args: Arguments, index: number): Key {
  return ofType(context.database.write(args, index), SORTED_SET);
}

/** The score in argument `index`. @throws CommandError */
export function scoreAt(args: Arguments, index: number, error: string = NOT_A_FLOAT): number {
  const plain = parsePlainNumber(args.bytes, args.start(index), args.length(index));
  if (!Number.isNaN(plain)) return plain;
  const value = parseDouble(args.latin1(index));
  if (value === undefined) throw new CommandError(error);
  return value;
}

/** Announces `count` members: with scores these are pairs, in RESP3 each an array of its own. */
export function replyHead(reply: Reply, count: number, withScores: boolean): void {
  reply.array(withScores && reply.version === 2 ? count * 2 : count);
}

/** Replies with the member at a place, and its score. */
export function replyElement(reply: Reply, set: SortedSet, place: Place, withScore: boolean): void {
  if (withScore && reply.version === 3) reply.array(2);
  replyMember(reply, set, place);
  if (withScore) reply.double(set.score(place));
}

export function replyMember(reply: Reply, set: { read(place: Place, slice: Slice): Slice }, place: Place): void {
  const { bytes, start, length } = set.read(place, member);
  reply.bulk(bytes, start, length);
}

/** Replies with the members of a span. */
export function replySpan(
  reply: Reply,
  set: SortedSet,
  { first, count }: Span,
  isReversed: boolean,
  withScores: boolean,
): void {
  replyHead(reply, count, withScores);
  if (count === 0) return;
  let place = set.seek(isReversed ? first + count - 1 : first);
  for (let left = count; left > 0; left--) {
    replyElement(reply, set, place, withScores);
    if (left > 1) place = isReversed ? set.previous() : set.next();
  }
}
