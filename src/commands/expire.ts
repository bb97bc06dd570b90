/** Times to live: setting them, asking for them, removing them. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { addInt64, type Int64 } from "../base/int64.ts";
import { BY_PAST_DEADLINE } from "../keyspace/cause.ts";
import { NO_DEADLINE } from "../keyspace/entry.ts";
import { type Argument, deferred, key } from "./argument.ts";
import { type Command, command } from "./command.ts";
import type { Context } from "./context.ts";
import { tellRemoved } from "./effects.ts";
import { CommandError, NOT_AN_INTEGER } from "./errors.ts";
import { deadlineAfter, tellDeadline } from "./expiry.ts";
import { GENERIC_EVENT } from "./key-events.ts";
import { ACCESS_KEY, CHANGED_KEY } from "./key-specs.ts";

const name = new Slice();

/** Conditions of EXPIRE, as bits. */
const NX = 1;
const XX = 2;
const GT = 4;
const LT = 8;
const CONDITIONS = ["NX", "XX", "GT", "LT"] as const;

/** Any number of conditions; they contradict each other only when all are known. */
const condition: Argument<number> = {
  isOptional: true,
  absent: 0,
  parse(cursor) {
    let given = 0;
    while (!cursor.isAtEnd) {
      const index = cursor.take();
      const bit = CONDITIONS.findIndex((word) => cursor.args.is(index, word));
      if (bit === -1) throw new CommandError(unsupportedOption(cursor.args.shown(index)));
      given |= 1 << bit;
    }
    if ((given & NX) !== 0 && given !== NX) {
      throw new CommandError("ERR NX and XX, GT or LT options at the same time are not compatible");
    }
    if ((given & GT) !== 0 && (given & LT) !== 0) {
      throw new CommandError("ERR GT and LT options at the same time are not compatible");
    }
    return given;
  },
  document: (name) => ({
    name,
    type: "oneof",
    since: "7.0.0",
    flags: ["optional"],
    arguments: CONDITIONS.map((word) => ({ name: word.toLowerCase(), type: "pure-token", token: word })),
  }),
};

/** Redis shows of an option what C sees of it, up to a zero byte, and drops line breaks that would end the line. */
function unsupportedOption(given: string): string {
  const [shown] = given.split("\0", 1);
  return `ERR Unsupported option ${shown!.replace(/[\r\n]+$/, "")}`;
}

/** @param present the deadline that the key has, or NO_DEADLINE, which is later than any */
function isAllowed(given: number, present: Int64, wanted: Int64): boolean {
  const isVolatile = present !== NO_DEADLINE;
  if ((given & NX) !== 0 && isVolatile) return false;
  if ((given & XX) !== 0 && !isVolatile) return false;
  if ((given & GT) !== 0 && (!isVolatile || wanted <= present)) return false;
  return (given & LT) === 0 || !isVolatile || wanted < present;
}

/** Gives a key its deadline, in the past removes it, and replies with whether the condition allowed it. */
function expire(context: Context, args: Arguments, index: number, deadline: Int64, given: number): void {
  const key = context.database.write(args, index);
  const isChanged = key.found && isAllowed(given, key.deadline, deadline);
  const { effects } = context;
  if (isChanged && deadline <= context.keyspace.expiryClock.now()) {
    key.remove(BY_PAST_DEADLINE);
    tellRemoved(context, BY_PAST_DEADLINE, args.slice(index, name));
    key.notify(GENERIC_EVENT, "del");
  } else if (isChanged) {
    // Only of a log that is loaded may it be before 1970, and is then long over as well.
    key.setDeadline(deadline > 0 ? deadline : 1);
    if (effects.areKept) tellDeadline(effects, args.slice(index, name), deadline);
    key.notify(GENERIC_EVENT, "expire");
  }
  context.reply.integer(isChanged ? 1 : 0);
}

const CHANGES = [["7.0.0", "Added the NX, XX, GT and LT options."]] as const;

/**
 * One of the four commands that set a deadline.
 * @param when what COMMAND DOCS calls the time
 * @param unit in milliseconds
 */
