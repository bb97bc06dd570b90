/** How many random elements SRANDMEMBER, HRANDFIELD and ZRANDMEMBER are asked for: their arguments behind the key. */
import type { Arguments } from "../base/arguments.ts";
import { INT64_MAX } from "../base/int64.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";

const COUNT_TOO_LOW = `ERR value is out of range, value must between -${INT64_MAX} and ${INT64_MAX}`;
const OUT_OF_RANGE = "ERR value is out of range";
/** Counts of pairs are halved: each is two elements of the reply. */
const PAIRS_MAX = INT64_MAX / 2n;
/** So many of the shortest elements are longer than any reply can be. */
const REPEATED_MAX = Math.floor(2 ** 31 / 6);

/** The count in argument `index`; negative for elements that may repeat. @throws CommandError */
export function randomCountAt(args: Arguments, index: number): number {
  const count = args.int64(index);
  if (count === undefined) throw new CommandError(NOT_AN_INTEGER);
  if (count < -INT64_MAX) throw new CommandError(COUNT_TOO_LOW);
  return Number(count);
}

export interface RandomPairs {
  readonly count: number;
  readonly withPairs: boolean;
}

/**
 * Reads a count, and `word` behind it, from argument `from` on.
 * @returns undefined if there is neither: a single element is asked for
 * @throws CommandError
 */
export function readRandomPairs(args: Arguments, from: number, word: string): RandomPairs | undefined {
  if (args.count === from) return undefined;
  const count = randomCountAt(args, from);
  const withPairs = args.count > from + 1;
  if (args.count > from + 2 || (withPairs && !args.is(from + 1, word))) throw new CommandError(SYNTAX_ERROR);
  if (withPairs) {
    const exact = args.int64(from)!;
    if (exact < -PAIRS_MAX || exact > PAIRS_MAX) throw new CommandError(OUT_OF_RANGE);
  }
  return { count, withPairs };
}

/** Refuses to reply with more elements, each drawn anew, than a reply can hold. @throws CommandError */
export function checkRepeated(count: number): void {
  if (count > REPEATED_MAX) throw new CommandError(OUT_OF_RANGE);
}
