/**
 * DeadBlocks: which blocks of a region are dead, found by another thread, to be taken back by the region's owner.
 *
 *     shared area of a region            row (16 B), one a span or a large run
 *     +0   ROWS    in use                +0   PLACE   first page << 1; bit 0 set if it is a span
 *     +64  rows                          +4   COUNT   dead blocks in it
 *     ...  marks, a bit for each         +8   HEAD    first and last of the chain that they make,
 *          16 bytes of the region        +12  TAIL    NONE where they are not linked
 *
 * Life of an area: the finder marks blocks (`mark`), then perhaps links those of each span into a chain through their
 * first words (`link`); the owner takes each row back (`takeBack`), which leaves the marks as they were: all zero.
 * The two never use it at the same time; keyspace/release-words.ts says how they agree on that.
 *
 * Why marks, and not a list of refs: they need a 128th of what the blocks occupy, never more, and no sorting; they show
 * a block that is marked twice; and they are all that is needed to free the blocks one by one, whatever became of the
 * finder. Why rows: the owner's work is then a few writes a span. Where a whole span is dead, as most are after a large
 * value, its blocks are not even linked: their pages are not touched, neither by the finder nor by the owner.
 *
 * Two threads write to the region's words, against the rule of region.ts that there is one writer. Why `link` may:
 * - It writes only first words of blocks that were dead when the finder was told of them. Nothing refers to them, so
 *   neither the owner nor a structure reads or writes these words; the pages' other words are the owner's, and words do
 *   not tear. The owner reads the links after the finder has said that it is done.
 * - A freeze that begins later cannot reach them: what was dead is not in its view. Its reader may copy a page in which
 *   links are just being written, and so may the owner, into the shadow area: in dead blocks only, which nobody
 *   will look at in that copy. So no guard is needed, and the guard's marks keep their one writer.
 * - A freeze that was active when a block died has it in its view: then `link` must not be called while that freeze
 *   lasts. It is not called during an audited freeze either, which compares every word. Both are the owner's to see to.
 *
 * The owner: `takeBack`, `clearRow`. The finder: everything else; its region may be a view (Region.view).
 */
import type { Heap, Ref } from "./heap.ts";
import { LIVE } from "./heap-layout.ts";
import { LARGE, PAGE_MAP_AT, SPAN } from "./page-runs.ts";
import { PAGE_BITS, type Region } from "./region.ts";
import { SPAN_PAGES } from "./size-classes.ts";

const ROWS = 0;
const ROWS_AT = 16;
const ROW_WORDS = 4;
const COUNT = 1;
const HEAD = 2;
const TAIL = 3;
const IS_SPAN = 1;

/** The shortest large run, in pages: there is a row for each, should a region be full of them. */
const SHORTEST_RUN = 4;
/** Words of marks a page: a bit for each 16 bytes. */
const PAGE_WORDS = 8;

export class DeadBlocks {
  /** Can be posted to another thread. */
  readonly buffer: SharedArrayBuffer;
  readonly #region: Region;
  readonly #area: Int32Array;
  /** Word at which the marks begin. */
  readonly #marks: number;
  /** For the finder: the row of a span or run, by its first page, 0 if it has none yet. */
  #rowOf = new Int32Array(0);

