/** Unions, intersections and differences, replied with or stored. */
import type { Arguments } from "../base/arguments.ts";
import type { Int64 } from "../base/int64.ts";
import type { Key } from "../keyspace/key.ts";
import type { MemberSet } from "../keyspace/member-set.ts";
import {
  buildDifference,
  buildIntersection,
  buildUnion,
  countIntersection,
  type Sources,
  selectDifference,
  selectIntersection,
  selectUnion,
} from "../keyspace/set-algebra.ts";
import { SetMember } from "../keyspace/set-member.ts";
import { SetSelection } from "../keyspace/set-selection.ts";
import { sourceOf, storeSet } from "../keyspace/sets.ts";
import { deferred, key, repeated, rest } from "./argument.ts";
import { type Command, command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, SYNTAX_ERROR } from "./errors.ts";
import { notifyStored, SET_EVENT } from "./key-events.ts";
import { CHANGED_KEY, COUNTED_KEYS, EVERY_KEY, EVERY_KEY_FROM_SECOND, OVERWRITE_KEY } from "./key-specs.ts";
import { readSet, replyMember } from "./sets-access.ts";

const selection = new SetSelection();
const member = new SetMember();

/** The sets of the keys in arguments `first` to before `end`. @throws CommandError if one holds something else */
function readSources(context: Context, args: Arguments, first: number, end: number): Sources {
  const sources: (MemberSet | undefined)[] = [];
  for (let index = first; index < end; index++) {
    const key = readSet(context, args, index);
    sources.push(key.found ? sourceOf(key, index - first) : undefined);
  }
  return sources;
}

/**
 * Replies with what is selected. @param sortedMax so many integers at the front, at the most, come in ascending order:
 * there Redis collects the reply in an intset
 */
function replySelection(context: Context, sortedMax: number): void {
  const { reply, keyspace } = context;
  const { count, leadingIntegers } = selection;
  const sorted = leadingIntegers > sortedMax ? 0 : leadingIntegers;
  reply.set(count);
  const integers: Int64[] = [];
  selection.forEach(0, sorted, (set, place) => {
    set.load(place, member, keyspace.member);
    integers.push(member.integer!);
  });
  integers.sort((left, right) => (left < right ? -1 : 1));
  for (const integer of integers) reply.bulkText(String(integer));
  selection.forEach(sorted, count, (set, place) => replyMember(reply, set, place));
}

const combining = {
  since: "1.0.0",
  group: "set",
  arity: -2,
  flags: ["readonly"],
  keys: [EVERY_KEY],
  tips: ["nondeterministic_output_order"],
  args: { key: repeated({ key: key() }) },
} as const;

const storing = {
  since: "1.0.0",
  group: "set",
  arity: -3,
  flags: ["write", "denyoom"],
  replay: "as-is",
  args: { destination: key(), key: repeated({ key: key(1) }) },
} as const;

export const SINTER = command({
  ...combining,
  name: "SINTER",
  summary: "Returns the members that all of several sets have.",
  complexity: "O(N*M) at the most, where N is the size of the smallest set and M is the number of sets.",
  run(context, parsed, args) {
    const sources = readSources(context, args, parsed.key, args.count);
    selectIntersection(sources, context.keyspace.member, selection);
    replySelection(context, 0);
  },
});

export const SUNION = command({
  ...combining,
  name: "SUNION",
  summary: "Returns the members that any of several sets has.",
  complexity: "O(N) where N is the number of members in all sets together.",
  run(context, parsed, args) {
    const { member, limits } = context.keyspace;
    selectUnion(readSources(context, args, parsed.key, args.count), member, selection);
    replySelection(context, limits.setIntsetEntries);
  },
});

export const SDIFF = command({
  ...combining,
  name: "SDIFF",
  summary: "Returns the members that the first set has and no other.",
  complexity: "O(N*M) at the most, where N is the size of the first set and M is the number of sets.",
  run(context, parsed, args) {
    const { member, limits } = context.keyspace;
    selectDifference(readSources(context, args, parsed.key, args.count), member, selection);
    replySelection(context, limits.setIntsetEntries);
  },
});

