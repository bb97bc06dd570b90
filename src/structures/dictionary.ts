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
 * Why not one table that doubles: its rehash is either a pause or two tables at once. Here a full segment is replaced
 * by two, some 540 slots' work; only the directory doubles, a copy of one word a segment. A slot holds the whole hash,
 * so that splitting never touches what the refs stand for, and a lookup seldom touches a wrong one.
 *
 * A small dictionary has one segment, which doubles until it has SEGMENT_SLOTS.
 *
 * Position: a hash's high DEPTH bits choose the segment, the next 16 its home slot, scaled to the capacity. So homes
 * rise with hashes, throughout the table: the table is in hash order but for probing. That is what makes SCAN simple: a
 * cursor is a point of the hash space, every key has its fixed place there, and all keys homed between two points are
 * found however the table was split, merged or resized in between (see `scan`).
 *
 * The dictionary knows hashes and refs; what a ref stands for, and whether it is the key looked for, is its user's.
 *
 * segments.ts changes the table's shape; here is what looks keys up, adds and removes them, and walks.
 *
 * Invariants (verify): those of segments.ts, and COUNT is the number of refs. Owner thread only; another thread walks
 * it through a FreezeReader (frozen-dictionary.ts).
 */
import { type Heap, NONE, type Ref } from "../memory/heap.ts";
import { ESTIMATE_SAMPLES, type Estimate } from "./collection.ts";
import { beginAgain, noEmptySlot } from "./probing.ts";
import {
  CAPACITY,
  COUNT,
  DEPTH,
  DICTIONARY_SIZE,
  SEGMENT_COUNT,
  SEGMENT_DEPTH,
  SEGMENT_HEADER_SIZE,
  Segments,
  SLOT_SIZE,
  segmentIn,
} from "./segments.ts";

export { DICTIONARY_SIZE } from "./segments.ts";

/** What `scan` returns at the end of a walk: the size of the hash space. */
export const SCAN_END = 2 ** 32;

/** A slot's word index; 0 stands for none. */
export type Slot = number;

export class Dictionary {
  readonly #heap: Heap;
  readonly #words: Int32Array;
  #header: Ref;
  readonly #segments: Segments;

  /** Opens the dictionary whose header stands at `header`: all zeros is an empty one. */
  constructor(heap: Heap, header: Ref) {
    this.#heap = heap;
    this.#words = heap.region.words;
    this.#header = header;
    this.#segments = new Segments(heap, header);
  }

  /** Points at another dictionary of the same heap, so that many can be dealt with through one view. */
  attach(header: Ref): void {
    this.#header = header;
    this.#segments.attach(header);
  }

  get count(): number {
    return this.#words[(this.#header + COUNT) >>> 2]!;
  }

  /** Segments there are: the size of the table for statistics is this times `capacity`. */
  get segments(): number {
    return this.#segments.count;
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
    let rounds = 0;
    while (words[slot + 1] !== NONE) {
      if (words[slot] === hash) return slot;
      slot += 2;
      if (slot === end) slot = beginAgain(begin, ++rounds, hash);
    }
    return 0;
  }

  /**
   * The slot in which `ref`, which is in the table, stands under `hash`.
   * @throws Error if it does not stand there: the table is broken
   */
  slotOf(hash: number, ref: Ref): Slot {
    const slot = this.findSlot(hash, ref);
    if (slot === 0) throw new Error(`dictionary: ref ${ref} is not where its hash ${hash} belongs`);
    return slot;
  }

  /** As `slotOf`, of a ref that may have gone: then 0. */
  findSlot(hash: number, ref: Ref): Slot {
    const words = this.#words;
    let slot = this.seek(hash);
    const first = slot;
    while (slot !== 0 && words[slot + 1] !== ref) {
      slot = this.seekNext(slot, hash);
      if (slot === first) throw new Error(`dictionary: hash ${hash} is met again and again`);
    }
    return slot;
  }

