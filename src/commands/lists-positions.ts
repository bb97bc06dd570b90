/** LPOS: where in a list an element is. */
import type { Arguments } from "../base/arguments.ts";
import type { Key } from "../keyspace/key.ts";
import { openList } from "../keyspace/lists.ts";
import { type Argument, bytes, integer, key, named, prefixed } from "./argument.ts";
import { command } from "./command.ts";
import { CommandError } from "./errors.ts";
import { ACCESS_KEY } from "./key-specs.ts";
import { readList } from "./lists-access.ts";

const RANK_IS_ZERO =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
  "or use negative to start from the end of the list";
const RANK_OUT_OF_RANGE = "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

/** Which match is the first to be told; negative ones are counted from the end. */
const rank: Argument<number> = {
  parse(cursor) {
    const value = integer().parse(cursor);
    if (value === 0) throw new CommandError(RANK_IS_ZERO);
    if (value < -(2n ** 63n) + 1n) throw new CommandError(RANK_OUT_OF_RANGE);
    return Number(value);
  },
  document: (name) => ({ name, type: "integer" }),
};

/** An integer that is not negative. @param error the text for anything else */
function amount(error: string): Argument<number> {
  return {
    parse(cursor) {
      const value = integer(error).parse(cursor);
      if (value < 0) throw new CommandError(error);
      return Number(value);
    },
    document: (name) => ({ name, type: "integer" }),
  };
}

export const LPOS = command({
  name: "LPOS",
  summary: "Tells at which indexes of a list an element is.",
  complexity: "O(N) where N is the number of elements looked at.",
  since: "6.0.6",
  group: "list",
  arity: -3,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  args: {
    key: key(),
    element: bytes(),
    rank: prefixed("RANK", rank),
    count: prefixed("COUNT", named("num-matches", amount("ERR COUNT can't be negative"))),
    length: prefixed("MAXLEN", named("len", amount("ERR MAXLEN can't be negative"))),
  },
  run(context, parsed, args) {
    const { reply } = context;
    const { element, count, rank = 1, length = 0 } = parsed;
    const key = readList(context, args, parsed.key);
    const most = count === undefined ? 1 : count || Number.POSITIVE_INFINITY;
    const found = key.found ? positionsIn(key, args, element, rank, most, length || Number.POSITIVE_INFINITY) : [];
    if (count === undefined) {
      if (found.length === 0) reply.null();
      else reply.integer(found[0]!);
      return;
    }
    reply.array(found.length);
    for (const position of found) reply.integer(position);
  },
});

/**
 * Indexes of the elements that are argument `element`, in the order in which they are met.
 * @param rank the first match that counts, from the end if negative
 * @param most matches wanted
 * @param limit elements to look at
 */
function positionsIn(key: Key, args: Arguments, element: number, rank: number, most: number, limit: number): number[] {
  const cursor = openList(key);
  const { count } = cursor;
  const isForward = rank > 0;
  const [start, length] = [args.start(element), args.length(element)];
  const found: number[] = [];
  let before = Math.abs(rank) - 1;
  cursor.seek(isForward ? 0 : -1);
  for (let seen = 0; found.length < most; seen++) {
    const passed = cursor.find(args.bytes, start, length, isForward, limit - seen);
    if (passed === -1) break;
    seen += passed;
    if (before > 0) before -= 1;
    else found.push(isForward ? seen : count - 1 - seen);
    if (isForward) cursor.next();
    else cursor.previous();
  }
  return found;
}
