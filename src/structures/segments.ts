/**
 * Segments: the table under a dictionary, and all that changes its shape. dictionary.ts draws it and says why it is so.
 *
 * Every change is one segment's work: a full segment is resized (while there is only one) or split in two, two siblings
 * that are mostly empty are merged, the directory is doubled or halved when the deepest segment asks for it. New blocks
 * are allocated before anything is changed, so a region that is full leaves the table as it was.
 *
 * Invariants (verify): each segment stands in the directory words that its depth and place give it; each slot's hash
 * belongs to its segment and is reachable from its home without an empty slot between; SEGMENTS and DEEPEST add up;
 * DEEPEST > 0 unless DEPTH is 0. Owner thread only.
 */
import { type Heap, NONE, type Ref, RegionFullError } from "../memory/heap.ts";
import { beginAgain } from "./probing.ts";

export const DICTIONARY_SIZE = 32;
export const DIRECTORY = 0;
export const DEPTH = 4;
export const COUNT = 8;
export const CAPACITY = 12;
const DEEPEST = 16;
const SEGMENTS = 20;

export const SEGMENT_HEADER_SIZE = 16;
export const SEGMENT_DEPTH = 0;
export const SEGMENT_COUNT = 4;
export const SLOT_SIZE = 8;

/** Slots for which a segment is first made, and up to which one segment grows before it splits. */
const FIRST_SLOTS = 8;
const SEGMENT_SLOTS = 542;
/** More keys than a segment holds cannot share this many leading hash bits, but for an attacker who knows the seed. */
const DEPTH_MAX = 24;

export class Segments {
  readonly #heap: Heap;
  readonly #words: Int32Array;
  #header: Ref;

  /** Opens the table whose dictionary's header stands at `header`: all zeros is an empty one. */
  constructor(heap: Heap, header: Ref) {
    this.#heap = heap;
    this.#words = heap.region.words;
    this.#header = header;
  }

  /** Points at another table. */
  attach(header: Ref): void {
    this.#header = header;
  }

  /** Segments there are. */
  get count(): number {
    return this.#words[(this.#header + SEGMENTS) >>> 2]!;
  }

  /** Slots of each segment. */
  get capacity(): number {
    return this.#words[(this.#header + CAPACITY) >>> 2]!;
  }

  /** The segment of `hash`; only of a table that exists. */
  of(hash: number): Ref {
    const words = this.#words;
    const header = this.#header >>> 2;
    const depth = words[header + (DEPTH >>> 2)]!;
    return segmentIn(words[(words[header]! >>> 2) + (depth === 0 ? 0 : hash >>> (32 - depth))]!);
  }

