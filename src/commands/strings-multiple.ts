/** Several strings at once: all of them, or none. */
import type { Arguments } from "../base/arguments.ts";
import type { Database } from "../keyspace/database.ts";
import { NO_DEADLINE, STRING } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { buildString, setString } from "../keyspace/strings.ts";
import { PAGE_BITS } from "../memory/region.ts";
import { SPAN_PAGES } from "../memory/size-classes.ts";
import { bytes, key, repeated } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, wrongArity } from "./errors.ts";
import { STRING_EVENT } from "./key-events.ts";
import { EVERY_KEY, EVERY_SECOND_INSERTED_KEY, EVERY_SECOND_KEY } from "./key-specs.ts";
import { replyString } from "./strings-access.ts";

export const MGET = command({
  name: "MGET",
  summary: "Returns the string values of several keys.",
  complexity: "O(N) where N is the number of keys to retrieve.",
  since: "1.0.0",
  group: "string",
  arity: -2,
  flags: ["readonly", "fast"],
  keys: [EVERY_KEY],
  tips: ["request_policy:multi_shard"],
  args: { key: repeated({ key: key() }) },
  run(context, parsed, args) {
    context.reply.array(args.count - parsed.key);
    for (let index = parsed.key; index < args.count; index++) {
      const key = context.database.read(args, index);
      if (key.found && key.type !== STRING) context.reply.null();
      else replyString(context, key);
    }
  },
});

export const MSET = command({
  name: "MSET",
  summary: "Sets the string values of several keys at once.",
  complexity: "O(N) where N is the number of keys to set.",
  since: "1.0.1",
  group: "string",
  arity: -3,
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [EVERY_SECOND_KEY],
  tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
  args: { data: repeated({ key: key(), value: bytes() }) },
  run(context, parsed, args) {
    if ((args.count - parsed.data) % 2 !== 0) throw new CommandError(wrongArity("mset"));
    setAll(context, args, parsed.data);
    context.reply.ok();
  },
});

export const MSETNX = command({
  name: "MSETNX",
  summary: "Sets the string values of several keys at once, if none of them exists yet.",
  complexity: "O(N) where N is the number of keys to set.",
  since: "1.0.1",
  group: "string",
  arity: -3,
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [EVERY_SECOND_INSERTED_KEY],
  args: { data: repeated({ key: key(), value: bytes() }) },
  run(context, parsed, args) {
    if ((args.count - parsed.data) % 2 !== 0) throw new CommandError(wrongArity("msetnx"));
    for (let index = parsed.data; index < args.count; index += 2) {
      if (context.database.write(args, index).found) {
        context.reply.integer(0);
        return;
      }
    }
    setAll(context, args, parsed.data);
    context.reply.integer(1);
  },
});

/**
 * Pages that one pair may take at the most, its value's own aside: a span for each of its two blocks, one for a table's
 * segment that it splits, and as many again to be safe.
 */
const PAIR_PAGES = 6 * SPAN_PAGES;

/**
 * Sets keys and values that alternate from argument `first` on, all or none; of a key that comes twice, the last value
 * stays. While there is ample room nothing can fail, and each is simply set.
 */
function setAll(context: Context, args: Arguments, first: number): void {
  const { database, keyspace } = context;
  const pages = ((args.count - first) >>> 1) * PAIR_PAGES + ((args.end - args.start(first)) >>> PAGE_BITS);
  if (keyspace.sparePages < pages) {
    new CarefulSetter(database, args, first).setAll();
    return;
  }
  for (let index = first; index < args.count; index += 2) {
    const key = database.write(args, index);
    setString(key, args.bytes, args.start(index + 1), args.length(index + 1), NO_DEADLINE);
    key.notify(STRING_EVENT, "set");
  }
}

/** There is no entry for a pair, or it has been dealt with. No entry has these refs. */
const NOTHING = 0;
/** A pair's entry is in its place, where there was none before. */
const INSERTED = 1;

/**
 * Sets pairs where memory may run out on the way. What may fail comes first: building all entries, then inserting those
 * whose keys are new, which can be undone. To replace an entry by another cannot fail.
 */
class CarefulSetter {
  readonly #database: Database;
  readonly #args: Arguments;
  readonly #first: number;
  readonly #count: number;
  /** For each pair the entry built for it, negative if its key existed; or one of the words above. */
  readonly #built: Int32Array;

  constructor(database: Database, args: Arguments, first: number) {
    this.#database = database;
    this.#args = args;
    this.#first = first;
    this.#count = (args.count - first) >>> 1;
    this.#built = new Int32Array(this.#count);
  }

  /** @throws RegionFullError with nothing changed */
  setAll(): void {
    const built = this.#built;
    try {
      for (let pair = 0; pair < this.#count; pair++) this.#build(pair);
      for (let pair = 0; pair < this.#count; pair++) if (built[pair]! > INSERTED) this.#insert(pair);
    } catch (error) {
      for (let pair = 0; pair < this.#count; pair++) if (built[pair] !== NOTHING) this.#undo(pair);
      throw error;
    }
    for (let pair = 0; pair < this.#count; pair++) {
      const entry = Math.abs(built[pair]!);
      const key = this.#locate(pair);
      if (entry > INSERTED) key.link(entry);
      key.notify(STRING_EVENT, "set");
    }
  }

  #locate(pair: number): Key {
    return this.#database.write(this.#args, this.#first + pair * 2);
  }

  #build(pair: number): void {
    const { bytes, starts, lengths } = this.#args;
    const value = this.#first + pair * 2 + 1;
    const key = this.#locate(pair);
    const entry = buildString(key, bytes, starts[value]!, lengths[value]!, NO_DEADLINE);
    this.#built[pair] = key.found ? -entry : entry;
  }

  /** Inserts a pair's entry, unless a pair before it had the same key. */
  #insert(pair: number): void {
    const key = this.#locate(pair);
    if (key.found) return;
    const entry = this.#built[pair]!;
    this.#built[pair] = NOTHING;
    key.link(entry);
    this.#built[pair] = INSERTED;
  }

  #undo(pair: number): void {
    const key = this.#locate(pair);
    if (this.#built[pair] === INSERTED) key.remove();
    else key.shard.entries.free(Math.abs(this.#built[pair]!));
  }
}
