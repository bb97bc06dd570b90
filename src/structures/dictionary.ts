/**
 * Dictionary: hash -> ref, growing and shrinking one small segment at a time (extendible hashing over the hash's high
 * bits, linear probing inside a segment).
 *
 *     header (32 B)                                directory: 2^DEPTH words: segment >>> 4 | its depth << 27
 *     +0   DIRECTORY     ref, NONE while empty     +---+---+---+---+
 *     +4   DEPTH         bits of the directory     | A | A | B | C |     A has depth 1, B and C have depth 2:
 *     +8   COUNT         refs stored               +---+---+---+---+     hashes 0… are in A, 10… in B, 11… in C
 *     +12  CAPACITY      slots of every segment
 *     +16  DEEPEST       segments of depth DEPTH   segment: +0 DEPTH  +4 COUNT  +8, +12 zero
 *     +20  SEGMENTS                                         +16 slots of { hash, ref }, ref NONE where empty
 *
 * Why not one table that doubles: its rehash is either a pause or two tables at once. Here a full segment is replaced by
 * two, some 540 slots' work; only the directory doubles, a copy of one word a segment. A slot holds the whole hash, so
 * that splitting never touches what the refs stand for, and a lookup seldom touches a wrong one.
 *
 * A small dictionary has one segment, which doubles until it has SEGMENT_SLOTS.
 *
 * Position: a hash's high DEPTH bits choose the segment, the next 16 its home slot, scaled to the capacity. So homes rise
 * with hashes, throughout the table: the table is in hash order but for probing. That is what makes SCAN simple: a
 * cursor is a point of the hash space, every key has its fixed place there, and all keys homed between two points are
 * found however the table was split, merged or resized in between (see `scan`).
 *
 * The dictionary knows hashes and refs; what a ref stands for, and whether it is the key looked for, is its user's.
 *
 * Invariants (verify): each slot's hash belongs to its segment and is reachable from its home without an empty slot
 * between; counts add up; DEEPEST > 0 unless DEPTH is 0. Owner thread only; another thread walks it through a
 * FreezeReader (frozen-dictionary.ts).
 */
import { Heap, NONE, type Ref, RegionFullError } from "../memory/heap.ts";

export const DICTIONARY_SIZE = 32;
export const DIRECTORY = 0;
export const DEPTH = 4;
export const COUNT = 8;
export const CAPACITY = 12;
const DEEPEST = 16;
const SEGMENTS = 20;

export const SEGMENT_HEADER_SIZE = 16;
const SEGMENT_DEPTH = 0;
const SEGMENT_COUNT = 4;
export const SLOT_SIZE = 8;

/** Slots for which a segment is first made, and up to which one segment grows before it splits. */
const FIRST_SLOTS = 8;
const SEGMENT_SLOTS = 542;
/** More keys than a segment holds cannot share this many leading hash bits, but for an attacker who knows the seed. */
const DEPTH_MAX = 24;

/** A slot's word index; 0 stands for none. */
export type Slot = number;

export class Dictionary {
  readonly #heap: Heap;
  readonly #words: Int32Array;
  #header: Ref;

  /** Opens the dictionary whose header stands at `header`: all zeros is an empty one. */
  constructor(heap: Heap, header: Ref) {
    this.#heap = heap;
    this.#words = heap.region.words;
    this.#header = header;
  }

  get count(): number {
    return this.#words[(this.#header + COUNT) >>> 2]!;
  }

  /** Segments there are: the size of the table for statistics is this times `capacity`. */
  get segments(): number {
    return this.#words[(this.#header + SEGMENTS) >>> 2]!;
  }

  get capacity(): number {
    return this.#words[(this.#header + CAPACITY) >>> 2]!;
  }

  /** The first slot from `hash`'s home that holds this very hash, or 0. */
  seek(hash: number): Slot {
    const words = this.#words;
    const header = this.#header >>> 2;
    const directory = words[header]!;
    if (directory === NONE) return 0;
    const depth = words[header + (DEPTH >>> 2)]!;
    const capacity = words[header + (CAPACITY >>> 2)]!;
    // The word has the segment's depth too: a lookup needs the slot's cache line only, not the segment's first.
    const word = words[(directory >>> 2) + (depth === 0 ? 0 : hash >>> (32 - depth))]!;
    const begin = (segmentIn(word) + SEGMENT_HEADER_SIZE) >>> 2;
    const end = begin + (capacity << 1);
    let slot = begin + (((((hash << (word >>> 27)) >>> 16) * capacity) >>> 16) << 1);
    while (words[slot + 1] !== NONE) {
      if (words[slot] === hash) return slot;
      slot += 2;
      if (slot === end) slot = begin;
    }
    return 0;
  }

