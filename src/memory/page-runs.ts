/**
 * PageRuns: the pages of a region, in runs. heap.ts draws the header words and the page map.
 *
 * A free run's first page holds its links (+0 next, +4 previous) in its bin's list; its first and last page-map words
 * hold its length, so that a run given back finds its neighbours. A bin holds runs of [2^k * (4 + i) / 4, next) pages:
 * a request looks from the first bin whose every run is long enough, so the first run found fits. Only when there is
 * none does it look through the bin below, a bounded number of runs.
 *
 * A free run that ends at the never-used pages becomes one with them, so that memory returns to one piece.
 */
import { PAGE_BITS, type Region } from "./region.ts";

export const PAGES = 8;
export const FIRST_PAGE = 12;
export const FRESH_PAGE = 16;
export const USED_PAGES = 24;
const RUN_BITMAP = 64;
const RUN_HEADS = 80;
const BIN_COUNT = 80;

export const PAGE_MAP_AT = 4096;
export const FREE = 1;
export const LARGE = 2;
export const SPAN = 3;

const NEXT = 0;
const PREVIOUS = 4;

/** Runs looked at in a bin whose runs may be too short. */
const SEARCH_MAX = 32;

/** Nothing that fits is free: the store refuses the write, and nothing of it has happened. */
export class RegionFullError extends Error {
  readonly code = "REGION_FULL";
  /** The region that is full; undefined where no region could ever have room. */
  readonly region: Region | undefined;

  constructor(message: string, region?: Region) {
    super(message);
    this.region = region;
  }
}

/** The bin that holds free runs of `pages` pages. */
function binOf(pages: number): number {
  const power = 31 - Math.clz32(pages);
  const quarter = power < 2 ? (pages << (2 - power)) & 3 : (pages >>> (power - 2)) & 3;
  return power * 4 + quarter;
}

/** The first bin of which every run has at least `pages` pages. */
function binAbove(pages: number): number {
  const power = 31 - Math.clz32(pages);
  return power < 2 ? binOf(pages) : binOf(pages + (1 << (power - 2)) - 1);
}

export class PageRuns {
  readonly #region: Region;
  /** Pages that only structural requests may use. */
  readonly #reserve: number;

  constructor(region: Region) {
    this.#region = region;
    this.#reserve = Math.max(2 * 16, (region.size >>> PAGE_BITS) >>> 6);
  }

  /** Pages never used, all in a row, less the reserve: requests that add up to no more cannot fail. */
  get spare(): number {
    return this.#region.word(PAGES) - this.#region.word(FRESH_PAGE) - this.#reserve;
  }

  /** Whether `pages` pages in a row are left, whoever takes them, in whatever pieces. */
  has(pages: number): boolean {
    if (this.spare >= pages) return true;
    const region = this.#region;
    const left = region.word(PAGES) - region.word(FIRST_PAGE) - region.word(USED_PAGES) - this.#reserve;
    // A quarter more, so that what is left of the run is found by its bin up to the last request.
    return left >= pages && this.#binWithRun(binAbove(pages + (pages >>> 2) + 1)) < BIN_COUNT;
  }

  /** A run of `pages` pages; its page-map words are the caller's to set. @throws RegionFullError */
  take(pages: number, structural: boolean): number {
    const region = this.#region;
    const used = region.word(USED_PAGES);
    const total = region.word(PAGES) - region.word(FIRST_PAGE);
    const limit = structural ? total : total - this.#reserve;
    if (used + pages > limit) throw new RegionFullError("the region is full", region);
    const page = this.#takeFree(pages) || this.#takeFresh(pages);
    if (page === 0) throw new RegionFullError(`no ${pages} free pages in a row`, region);
    region.setWord(USED_PAGES, used + pages);
    return page;
  }

  /** Gives a run back and merges it with the free runs beside it. */
  give(page: number, pages: number): void {
    const region = this.#region;
    region.setWord(USED_PAGES, region.word(USED_PAGES) - pages);
    let first = page;
    let length = pages;
    const before = page > region.word(FIRST_PAGE) ? this.#entry(page - 1) : 0;
    if ((before & 3) === FREE) {
      first -= before >>> 2;
      length += before >>> 2;
      this.#unlink(first, before >>> 2);
    }
    const after = page + pages < region.word(FRESH_PAGE) ? this.#entry(page + pages) : 0;
    if ((after & 3) === FREE) {
      this.#unlink(page + pages, after >>> 2);
      length += after >>> 2;
    }
    this.#setEntry(page, 0);
    if (first + length === region.word(FRESH_PAGE)) region.setWord(FRESH_PAGE, first);
    else this.#link(first, length);
  }

