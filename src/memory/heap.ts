/**
 * Heap: hands out blocks of a region by byte offset (a ref), and takes them back.
 *
 *     region header (page 0)                    page map: one word a page, the low 2 bits say what it begins
 *     +0   MAGIC        "STLW"                   0  nothing: never used, or inside a run
 *     +4   VERSION                               1  FREE   first and last page of a free run     | pages << 2
 *     +8   PAGES        of the region            2  LARGE  first page of an allocated run        | pages << 2
 *     +12  FIRST_PAGE   behind the page map      3  SPAN   each page of a span | class << 2 | page within span << 10
 *     +16  FRESH_PAGE   first page never used
 *     +20  USED_BYTES   in blocks handed out     span (64 KiB)
 *     +24  USED_PAGES   in spans and large runs  +0   FREE_BLOCK  ref, linked through the blocks' first words
 *     +28  LIVE_BLOCKS                           +4   FRESH_BLOCK ref of the first never handed out
 *     +32  ROOT         ref, for whoever is      +8   LIVE        blocks handed out
 *     +64  RUN_BITMAP   4 words                  +12  CLASS
 *     +80  RUN_HEADS    80 bins of free runs     +16  NEXT, +20 PREVIOUS among the class's spans that have room
 *     +512 SPAN_HEADS   a word a class           +64  blocks
 *
 * A block's class is known from its page, so blocks have no header. Free blocks are linked within their span: an empty
 * span is seen at once and returns to the pages. Free runs are binned by size, four bins to a power of two (as in
 * two-level segregated fit), found by bitmap and merged with their neighbours: every operation is
 * O(1). A block's contents are whatever was there before.
 *
 * Blocks that another thread has found dead come back by the span, all of them in O(1) (dead-blocks.ts).
 * The last pages are kept back for `allocateStructural`: tables may still grow when there is no room for more data, so
 * a command that has all its blocks can link them without failing half-way.
 *
 * Invariants (verify): runs and spans tile the pages in use; no two free runs touch; each span's free, fresh and live
 * blocks add up; USED_BYTES, USED_PAGES and LIVE_BLOCKS equal what is found. Owner thread only.
 */

import {
  CLASS,
  FREE_BLOCK,
  FRESH_BLOCK,
  LIVE,
  LIVE_BLOCKS,
  MAGIC,
  NEXT,
  PREVIOUS,
  SPAN_HEADS,
  USED_BYTES,
  VERSION,
} from "./heap-layout.ts";
import { verifyHeap } from "./heap-verify.ts";
import {
  FIRST_PAGE,
  FRESH_PAGE,
  LARGE,
  PAGE_MAP_AT,
  PAGES,
  PageRuns,
  RegionFullError,
  SPAN,
  USED_PAGES,
} from "./page-runs.ts";
import { PAGE_BITS, PAGE_SIZE, type Region } from "./region.ts";
import {
  CLASS_SIZES,
  classOf,
  RECIPROCALS,
  SMALL_MAX,
  SPAN_HEADER_SIZE,
  SPAN_PAGES,
  SPAN_SIZE,
} from "./size-classes.ts";

/** Byte offset of the word that holds the root: readers of a frozen region begin there. */
export const ROOT = 32;

const MAGIC_VALUE = 0x574c5453;
const FORMAT_VERSION = 1;
/** Spans that are looked at for one that is fuller. */
const DENSER_LOOKS = 8;

/** A byte offset into a region; 0 stands for none. */
export type Ref = number;
export const NONE: Ref = 0;

export { RegionFullError };

/** Figures of one heap, in bytes and blocks; exact. */
export interface HeapFigures {
  /** In blocks handed out, rounded to their class or page. */
  readonly usedBytes: number;
  readonly liveBlocks: number;
  /** In pages that hold blocks: usedBytes plus what is free inside spans. */
  readonly activeBytes: number;
  /** Up to the highest page ever used: what the operating system may have committed. */
  readonly touchedBytes: number;
  readonly capacityBytes: number;
}

export class Heap {
  readonly region: Region;
  readonly #words: Int32Array;
  readonly #runs: PageRuns;

