/**
 * FastPath: GET, SET and INCR of short keys, for a program that calls them millions of times a second.
 *
 * What it leaves out is the way through bytes: the key goes from the JavaScript string straight into the words that are
 * hashed and compared, the value from the region straight into a string. What it does to the keyspace is what the
 * commands do, through the same functions; what the engine does besides, it does too, or leaves to the engine:
 * fast-calls.ts says when.
 *
 * SET is timed in each call elsewhere, because it may be slow; not here, where it never has much to write or to free.
 *
 * fast-path.test.ts proves that both ways give the same replies, data and counters.
 */
import { Slice } from "../base/bytes.ts";
import { addInt64, type Int64 } from "../base/int64.ts";
import { SHORT_TEXT_MAX, shortText } from "../base/short-text.ts";
import { EMBEDDED, NO_DEADLINE, STRING } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { setInteger, setString } from "../keyspace/strings.ts";
import { RegionFullError } from "../memory/heap.ts";
import type { FastCall, FastCalls } from "./fast-calls.ts";
import { encode, scratch, UNITS_MAX } from "./fast-text.ts";

const value = new Slice();

/** The string value of a key. A value that stands in its entry begins at a whole word. */
function textOf(key: Key): string {
  const { entries } = key.shard;
  const { entry } = key;
  if (entries.encoding(entry) === EMBEDDED && entries.value(entry) <= SHORT_TEXT_MAX) {
    const text = shortText(entries.words, entries.inlineStart(entry) >>> 2, entries.value(entry));
    if (text !== undefined) return text;
  }
  const { bytes, start, length } = key.readString(value);
  return bytes.utf8Slice(start, start + length);
}

export class FastPath {
  readonly #calls: FastCalls;
  readonly #get: FastCall;
  readonly #set: FastCall;
  readonly #incr: FastCall;

  constructor(calls: FastCalls) {
    this.#calls = calls;
    this.#get = calls.of("GET");
    this.#set = calls.of("SET");
    this.#incr = calls.of("INCR");
  }

  /** @returns the value, null if there is none, undefined if the call must go through the engine */
  get(name: string): string | null | undefined {
    const calls = this.#calls;
    if (calls.isUnusual(this.#get)) return undefined;
    const key = calls.locate(name);
    if (key === undefined) return undefined;
    if (!key.found) {
      calls.keyspace.misses += 1;
      calls.count(this.#get);
      return null;
    }
    if (key.type !== STRING) return undefined;
    calls.keyspace.hits += 1;
    calls.touch(key);
    calls.count(this.#get);
    return textOf(key);
  }

  /** @returns whether it is done; if not, the call must go through the engine */
  set(name: string, text: string): boolean {
    const calls = this.#calls;
    if (text.length > UNITS_MAX || calls.isUnusual(this.#set) || calls.isFull()) return false;
    const key = calls.locate(name);
    if (key === undefined || (key.found && key.type !== STRING)) return false;
    if (key.found) calls.touch(key);
    const length = encode(text);
    try {
      setString(key, scratch, 0, length, NO_DEADLINE);
    } catch (error) {
      if (error instanceof RegionFullError) return false;
      throw error;
    }
    calls.count(this.#set);
    return true;
  }

  /** @returns the sum; undefined if the call must go through the engine */
  incr(name: string): Int64 | undefined {
    const calls = this.#calls;
    if (calls.isUnusual(this.#incr) || calls.isFull()) return undefined;
    const key = calls.locate(name);
    if (key === undefined || !key.found || key.type !== STRING) return undefined;
    const old = key.integer;
    const sum = old === undefined ? undefined : addInt64(old, 1);
    if (sum === undefined) return undefined;
    calls.touch(key);
    setInteger(key, sum, key.deadline);
    calls.count(this.#incr);
    return sum;
  }
}
