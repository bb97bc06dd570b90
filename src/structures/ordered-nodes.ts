/**
 * OrderedNodes: the nodes of an ordered tree as such: their layout, searching one, moving entries between two.
 * ordered-tree.ts says what the tree is for and keeps it one.
 *
 *     leaf (508 B)                                     inner node (1,016 B)
 *     +0   COUNT      entries                          +0    COUNT     children
 *     +4   LEVEL      0                                +4    LEVEL     1 above leaves, and so on
 *     +8   PREVIOUS   leaf, or NONE                    +8    unused
 *     +12  NEXT       leaf, or NONE                    +12   unused
 *     +16  scores     41 doubles                       +16   scores    50 doubles: of each child's least element
 *     +344 refs       41 elements                      +416  refs      50 elements: each child's least
 *                                                      +616  children  50 nodes
 *                                                      +816  counts    50: elements below each child
 *
 * Scores stand beside the refs, so that a search looks at an element only where scores are equal. Inner nodes are twice
 * as large as leaves: with five words a child they would have too few children, and the tree a level more.
 *
 * Scores and refs begin at the same place in both, so that one search serves both. Owner thread only.
 */
import { type Heap, NONE, type Ref } from "../memory/heap.ts";

export const COUNT = 0;
export const LEVEL = 4;
export const PREVIOUS = 8;
export const NEXT = 12;
export const SCORES = 16;

export const LEAF_MAX = 41;
/** Leaves that have fewer, unless they are the first or the last, are filled from their neighbour or joined to it. */
export const LEAF_MIN = 13;
export const LEAF_REFS = SCORES + LEAF_MAX * 8;
export const LEAF_SIZE = LEAF_REFS + LEAF_MAX * 4;

export const INNER_MAX = 50;
export const INNER_MIN = 16;
export const INNER_REFS = SCORES + INNER_MAX * 8;
export const CHILDREN = INNER_REFS + INNER_MAX * 4;
export const COUNTS = CHILDREN + INNER_MAX * 4;
export const INNER_SIZE = COUNTS + INNER_MAX * 4;

/** Words of a line of the processor's cache. */
const LINE = 16;

/** Layout of an element. */
export const SCORE_AT = 0;
export const LENGTH_AT = 8;
export const BYTES_AT = 12;

/** How a search treats entries whose score is the one searched for: which of them count as being before the target. */
export const NONE_OF_EQUAL = 0;
export const ALL_OF_EQUAL = 1;
/** Those whose bytes are less than the target's. */
export const LESS_BYTES = 2;
/** Those whose bytes are the target's, too. */
export const UP_TO_BYTES = 3;

export class OrderedNodes {
  readonly heap: Heap;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  /** See `searchBoth`. */
  otherFound = 0;
  /** The bytes searched for, padded with zeros, from word `targetAt` on. */
  #target: Int32Array;
  #targetAt = 0;
  #targetLength = 0;

  constructor(heap: Heap) {
    this.heap = heap;
    this.words = heap.region.words;
    this.doubles = heap.region.doubles;
    this.#target = this.words;
  }

  count(node: Ref): number {
    return this.words[node >>> 2]!;
  }

  level(node: Ref): number {
    return this.words[(node + LEVEL) >>> 2]!;
  }

  score(node: Ref, index: number): number {
    return this.doubles[((node + SCORES) >>> 3) + index]!;
  }

  /** The element in a leaf's entry, the least element below an inner node's. */
  element(node: Ref, index: number): Ref {
    return this.words[(this.refsAt(node) >>> 2) + index]!;
  }

  child(inner: Ref, index: number): Ref {
    return this.words[((inner + CHILDREN) >>> 2) + index]!;
  }

  /** Elements below a child. */
  countBelow(inner: Ref, index: number): number {
    return this.words[((inner + COUNTS) >>> 2) + index]!;
  }

  /** Where a node's refs begin. */
  refsAt(node: Ref): number {
    return node + (this.words[(node + LEVEL) >>> 2] === 0 ? LEAF_REFS : INNER_REFS);
  }