  /** Opens the heap in `region`; formats the region if it is new. */
  constructor(region: Region) {
    this.region = region;
    this.#words = region.words;
    const pages = region.size >>> PAGE_BITS;
    if (region.word(MAGIC) !== MAGIC_VALUE) {
      const first = (PAGE_MAP_AT + pages * 4 + PAGE_SIZE - 1) >>> PAGE_BITS;
      region.guard(0, PAGE_SIZE);
      region.setWord(MAGIC, MAGIC_VALUE);
      region.setWord(VERSION, FORMAT_VERSION);
      region.setWord(PAGES, pages);
      region.setWord(FIRST_PAGE, first);
      region.setWord(FRESH_PAGE, first);
    }
    if (region.word(VERSION) !== FORMAT_VERSION || region.word(PAGES) !== pages) {
      throw new Error("heap: the region was laid out by another version");
    }
    this.#runs = new PageRuns(region);
  }

  /**
   * Takes every block back at once, in O(pages ever used); the pages stay with this process, to be used again. The
   * heap is as new: the root is NONE.
   */
  reset(): void {
    const { region } = this;
    const first = region.word(FIRST_PAGE);
    const mapAt = PAGE_MAP_AT + first * 4;
    const mapLength = (region.word(FRESH_PAGE) - first) * 4;
    region.guard(0, PAGE_SIZE);
    this.#words.fill(0, USED_BYTES >>> 2, PAGE_SIZE >>> 2);
    region.setWord(FRESH_PAGE, first);
    region.guard(mapAt, mapLength);
    this.#words.fill(0, mapAt >>> 2, (mapAt + mapLength) >>> 2);
  }

  /** The ref under which the region's owner finds everything else; NONE in a new region. */
  get root(): Ref {
    return this.region.word(ROOT);
  }

  set root(ref: Ref) {
    this.region.setWord(ROOT, ref);
  }

  /** Bytes in blocks handed out: one load, for limits that are checked at every write. */
  get usedBytes(): number {
    return this.#words[USED_BYTES >>> 2]!;
  }

  /** Bytes in pages that hold blocks. */
  get activeBytes(): number {
    return this.#words[USED_PAGES >>> 2]! << PAGE_BITS;
  }

  /** As `usedBytes`, and what the header and the map of pages occupy: what a limit is about. */
  get chargedBytes(): number {
    return this.#words[USED_BYTES >>> 2]! + PAGE_SIZE + this.#words[FRESH_PAGE >>> 2]! * 4;
  }

  /** Pages that are surely left; a small block takes SPAN_PAGES at the most, a large one its own. May be negative. */
  get sparePages(): number {
    return this.#runs.spare;
  }

  /**
   * A block of at least `size` bytes, aligned to 16, contents undefined.
   * @throws RegionFullError when only the structural reserve is left; nothing has changed then
   */
  allocate(size: number): Ref {
    return size <= SMALL_MAX ? this.#allocateSmall(classOf(size), false) : this.#allocateLarge(size, false);
  }

  /** As `allocate`, and may use the reserve: for tables and directories, never for what a user stores. */
  allocateStructural(size: number): Ref {
    return size <= SMALL_MAX ? this.#allocateSmall(classOf(size), true) : this.#allocateLarge(size, true);
  }

  /**
   * Makes sure that blocks of `bytes` altogether, in up to `classes` size classes, can be allocated one after another:
   * for commands that must not fail half-way.
   * @throws RegionFullError if that is not sure; nothing has changed then
   */
  require(bytes: number, classes = 4): void {
    if (!this.hasRoomFor(bytes, classes)) throw new RegionFullError(`no room for ${bytes} bytes more`, this.region);
  }

  /** Whether `require` would not throw. */
  hasRoomFor(bytes: number, classes = 4): boolean {
    return this.#runs.has(Math.ceil(bytes / PAGE_SIZE) + classes * SPAN_PAGES);
  }

  /** Takes a block back. Its first word is overwritten. */
  free(ref: Ref): void {
    const entry = this.#words[(PAGE_MAP_AT >>> 2) + (ref >>> PAGE_BITS)]!;
    if ((entry & 3) === SPAN)
      this.#freeSmall(ref, (ref & -PAGE_SIZE) - ((entry >>> 10) << PAGE_BITS), (entry >>> 2) & 0xff);
    else this.#freeLarge(ref, entry);
  }

