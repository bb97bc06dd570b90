/** What all commands on strings share: looking a string up, replying with it, and how long it may become. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { STRING } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { RegionFullError } from "../memory/heap.ts";
import { REGION_SIZE_MAX } from "../memory/region.ts";
import type { Context } from "./context.ts";
import { CommandError, STRING_TOO_LONG } from "./errors.ts";
import { ofType } from "./key-type.ts";

const value = new Slice();

/** The key, for reading. @throws CommandError if it holds something other than a string */
export function readString(context: Context, args: Arguments, index: number): Key {
  return ofType(context.database.read(args, index), STRING);
}

/** The key, to be changed. @throws CommandError if it holds something other than a string */
export function writeString(context: Context, args: Arguments, index: number): Key {
  return ofType(context.database.write(args, index), STRING);
}

/** Replies with the string that the key holds, or with null. */
export function replyString(context: Context, key: Key): void {
  if (!key.found) {
    context.reply.null();
    return;
  }
  key.readString(value);
  context.reply.bulk(value.bytes, value.start, value.length);
}

/**
 * Refuses a value of more than `proto-max-bulk-len` bytes, or than any region could hold.
 * @throws CommandError for the one, RegionFullError for the other
 */
export function checkLength(context: Context, length: number): void {
  const { keyspace, services } = context;
  // What is in a log was allowed when it was executed, whatever the limit is now.
  if (!keyspace.isLoading && length > services.configuration.get("proto-max-bulk-len"))
    throw new CommandError(STRING_TOO_LONG);
  if (length > REGION_SIZE_MAX) throw new RegionFullError(`no region holds ${length} bytes`);
}