  /** A new, empty node. @throws RegionFullError */
  create(level: number): Ref {
    const size = level === 0 ? LEAF_SIZE : INNER_SIZE;
    const node = this.heap.allocateStructural(size);
    this.heap.region.guard(node, SCORES);
    const word = node >>> 2;
    this.words[word] = 0;
    this.words[word + 1] = level;
    this.words[word + 2] = NONE;
    this.words[word + 3] = NONE;
    return node;
  }

  /** Searches for these bytes from now on: the first `length` of `words` from `at` on, padded with zeros. */
  aim(words: Int32Array, at: number, length: number): void {
    this.#target = words;
    this.#targetAt = at;
    this.#targetLength = length;
  }

  /** Searches for an element's bytes from now on. */
  aimAt(element: Ref): void {
    this.aim(this.words, (element + BYTES_AT) >>> 2, this.words[(element + LENGTH_AT) >>> 2]!);
  }

  /** Entries of a node that are before (score, bytes). @param equal one of the constants above */
  search(node: Ref, score: number, equal: number): number {
    const before = countLess(this.doubles, (node + SCORES) >>> 3, this.words[node >>> 2]!, score);
    return this.#searchEqual(node, score, before, equal);
  }

  /**
   * Two searches at once, in different nodes or the same: neither waits for what the other loads.
   * @returns the first one's result, and in `otherFound` the other's
   */
  searchBoth(node: Ref, score: number, equal: number, other: Ref, otherScore: number, otherEqual: number): number {
    const { words, doubles } = this;
    const from = (node + SCORES) >>> 3;
    const otherFrom = (other + SCORES) >>> 3;
    let at = from;
    let left = words[node >>> 2]!;
    let otherAt = otherFrom;
    let otherLeft = words[other >>> 2]!;
    // The one that is done first reads what is before its place, and stays there.
    while ((left | otherLeft) > 1) {
      const half = left >>> 1;
      const otherHalf = otherLeft >>> 1;
      at += (0 - Number(doubles[at + half - 1]! < score)) & half;
      otherAt += (0 - Number(doubles[otherAt + otherHalf - 1]! < otherScore)) & otherHalf;
      left -= half;
      otherLeft -= otherHalf;
    }
    const before = at - from + Number(doubles[at]! < score);
    const otherBefore = otherAt - otherFrom + Number(doubles[otherAt]! < otherScore);
    this.otherFound = this.#searchEqual(other, otherScore, otherBefore, otherEqual);
    return this.#searchEqual(node, score, before, equal);
  }

