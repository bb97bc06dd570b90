/** Members of sorted sets: setting, removing and telling scores, and ranks. */
import type { Arguments } from "../base/arguments.ts";
import {
  ADD_TO_PRESENT,
  addScores,
  IF_ABSENT,
  IF_GREATER,
  IF_LESS,
  IF_PRESENT,
  memberAt,
  removeMembers,
  scoreOf,
  sortedSetOf,
} from "../keyspace/sorted-sets.ts";
import { bytes, deferred, key, pureToken, repeated, rest } from "./argument.ts";
import { type Command, command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, SYNTAX_ERROR, wrongArity } from "./errors.ts";
import { notifyRemoval, SORTED_SET_EVENT } from "./key-events.ts";
import { ACCESS_KEY, CHANGED_KEY, METADATA_KEY, REMOVED_FROM_KEY, UPDATE_KEY } from "./key-specs.ts";
import { readSortedSet, scoreAt, writeSortedSet } from "./sorted-sets-access.ts";

const NOT_A_NUMBER = "ERR resulting score is not a number (NaN)";
const ABSENT_OR_PRESENT = "ERR XX and NX options at the same time are not compatible";
const CONTRADICTION = "ERR GT, LT, and/or NX options at the same time are not compatible";
const ONE_INCREMENT = "ERR INCR option supports a single increment-element pair";

/** ZADD replies with how many scores have changed, not only with how many members are new. */
const COUNTS_CHANGED = 32;
const OPTIONS: readonly (readonly [word: string, bit: number])[] = [
  ["NX", IF_ABSENT],
  ["XX", IF_PRESENT],
  ["CH", COUNTS_CHANGED],
  ["INCR", ADD_TO_PRESENT],
  ["GT", IF_GREATER],
  ["LT", IF_LESS],
];

const FIRST_LETTER = 0x41;
let scores = new Float64Array(64);

function has(options: number, bits: number): boolean {
  return (options & bits) === bits;
}

/** The option that argument `index` is, as a bit; 0 if it is none. */
function optionAt(args: Arguments, index: number): number {
  if (args.length(index) < 2 || args.bytes[args.start(index)]! < FIRST_LETTER) return 0;
  return OPTIONS.find(([word]) => args.is(index, word))?.[1] ?? 0;
}

/** Reads `count` scores, each before its member, from argument `first` on. */
function readAll(args: Arguments, first: number, count: number): void {
  if (count > scores.length) scores = new Float64Array(count);
  for (let index = 0; index < count; index++) scores[index] = scoreAt(args, first + index * 2);
}

export const ZADD = command({
  name: "ZADD",
  summary: "Adds members to a sorted set, or gives those that it has other scores; it is created if there is none.",
  complexity: "O(log(N)) for each member, where N is the size of the sorted set.",
  since: "1.2.0",
  group: "sorted-set",
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [CHANGED_KEY],
  history: [
    ["2.4.0", "Takes more than one member."],
    ["3.0.2", "Added the XX, NX, CH and INCR options."],
    ["6.2.0", "Added the GT and LT options."],
  ],
  args: {
    key: key(),
    data: rest(
      oneOfWords("condition", "3.0.2", "NX", "XX"),
      oneOfWords("comparison", "6.2.0", "GT", "LT"),
      { ...pureToken("CH", "change"), since: "3.0.2", flags: ["optional"] },
      { ...pureToken("INCR", "increment"), since: "3.0.2", flags: ["optional"] },
      {
        name: "data",
        type: "block",
        flags: ["multiple"],
        arguments: [
          { name: "score", type: "double" },
          { name: "member", type: "string" },
        ],
      },
    ),
  },
  run(context, parsed, args) {
    add(context, args, parsed.key, parsed.data, 0);
  },
});

function oneOfWords(name: string, since: string, ...words: string[]) {
  return { name, type: "oneof", since, flags: ["optional"], arguments: words.map((word) => pureToken(word)) };
}

/** ZADD and ZINCRBY. @param from the first argument behind the key @param fixed options that the command itself has */
function add(context: Context, args: Arguments, index: number, from: number, fixed: number): void {
  let options = fixed;
  let first = from;
  for (; first < args.count; first++) {
    const option = optionAt(args, first);
    if (option === 0) break;
    options |= option;
  }
  const given = args.count - first;
  if (given === 0 || given % 2 !== 0) throw new CommandError(SYNTAX_ERROR);
  checkOptions(options, given / 2);
  readAll(args, first, given / 2);
  const key = writeSortedSet(context, args, index);
  const done = addScores(key, args, first + 1, 2, scores, given / 2, options);
  if (Number.isNaN(done.score)) throw new CommandError(NOT_A_NUMBER);
  if (done.added + done.updated > 0) key.notify(SORTED_SET_EVENT, has(options, ADD_TO_PRESENT) ? "zincr" : "zadd");
  const { reply } = context;
  if ((options & ADD_TO_PRESENT) === 0) {
    reply.integer((options & COUNTS_CHANGED) === 0 ? done.added : done.added + done.updated);
  } else if (done.isAllowed) {
    reply.double(done.score);
  } else {
    reply.null();
  }
}

