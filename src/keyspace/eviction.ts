/**
 * Evictor: makes room by removing keys, when there is more data than `maxmemory` allows.
 *
 *     every command ─▶ over the limit? ─▶ makeRoom ─▶ evict ─▶ evict ─▶ ... ─▶ ROOM      the usual end
 *                                            │                          ├───▶ LATER     time is up: goes on in slices
 *                                            └──────────────────────────┴───▶ NO_ROOM   nothing may go: OOM
 *
 * Which key goes: `samples` keys are drawn (eviction-sampler.ts) and remembered in a pool (eviction-pool.ts), and the
 * best of the pool goes: that which was accessed longest ago, or least, or whose deadline is nearest.
 *
 * How long it takes: a command waits for `budgetMs` (maxmemory-eviction-tenacity), then goes on although the limit is
 * still exceeded, as in Redis, and the rest is done in slices. That alone would let memory grow if commands brought
 * more than is evicted in the meantime; so a command waits longer if the excess is larger than it was when a command
 * was last let go on. The excess is therefore never more than what one command has brought, and what one more brings; a
 * limit that is lowered by CONFIG SET counts as one.
 *
 * What is being freed in the background counts as used until it is free, but not as a reason to evict more: room that
 * is about to come is not made twice. What is free but for being taken back is taken back here.
 *
 * Owner thread only.
 */
import type { EvictionPolicy } from "../config/eviction-policies.ts";
import { NONE, type Ref } from "../memory/heap.ts";
import { BY_EVICTION } from "./cause.ts";
import { EvictionPool } from "./eviction-pool.ts";
import { ANY_SHARD, EvictionSampler } from "./eviction-sampler.ts";
import { Key } from "./key.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Shard } from "./shard.ts";

/** How an attempt to make room has ended. */
export type Outcome = number;
/** There is room. */
export const ROOM: Outcome = 0;
/** There is not yet room enough, and more could be made. */
export const LATER: Outcome = 1;
/** There is no room, and nothing that may be removed. */
export const NO_ROOM: Outcome = 2;

/** Draws for one eviction; more only where tables are all but empty. */
const DRAWS_MAX = 64;
/** Keys evicted between two looks at the time. */
const TIMED_EVERY = 16;
/** So many times between two evictions of all keys, the access clock may go on: finer steps gain nothing. */
const GENERATIONS = 32;
/** So much is removed where there is no room in one piece, or so many keys, if that takes too long. */
const SPACE_MIN = 256 * 1024;
const SPACE_KEYS = 1024;

/** What came of looking for a key to evict. */
type Finding = number;
const FOUND: Finding = 0;
/** There are keys that may go, but the draws have found none of them yet. */
const NOT_YET: Finding = 1;
const NOTHING: Finding = 2;

export class Evictor {
  /** maxmemory-samples. */
  samples = 5;
  readonly #keyspace: Keyspace;
  readonly #sampler: EvictionSampler;
  readonly #pool: EvictionPool;
  readonly #key: Key;
  #policy: EvictionPolicy = "noeviction";
  /** Bytes beyond the limit with which a command may go on when its time is up. */
  #allowance = Number.POSITIVE_INFINITY;
  /** Keys evicted since the access clock was asked to go on. */
  #sinceAdvance = 0;
  /** Milliseconds (performance.now) since when there has been no room; -1 while there is. */
  #exceededSince = -1;
  #exceededMs = 0;

  /** @param random uniform in [0, 1) */
  constructor(keyspace: Keyspace, random: () => number = Math.random) {
    this.#keyspace = keyspace;
    this.#sampler = new EvictionSampler(keyspace, random);
    this.#pool = new EvictionPool(keyspace);
    this.#key = new Key(keyspace.databases[0]!);
  }

  get policy(): EvictionPolicy {
    return this.#policy;
  }

  /** Takes effect at once; what entries are stamped with gets its new meaning as they are accessed, as in Redis. */
  set policy(policy: EvictionPolicy) {
    this.#policy = policy;
    this.#sampler.volatileOnly = policy.startsWith("volatile");
    this.#keyspace.access.countsAccesses = policy.endsWith("lfu");
    this.#pool.clear();
    for (const shard of this.#keyspace.shards) {
      shard.indexesVolatile = this.#sampler.volatileOnly;
      for (let index = 0; index < shard.dictionaries.length && !shard.indexesVolatile; index++) {
        shard.dropVolatileIndex(index);
      }
    }
    this.forgive();
  }

  /** Whether keys may be removed at all. */
  get evicts(): boolean {
    return this.#policy !== "noeviction";
  }

  /** Milliseconds during which the limit was exceeded, altogether. */
  get exceededMs(): number {
    return this.#exceededMs + this.exceedingMs;
  }

  /** Milliseconds since the limit is exceeded; 0 while it is not. */
  get exceedingMs(): number {
    return this.#exceededSince < 0 ? 0 : performance.now() - this.#exceededSince;
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.#exceededMs = 0;
    this.#exceededSince = -1;
  }

  /** The limit has changed: by how much it is exceeded now is nobody's fault. */
  forgive(): void {
    this.#allowance = Number.POSITIVE_INFINITY;
  }