  /**
   * Loads what removing `hash` will look at, without waiting for one before it asks for the other.
   * @returns something of it: a load that serves nothing would be optimized away
   */
  warm(hash: number): number {
    const words = this.#words;
    return words[homeIn(words, this.#header, hash)]! ^ words[this.#segments.of(hash) >>> 2]!;
  }

  /** The next slot behind `slot` that holds `hash`, or 0: for the rare keys whose hashes are equal. */
  seekNext(slot: Slot, hash: number): Slot {
    const words = this.#words;
    const begin = (this.#segments.of(hash) + SEGMENT_HEADER_SIZE) >>> 2;
    const end = begin + (this.capacity << 1);
    let rounds = 0;
    for (let next = slot + 2; ; next += 2) {
      if (next === end) next = beginAgain(begin, ++rounds, hash);
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
    const segment = this.#segments.withRoomFor(hash);
    this.#segments.place(segment, hash, ref);
    const { region } = this.#heap;
    region.setWord(segment + SEGMENT_COUNT, region.word(segment + SEGMENT_COUNT) + 1);
    region.setWord(this.#header + COUNT, this.count + 1);
  }

  /** Empties an occupied slot, closing the gap that would cut off what was probed past it. Slots may move. */
  remove(slot: Slot): void {
    const { region } = this.#heap;
    const hash = this.#words[slot]!;
    const segment = this.#segments.of(hash);
    this.#closeGap(segment, slot);
    const left = region.word(segment + SEGMENT_COUNT) - 1;
    region.setWord(segment + SEGMENT_COUNT, left);
    region.setWord(this.#header + COUNT, this.count - 1);
    if (left < this.capacity >>> 3) this.#segments.shrink(hash, segment, left);
  }

  /**
   * Visits every ref homed in the slot that `cursor` falls into.
   * @param cursor a point of the hash space, 0 … 2^32 - 1; 0 begins
   * @returns the cursor to go on from; SCAN_END at the end
   *
   * A key present from a walk's first call to its last is visited: calls cover the hash space from 0 to the end without
   * a gap, whatever the table does in between, because a home slot is an interval of that space and the next cursor is
   * exactly its end. A cursor that falls inside an interval, after the table has shrunk, visits the interval's
   * beginning again: keys may come twice, as in Redis.
   */
  scan(cursor: number, visit: (ref: Ref) => void): number {
    const words = this.#words;
    if (words[this.#header >>> 2] === NONE) return SCAN_END;
    const hash = cursor | 0;
    const segment = this.#segments.of(hash);
    const depth = words[(segment + SEGMENT_DEPTH) >>> 2]!;
    const capacity = this.capacity;
    const begin = (segment + SEGMENT_HEADER_SIZE) >>> 2;
    const end = begin + (capacity << 1);
    const home = (((hash << depth) >>> 16) * capacity) >>> 16;
    let rounds = 0;
    for (let slot = begin + (home << 1); words[slot + 1] !== NONE; ) {
      if ((((words[slot]! << depth) >>> 16) * capacity) >>> 16 === home) visit(words[slot + 1]!);
      slot += 2;
      if (slot === end) slot = beginAgain(begin, ++rounds, hash);
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
    for (;;) {
      const begin = (this.#sampleSegment(random) + SEGMENT_HEADER_SIZE) >>> 2;
      const ref = this.#words[begin + Math.floor(random() * this.capacity) * 2 + 1]!;
      if (ref !== NONE) return ref;
    }
  }

  /**
   * Some slots that hold refs, all of them neighbours, every slot of the table being as likely as any other to be among
   * them. A sample of several refs for one wait for memory; what a key's hash says of its neighbours is nothing.
   * @param random uniform in [0, 1)
   * @param into receives the slots; as many of the table are looked at as it has room for
   * @returns how many were found; maybe none, even if there are refs
   */
  sampleSlots(random: () => number, into: Int32Array): number {
    if (this.count === 0) return 0;
    const words = this.#words;
    const { capacity } = this;
    const begin = (this.#sampleSegment(random) + SEGMENT_HEADER_SIZE) >>> 2;
    const end = begin + (capacity << 1);
    let slot = begin + (Math.floor(random() * capacity) << 1);
    let found = 0;
    for (let seen = Math.min(capacity, into.length); seen > 0; seen--) {
      if (words[slot + 1] !== NONE) into[found++] = slot;
      slot += 2;
      if (slot === end) slot = begin;
    }
    return found;
  }

  /** Visits every ref, in table order; the dictionary must not change meanwhile. */
  forEach(visit: (ref: Ref, hash: number) => void): void {
    const words = this.#words;
    this.#segments.forEach((segment) => {
      const begin = (segment + SEGMENT_HEADER_SIZE) >>> 2;
      const end = begin + (this.capacity << 1);
      for (let slot = begin; slot < end; slot += 2) {
        if (words[slot + 1] !== NONE) visit(words[slot + 1]!, words[slot]!);
      }
    });
  }

  /**
   * Goes on with a walk through all refs and all blocks of the table, a segment's worth at a time: its refs, then
   * itself, and behind the last one the directory; not the header. What has been visited may be freed.
   * @param place 0 begins
   * @returns the place to go on from, 0 at the end
   */
  walk(place: number, visit: (ref: Ref, hash: number) => void, visitBlock: (block: Ref) => void): number {
    const words = this.#words;
    const directory = words[this.#header >>> 2]!;
    if (directory === NONE) return 0;
    const depth = words[(this.#header + DEPTH) >>> 2]!;
    const word = words[(directory >>> 2) + place]!;
    const begin = (segmentIn(word) + SEGMENT_HEADER_SIZE) >>> 2;
    const end = begin + (this.capacity << 1);
    for (let slot = begin; slot < end; slot += 2) {
      if (words[slot + 1] !== NONE) visit(words[slot + 1]!, words[slot]!);
    }
    visitBlock(segmentIn(word));
    const next = place + 2 ** (depth - (word >>> 27));
    if (next < 2 ** depth) return next;
    visitBlock(directory);
    return 0;
  }

  /** About how many blocks the table and what it refers to are, and their bytes, from some refs' sizes. O(1) */
  estimate(sizeOf: (ref: Ref) => number, into: Estimate): void {
    const words = this.#words;
    const { count, segments, capacity } = this;
    const directory = words[this.#header >>> 2]!;
    const begin = directory === NONE ? 0 : (segmentIn(words[directory >>> 2]!) + SEGMENT_HEADER_SIZE) >>> 2;
    const end = begin + (capacity << 1);
    let seen = 0;
    let bytes = 0;
    for (let slot = begin; slot < end && seen < ESTIMATE_SAMPLES; slot += 2) {
      if (words[slot + 1] === NONE) continue;
      bytes += sizeOf(words[slot + 1]!);
      seen += 1;
    }
    const segment = SEGMENT_HEADER_SIZE + capacity * SLOT_SIZE;
    into.blocks = count + segments + 1;
    into.bytes = Math.round((bytes / Math.max(1, seen)) * count) + segments * segment;
  }

  /** Visits the table's own blocks, the directory last; not the header, which may be part of another block. */
  forEachBlock(visit: (block: Ref) => void): void {
    const directory = this.#words[this.#header >>> 2]!;
    if (directory === NONE) return;
    this.#segments.forEach(visit);
    visit(directory);
  }

  /** Gives all tables back; the refs are the caller's to have freed. */
  clear(): void {
    this.#segments.clear();
  }

  /**
   * Moves the table to a header of its own, and leaves this dictionary empty. O(1)
   * @returns that header, in a block of its own; NONE if there is no room for it, and nothing has changed
   */
  detach(): Ref {
    const { region } = this.#heap;
    const header = this.#segments.tryAllocate(DICTIONARY_SIZE);
    if (header === NONE) return NONE;
    for (let field = 0; field < DICTIONARY_SIZE; field += 4) {
      region.setWord(header + field, region.word(this.#header + field));
      region.setWord(this.#header + field, 0);
    }
    return header;
  }

  /** Checks the invariants of the opening comment. @throws Error that names what is wrong */
  verify(): void {
    const found = this.#segments.verify();
    if (found !== this.count) throw new Error(`dictionary: COUNT ${this.count} != ${found}`);
  }

  /** A segment, all of them equally likely; only of a table that exists. */
  #sampleSegment(random: () => number): Ref {
    const words = this.#words;
    const depth = words[(this.#header + DEPTH) >>> 2]!;
    const directory = words[this.#header >>> 2]! >>> 2;
    for (;;) {
      // A segment of small depth has many directory words, of which only the first counts.
      const index = Math.floor(random() * 2 ** depth);
      const segment = segmentIn(words[directory + index]!);
      if (index % 2 ** (depth - words[(segment + SEGMENT_DEPTH) >>> 2]!) === 0) return segment;
    }
  }

  #closeGap(segment: Ref, gap: Slot): void {
    const words = this.#words;
    const capacity = this.capacity;
    const depth = words[(segment + SEGMENT_DEPTH) >>> 2]!;
    const begin = (segment + SEGMENT_HEADER_SIZE) >>> 2;
    const { region } = this.#heap;
    const first = (gap - begin) >>> 1;
    let empty = first;
    for (let place = (empty + 1) % capacity; words[begin + place * 2 + 1] !== NONE; place = (place + 1) % capacity) {
      const hash = words[begin + place * 2]!;
      if (place === first) throw noEmptySlot(hash);
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
}

/** The slot where a search for `hash` begins in the dictionary at `header`, or 0; for looking ahead only. */
export function homeIn(words: Int32Array, header: Ref, hash: number): Slot {
  const directory = words[header >>> 2]!;
  if (directory === NONE) return 0;
  const depth = words[(header + DEPTH) >>> 2]!;
  const capacity = words[(header + CAPACITY) >>> 2]!;
  const word = words[(directory >>> 2) + (depth === 0 ? 0 : hash >>> (32 - depth))]!;
  return (
    ((segmentIn(word) + SEGMENT_HEADER_SIZE) >>> 2) + (((((hash << (word >>> 27)) >>> 16) * capacity) >>> 16) << 1)
  );
}
