import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seedOfRun } from "../testing/random.ts";
import { Heap } from "./heap.ts";
import { FIRST_PAGE, FRESH_PAGE, LARGE, PAGE_MAP_AT, PageRuns, RegionFullError, USED_PAGES } from "./page-runs.ts";
import { PAGE_BITS, Region } from "./region.ts";

const SIZE = 1024 * 1024;
const seed = seedOfRun();

/** Page runs, and a naive twin: who has which page. */
class Twins {
  readonly region = new Region(SIZE);
  readonly #runs: PageRuns;
  readonly #owner: (number | undefined)[] = [];
  readonly runs: { page: number; pages: number }[] = [];

  constructor() {
    new Heap(this.region);
    this.#runs = new PageRuns(this.region);
  }

  get freePages(): number {
    return (SIZE >>> PAGE_BITS) - this.region.word(FIRST_PAGE) - this.region.word(USED_PAGES);
  }

  take(pages: number): boolean {
    const before = this.freePages < 4 * pages ? Buffer.from(this.region.bytes) : undefined;
    let page: number;
    try {
      page = this.#runs.take(pages, true);
    } catch (error) {
      assert(error instanceof RegionFullError);
      assert(before?.equals(this.region.bytes) ?? true, "a refused request changed something");
      return false;
    }
    assert(page >= this.region.word(FIRST_PAGE) && page + pages <= SIZE >>> PAGE_BITS);
    for (let each = page; each < page + pages; each++) {
      assert.equal(this.#owner[each], undefined, `page ${each} was given twice`);
      this.#owner[each] = page;
    }
    this.region.setWord(PAGE_MAP_AT + page * 4, LARGE | (pages << 2));
    this.runs.push({ page, pages });
    return true;
  }

  give(index: number): void {
    const [{ page, pages }] = this.runs.splice(index % this.runs.length, 1) as [{ page: number; pages: number }];
    for (let each = page; each < page + pages; each++) this.#owner[each] = undefined;
    this.#runs.give(page, pages);
  }

  verify(): void {
    let used = 0;
    this.#runs.verify((page, entry) => {
      assert.equal(this.#owner[page], page);
      used += entry >>> 2;
      return entry >>> 2;
    });
    assert.equal(used, this.region.word(USED_PAGES));
    assert.equal(
      used,
      this.runs.reduce((sum, run) => sum + run.pages, 0),
    );
  }
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ take: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 90 })) }),
  },
  { weight: 4, arbitrary: fc.record({ give: fc.nat() }) },
);

test("runs never overlap, a refusal changes nothing, and what is given back becomes one piece", (context) => {
  context.diagnostic(`seed ${seed}`);
  const property = fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
    const twins = new Twins();
    for (const each of steps) {
      if ("take" in each) twins.take(each.take);
      else if (twins.runs.length > 0) twins.give(each.give);
    }
    twins.verify();
    while (twins.runs.length > 0) twins.give(twins.runs.length * 7);
    twins.verify();
    assert.equal(twins.region.word(FRESH_PAGE), twins.region.word(FIRST_PAGE));
    assert(twins.take(twins.freePages), "all pages are one run again");
  });
  fc.assert(property, { seed, numRuns: 150 });
});

test("a hole between two runs is found by a request that fits it exactly", () => {
  for (let pages = 1; pages <= 64; pages++) {
    const twins = new Twins();
    for (const size of [3, pages, 5]) twins.take(size);
    const hole = twins.runs[1]!.page;
    twins.give(1);
    twins.take(pages);
    assert.equal(twins.runs.at(-1)!.page, hole, `${pages} pages`);
    twins.verify();
  }
});
