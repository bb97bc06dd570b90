/**
 * Sorting only a part: after it, the elements from `first` to `last` are those that stand there when all are sorted.
 *
 * Which of several equal elements come first depends on every exchange, and clients see it; so this is the quicksort
 * that Redis uses, step by step: Bentley and McIlroy's ("Engineering a Sort Function", 1993), which gathers what
 * equals the pivot at both ends, restricted to the pieces that overlap with what is wanted.
 */

/** Negative if the left one comes first, 0 if neither does. */
export type Compare = (left: number, right: number) => number;

/** Pieces smaller than this are sorted by insertion. */
const INSERTION_END = 7;
/** Pieces larger than this get a pivot from nine elements instead of three. */
const NINTHER_MIN = 40;

/** Sorts `elements` as far as is needed for what stands from `first` to `last`, inclusive. */
export function sortPartially(elements: Int32Array, compare: Compare, first: number, last: number): void {
  new PartialSort(elements, compare, first, last).sort(0, elements.length);
}

class PartialSort {
  readonly #elements: Int32Array;
  readonly #compare: Compare;
  readonly #first: number;
  readonly #last: number;

  constructor(elements: Int32Array, compare: Compare, first: number, last: number) {
    this.#elements = elements;
    this.#compare = compare;
    this.#first = first;
    this.#last = last;
  }

  /** Sorts the `count` elements from `start` on. */
  sort(start: number, count: number): void {
    if (count < INSERTION_END) {
      this.#insert(start, count);
      return;
    }
    this.#exchange(start, this.#pivot(start, count));
    const end = start + count;
    // [start, equalLeft) equal, [equalLeft, left) less, [right + 1, equalRight + 1) greater, then equal again.
    let equalLeft = start + 1;
    let left = equalLeft;
    let right = end - 1;
    let equalRight = right;
    for (;;) {
      while (left <= right) {
        const order = this.#order(left, start);
        if (order > 0) break;
        if (order === 0) this.#exchange(equalLeft++, left);
        left += 1;
      }
      while (left <= right) {
        const order = this.#order(right, start);
        if (order < 0) break;
        if (order === 0) this.#exchange(right, equalRight--);
        right -= 1;
      }
      if (left > right) break;
      this.#exchange(left++, right--);
    }
    const less = left - equalLeft;
    const greater = equalRight - right;
    this.#exchangeRuns(start, left, Math.min(equalLeft - start, less));
    this.#exchangeRuns(left, end, Math.min(greater, end - equalRight - 1));
    if (less > 1 && this.#isWanted(start, less)) this.sort(start, less);
    if (greater > 1 && this.#isWanted(end - greater, greater)) this.sort(end - greater, greater);
  }

  #isWanted(start: number, count: number): boolean {
    const end = start + count - 1;
    const isBefore = this.#first < start && this.#last < start;
    return !isBefore && !(this.#first > end && this.#last > end);
  }

  #insert(start: number, count: number): void {
    for (let next = start + 1; next < start + count; next++) {
      for (let at = next; at > start && this.#order(at - 1, at) > 0; at--) this.#exchange(at, at - 1);
    }
  }

  /** Where the element is that the others are compared with: a median of three, or of three such medians. */
  #pivot(start: number, count: number): number {
    const middle = start + (count >>> 1);
    if (count === INSERTION_END) return middle;
    const last = start + count - 1;
    if (count <= NINTHER_MIN) return this.#median(start, middle, last);
    const step = count >>> 3;
    return this.#median(
      this.#median(start, start + step, start + 2 * step),
      this.#median(middle - step, middle, middle + step),
      this.#median(last - 2 * step, last - step, last),
    );
  }

  #median(a: number, b: number, c: number): number {
    if (this.#order(a, b) < 0) {
      if (this.#order(b, c) < 0) return b;
      return this.#order(a, c) < 0 ? c : a;
    }
    if (this.#order(b, c) > 0) return b;
    return this.#order(a, c) < 0 ? a : c;
  }

  /** Exchanges the `count` elements from `start` on with the last ones before `end`. */
  #exchangeRuns(start: number, end: number, count: number): void {
    for (let index = 0; index < count; index++) this.#exchange(start + index, end - count + index);
  }

  #order(left: number, right: number): number {
    return this.#compare(this.#elements[left]!, this.#elements[right]!);
  }

  #exchange(left: number, right: number): void {
    const elements = this.#elements;
    const element = elements[left]!;
    elements[left] = elements[right]!;
    elements[right] = element;
  }
}
