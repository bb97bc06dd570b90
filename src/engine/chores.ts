/**
 * StoreChores: what there is to do in a store besides answering, in the words of the housekeeper, who knows when.
 *
 * Memory is also given back, and room made, while commands run, where nobody may be told of it: a listener may do
 * anything. So what was done is summed up, and told when the next slice is over.
 * Owner thread only.
 */
import type { Services } from "../commands/context.ts";
import type { Metrics } from "../monitoring/metrics.ts";
import type { Chores } from "./housekeeper.ts";
import type { MemoryLimit } from "./memory-limit.ts";

export class StoreChores implements Chores {
  readonly #services: Services;
  readonly #metrics: Metrics;
  readonly #memory: MemoryLimit;
  /** What has been given back, and not been told of. */
  readonly #freed = { objects: 0, bytes: 0, inline: 0, durationMs: 0 };
  /** What has expired, and not been told of: what was removed here, not what a lookup found. */
  readonly #expired = { keys: 0, fields: 0, durationMs: 0, isMore: false };
  /** Whether who listens has last been told that more is due. */
  #isMoreTold = false;
  /** Looks at the rules of a store's files in every round, and tells what became of them; set while it has any. */
  onRound: (() => void) | undefined;
  onSliceEnd: (() => void) | undefined;
  #toldEvictions = 0;
  #toldEvictionMs = 0;

  constructor(services: Services, metrics: Metrics, memory: MemoryLimit) {
    this.#memory = memory;
    this.#services = services;
    this.#metrics = metrics;
    services.keyspace.releaser.onFreed = (objects, bytes, inline, durationMs) => {
      const freed = this.#freed;
      freed.objects += objects;
      freed.bytes += bytes;
      freed.inline += inline;
      freed.durationMs += durationMs;
    };
  }

  clientCount(): number {
    return this.#services.clients.size;
  }

  commandCount(): number {
    return this.#services.statistics.totalCommands;
  }

  refresh(): void {
    this.#services.keyspace.tick();
    this.#services.statistics.tick(performance.now());
    this.onRound?.();
  }

  expire(budgetMs: number): boolean {
    const { keyspace, statistics, latency } = this.#services;
    const { expiredKeys, expiredFields } = keyspace;
    const begin = performance.now();
    const isMore = keyspace.expireDue(budgetMs);
    const durationMs = performance.now() - begin;
    const keys = keyspace.expiredKeys - expiredKeys;
    const fields = keyspace.expiredFields - expiredFields;
    statistics.expiryMs += durationMs;
    latency.add("expire-cycle", durationMs, keyspace.clock.now());
    const expired = this.#expired;
    expired.keys += keys;
    expired.fields += fields;
    expired.durationMs += durationMs;
    expired.isMore = isMore;
    return isMore;
  }

  release(budgetMs: number): boolean {
    return this.#services.keyspace.releaser.turn(budgetMs);
  }

  evict(budgetMs: number): boolean {
    return this.#memory.work(budgetMs);
  }

  tidy(budgetMs: number): boolean {
    const { keyspace, latency } = this.#services;
    const begin = performance.now();
    const isMore = keyspace.defragmenter.work(budgetMs);
    latency.add("active-defrag-cycle", performance.now() - begin, keyspace.clock.now());
    return isMore;
  }

  finish(sliceMs: number): void {
    const { statistics } = this.#services;
    statistics.longestSliceMs = Math.max(statistics.longestSliceMs, sliceMs);
    this.#tellOfExpiry();
    this.#tellOfLazyFree();
    this.#tellOfEviction();
    this.onSliceEnd?.();
  }

  #tellOfExpiry(): void {
    const { keys, fields, durationMs, isMore } = this.#expired;
    this.#expired.keys = 0;
    this.#expired.fields = 0;
    this.#expired.durationMs = 0;
    if (keys + fields === 0 && !this.#isMoreTold) return;
    const isWanted = this.#metrics.wants("expiry");
    this.#isMoreTold = isWanted && isMore;
    // A slice whose time is up does not know whether there is more: one that then finds nothing is told of, too.
    if (!isWanted || (keys + fields === 0 && isMore)) return;
    this.#metrics.emit({ type: "expiry", storeId: this.#metrics.storeId, durationMs, keys, fields, isMore });
  }

  #tellOfLazyFree(): void {
    const freed = this.#freed;
    if (freed.objects === 0) return;
    const { objects, bytes, inline, durationMs } = freed;
    freed.objects = 0;
    freed.bytes = 0;
    freed.inline = 0;
    freed.durationMs = 0;
    if (!this.#metrics.wants("lazyfree")) return;
    const { storeId } = this.#metrics;
    const { pendingObjects, pendingBytes } = this.#services.keyspace.releaser;
    this.#metrics.emit({
      type: "lazyfree",
      storeId,
      durationMs,
      objects,
      bytes,
      inline,
      pendingObjects,
      pendingBytes,
    });
  }

  #tellOfEviction(): void {
    const { evictedKeys } = this.#services.keyspace;
    // CONFIG RESETSTAT may have come in between.
    const keys = evictedKeys - (evictedKeys < this.#toldEvictions ? 0 : this.#toldEvictions);
    this.#toldEvictions = evictedKeys;
    const durationMs = this.#memory.busyMs - this.#toldEvictionMs;
    this.#toldEvictionMs = this.#memory.busyMs;
    if (keys === 0 || !this.#metrics.wants("eviction")) return;
    const { storeId } = this.#metrics;
    this.#metrics.emit({ type: "eviction", storeId, durationMs, keys, excessBytes: this.#memory.excessBytes });
  }
}
