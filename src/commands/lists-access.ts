/** What all commands on lists share: looking a list up, and replying with elements. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import type { Int64 } from "../base/int64.ts";
import { LIST } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import type { ListCursor } from "../keyspace/list-cursor.ts";
import type { Context } from "./context.ts";
import { ofType } from "./key-type.ts";
import type { Reply } from "./reply.ts";

const element = new Slice();

/** The key, for reading. @throws CommandError if it holds something other than a list */
export function readList(context: Context, args: Arguments, index: number): Key {
  return ofType(context.database.read(args, index), LIST);
}

/** The key, to be changed. @throws CommandError if it holds something other than a list */
export function writeList(context: Context, args: Arguments, index: number, into = context.database.key): Key {
  return ofType(context.database.write(args, index, into), LIST);
}

/** Replies with the element that the cursor stands at. */
export function replyElement(reply: Reply, cursor: ListCursor): void {
  const { bytes, start, length } = cursor.read(element);
  reply.bulk(bytes, start, length);
}

/** Replies with `length` elements from index `first` on, forwards or backwards; all must be there. */
export function replyElements(reply: Reply, cursor: ListCursor, first: number, length: number, isForward = true): void {
  reply.array(length);
  if (length === 0) return;
  cursor.seek(first);
  for (let left = length; left > 0; left--) {
    if (isForward) {
      cursor.readOn(element);
    } else {
      cursor.read(element);
      cursor.previous();
    }
    reply.bulk(element.bytes, element.start, element.length);
  }
}

/** Which elements two indexes stand for. Reused. */
const range = { first: 0, length: 0 };

/** What is between two indexes, both included and negative from the end, of `count` elements. */
export function listRange(start: Int64, stop: Int64, count: number): Readonly<typeof range> {
  const first = Math.max(0, fromFront(start, count));
  const last = Math.min(count - 1, fromFront(stop, count));
  range.first = first;
  range.length = Math.max(0, last - first + 1);
  return range;
}

/** What is too far away for a number to be exact is beyond every end. */
function fromFront(index: Int64, count: number): number {
  return index < 0 ? count + Number(index) : Number(index);
}
