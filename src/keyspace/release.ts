/**
 * Releaser: frees what dies, so that nobody waits for it. One a keyspace.
 *
 *     release ──small──▶ freed at once
 *        │
 *      large, O(1)
 *        ▼
 *     queue ──once a turn──▶ handover: the finder, on another thread, lists and links the blocks ──▶ spliced back here
 *        │
 *        └──too much pending, or no finder──▶ own: freed here, in slices bounded by time
 *
 * Large is what has more blocks than `thresholdBlocks`, or more bytes than `thresholdBytes`, as far as headers and a
 * few elements tell: docs/lazy-free.md has what freeing costs, and where handing over begins to pay. A string is never
 * large, however long it is: its bytes are one block, and freeing a run of pages is O(1). Nor is a collection of one
 * block.
 *
 * What waits counts as used memory until it is free: the heap's own figures say so, because its blocks are still
 * handed out. `pendingBytes` tells how much of that is only waiting.
 *
 * Without a port (a keyspace by itself, as tests and tools have it) everything is freed at once.
 *
 * Invariants: a value is in the queue, in the handover's batch, or in `own`, and in one of them only; pendingObjects
 * and pendingBytes are their sums. Owner thread only.
 */
import type { BufferHolder } from "../memory/discarded.ts";
import { NONE, type Ref } from "../memory/heap.ts";
import { type Estimate, INTSET } from "../structures/collection.ts";
import { BY_UNLINK, CAUSE_COUNT, type Cause } from "./cause.ts";
import { collectionType } from "./collection-types.ts";
import {
  BYTES,
  DATABASE,
  DeadValues,
  KIND,
  OBJECTS,
  ROOT,
  SHARD,
  VALUE_WORDS,
  walkCollection,
  walkDatabase,
  walkValue,
} from "./dead-values.ts";
import { EXTERNAL, STRING } from "./entry.ts";
import { ReleaseHandover } from "./release-handover.ts";
import { defaultReleaseLimits, type ReleaseLimits } from "./release-limits.ts";
import type { ReleasePort } from "./release-port.ts";
import type { Shard } from "./shard.ts";

/** Values that are posted together at most. */
const BATCH_VALUES = 512;
/** Milliseconds that are spent on what is pending where nobody said how many: when too much dies at once. */
const SLICE_MS = 1;

/** Told what has become free. `inline`: values that were freed here, not handed over. */
export type FreedListener = (objects: number, bytes: number, inline: number, durationMs: number) => void;

