/** Ranges as commands give them: two positions, inclusive, negative ones counted from the end. */
import type { Int64 } from "./int64.ts";

/** What a given range is of so many elements. Reused by whoever owns it. */
export class Range {
  first = 0;
  last = -1;

  /** Brings `start` and `end` into what there is of `total` elements. */
  clamp(start: Int64, end: Int64, total: number): void {
    this.first = Math.max(0, fromStart(start, total));
    this.last = Math.min(total - 1, Math.max(0, fromStart(end, total)));
  }

  get isEmpty(): boolean {
    return this.first > this.last;
  }

  get length(): number {
    return this.last - this.first + 1;
  }
}

/** True for a range that ends before it begins, both counted from the end: empty whatever it is of. */
export function isReversed(start: Int64, end: Int64): boolean {
  return start < 0 && end < 0 && start > end;
}

/** What is too far from the start for a number to be exact is beyond every end. */
function fromStart(position: Int64, total: number): number {
  return position < 0 ? total + Number(position) : Number(position);
}
