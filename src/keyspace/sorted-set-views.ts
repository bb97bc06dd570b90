/**
 * SortedSetViews: a shard's reusable views of sorted sets, so that commands make none. `own` is for a command's one set
 * at a time, `result` for one that is being built, and a command over many sets takes a view for each.
 * Owner thread only.
 */
import type { Heap } from "../memory/heap.ts";
import { ScoreTree } from "./score-tree.ts";
import { SortedSet } from "./sorted-set.ts";

/** Commands over more sets than this make views for the rest. */
const KEPT_MAX = 16;

export class SortedSetViews {
  readonly own: SortedSet;
  readonly result: SortedSet;
  /** For what is known to be a large one. */
  readonly tree: ScoreTree;
  readonly #heap: Heap;
  readonly #sources: SortedSet[] = [];

  constructor(heap: Heap) {
    this.#heap = heap;
    this.own = new SortedSet(heap);
    this.result = new SortedSet(heap);
    this.tree = new ScoreTree(heap);
  }

  /** The view for a command's `index`-th set. */
  source(index: number): SortedSet {
    if (index >= KEPT_MAX) return new SortedSet(this.#heap);
    this.#sources[index] ??= new SortedSet(this.#heap);
    return this.#sources[index];
  }
}