  /**
   * Takes `count` blocks of a span back in O(1): all that it has handed out, or a chain of them.
   * @param head tail first and last block of the chain, linked through their first words; NONE if there is none
   * @returns false if nothing was done: no chain, and the span has handed out others besides
   */
  freeMany(span: Ref, count: number, head: Ref, tail: Ref): boolean {
    const words = this.#words;
    const header = span >>> 2;
    const live = words[header + (LIVE >>> 2)]! - count;
    if (live !== 0 && head === NONE) return false;
    const index = words[header + (CLASS >>> 2)]!;
    const size = CLASS_SIZES[index]!;
    const free = words[header + (FREE_BLOCK >>> 2)]!;
    const wasFull = free === NONE && words[header + (FRESH_BLOCK >>> 2)]! + size > span + SPAN_SIZE;
    if (wasFull) this.#linkSpan(span, index);
    if (live === 0) {
      this.#closeSpan(span, index);
    } else {
      this.region.setWord(tail, free);
      this.region.setWord(span + FREE_BLOCK, head);
      this.region.setWord(span + LIVE, live);
    }
    this.#count(-size * count, -count);
    return true;
  }

  /** Loads what freeing a block will look at. @returns something of it, as Dictionary.warm does */
  warm(ref: Ref): number {
    const entry = this.#words[(PAGE_MAP_AT >>> 2) + (ref >>> PAGE_BITS)]!;
    return (entry & 3) === SPAN ? this.#words[((ref & -PAGE_SIZE) - ((entry >>> 10) << PAGE_BITS)) >>> 2]! : 0;
  }

  /** A block to move a small one to, so that sparse spans empty: in a span at least as full; NONE if none is near. */
  allocateDenser(ref: Ref): Ref {
    const words = this.#words;
    const entry = words[(PAGE_MAP_AT >>> 2) + (ref >>> PAGE_BITS)]!;
    if ((entry & 3) !== SPAN) return NONE;
    const index = (entry >>> 2) & 0xff;
    const own = (ref & -PAGE_SIZE) - ((entry >>> 10) << PAGE_BITS);
    const head = words[(SPAN_HEADS >>> 2) + index]!;
    let densest = NONE;
    let live = words[(own + LIVE) >>> 2]!;
    let span = head;
    for (let looks = 0; looks < DENSER_LOOKS && span !== NONE; looks++) {
      const itsLive = words[(span + LIVE) >>> 2]!;
      if (span !== own && itsLive >= live) {
        densest = span;
        live = itsLive + 1;
      }
      span = words[(span + NEXT) >>> 2]!;
    }
    if (densest === NONE) return NONE;
    if (densest !== head) {
      this.#unlinkSpan(densest, index);
      this.#linkSpan(densest, index);
    }
    return this.#allocateSmall(index, false);
  }

  /** Usable bytes of a block: its class's size, or whole pages. */
  sizeOf(ref: Ref): number {
    const entry = this.#words[(PAGE_MAP_AT >>> 2) + (ref >>> PAGE_BITS)]!;
    return (entry & 3) === SPAN ? CLASS_SIZES[(entry >>> 2) & 0xff]! : (entry >>> 2) << PAGE_BITS;
  }

  /**
   * The block that the byte at `at` lies in. Of a block larger than SMALL_MAX, that must be in the first page; of
   * others it may be any byte.
   */
  blockOf(at: number): Ref {
    const entry = this.#words[(PAGE_MAP_AT >>> 2) + (at >>> PAGE_BITS)]!;
    if ((entry & 3) !== SPAN) return at & -PAGE_SIZE;
    const index = (entry >>> 2) & 0xff;
    const first = (at & -PAGE_SIZE) - ((entry >>> 10) << PAGE_BITS) + SPAN_HEADER_SIZE;
    return first + (((at - first) * RECIPROCALS[index]!) | 0) * CLASS_SIZES[index]!;
  }

  /** What a request of `size` bytes would really occupy. */
  static roundUp(size: number): number {
    return size <= SMALL_MAX ? CLASS_SIZES[classOf(size)]! : (size + PAGE_SIZE - 1) & -PAGE_SIZE;
  }

  figures(): HeapFigures {
    const { region } = this;
    return {
      usedBytes: region.word(USED_BYTES),
      liveBlocks: region.word(LIVE_BLOCKS),
      activeBytes: region.word(USED_PAGES) << PAGE_BITS,
      touchedBytes: region.word(FRESH_PAGE) * PAGE_SIZE,
      capacityBytes: region.size - region.word(FIRST_PAGE) * PAGE_SIZE,
    };
  }

