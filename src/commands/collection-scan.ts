/** What HSCAN, SSCAN and ZSCAN share: their options, which are read only once the key is known to be there; walking. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { matchesGlob } from "../base/glob.ts";
import { SCAN_END } from "../structures/dictionary.ts";
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

/** What SSCAN and ZSCAN walk through; a place is whatever names a member to it. */
interface Walkable {
  read(place: number, into: Slice): Slice;
  /** @returns where to go on from, SCAN_END at the end */
  walk(cursor: number, visit: (place: number) => void): number;
}

const text = new Slice();

/**
 * Walks on from `cursor` and collects the places of members that match, so that their number is known before the first
 * is written.
 * @param found is emptied first
 * @returns the cursor to go on from, 0 at the end
 */
export function collectMatching(
  set: Walkable,
  cursor: number,
  { pattern, count, slotsMax }: CollectionScanOptions,
  found: number[],
): number {
  found.length = 0;
  let seen = 0;
  const visit = (place: number): void => {
    seen += 1;
    if (pattern !== undefined) {
      const { bytes, start, length } = set.read(place, text);
      if (!matchesGlob(pattern, bytes, start, length)) return;
    }
    found.push(place);
  };
  let at = cursor;
  for (let slots = slotsMax; at < SCAN_END && slots > 0 && seen < count; slots--) at = set.walk(at, visit);
  return at >= SCAN_END ? 0 : at;
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
