/** Fields of hashes by their names: reading, setting and removing them. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { hashLength, readValue, removeField, setField, setFields } from "../keyspace/hashes.ts";
import { bytes, key, repeated } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, wrongArity } from "./errors.ts";
import { findArgument, readHash, replyValueOf, writeHash } from "./hashes-access.ts";
import { HASH_EVENT, notifyRemoval } from "./key-events.ts";
import { ACCESS_KEY, CHANGED_KEY, INSERT_OR_UPDATE_KEY, METADATA_KEY, REMOVED_FROM_KEY } from "./key-specs.ts";

const field = new Slice();
const value = new Slice();

export const HDEL = command({
  name: "HDEL",
  summary: "Removes fields from a hash; with its last field, the hash.",
  complexity: "O(N) where N is the number of fields to be removed.",
  since: "2.0.0",
  group: "hash",
  arity: -3,
  flags: ["write", "fast"],
  replay: "as-is",
  keys: [REMOVED_FROM_KEY],
  history: [["2.4.0", "Accepts multiple `field` arguments."]],
  args: { key: key(), field: repeated({ field: bytes() }) },
  run(context, parsed, args) {
    const key = writeHash(context, args, parsed.key);
    let removed = 0;
    for (let index = parsed.field; index < args.count; index++) {
      const at = findArgument(key, args, index);
      if (at === 0) continue;
      removeField(key, at);
      removed += 1;
    }
    if (removed > 0) notifyRemoval(key, HASH_EVENT, "hdel");
    context.reply.integer(removed);
  },
});

export const HEXISTS = command({
  name: "HEXISTS",
  summary: "Tells whether a hash has a field.",
  complexity: "O(1)",
  since: "2.0.0",
  group: "hash",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: [METADATA_KEY],
  args: { key: key(), field: bytes() },
  run(context, parsed, args) {
    const key = readHash(context, args, parsed.key);
    context.reply.integer(findArgument(key, args, parsed.field) === 0 ? 0 : 1);
  },
});

export const HGET = command({
  name: "HGET",
  summary: "Returns the value of a hash's field.",
  complexity: "O(1)",
  since: "2.0.0",
  group: "hash",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: [ACCESS_KEY],
  args: { key: key(), field: bytes() },
  run(context, parsed, args) {
    replyValueOf(context, readHash(context, args, parsed.key), args, parsed.field);
  },
});

export const HLEN = command({
  name: "HLEN",
  summary: "Returns how many fields a hash has.",
  complexity: "O(1)",
  since: "2.0.0",
  group: "hash",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: [METADATA_KEY],
  args: { key: key() },
  run(context, parsed, args) {
    const key = readHash(context, args, parsed.key);
    context.reply.integer(key.found ? hashLength(key) : 0);
  },
});

export const HMGET = command({
  name: "HMGET",
  summary: "Returns the values of several fields of a hash.",
  complexity: "O(N) where N is the number of fields being requested.",
  since: "2.0.0",
  group: "hash",
  arity: -3,
  flags: ["readonly", "fast"],
  keys: [ACCESS_KEY],
  args: { key: key(), field: repeated({ field: bytes() }) },
  run(context, parsed, args) {
    const key = readHash(context, args, parsed.key);
    context.reply.array(args.count - parsed.field);
    for (let index = parsed.field; index < args.count; index++) replyValueOf(context, key, args, index);
  },
});

/** Sets the fields from argument 2 on. @returns how many of them are new */
function setAll(context: Context, args: Arguments, name: string): number {
  if (args.count % 2 !== 0) throw new CommandError(wrongArity(name));
  const key = writeHash(context, args, 1);
  const added = setFields(key, args, 2);
  key.notify(HASH_EVENT, "hset");
  return added;
}

export const HMSET = command({
  name: "HMSET",
  summary: "Sets the values of several fields of a hash.",
  complexity: "O(N) where N is the number of fields being set.",
  since: "2.0.0",
  group: "hash",
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [CHANGED_KEY],
  replacedBy: "`HSET` with multiple field-value pairs",
  deprecatedSince: "4.0.0",
  args: { key: key(), data: repeated({ field: bytes(), value: bytes() }) },
  run(context, _parsed, args) {
    setAll(context, args, "hmset");
    context.reply.ok();
  },
});

export const HSET = command({
  name: "HSET",
  summary: "Sets the values of fields of a hash; fields that it does not have are added.",
  complexity: "O(N) where N is the number of fields given.",
  since: "2.0.0",
  group: "hash",
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [CHANGED_KEY],
  history: [["4.0.0", "Accepts multiple `field` and `value` arguments."]],
  args: { key: key(), data: repeated({ field: bytes(), value: bytes() }) },
  run(context, _parsed, args) {
    context.reply.integer(setAll(context, args, "hset"));
  },
});

export const HSETNX = command({
  name: "HSETNX",
  summary: "Sets the value of a hash's field, if the hash does not have it yet.",
  complexity: "O(1)",
  since: "2.0.0",
  group: "hash",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [INSERT_OR_UPDATE_KEY],
  args: { key: key(), field: bytes(), value: bytes() },
  run(context, parsed, args) {
    const key = writeHash(context, args, parsed.key);
    const isNew = findArgument(key, args, parsed.field) === 0;
    if (isNew) {
      setField(key, args.slice(parsed.field, field), args.slice(parsed.value, value), false);
      key.notify(HASH_EVENT, "hset");
    }
    context.reply.integer(isNew ? 1 : 0);
  },
});

export const HSTRLEN = command({
  name: "HSTRLEN",
  summary: "Returns how many bytes the value of a hash's field has.",
  complexity: "O(1)",
  since: "3.2.0",
  group: "hash",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: [METADATA_KEY],
  args: { key: key(), field: bytes() },
  run(context, parsed, args) {
    const key = readHash(context, args, parsed.key);
    const at = findArgument(key, args, parsed.field);
    context.reply.integer(at === 0 ? 0 : readValue(key, at, value).length);
  },
});
