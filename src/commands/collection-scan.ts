/** What HSCAN, SSCAN and ZSCAN share: their options, which are read only once the key is known to be there. */
import type { Arguments } from "../base/arguments.ts";
import type { ArgumentDocument } from "./argument.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";
import type { Reply } from "./reply.ts";
import { COUNT_DEFAULT, patternAt, SLOTS_PER_KEY } from "./scan.ts";

export interface CollectionScanOptions {
  /** What elements must match; undefined for all. */
  readonly pattern: Uint8Array | undefined;
  /** Elements that one call looks for. */
  readonly count: number;
  /** The most slots of a table that one call looks at: its bound where the table is sparse. */
  readonly slotsMax: number;
  /** HSCAN: fields without their values. */
  readonly noValues: boolean;
}

/** How COMMAND DOCS shows the options that all of them have. */
export const SCAN_OPTION_DOCUMENTS: readonly ArgumentDocument[] = [
  { name: "pattern", type: "pattern", token: "MATCH", flags: ["optional"] },
  { name: "count", type: "integer", token: "COUNT", flags: ["optional"] },
];

/**
 * Reads the options from argument `from` on.
 * @param takesNoValues whether NOVALUES is one of them
 * @throws CommandError
 */
export function readScanOptions(args: Arguments, from: number, takesNoValues: boolean): CollectionScanOptions {
  let pattern: Uint8Array | undefined;
  let count = COUNT_DEFAULT;
  let noValues = false;
  for (let index = from; index < args.count; index++) {
    const hasValue = index + 1 < args.count;
    if (hasValue && args.is(index, "COUNT")) {
      index += 1;
      count = countAt(args, index);
    } else if (hasValue && args.is(index, "MATCH")) {
      index += 1;
      pattern = patternAt(args, index);
    } else if (takesNoValues && args.is(index, "NOVALUES")) {
      noValues = true;
    } else {
      throw new CommandError(SYNTAX_ERROR);
    }
  }
  return { pattern, count, slotsMax: count * SLOTS_PER_KEY, noValues };
}

/** Replies with the cursor to go on from, and announces so many elements. */
export function replyScanHead(reply: Reply, cursor: number, elements: number): void {
  reply.array(2);
  reply.bulkText(String(cursor));
  reply.array(elements);
}

function countAt(args: Arguments, index: number): number {
  const count = args.int64(index);
  if (count === undefined) throw new CommandError(NOT_AN_INTEGER);
  if (count < 1) throw new CommandError(SYNTAX_ERROR);
  return Number(count);
}
