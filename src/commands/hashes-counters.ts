/** Fields of hashes that are numbers: counting up and down. */
import { Slice } from "../base/bytes.ts";
import { addInt64, parseInt64, writeInt64 } from "../base/int64.ts";
import { LongDouble } from "../base/long-double.ts";
import { deadlineOf } from "../keyspace/hash-deadlines.ts";
import { readValue, updateField } from "../keyspace/hashes.ts";
import type { Key } from "../keyspace/key.ts";
import { UNDATED } from "../structures/field-table.ts";
import { bytes, deferred, integer, key } from "./argument.ts";
import { command } from "./command.ts";
import type { Effects } from "./effects.ts";
import { CommandError, NOT_A_FLOAT } from "./errors.ts";
import { findArgument, writeHash } from "./hashes-access.ts";
import { HASH_EVENT } from "./key-events.ts";
import { UPDATE_KEY } from "./key-specs.ts";

const VALUE_NOT_AN_INTEGER = "ERR hash value is not an integer";
const VALUE_NOT_A_FLOAT = "ERR hash value is not a float";
const OVERFLOW = "ERR increment or decrement would overflow";
const INCREMENT_NOT_FINITE = "ERR value is NaN or Infinity";
const SUM_NOT_FINITE = "ERR increment would produce NaN or Infinity";

const name = new Slice();
const field = new Slice();
const value = new Slice();
/** The longest text that a LongDouble has: 4933 digits, a point, 17 digits, a sign. */
const digits = Buffer.alloc(5120);

export const HINCRBY = command({
  name: "HINCRBY",
  summary: "Adds a number to the integer value of a hash's field; a field that does not exist counts as 0.",
  complexity: "O(1)",
  since: "2.0.0",
  group: "hash",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [UPDATE_KEY],
  args: { key: key(), field: bytes(), increment: integer() },
  run(context, parsed, args) {
    const key = writeHash(context, args, parsed.key);
    const at = findArgument(key, args, parsed.field);
    if (at !== 0) readValue(key, at, value);
    const old = at === 0 ? 0 : parseInt64(value.bytes, value.start, value.length);
    if (old === undefined) throw new CommandError(VALUE_NOT_AN_INTEGER);
    const sum = addInt64(old, parsed.increment);
    if (sum === undefined) throw new CommandError(OVERFLOW);
    value.set(digits, 0, writeInt64(sum, digits, 0));
    updateField(key, at, args.slice(parsed.field, field), value);
    key.notify(HASH_EVENT, "hincrby");
    context.reply.integer(sum);
  },
});

function parseLongDouble(text: Slice, error: string): LongDouble {
  const number = text.length < digits.length ? LongDouble.parse(text.toLatin1()) : undefined;
  if (number === undefined) throw new CommandError(error);
  return number;
}

/** Another machine's sum may differ in its last digit. HSET takes the deadline away, which the field has kept. */
function tellSum(effects: Effects, key: Key, name: Slice, text: string): void {
  effects.add("HSET", name, field, text);
  const deadline = deadlineOf(key, field)!;
  if (deadline !== UNDATED) effects.add("HPEXPIREAT", name, deadline, "FIELDS", 1, field);
}

export const HINCRBYFLOAT = command({
  name: "HINCRBYFLOAT",
  summary: "Adds a floating-point number to the numeric value of a hash's field; one that does not exist counts as 0.",
  complexity: "O(1)",
  since: "2.6.0",
  group: "hash",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  replay: "rewritten",
  keys: [UPDATE_KEY],
  args: { key: key(), field: bytes(), increment: deferred("double") },
  run(context, parsed, args) {
    const increment = parseLongDouble(args.slice(parsed.increment, value), NOT_A_FLOAT);
    if (!increment.isFinite) throw new CommandError(INCREMENT_NOT_FINITE);
    const key = writeHash(context, args, parsed.key);
    const at = findArgument(key, args, parsed.field);
    const old = at === 0 ? LongDouble.fromInt64(0) : parseLongDouble(readValue(key, at, value), VALUE_NOT_A_FLOAT);
    const sum = old.plus(increment);
    if (!sum.isFinite) throw new CommandError(SUM_NOT_FINITE);
    const text = sum.toString();
    digits.latin1Write(text, 0, text.length);
    value.set(digits, 0, text.length);
    updateField(key, at, args.slice(parsed.field, field), value);
    if (context.effects.areKept) tellSum(context.effects, key, args.slice(parsed.key, name), text);
    key.notify(HASH_EVENT, "hincrbyfloat");
    context.reply.bulk(digits, 0, text.length);
  },
});