  /** Completes a search: `before` entries have a lower score, and those behind may have the same. */
  #searchEqual(node: Ref, score: number, before: number, equal: number): number {
    const { words, doubles } = this;
    const scores = (node + SCORES) >>> 3;
    let high = words[node >>> 2]!;
    if (before === high || equal === NONE_OF_EQUAL || doubles[scores + before] !== score) return before;
    const refs = this.refsAt(node) >>> 2;
    let low = before;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (doubles[scores + middle] === score && this.#isBefore(words[refs + middle]!, equal)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** As `search`, by bytes alone: for sets all of whose scores are equal. */
  searchBytes(node: Ref, equal: number): number {
    const { words } = this;
    const refs = this.refsAt(node) >>> 2;
    let low = 0;
    let high = words[node >>> 2]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#isBefore(words[refs + middle]!, equal)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isBefore(element: Ref, equal: number): boolean {
    if (equal === ALL_OF_EQUAL) return true;
    const order = this.compare(element);
    return order < 0 || (order === 0 && equal === UP_TO_BYTES);
  }

  /** Compares an element's bytes with those searched for, as memcmp does: negative if they come before. */
  compare(element: Ref): number {
    const { words } = this;
    const target = this.#target;
    const length = words[(element + LENGTH_AT) >>> 2]!;
    const shorter = Math.min(length, this.#targetLength);
    let at = (element + BYTES_AT) >>> 2;
    let targetAt = this.#targetAt;
    for (const end = at + ((shorter + 3) >>> 2); at < end; at++, targetAt++) {
      const differing = words[at]! ^ target[targetAt]!;
      if (differing !== 0) {
        // The lowest byte that differs is the first in memory. Padding is zero: less than, or equal to, any byte.
        const shift = (31 - Math.clz32(differing & -differing)) & 24;
        return ((words[at]! >>> shift) & 0xff) - ((target[targetAt]! >>> shift) & 0xff);
      }
    }
    return length - this.#targetLength;
  }

  /**
   * Loads all of a leaf that a change may look at, without waiting for one line of it before it asks for the next.
   * @returns something of it, as Dictionary.warm does
   */
  warmLeaf(leaf: Ref): number {
    const { words } = this;
    const at = leaf >>> 2;
    const scores = words[at]! ^ words[at + LINE]! ^ words[at + 2 * LINE]! ^ words[at + 3 * LINE]!;
    return scores ^ words[at + 4 * LINE]! ^ words[at + 5 * LINE]! ^ words[at + 6 * LINE]! ^ words[at + 7 * LINE - 1]!;
  }

  /** Puts an entry into a leaf that has room. */
  putInLeaf(leaf: Ref, index: number, score: number, element: Ref): void {
    const { words, doubles } = this;
    this.heap.region.guard(leaf, LEAF_SIZE);
    const scores = (leaf + SCORES) >>> 3;
    const refs = (leaf + LEAF_REFS) >>> 2;
    const count = words[leaf >>> 2]!;
    for (let at = count; at > index; at--) {
      doubles[scores + at] = doubles[scores + at - 1]!;
      words[refs + at] = words[refs + at - 1]!;
    }
    doubles[scores + index] = score;
    words[refs + index] = element;
    words[leaf >>> 2] = count + 1;
  }

  /** Takes an entry out of a leaf. */
  takeFromLeaf(leaf: Ref, index: number): void {
    const { words, doubles } = this;
    this.heap.region.guard(leaf, LEAF_SIZE);
    const scores = (leaf + SCORES) >>> 3;
    const refs = (leaf + LEAF_REFS) >>> 2;
    const count = words[leaf >>> 2]! - 1;
    for (let at = index; at < count; at++) {
      doubles[scores + at] = doubles[scores + at + 1]!;
      words[refs + at] = words[refs + at + 1]!;
    }
    words[leaf >>> 2] = count;
  }

  /** Opens `count` entries at `index` of a node that has room, their contents undefined. */
  open(node: Ref, index: number, count: number): void {
    this.heap.region.guard(node, this.level(node) === 0 ? LEAF_SIZE : INNER_SIZE);
    this.#shift(node, index, count, this.count(node));
    this.words[node >>> 2] = this.count(node) + count;
  }

  /** Takes `count` entries out of a node from `index` on. */
  close(node: Ref, index: number, count: number): void {
    this.heap.region.guard(node, this.level(node) === 0 ? LEAF_SIZE : INNER_SIZE);
    this.#shift(node, index + count, -count, this.count(node));
    this.words[node >>> 2] = this.count(node) - count;
  }

  /** Writes an entry that `open` has made. */
  setEntry(node: Ref, index: number, score: number, element: Ref): void {
    this.heap.region.guard(node, this.level(node) === 0 ? LEAF_SIZE : INNER_SIZE);
    this.doubles[((node + SCORES) >>> 3) + index] = score;
    this.words[(this.refsAt(node) >>> 2) + index] = element;
  }

  setChild(inner: Ref, index: number, child: Ref, count: number): void {
    this.heap.region.setWord(inner + CHILDREN + index * 4, child);
    this.heap.region.setWord(inner + COUNTS + index * 4, count);
  }

  /** Counts `change` more elements below a child. */
  addCount(inner: Ref, index: number, change: number): void {
    const at = inner + COUNTS + index * 4;
    this.heap.region.setWord(at, this.words[at >>> 2]! + change);
  }

  /** Moves `count` entries of a node, from `index` on, to `at` of another one of its level. */
  move(from: Ref, index: number, to: Ref, at: number, count: number): void {
    const { words, doubles } = this;
    this.open(to, at, count);
    const isLeaf = this.level(from) === 0;
    const refs = isLeaf ? LEAF_REFS : INNER_REFS;
    for (let entry = 0; entry < count; entry++) {
      doubles[((to + SCORES) >>> 3) + at + entry] = doubles[((from + SCORES) >>> 3) + index + entry]!;
      words[((to + refs) >>> 2) + at + entry] = words[((from + refs) >>> 2) + index + entry]!;
      if (isLeaf) continue;
      words[((to + CHILDREN) >>> 2) + at + entry] = words[((from + CHILDREN) >>> 2) + index + entry]!;
      words[((to + COUNTS) >>> 2) + at + entry] = words[((from + COUNTS) >>> 2) + index + entry]!;
    }
    this.close(from, index, count);
  }

  /** Elements below a node. */
  total(node: Ref): number {
    const count = this.count(node);
    return this.level(node) === 0 ? count : this.sumBelow(node, count);
  }

  /** Elements below the first `places` children. */
  sumBelow(inner: Ref, places: number): number {
    const { words } = this;
    const counts = (inner + COUNTS) >>> 2;
    let sum = 0;
    for (let index = 0; index < places; index++) sum += words[counts + index]!;
    return sum;
  }

  /** Puts a new leaf behind another one in the list. */
  linkBehind(left: Ref, right: Ref): void {
    const { region } = this.heap;
    const next = this.words[(left + NEXT) >>> 2]!;
    region.setWord(right + PREVIOUS, left);
    region.setWord(right + NEXT, next);
    region.setWord(left + NEXT, right);
    if (next !== NONE) region.setWord(next + PREVIOUS, right);
  }

  /** Takes a leaf out of the list. */
  unlink(leaf: Ref): void {
    const { region } = this.heap;
    const previous = this.words[(leaf + PREVIOUS) >>> 2]!;
    const next = this.words[(leaf + NEXT) >>> 2]!;
    if (previous !== NONE) region.setWord(previous + NEXT, next);
    if (next !== NONE) region.setWord(next + PREVIOUS, previous);
  }

  /** Moves the entries of [from, end) by `distance`. */
  #shift(node: Ref, from: number, distance: number, end: number): void {
    const { words } = this;
    const isLeaf = this.level(node) === 0;
    const scores = ((node + SCORES) >>> 3) + from;
    shiftEntries(this.doubles, scores, words, (this.refsAt(node) >>> 2) + from, end - from, distance);
    if (isLeaf) return;
    shiftWords(words, ((node + CHILDREN) >>> 2) + from, end - from, distance);
    shiftWords(words, ((node + COUNTS) >>> 2) + from, end - from, distance);
  }
}

/**
 * How many of `count` ascending doubles are less than `score`. Without a branch on what is compared: of those, the
 * processor would guess every second one wrong, and a wrong guess costs more than the comparison.
 */
function countLess(doubles: Float64Array, from: number, count: number, score: number): number {
  if (count === 0) return 0;
  let at = from;
  let left = count;
  while (left > 1) {
    const half = left >>> 1;
    at += (0 - Number(doubles[at + half - 1]! < score)) & half;
    left -= half;
  }
  return at - from + Number(doubles[at]! < score);
}

/** A loop, because for so few `copyWithin` costs more than it saves. */
function shiftWords(words: Int32Array, from: number, count: number, distance: number): void {
  if (distance > 0) for (let at = from + count - 1; at >= from; at--) words[at + distance] = words[at]!;
  else for (let at = from; at < from + count; at++) words[at + distance] = words[at]!;
}

/** Scores and refs in one loop: half of what moving a few of them costs is the loop. */
function shiftEntries(
  doubles: Float64Array,
  scores: number,
  words: Int32Array,
  refs: number,
  count: number,
  distance: number,
): void {
  if (distance > 0) {
    for (let at = count - 1; at >= 0; at--) {
      doubles[scores + at + distance] = doubles[scores + at]!;
      words[refs + at + distance] = words[refs + at]!;
    }
    return;
  }
  for (let at = 0; at < count; at++) {
    doubles[scores + at + distance] = doubles[scores + at]!;
    words[refs + at + distance] = words[refs + at]!;
  }
}
