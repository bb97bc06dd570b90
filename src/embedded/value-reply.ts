/**
 * ValueReply: what a command replies, as JavaScript values.
 *
 *     RESP3            value                      RESP3            value
 *     bulk, verbatim   string, or Buffer          array, set       Array
 *     simple           string                     map              Map
 *     integer          number, bigint if unsafe   null             null
 *     double           number                     error            CommandError
 *     boolean          boolean
 *
 * Handlers speak RESP3 to it: maps are not flattened and numbers are not strings. One serves all calls of a store.
 */
import type { Int64 } from "../base/int64.ts";
import { CommandError } from "../commands/errors.ts";
import type { Reply } from "../commands/reply.ts";

/** A reply; `Text` is string, or Buffer where exact bytes were asked for. */
export type ReplyValue<Text = string> =
  | Text
  | string
  | number
  | bigint
  | boolean
  | null
  | CommandError
  | ReplyValue<Text>[]
  | Map<ReplyValue<Text>, ReplyValue<Text>>;

type Value = ReplyValue<Buffer>;

/** An aggregate whose elements are still to come. */
interface Open {
  readonly items: Value[];
  readonly length: number;
  readonly isMap: boolean;
}

export class ValueReply implements Reply {
  version = 3;
  /** Whether strings are wanted as Buffers, byte for byte, not as text with invalid UTF-8 replaced by U+FFFD. */
  #asBuffers = false;
  #value: Value | undefined;
  readonly #open: Open[] = [];

  /** Makes it ready for the next command. */
  reset(asBuffers: boolean): void {
    this.version = 3;
    this.#asBuffers = asBuffers;
    this.#value = undefined;
    this.#open.length = 0;
  }

  /** The reply, complete; a CommandError if it is an error. */
  take(): Value {
    const value = this.#value;
    if (value === undefined) throw new Error("the command gave no complete reply");
    this.#value = undefined;
    return value;
  }

  ok(): void {
    this.#add("OK");
  }

  simple(text: string): void {
    this.#add(text);
  }

  error(text: string): void {
    this.#add(new CommandError(text));
  }

  integer(value: Int64): void {
    this.#add(value);
  }

  bulk(bytes: Buffer, start: number, length: number): void {
    const end = start + length;
    this.#add(this.#asBuffers ? Buffer.from(bytes.subarray(start, end)) : bytes.utf8Slice(start, end));
  }

  bulkText(text: string): void {
    this.#add(this.#asBuffers ? Buffer.from(text) : text);
  }

  null(): void {
    this.#add(null);
  }

  nullArray(): void {
    this.#add(null);
  }

  array(length: number): void {
    this.#begin(length, false);
  }

  map(pairs: number): void {
    this.#begin(pairs * 2, true);
  }

  set(length: number): void {
    this.#begin(length, false);
  }

  double(value: number): void {
    this.#add(value);
  }

  doubleAs(text: string): void {
    this.#add(Number(text));
  }

  boolean(value: boolean): void {
    this.#add(value);
  }

  verbatim(_format: string, text: string): void {
    this.bulkText(text);
  }

  push(length: number): void {
    this.#begin(length, false);
  }

  #begin(length: number, isMap: boolean): void {
    const open: Open = { items: [], length, isMap };
    if (length === 0) this.#add(complete(open));
    else this.#open.push(open);
  }

  /** Adds a value to the aggregate that waits for one, and that one, if it is now complete, to the one around it. */
  #add(value: Value): void {
    let added = value;
    for (let open = this.#open.at(-1); open !== undefined; open = this.#open.at(-1)) {
      open.items.push(added);
      if (open.items.length < open.length) return;
      this.#open.pop();
      added = complete(open);
    }
    this.#value = added;
  }
}

function complete({ items, isMap }: Open): Value {
  if (!isMap) return items;
  const map = new Map<Value, Value>();
  for (let index = 0; index < items.length; index += 2) map.set(items[index]!, items[index + 1]!);
  return map;
}
