/** Strings: what GET and SET and their like do. */
import { Slice } from "../base/bytes.ts";
import { addInt64, type Int64 } from "../base/int64.ts";
import type { Arguments } from "../base/arguments.ts";
import { NO_DEADLINE, STRING } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { buildString, setInteger, setString } from "../keyspace/strings.ts";
import { bytes, choice, deferred, integer, key, oneOf, repeated, token } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR, WRONG_TYPE, wrongArity } from "./errors.ts";
import { deadlineFrom } from "./expiry.ts";
import { ACCESS_KEY, EVERY_KEY, EVERY_SECOND_KEY, OVERWRITE_KEY, UPDATE_KEY } from "./key-specs.ts";

const value = new Slice();

/** The key, for reading. @throws CommandError if it holds something other than a string */
export function readString(context: Context, args: Arguments, index: number): Key {
  const key = context.database.read(args, index);
  if (key.found && key.type !== STRING) throw new CommandError(WRONG_TYPE);
  return key;
}

/** The key, to be changed. @throws CommandError if it holds something other than a string */
export function writeString(context: Context, args: Arguments, index: number): Key {
  const key = context.database.write(args, index);
  if (key.found && key.type !== STRING) throw new CommandError(WRONG_TYPE);
  return key;
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

const GET = command({
  name: "GET",
  summary: "Returns the string value of a key.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: [ACCESS_KEY],
  args: { key: key() },
  run(context, parsed, args) {
    replyString(context, readString(context, args, parsed.key));
  },
});

const SET = command({
  name: "SET",
  summary: "Sets the string value of a key, whatever its type was.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: -3,
  flags: ["write", "denyoom"],
  keys: [OVERWRITE_KEY],
  history: [
    ["2.6.12", "Added the EX, PX, NX and XX options."],
    ["6.0.0", "Added the KEEPTTL option."],
    ["6.2.0", "Added the GET, EXAT and PXAT options."],
    ["7.0.0", "Allowed the NX and GET options to be used together."],
  ],
  args: {
    key: key(),
    value: bytes(),
    condition: oneOf("NX", "XX"),
    get: token("GET"),
    expiration: choice({
      EX: deferred("integer"),
      PX: deferred("integer"),
      EXAT: deferred("unix-time"),
      PXAT: deferred("unix-time"),
      KEEPTTL: undefined,
    }),
  },
  run(context, parsed, args) {
    const { condition, get, expiration } = parsed;
    let deadline = expiration === undefined ? NO_DEADLINE : deadlineFrom(context, args, expiration, "set");
    const key = get ? writeString(context, args, parsed.key) : context.database.write(args, parsed.key);
    if (get) replyString(context, key);
    if (condition !== undefined && key.found === (condition === "NX")) {
      if (!get) context.reply.null();
      return;
    }
    if (expiration?.word === "KEEPTTL" && key.found) deadline = key.deadline;
    setString(key, args.bytes, args.start(parsed.value), args.length(parsed.value), deadline);
    if (!get) context.reply.ok();
  },
});

const MGET = command({
  name: "MGET",
  summary: "Returns the string values of several keys.",
  complexity: "O(N) where N is the number of keys to retrieve.",
  since: "1.0.0",
  group: "string",
  arity: -2,
  flags: ["readonly", "fast"],
  keys: [EVERY_KEY],
  tips: ["request_policy:multi_shard"],
  args: { key: repeated({ key: key() }) },
  run(context, parsed, args) {
    context.reply.array(args.count - parsed.key);
    for (let index = parsed.key; index < args.count; index++) {
      const key = context.database.read(args, index);
      if (key.found && key.type !== STRING) context.reply.null();
      else replyString(context, key);
    }
  },
});

const MSET = command({
  name: "MSET",
  summary: "Sets the string values of several keys at once.",
  complexity: "O(N) where N is the number of keys to set.",
  since: "1.0.1",
  group: "string",
  arity: -3,
  flags: ["write", "denyoom"],
  keys: [EVERY_SECOND_KEY],
  tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
  args: { data: repeated({ key: key(), value: bytes() }) },
  run(context, parsed, args) {
    if ((args.count - parsed.data) % 2 !== 0) throw new CommandError(wrongArity("mset"));
    for (let index = parsed.data; index < args.count; index += 2) {
      const key = context.database.write(args, index);
      setString(key, args.bytes, args.start(index + 1), args.length(index + 1), NO_DEADLINE);
    }
    context.reply.ok();
  },
});

/** Adds to the integer that the key holds, 0 if it does not exist, and replies with the sum. */
function increment(context: Context, args: Arguments, index: number, by: Int64): void {
  const key = writeString(context, args, index);
  let old: Int64 | undefined = 0;
  if (key.found) old = key.integer;
  if (old === undefined) throw new CommandError(NOT_AN_INTEGER);
  const sum = addInt64(old, by);
  if (sum === undefined) throw new CommandError("ERR increment or decrement would overflow");
  setInteger(key, sum, key.found ? key.deadline : NO_DEADLINE);
  context.reply.integer(sum);
}

const INCR = command({
  name: "INCR",
  summary: "Adds one to the integer value of a key; a key that does not exist counts as 0.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: 2,
  flags: ["write", "denyoom", "fast"],
  keys: [UPDATE_KEY],
  args: { key: key() },
  run(context, parsed, args) {
    increment(context, args, parsed.key, 1);
  },
});

const INCRBY = command({
  name: "INCRBY",
  summary: "Adds a number to the integer value of a key; a key that does not exist counts as 0.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: [UPDATE_KEY],
  args: { key: key(), increment: integer() },
  run(context, parsed, args) {
    increment(context, args, parsed.key, parsed.increment);
  },
});

export const stringCommands = [GET, SET, MGET, MSET, INCR, INCRBY];
