/**
 * SetViews: a shard's reusable views of sets, so that commands make none. `own` is for a command's one set at a time,
 * `result` for one that is being built, and a command over many sets takes a view for each.
 * Owner thread only.
 */
import type { Heap } from "../memory/heap.ts";
import { MemberSet } from "./member-set.ts";

/** Commands over more sets than this make views for the rest. */
const KEPT_MAX = 16;

export class SetViews {
  readonly own: MemberSet;
  readonly result: MemberSet;
  readonly #heap: Heap;
  readonly #sources: MemberSet[] = [];

  constructor(heap: Heap) {
    this.#heap = heap;
    this.own = new MemberSet(heap);
    this.result = new MemberSet(heap);
  }

  /** The view for a command's `index`-th set. */
  source(index: number): MemberSet {
    if (index >= KEPT_MAX) return new MemberSet(this.#heap);
    this.#sources[index] ??= new MemberSet(this.#heap);
    return this.#sources[index];
  }
}