  #allocateSmall(index: number, structural: boolean): Ref {
    const words = this.#words;
    let span = words[(SPAN_HEADS >>> 2) + index]!;
    if (span === NONE) span = this.#openSpan(index, structural);
    const size = CLASS_SIZES[index]!;
    this.region.guard(span, SPAN_HEADER_SIZE);
    const header = span >>> 2;
    let block = words[header + (FREE_BLOCK >>> 2)]!;
    if (block !== NONE) {
      words[header + (FREE_BLOCK >>> 2)] = words[block >>> 2]!;
    } else {
      block = words[header + (FRESH_BLOCK >>> 2)]!;
      words[header + (FRESH_BLOCK >>> 2)] = block + size;
    }
    words[header + (LIVE >>> 2)] = words[header + (LIVE >>> 2)]! + 1;
    if (words[header + (FREE_BLOCK >>> 2)] === NONE && words[header + (FRESH_BLOCK >>> 2)]! + size > span + SPAN_SIZE) {
      this.#unlinkSpan(span, index);
    }
    this.#count(size, 1);
    return block;
  }

  #freeSmall(ref: Ref, span: Ref, index: number): void {
    const words = this.#words;
    const size = CLASS_SIZES[index]!;
    this.region.guard(span, SPAN_HEADER_SIZE);
    this.region.guard(ref, 4);
    const header = span >>> 2;
    const next = words[header + (FREE_BLOCK >>> 2)]!;
    const wasFull = next === NONE && words[header + (FRESH_BLOCK >>> 2)]! + size > span + SPAN_SIZE;
    words[ref >>> 2] = next;
    words[header + (FREE_BLOCK >>> 2)] = ref;
    const live = words[header + (LIVE >>> 2)]! - 1;
    words[header + (LIVE >>> 2)] = live;
    if (wasFull) this.#linkSpan(span, index);
    if (live === 0) this.#closeSpan(span, index);
    this.#count(-size, -1);
  }

  #allocateLarge(size: number, structural: boolean): Ref {
    const pages = (size + PAGE_SIZE - 1) >>> PAGE_BITS;
    const page = this.#runs.take(pages, structural);
    this.region.setWord(PAGE_MAP_AT + page * 4, LARGE | (pages << 2));
    this.#count(pages << PAGE_BITS, 1);
    return page << PAGE_BITS;
  }

  #freeLarge(ref: Ref, entry: number): void {
    if ((entry & 3) !== LARGE || (ref & (PAGE_SIZE - 1)) !== 0) throw new Error(`heap: ${ref} is not a block`);
    const pages = entry >>> 2;
    this.#runs.give(ref >>> PAGE_BITS, pages);
    this.#count(-(pages << PAGE_BITS), -1);
  }

  #count(bytes: number, blocks: number): void {
    this.region.guard(0, ROOT);
    const words = this.#words;
    words[USED_BYTES >>> 2] = words[USED_BYTES >>> 2]! + bytes;
    words[LIVE_BLOCKS >>> 2] = words[LIVE_BLOCKS >>> 2]! + blocks;
  }

  #openSpan(index: number, structural: boolean): Ref {
    const page = this.#runs.take(SPAN_PAGES, structural);
    const { region } = this;
    for (let within = 0; within < SPAN_PAGES; within++) {
      region.setWord(PAGE_MAP_AT + (page + within) * 4, SPAN | (index << 2) | (within << 10));
    }
    const span = page << PAGE_BITS;
    region.setWord(span + FREE_BLOCK, NONE);
    region.setWord(span + FRESH_BLOCK, span + SPAN_HEADER_SIZE);
    region.setWord(span + LIVE, 0);
    region.setWord(span + CLASS, index);
    this.#linkSpan(span, index);
    return span;
  }

  #closeSpan(span: Ref, index: number): void {
    this.#unlinkSpan(span, index);
    const page = span >>> PAGE_BITS;
    for (let within = 0; within < SPAN_PAGES; within++) this.region.setWord(PAGE_MAP_AT + (page + within) * 4, 0);
    this.#runs.give(page, SPAN_PAGES);
  }

  #linkSpan(span: Ref, index: number): void {
    const { region } = this;
    const next = region.word(SPAN_HEADS + index * 4);
    region.setWord(span + NEXT, next);
    region.setWord(span + PREVIOUS, NONE);
    if (next !== NONE) region.setWord(next + PREVIOUS, span);
    region.setWord(SPAN_HEADS + index * 4, span);
  }

  #unlinkSpan(span: Ref, index: number): void {
    const { region } = this;
    const next = region.word(span + NEXT);
    const previous = region.word(span + PREVIOUS);
    if (previous === NONE) region.setWord(SPAN_HEADS + index * 4, next);
    else region.setWord(previous + NEXT, next);
    if (next !== NONE) region.setWord(next + PREVIOUS, previous);
  }

  /** Checks the invariants of the opening comment. O(pages + blocks). @throws Error that names what is wrong */
  verify(): void {
    verifyHeap(this.region, this.#runs);
  }
}
