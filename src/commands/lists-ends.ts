/** Lists as queues: adding elements at the ends, and removing them from there. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import type { Int64 } from "../base/int64.ts";
import type { Key } from "../keyspace/key.ts";
import { listLength, moveElement, openList, popFromList, pushAll } from "../keyspace/lists.ts";
import { type Argument, bytes, deferred, key, pureToken, repeated, rest, word } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, SYNTAX_ERROR, wrongArity } from "./errors.ts";
import { LIST_EVENT, notifyRemoval } from "./key-events.ts";
import {
  GIVEN_AWAY_COUNTED_KEYS,
  GIVEN_AWAY_KEY,
  INSERT_OR_UPDATE_KEY,
  INSERT_OR_UPDATE_SECOND_KEY,
} from "./key-specs.ts";
import { replyElement, replyElements, writeList } from "./lists-access.ts";

const NOT_A_COUNT = "ERR value is out of range, must be positive";
const TOO_FEW_KEYS = "ERR numkeys should be greater than 0";
const TOO_FEW_ELEMENTS = "ERR count should be greater than 0";

const moved = new Slice();
const name = new Slice();

const pushing = {
  group: "list",
  arity: -3,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [INSERT_OR_UPDATE_KEY],
  complexity: "O(1) for each element.",
  args: { key: key(), element: repeated({ element: bytes() }) },
} as const;

const PUSH_HISTORY = [["2.4.0", "Accepts more than one element."]] as const;
const PUSHX_HISTORY = [["4.0.0", "Accepts more than one element."]] as const;

function push(context: Context, args: Arguments, first: number, isHead: boolean): void {
  context.reply.integer(pushTo(writeList(context, args, 1), args, first, isHead));
}

function pushTo(key: Key, args: Arguments, first: number, isHead: boolean): number {
  const length = pushAll(key, isHead, args, first);
  key.notify(LIST_EVENT, pushEvent(isHead));
  return length;
}

function pushEvent(isHead: boolean): string {
  return isHead ? "lpush" : "rpush";
}

function popEvent(isHead: boolean): string {
  return isHead ? "lpop" : "rpop";
}

/** Only if the list exists. */
function pushToExisting(context: Context, args: Arguments, first: number, isHead: boolean): void {
  const key = writeList(context, args, 1);
  context.reply.integer(key.found ? pushTo(key, args, first, isHead) : 0);
}

export const LPUSH = command({
  ...pushing,
  name: "LPUSH",
  summary: "Adds elements in front of a list, one after the other; makes the list if there is none.",
  since: "1.0.0",
  history: PUSH_HISTORY,
  run(context, parsed, args) {
    push(context, args, parsed.element, true);
  },
});

export const RPUSH = command({
  ...pushing,
  name: "RPUSH",
  summary: "Adds elements at the end of a list; makes the list if there is none.",
  since: "1.0.0",
  history: PUSH_HISTORY,
  run(context, parsed, args) {
    push(context, args, parsed.element, false);
  },
});

export const LPUSHX = command({
  ...pushing,
  name: "LPUSHX",
  summary: "Adds elements in front of a list that exists.",
  since: "2.2.0",
  history: PUSHX_HISTORY,
  run(context, parsed, args) {
    pushToExisting(context, args, parsed.element, true);
  },
});

export const RPUSHX = command({
  ...pushing,
  name: "RPUSHX",
  summary: "Adds elements at the end of a list that exists.",
  since: "2.2.0",
  history: PUSHX_HISTORY,
  run(context, parsed, args) {
    pushToExisting(context, args, parsed.element, false);
  },
});

/** How many to pop: its index. Whatever stands behind is the command's wrong arity, which the handler words. */
const popCount: Argument<number | undefined> = {
  isOptional: true,
  parse(cursor) {
    const index = cursor.at;
    cursor.at = cursor.args.count;
    return index;
  },
  matches: () => true,
  document: (name) => ({ name, type: "integer", since: "6.2.0", flags: ["optional"] }),
};

const popping = {
  since: "1.0.0",
  group: "list",
  arity: -2,
  flags: ["write", "fast"],
  replay: "as-is",
  keys: [GIVEN_AWAY_KEY],
  complexity: "O(N) where N is the number of elements returned.",
  history: [["6.2.0", "Added the `count` argument."]],
  args: { key: key(), count: popCount },
} as const;

/** Replies with elements from one end, the outermost first, and removes them. */
function giveAway(context: Context, key: Key, isHead: boolean, count: number): void {
  replyElements(context.reply, openList(key), isHead ? 0 : -1, count, isHead);
  popFromList(key, isHead, count);
  notifyRemoval(key, LIST_EVENT, popEvent(isHead));
}

/** Replies with one element alone, or with an array of `count`. */
function pop(context: Context, args: Arguments, countAt: number | undefined, isHead: boolean, name: string): void {
  if (countAt === undefined) {
    popOne(context, args, isHead);
    return;
  }
  if (args.count > countAt + 1) throw new CommandError(wrongArity(name));
  const count = args.int64(countAt);
  if (count === undefined || count < 0) throw new CommandError(NOT_A_COUNT);
  const key = writeList(context, args, 1);
  if (!key.found) context.reply.nullArray();
  else if (count === 0) context.reply.array(0);
  else giveAway(context, key, isHead, smaller(count, listLength(key)));
}

