/**
 * Defragmenter: moves small blocks out of sparse spans, so that these become empty and their pages are free for blocks
 * of other sizes.
 *
 *     span of 336 B blocks   [#..#....#.......]  ──┐
 *                            [##.####.########]  ◀─┘ the entry, or the value that it points at, is copied there; the
 *                                                    slot, or the entry, points at the copy; the sparse span empties
 *
 * Why it is needed: a span serves one size. Where the usual size of values changes, the spans of the old size are kept
 * by the few that have not gone; measured, a week of changing sizes brought pages in use to 2.3 times the data
 * (docs/memory.md). Where sizes stay the same, next to nothing is moved.
 *
 * How: a walk through all tables, in the order of SCAN. Every key's blocks are looked at: if the allocator has a span
 * of the same class that is at least as full, the block moves there (Heap.allocateDenser). Fuller spans get fuller,
 * sparse ones emptier, so one walk or two do; no lists of what is sparse have to be kept. Entries move, and values that
 * are one block: long strings, listpacks, intsets. The nodes of large collections stay.
 *
 * When: while pages in use exceed the data by more than `thresholdLower` percent and `ignoreBytes`, in slices, with a
 * share of the time between `cycleMin` and `cycleMax` percent; and not while a view is frozen, because every move would
 * copy two pages. A walk that moved next to nothing is followed by another only when there is more to win.
 *
 * Safe because nobody keeps an entry's ref beyond a command, but for the eviction pool, which asks the table again.
 * Between commands only. Owner thread only.
 */
import { copyBytes } from "../base/bytes.ts";
import { NONE, type Ref, RegionFullError } from "../memory/heap.ts";
import { INTSET } from "../structures/collection.ts";
import { SCAN_END } from "../structures/dictionary.ts";
import { EXTERNAL, STRING } from "./entry.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Shard } from "./shard.ts";

/** What the directives active-defrag-* say; percentages of the data, and of the time. */
export interface DefragmenterSettings {
  isOn: boolean;
  thresholdLower: number;
  thresholdUpper: number;
  ignoreBytes: number;
  cycleMin: number;
  cycleMax: number;
}

export function defaultDefragmenterSettings(): DefragmenterSettings {
  return {
    isOn: true,
    thresholdLower: 10,
    thresholdUpper: 100,
    ignoreBytes: 100 * 2 ** 20,
    cycleMin: 1,
    cycleMax: 25,
  };
}

/** Less waste than this part of a shard's region is not worth a walk, whatever `ignoreBytes` says of large stores. */
const IGNORED_PART = 1 / 16;
/** Slots of a table between two looks at the time. */
const TIMED_EVERY = 32;
/** So many are walked through at least where a region is full: some milliseconds' work. */
const HURRIED_SLOTS = 8192;
/** A walk that moves a smaller part of what it looks at has not been worth while ... */
const WORTHWHILE_PART = 1 / 64;
/** ... and the next waits until waste is that much larger, as a part of itself. */
const GROWTH = 1 / 8;
/** Time that may be saved up while nothing was done, in milliseconds. */
const CREDIT_MAX_MS = 25;

export class Defragmenter {
  readonly settings: DefragmenterSettings = defaultDefragmenterSettings();
  /** Blocks moved, and blocks looked at that stayed; and keys of which any block was, or none. */
  hits = 0;
  misses = 0;
  keyHits = 0;
  keyMisses = 0;
  /** Percent of the time that is being spent on it; 0 while there is nothing to do. */
  running = 0;
  readonly #keyspace: Keyspace;
  readonly #found: Ref[] = [];
  #isWalking = false;
  #shard = 0;
  #database = 0;
  #point = 0;
  /** Hits and misses as of the walk's beginning. */
  #hitsBefore = 0;
  #missesBefore = 0;
  /** Waste below which no walk is begun, because the last one could not help. */
  #hopelessBytes = 0;
  #creditMs = 0;
  #lastAt = performance.now();
  #startedAt = -1;
  #totalMs = 0;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** Milliseconds during which there was something to do, altogether; and since this time. */
  get totalMs(): number {
    return this.#totalMs + this.currentMs;
  }

  get currentMs(): number {
    return this.#startedAt < 0 ? 0 : performance.now() - this.#startedAt;
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.hits = 0;
    this.misses = 0;
    this.keyHits = 0;
    this.keyMisses = 0;
    this.#hitsBefore = 0;
    this.#missesBefore = 0;
    this.#totalMs = 0;
  }

