/** BITFIELD: integers of any width at any bit of a string. */
import type { Arguments } from "../base/arguments.ts";
import { readBits, withBits } from "../base/bits.ts";
import { Slice } from "../base/bytes.ts";
import { fromWords, highWord, INT64_MAX, type Int64, lowWord, parseInt64, toInt64 } from "../base/int64.ts";
import type { Key } from "../keyspace/key.ts";
import { growString, setByte } from "../keyspace/strings.ts";
import { type ArgumentDocument, key, pureToken, rest } from "./argument.ts";
import { bitOffset } from "./bitmaps-access.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";
import { STRING_EVENT } from "./key-events.ts";
import { ACCESS_KEY, UPDATE_KEY } from "./key-specs.ts";
import { checkLength, readString, writeString } from "./strings-access.ts";

const INVALID_TYPE = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
const INVALID_OVERFLOW = "ERR Invalid OVERFLOW type specified";
const READ_ONLY = "ERR BITFIELD_RO only supports the GET subcommand";

type Overflow = "WRAP" | "SAT" | "FAIL";

/** A field's place and type. */
interface Field {
  readonly isSigned: boolean;
  readonly width: number;
  readonly offset: number;
}

interface Operation extends Field {
  readonly kind: "GET" | "SET" | "INCRBY";
  readonly overflow: Overflow;
  /** What is set or added. */
  readonly operand: Int64;
}

const value = new Slice();

const ENCODING: ArgumentDocument = { name: "encoding", type: "string" };
const OFFSET: ArgumentDocument = { name: "offset", type: "integer" };
const GET_BLOCK: ArgumentDocument = { name: "get-block", type: "block", token: "GET", arguments: [ENCODING, OFFSET] };

function writeBlock(name: string, token: string, operand: string): ArgumentDocument {
  return { name, type: "block", token, arguments: [ENCODING, OFFSET, { name: operand, type: "integer" }] };
}

const WRITE: ArgumentDocument = {
  name: "write",
  type: "block",
  arguments: [
    {
      name: "overflow-block",
      type: "oneof",
      token: "OVERFLOW",
      flags: ["optional"],
      arguments: [pureToken("WRAP"), pureToken("SAT"), pureToken("FAIL")],
    },
    {
      name: "write-operation",
      type: "oneof",
      arguments: [writeBlock("set-block", "SET", "value"), writeBlock("incrby-block", "INCRBY", "increment")],
    },
  ],
};

export const BITFIELD = command({
  name: "BITFIELD",
  summary: "Reads, sets and counts integers of any width at any bit of a string.",
  complexity: "O(1) for each operation.",
  since: "3.2.0",
  group: "bitmap",
  arity: -2,
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [
    {
      ...UPDATE_KEY,
      notes: "This command allows both access and modification of the key",
      flags: [...UPDATE_KEY.flags, "variable_flags"],
      flagsOf: (args, name) => (onlyGets(args, name + 2) ? ACCESS_KEY.flags : UPDATE_KEY.flags),
    },
  ],
  args: {
    key: key(),
    operation: rest({
      name: "operation",
      type: "oneof",
      flags: ["optional", "multiple"],
      arguments: [GET_BLOCK, WRITE],
    }),
  },
  run(context, parsed, args) {
    const operations = parseOperations(context, args, parsed.operation ?? args.count);
    let end = 0;
    for (const { kind, offset, width } of operations) if (kind !== "GET") end = Math.max(end, offset + width);
    if (end === 0) {
      replyFields(context, args, parsed.key, operations);
      return;
    }
    const key = writeString(context, args, parsed.key);
    const length = Math.ceil(end / 8);
    checkLength(context, Math.max(0, length - FIELD_BYTES));
    const grows = !key.found || key.stringLength < length;
    const { changes } = key.keyspace;
    growString(key, length, value);
    context.reply.array(operations.length);
    let changed = 0;
    for (const operation of operations) {
      if (operation.kind === "GET") context.reply.integer(readField(operation));
      else if (execute(context, key, operation, grows)) changed += 1;
    }
    if (changed > 0) key.notify(STRING_EVENT, "setbit");
    // A string that has grown for fields none of which could be set has changed too, or the log would miss it.
    key.keyspace.changes = changes + (changed === 0 && grows ? 1 : changed);
  },
});

