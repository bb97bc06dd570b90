/**
 * EvictionSampler: draws keys that may be evicted, a few at a time, in O(1) whatever the size of the store.
 *
 * First a table is chosen, of one database in one shard, by how many keys it has that may go; then some neighbouring
 * slots of it are looked at, for one wait for memory. Every slot is as likely as any other, so every key is; that
 * neighbours come together does not matter, because the hash that makes them neighbours knows nothing of their use.
 * Where only volatile keys may go, the table is the index of these (volatile-index.ts), made while it is asked.
 *
 * Owner thread only. What was drawn is good until a key is added or removed.
 */
import { NONE, type Ref } from "../memory/heap.ts";
import type { Dictionary } from "../structures/dictionary.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Shard } from "./shard.ts";
import type { VolatileIndex } from "./volatile-index.ts";

/** Slots looked at together: a line of the cache. */
const WINDOW = 8;
/** Slots that an index which is not complete looks through before each draw. */
const FILL_SLOTS = 64;
/** Draws that may miss before a key drawn by itself is given up for now. */
const MISSES_MAX = 64;

export const ANY_SHARD = -1;

export class EvictionSampler {
  /** Whether keys without a deadline stay. */
  volatileOnly = false;
  /** Draw from this shard only, by its index; ANY_SHARD for all. */
  only = ANY_SHARD;
  /** Keys that may go, as of the last choice of a table. */
  candidates = 0;
  /** The table chosen. */
  shard: Shard;
  database = 0;
  /** What `draw` has drawn. */
  readonly entries = new Int32Array(WINDOW);
  readonly #slots = new Int32Array(WINDOW);
  readonly #keyspace: Keyspace;
  readonly #random: () => number;

  /** @param random uniform in [0, 1) */
  constructor(keyspace: Keyspace, random: () => number) {
    this.#keyspace = keyspace;
    this.#random = random;
    this.shard = keyspace.shards[0]!;
  }

  /** Chooses a table. O(shards * databases), a counter each. @returns false if no key may go */
  choose(): boolean {
    const { shards, databases } = this.#keyspace;
    const first = this.only === ANY_SHARD ? 0 : this.only;
    const end = this.only === ANY_SHARD ? shards.length : first + 1;
    let total = 0;
    for (let index = first; index < end; index++) {
      const shard = shards[index]!;
      for (let database = 0; database < databases.length; database++) {
        const count = this.volatileOnly ? shard.volatileCount(database) : shard.dictionaries[database]!.count;
        if (count === 0) continue;
        total += count;
        if (count < total && this.#random() * total >= count) continue;
        this.shard = shard;
        this.database = database;
      }
    }
    this.candidates = total;
    return total > 0;
  }

  /** Draws some keys of the chosen table into `entries`. @returns how many; maybe none */
  draw(): number {
    const index = this.#index();
    const found = (index ?? this.#table).sampleSlots(this.#random, this.#slots);
    let count = 0;
    for (let at = 0; at < found; at++) {
      const slot = this.#slots[at]!;
      const entry = index === undefined ? this.#table.at(slot) : index.entryAt(slot);
      if (this.#mayGo(entry)) this.entries[count++] = entry;
    }
    return count;
  }

  /** One key of the chosen table, drawn uniformly; NONE if none was found in some attempts. */
  drawOne(): Ref {
    const index = this.#index();
    for (let misses = 0; misses < MISSES_MAX; misses++) {
      const entry = (index ?? this.#table).sample(this.#random);
      if (entry === NONE || this.#mayGo(entry)) return entry;
    }
    return NONE;
  }

  /** The hash of an entry's key. */
  hashOf(entry: Ref): number {
    const { entries } = this.shard;
    this.#keyspace.stagedFor = undefined;
    this.#keyspace.staged.stage(entries.bytes, entries.keyStart(entry), entries.keyLength(entry));
    return this.#keyspace.staged.hash;
  }

  /** Goes on looking for volatile keys where they are not all known. @returns whether there is more to look for */
  fill(): boolean {
    if (!this.volatileOnly) return false;
    for (const shard of this.#keyspace.shards) {
      for (let database = 0; database < shard.dictionaries.length; database++) {
        if (shard.volatileCount(database) === 0) continue;
        const index = shard.openVolatileIndex(database);
        if (index === undefined || index.isComplete) continue;
        index.fill(shard.dictionaries[database]!, FILL_SLOTS);
        return true;
      }
    }
    return false;
  }

  get #table(): Dictionary {
    return this.shard.dictionaries[this.database]!;
  }

  /** The index of the chosen table; undefined where none is needed, or where there is no room for one. */
  #index(): VolatileIndex | undefined {
    if (!this.volatileOnly) return undefined;
    const index = this.shard.openVolatileIndex(this.database);
    if (index !== undefined && !index.isComplete) index.fill(this.#table, FILL_SLOTS);
    return index;
  }

  #mayGo(entry: Ref): boolean {
    return !this.volatileOnly || this.shard.entries.hasDeadline(entry);
  }
}
