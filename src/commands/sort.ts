/**
 * SORT and SORT_RO: the elements of a list, a set or a sorted set in another order, or what they stand for.
 *
 * Redis makes a skip list of a small sorted set in passing, for good, as OBJECT ENCODING shows; here reading changes
 * nothing, so that it needs no room.
 */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import type { Int64 } from "../base/int64.ts";
import { LIST, SET, SORTED_SET } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { storeList } from "../keyspace/lists.ts";
import { type ArgumentDocument, key, pureToken, rest } from "./argument.ts";
import { command, type KeySpec } from "./command.ts";
import type { Context } from "./context.ts";
import { type Effects, ELEMENTS_MAX } from "./effects.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR, WRONG_TYPE } from "./errors.ts";
import { LIST_EVENT, notifyStored } from "./key-events.ts";
import { ACCESS_KEY, OVERWRITE_KEY } from "./key-specs.ts";
import { countElements, loadElements, SortElements } from "./sort-elements.ts";
import { orderOf } from "./sort-order.ts";
import { SortPattern } from "./sort-pattern.ts";

/** Where options begin. */
const FIRST_OPTION = 2;

const element = new Slice();
const value = new Slice();

/** What is asked for, read off the arguments. */
class SortRequest {
  isDescending = false;
  isAlphabetic = false;
  /** Elements to leave out, and to give then; all if negative. */
  offset: Int64 = 0;
  limit: Int64 = -1;
  by: SortPattern | undefined;
  /** Whether a pattern without a star was given: elements stay as they are stored. */
  isUnsorted = false;
  readonly gets: SortPattern[] = [];
  /** Index of the key to store into, 0 for none. */
  store = 0;
  /** Whether elements may count as equal that are not, and are in no order that another process has them in. */
  isOrderLeftOpen = false;
  readonly #args: Arguments;
  #at = FIRST_OPTION;