  /**
   * Walks all pages in use and checks the tiling and the bins.
   * @param visit is given each allocated run's first page and page-map word, and returns its pages
   */
  verify(visit: (page: number, entry: number) => number): void {
    const region = this.#region;
    const listed = this.#verifyBins();
    const fresh = region.word(FRESH_PAGE);
    let page = region.word(FIRST_PAGE);
    let wasFree = false;
    while (page < fresh) {
      const entry = this.#entry(page);
      if ((entry & 3) === 0) throw new Error(`pages: page ${page} belongs to nothing`);
      const isFree = (entry & 3) === FREE;
      if (isFree && (wasFree || listed.get(page) !== entry >>> 2)) throw new Error(`pages: free run ${page} is wrong`);
      if (isFree) listed.delete(page);
      wasFree = isFree;
      page += isFree ? entry >>> 2 : visit(page, entry);
    }
    if (page !== fresh || wasFree) throw new Error(`pages: the runs end at ${page}, not at ${fresh}`);
    if (listed.size !== 0) throw new Error("pages: a listed run is not in the page map");
  }

  #verifyBins(): Map<number, number> {
    const region = this.#region;
    const listed = new Map<number, number>();
    for (let bin = 0; bin < BIN_COUNT; bin++) {
      const head = region.word(RUN_HEADS + bin * 4);
      const marked = (region.word(RUN_BITMAP + (bin >>> 5) * 4) & (1 << (bin & 31))) !== 0;
      if (marked !== (head !== 0)) throw new Error(`pages: bitmap of bin ${bin} is wrong`);
      let previous = 0;
      for (let page = head; page !== 0; page = region.word((page << PAGE_BITS) + NEXT)) {
        const entry = this.#entry(page);
        const length = entry >>> 2;
        const last = this.#entry(page + length - 1);
        const linked = region.word((page << PAGE_BITS) + PREVIOUS) === previous;
        if ((entry & 3) !== FREE || last !== entry || binOf(length) !== bin || !linked || listed.has(page)) {
          throw new Error(`pages: bin ${bin} is broken at page ${page}`);
        }
        listed.set(page, length);
        previous = page;
      }
    }
    return listed;
  }

  #takeFree(pages: number): number {
    const bin = this.#binWithRun(binAbove(pages));
    const page = bin < BIN_COUNT ? this.#region.word(RUN_HEADS + bin * 4) : this.#search(pages);
    if (page === 0) return 0;
    const length = this.#entry(page) >>> 2;
    this.#unlink(page, length);
    if (length > pages) this.#link(page + pages, length - pages);
    return page;
  }

  /** First fit among the first few runs of the bin in which some runs are long enough. */
  #search(pages: number): number {
    let page = this.#region.word(RUN_HEADS + binOf(pages) * 4);
    for (let looked = 0; page !== 0 && looked < SEARCH_MAX; looked++) {
      if (this.#entry(page) >>> 2 >= pages) return page;
      page = this.#region.word((page << PAGE_BITS) + NEXT);
    }
    return 0;
  }

  #takeFresh(pages: number): number {
    const region = this.#region;
    const page = region.word(FRESH_PAGE);
    if (page + pages > region.word(PAGES)) return 0;
    region.setWord(FRESH_PAGE, page + pages);
    return page;
  }

  #binWithRun(from: number): number {
    for (let group = from >>> 5; group < 3; group++) {
      const mask = group === from >>> 5 ? -1 << (from & 31) : -1;
      const bits = this.#region.word(RUN_BITMAP + group * 4) & mask;
      if (bits !== 0) return group * 32 + 31 - Math.clz32(bits & -bits);
    }
    return BIN_COUNT;
  }

  #link(page: number, pages: number): void {
    const region = this.#region;
    const bin = binOf(pages);
    const next = region.word(RUN_HEADS + bin * 4);
    this.#setEntry(page, FREE | (pages << 2));
    this.#setEntry(page + pages - 1, FREE | (pages << 2));
    region.setWord((page << PAGE_BITS) + NEXT, next);
    region.setWord((page << PAGE_BITS) + PREVIOUS, 0);
    if (next !== 0) region.setWord((next << PAGE_BITS) + PREVIOUS, page);
    region.setWord(RUN_HEADS + bin * 4, page);
    this.#mark(bin, true);
  }

  #unlink(page: number, pages: number): void {
    const region = this.#region;
    const bin = binOf(pages);
    const next = region.word((page << PAGE_BITS) + NEXT);
    const previous = region.word((page << PAGE_BITS) + PREVIOUS);
    if (previous === 0) region.setWord(RUN_HEADS + bin * 4, next);
    else region.setWord((previous << PAGE_BITS) + NEXT, next);
    if (next !== 0) region.setWord((next << PAGE_BITS) + PREVIOUS, previous);
    if (previous === 0 && next === 0) this.#mark(bin, false);
    this.#setEntry(page, 0);
    this.#setEntry(page + pages - 1, 0);
  }

  #mark(bin: number, hasRuns: boolean): void {
    const at = RUN_BITMAP + (bin >>> 5) * 4;
    const bit = 1 << (bin & 31);
    const bits = this.#region.word(at);
    this.#region.setWord(at, hasRuns ? bits | bit : bits & ~bit);
  }

  #entry(page: number): number {
    return this.#region.word(PAGE_MAP_AT + page * 4);
  }

  #setEntry(page: number, entry: number): void {
    this.#region.setWord(PAGE_MAP_AT + page * 4, entry);
  }
}
