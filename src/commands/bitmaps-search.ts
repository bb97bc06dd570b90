/** Counting bits and finding them. */
import type { Arguments } from "../base/arguments.ts";
import { countOnes, findBit, readBits } from "../base/bits.ts";
import { Slice } from "../base/bytes.ts";
import type { Int64 } from "../base/int64.ts";
import { isReversed, Range } from "../base/range.ts";
import { integer, key, rest } from "./argument.ts";
import { bitsPerUnit, UNIT } from "./bitmaps-access.ts";
import { command } from "./command.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";
import { ACCESS_KEY } from "./key-specs.ts";
import { readString } from "./strings-access.ts";

const BIT_NOT_ONE_OR_ZERO = "ERR The bit argument must be 1 or 0.";

const value = new Slice();
const range = new Range();

/** @throws CommandError unless argument `index` is an integer */
function position(args: Arguments, index: number): Int64 {
  const given = args.int64(index);
  if (given === undefined) throw new CommandError(NOT_AN_INTEGER);
  return given;
}

export const BITCOUNT = command({
  name: "BITCOUNT",
  summary: "Counts the ones in a string, or in a range of it.",
  complexity: "O(N) where N is the length of the range.",
  since: "2.6.0",
  group: "bitmap",
  arity: -2,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  history: [["7.0.0", "Added the BYTE and BIT options."]],
  args: {
    key: key(),
    range: rest({
      name: "range",
      type: "block",
      flags: ["optional"],
      arguments: [{ name: "start", type: "integer" }, { name: "end", type: "integer" }, UNIT],
    }),
  },
  run(context, parsed, args) {
    const key = readString(context, args, parsed.key);
    if (!key.found) {
      context.reply.integer(0);
      return;
    }
    key.readString(value);
    if (args.count === 2) context.reply.integer(countOnes(value.bytes, value.start, value.length));
    else context.reply.integer(countInRange(args, parsed.range));
  },
});

/** Ones of `value` in the range that the arguments from `at` on give. @throws CommandError */
function countInRange(args: Arguments, at: number): number {
  if (args.count !== at + 2 && args.count !== at + 3) throw new CommandError(SYNTAX_ERROR);
  const start = position(args, at);
  const end = position(args, at + 1);
  if (isReversed(start, end)) return 0;
  const unit = bitsPerUnit(args, at + 2);
  range.clamp(start, end, (value.length * 8) / unit);
  if (range.isEmpty) return 0;
  return unit === 8
    ? countOnes(value.bytes, value.start + range.first, range.length)
    : countBits(range.first, range.last);
}

/** Ones of `value` among its bits from `first` to `last`. */
function countBits(first: number, last: number): number {
  const firstByte = Math.floor(first / 8);
  const lastByte = Math.floor(last / 8);
  const before = first & 7;
  const behind = 7 - (last & 7);
  const ones = countOnes(value.bytes, value.start + firstByte, lastByte - firstByte + 1);
  return ones - onesAt(firstByte * 8, before) - onesAt(last + 1, behind);
}

/** Ones among the `count` bits from bit `offset` on, 7 at most. */
function onesAt(offset: number, count: number): number {
  let ones = 0;
  for (let bits = readBits(value.bytes, value.start, value.length, offset, count); bits !== 0; bits &= bits - 1)
    ones += 1;
  return ones;
}

export const BITPOS = command({
  name: "BITPOS",
  summary: "Finds the first one, or the first zero, in a string or in a range of it.",
  complexity: "O(N) where N is the length of the range.",
  since: "2.8.7",
  group: "bitmap",
  arity: -3,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  history: [["7.0.0", "Added the BYTE and BIT options."]],
  args: {
    key: key(),
    bit: integer(),
    range: rest({
      name: "range",
      type: "block",
      flags: ["optional"],
      arguments: [
        { name: "start", type: "integer" },
        {
          name: "end-unit-block",
          type: "block",
          flags: ["optional"],
          arguments: [{ name: "end", type: "integer" }, UNIT],
        },
      ],
    }),
  },
  run(context, parsed, args) {
    const { bit } = parsed;
    if (bit !== 0 && bit !== 1) throw new CommandError(BIT_NOT_ONE_OR_ZERO);
    const key = readString(context, args, parsed.key);
    if (!key.found) {
      context.reply.integer(bit === 1 ? -1 : 0);
      return;
    }
    key.readString(value);
    context.reply.integer(positionOf(bit, args, 3));
  },
});

/**
 * The first bit of `value` that is `bit`, in the range that the arguments from `at` on give, or -1. Without an end, the
 * string counts as followed by zeros.
 */
function positionOf(bit: number, args: Arguments, at: number): number {
  if (args.count > at + 3) throw new CommandError(SYNTAX_ERROR);
  const start = args.count > at ? position(args, at) : 0;
  const unit = bitsPerUnit(args, at + 2);
  const hasEnd = args.count > at + 1;
  const end = hasEnd ? position(args, at + 1) : -1;
  range.clamp(start, end, (value.length * 8) / unit);
  if (range.isEmpty) return -1;
  const last = (range.last + 1) * unit - 1;
  const found = findBit(value.bytes, value.start, range.first * unit, last, bit);
  return found === -1 && bit === 0 && !hasEnd ? last + 1 : found;
}
