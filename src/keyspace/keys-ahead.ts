/**
 * KeysAhead: the keys of requests that wait to be executed, hashed ahead of time, their slots and entries touched.
 *
 *     requests in the buffer   SET a …  GET b  GET c …        starts   [ 13, 40, 61 ]   where the keys begin
 *                                                              hashes   [ ha, hb, hc ]
 *
 * A key's slot and entry are seldom in the processor's cache, and a command that needs them waits for memory twice. One
 * command after the other, those waits add up. Touched in one tight loop for many keys they overlap: the processor has
 * several loads under way at once. The hash is needed for that, so it is kept for when the command runs.
 *
 * It is only a hint: a key that was not foreseen, or is gone by the time its command runs, costs nothing but the hint.
 * A hint holds for one position of one buffer, until `clear`; whoever refills the buffer clears first.
 * One per keyspace. Owner thread only.
 */
import { NONE } from "../memory/heap.ts";
import type { Shard } from "./shard.ts";

/** Requests looked at together: enough to overlap, few enough to stay in the first cache. */
export const AHEAD_MAX = 32;

export class KeysAhead {
  #bytes: Uint8Array | undefined;
  #count = 0;
  #next = 0;
  readonly #starts = new Int32Array(AHEAD_MAX);
  readonly #lengths = new Int32Array(AHEAD_MAX);
  readonly #hashes = new Int32Array(AHEAD_MAX);
  readonly #entries = new Int32Array(AHEAD_MAX);
  /** What was read while touching; kept so that the loads are not optimised away. */
  touched = 0;

  /** Forgets all hints: the buffer is about to change. */
  clear(): void {
    this.#count = 0;
    this.#next = 0;
  }

  /** Foresees the key at `start` of `bytes`; in ascending order, at most AHEAD_MAX between two calls of `clear`. */
  add(bytes: Uint8Array, start: number, length: number, hash: number): void {
    this.#bytes = bytes;
    this.#starts[this.#count] = start;
    this.#lengths[this.#count] = length;
    this.#hashes[this.#count] = hash;
    this.#count += 1;
  }

  /** Brings what the foreseen keys need into the cache: all slots, then all entries. */
  touch(shards: readonly Shard[], shardMask: number, database: number): void {
    const hashes = this.#hashes;
    const entries = this.#entries;
    const count = this.#count;
    for (let index = 0; index < count; index++) {
      const hash = hashes[index]!;
      const dictionary = shards[hash & shardMask]!.dictionaries[database]!;
      const slot = dictionary.seek(hash);
      entries[index] = slot === 0 ? NONE : dictionary.at(slot);
    }
    let touched = 0;
    for (let index = 0; index < count; index++) {
      touched ^= shards[hashes[index]! & shardMask]!.entries.words[entries[index]! >>> 2]!;
    }
    this.touched = touched;
  }

  /** Where the hint for the key at `start` stands, for `hashAt`; -1 if it was not foreseen. */
  find(bytes: Uint8Array, start: number, length: number): number {
    while (this.#next < this.#count && this.#starts[this.#next]! < start) this.#next += 1;
    const next = this.#next;
    if (next === this.#count || this.#starts[next] !== start) return -1;
    return this.#lengths[next] === length && this.#bytes === bytes ? next : -1;
  }

  hashAt(index: number): number {
    return this.#hashes[index]!;
  }
}
