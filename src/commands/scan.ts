/** Finding keys: SCAN, KEYS, RANDOMKEY. */
import type { Arguments } from "../base/arguments.ts";
import { EMPTY_BYTES } from "../base/bytes.ts";
import { matchesGlob } from "../base/glob.ts";
import type { Database, VisitKey } from "../keyspace/database.ts";
import { TYPE_NAMES } from "../keyspace/entry.ts";
import type { Shard } from "../keyspace/shard.ts";
import type { Ref } from "../memory/heap.ts";
import { type Argument, bytes, integerBetween, pattern, prefixed, since } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, SYNTAX_ERROR } from "./errors.ts";
import type { Reply } from "./reply.ts";

/** Keys that one call looks for if the client does not say. */
export const COUNT_DEFAULT = 10;
export const COUNT_MAX = 2 ** 63;
/** Slots of the table that one call looks at, for each key that it looks for: its bound where the table is sparse. */
export const SLOTS_PER_KEY = 10;
const CURSOR_SPACE = 2n ** 64n;

const STAR = 0x2a;
/** The bytes that make a pattern more than a key's name: * ? [ \ */
const WILDCARDS = [STAR, 0x3f, 0x5b, 0x5c];

/**
 * Collects keys that match, so that their number is known before the first is written. What it holds are places in
 * regions, valid until a key changes. Reused by all calls.
 */
class Selection {
  readonly #shards: Shard[] = [];
  readonly #entries: Ref[] = [];
  #pattern: Uint8Array | undefined;
  #type: number | undefined;
  /** Keys that were looked at, whether they matched or not. */
  seen = 0;

  /** Begins anew. @param pattern undefined for all keys @param type undefined for all types */
  reset(pattern: Uint8Array | undefined, type: number | undefined): void {
    this.#shards.length = 0;
    this.#entries.length = 0;
    this.seen = 0;
    this.#pattern = pattern;
    this.#type = type;
  }

