/** What all commands on bitmaps share: where a bit is, and the ranges some of them take. */
import type { Arguments } from "../base/arguments.ts";
import { parseInt64 } from "../base/int64.ts";
import { REGION_SIZE_MAX } from "../memory/region.ts";
import type { ArgumentDocument } from "./argument.ts";
import { pureToken } from "./argument.ts";
import type { Context } from "./context.ts";
import { CommandError, SYNTAX_ERROR } from "./errors.ts";

const OFFSET_NOT_AN_INTEGER = "ERR bit offset is not an integer or out of range";

/**
 * The number of a bit, in argument `index`.
 * @param unit bits that a "#" before the number counts in; 0 where it is not allowed
 * @throws CommandError unless its byte may be one of a string's
 */
export function bitOffset(context: Context, args: Arguments, index: number, unit: number): number {
  const start = args.start(index);
  const hasUnit = unit > 0 && args.length(index) > 0 && args.bytes[start] === 0x23;
  const skipped = hasUnit ? 1 : 0;
  const given = parseInt64(args.bytes, start + skipped, args.length(index) - skipped);
  const offset = given === undefined ? -1 : Number(given) * (hasUnit ? unit : 1);
  // What is in a log was allowed when it was executed, whatever the limit is now.
  const bytesMax = context.keyspace.isLoading
    ? REGION_SIZE_MAX
    : context.services.configuration.get("proto-max-bulk-len");
  const end = bytesMax * 8;
  if (offset < 0 || offset >= end) throw new CommandError(OFFSET_NOT_AN_INTEGER);
  return offset;
}

/** What COMMAND DOCS shows for a range of BITCOUNT and BITPOS, the units that it may be given in included. */
export const UNIT: ArgumentDocument = {
  name: "unit",
  type: "oneof",
  since: "7.0.0",
  flags: ["optional"],
  arguments: [pureToken("BYTE"), pureToken("BIT")],
};

/** Bits that a range's positions count in, named by argument `index`, if there is one: 8 or 1. @throws CommandError */
export function bitsPerUnit(args: Arguments, index: number): number {
  if (index >= args.count || args.is(index, "BYTE")) return 8;
  if (args.is(index, "BIT")) return 1;
  throw new CommandError(SYNTAX_ERROR);
}