/** A field that begins within the largest string may end this much behind it. */
const FIELD_BYTES = 8;

export const BITFIELD_RO = command({
  name: "BITFIELD_RO",
  summary: "Reads integers of any width at any bit of a string.",
  complexity: "O(1) for each operation.",
  since: "6.0.0",
  group: "bitmap",
  arity: -2,
  flags: ["readonly", "fast"],
  keys: [ACCESS_KEY],
  args: {
    key: key(),
    "get-block": rest({ ...GET_BLOCK, flags: ["optional", "multiple", "multiple_token"] }),
  },
  run(context, parsed, args) {
    const operations = parseOperations(context, args, parsed["get-block"] ?? args.count);
    if (operations.some(({ kind }) => kind !== "GET")) throw new CommandError(READ_ONLY);
    replyFields(context, args, parsed.key, operations);
  },
});

/** For COMMAND GETKEYSANDFLAGS: whether the operations from argument `at` on change nothing. */
function onlyGets(args: Arguments, from: number): boolean {
  let at = from;
  while (at < args.count) {
    const following = args.count - at - 1;
    if (args.is(at, "GET") && following >= 2) at += 3;
    else if (args.is(at, "OVERFLOW") && following >= 1) at += 2;
    else return false;
  }
  return true;
}

/** Everything is parsed before anything is looked up or changed. @throws CommandError for the first that is wrong */
function parseOperations(context: Context, args: Arguments, from: number): Operation[] {
  const operations: Operation[] = [];
  let overflow: Overflow = "WRAP";
  let at = from;
  while (at < args.count) {
    const following = args.count - at - 1;
    if (args.is(at, "OVERFLOW") && following >= 1) {
      overflow = parseOverflow(args, at + 1);
      at += 2;
      continue;
    }
    const kind = (["GET", "SET", "INCRBY"] as const).find((word) => args.is(at, word));
    const count = kind === "GET" ? 2 : 3;
    if (kind === undefined || following < count) throw new CommandError(SYNTAX_ERROR);
    const { isSigned, width } = parseType(args, at + 1);
    const offset = bitOffset(context, args, at + 2, width);
    const operand = kind === "GET" ? 0 : args.int64(at + 3);
    if (operand === undefined) throw new CommandError(NOT_AN_INTEGER);
    operations.push({ kind, isSigned, width, offset, overflow, operand });
    at += 1 + count;
  }
  return operations;
}

function parseOverflow(args: Arguments, index: number): Overflow {
  const overflow = (["WRAP", "SAT", "FAIL"] as const).find((word) => args.is(index, word));
  if (overflow === undefined) throw new CommandError(INVALID_OVERFLOW);
  return overflow;
}

/** "i" or "u" and a width: 1 to 64 bits, 63 without sign, so that every value is a signed integer of 64 bits. */
function parseType(args: Arguments, index: number): { isSigned: boolean; width: number } {
  const start = args.start(index);
  const length = args.length(index);
  const letter = length > 1 ? args.bytes[start] : 0;
  const width = length > 1 ? parseInt64(args.bytes, start + 1, length - 1) : undefined;
  const isSigned = letter === 0x69;
  if ((!isSigned && letter !== 0x75) || width === undefined || width < 1 || width > (isSigned ? 64 : 63)) {
    throw new CommandError(INVALID_TYPE);
  }
  return { isSigned, width: Number(width) };
}

function replyFields(context: Context, args: Arguments, index: number, operations: readonly Operation[]): void {
  const key = readString(context, args, index);
  if (key.found) key.readString(value);
  else value.length = 0;
  context.reply.array(operations.length);
  for (const operation of operations) context.reply.integer(readField(operation));
}

