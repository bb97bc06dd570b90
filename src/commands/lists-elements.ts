/** Lists as sequences: their elements by index or by value. */
import type { Arguments } from "../base/arguments.ts";
import { insertIntoList, listLength, openList, removeFromList, setInList, trimList } from "../keyspace/lists.ts";
import { bytes, deferred, integer, key, word } from "./argument.ts";
import { command } from "./command.ts";
import { CommandError, INDEX_OUT_OF_RANGE, NO_SUCH_KEY, NOT_AN_INTEGER } from "./errors.ts";
import { LIST_EVENT, notifyRemoval } from "./key-events.ts";
import { ACCESS_KEY, CHANGED_KEY, INSERT_OR_UPDATE_KEY, METADATA_KEY, REMOVED_FROM_KEY } from "./key-specs.ts";
import { listRange, readList, replyElement, replyElements, writeList } from "./lists-access.ts";

/** An index, read once the key is known to be a list. @throws CommandError */
function indexIn(args: Arguments, index: number): number {
  const value = args.int64(index);
  if (value === undefined) throw new CommandError(NOT_AN_INTEGER);
  return Number(value);
}

export const LLEN = command({
  name: "LLEN",
  summary: "Tells how many elements a list has.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "list",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: [METADATA_KEY],
  args: { key: key() },
  run(context, parsed, args) {
    context.reply.integer(listLength(readList(context, args, parsed.key)));
  },
});

export const LINDEX = command({
  name: "LINDEX",
  summary: "Returns the element at an index of a list; negative indexes count from the end.",
  complexity: "O(N) where N is the number of elements between the index and the nearer end; whole chunks are skipped.",
  since: "1.0.0",
  group: "list",
  arity: 3,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  args: { key: key(), index: deferred("integer") },
  run(context, parsed, args) {
    const key = readList(context, args, parsed.key);
    if (!key.found) {
      context.reply.null();
      return;
    }
    const cursor = openList(key);
    if (cursor.seek(indexIn(args, parsed.index))) replyElement(context.reply, cursor);
    else context.reply.null();
  },
});

export const LRANGE = command({
  name: "LRANGE",
  summary: "Returns the elements of a list between two indexes, both included.",
  complexity:
    "O(S+N) where S is the distance of the first from the nearer end, and N is the number of elements returned.",
  since: "1.0.0",
  group: "list",
  arity: 4,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  args: { key: key(), start: integer(), stop: integer() },
  run(context, parsed, args) {
    const key = readList(context, args, parsed.key);
    if (!key.found) {
      context.reply.array(0);
      return;
    }
    const cursor = openList(key);
    const { first, length } = listRange(parsed.start, parsed.stop, cursor.count);
    replyElements(context.reply, cursor, first, length);
  },
});

export const LTRIM = command({
  name: "LTRIM",
  summary: "Removes all elements of a list but those between two indexes, both included.",
  complexity: "O(N) where N is the number of elements removed.",
  since: "1.0.0",
  group: "list",
  arity: 4,
  flags: ["write"],
  replay: "as-is",
  keys: [REMOVED_FROM_KEY],
  args: { key: key(), start: integer(), stop: integer() },
  run(context, parsed, args) {
    const key = writeList(context, args, parsed.key);
    if (key.found) {
      const { first, length } = listRange(parsed.start, parsed.stop, listLength(key));
      trimList(key, first, length);
      notifyRemoval(key, LIST_EVENT, "ltrim");
    }
    context.reply.ok();
  },
});

export const LSET = command({
  name: "LSET",
  summary: "Puts another element in the place of the one at an index of a list.",
  complexity: "O(N) where N is the number of elements between the index and the nearer end; whole chunks are skipped.",
  since: "1.0.0",
  group: "list",
  arity: 4,
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [CHANGED_KEY],
  args: { key: key(), index: deferred("integer"), element: bytes() },
  run(context, parsed, args) {
    const key = writeList(context, args, parsed.key);
    if (!key.found) throw new CommandError(NO_SUCH_KEY);
    const { element } = parsed;
    if (!setInList(key, indexIn(args, parsed.index), args.bytes, args.start(element), args.length(element))) {
      throw new CommandError(INDEX_OUT_OF_RANGE);
    }
    key.notify(LIST_EVENT, "lset");
    context.reply.ok();
  },
});

export const LINSERT = command({
  name: "LINSERT",
  summary: "Puts an element before or behind the first element of a list that has a given value.",
  complexity: "O(N) where N is the number of elements up to the one looked for.",
  since: "2.2.0",
  group: "list",
  arity: 5,
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [INSERT_OR_UPDATE_KEY],
  args: { key: key(), where: word("BEFORE", "AFTER"), pivot: bytes(), element: bytes() },
  run(context, parsed, args) {
    const key = writeList(context, args, parsed.key);
    if (!key.found) {
      context.reply.integer(0);
      return;
    }
    const isInserted = insertIntoList(key, parsed.where === "AFTER", args, parsed.pivot, parsed.element);
    if (isInserted) key.notify(LIST_EVENT, "linsert");
    context.reply.integer(isInserted ? listLength(key) : -1);
  },
});

export const LREM = command({
  name: "LREM",
  summary: "Removes elements of a given value from a list, from its front or, with a negative count, from its end.",
  complexity: "O(N+M) where N is the number of elements of the list and M the number of those removed.",
  since: "1.0.0",
  group: "list",
  arity: 4,
  flags: ["write"],
  replay: "as-is",
  keys: [REMOVED_FROM_KEY],
  args: { key: key(), count: integer(), element: bytes() },
  run(context, parsed, args) {
    const { count, element } = parsed;
    const key = writeList(context, args, parsed.key);
    const most = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(Number(count));
    const removed = key.found
      ? removeFromList(key, args.bytes, args.start(element), args.length(element), count >= 0, most)
      : 0;
    if (removed > 0) notifyRemoval(key, LIST_EVENT, "lrem");
    context.reply.integer(removed);
  },
});
