/** Parts of strings: reading, overwriting and appending. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import type { Int64 } from "../base/int64.ts";
import { isReversed, Range } from "../base/range.ts";
import { NO_DEADLINE } from "../keyspace/entry.ts";
import { growString, setString, writeAt } from "../keyspace/strings.ts";
import { bytes, integer, key } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, OFFSET_OUT_OF_RANGE } from "./errors.ts";
import { STRING_EVENT } from "./key-events.ts";
import { ACCESS_KEY, CHANGED_KEY, INSERT_OR_UPDATE_KEY, METADATA_KEY } from "./key-specs.ts";
import { checkLength, readString, writeString } from "./strings-access.ts";

const value = new Slice();
const range = new Range();

export const STRLEN = command({
  name: "STRLEN",
  summary: "Returns how many bytes the string value of a key has.",
  complexity: "O(1)",
  since: "2.2.0",
  group: "string",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: [METADATA_KEY],
  args: { key: key() },
  run(context, parsed, args) {
    const key = readString(context, args, parsed.key);
    context.reply.integer(key.found ? key.stringLength : 0);
  },
});

export const APPEND = command({
  name: "APPEND",
  summary: "Appends bytes to the string value of a key; a key that does not exist is made.",
  complexity: "O(1), amortized: a value that grows is given room to grow further.",
  since: "2.0.0",
  group: "string",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [INSERT_OR_UPDATE_KEY],
  args: { key: key(), value: bytes() },
  run(context, parsed, args) {
    const key = writeString(context, args, parsed.key);
    const start = args.start(parsed.value);
    const added = args.length(parsed.value);
    if (!key.found) {
      setString(key, args.bytes, start, added, NO_DEADLINE);
      key.notify(STRING_EVENT, "append");
      context.reply.integer(added);
      return;
    }
    const length = key.stringLength;
    checkLength(context, length + added);
    writeAt(key, growString(key, length + added, value), length, args.bytes, start, added);
    key.notify(STRING_EVENT, "append");
    context.reply.integer(length + added);
  },
});

export const SETRANGE = command({
  name: "SETRANGE",
  summary: "Overwrites a part of the string value of a key, from an offset on; zeros fill what is missing before it.",
  complexity: "O(M) where M is the length of the bytes written, and of the zeros before them where there are any.",
  since: "2.2.0",
  group: "string",
  arity: 4,
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [CHANGED_KEY],
  args: { key: key(), offset: integer(), value: bytes() },
  run(context, parsed, args) {
    if (parsed.offset < 0) throw new CommandError(OFFSET_OUT_OF_RANGE);
    const key = writeString(context, args, parsed.key);
    const length = key.found ? key.stringLength : 0;
    const written = args.length(parsed.value);
    if (written === 0) {
      context.reply.integer(length);
      return;
    }
    const offset = Number(parsed.offset);
    checkLength(context, offset + written);
    growString(key, offset + written, value);
    writeAt(key, value, offset, args.bytes, args.start(parsed.value), written);
    key.notify(STRING_EVENT, "setrange");
    context.reply.integer(value.length);
  },
});

/** Replies with the bytes of the key's value from `start` to `end`, inclusive. */
function replyRange(context: Context, args: Arguments, index: number, start: Int64, end: Int64): void {
  const key = readString(context, args, index);
  if (key.found) {
    key.readString(value);
    range.clamp(start, end, value.length);
  }
  if (!key.found || range.isEmpty || isReversed(start, end)) context.reply.bulk(value.bytes, 0, 0);
  else context.reply.bulk(value.bytes, value.start + range.first, range.length);
}

export const GETRANGE = command({
  name: "GETRANGE",
  summary: "Returns a part of the string value of a key.",
  complexity: "O(N) where N is the length of the part.",
  since: "2.4.0",
  group: "string",
  arity: 4,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  args: { key: key(), start: integer(), end: integer() },
  run(context, parsed, args) {
    replyRange(context, args, parsed.key, parsed.start, parsed.end);
  },
});

export const SUBSTR = command({
  name: "SUBSTR",
  summary: "Returns a part of the string value of a key.",
  complexity: "O(N) where N is the length of the part.",
  since: "1.0.0",
  group: "string",
  arity: 4,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  replacedBy: "`GETRANGE`",
  deprecatedSince: "2.0.0",
  args: { key: key(), start: integer(), end: integer() },
  run(context, parsed, args) {
    replyRange(context, args, parsed.key, parsed.start, parsed.end);
  },
});
