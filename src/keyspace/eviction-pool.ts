/**
 * EvictionPool: the best candidates for eviction that samples have brought up, kept from one eviction to the next.
 *
 *     row    shard | database | hash | ref | stamp | score        16 rows, the best last
 *
 * Why keep them: a few samples seldom hold one of the oldest keys, but those that do would be forgotten together with
 * the other candidates. With 16 rows kept, five samples are within a point of hit ratio of a true LRU.
 *
 * A row is a memory of a key, not a hold on it: the key may have gone, and its block be another key's, when it is its
 * turn. So a row counts only if the table still has that ref under that hash and the entry still has that stamp,
 * which it has not if the key was accessed in between. Nothing has to be told the pool when keys go, databases are
 * exchanged or regions renewed.
 *
 * Plain numbers on the JavaScript heap: their count does not grow with the data. Owner thread only.
 */
import type { Ref } from "../memory/heap.ts";
import type { Key } from "./key.ts";
import type { Keyspace } from "./keyspace.ts";

const ROWS = 16;

export class EvictionPool {
  readonly #keyspace: Keyspace;
  readonly #shards = new Int32Array(ROWS);
  readonly #databases = new Int32Array(ROWS);
  readonly #hashes = new Int32Array(ROWS);
  readonly #refs = new Int32Array(ROWS);
  readonly #stamps = new Int32Array(ROWS);
  readonly #scores = new Float64Array(ROWS);
  #count = 0;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  clear(): void {
    this.#count = 0;
  }

  /** Whether a key with this score would be kept. */
  wants(score: number): boolean {
    return this.#count < ROWS || score > this.#scores[0]!;
  }

  /**
   * Keeps a key, if the pool wants it.
   * @param score the higher, the sooner it should go; comparable with those of all rows
   */
  offer(shard: number, database: number, hash: number, ref: Ref, stamp: number, score: number): void {
    if (!this.wants(score)) return;
    const known = this.#find(shard, ref);
    if (known >= 0) {
      if (this.#stamps[known] === stamp && this.#hashes[known] === hash) return;
      this.#removeAt(known);
    }
    if (this.#count === ROWS) this.#removeAt(0);
    // Before its equals: of two that should go as soon as each other, the one known longer goes first.
    let at = this.#count;
    for (; at > 0 && this.#scores[at - 1]! >= score; at--) this.#move(at - 1, at);
    this.#count += 1;
    this.#shards[at] = shard;
    this.#databases[at] = database;
    this.#hashes[at] = hash;
    this.#refs[at] = ref;
    this.#stamps[at] = stamp;
    this.#scores[at] = score;
  }

  /**
   * Takes the best row that still counts, and points `key` at its key.
   * @param volatileOnly keys that have lost their deadline do not count
   * @returns whether there is one
   */
  take(key: Key, volatileOnly: boolean): boolean {
    const { shards, databases } = this.#keyspace;
    while (this.#count > 0) {
      this.#count -= 1;
      const at = this.#count;
      const shard = shards[this.#shards[at]!]!;
      const database = databases[this.#databases[at]!]!;
      const ref = this.#refs[at]!;
      const hash = this.#hashes[at]!;
      const dictionary = shard.dictionaries[database.index]!;
      if (dictionary.findSlot(hash, ref) === 0) continue;
      const { entries } = shard;
      if (entries.accessClock(ref) !== this.#stamps[at] || (volatileOnly && !entries.hasDeadline(ref))) continue;
      key.pointAt(database, shard, ref, hash);
      return true;
    }
    return false;
  }

  #find(shard: number, ref: Ref): number {
    for (let at = this.#count; --at >= 0; ) {
      if (this.#refs[at] === ref && this.#shards[at] === shard) return at;
    }
    return -1;
  }

  #removeAt(row: number): void {
    this.#count -= 1;
    for (let at = row; at < this.#count; at++) this.#move(at + 1, at);
  }

  #move(from: number, to: number): void {
    this.#shards[to] = this.#shards[from]!;
    this.#databases[to] = this.#databases[from]!;
    this.#hashes[to] = this.#hashes[from]!;
    this.#refs[to] = this.#refs[from]!;
    this.#stamps[to] = this.#stamps[from]!;
    this.#scores[to] = this.#scores[from]!;
  }
}
