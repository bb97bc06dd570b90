/** Times to live of single fields, as in Redis 7.4: setting them, asking for them, removing them. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import {
  deadlineOf,
  deadlineOfFound,
  prepareDating,
  prepareUndating,
  setDeadline,
} from "../keyspace/hash-deadlines.ts";
import { findField, removeField } from "../keyspace/hashes.ts";
import type { Key } from "../keyspace/key.ts";
import { UNDATED } from "../structures/field-table.ts";
import { type ArgumentDocument, key, pureToken, rest } from "./argument.ts";
import { type Command, command } from "./command.ts";
import { type Effects, ELEMENTS_MAX } from "./effects.ts";
import { CommandError, invalidExpire, NOT_AN_INTEGER } from "./errors.ts";
import { readHash, writeHash } from "./hashes-access.ts";
import { HASH_EVENT, notifyRemoval } from "./key-events.ts";
import { ACCESS_KEY, CHANGED_KEY } from "./key-specs.ts";

/** Redis keeps deadlines in 48 bits, and accepts a quarter of their range, in milliseconds since 1970. */
const DEADLINE_MAX = 2 ** 46 - 1;

const CONDITIONS = ["NX", "XX", "GT", "LT"] as const;
type Condition = (typeof CONDITIONS)[number] | undefined;

/** Replies for one field. */
const NO_FIELD = -2;
const NO_DEADLINE = -1;
const CONDITION_NOT_MET = 0;
const DONE = 1;
const REMOVED = 2;

const NEGATIVE_TIME = "ERR invalid expire time, must be >= 0";
const NO_FIELDS_WORD = "ERR Mandatory argument FIELDS is missing or not at the right position";
const COUNT_MISMATCH = "ERR The `numfields` parameter must match the number of arguments";
/** HEXPIRE and the others that set deadlines have a sentence of their own for the same thing. */
const COUNT_TOO_SMALL_TO_SET = "ERR Parameter `numFields` should be greater than 0";
const COUNT_TOO_SMALL = "ERR Number of fields must be a positive integer";

const COMPLEXITY = "O(N) where N is the number of specified fields";
const SINCE = "7.4.0";

const FIELDS_DOCUMENT: ArgumentDocument = {
  name: "fields",
  type: "block",
  token: "FIELDS",
  arguments: [
    { name: "numfields", type: "integer" },
    { name: "field", type: "string", flags: ["multiple"] },
  ],
};
const CONDITION_DOCUMENT: ArgumentDocument = {
  name: "condition",
  type: "oneof",
  flags: ["optional"],
  arguments: CONDITIONS.map((word) => pureToken(word)),
};

const field = new Slice();

/**
 * Checks `FIELDS numfields field ...`, which ends the command.
 * @param at index of the word FIELDS
 * @returns index of the first field
 */
function firstField(args: Arguments, at: number, countError: string): number {
  if (at >= args.count || !args.is(at, "FIELDS")) throw new CommandError(NO_FIELDS_WORD);
  const count = at + 1 < args.count ? args.int64(at + 1) : undefined;
  if (count === undefined || count < 1) throw new CommandError(countError);
  if (count !== args.count - at - 2) throw new CommandError(COUNT_MISMATCH);
  return at + 2;
}

/** @param unit in milliseconds @param from what the time counts from, milliseconds since 1970 */
function deadlineAt(args: Arguments, index: number, unit: number, from: number, name: string): number {
  const given = args.int64(index);
  if (given === undefined) throw new CommandError(NOT_AN_INTEGER);
  if (given < 0) throw new CommandError(NEGATIVE_TIME);
  const deadline = Number(given) * unit + from;
  if (deadline > DEADLINE_MAX) throw new CommandError(invalidExpire(name));
  return deadline;
}

/** @param present the deadline that the field has; none is later than any */
function isAllowed(condition: Condition, present: number, wanted: number): boolean {
  switch (condition) {
    case undefined:
      return true;
    case "NX":
      return present === UNDATED;
    case "XX":
      return present !== UNDATED;
    case "GT":
      return present !== UNDATED && wanted > present;
    case "LT":
      return present === UNDATED || wanted < present;
  }
}

/** Gives a field its deadline, or removes it if that has passed. @returns what is replied for it */
function expireField(key: Key, args: Arguments, index: number, deadline: number, condition: Condition): number {
  const at = findField(key, args.slice(index, field));
  if (at === 0) return NO_FIELD;
  if (!isAllowed(condition, deadlineOfFound(key, at), deadline)) return CONDITION_NOT_MET;
  if (deadline <= key.keyspace.expiryClock.now()) {
    removeField(key, at);
    return REMOVED;
  }
  // Only of a log that is loaded may it be the very beginning of 1970, which would stand for no deadline.
  setDeadline(key, at, Math.max(1, deadline));
  return DONE;
}

function fieldsFrom(args: Arguments, first: number): readonly Slice[] {
  return Array.from({ length: args.count - first }, (_, index) => args.slice(first + index, new Slice()));
}

/** @param indices of the fields that have been removed, since their deadline had passed */
function tellRemoved(effects: Effects, args: Arguments, indices: readonly number[]): void {
  for (let from = 0; from < indices.length; from += ELEMENTS_MAX) {
    const end = Math.min(indices.length, from + ELEMENTS_MAX);
    effects.begin(2 + end - from);
    effects.word("HDEL");
    effects.word(args.slice(1, field));
    for (let index = from; index < end; index++) effects.word(args.slice(indices[index]!, field));
  }
}

