/**
 * Checks a heap: what heap.ts says that always holds. Reads only.
 *
 * Any thread may call it while nobody writes.
 */
import {
  CLASS,
  FREE_BLOCK,
  FRESH_BLOCK,
  LIVE,
  LIVE_BLOCKS,
  NEXT,
  PREVIOUS,
  SPAN_HEADS,
  USED_BYTES,
} from "./heap-layout.ts";
import { LARGE, PAGE_MAP_AT, type PageRuns, SPAN, USED_PAGES } from "./page-runs.ts";
import { PAGE_BITS, type Region } from "./region.ts";
import { CLASS_COUNT, CLASS_SIZES, SPAN_HEADER_SIZE, SPAN_PAGES, SPAN_SIZE } from "./size-classes.ts";

/** No block. */
const NONE = 0;

/** Checks the invariants of heap.ts's opening comment. O(pages + blocks). @throws Error that names what is wrong */
export function verifyHeap(region: Region, runs: PageRuns): void {
  let usedBytes = 0;
  let usedPages = 0;
  let liveBlocks = 0;
  const roomy = verifySpanLists(region);
  runs.verify((page, entry) => {
    if ((entry & 3) === LARGE) {
      usedBytes += (entry >>> 2) << PAGE_BITS;
      usedPages += entry >>> 2;
      liveBlocks += 1;
      return entry >>> 2;
    }
    const live = verifySpan(region, page << PAGE_BITS, roomy);
    usedBytes += live * CLASS_SIZES[(entry >>> 2) & 0xff]!;
    usedPages += SPAN_PAGES;
    liveBlocks += live;
    return SPAN_PAGES;
  });
  if (usedBytes !== region.word(USED_BYTES))
    throw new Error(`heap: USED_BYTES ${region.word(USED_BYTES)} != ${usedBytes}`);
  if (usedPages !== region.word(USED_PAGES))
    throw new Error(`heap: USED_PAGES ${region.word(USED_PAGES)} != ${usedPages}`);
  if (liveBlocks !== region.word(LIVE_BLOCKS)) throw new Error(`heap: LIVE_BLOCKS != ${liveBlocks}`);
  if (roomy.size !== 0) throw new Error("heap: a listed span is not in the page map");
}

function verifySpanLists(region: Region): Set<number> {
  const roomy = new Set<number>();
  for (let index = 0; index < CLASS_COUNT; index++) {
    let previous = NONE;
    for (let span = region.word(SPAN_HEADS + index * 4); span !== NONE; span = region.word(span + NEXT)) {
      if (region.word(span + PREVIOUS) !== previous || region.word(span + CLASS) !== index || roomy.has(span)) {
        throw new Error(`heap: span list of class ${index} is broken at ${span}`);
      }
      roomy.add(span);
      previous = span;
    }
  }
  return roomy;
}

function verifySpan(region: Region, span: number, roomy: Set<number>): number {
  const index = region.word(span + CLASS);
  const size = CLASS_SIZES[index]!;
  for (let within = 0; within < SPAN_PAGES; within++) {
    if (region.word(PAGE_MAP_AT + ((span >>> PAGE_BITS) + within) * 4) !== (SPAN | (index << 2) | (within << 10))) {
      throw new Error(`heap: page map of span ${span} is wrong at page ${within}`);
    }
  }
  const fresh = region.word(span + FRESH_BLOCK);
  const handedOut = (fresh - span - SPAN_HEADER_SIZE) / size;
  let free = 0;
  for (let block = region.word(span + FREE_BLOCK); block !== NONE; block = region.word(block)) {
    const index = (block - span - SPAN_HEADER_SIZE) / size;
    if (!Number.isInteger(index) || index < 0 || index >= handedOut || free >= handedOut) {
      throw new Error(`heap: free list of span ${span} is broken at ${block}`);
    }
    free += 1;
  }
  const live = region.word(span + LIVE);
  if (live !== handedOut - free || live === 0) throw new Error(`heap: span ${span} has ${live} live of ${handedOut}`);
  const hasRoom = free > 0 || fresh + size <= span + SPAN_SIZE;
  if (hasRoom !== roomy.delete(span)) throw new Error(`heap: span ${span} is listed wrongly`);
  return live;
}
