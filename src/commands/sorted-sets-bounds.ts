/** Ranges as commands give them: of scores, of bytes, of ranks. */
import type { Arguments } from "../base/arguments.ts";
import type { Int64 } from "../base/int64.ts";
import { parsePlainNumber } from "../base/plain-number.ts";
import {
  type ByteBound,
  type ByteRange,
  HIGHEST,
  LOWEST,
  type ScoreRange,
  type Span,
} from "../keyspace/score-range.ts";
import { parseDouble } from "./argument.ts";
import { CommandError } from "./errors.ts";

const NOT_A_RANGE_OF_SCORES = "ERR min or max is not a float";
const NOT_A_RANGE_OF_BYTES = "ERR min or max not valid string range item";

const PARENTHESIS = 0x28;
const BRACKET = 0x5b;
const MINUS = 0x2d;
const PLUS = 0x2b;

/** Reads two ends of a range of scores, each excluded if a parenthesis stands before it. @throws CommandError */
export function readScores(args: Arguments, minIndex: number, maxIndex: number, range: ScoreRange): ScoreRange {
  range.excludesMin = startsWithParenthesis(args, minIndex);
  range.excludesMax = startsWithParenthesis(args, maxIndex);
  range.min = scoreBound(args, minIndex, range.excludesMin ? 1 : 0);
  range.max = scoreBound(args, maxIndex, range.excludesMax ? 1 : 0);
  return range;
}

function startsWithParenthesis(args: Arguments, index: number): boolean {
  return args.length(index) > 0 && args.bytes[args.start(index)] === PARENTHESIS;
}

function scoreBound(args: Arguments, index: number, skipped: number): number {
  const plain = parsePlainNumber(args.bytes, args.start(index) + skipped, args.length(index) - skipped);
  return Number.isNaN(plain) ? lenientNumber(args.latin1(index).slice(skipped)) : plain;
}

/**
 * A number as Redis reads the ends of a range, which is how C reads it: up to a zero byte, nothing being 0, spaces
 * before it allowed, and what is too large being infinite.
 */
function lenientNumber(text: string): number {
  const [shown] = text.split("\0", 1);
  if (shown === "") return 0;
  const number = shown!.replace(/^[ \t\n\v\f\r]+/, "");
  const value = parseDouble(number);
  if (value !== undefined) return value;
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(number)) return Number(number);
  throw new CommandError(NOT_A_RANGE_OF_SCORES);
}

/** Reads two ends of a range of bytes: "-" or "+", or bytes behind "[" or "(". @throws CommandError */
export function readBytes(args: Arguments, minIndex: number, maxIndex: number, range: ByteRange): ByteRange {
  readByteBound(args, minIndex, range.min);
  readByteBound(args, maxIndex, range.max);
  return range;
}

function readByteBound(args: Arguments, index: number, bound: ByteBound): void {
  const { bytes } = args;
  const start = args.start(index);
  const length = args.length(index);
  const sign = length === 0 ? 0 : bytes[start]!;
  const isAlone = length === 1 || bytes[start + 1] === 0;
  if (sign === PLUS && isAlone) bound.set(HIGHEST, true, bytes, start, 0);
  else if (sign === MINUS && isAlone) bound.set(LOWEST, true, bytes, start, 0);
  else if (sign === PARENTHESIS || sign === BRACKET) bound.set(0, sign === PARENTHESIS, bytes, start + 1, length - 1);
  else throw new CommandError(NOT_A_RANGE_OF_BYTES);
}

/** Of `total` elements those from index `start` to `end`, negative ones counted from the end. */
export function spanOfRanks(start: Int64, end: Int64, total: number, span: Span): Span {
  const first = Math.max(0, start < 0 ? total + Number(start) : Number(start));
  const last = Math.min(total - 1, end < 0 ? total + Number(end) : Number(end));
  return first >= total ? span.set(0, 0) : span.set(first, last - first + 1);
}