  /** The next slot behind `slot` that holds `hash`, or 0: for the rare keys whose hashes are equal. */
  seekNext(slot: Slot, hash: number): Slot {
    const words = this.#words;
    const begin = (this.#segmentOf(hash) + SEGMENT_HEADER_SIZE) >>> 2;
    const end = begin + (this.capacity << 1);
    for (let next = slot + 2; ; next += 2) {
      if (next === end) next = begin;
      if (words[next + 1] === NONE) return 0;
      if (words[next] === hash) return next;
    }
  }

  /** What the slot refers to. */
  at(slot: Slot): Ref {
    return this.#words[slot + 1]!;
  }

  /** The hash that the slot holds. */
  hashAt(slot: Slot): number {
    return this.#words[slot]!;
  }

  /** Makes an occupied slot refer to something else of the same key. */
  replace(slot: Slot, ref: Ref): void {
    this.#heap.region.setWord((slot + 1) << 2, ref);
  }

  /**
   * Adds a ref; that its key is absent is the caller's to know.
   * @throws RegionFullError when no room can be made; the dictionary is as it was
   */
  insert(hash: number, ref: Ref): void {
    if (this.#words[this.#header >>> 2] === NONE) this.#create(FIRST_SLOTS);
    let segment = this.#segmentOf(hash);
    if (this.#words[(segment + SEGMENT_COUNT) >>> 2]! >= this.#limit()) {
      this.#makeRoom(hash);
      segment = this.#segmentOf(hash);
    }
    const { region } = this.#heap;
    this.#place(segment, hash, ref);
    region.setWord(segment + SEGMENT_COUNT, region.word(segment + SEGMENT_COUNT) + 1);
    region.setWord(this.#header + COUNT, this.count + 1);
  }

  /** Empties an occupied slot, closing the gap that would cut off what was probed past it. Slots may move. */
  remove(slot: Slot): void {
    const { region } = this.#heap;
    const hash = this.#words[slot]!;
    const segment = this.#segmentOf(hash);
    this.#closeGap(segment, slot);
    const left = region.word(segment + SEGMENT_COUNT) - 1;
    region.setWord(segment + SEGMENT_COUNT, left);
    region.setWord(this.#header + COUNT, this.count - 1);
    if (left < this.capacity >>> 3) this.#shrink(hash, segment, left);
  }

  /**
   * Visits every ref homed in the slot that `cursor` falls into.
   * @param cursor a point of the hash space, 0 … 2^32 - 1; 0 begins
   * @returns the cursor to go on from; 2^32 at the end
   *
   * A key present from a walk's first call to its last is visited: calls cover the hash space from 0 to the end without a
   * gap, whatever the table does in between, because a home slot is an interval of that space and the next cursor is
   * exactly its end. A cursor that falls inside an interval, after the table has shrunk, visits the interval's
   * beginning again: keys may come twice, as in Redis.
   */
  scan(cursor: number, visit: (ref: Ref) => void): number {
    const words = this.#words;
    if (words[this.#header >>> 2] === NONE) return 2 ** 32;
    const hash = cursor | 0;
    const segment = this.#segmentOf(hash);
    const depth = words[(segment + SEGMENT_DEPTH) >>> 2]!;
    const capacity = this.capacity;
    const begin = (segment + SEGMENT_HEADER_SIZE) >>> 2;
    const end = begin + (capacity << 1);
    const home = (((hash << depth) >>> 16) * capacity) >>> 16;
    for (let slot = begin + (home << 1); words[slot + 1] !== NONE; ) {
      if ((((words[slot]! << depth) >>> 16) * capacity) >>> 16 === home) visit(words[slot + 1]!);
      slot += 2;
      if (slot === end) slot = begin;
    }
    const width = 2 ** (32 - depth);
    const start = Math.floor(cursor / width) * width;
    if (home + 1 === capacity) return start + width;
    return start + Math.ceil(Math.ceil(((home + 1) * 65536) / capacity) * 2 ** (16 - depth));
  }

  /**
   * A ref chosen uniformly, or NONE when there is none.
   * @param random uniform in [0, 1)
   */
  sample(random: () => number): Ref {
    if (this.count === 0) return NONE;
    const words = this.#words;
    const depth = words[(this.#header + DEPTH) >>> 2]!;
    const directory = words[this.#header >>> 2]! >>> 2;
    for (;;) {
      // A segment of small depth has many directory words; only the first counts, so all segments are equally likely.
      const index = Math.floor(random() * 2 ** depth);
      const segment = segmentIn(words[directory + index]!);
      if (index % 2 ** (depth - words[(segment + SEGMENT_DEPTH) >>> 2]!) !== 0) continue;
      const slot = ((segment + SEGMENT_HEADER_SIZE) >>> 2) + Math.floor(random() * this.capacity) * 2;
      const ref = words[slot + 1]!;
      if (ref !== NONE) return ref;
    }
  }

  /** Visits every ref, in table order; the dictionary must not change meanwhile. */
  forEach(visit: (ref: Ref, hash: number) => void): void {
    const words = this.#words;
    this.#forEachSegment((segment) => {
      const begin = (segment + SEGMENT_HEADER_SIZE) >>> 2;
      const end = begin + (this.capacity << 1);
      for (let slot = begin; slot < end; slot += 2) {
        if (words[slot + 1] !== NONE) visit(words[slot + 1]!, words[slot]!);
      }
    });
  }

  /** Gives all tables back; the refs are the caller's to have freed. */
  clear(): void {
    const { region } = this.#heap;
    if (region.word(this.#header + DIRECTORY) === NONE) return;
    const segments: Ref[] = [];
    this.#forEachSegment((segment) => segments.push(segment));
    for (const segment of segments) this.#heap.free(segment);
    this.#heap.free(region.word(this.#header + DIRECTORY));
    region.guard(this.#header, DICTIONARY_SIZE);
    this.#words.fill(0, this.#header >>> 2, (this.#header + DICTIONARY_SIZE) >>> 2);
  }

  /** Checks the invariants of the opening comment. @throws Error that names what is wrong */
  verify(): void {
    const { region } = this.#heap;
    const depth = region.word(this.#header + DEPTH);
    let count = 0;
    let segments = 0;
    let deepest = 0;
    this.#forEachSegment((segment, index) => {
      const own = region.word(segment + SEGMENT_DEPTH);
      const copies = 2 ** (depth - own);
      if (own > depth || index % copies !== 0) throw new Error(`dictionary: segment ${segment} stands at ${index}`);
      const directory = region.word(this.#header + DIRECTORY);
      for (let copy = 0; copy < copies; copy++) {
        if (region.word(directory + (index + copy) * 4) !== wordFor(segment, own)) throw new Error(`dictionary: directory ${index}`);
      }
      count += this.#verifySegment(segment, index);
      segments += 1;
      if (own === depth) deepest += 1;
    });
    if (count !== this.count) throw new Error(`dictionary: COUNT ${this.count} != ${count}`);
    if (segments !== this.segments) throw new Error(`dictionary: SEGMENTS ${this.segments} != ${segments}`);
    if (deepest !== region.word(this.#header + DEEPEST)) throw new Error("dictionary: DEEPEST is wrong");
    if (depth > 0 && deepest === 0) throw new Error("dictionary: the directory is larger than it need be");
  }

  #verifySegment(segment: Ref, index: number): number {
    const { region } = this.#heap;
    const depth = region.word(this.#header + DEPTH);
    const own = region.word(segment + SEGMENT_DEPTH);
    let count = 0;
    for (let place = 0; place < this.capacity; place++) {
      const at = segment + SEGMENT_HEADER_SIZE + place * SLOT_SIZE;
      if (region.word(at + 4) === NONE) continue;
      count += 1;
      const hash = region.word(at);
      if (own > 0 && hash >>> (32 - own) !== index >>> (depth - own)) throw new Error("dictionary: hash in wrong segment");
      for (let probe = (((hash << own) >>> 16) * this.capacity) >>> 16; probe !== place; probe = (probe + 1) % this.capacity) {
        if (region.word(segment + SEGMENT_HEADER_SIZE + probe * SLOT_SIZE + 4) === NONE) {
          throw new Error(`dictionary: slot ${place} of segment ${segment} is cut off from its home`);
        }
      }
    }
    if (count !== region.word(segment + SEGMENT_COUNT)) throw new Error(`dictionary: segment ${segment} has ${count}`);
    if (count >= this.capacity) throw new Error(`dictionary: segment ${segment} has no empty slot`);
    return count;
  }

  #forEachSegment(visit: (segment: Ref, index: number) => void): void {
    const { region } = this.#heap;
    const directory = region.word(this.#header + DIRECTORY);
    if (directory === NONE) return;
    const depth = region.word(this.#header + DEPTH);
    for (let index = 0; index < 2 ** depth; ) {
      const segment = segmentIn(region.word(directory + index * 4));
      const next = index + 2 ** (depth - region.word(segment + SEGMENT_DEPTH));
      visit(segment, index);
      index = next;
    }
  }

  #segmentOf(hash: number): Ref {
    const words = this.#words;
    const header = this.#header >>> 2;
    const depth = words[header + (DEPTH >>> 2)]!;
    return segmentIn(words[(words[header]! >>> 2) + (depth === 0 ? 0 : hash >>> (32 - depth))]!);
  }

  /** Refs a segment holds before it is split: four fifths, where linear probing is still short. */
  #limit(): number {
    return Math.floor(this.capacity * 0.8);
  }

  #place(segment: Ref, hash: number, ref: Ref): void {
    const words = this.#words;
    const capacity = this.capacity;
    const begin = (segment + SEGMENT_HEADER_SIZE) >>> 2;
    const end = begin + (capacity << 1);
    const depth = words[(segment + SEGMENT_DEPTH) >>> 2]!;
    let slot = begin + (((((hash << depth) >>> 16) * capacity) >>> 16) << 1);
    while (words[slot + 1] !== NONE) {
      slot += 2;
      if (slot === end) slot = begin;
    }
    this.#heap.region.guard(slot << 2, SLOT_SIZE);
    words[slot] = hash;
    words[slot + 1] = ref;
  }

  #closeGap(segment: Ref, gap: Slot): void {
    const words = this.#words;
    const capacity = this.capacity;
    const depth = words[(segment + SEGMENT_DEPTH) >>> 2]!;
    const begin = (segment + SEGMENT_HEADER_SIZE) >>> 2;
    const { region } = this.#heap;
    let empty = (gap - begin) >>> 1;
    for (let place = (empty + 1) % capacity; words[begin + place * 2 + 1] !== NONE; place = (place + 1) % capacity) {
      const hash = words[begin + place * 2]!;
      const home = (((hash << depth) >>> 16) * capacity) >>> 16;
      // It may move back to the gap if that does not put it before its home.
      if ((place - home + capacity) % capacity < (place - empty + capacity) % capacity) continue;
      region.guard((begin + empty * 2) << 2, SLOT_SIZE);
      words[begin + empty * 2] = hash;
      words[begin + empty * 2 + 1] = words[begin + place * 2 + 1]!;
      empty = place;
    }
    region.guard((begin + empty * 2) << 2, SLOT_SIZE);
    words[begin + empty * 2] = 0;
    words[begin + empty * 2 + 1] = NONE;
  }

  #create(slots: number): void {
    const heap = this.#heap;
    const directory = heap.allocateStructural(4);
    const segment = this.#tryAllocate(SEGMENT_HEADER_SIZE + slots * SLOT_SIZE);
    if (segment === NONE) {
      heap.free(directory);
      throw new RegionFullError("no room for a dictionary");
    }
    const { region } = heap;
    region.setWord(this.#header + CAPACITY, Math.min(slotsOf(heap.sizeOf(segment)), SEGMENT_SLOTS));
    this.#format(segment, 0);
    region.setWord(directory, wordFor(segment, 0));
    region.setWord(this.#header + DIRECTORY, directory);
    region.setWord(this.#header + DEPTH, 0);
    region.setWord(this.#header + DEEPEST, 1);
    region.setWord(this.#header + SEGMENTS, 1);
  }

  #format(segment: Ref, depth: number): void {
    const size = SEGMENT_HEADER_SIZE + this.capacity * SLOT_SIZE;
    this.#heap.region.guard(segment, size);
    this.#words.fill(0, segment >>> 2, (segment + size) >>> 2);
    this.#words[(segment + SEGMENT_DEPTH) >>> 2] = depth;
  }

  #tryAllocate(size: number): Ref {
    try {
      return this.#heap.allocateStructural(size);
    } catch (error) {
      if (error instanceof RegionFullError) return NONE;
      throw error;
    }
  }

  /** Splits or enlarges the segment of `hash`; where memory forbids that, makes do while a slot stays empty. */
  #makeRoom(hash: number): void {
    for (;;) {
      const segment = this.#segmentOf(hash);
      const count = this.#words[(segment + SEGMENT_COUNT) >>> 2]!;
      if (count < this.#limit()) return;
      const done = this.capacity < SEGMENT_SLOTS ? this.#resize(this.capacity * 2) : this.#split(hash, segment);
      if (done) continue;
      if (count + 1 < this.capacity) return;
      throw new RegionFullError("no room to split a dictionary's segment");
    }
  }

  /** Replaces the only segment by one of about `slots` slots. */
  #resize(slots: number): boolean {
    const { region } = this.#heap;
    const old = this.#segmentOf(0);
    const oldCapacity = this.capacity;
    const wanted = SEGMENT_HEADER_SIZE + Math.min(slots, SEGMENT_SLOTS) * SLOT_SIZE;
    const segment = this.#tryAllocate(wanted);
    if (segment === NONE) return false;
    region.setWord(this.#header + CAPACITY, Math.min(slotsOf(this.#heap.sizeOf(segment)), SEGMENT_SLOTS));
    this.#format(segment, 0);
    this.#moveAll(old, oldCapacity, segment, segment, 0);
    region.setWord(region.word(this.#header + DIRECTORY), wordFor(segment, 0));
    this.#heap.free(old);
    return true;
  }

  #split(hash: number, old: Ref): boolean {
    const { region } = this.#heap;
    const own = region.word(old + SEGMENT_DEPTH);
    if (own >= DEPTH_MAX) return false;
    if (own === region.word(this.#header + DEPTH) && !this.#doubleDirectory()) return false;
    const size = SEGMENT_HEADER_SIZE + this.capacity * SLOT_SIZE;
    const low = this.#tryAllocate(size);
    const high = low === NONE ? NONE : this.#tryAllocate(size);
    if (high === NONE) {
      if (low !== NONE) this.#heap.free(low);
      this.#halveDirectories();
      return false;
    }
    this.#format(low, own + 1);
    this.#format(high, own + 1);
    this.#moveAll(old, this.capacity, low, high, own);
    const depth = region.word(this.#header + DEPTH);
    const copies = 2 ** (depth - own);
    const first = own === 0 ? 0 : (hash >>> (32 - own)) * copies;
    this.#point(first, copies / 2, low);
    this.#point(first + copies / 2, copies / 2, high);
    region.setWord(this.#header + SEGMENTS, this.segments + 1);
    if (own + 1 === depth) region.setWord(this.#header + DEEPEST, region.word(this.#header + DEEPEST) + 2);
    this.#heap.free(old);
    return true;
  }

  /** Moves what `old` holds to `low` or, where the bit behind the first `bit` is set, to `high`. */
  #moveAll(old: Ref, oldCapacity: number, low: Ref, high: Ref, bit: number): void {
    const words = this.#words;
    const { region } = this.#heap;
    let highCount = 0;
    let count = 0;
    const begin = (old + SEGMENT_HEADER_SIZE) >>> 2;
    for (let slot = begin; slot < begin + oldCapacity * 2; slot += 2) {
      if (words[slot + 1] === NONE) continue;
      const hash = words[slot]!;
      const isHigh = ((hash << bit) & 0x80000000) !== 0;
      this.#place(isHigh ? high : low, hash, words[slot + 1]!);
      count += 1;
      if (isHigh) highCount += 1;
    }
    region.setWord(low + SEGMENT_COUNT, low === high ? count : count - highCount);
    if (low !== high) region.setWord(high + SEGMENT_COUNT, highCount);
  }

  #point(first: number, copies: number, segment: Ref): void {
    const at = this.#heap.region.word(this.#header + DIRECTORY) + first * 4;
    this.#heap.region.guard(at, copies * 4);
    const word = wordFor(segment, this.#heap.region.word(segment + SEGMENT_DEPTH));
    this.#words.fill(word, at >>> 2, (at >>> 2) + copies);
  }

  #doubleDirectory(): boolean {
    const { region } = this.#heap;
    const words = this.#words;
    const old = region.word(this.#header + DIRECTORY);
    const depth = region.word(this.#header + DEPTH);
    const length = 2 ** depth;
    const directory = this.#tryAllocate(length * 8);
    if (directory === NONE) return false;
    region.guard(directory, length * 8);
    for (let index = 0; index < length; index++) {
      const word = words[(old >>> 2) + index]!;
      words[(directory >>> 2) + index * 2] = word;
      words[(directory >>> 2) + index * 2 + 1] = word;
    }
    region.setWord(this.#header + DIRECTORY, directory);
    region.setWord(this.#header + DEPTH, depth + 1);
    region.setWord(this.#header + DEEPEST, 0);
    this.#heap.free(old);
    return true;
  }

  /** After a removal left `left` refs in the segment: merge it with its sibling, make it smaller, or drop everything. */
  #shrink(hash: number, segment: Ref, left: number): void {
    if (this.count === 0) this.clear();
    else if (this.segments > 1) this.#merge(hash, segment, left);
    else if (this.capacity > FIRST_SLOTS * 2 && this.#words[(this.#header + DEPTH) >>> 2] === 0) this.#resize(Math.max(FIRST_SLOTS, left * 2));
  }

  #merge(hash: number, segment: Ref, left: number): void {
    const { region } = this.#heap;
    const own = region.word(segment + SEGMENT_DEPTH);
    const depth = region.word(this.#header + DEPTH);
    const siblingHash = hash ^ (1 << (32 - own));
    const sibling = this.#segmentOf(siblingHash);
    if (region.word(sibling + SEGMENT_DEPTH) !== own) return;
    if (left + region.word(sibling + SEGMENT_COUNT) > this.capacity >>> 2) return;
    const merged = this.#tryAllocate(SEGMENT_HEADER_SIZE + this.capacity * SLOT_SIZE);
    if (merged === NONE) return;
    this.#format(merged, own - 1);
    this.#moveAll(segment, this.capacity, merged, merged, 0);
    const moved = region.word(merged + SEGMENT_COUNT);
    this.#moveAll(sibling, this.capacity, merged, merged, 0);
    region.setWord(merged + SEGMENT_COUNT, moved + region.word(merged + SEGMENT_COUNT));
    const copies = 2 ** (depth - own + 1);
    this.#point(own === 1 ? 0 : (hash >>> (33 - own)) * copies, copies, merged);
    region.setWord(this.#header + SEGMENTS, this.segments - 1);
    if (own === depth) region.setWord(this.#header + DEEPEST, region.word(this.#header + DEEPEST) - 2);
    this.#heap.free(segment);
    this.#heap.free(sibling);
    this.#halveDirectories();
  }

  /** Halves the directory while no segment needs its last bit. */
  #halveDirectories(): void {
    const { region } = this.#heap;
    while (region.word(this.#header + DEPTH) > 0 && region.word(this.#header + DEEPEST) === 0) {
      const old = region.word(this.#header + DIRECTORY);
      const depth = region.word(this.#header + DEPTH) - 1;
      const directory = this.#tryAllocate(2 ** depth * 4);
      if (directory === NONE) return;
      region.guard(directory, 2 ** depth * 4);
      let deepest = 0;
      for (let index = 0; index < 2 ** depth; index++) {
        const word = this.#words[(old >>> 2) + index * 2]!;
        this.#words[(directory >>> 2) + index] = word;
        if (word >>> 27 === depth) deepest += 1;
      }
      region.setWord(this.#header + DIRECTORY, directory);
      region.setWord(this.#header + DEPTH, depth);
      region.setWord(this.#header + DEEPEST, deepest);
      this.#heap.free(old);
    }
  }
}

/** The segment that a directory word names. Segments are aligned to 16, so its depth fits into the same word. */
export function segmentIn(word: number): Ref {
  return (word & 0x7ffffff) << 4;
}

function wordFor(segment: Ref, depth: number): number {
  return (segment >>> 4) | (depth << 27);
}

function slotsOf(bytes: number): number {
  return (bytes - SEGMENT_HEADER_SIZE) >>> 3;
}