  /**
   * Goes on, as far as the share of the time that it may have allows.
   * @param budgetMs milliseconds at the most, exceeded by some dozens of blocks
   * @returns whether it would go on at once
   */
  work(budgetMs: number): boolean {
    this.#decide();
    if (this.running === 0) return false;
    const now = performance.now();
    this.#creditMs = Math.min(CREDIT_MAX_MS, this.#creditMs + ((now - this.#lastAt) * this.running) / 100);
    this.#lastAt = now;
    if (this.#creditMs <= 0) return false;
    this.#walk(now + Math.min(budgetMs, this.#creditMs), TIMED_EVERY);
    this.#creditMs -= performance.now() - now;
    return this.#isWalking && this.#creditMs > 0;
  }

  /** Walks through one shard without regard to its share of the time: its region is full, and room is wanted now. */
  hurry({ index }: Shard, budgetMs: number): void {
    if (!this.settings.isOn || this.#isFrozen()) return;
    if (!this.#isWalking || this.#shard !== index) {
      this.#begin();
      this.#shard = index;
    }
    this.#walk(performance.now() + budgetMs, HURRIED_SLOTS, index);
  }

  /** Whether to walk, and with how much of the time. */
  #decide(): void {
    const { isOn, thresholdLower, thresholdUpper, cycleMin, cycleMax } = this.settings;
    const waste = this.#waste();
    const percent = (waste / Math.max(1, this.#keyspace.usedBytes)) * 100;
    const isWanted = isOn && !this.#isFrozen() && percent > thresholdLower && waste > this.#ignoredBytes();
    if (!isWanted || (!this.#isWalking && waste <= this.#hopelessBytes)) {
      this.#stop();
      return;
    }
    if (!this.#isWalking) this.#begin();
    const part = Math.min(1, (percent - thresholdLower) / Math.max(1, thresholdUpper - thresholdLower));
    this.running = Math.round(cycleMin + Math.max(0, cycleMax - cycleMin) * part);
    if (this.#startedAt >= 0) return;
    this.#startedAt = performance.now();
    this.#lastAt = this.#startedAt;
  }

  #begin(): void {
    this.#isWalking = true;
    this.#shard = 0;
    this.#database = 0;
    this.#point = 0;
    this.#hitsBefore = this.hits;
    this.#missesBefore = this.misses;
  }

  #stop(): void {
    this.running = 0;
    this.#isWalking = false;
    if (this.#startedAt < 0) return;
    this.#totalMs += performance.now() - this.#startedAt;
    this.#startedAt = -1;
  }

  /** Bytes of pages in use that hold nothing. */
  #waste(): number {
    let bytes = 0;
    for (const { heap } of this.#keyspace.shards) bytes += heap.activeBytes - heap.usedBytes;
    return bytes;
  }

  #ignoredBytes(): number {
    const { shards } = this.#keyspace;
    return Math.min(this.settings.ignoreBytes, shards[0]!.region.size * shards.length * IGNORED_PART);
  }

  #isFrozen(): boolean {
    return this.#keyspace.shards.some(({ region }) => region.frozen);
  }

  /**
   * @param end when time is up, by performance.now()
   * @param least slots that are walked through in any case
   * @param only the index of a shard behind which to stop
   */
  #walk(end: number, least: number, only = this.#keyspace.shards.length): void {
    const { shards, databases } = this.#keyspace;
    const collect = (entry: Ref): void => {
      this.#found.push(entry);
    };
    for (let steps = 1; this.#isWalking; steps++) {
      const shard = shards[this.#shard]!;
      this.#point = shard.dictionaries[this.#database]!.scan(this.#point, collect);
      for (let index = 0; index < this.#found.length; index++) this.#treat(shard, this.#found[index]!);
      this.#found.length = 0;
      if (this.#point === SCAN_END) {
        this.#point = 0;
        this.#database += 1;
        if (this.#database === databases.length) {
          this.#database = 0;
          this.#shard += 1;
        }
        if (this.#shard === shards.length) this.#finish();
        if (this.#shard > only) return;
      }
      if (steps % TIMED_EVERY === 0 && steps >= least && performance.now() >= end) return;
    }
  }

  #finish(): void {
    this.#isWalking = false;
    const hits = this.hits - this.#hitsBefore;
    const looks = hits + this.misses - this.#missesBefore;
    this.#hopelessBytes = hits < looks * WORTHWHILE_PART ? this.#waste() * (1 + GROWTH) : 0;
  }

  /** Moves what can be moved of one key. */
  #treat(shard: Shard, entry: Ref): void {
    const before = this.hits;
    this.#moveValue(shard, entry);
    this.#moveEntry(shard, entry);
    if (this.hits > before) this.keyHits += 1;
    else this.keyMisses += 1;
  }

  #moveValue(shard: Shard, entry: Ref): void {
    const { entries, heap } = shard;
    const type = entries.type(entry);
    const encoding = entries.encoding(entry);
    const isString = type === STRING;
    if (isString ? encoding !== EXTERNAL : encoding > INTSET) return;
    const ref = isString ? entries.extra(entry) : entries.value(entry);
    // A list's listpack floats in its block (structures/listpack-block.ts).
    const block = heap.blockOf(ref);
    const moved = this.#copy(shard, block, heap.sizeOf(block));
    if (moved === NONE) return;
    if (isString) entries.setExtra(entry, moved);
    else entries.setValue(entry, moved + (ref - block));
    heap.free(block);
  }

  #moveEntry(shard: Shard, entry: Ref): void {
    const { entries, heap } = shard;
    const moved = this.#copy(shard, entry, entries.size(entry));
    if (moved === NONE) return;
    try {
      shard.moveTimes(this.#database, entry, moved);
    } catch (error) {
      if (!(error instanceof RegionFullError)) throw error;
      heap.free(moved);
      return;
    }
    const dictionary = shard.dictionaries[this.#database]!;
    dictionary.replace(dictionary.slotOf(this.#hashOf(shard, entry), entry), moved);
    heap.free(entry);
  }

  /** A copy of a block's first `length` bytes in a fuller span; NONE if it had better stay. */
  #copy({ entries, heap, region }: Shard, block: Ref, length: number): Ref {
    const copy = heap.allocateDenser(block);
    if (copy === NONE) {
      this.misses += 1;
      return NONE;
    }
    this.hits += 1;
    region.guard(copy, length);
    copyBytes(entries.bytes, block, entries.bytes, copy, length);
    return copy;
  }

  #hashOf({ entries }: Shard, entry: Ref): number {
    const { staged } = this.#keyspace;
    this.#keyspace.stagedFor = undefined;
    staged.stage(entries.bytes, entries.keyStart(entry), entries.keyLength(entry));
    return staged.hash;
  }
}
