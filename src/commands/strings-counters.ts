/** Strings that are numbers: counting up and down. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { addInt64, INT64_MIN, type Int64, parseInt64, toInt64 } from "../base/int64.ts";
import { LongDouble } from "../base/long-double.ts";
import { NO_DEADLINE } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { setBytes, setInteger } from "../keyspace/strings.ts";
import { deferred, integer, key } from "./argument.ts";
import { type Command, command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, NOT_A_FLOAT, NOT_AN_INTEGER } from "./errors.ts";
import { STRING_EVENT } from "./key-events.ts";
import { UPDATE_KEY } from "./key-specs.ts";
import { writeString } from "./strings-access.ts";

const INCREMENT_OVERFLOW = "ERR increment or decrement would overflow";
const DECREMENT_OVERFLOW = "ERR decrement would overflow";
const NOT_FINITE = "ERR increment would produce NaN or Infinity";

const value = new Slice();
/** The longest text that a LongDouble has: 4933 digits, a point, 17 digits, a sign. */
const digits = Buffer.alloc(5120);

/** Adds to the integer that the key holds, 0 if it does not exist, and replies with the sum. */
function increment(context: Context, args: Arguments, index: number, by: Int64): void {
  const key = writeString(context, args, index);
  const old = key.found ? integerOf(key) : 0;
  if (old === undefined) throw new CommandError(NOT_AN_INTEGER);
  const sum = addInt64(old, by);
  if (sum === undefined) throw new CommandError(INCREMENT_OVERFLOW);
  setInteger(key, sum, key.found ? key.deadline : NO_DEADLINE);
  key.notify(STRING_EVENT, "incrby");
  context.reply.integer(sum);
}

/** The integer that the key holds, as such or as digits; APPEND and INCRBYFLOAT leave digits. */
function integerOf(key: Key): Int64 | undefined {
  const integer = key.integer;
  if (integer !== undefined) return integer;
  key.readString(value);
  return parseInt64(value.bytes, value.start, value.length);
}

/** INCR or DECR. */
function stepCommand(name: string, summary: string, step: 1 | -1): Command {
  return command({
    name,
    summary,
    complexity: "O(1)",
    since: "1.0.0",
    group: "string",
    arity: 2,
    flags: ["write", "denyoom", "fast"],
    replay: "as-is",
    keys: [UPDATE_KEY],
    args: { key: key() },
    run(context, parsed, args) {
      increment(context, args, parsed.key, step);
    },
  });
}

export const INCR = stepCommand(
  "INCR",
  "Adds one to the integer value of a key; a key that does not exist counts as 0.",
  1,
);

export const DECR = stepCommand(
  "DECR",
  "Subtracts one from the integer value of a key; a key that does not exist counts as 0.",
  -1,
);

export const INCRBY = command({
  name: "INCRBY",
  summary: "Adds a number to the integer value of a key; a key that does not exist counts as 0.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [UPDATE_KEY],
  args: { key: key(), increment: integer() },
  run(context, parsed, args) {
    increment(context, args, parsed.key, parsed.increment);
  },
});

export const DECRBY = command({
  name: "DECRBY",
  summary: "Subtracts a number from the integer value of a key; a key that does not exist counts as 0.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [UPDATE_KEY],
  args: { key: key(), decrement: integer() },
  run(context, parsed, args) {
    const { decrement } = parsed;
    if (decrement === INT64_MIN) throw new CommandError(DECREMENT_OVERFLOW);
    increment(context, args, parsed.key, typeof decrement === "number" ? 0 - decrement : toInt64(-decrement));
  },
});

/** The number that the key holds, 0 if it does not exist. @throws CommandError if it holds none */
function longDoubleOf(key: Key): LongDouble {
  if (!key.found) return LongDouble.fromInt64(0);
  const integer = key.integer;
  return integer === undefined ? parseLongDouble(key.readString(value)) : LongDouble.fromInt64(integer);
}

function parseLongDouble(text: Slice): LongDouble {
  const number = text.length < digits.length ? LongDouble.parse(text.toLatin1()) : undefined;
  if (number === undefined) throw new CommandError(NOT_A_FLOAT);
  return number;
}

export const INCRBYFLOAT = command({
  name: "INCRBYFLOAT",
  summary: "Adds a floating-point number to the numeric value of a key; a key that does not exist counts as 0.",
  complexity: "O(1)",
  since: "2.6.0",
  group: "string",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  replay: "rewritten",
  keys: [UPDATE_KEY],
  args: { key: key(), increment: deferred("double") },
  run(context, parsed, args) {
    const key = writeString(context, args, parsed.key);
    const sum = longDoubleOf(key).plus(parseLongDouble(args.slice(parsed.increment, value)));
    if (!sum.isFinite) throw new CommandError(NOT_FINITE);
    const text = sum.toString();
    digits.latin1Write(text, 0, text.length);
    setBytes(key, digits, 0, text.length, key.found ? key.deadline : NO_DEADLINE);
    // Another machine's sum may differ in its last digit.
    if (context.effects.areKept) context.effects.add("SET", args.slice(parsed.key, value), text, "KEEPTTL");
    key.notify(STRING_EVENT, "incrbyfloat");
    context.reply.bulk(digits, 0, text.length);
  },
});