  /** Opens the area of `region`, a new one by default, whose memory the operating system commits on first touch. */
  constructor(region: Region, buffer?: SharedArrayBuffer) {
    const pages = region.size >>> PAGE_BITS;
    this.#marks = ROWS_AT + Math.ceil(pages / SHORTEST_RUN) * ROW_WORDS;
    this.buffer = buffer ?? new SharedArrayBuffer((this.#marks + pages * PAGE_WORDS) * 4);
    this.#region = region;
    this.#area = new Int32Array(this.buffer);
  }

  /** Rows there are: spans and large runs that have dead blocks. */
  get rows(): number {
    return this.#area[ROWS]!;
  }

  /** Begins anew; the marks must be clear. */
  begin(): void {
    this.#area[ROWS] = 0;
    if (this.#rowOf.length === 0) this.#rowOf = new Int32Array(this.#region.size >>> PAGE_BITS);
  }

  /** Ends what `begin` began: no more is marked. O(rows). */
  end(): void {
    for (let row = 0; row < this.rows; row++) this.#rowOf[this.#area[this.#at(row)]! >>> 1] = 0;
  }

  /** Marks a block. @throws Error if it is none, or has been marked before */
  mark(block: Ref): void {
    const area = this.#area;
    const page = block >>> PAGE_BITS;
    const entry = this.#region.words[(PAGE_MAP_AT >>> 2) + page]!;
    if ((entry & 3) < LARGE) throw new Error(`dead blocks: ${block} is not a block`);
    const first = (entry & 3) === SPAN ? page - (entry >>> 10) : page;
    const word = this.#marks + (block >>> 9);
    const bit = 1 << ((block >>> 4) & 31);
    if ((area[word]! & bit) !== 0) throw new Error(`dead blocks: ${block} is dead already`);
    const row = this.#rowOf[first]! || this.#addRow(first, (entry & 3) === SPAN);
    area[word] = area[word]! | bit;
    area[row + COUNT] = area[row + COUNT]! + 1;
  }

  /**
   * Links the dead blocks of one row, in ascending order; the opening comment says when that is allowed. Not those of a
   * span in which nothing else is in use, as far as can be seen from here: the owner looks again.
   */
  link(row: number): void {
    const area = this.#area;
    const { words } = this.#region;
    const at = this.#at(row);
    const page = area[at]! >>> 1;
    if ((area[at]! & IS_SPAN) === 0 || words[((page << PAGE_BITS) + LIVE) >>> 2] === area[at + COUNT]) return;
    let last = 0;
    this.#forEachMark(page, (block) => {
      if (last === 0) area[at + HEAD] = block;
      else words[last >>> 2] = block;
      last = block;
    });
    area[at + TAIL] = last;
  }

  /** Dead blocks of the rows from `first` on. */
  countFrom(first: number): number {
    let count = 0;
    for (let row = first; row < this.rows; row++) count += this.#area[this.#at(row) + COUNT]!;
    return count;
  }

  /**
   * Gives the dead blocks of one row back to the heap, and clears their marks. O(1) if a whole span is dead or its dead
   * blocks are linked; otherwise one by one, a span's worth at most.
   * @param isLinked whether the finder has linked all rows that it wanted to
   */
  takeBack(heap: Heap, row: number, isLinked: boolean): void {
    const area = this.#area;
    const at = this.#at(row);
    const page = area[at]! >>> 1;
    const head = isLinked ? area[at + HEAD]! : 0;
    if ((area[at]! & IS_SPAN) === 0) heap.free(page << PAGE_BITS);
    else if (!heap.freeMany(page << PAGE_BITS, area[at + COUNT]!, head, area[at + TAIL]!)) {
      this.#forEachMark(page, (block) => heap.free(block));
    }
    this.clearRow(row);
  }

  /** Clears the marks of one row; its blocks are of no concern any more. */
  clearRow(row: number): void {
    const place = this.#area[this.#at(row)]!;
    const first = this.#marks + (place >>> 1) * PAGE_WORDS;
    this.#area.fill(0, first, first + ((place & IS_SPAN) === 0 ? 1 : SPAN_PAGES) * PAGE_WORDS);
  }

  #at(row: number): number {
    return ROWS_AT + row * ROW_WORDS;
  }

  #addRow(page: number, isSpan: boolean): number {
    const area = this.#area;
    const at = this.#at(area[ROWS]!);
    area[at] = (page << 1) | (isSpan ? IS_SPAN : 0);
    area[at + COUNT] = 0;
    area[at + HEAD] = 0;
    area[at + TAIL] = 0;
    area[ROWS] = area[ROWS]! + 1;
    this.#rowOf[page] = at;
    return at;
  }

  /** Visits the marked blocks of the span at `page`, in ascending order. */
  #forEachMark(page: number, visit: (block: Ref) => void): void {
    const first = page * PAGE_WORDS;
    for (let word = first; word < first + SPAN_PAGES * PAGE_WORDS; word++) {
      for (let bits = this.#area[this.#marks + word]!; bits !== 0; bits &= bits - 1) {
        visit((word << 9) + ((31 - Math.clz32(bits & -bits)) << 4));
      }
    }
  }
}
