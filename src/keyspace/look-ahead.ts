/**
 * LookAhead: brings what the next requests of a pipeline will look up into the processor's cache, all of it at once.
 *
 * A lookup waits for memory twice: for the key's slot in the dictionary, then for its entry. One request after another
 * these waits add up to half the time of a GET. Here the same two loads are done for a batch of requests in two short
 * loops whose iterations do not depend on each other, so that the processor waits for many at a time. What is loaded is
 * a hint only: nothing is kept of it but hashes, which stay right whatever the requests before them change.
 *
 * Where the key turns out to be a large hash, set or sorted set, the same two waits lie before the request's member;
 * they are dealt with in the same way. Which argument is the member is guessed by the type of the collection: a wrong
 * guess loads what nobody needs.
 *
 * Owner thread only.
 */
import type { Arguments } from "../base/arguments.ts";
import { NONE } from "../memory/heap.ts";
import { TABLE, TREE } from "../structures/collection.ts";
import { homeIn } from "../structures/dictionary.ts";
import type { Database } from "./database.ts";
import { SORTED_SET, STRING, VALUE } from "./entry.ts";
import type { Keyspace } from "./keyspace.ts";
import { Shard } from "./shard.ts";

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
  readonly #hashes = new Int32Array(LOOK_AHEAD_MAX);
  readonly #slots = new Int32Array(LOOK_AHEAD_MAX);
  readonly #shards = new Int32Array(LOOK_AHEAD_MAX);
  /** The entries found, as indexes of words. */
  readonly #entries = new Int32Array(LOOK_AHEAD_MAX);
  /** What was loaded: loads that serve nothing would be optimized away. */
  sink = 0;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** Looks at the first keys of the first `count` requests (at most LOOK_AHEAD_MAX), in `database`. */
  warm(database: Database, requests: readonly Arguments[], count: number): void {
    if (count < LOOK_AHEAD_MIN) return;
    this.#findKeys(database, requests, count);
    this.sink ^= this.#load(count);
    if (this.#findMembers(requests, count)) this.sink ^= this.#load(count);
  }

  /** Computes the keys' hashes, and where each search will begin: at slot 0 if there is nothing to find. */
  #findKeys(database: Database, requests: readonly Arguments[], count: number): void {
    const { staged, shards, shardMask } = this.#keyspace;
    this.#keyspace.stagedFor = undefined;
    const { index } = database;
    for (let at = 0; at < count; at++) {
      const args = requests[at]!;
      this.#slots[at] = 0;
      if (args.count < 2 || args.lengths[1]! > KEY_MAX) continue;
      if (at > 0 && haveSameKey(args, requests[at - 1]!)) {
        this.#hashes[at] = this.#hashes[at - 1]!;
        this.#shards[at] = this.#shards[at - 1]!;
        this.#slots[at] = this.#slots[at - 1]!;
      } else {
        staged.stage(args.bytes, args.starts[1]!, args.lengths[1]!);
        const { hash } = staged;
        const shard = shards[hash & shardMask]!;
        this.#hashes[at] = hash;
        this.#shards[at] = hash & shardMask;
        this.#slots[at] = homeIn(shard.entries.words, Shard.dictionaryAt(shard.root, index), hash);
      }
      args.keyHash = this.#hashes[at]!;
      args.isHashed = true;
    }
  }

  /** As `#findKeys`, of the members of large collections. @returns whether there is any */
  #findMembers(requests: readonly Arguments[], count: number): boolean {
    const { member, shards } = this.#keyspace;
    member.expectNothing();
    let isAny = false;
    for (let at = 0; at < count; at++) {
      const entry = this.#entries[at]!;
      this.#slots[at] = 0;
      if (entry === 0) continue;
      const { words } = shards[this.#shards[at]!]!.entries;
      const type = words[entry]! & 15;
      const encoding = (words[entry]! >>> 4) & 15;
      if (type === STRING || (encoding !== TABLE && encoding !== TREE)) continue;
      const args = requests[at]!;
      const index = type === SORTED_SET && args.count > 3 ? 3 : 2;
      if (args.count <= index || args.lengths[index]! > KEY_MAX) continue;
      member.stage(args.bytes, args.starts[index]!, args.lengths[index]!);
      args.memberAt = index;
      args.memberHash = member.hash;
      this.#hashes[at] = member.hash;
      this.#slots[at] = homeIn(words, words[entry + (VALUE >>> 2)]!, member.hash);
      isAny = true;
    }
    return isAny;
  }

  /** Loads all slots, then all entries: the branches of the second loop depend on what the first has brought. */
  #load(count: number): number {
    const { shards } = this.#keyspace;
    let sum = 0;
    for (let at = 0; at < count; at++) {
      sum ^= shards[this.#shards[at]!]!.entries.words[this.#slots[at]!]!;
    }
    for (let at = 0; at < count; at++) {
      this.#entries[at] = 0;
      let slot = this.#slots[at]!;
      if (slot === 0) continue;
      const { words } = shards[this.#shards[at]!]!.entries;
      const hash = this.#hashes[at]!;
      const last = slot + PROBES_MAX * 2;
      while (slot < last && words[slot] !== hash && words[slot + 1] !== NONE) slot += 2;
      if (words[slot] !== hash || words[slot + 1] === NONE) continue;
      const entry = words[slot + 1]! >>> 2;
      this.#entries[at] = entry;
      sum ^= words[entry]! ^ words[entry + SECOND_LINE]!;
    }
    return sum;
  }
}

/**
 * Whether two requests, the second hashed, are for the same key: many pipelines fill or drain one collection. From the
 * end on, where different keys differ.
 */
function haveSameKey(args: Arguments, hashed: Arguments): boolean {
  const length = args.lengths[1]!;
  if (!hashed.isHashed || hashed.lengths[1] !== length) return false;
  const { bytes } = args;
  const start = args.starts[1]!;
  const other = hashed.starts[1]!;
  for (let index = length; --index >= 0; ) {
    if (bytes[start + index] !== bytes[other + index]) return false;
  }
  return true;
}
