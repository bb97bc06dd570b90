/** What all commands on hashes share: looking a hash up, and replying with its fields and values. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { HASH } from "../keyspace/entry.ts";
import { expireFront } from "../keyspace/hash-deadlines.ts";
import { findField, readName, readValue } from "../keyspace/hashes.ts";
import type { Key } from "../keyspace/key.ts";
import { LISTPACK_EX } from "../structures/collection.ts";
import type { Context } from "./context.ts";
import { ofType } from "./key-type.ts";

const field = new Slice();
const value = new Slice();

/** The key, for reading. @throws CommandError if it holds something other than a hash */
export function readHash(context: Context, args: Arguments, index: number): Key {
  return opened(context.database.read(args, index));
}

/** The key, to be changed. @throws CommandError if it holds something other than a hash */
export function writeHash(context: Context, args: Arguments, index: number): Key {
  return opened(context.database.write(args, index));
}

/** With what has expired of a listpack removed, be it everything: the key may not exist then. */
function opened(key: Key): Key {
  if (ofType(key, HASH).found && key.encoding === LISTPACK_EX) expireFront(key);
  return key;
}

/** The position of the field in argument `index`, 0 if there is none. */
export function findArgument(key: Key, args: Arguments, index: number): number {
  return findField(key, args.slice(index, field));
}

/** Replies with the value of the field in argument `index`, or with null. */
export function replyValueOf(context: Context, key: Key, args: Arguments, index: number): void {
  const at = findArgument(key, args, index);
  if (at === 0) context.reply.null();
  else replyValue(context, key, at);
}

/** Replies with the name of the field at a position. */
export function replyName(context: Context, key: Key, at: number): void {
  readName(key, at, field);
  context.reply.bulk(field.bytes, field.start, field.length);
}

/** Replies with the value of the field at a position. */
export function replyValue(context: Context, key: Key, at: number): void {
  readValue(key, at, value);
  context.reply.bulk(value.bytes, value.start, value.length);
}
