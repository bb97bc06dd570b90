/**
 * LookAhead: brings what the next requests of a pipeline will look up into the processor's cache, all of it at once.
 *
 * A lookup waits for memory twice: for the key's slot in the dictionary, then for its entry. One request after another
 * these waits add up to half the time of a GET. Here the same two loads are done for a batch of requests in two short
 * loops whose iterations do not depend on each other, so that the processor waits for many at a time. What is loaded is
 * a hint only: nothing is kept of it but the key's hash, which stays right whatever the requests before it change.
 * Owner thread only.
 */
import type { Arguments } from "../base/arguments.ts";
import { NONE } from "../memory/heap.ts";
import type { Database } from "./database.ts";
import type { Keyspace } from "./keyspace.ts";

/** Requests looked at together: as many lines as the innermost cache holds beside everything else. */
export const LOOK_AHEAD_MAX = 32;
/** Fewer requests wait too little to pay for the loops. */
const LOOK_AHEAD_MIN = 4;
/** Longer keys are hashed when their turn comes. */
const KEY_MAX = 64;
/** So far a search is followed. */
const PROBES_MAX = 8;
/** Where an entry of the usual size reaches into a second cache line, in words. */
const SECOND_LINE = 11;

export class LookAhead {
  readonly #keyspace: Keyspace;
  readonly #slots = new Int32Array(LOOK_AHEAD_MAX);
  readonly #shards = new Int32Array(LOOK_AHEAD_MAX);
  /** What was loaded: loads that serve nothing would be optimized away. */
  sink = 0;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** Looks at the first keys of the first `count` requests (at most LOOK_AHEAD_MAX), in `database`. */
  warm(database: Database, requests: readonly Arguments[], count: number): void {
    if (count < LOOK_AHEAD_MIN) return;
    this.#findHomes(database, requests, count);
    this.sink ^= this.#load(requests, count);
  }

  /** Computes the hashes, and where each search will begin: at slot 0 if there is nothing to find. */
  #findHomes(database: Database, requests: readonly Arguments[], count: number): void {
    const { staged, shards, shardMask } = this.#keyspace;
    this.#keyspace.stagedFor = undefined;
    const { index } = database;
    for (let at = 0; at < count; at++) {
      const args = requests[at]!;
      this.#slots[at] = 0;
      if (args.count < 2 || args.lengths[1]! > KEY_MAX) continue;
      staged.stage(args.bytes, args.starts[1]!, args.lengths[1]!);
      const { hash } = staged;
      args.keyHash = hash;
      args.isHashed = true;
      this.#shards[at] = hash & shardMask;
      this.#slots[at] = shards[hash & shardMask]!.dictionaries[index]!.home(hash);
    }
  }

  /** Loads all slots, then all entries: the branches of the second loop depend on what the first has brought. */
  #load(requests: readonly Arguments[], count: number): number {
    const { shards } = this.#keyspace;
    let sum = 0;
    for (let at = 0; at < count; at++) {
      sum ^= shards[this.#shards[at]!]!.entries.words[this.#slots[at]!]!;
    }
    for (let at = 0; at < count; at++) {
      const { words } = shards[this.#shards[at]!]!.entries;
      const { keyHash } = requests[at]!;
      let slot = this.#slots[at]!;
      const last = slot + PROBES_MAX * 2;
      while (slot < last && words[slot] !== keyHash && words[slot + 1] !== NONE) slot += 2;
      const entry = words[slot + 1]! >>> 2;
      sum ^= words[entry]! ^ words[entry + SECOND_LINE]!;
    }
    return sum;
  }
}