  /** Visits every segment once, with the first directory word that names it. */
  forEach(visit: (segment: Ref, index: number) => void): void {
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

  /** Puts a ref into the first empty slot from its hash's home. */
  place(segment: Ref, hash: number, ref: Ref): void {
    const words = this.#words;
    const capacity = this.capacity;
    const begin = (segment + SEGMENT_HEADER_SIZE) >>> 2;
    const end = begin + (capacity << 1);
    const depth = words[(segment + SEGMENT_DEPTH) >>> 2]!;
    let slot = begin + (((((hash << depth) >>> 16) * capacity) >>> 16) << 1);
    let rounds = 0;
    while (words[slot + 1] !== NONE) {
      slot += 2;
      if (slot === end) slot = beginAgain(begin, ++rounds, hash);
    }
    this.#heap.region.guard(slot << 2, SLOT_SIZE);
    words[slot] = hash;
    words[slot + 1] = ref;
  }

  /**
   * The segment of `hash`, which can take one more: a full one is split or enlarged first.
   * @throws RegionFullError when no room can be made; everything is found as before
   */
  withRoomFor(hash: number): Ref {
    const words = this.#words;
    if (words[this.#header >>> 2] !== NONE) {
      const segment = this.of(hash);
      if (words[(segment + SEGMENT_COUNT) >>> 2]! < this.#limit()) return segment;
    }
    return this.#makeRoom(hash);
  }

  /**
   * After a removal left `left` refs in the segment: merge it with its sibling, make it smaller, or drop everything.
   */
  shrink(hash: number, segment: Ref, left: number): void {
    if (this.#words[(this.#header + COUNT) >>> 2] === 0) this.clear();
    else if (this.count > 1) this.#merge(hash, segment, left);
    else if (this.capacity > FIRST_SLOTS * 2 && this.#words[(this.#header + DEPTH) >>> 2] === 0)
      this.#resize(Math.max(FIRST_SLOTS, left * 2));
  }

  /** Gives all tables back; what the refs stand for is the caller's to have freed. */
  clear(): void {
    const { region } = this.#heap;
    if (region.word(this.#header + DIRECTORY) === NONE) return;
    const segments: Ref[] = [];
    this.forEach((segment) => {
      segments.push(segment);
    });
    for (const segment of segments) this.#heap.free(segment);
    this.#heap.free(region.word(this.#header + DIRECTORY));
    region.guard(this.#header, DICTIONARY_SIZE);
    this.#words.fill(0, this.#header >>> 2, (this.#header + DICTIONARY_SIZE) >>> 2);
  }

  /** Where memory forbids a split, makes do while a slot stays empty. */
  #makeRoom(hash: number): Ref {
    if (this.#words[this.#header >>> 2] === NONE) this.#create(FIRST_SLOTS);
    for (;;) {
      const segment = this.of(hash);
      const count = this.#words[(segment + SEGMENT_COUNT) >>> 2]!;
      if (count < this.#limit()) return segment;
      const done = this.capacity < SEGMENT_SLOTS ? this.#resize(this.capacity * 2) : this.#split(hash, segment);
      if (done) continue;
      if (count + 1 < this.capacity) return segment;
      throw new RegionFullError("no room to split a dictionary's segment", this.#heap.region);
    }
  }

  /** Refs a segment should have at most: four fifths, where linear probing is still short. */
  #limit(): number {
    return Math.floor(this.capacity * 0.8);
  }

  #create(slots: number): void {
    const heap = this.#heap;
    const directory = heap.allocateStructural(4);
    const segment = this.tryAllocate(SEGMENT_HEADER_SIZE + slots * SLOT_SIZE);
    if (segment === NONE) {
      heap.free(directory);
      throw new RegionFullError("no room for a dictionary", this.#heap.region);
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

  /** A block for tables, NONE if there is no room for it. */
  tryAllocate(size: number): Ref {
    try {
      return this.#heap.allocateStructural(size);
    } catch (error) {
      if (error instanceof RegionFullError) return NONE;
      throw error;
    }
  }

  /** Replaces the only segment by one of about `slots` slots. */
  #resize(slots: number): boolean {
    const { region } = this.#heap;
    const old = this.of(0);
    const oldCapacity = this.capacity;
    const wanted = SEGMENT_HEADER_SIZE + Math.min(slots, SEGMENT_SLOTS) * SLOT_SIZE;
    const segment = this.tryAllocate(wanted);
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
    const low = this.tryAllocate(size);
    const high = low === NONE ? NONE : this.tryAllocate(size);
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
    region.setWord(this.#header + SEGMENTS, this.count + 1);
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
      this.place(isHigh ? high : low, hash, words[slot + 1]!);
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
    const directory = this.tryAllocate(length * 8);
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

  #merge(hash: number, segment: Ref, left: number): void {
    const { region } = this.#heap;
    const own = region.word(segment + SEGMENT_DEPTH);
    const depth = region.word(this.#header + DEPTH);
    const siblingHash = hash ^ (1 << (32 - own));
    const sibling = this.of(siblingHash);
    if (region.word(sibling + SEGMENT_DEPTH) !== own) return;
    if (left + region.word(sibling + SEGMENT_COUNT) > this.capacity >>> 2) return;
    const merged = this.tryAllocate(SEGMENT_HEADER_SIZE + this.capacity * SLOT_SIZE);
    if (merged === NONE) return;
    this.#format(merged, own - 1);
    this.#moveAll(segment, this.capacity, merged, merged, 0);
    const moved = region.word(merged + SEGMENT_COUNT);
    this.#moveAll(sibling, this.capacity, merged, merged, 0);
    region.setWord(merged + SEGMENT_COUNT, moved + region.word(merged + SEGMENT_COUNT));
    const copies = 2 ** (depth - own + 1);
    this.#point(own === 1 ? 0 : (hash >>> (33 - own)) * copies, copies, merged);
    region.setWord(this.#header + SEGMENTS, this.count - 1);
    if (own === depth) region.setWord(this.#header + DEEPEST, region.word(this.#header + DEEPEST) - 2);
    this.#heap.free(segment);
    this.#heap.free(sibling);
    this.#halveDirectories();
  }

  /**
   * Halves the directory while no segment needs its last bit; where it stands, if there is no room for a smaller one.
   */
  #halveDirectories(): void {
    const { region } = this.#heap;
    while (region.word(this.#header + DEPTH) > 0 && region.word(this.#header + DEEPEST) === 0) {
      const old = region.word(this.#header + DIRECTORY);
      const depth = region.word(this.#header + DEPTH) - 1;
      const smaller = this.tryAllocate(2 ** depth * 4);
      const directory = smaller === NONE ? old : smaller;
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
      if (directory !== old) this.#heap.free(old);
    }
  }

  /** Checks the invariants of the opening comment. @returns refs found @throws Error that names what is wrong */
  verify(): number {
    const { region } = this.#heap;
    const depth = region.word(this.#header + DEPTH);
    let count = 0;
    let segments = 0;
    let deepest = 0;
    this.forEach((segment, index) => {
      const own = region.word(segment + SEGMENT_DEPTH);
      const copies = 2 ** (depth - own);
      if (own > depth || index % copies !== 0) throw new Error(`dictionary: segment ${segment} stands at ${index}`);
      const directory = region.word(this.#header + DIRECTORY);
      for (let copy = 0; copy < copies; copy++) {
        if (region.word(directory + (index + copy) * 4) !== wordFor(segment, own))
          throw new Error(`dictionary: directory ${index}`);
      }
      count += this.#verifySegment(segment, index);
      segments += 1;
      if (own === depth) deepest += 1;
    });
    if (segments !== this.count) throw new Error(`dictionary: SEGMENTS ${this.count} != ${segments}`);
    if (deepest !== region.word(this.#header + DEEPEST)) throw new Error("dictionary: DEEPEST is wrong");
    if (depth > 0 && deepest === 0) throw new Error("dictionary: the directory is larger than it need be");
    return count;
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
      if (own > 0 && hash >>> (32 - own) !== index >>> (depth - own))
        throw new Error("dictionary: hash in wrong segment");
      for (
        let probe = (((hash << own) >>> 16) * this.capacity) >>> 16;
        probe !== place;
        probe = (probe + 1) % this.capacity
      ) {
        if (region.word(segment + SEGMENT_HEADER_SIZE + probe * SLOT_SIZE + 4) === NONE) {
          throw new Error(`dictionary: slot ${place} of segment ${segment} is cut off from its home`);
        }
      }
    }
    if (count !== region.word(segment + SEGMENT_COUNT)) throw new Error(`dictionary: segment ${segment} has ${count}`);
    if (count >= this.capacity) throw new Error(`dictionary: segment ${segment} has no empty slot`);
    return count;
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