function expireCommand(name: string, since: string, summary: string, when: string, unit: number): Command {
  const isAbsolute = when.startsWith("unix-time");
  return command({
    name,
    summary,
    complexity: "O(1)",
    since,
    group: "generic",
    arity: -3,
    flags: ["write", "fast"],
    replay: "rewritten",
    categories: ["keyspace"],
    keys: [CHANGED_KEY],
    history: CHANGES,
    args: { key: key(), when: named(when, deferred(isAbsolute ? "unix-time" : "integer")), condition },
    run(context, parsed, args) {
      const count = args.int64(parsed.when);
      if (count === undefined) throw new CommandError(NOT_AN_INTEGER);
      const from = isAbsolute ? 0 : context.keyspace.clock.now();
      const deadline = deadlineAfter(from, count, unit, name.toLowerCase());
      expire(context, args, parsed.key, deadline, parsed.condition);
    },
  });
}

/** The argument under another name in COMMAND DOCS. */
function named<T>(name: string, argument: Argument<T>): Argument<T> {
  return { ...argument, document: () => argument.document(name) };
}

/**
 * Replies with a key's deadline, -1 if it has none, -2 if there is no such key.
 * @param from milliseconds since 1970 that it is counted from
 * @param unit in milliseconds; rounded to the nearest
 */
function replyDeadline(context: Context, args: Arguments, index: number, from: number, unit: number): void {
  const key = context.database.inspect(args, index);
  const deadline = key.found ? key.deadline : NO_DEADLINE;
  if (deadline === NO_DEADLINE) {
    context.reply.integer(key.found ? -1 : -2);
    return;
  }
  const left = addInt64(deadline, -from)!;
  context.reply.integer(unit === 1 ? left : divideRounded(left, unit));
}

function divideRounded(value: Int64, unit: number): Int64 {
  if (typeof value === "number") return Math.floor((value + unit / 2) / unit);
  return Number((value + BigInt(unit / 2)) / BigInt(unit));
}

/**
 * One of the four commands that tell a deadline: as what is left of a key's life, or as a Unix time.
 * @param unit in milliseconds
 */
function tellCommand(name: string, since: string, summary: string, form: "left" | "absolute", unit: number): Command {
  const isLeft = form === "left";
  return command({
    name,
    summary,
    complexity: "O(1)",
    since,
    group: "generic",
    arity: 2,
    flags: ["readonly", "fast"],
    categories: ["keyspace"],
    keys: [ACCESS_KEY],
    ...(isLeft && { tips: ["nondeterministic_output"], history: LEFT_CHANGES }),
    args: { key: key() },
    run(context, parsed, args) {
      replyDeadline(context, args, parsed.key, isLeft ? context.keyspace.clock.now() : 0, unit);
    },
  });
}

const LEFT_CHANGES = [["2.8.0", "Replies -2 for a key that does not exist."]] as const;

const PERSIST = command({
  name: "PERSIST",
  summary: "Lets a key live for ever.",
  complexity: "O(1)",
  since: "2.2.0",
  group: "generic",
  arity: 2,
  flags: ["write", "fast"],
  replay: "as-is",
  categories: ["keyspace"],
  keys: [CHANGED_KEY],
  args: { key: key() },
  run(context, parsed, args) {
    const key = context.database.write(args, parsed.key);
    const isChanged = key.found && key.deadline !== NO_DEADLINE;
    if (isChanged) {
      key.setDeadline(NO_DEADLINE);
      key.notify(GENERIC_EVENT, "persist");
    }
    context.reply.integer(isChanged ? 1 : 0);
  },
});

export const expireCommands = [
  expireCommand("EXPIRE", "1.0.0", "Gives a key so many seconds to live.", "seconds", 1000),
  expireCommand("EXPIREAT", "1.2.0", "Lets a key end at a Unix time in seconds.", "unix-time-seconds", 1000),
  tellCommand("EXPIRETIME", "7.0.0", "Tells at which Unix time, in seconds, a key ends.", "absolute", 1000),
  PERSIST,
  expireCommand("PEXPIRE", "2.6.0", "Gives a key so many milliseconds to live.", "milliseconds", 1),
  expireCommand("PEXPIREAT", "2.6.0", "Lets a key end at a Unix time in milliseconds.", "unix-time-milliseconds", 1),
  tellCommand("PEXPIRETIME", "7.0.0", "Tells at which Unix time, in milliseconds, a key ends.", "absolute", 1),
  tellCommand("PTTL", "2.6.0", "Tells how many milliseconds a key has left to live.", "left", 1),
  tellCommand("TTL", "1.0.0", "Tells how many seconds a key has left to live.", "left", 1000),
];