/** Makes the key hold the set that has been built, and replies with its size. */
function store({ reply }: Context, target: Key, result: MemberSet, event: string): void {
  const existed = target.found;
  const size = storeSet(target, result);
  notifyStored(target, existed, SET_EVENT, event);
  reply.integer(size);
}

/** The destination's key, and the view in which the result is to be built. */
function destination(context: Context, args: Arguments, index: number) {
  const target = context.database.write(args, index, context.database.other);
  return { target, result: target.shard.sets.result };
}

export const SINTERSTORE = command({
  ...storing,
  name: "SINTERSTORE",
  summary: "Stores the members that all of several sets have as a set.",
  complexity: "O(N*M) at the most, where N is the size of the smallest set and M is the number of sets.",
  keys: [CHANGED_KEY, EVERY_KEY_FROM_SECOND],
  run(context, parsed, args) {
    const { member, limits } = context.keyspace;
    selectIntersection(readSources(context, args, parsed.key, args.count), member, selection);
    const { target, result } = destination(context, args, parsed.destination);
    buildIntersection(selection, result, limits, member);
    store(context, target, result, "sinterstore");
  },
});

/** SUNIONSTORE or SDIFFSTORE: all sources are read before anything is built. */
function storeCommand(name: string, summary: string, build: typeof buildUnion): Command {
  const event = name.toLowerCase();
  return command({
    ...storing,
    name,
    summary,
    complexity: "O(N) where N is the number of members in all sets together.",
    keys: [OVERWRITE_KEY, EVERY_KEY_FROM_SECOND],
    run(context, parsed, args) {
      const { member, limits } = context.keyspace;
      const sources = readSources(context, args, parsed.key, args.count);
      const { target, result } = destination(context, args, parsed.destination);
      build(sources, result, limits, member);
      store(context, target, result, event);
    },
  });
}

export const SUNIONSTORE = storeCommand(
  "SUNIONSTORE",
  "Stores the members that any of several sets has as a set.",
  buildUnion,
);

export const SDIFFSTORE = storeCommand(
  "SDIFFSTORE",
  "Stores the members that the first set has and no other as a set.",
  buildDifference,
);

const TOO_FEW_KEYS = "ERR numkeys should be greater than 0";
const TOO_MANY_KEYS = "ERR Number of keys can't be greater than number of args";
const NEGATIVE_LIMIT = "ERR LIMIT can't be negative";

export const SINTERCARD = command({
  name: "SINTERCARD",
  summary: "Returns how many members all of several sets have.",
  complexity: "O(N*M) at the most, where N is the size of the smallest set and M is the number of sets.",
  since: "7.0.0",
  group: "set",
  arity: -3,
  flags: ["readonly"],
  keys: [COUNTED_KEYS],
  args: {
    numkeys: deferred("integer"),
    rest: rest(
      { name: "key", type: "key", keySpecIndex: 0, flags: ["multiple"] },
      { name: "limit", type: "integer", token: "LIMIT", flags: ["optional"] },
    ),
  },
  run(context, parsed, args) {
    const keys = args.int64(parsed.numkeys);
    if (keys === undefined || keys < 1) throw new CommandError(TOO_FEW_KEYS);
    if (keys > args.count - parsed.rest) throw new CommandError(TOO_MANY_KEYS);
    const end = parsed.rest + Number(keys);
    let limit = 0;
    for (let index = end; index < args.count; index += 2) {
      if (!args.is(index, "LIMIT") || index + 1 === args.count) throw new CommandError(SYNTAX_ERROR);
      const given = args.int64(index + 1);
      if (given === undefined || given < 0) throw new CommandError(NEGATIVE_LIMIT);
      limit = Number(given);
    }
    const sources = readSources(context, args, parsed.rest, end);
    context.reply.integer(countIntersection(sources, context.keyspace.member, limit));
  },
});
