/**
 * FastPath: GET, SET and INCR of short keys, for a program that calls them millions of times a second.
 *
 * What it leaves out is the way through bytes: the key goes from the JavaScript string straight into the words that are
 * hashed and compared, the value from the region straight into a string. What it does to the keyspace is what the
 * commands do, through the same functions; what the engine does besides, it does too, or leaves to the engine.
 *
 * The rule: it takes a call only if nothing about it is unusual, and otherwise says so with nothing done and nothing
 * counted. Then the call goes through the engine, which knows of errors, types, memory limits and MONITOR, and which
 * also gets every SAMPLE_EVERYth call, in order to time it.
 *
 * SET is timed in each call elsewhere, because it may be slow; not here, where it never has much to write or to free.
 *
 * fast-path.test.ts proves that both ways give the same replies, data and counters.
 */
import { Slice } from "../base/bytes.ts";
import { addInt64, type Int64 } from "../base/int64.ts";
import { SHORT_TEXT_MAX, shortText } from "../base/short-text.ts";
import type { Command } from "../commands/command.ts";
import type { ClientContext } from "../engine/client-context.ts";
import type { Engine } from "../engine/engine.ts";
import { EMBEDDED, INLINE_MAX, NO_DEADLINE, STRING } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { setInteger, setString } from "../keyspace/strings.ts";
import { RegionFullError } from "../memory/heap.ts";
import { type CommandStatistics, SAMPLE_EVERY, type Statistics } from "../monitoring/statistics.ts";
import type { Core } from "./core.ts";

/** UTF-8 needs at most three bytes for a unit of a JavaScript string. */
const VALUE_UNITS_MAX = Math.floor(INLINE_MAX / 3);

/** Up to here a loop over the characters beats the call that encoding costs. */
const LOOP_UNITS_MAX = 32;
const ASCII_MAX = 0x7f;

const scratch = Buffer.alloc(INLINE_MAX);
const value = new Slice();

/** Encodes `text` as UTF-8 into the scratch. @returns how many bytes it has */
function encode(text: string): number {
  const { length } = text;
  if (length > LOOP_UNITS_MAX) return scratch.utf8Write(text, 0, INLINE_MAX);
  let all = 0;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    all |= unit;
    scratch[index] = unit;
  }
  return all <= ASCII_MAX ? length : scratch.utf8Write(text, 0, INLINE_MAX);
}

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
  readonly #core: Core;
  readonly #engine: Engine;
  readonly #statistics: Statistics;
  readonly #keyspace: Keyspace;
  readonly #context: ClientContext;
  readonly #get: Command;
  readonly #set: Command;
  readonly #incr: Command;
  readonly #getStatistics: CommandStatistics;
  readonly #setStatistics: CommandStatistics;
  readonly #incrStatistics: CommandStatistics;

  constructor(core: Core, context: ClientContext) {
    const { engine, services } = core.store;
    this.#core = core;
    this.#engine = engine;
    this.#statistics = services.statistics;
    this.#keyspace = services.keyspace;
    this.#context = context;
    this.#get = services.commands.byName("GET")!;
    this.#set = services.commands.byName("SET")!;
    this.#incr = services.commands.byName("INCR")!;
    this.#getStatistics = this.#statistics.of(this.#get.id);
    this.#setStatistics = this.#statistics.of(this.#set.id);
    this.#incrStatistics = this.#statistics.of(this.#incr.id);
  }

  /** @returns the value, null if there is none, undefined if the call must go through the engine */
  get(name: string): string | null | undefined {
    const statistics = this.#getStatistics;
    if (this.#isUnusual(statistics) || !this.#keyspace.staged.stageText(name)) return undefined;
    const key = this.#locate();
    if (!key.found) {
      this.#keyspace.misses += 1;
      this.#count(this.#get, statistics);
      return null;
    }
    if (key.type !== STRING) return undefined;
    this.#keyspace.hits += 1;
    this.#touch(key);
    this.#count(this.#get, statistics);
    return textOf(key);
  }

  /** @returns whether it is done; if not, the call must go through the engine */
  set(name: string, text: string): boolean {
    if (text.length > VALUE_UNITS_MAX) return false;
    const statistics = this.#setStatistics;
    if (this.#isUnusual(statistics) || this.#isFull() || !this.#keyspace.staged.stageText(name)) return false;
    const key = this.#locate();
    if (key.found && key.type !== STRING) return false;
    const length = encode(text);
    try {
      setString(key, scratch, 0, length, NO_DEADLINE);
    } catch (error) {
      if (error instanceof RegionFullError) return false;
      throw error;
    }
    this.#count(this.#set, statistics);
    return true;
  }

  /** @returns the sum; undefined if the call must go through the engine */
  incr(name: string): Int64 | undefined {
    const statistics = this.#incrStatistics;
    if (this.#isUnusual(statistics) || this.#isFull() || !this.#keyspace.staged.stageText(name)) return undefined;
    const key = this.#locate();
    if (!key.found || key.type !== STRING) return undefined;
    const old = key.integer;
    const sum = old === undefined ? undefined : addInt64(old, 1);
    if (sum === undefined) return undefined;
    setInteger(key, sum, key.deadline);
    this.#count(this.#incr, statistics);
    return sum;
  }

  #isUnusual({ calls }: CommandStatistics): boolean {
    if ((calls & (SAMPLE_EVERY - 1)) === 0 || this.#core.isClosed) return true;
    return this.#engine.monitors.size > 0 || this.#context.session.noTouch;
  }

  #isFull(): boolean {
    const { memoryLimit } = this.#engine;
    return memoryLimit > 0 && this.#keyspace.usedBytes > memoryLimit;
  }

  #locate(): Key {
    this.#keyspace.clock.forget();
    const { database } = this.#context;
    database.key.locateStaged(database);
    return database.key;
  }

  #touch(key: Key): void {
    key.shard.entries.touch(key.entry, this.#keyspace.accessClock);
  }

  #count(command: Command, statistics: CommandStatistics): void {
    statistics.calls += 1;
    this.#statistics.totalCommands += 1;
    const { session } = this.#context;
    if (session.lastCommand !== command.fullName) session.lastCommand = command.fullName;
  }
}