function popOne(context: Context, args: Arguments, isHead: boolean): void {
  const key = writeList(context, args, 1);
  if (!key.found) {
    context.reply.null();
    return;
  }
  const cursor = openList(key);
  cursor.seek(isHead ? 0 : -1);
  replyElement(context.reply, cursor);
  popFromList(key, isHead, 1);
  notifyRemoval(key, LIST_EVENT, popEvent(isHead));
}

function smaller(wanted: Int64, available: number): number {
  return wanted < available ? Number(wanted) : available;
}

export const LPOP = command({
  ...popping,
  name: "LPOP",
  summary: "Removes elements from the front of a list and returns them.",
  run(context, parsed, args) {
    pop(context, args, parsed.count, true, "lpop");
  },
});

export const RPOP = command({
  ...popping,
  name: "RPOP",
  summary: "Removes elements from the end of a list and returns them, the last one first.",
  run(context, parsed, args) {
    pop(context, args, parsed.count, false, "rpop");
  },
});

const ENDS = [pureToken("LEFT"), pureToken("RIGHT")] as const;

/** An integer from 1 on. @throws CommandError with `error` for anything else */
function positive(args: Arguments, index: number, error: string): Int64 {
  const value = args.int64(index);
  if (value === undefined || value < 1) throw new CommandError(error);
  return value;
}

/** Whether the word at `index` is LEFT, not RIGHT. @throws CommandError if it is neither */
function isLeft(args: Arguments, index: number): boolean {
  if (args.is(index, "LEFT")) return true;
  if (!args.is(index, "RIGHT")) throw new CommandError(SYNTAX_ERROR);
  return false;
}

export const LMPOP = command({
  name: "LMPOP",
  summary: "Removes elements from the first of several lists that exists, and returns them.",
  complexity: "O(N+M) where N is the number of keys and M the number of elements returned.",
  since: "7.0.0",
  group: "list",
  arity: -4,
  flags: ["write", "movablekeys"],
  replay: "rewritten",
  keys: [GIVEN_AWAY_COUNTED_KEYS],
  args: {
    numkeys: deferred("integer"),
    rest: rest(
      { name: "key", type: "key", keySpecIndex: 0, flags: ["multiple"] },
      { name: "where", type: "oneof", arguments: ENDS },
      { name: "count", type: "integer", token: "COUNT", flags: ["optional"] },
    ),
  },
  run(context, parsed, args) {
    const { effects } = context;
    const keys = positive(args, parsed.numkeys, TOO_FEW_KEYS);
    const first = parsed.numkeys + 1;
    if (keys >= args.count - first) throw new CommandError(SYNTAX_ERROR);
    const end = first + Number(keys);
    const isHead = isLeft(args, end);
    const count = end + 1 < args.count ? countOption(args, end + 1) : 1;
    for (let index = first; index < end; index++) {
      const key = writeList(context, args, index);
      if (!key.found) continue;
      context.reply.array(2);
      context.reply.bulk(args.bytes, args.start(index), args.length(index));
      const popped = smaller(count, listLength(key));
      giveAway(context, key, isHead, popped);
      // As Redis says it: replaying need not find out again which key it was.
      if (effects.areKept) effects.add(isHead ? "LPOP" : "RPOP", args.slice(index, name), popped);
      return;
    }
    context.reply.nullArray();
  },
});

/** COUNT and its value, with nothing behind. */
function countOption(args: Arguments, index: number): Int64 {
  if (!args.is(index, "COUNT") || index + 1 >= args.count) throw new CommandError(SYNTAX_ERROR);
  const count = positive(args, index + 1, TOO_FEW_ELEMENTS);
  if (index + 2 < args.count) throw new CommandError(SYNTAX_ERROR);
  return count;
}

const moving = {
  complexity: "O(1)",
  group: "list",
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [GIVEN_AWAY_KEY, INSERT_OR_UPDATE_SECOND_KEY],
} as const;

function move(context: Context, args: Arguments, isFromHead: boolean, isToHead: boolean): void {
  const { database, reply } = context;
  const source = writeList(context, args, 1);
  if (!source.found) {
    reply.null();
    return;
  }
  const target = writeList(context, args, 2, database.other);
  moveElement(source, isFromHead, target, isToHead, moved);
  target.notify(LIST_EVENT, pushEvent(isToHead));
  notifyRemoval(source, LIST_EVENT, popEvent(isFromHead));
  reply.bulk(moved.bytes, moved.start, moved.length);
}

export const LMOVE = command({
  ...moving,
  name: "LMOVE",
  summary: "Moves an element from one end of a list to one end of another, and returns it.",
  since: "6.2.0",
  arity: 5,
  args: { source: key(), destination: key(1), wherefrom: word("LEFT", "RIGHT"), whereto: word("LEFT", "RIGHT") },
  run(context, parsed, args) {
    move(context, args, parsed.wherefrom === "LEFT", parsed.whereto === "LEFT");
  },
});

export const RPOPLPUSH = command({
  ...moving,
  name: "RPOPLPUSH",
  summary: "Moves the last element of a list to the front of another, and returns it.",
  since: "1.2.0",
  arity: 3,
  replacedBy: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
  deprecatedSince: "6.2.0",
  args: { source: key(), destination: key(1) },
  run(context, _parsed, args) {
    move(context, args, false, true);
  },
});