export class Releaser {
  readonly limits: ReleaseLimits = defaultReleaseLimits();
  /** By cause: whether such a value may be handed over. Whoever configures the store sets them; UNLINK always may. */
  readonly isLazy: boolean[] = new Array<boolean>(CAUSE_COUNT).fill(true);
  readonly handover: ReleaseHandover;
  port: ReleasePort | undefined;
  /** Lets the finder's thread give back what is discarded. */
  readonly holder: BufferHolder = {
    hold: (buffer) => {
      this.#heldCount += 1;
      const isHeld = this.port?.post({ kind: "hold", held: this.#heldCount, buffer }) === true;
      return isHeld ? this.#heldCount : undefined;
    },
    letGo: (held) => this.port?.post({ kind: "letGo", held }) === true,
  };
  onFreed: FreedListener | undefined;
  /** Bytes that are dead and not free yet, as estimated when they died. */
  pendingBytes = 0;
  pendingObjects = 0;
  /** Values freed after they had been pending, or with all of a store. */
  freedObjects = 0;
  /** Of those, values that were freed here, because they could not be handed over. */
  inlineFrees = 0;
  /** The longest that this thread was busy with what was pending, at a time. */
  longestSliceMs = 0;
  #heldCount = 0;
  readonly #shards: readonly Shard[];
  readonly #queue = new DeadValues();
  readonly #own = new DeadValues();
  /** How far the oldest value of `own` is. */
  #place = 0;
  readonly #estimate: Estimate = { blocks: 0, bytes: 0 };

  /** @param shards may still be filled */
  constructor(shards: readonly Shard[]) {
    this.#shards = shards;
    this.handover = new ReleaseHandover(shards);
  }

  /**
   * Takes over an entry that no table refers to any more, if its value is large. O(1)
   * @returns false if it did not: the caller frees it
   */
  take(shard: Shard, entry: Ref, cause: Cause): boolean {
    const { entries, heap } = shard;
    const encoding = entries.encoding(entry);
    const type = entries.type(entry);
    if (type === STRING || encoding <= INTSET || !this.#mayTake(cause)) return false;
    const root = entries.value(entry);
    collectionType(type).estimate(heap, encoding, root, this.#estimate);
    if (!this.#isLarge()) return false;
    heap.free(entry);
    this.#add(shard, type | (encoding << 4), root, 1);
    return true;
  }

  /** Does so with a collection that has no entry. */
  takeCollection(shard: Shard, type: number, encoding: number, root: Ref, cause: Cause): boolean {
    if (encoding <= INTSET || !this.#mayTake(cause)) return false;
    collectionType(type).estimate(shard.heap, encoding, root, this.#estimate);
    if (!this.#isLarge()) return false;
    this.#add(shard, type | (encoding << 4), root, 1);
    return true;
  }

  /**
   * Takes over all that a database has in one shard; its dictionary is empty then. O(1)
   * @param index the database
   * @returns false if it did not: there is little to free, or no room for the note of what there is
   */
  takeDatabase(shard: Shard, index: number): boolean {
    const dictionary = shard.dictionaries[index]!;
    const { count } = dictionary;
    if (this.port === undefined || count === 0) return false;
    dictionary.estimate((entry) => entryBytes(shard, entry), this.#estimate);
    if (!this.#isLarge()) return false;
    const root = dictionary.detach();
    if (root === NONE) return false;
    this.#add(shard, DATABASE, root, count);
    return true;
  }

  /** Hands over what is queued, if the finder is free: called once a turn of the event loop. */
  flush(): void {
    const { port } = this;
    if (port === undefined) return;
    this.handover.forget(port);
    const queue = this.#queue;
    if (queue.count === 0 || this.handover.isBusy) return;
    const values = queue.copy(BATCH_VALUES);
    queue.shift(values.length / VALUE_WORDS);
    if (!this.handover.send(port, values)) this.#keep(values);
  }

  /**
   * Frees what is ready to be freed here: what the finder is done with, and what was not handed over.
   * @param budgetMs milliseconds; exceeded by one step at the most, some hundred blocks
   * @returns whether there is more that could be done now
   */
  work(budgetMs: number): boolean {
    if (!this.isDue) return false;
    const begin = performance.now();
    const [objects, bytes] = [this.pendingObjects, this.pendingBytes];
    const inline = this.#own.count;
    const deadline = begin + budgetMs;
    const [batchBytes, batchObjects] = [this.handover.sum(BYTES), this.handover.sum(OBJECTS)];
    if (this.handover.takeBack(deadline)) {
      this.#count(batchObjects, batchBytes);
      this.flush();
    }
    this.#freeOwn(deadline);
    const durationMs = performance.now() - begin;
    this.longestSliceMs = Math.max(this.longestSliceMs, durationMs);
    if (this.pendingObjects < objects) {
      const freedHere = Math.max(0, inline - this.#own.count);
      this.onFreed?.(objects - this.pendingObjects, bytes - this.pendingBytes, freedHere, durationMs);
    }
    return this.isDue;
  }

  /** Whether `work` would find anything to do. */
  get isDue(): boolean {
    return this.#own.count > 0 || this.handover.isDue;
  }

  /** Both, in the order of a turn. @returns as `work` */
  turn(budgetMs: number): boolean {
    this.flush();
    return this.work(budgetMs);
  }

  /** The finder's thread has ended: what it had not listed is freed here. */
  recover(): void {
    this.#keep(this.handover.recover());
  }

  /**
   * Forgets all that is pending, because all regions are about to be emptied.
   * @returns whether they may be emptied where they are; otherwise they must be replaced
   */
  drop(): boolean {
    this.#count(this.pendingObjects, this.pendingBytes);
    this.#queue.clear();
    this.#own.clear();
    this.#place = 0;
    return this.handover.drop();
  }

  /** Blocks of a shard that are pending: what no table refers to, and is not free yet. O(all of them) */
  pendingBlocks(shard: Shard): number {
    const count = (values: Int32Array, at: number, place = 0): number => countBlocks(shard, values, at, place);
    let blocks = this.handover.pendingBlocks(shard, count);
    for (const [values, place] of [
      [this.#queue.copy(this.#queue.count), 0],
      [this.#own.copy(this.#own.count), this.#place],
    ] as const) {
      for (let at = 0; at < values.length; at += VALUE_WORDS) {
        if (values[at + SHARD] === shard.index) blocks += count(values, at, at === 0 ? place : 0);
      }
    }
    return blocks;
  }

  /** What CONFIG RESETSTAT resets. */
  resetStatistics(): void {
    this.freedObjects = 0;
    this.inlineFrees = 0;
    this.longestSliceMs = 0;
  }

  #mayTake(cause: Cause): boolean {
    return this.port !== undefined && (cause === BY_UNLINK || this.isLazy[cause]!);
  }

  #isLarge(): boolean {
    const { blocks, bytes } = this.#estimate;
    return blocks > this.limits.thresholdBlocks || bytes > this.limits.thresholdBytes;
  }

  #add(shard: Shard, kind: number, root: Ref, objects: number): void {
    // An element that is much longer than others, among the few that stand for all, must not promise what is not there.
    const bytes = Math.min(this.#estimate.bytes, shard.heap.usedBytes);
    const isTooMuch = this.pendingBytes > 0 && this.pendingBytes + bytes > this.limits.maxPendingBytes;
    this.handover.noteDeath(shard);
    this.pendingBytes += bytes;
    this.pendingObjects += objects;
    (isTooMuch ? this.#own : this.#queue).add(shard.index, kind, root, bytes, objects);
    if (isTooMuch) this.inlineFrees += 1;
    this.port!.arm();
    // A program that never lets its event loop turn, or one in whose turn much dies, goes on with what is pending here.
    if (this.#queue.count >= BATCH_VALUES || this.#own.count > 1) this.turn(SLICE_MS);
  }

  /** Values that cannot be handed over. */
  #keep(values: Int32Array): void {
    this.#own.addAll(values);
    this.inlineFrees += values.length / VALUE_WORDS;
  }

  #freeOwn(deadline: number): void {
    const own = this.#own;
    while (own.count > 0) {
      this.#place = this.#freeSome(this.#shards[own.front(SHARD)]!, own.front(KIND), own.front(ROOT), this.#place);
      if (this.#place === 0) {
        this.#count(own.front(OBJECTS), own.front(BYTES));
        own.shift(1);
      }
      if (performance.now() >= deadline) return;
    }
  }

  /** One step of freeing a value here. @returns the place to go on from, 0 at the end */
  #freeSome({ entries, heap, index }: Shard, kind: number, root: Ref, place: number): number {
    const free = (block: Ref): void => heap.free(block);
    if (kind !== DATABASE) return walkCollection(entries, kind, root, place, free);
    const freeEntry = (entry: Ref): void => {
      const type = entries.type(entry);
      const encoding = entries.encoding(entry);
      if (type === STRING || encoding <= INTSET) {
        entries.free(entry);
      } else {
        // It may be as large as the database itself: a value of its own, whose bytes and object are the database's.
        this.#own.add(index, type | (encoding << 4), entries.value(entry), 0, 0);
        heap.free(entry);
      }
    };
    return walkDatabase(entries, root, place, freeEntry, free);
  }

  #count(objects: number, bytes: number): void {
    this.pendingObjects -= objects;
    this.pendingBytes -= bytes;
    this.freedObjects += objects;
  }
}

/** Bytes of an entry and its value, collections estimated. */
function entryBytes({ entries, heap }: Shard, entry: Ref): number {
  const own = heap.sizeOf(entry);
  const type = entries.type(entry);
  const encoding = entries.encoding(entry);
  if (type === STRING) return own + (encoding === EXTERNAL ? heap.sizeOf(entries.extra(entry)) : 0);
  if (encoding <= INTSET) return own + collectionType(type).memoryUsage(heap, encoding, entries.value(entry), 1);
  const estimate: Estimate = { blocks: 0, bytes: 0 };
  collectionType(type).estimate(heap, encoding, entries.value(entry), estimate);
  return own + estimate.bytes;
}

/** Blocks of the value at a row of `values`, from `place` on. */
function countBlocks({ entries }: Shard, values: Int32Array, at: number, place: number): number {
  let blocks = 0;
  let from = place;
  do
    from = walkValue(entries, values[at + KIND]!, values[at + ROOT]!, from, () => {
      blocks += 1;
    });
  while (from !== 0);
  return blocks;
}
