/**
 * VolatileIndex: the keys of one database that have a deadline, in one shard, so that a few of them can be drawn at
 * random. Eviction by one of the volatile policies needs that; nobody else does, so it exists only where one is chosen.
 *
 *     header (a block)
 *     +0   dictionary header   hash of an entry's ref -> the entry
 *     +32  POINT               of the database's own dictionary: what lies before has been looked through
 *     +36  COMPLETE            1 if all volatile keys are in it
 *
 * Why an index, where the timing wheel has these keys too. A draw among all keys finds a volatile one in V/N of cases:
 * a walk of the table, if one key in 10,000 has a deadline. A draw from the wheel takes a slot and what stands at its
 * head, and slots hold from one key to millions: keys due soon would go first, or, where all have the same time to
 * live, those written last. A dictionary has a uniform draw in O(1) already, and finds a key to remove it in O(1); it
 * costs some 12 bytes a volatile key, about what Redis pays for each key with a deadline at all times.
 *
 * Made lazily: if keys are volatile already when the policy is chosen, they are looked for step by step, in the order
 * of SCAN, which misses none that stays. While it is incomplete, draws come from what has been found.
 *
 * A key that is missing is merely not drawn, so where the region has no room for another row, the index goes on without
 * and looks through the database again. A row for a key that has gone would be a mistake: `remove` never fails.
 *
 * Invariants (verify): every row is a volatile entry of its database; all are there if COMPLETE. Owner thread only.
 */
import { type Heap, type Ref, RegionFullError } from "../memory/heap.ts";
import { DICTIONARY_SIZE, Dictionary, SCAN_END, type Slot } from "../structures/dictionary.ts";
import type { Entries } from "./entry.ts";

const POINT = DICTIONARY_SIZE;
const COMPLETE = POINT + 4;
const HEADER_SIZE = COMPLETE + 4;

/** 2^32 over the golden ratio: spreads refs, which are multiples of 16, over the whole hash space. */
const SPREAD = 0x9e3779b1;

function hashOf(entry: Ref): number {
  return Math.imul(entry >>> 4, SPREAD);
}

/** A view of whichever index it was attached to last. */
export class VolatileIndex {
  readonly #heap: Heap;
  readonly #entries: Entries;
  readonly #rows: Dictionary;
  #header: Ref = 0;

  constructor(entries: Entries) {
    this.#entries = entries;
    this.#heap = entries.heap;
    this.#rows = new Dictionary(entries.heap, 0);
  }

  /** Makes an empty index. @param isComplete whether there are no volatile keys yet. @throws RegionFullError */
  create(isComplete: boolean): Ref {
    const header = this.#heap.allocateStructural(HEADER_SIZE);
    const { region } = this.#heap;
    for (let field = 0; field < HEADER_SIZE; field += 4) region.setWord(header + field, 0);
    region.setWord(header + COMPLETE, isComplete ? 1 : 0);
    return header;
  }

  attach(header: Ref): this {
    this.#header = header;
    this.#rows.attach(header);
    return this;
  }

  get count(): number {
    return this.#rows.count;
  }

  get isComplete(): boolean {
    return this.#heap.region.word(this.#header + COMPLETE) === 1;
  }

  /** Blocks of the index. */
  get blocks(): number {
    return 1 + (this.count > 0 ? this.#rows.segments + 1 : 0);
  }

  /** Adds an entry that is not in it. @returns whether there was room */
  add(entry: Ref): boolean {
    try {
      this.#rows.insert(hashOf(entry), entry);
      return true;
    } catch (error) {
      if (!(error instanceof RegionFullError)) throw error;
      this.#heap.region.setWord(this.#header + COMPLETE, 0);
      this.#heap.region.setWord(this.#header + POINT, 0);
      return false;
    }
  }

  /** Removes an entry, if it is in it. */
  remove(entry: Ref): void {
    const slot = this.#rows.seek(hashOf(entry));
    if (slot !== 0) this.#rows.remove(slot);
  }

  /**
   * Looks for volatile keys in `database`, in about `slots` slots of its table; at the end the index is complete.
   * O(slots)
   */
  fill(database: Dictionary, slots: number): void {
    const { region } = this.#heap;
    let point = region.word(this.#header + POINT) >>> 0;
    let isMissing = false;
    const add = (entry: Ref): void => {
      if (!this.#entries.hasDeadline(entry) || this.#rows.seek(hashOf(entry)) !== 0) return;
      if (!this.add(entry)) isMissing = true;
    };
    for (let slot = 0; slot < slots && point !== SCAN_END && !isMissing; slot++) point = database.scan(point, add);
    if (isMissing) return;
    region.setWord(this.#header + POINT, point === SCAN_END ? 0 : point | 0);
    if (point === SCAN_END) region.setWord(this.#header + COMPLETE, 1);
  }

  /** As Dictionary.sampleSlots. @returns how many of `into` `entryAt` may be asked for */
  sampleSlots(random: () => number, into: Int32Array): number {
    return this.#rows.sampleSlots(random, into);
  }

  /** An entry drawn uniformly, NONE if there is none. */
  sample(random: () => number): Ref {
    return this.#rows.sample(random);
  }

  entryAt(slot: Slot): Ref {
    return this.#rows.at(slot);
  }

  /** Gives its blocks back. */
  destroy(): void {
    this.#rows.clear();
    this.#heap.free(this.#header);
  }

  /** @param volatile all volatile entries of the database. @throws Error that names what is wrong */
  verify(volatile: ReadonlySet<Ref>): void {
    this.#rows.verify();
    let count = 0;
    this.#rows.forEach((entry) => {
      if (!volatile.has(entry)) throw new Error(`volatile index: ${entry} is no volatile key`);
      count += 1;
    });
    if (this.isComplete && count !== volatile.size) throw new Error("volatile index: incomplete, and does not say so");
  }
}