/** The field's present value; bits behind the end of the string are zero. */
function readField(field: Field): Int64 {
  const { bytes, start, length } = value;
  const { offset, width } = field;
  if (width <= 32) return ofWords(readBits(bytes, start, length, offset, width), 0, field);
  const low = readBits(bytes, start, length, offset + width - 32, 32);
  return ofWords(low, readBits(bytes, start, length, offset, width - 32), field);
}

/** The value that the field has if the last `width` bits of two words are in it. */
function ofWords(low: number, high: number, { isSigned, width }: Field): Int64 {
  if (width <= 32) {
    const unused = 32 - width;
    return isSigned ? (low << unused) >> unused : (low << unused) >>> unused;
  }
  const unused = 64 - width;
  return fromWords(low, isSigned ? (high << unused) >> unused : (high << unused) >>> unused);
}

/**
 * SET or INCRBY: writes unless the value does not fit and that is to fail, and replies.
 * @param grows whether the string has grown for it, which is a change even if the field stays what it was
 * @returns whether something has changed
 */
function execute(context: Context, key: Key, operation: Operation, grows: boolean): boolean {
  const old = readField(operation);
  const exact = operation.kind === "SET" ? asGiven(operation) : sumOf(old, operation.operand);
  const stored = fitted(exact, operation);
  if (stored === undefined) {
    context.reply.null();
    return false;
  }
  writeField(key, operation, stored);
  context.reply.integer(operation.kind === "SET" ? old : stored);
  return grows || stored !== old;
}

/** A negative number to be set in an unsigned field stands for its 64 bits. */
function asGiven({ operand, isSigned }: Operation): Int64 {
  return isSigned || operand >= 0 ? operand : BigInt.asUintN(64, BigInt(operand));
}

/** Exact, even where 64 bits would not hold it. */
function sumOf(left: Int64, right: Int64): Int64 {
  if (typeof left === "number" && typeof right === "number" && Number.isSafeInteger(left + right)) return left + right;
  return toInt64(BigInt(left) + BigInt(right));
}

/** What so many bits hold: the largest number, and the smallest where a further bit is the sign. */
const LARGEST = Array.from({ length: 64 }, (_, bits) => toInt64((1n << BigInt(bits)) - 1n));
const SMALLEST = Array.from({ length: 64 }, (_, bits) => toInt64(-(1n << BigInt(bits))));

/** What is stored for a value that may not fit; undefined if that is to fail. */
function fitted(exact: Int64, field: Operation): Int64 | undefined {
  const bits = field.isSigned ? field.width - 1 : field.width;
  const max = LARGEST[bits]!;
  const min = field.isSigned ? SMALLEST[bits]! : 0;
  if (exact >= min && exact <= max) return exact;
  if (field.overflow === "FAIL") return undefined;
  if (field.overflow === "SAT") return exact > max || isFarBelow(exact, max, field) ? max : min;
  return ofWords(lowWord(exact), highWord(exact) | 0, field);
}

/**
 * Redis takes the distance to the largest number in 64 bits. Of a number so far below that they do not hold it, the
 * distance comes out negative, and the field is filled upwards. INCRBY starts from what the field holds, so only SET
 * can get there.
 */
function isFarBelow(exact: Int64, max: Int64, { kind, isSigned, width }: Operation): boolean {
  return kind === "SET" && isSigned && width < 64 && BigInt(max) - BigInt(exact) > INT64_MAX;
}

function writeField(key: Key, field: Field, stored: Int64): void {
  const { offset, width } = field;
  if (width > 32) writeBits(key, offset, width - 32, highWord(stored));
  writeBits(key, offset + Math.max(0, width - 32), Math.min(32, width), lowWord(stored));
}

/** Writes the low `count` bits of a word from bit `offset` on. */
function writeBits(key: Key, offset: number, count: number, word: number): void {
  const bits = count === 32 ? word : word & (2 ** count - 1);
  const last = Math.floor((offset + count - 1) / 8);
  for (let at = Math.floor(offset / 8); at <= last; at++) {
    setByte(key, value, at, withBits(value.bytes[value.start + at]!, at, offset, count, bits));
  }
}