  /** @throws CommandError */
  constructor(args: Arguments, canStore: boolean) {
    this.#args = args;
    while (this.#at < args.count) this.#readOption(canStore);
  }

  #readOption(canStore: boolean): void {
    const args = this.#args;
    const at = this.#at;
    this.#at += 1;
    if (args.is(at, "ASC")) this.isDescending = false;
    else if (args.is(at, "DESC")) this.isDescending = true;
    else if (args.is(at, "ALPHA")) this.isAlphabetic = true;
    else if (args.is(at, "LIMIT") && this.#takes(2)) this.#readLimit(at + 1);
    else if (canStore && args.is(at, "STORE") && this.#takes(1)) this.store = at + 1;
    else if (args.is(at, "BY") && this.#takes(1)) this.#readBy(at + 1);
    else if (args.is(at, "GET") && this.#takes(1)) this.gets.push(new SortPattern(args, at + 1));
    else throw new CommandError(SYNTAX_ERROR);
  }

  /** Takes the option's arguments, if there are as many. */
  #takes(count: number): boolean {
    if (this.#at + count > this.#args.count) return false;
    this.#at += count;
    return true;
  }

  #readLimit(index: number): void {
    const offset = this.#args.int64(index);
    const limit = this.#args.int64(index + 1);
    if (offset === undefined || limit === undefined) throw new CommandError(NOT_AN_INTEGER);
    this.offset = offset;
    this.limit = limit;
  }

  #readBy(index: number): void {
    this.by = new SortPattern(this.#args, index);
    if (!this.by.hasStar) this.isUnsorted = true;
  }
}

/** Elements, and the indices of those that are the result, in order. */
interface Sorted {
  readonly elements: SortElements;
  readonly indices: Int32Array;
}

function sort(context: Context, args: Arguments, index: number, canStore: boolean): void {
  const request = new SortRequest(args, canStore);
  const key = context.database.read(args, index);
  if (key.found && key.type !== LIST && key.type !== SET && key.type !== SORTED_SET) {
    throw new CommandError(WRONG_TYPE);
  }
  if (key.found) request.isOrderLeftOpen = key.type !== LIST && request.by !== undefined && request.isAlphabetic;
  const sorted = key.found ? sortElements(context, key, request) : NOTHING;
  if (request.store === 0) replyAll(context, request, sorted);
  else storeAll(context, args, request, sorted);
}

const NOTHING: Sorted = { elements: new SortElements(), indices: new Int32Array(0) };

function sortElements({ database }: Context, key: Key, request: SortRequest): Sorted {
  const { isDescending, store } = request;
  const count = countElements(key);
  const first = Math.min(Math.max(Number(request.offset), 0), count);
  const wanted = request.limit < 0 ? count - first : Math.min(Number(request.limit), count - first);
  const isSet = key.type === SET;
  if (request.isUnsorted && !isSet) {
    const elements = loadElements(key, first, wanted, isDescending);
    return { elements, indices: Int32Array.from({ length: wanted }, (_, index) => index) };
  }
  const elements = loadElements(key, 0, count, false);
  // A set has no order: what is stored of it must be the same everywhere, and is sorted.
  const isForced = request.isUnsorted && store > 0;
  if (request.isUnsorted && !isForced) {
    return { elements, indices: Int32Array.from({ length: wanted }, (_, index) => first + index) };
  }
  const by = isForced ? undefined : request.by;
  const isAlphabetic = isForced || request.isAlphabetic;
  const ordering = { by, isAlphabetic, isDescending, isStored: store > 0 };
  const indices = orderOf(elements, ordering, database, first, first + wanted - 1);
  return { elements, indices: indices.subarray(first, first + wanted) };
}

function replyAll({ reply, database }: Context, { gets }: SortRequest, { elements, indices }: Sorted): void {
  reply.array(indices.length * Math.max(1, gets.length));
  for (const index of indices) {
    const { bytes, start, length } = elements.read(index, element);
    if (gets.length === 0) reply.bulk(bytes, start, length);
    for (const pattern of gets) {
      if (pattern.lookUp(database, element, value)) reply.bulk(value.bytes, value.start, value.length);
      else reply.null();
    }
  }
}

/** Makes the key a list of the result, or removes it if that is empty; replies with how many there are. */
function storeAll(
  context: Context,
  args: Arguments,
  { gets, store, isOrderLeftOpen }: SortRequest,
  { elements, indices }: Sorted,
): void {
  const { reply, database } = context;
  let result = elements;
  let places: Iterable<number> = indices;
  if (gets.length > 0) {
    result = new SortElements();
    for (const index of indices) {
      elements.read(index, element);
      for (const pattern of gets) {
        if (pattern.lookUp(database, element, value)) result.add(value);
        else result.addAbsent();
      }
    }
    places = result.starts.keys();
  }
  const stored = result.asArguments(places);
  const { effects } = context;
  const target = database.write(args, store, database.other);
  const existed = target.found;
  if (stored.count > 0) storeList(target, stored);
  else if (existed) target.remove();
  if (effects.areKept && (existed || stored.count > 0)) {
    if (isOrderLeftOpen) tellStored(effects, args.slice(store, value), existed, stored);
    else effects.keep(args);
  }
  notifyStored(target, existed, LIST_EVENT, "sortstore");
  reply.integer(stored.count);
}

/** The result itself: sorting again could leave elements that count as equal in another order. */
function tellStored(effects: Effects, name: Slice, existed: boolean, stored: Arguments): void {
  if (existed) effects.add("DEL", name);
  for (let from = 0; from < stored.count; from += ELEMENTS_MAX) {
    const end = Math.min(stored.count, from + ELEMENTS_MAX);
    effects.begin(2 + end - from);
    effects.word("RPUSH");
    effects.word(name);
    for (let index = from; index < end; index++) effects.word(stored.slice(index, element));
  }
}

const ORDER: ArgumentDocument = {
  name: "order",
  type: "oneof",
  flags: ["optional"],
  arguments: [pureToken("ASC"), pureToken("DESC")],
};
const PATTERN = { type: "pattern", displayText: "pattern", keySpecIndex: 1 };
const OPTIONS: readonly ArgumentDocument[] = [
  { ...PATTERN, name: "by-pattern", token: "BY", flags: ["optional"] },
  {
    name: "limit",
    type: "block",
    token: "LIMIT",
    flags: ["optional"],
    arguments: [
      { name: "offset", type: "integer" },
      { name: "count", type: "integer" },
    ],
  },
  { ...PATTERN, name: "get-pattern", token: "GET", flags: ["optional", "multiple", "multiple_token"] },
  ORDER,
  { ...pureToken("ALPHA", "sorting"), flags: ["optional"] },
];
const STORE: ArgumentDocument = {
  name: "destination",
  type: "key",
  keySpecIndex: 2,
  token: "STORE",
  flags: ["optional"],
};

/** Keys whose names follow from the elements: no argument tells them. */
const LOOKED_UP_KEYS: KeySpec = {
  ...ACCESS_KEY,
  notes:
    "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the " +
    "key we sort",
  begin: { locate: () => undefined },
};
const STORED_KEY: KeySpec = {
  ...OVERWRITE_KEY,
  notes:
    "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument " +
    "array",
  begin: { locate: storedKeyOf },
};

/** Options with their arguments, among which a word STORE is none. */
const SKIPPED = Object.entries({ LIMIT: 2, GET: 1, BY: 1 });

/** Index of the key behind the last STORE, if there is one. @param name index of the command's name */
function storedKeyOf(args: Arguments, name: number): number | undefined {
  let found: number | undefined;
  for (let index = name + FIRST_OPTION; index < args.count; index++) {
    const skipped = SKIPPED.find(([option]) => args.is(index, option));
    if (skipped !== undefined) index += skipped[1];
    else if (index + 1 < args.count && args.is(index, "STORE")) found = index + 1;
  }
  return found;
}

const COMPLEXITY =
  "O(N*log(N)) where N is the number of elements; O(N+M*log(M)) where LIMIT asks for the first M of them; " +
  "O(N) where BY names no pattern.";
const CATEGORIES = ["set", "sortedset", "list", "dangerous"];

const SORT = command({
  name: "SORT",
  summary: "Returns or stores the elements of a list, a set or a sorted set in order, or what they stand for.",
  complexity: COMPLEXITY,
  since: "1.0.0",
  group: "generic",
  arity: -2,
  flags: ["write", "denyoom"],
  replay: "rewritten",
  categories: CATEGORIES,
  keys: [ACCESS_KEY, LOOKED_UP_KEYS, STORED_KEY],
  args: { key: key(), options: rest(...OPTIONS, STORE) },
  run: (context, parsed, args) => sort(context, args, parsed.key, true),
});

const SORT_RO = command({
  name: "SORT_RO",
  summary: "Returns the elements of a list, a set or a sorted set in order, or what they stand for.",
  complexity: COMPLEXITY,
  since: "7.0.0",
  group: "generic",
  arity: -2,
  flags: ["readonly"],
  categories: CATEGORIES,
  keys: [ACCESS_KEY, LOOKED_UP_KEYS],
  args: { key: key(), options: rest(...OPTIONS) },
  run: (context, parsed, args) => sort(context, args, parsed.key, false),
});

export const sortCommands = [SORT, SORT_RO];