  /**
   * Removes keys until no more than `limit` bytes are used.
   * @param budgetMs how long it may take, unless commands have brought more than was removed in the meantime
   */
  makeRoom(limit: number, budgetMs: number): Outcome {
    const end = performance.now() + budgetMs;
    this.#allowance = Math.min(this.#allowance, Math.max(0, this.#excess(limit)));
    let outcome = this.#evictWhile(limit, end);
    if (outcome === ROOM && this.#keyspace.chargedBytes > limit) outcome = this.#takeBack(limit, end);
    this.#note(outcome);
    if (outcome === ROOM) this.forgive();
    else this.#allowance = Math.min(this.#allowance, Math.max(0, this.#excess(limit)));
    return outcome;
  }

  /** There is none, and none can be made. */
  refuse(): Outcome {
    this.#note(NO_ROOM);
    return NO_ROOM;
  }

  /** There is room, whoever made it. */
  noteRoom(): void {
    if (this.#exceededSince < 0) return;
    this.#note(ROOM);
    this.forgive();
  }

  /**
   * Whether more should be evicted at once: not if there is room, nor if what is being freed will be room enough.
   */
  isDue(limit: number): boolean {
    return this.evicts && this.#excess(limit) > 0;
  }

  /** Goes on with what drawing volatile keys needs. @returns whether there is more to do */
  prepare(budgetMs: number): boolean {
    const end = performance.now() + budgetMs;
    while (this.#sampler.fill()) {
      if (performance.now() >= end) return true;
    }
    return false;
  }

  /**
   * Removes keys from a shard that has no room for `bytes` more, although the limit may not be reached: values of other
   * sizes than before leave gaps that they do not fit into.
   * @param budgetMs how long it may take, beyond what takes no time worth mentioning
   * @returns whether anything was removed, so that another attempt may succeed
   */
  makeSpace({ heap, index }: Shard, bytes: number, budgetMs: number): boolean {
    if (!this.evicts) return false;
    const end = performance.now() + budgetMs;
    const enough = heap.usedBytes - Math.max(SPACE_MIN, bytes * 2);
    let evicted = 0;
    this.#pool.clear();
    this.#sampler.only = index;
    while (!heap.hasRoomFor(bytes) && heap.usedBytes > enough && this.#evict() === FOUND) {
      evicted += 1;
      if (evicted >= SPACE_KEYS && performance.now() > end) break;
    }
    this.#sampler.only = ANY_SHARD;
    this.#pool.clear();
    while (this.#keyspace.releaser.turn(1) && performance.now() < end);
    return evicted > 0;
  }

  /** @param end when time is up, by performance.now() */
  #evictWhile(limit: number, end: number): Outcome {
    if (this.#excess(limit) <= 0) return ROOM;
    if (!this.evicts) return NO_ROOM;
    for (let count = 1; this.#excess(limit) > 0; count++) {
      const finding = this.#evict();
      if (finding === NOTHING) return NO_ROOM;
      if (finding === FOUND && count % TIMED_EVERY !== 0) continue;
      if (performance.now() < end) continue;
      // Nobody can say how long it takes to find one of the few that may go: that is never waited for.
      if (finding === NOT_YET || this.#excess(limit) <= this.#allowance) return LATER;
    }
    return ROOM;
  }

  /** Takes back what is about to be free. */
  #takeBack(limit: number, end: number): Outcome {
    const { releaser } = this.#keyspace;
    const left = end - performance.now();
    if (left > 0) releaser.turn(left);
    return this.#keyspace.chargedBytes <= limit ? ROOM : LATER;
  }

  /** Bytes beyond the limit once all is free that is to be freed. */
  #excess(limit: number): number {
    return this.#keyspace.chargedBytes - this.#keyspace.releaser.pendingBytes - limit;
  }

  #note(outcome: Outcome): void {
    const now = performance.now();
    if (outcome !== ROOM) {
      if (this.#exceededSince < 0) this.#exceededSince = now;
    } else if (this.#exceededSince >= 0) {
      this.#exceededMs += now - this.#exceededSince;
      this.#exceededSince = -1;
    }
  }

  /** Removes one key, as the policy says. */
  #evict(): Finding {
    const finding = this.#policy.endsWith("random") ? this.#findAtRandom() : this.#findBest();
    if (finding !== FOUND) return finding;
    this.#key.remove(BY_EVICTION);
    this.#sinceAdvance += 1;
    if (this.#sinceAdvance * GENERATIONS >= this.#sampler.candidates) {
      this.#sinceAdvance = 0;
      this.#keyspace.access.advance(this.#keyspace.clock.now());
    }
    return FOUND;
  }

  #findAtRandom(): Finding {
    const sampler = this.#sampler;
    if (!sampler.choose()) return NOTHING;
    const entry = sampler.drawOne();
    if (entry === NONE) return NOT_YET;
    this.#key.pointAt(this.#keyspace.databases[sampler.database]!, sampler.shard, entry, sampler.hashOf(entry));
    return FOUND;
  }

  #findBest(): Finding {
    const sampler = this.#sampler;
    const pool = this.#pool;
    if (!sampler.choose()) return NOTHING;
    const { entries } = sampler.shard;
    let seen = 0;
    for (let draw = 0; draw < DRAWS_MAX && seen < this.samples; draw++) {
      const count = sampler.draw();
      seen += count;
      for (let at = 0; at < count; at++) {
        const entry = sampler.entries[at]!;
        const stamp = entries.accessClock(entry);
        const score = this.#score(entry, stamp);
        if (pool.wants(score)) {
          pool.offer(sampler.shard.index, sampler.database, sampler.hashOf(entry), entry, stamp, score);
        }
      }
    }
    return pool.take(this.#key, sampler.volatileOnly) ? FOUND : NOT_YET;
  }

  /** The higher, the sooner the key should go; of one policy, comparable whenever it was seen. */
  #score(entry: Ref, stamp: number): number {
    const { access } = this.#keyspace;
    if (this.#policy === "volatile-ttl") return -Number(this.#sampler.shard.entries.deadline(entry));
    return access.countsAccesses ? -access.count(stamp) : access.age(stamp) - access.generation;
  }
}