  readonly visit: VisitKey = (name, shard, entry) => {
    this.seen += 1;
    if (this.#pattern !== undefined && !matchesGlob(this.#pattern, name.bytes, name.start, name.length)) return;
    this.add(shard, entry);
  };

  add(shard: Shard, entry: Ref): void {
    if (this.#type !== undefined && shard.entries.type(entry) !== this.#type) return;
    this.#shards.push(shard);
    this.#entries.push(entry);
  }

  reply(reply: Reply): void {
    reply.array(this.#entries.length);
    for (let index = 0; index < this.#entries.length; index++) {
      const { entries } = this.#shards[index]!;
      const entry = this.#entries[index]!;
      reply.bulk(entries.bytes, entries.keyStart(entry), entries.keyLength(entry));
    }
    this.reset(undefined, undefined);
  }
}

const selection = new Selection();

/** The pattern in argument `index`; undefined for "*" alone, which stands for every key, even the empty one. */
export function patternAt(args: Arguments, index: number): Uint8Array | undefined {
  const start = args.start(index);
  const length = args.length(index);
  if (length === 1 && args.bytes[start] === STAR) return undefined;
  return length === 0 ? EMPTY_BYTES : args.bytes.subarray(start, start + length);
}

function isName(pattern: Uint8Array | undefined): boolean {
  return pattern !== undefined && !WILDCARDS.some((wildcard) => pattern.includes(wildcard));
}

/** Looks up the key that argument `index` names: the one that a pattern without wildcards can match. */
function selectNamed(context: Context, args: Arguments, index: number): void {
  const key = context.database.peek(args, index);
  if (key.found) selection.add(key.shard, key.entry);
}

const KEYS = command({
  name: "KEYS",
  summary: "Returns all keys whose names match a pattern.",
  complexity: "O(N) where N is the number of keys in the database; O(1) for a pattern without wildcards.",
  since: "1.0.0",
  group: "generic",
  arity: 2,
  flags: ["readonly"],
  categories: ["keyspace", "dangerous"],
  tips: ["request_policy:all_shards", "nondeterministic_output_order"],
  args: { pattern: pattern() },
  run(context, parsed, args) {
    const wanted = patternAt(args, parsed.pattern);
    selection.reset(wanted, undefined);
    // To look a key up removes it if it has expired, and that is told of: KEYS, as Redis has it, causes no event.
    if (isName(wanted) && context.keyspace.eventTypes === 0) selectNamed(context, args, parsed.pattern);
    else context.database.forEach(selection.visit);
    selection.reply(context.reply);
  },
});

/**
 * Reads a cursor as Redis does: nothing is 0, a sign is allowed, and a negative number counts down from 2^64. Rounded
 * above 2^53, which is past the end of every walk.
 */
export const cursor: Argument<number> = {
  parse(position) {
    const [text] = position.args.latin1(position.take()).split("\0", 1);
    const value = /^([+-]?0*\d{1,20})?$/.test(text!) ? BigInt(text!.replace("+", "")) : CURSOR_SPACE;
    if (value >= CURSOR_SPACE || value <= -CURSOR_SPACE) throw new CommandError("ERR invalid cursor");
    return Number(BigInt.asUintN(64, value));
  },
  document: (name) => ({ name, type: "integer" }),
};

/** The type that argument `index` names, in any case; one that no key has if there is no such type. */
function typeNamed(args: Arguments, index: number): number {
  const found = Object.entries(TYPE_NAMES).find(([, name]) => args.is(index, name.toUpperCase()));
  return found === undefined ? -1 : Number(found[0]);
}

/** Walks on from `cursor` until about `count` keys were seen. @returns the cursor to go on from, 0 at the end */
function walk(database: Database, cursor: number, count: number): number {
  let next = cursor;
  for (let slots = count * SLOTS_PER_KEY; slots > 0 && selection.seen < count; ) {
    const step = Math.min(slots, count - selection.seen);
    next = database.scan(next, step, selection.visit);
    if (next === 0) break;
    slots -= step;
  }
  return next;
}

const SCAN = command({
  name: "SCAN",
  summary: "Walks through the keys of the database, some with each call.",
  complexity: "O(1) for a call, O(N) for a whole walk, where N is the number of keys in the database.",
  since: "2.8.0",
  group: "generic",
  arity: -2,
  flags: ["readonly"],
  categories: ["keyspace"],
  tips: ["nondeterministic_output", "request_policy:special", "response_policy:special"],
  history: [["6.0.0", "Added the TYPE option."]],
  args: {
    cursor,
    pattern: prefixed("MATCH", pattern()),
    count: prefixed("COUNT", integerBetween(1, COUNT_MAX, SYNTAX_ERROR)),
    type: since("6.0.0", prefixed("TYPE", bytes())),
  },
  run(context, parsed, args) {
    const wanted = parsed.pattern === undefined ? undefined : patternAt(args, parsed.pattern);
    selection.reset(wanted, parsed.type === undefined ? undefined : typeNamed(args, parsed.type));
    let next = 0;
    if (parsed.cursor === 0 && isName(wanted)) selectNamed(context, args, parsed.pattern!);
    else next = walk(context.database, parsed.cursor, parsed.count ?? COUNT_DEFAULT);
    context.reply.array(2);
    context.reply.bulkText(String(next));
    selection.reply(context.reply);
  },
});

const RANDOMKEY = command({
  name: "RANDOMKEY",
  summary: "Returns one of the database's keys, each with the same probability.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "generic",
  arity: 1,
  flags: ["readonly"],
  categories: ["keyspace"],
  tips: ["request_policy:all_shards", "response_policy:special", "nondeterministic_output"],
  args: {},
  run(context) {
    const name = context.database.sample();
    if (name === undefined) context.reply.null();
    else context.reply.bulk(name.bytes, name.start, name.length);
  },
});

export const scanCommands = [KEYS, RANDOMKEY, SCAN];