/** The command as it came, condition and all, but of a time that means the same whenever it is executed. */
function tellDated(effects: Effects, args: Arguments, deadline: number): void {
  effects.begin(args.count);
  effects.word("HPEXPIREAT");
  effects.word(args.slice(1, field));
  effects.word(deadline);
  for (let index = 3; index < args.count; index++) effects.word(args.slice(index, field));
}

/**
 * One of the four commands that set deadlines.
 * @param when what COMMAND DOCS calls the time
 * @param unit in milliseconds
 */
function expireCommand(name: string, summary: string, when: string, unit: number): Command {
  const isAbsolute = when.startsWith("unix-time");
  return command({
    name,
    summary,
    complexity: COMPLEXITY,
    since: SINCE,
    group: "hash",
    arity: -6,
    flags: ["write", "denyoom", "fast"],
    replay: "rewritten",
    keys: [CHANGED_KEY],
    args: {
      key: key(),
      options: rest({ name: when, type: isAbsolute ? "unix-time" : "integer" }, CONDITION_DOCUMENT, FIELDS_DOCUMENT),
    },
    run(context, _parsed, args) {
      const key = writeHash(context, args, 1);
      const from = isAbsolute ? 0 : context.keyspace.clock.now();
      const deadline = deadlineAt(args, 2, unit, from, name.toLowerCase());
      const condition = CONDITIONS.find((word) => args.is(3, word));
      const first = firstField(args, condition === undefined ? 3 : 4, COUNT_TOO_SMALL_TO_SET);
      if (key.found) prepareDating(key, fieldsFrom(args, first));
      context.reply.array(args.count - first);
      const removed: number[] = [];
      let dated = 0;
      for (let index = first; index < args.count; index++) {
        const outcome = expireField(key, args, index, deadline, condition);
        if (outcome === DONE) dated += 1;
        else if (outcome === REMOVED) removed.push(index);
        context.reply.integer(outcome);
      }
      if (context.effects.areKept) {
        if (removed.length > 0) tellRemoved(context.effects, args, removed);
        else if (dated > 0) tellDated(context.effects, args, deadline);
      }
      if (removed.length > 0) notifyRemoval(key, HASH_EVENT, "hdel");
      else if (dated > 0) key.notify(HASH_EVENT, "hexpire");
    },
  });
}

/**
 * One of the four commands that tell deadlines: as what is left, or as a Unix time.
 * @param unit in milliseconds; rounded up
 */
function tellCommand(name: string, summary: string, form: "left" | "absolute", unit: number): Command {
  return command({
    name,
    summary,
    complexity: COMPLEXITY,
    since: SINCE,
    group: "hash",
    arity: -5,
    flags: ["readonly", "fast"],
    keys: [ACCESS_KEY],
    args: { key: key(), options: rest(FIELDS_DOCUMENT) },
    run(context, _parsed, args) {
      const key = readHash(context, args, 1);
      const first = firstField(args, 2, COUNT_TOO_SMALL);
      const from = form === "left" ? context.keyspace.clock.now() : 0;
      context.reply.array(args.count - first);
      for (let index = first; index < args.count; index++) {
        const deadline = deadlineOf(key, args.slice(index, field));
        if (deadline === undefined) context.reply.integer(NO_FIELD);
        else if (deadline === UNDATED) context.reply.integer(NO_DEADLINE);
        else context.reply.integer(Math.ceil((deadline - from) / unit));
      }
    },
  });
}

const HPERSIST = command({
  name: "HPERSIST",
  summary: "Lets fields of a hash live for ever.",
  complexity: COMPLEXITY,
  since: SINCE,
  group: "hash",
  arity: -5,
  flags: ["write", "fast"],
  replay: "as-is",
  keys: [CHANGED_KEY],
  args: { key: key(), options: rest(FIELDS_DOCUMENT) },
  run(context, _parsed, args) {
    const key = writeHash(context, args, 1);
    const first = firstField(args, 2, COUNT_TOO_SMALL);
    if (key.found) prepareUndating(key, fieldsFrom(args, first));
    const { changes } = context.keyspace;
    context.reply.array(args.count - first);
    for (let index = first; index < args.count; index++) {
      context.reply.integer(persistField(key, args, index));
    }
    // However many fields it was, Redis counts one change.
    if (context.keyspace.changes > changes) {
      context.keyspace.changes = changes + 1;
      key.notify(HASH_EVENT, "hpersist");
    }
  },
});

function persistField(key: Key, args: Arguments, index: number): number {
  const at = findField(key, args.slice(index, field));
  if (at === 0) return NO_FIELD;
  if (deadlineOfFound(key, at) === UNDATED) return NO_DEADLINE;
  setDeadline(key, at, UNDATED);
  return DONE;
}

export const hashDeadlineCommands = [
  expireCommand("HEXPIRE", "Gives fields of a hash so many seconds to live.", "seconds", 1000),
  expireCommand("HEXPIREAT", "Lets fields of a hash end at a Unix time in seconds.", "unix-time-seconds", 1000),
  tellCommand("HEXPIRETIME", "Tells at which Unix time, in seconds, fields of a hash end.", "absolute", 1000),
  HPERSIST,
  expireCommand("HPEXPIRE", "Gives fields of a hash so many milliseconds to live.", "milliseconds", 1),
  expireCommand("HPEXPIREAT", "Lets fields of a hash end at a Unix time in milliseconds.", "unix-time-milliseconds", 1),
  tellCommand("HPEXPIRETIME", "Tells at which Unix time, in milliseconds, fields of a hash end.", "absolute", 1),
  tellCommand("HPTTL", "Tells how many milliseconds fields of a hash have left to live.", "left", 1),
  tellCommand("HTTL", "Tells how many seconds fields of a hash have left to live.", "left", 1000),
];
