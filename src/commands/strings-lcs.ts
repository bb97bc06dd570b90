/**
 * LCS: the longest common subsequence of two strings, and where it stands in both.
 *
 * The textbook table: cell (i, j) has the length for the first i bytes of one and the first j of the other. It is
 * walked back from its last cell; which of several longest ones that finds is part of what clients see, so the walk
 * prefers the same steps as Redis's.
 */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import type { Int64 } from "../base/int64.ts";
import { STRING } from "../keyspace/entry.ts";
import { key, pureToken, rest } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";
import { TWO_KEYS } from "./key-specs.ts";

const NOT_STRINGS = "ERR The specified keys must contain string values";
const LENGTH_OR_INDEX = "ERR If you want both the length and indexes, please just use IDX.";
const TABLE_TOO_LARGE = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
const NO_MEMORY = "ERR Insufficient memory, failed allocating transient memory for LCS";

const left = new Slice();
const right = new Slice();

export const LCS = command({
  name: "LCS",
  summary: "Finds the longest common subsequence of two strings.",
  complexity: "O(N*M) where N and M are the lengths of the strings.",
  since: "7.0.0",
  group: "string",
  arity: -3,
  flags: ["readonly"],
  keys: [TWO_KEYS],
  args: {
    key1: key(),
    key2: key(),
    options: rest(
      { ...pureToken("LEN"), flags: ["optional"] },
      { ...pureToken("IDX"), flags: ["optional"] },
      { name: "min-match-len", type: "integer", token: "MINMATCHLEN", flags: ["optional"] },
      { ...pureToken("WITHMATCHLEN"), flags: ["optional"] },
    ),
  },
  run(context, parsed, args) {
    readBoth(context, args, parsed.key1, parsed.key2);
    const options = parseOptions(args, parsed.options ?? args.count);
    const table = fillTable(context);
    const length = table[table.length - 1]!;
    if (options.index) replyMatches(context, matchesIn(table), length, options);
    else if (options.length) context.reply.integer(length);
    else replySubsequence(context, matchesIn(table), length);
  },
});

/** Points `left` and `right` at the two strings; a key that does not exist has no bytes. */
function readBoth(context: Context, args: Arguments, first: number, second: number): void {
  const { database } = context;
  const one = database.read(args, first);
  const other = database.read(args, second, database.other);
  if ((one.found && one.type !== STRING) || (other.found && other.type !== STRING)) throw new CommandError(NOT_STRINGS);
  left.length = 0;
  right.length = 0;
  if (one.found) one.readString(left);
  if (other.found) other.readString(right);
}

interface Options {
  readonly length: boolean;
  readonly index: boolean;
  readonly withLength: boolean;
  /** Shorter matches are not told. */
  readonly lengthMin: Int64;
}

/** Parsed here, for Redis looks at the keys before it looks at the options. */
function parseOptions(args: Arguments, from: number): Options {
  let [length, index, withLength] = [false, false, false];
  let lengthMin: Int64 = 0;
  for (let at = from; at < args.count; at++) {
    if (args.is(at, "IDX")) index = true;
    else if (args.is(at, "LEN")) length = true;
    else if (args.is(at, "WITHMATCHLEN")) withLength = true;
    else if (args.is(at, "MINMATCHLEN") && at + 1 < args.count) {
      at += 1;
      const given = args.int64(at);
      if (given === undefined) throw new CommandError(NOT_AN_INTEGER);
      lengthMin = given;
    } else {
      throw new CommandError(SYNTAX_ERROR);
    }
  }
  if (length && index) throw new CommandError(LENGTH_OR_INDEX);
  return { length, index, withLength, lengthMin };
}

/** The table, row by row: one for each byte of `left` and one before. @throws CommandError if it would be too large */
function fillTable(context: Context): Uint32Array {
  const width = right.length + 1;
  const table = allocateTable(context, (left.length + 1) * width);
  for (let row = 1; row <= left.length; row++) {
    const byte = left.bytes[left.start + row - 1];
    const at = row * width;
    for (let column = 1; column < width; column++) {
      const here = at + column;
      if (right.bytes[right.start + column - 1] === byte) {
        table[here] = table[here - width - 1]! + 1;
      } else {
        table[here] = Math.max(table[here - width]!, table[here - 1]!);
      }
    }
  }
  return table;
}

function allocateTable(context: Context, cells: number): Uint32Array {
  const limit = context.services.configuration.get("proto-max-bulk-len");
  if (cells * Uint32Array.BYTES_PER_ELEMENT > limit) throw new CommandError(TABLE_TOO_LARGE);
  try {
    return new Uint32Array(cells);
  } catch {
    throw new CommandError(NO_MEMORY);
  }
}

/** A run of equal bytes in both strings, by the positions of its first bytes. */
interface Match {
  readonly left: number;
  readonly right: number;
  readonly length: number;
}

/** The runs that the subsequence consists of, the last one first. */
function matchesIn(table: Uint32Array): Match[] {
  const matches: Match[] = [];
  const width = right.length + 1;
  let row = left.length;
  let column = right.length;
  let length = 0;
  while (row > 0 && column > 0) {
    const isEqual = left.bytes[left.start + row - 1] === right.bytes[right.start + column - 1];
    if (isEqual) {
      length += 1;
      row -= 1;
      column -= 1;
    }
    if (length > 0 && (!isEqual || row === 0 || column === 0)) {
      matches.push({ left: row, right: column, length });
      length = 0;
    }
    if (!isEqual) {
      if (table[(row - 1) * width + column]! > table[row * width + column - 1]!) row -= 1;
      else column -= 1;
    }
  }
  return matches;
}

function replySubsequence(context: Context, matches: readonly Match[], length: number): void {
  const result = Buffer.allocUnsafe(length);
  let end = length;
  for (const match of matches) {
    end -= match.length;
    const start = left.start + match.left;
    result.set(left.bytes.subarray(start, start + match.length), end);
  }
  context.reply.bulk(result, 0, length);
}

function replyMatches(context: Context, matches: readonly Match[], length: number, options: Options): void {
  const { reply } = context;
  const told = matches.filter((match) => match.length >= options.lengthMin);
  reply.map(2);
  reply.bulkText("matches");
  reply.array(told.length);
  for (const match of told) {
    reply.array(options.withLength ? 3 : 2);
    replyPositions(context, match.left, match.length);
    replyPositions(context, match.right, match.length);
    if (options.withLength) reply.integer(match.length);
  }
  reply.bulkText("len");
  reply.integer(length);
}

function replyPositions(context: Context, first: number, length: number): void {
  context.reply.array(2);
  context.reply.integer(first);
  context.reply.integer(first + length - 1);
}
