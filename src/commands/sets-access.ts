/** What all commands on sets share: looking a set up, and replying with a member. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { SET } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import type { MemberSet, Place } from "../keyspace/member-set.ts";
import type { Context } from "./context.ts";
import { ofType } from "./key-type.ts";
import type { Reply } from "./reply.ts";

const member = new Slice();

/** The key, for reading. @throws CommandError if it holds something other than a set */
export function readSet(context: Context, args: Arguments, index: number): Key {
  return ofType(context.database.read(args, index), SET);
}

/** The key, to be changed. @throws CommandError if it holds something other than a set */
export function writeSet(context: Context, args: Arguments, index: number, into = context.database.key): Key {
  return ofType(context.database.write(args, index, into), SET);
}

/** Replies with the member at a place. */
export function replyMember(reply: Reply, set: MemberSet, place: Place): void {
  const { bytes, start, length } = set.read(place, member);
  reply.bulk(bytes, start, length);
}

/** Replies with all members, in the set's order, behind a header that has been written. */
export function replyMembers(reply: Reply, set: MemberSet): void {
  set.forEach((place) => {
    replyMember(reply, set, place);
  });
}