function checkOptions(options: number, members: number): void {
  if (options === 0) return;
  if (has(options, IF_ABSENT | IF_PRESENT)) throw new CommandError(ABSENT_OR_PRESENT);
  if (has(options, IF_GREATER | IF_ABSENT) || has(options, IF_LESS | IF_ABSENT)) throw new CommandError(CONTRADICTION);
  if (has(options, IF_GREATER | IF_LESS)) throw new CommandError(CONTRADICTION);
  if (has(options, ADD_TO_PRESENT) && members > 1) throw new CommandError(ONE_INCREMENT);
}

export const ZINCRBY = command({
  name: "ZINCRBY",
  summary: "Adds to a member's score; a member that is absent is taken to have had zero.",
  complexity: "O(log(N)) where N is the size of the sorted set.",
  since: "1.2.0",
  group: "sorted-set",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [UPDATE_KEY],
  args: { key: key(), increment: deferred("integer"), member: bytes() },
  // As in Redis, a word that is an option of ZADD is none of an increment: it is a syntax error.
  run(context, parsed, args) {
    add(context, args, parsed.key, parsed.increment, ADD_TO_PRESENT);
  },
});

export const ZREM = command({
  name: "ZREM",
  summary: "Removes members from a sorted set, and the set with the last of them.",
  complexity: "O(M*log(N)) where N is the size of the sorted set and M is the number of members to remove.",
  since: "1.2.0",
  group: "sorted-set",
  arity: -3,
  flags: ["write", "fast"],
  replay: "as-is",
  keys: [REMOVED_FROM_KEY],
  history: [["2.4.0", "Takes more than one member."]],
  args: { key: key(), member: repeated({ member: bytes() }) },
  run(context, parsed, args) {
    const key = writeSortedSet(context, args, parsed.key);
    const removed = key.found ? removeMembers(key, args, parsed.member) : 0;
    if (removed > 0) notifyRemoval(key, SORTED_SET_EVENT, "zrem");
    context.reply.integer(removed);
  },
});

export const ZCARD = command({
  name: "ZCARD",
  summary: "Returns the number of members in a sorted set.",
  complexity: "O(1)",
  since: "1.2.0",
  group: "sorted-set",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: [METADATA_KEY],
  args: { key: key() },
  run(context, parsed, args) {
    const key = readSortedSet(context, args, parsed.key);
    context.reply.integer(key.found ? sortedSetOf(key).count : 0);
  },
});

export const ZSCORE = command({
  name: "ZSCORE",
  summary: "Returns the score of a member of a sorted set.",
  complexity: "O(1)",
  since: "1.2.0",
  group: "sorted-set",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: [ACCESS_KEY],
  args: { key: key(), member: bytes() },
  run(context, parsed, args) {
    const key = readSortedSet(context, args, parsed.key);
    const score = key.found ? scoreOf(key, args, parsed.member) : Number.NaN;
    if (Number.isNaN(score)) context.reply.null();
    else context.reply.double(score);
  },
});

export const ZMSCORE = command({
  name: "ZMSCORE",
  summary: "Returns the scores of several members of a sorted set.",
  complexity: "O(N) where N is the number of members to look for.",
  since: "6.2.0",
  group: "sorted-set",
  arity: -3,
  flags: ["readonly", "fast"],
  keys: [ACCESS_KEY],
  args: { key: key(), member: repeated({ member: bytes() }) },
  run(context, parsed, args) {
    const { reply } = context;
    const key = readSortedSet(context, args, parsed.key);
    reply.array(args.count - parsed.member);
    for (let index = parsed.member; index < args.count; index++) {
      const score = key.found ? scoreOf(key, args, index) : Number.NaN;
      if (Number.isNaN(score)) reply.null();
      else reply.double(score);
    }
  },
});

/** ZRANK or ZREVRANK. */
function rankCommand(name: string, isReversed: boolean, summary: string): Command {
  return command({
    name,
    summary,
    complexity: "O(log(N)) where N is the size of the sorted set.",
    since: "2.0.0",
    group: "sorted-set",
    arity: -3,
    flags: ["readonly", "fast"],
    keys: [ACCESS_KEY],
    history: [["7.2.0", "Added the WITHSCORE option."]],
    args: {
      key: key(),
      member: bytes(),
      withscore: rest({ ...pureToken("WITHSCORE"), flags: ["optional"] }),
    },
    run(context, parsed, args) {
      const { reply } = context;
      if (args.count > 4) throw new CommandError(wrongArity(name.toLowerCase()));
      const withScore = args.count > parsed.withscore;
      if (withScore && !args.is(parsed.withscore, "WITHSCORE")) throw new CommandError(SYNTAX_ERROR);
      const key = readSortedSet(context, args, parsed.key);
      const set = key.found ? sortedSetOf(key) : undefined;
      const place = set === undefined ? 0 : set.find(memberAt(key, args, parsed.member));
      if (set === undefined || place === 0) {
        if (withScore) reply.nullArray();
        else reply.null();
        return;
      }
      const rank = set.rank(place);
      if (withScore) reply.array(2);
      reply.integer(isReversed ? set.count - 1 - rank : rank);
      if (withScore) reply.double(set.score(place));
    },
  });
}

export const ZRANK = rankCommand("ZRANK", false, "Returns how many members come before one, from the lowest score on.");
export const ZREVRANK = rankCommand(
  "ZREVRANK",
  true,
  "Returns how many members come before one, from the highest score on.",
);
