/**
 * ScoreTree: a large sorted set: its members by their bytes, and by their scores.
 *
 *     root (40 B)                              element (a block)
 *     +0   dictionary header  hash -> element  +0   score, a double
 *     +32  ordered tree       its header       +8   LENGTH of the bytes
 *                                              +12  the bytes, padded with zeros to a whole word
 *
 * An element belongs to both; its place is its ref. A view: `attach` points it at another set; the root stays where it
 * is. All or nothing: what has no room (RegionFullError) leaves the set as it was. Owner thread only.
 */
import { copyBytes, type Slice } from "../base/bytes.ts";
import { type Heap, NONE, type Ref } from "../memory/heap.ts";
import type { Estimate } from "../structures/collection.ts";
import { DICTIONARY_SIZE } from "../structures/dictionary.ts";
import { MemberTable } from "../structures/member-table.ts";
import { TREE_SIZE } from "../structures/ordered-cursor.ts";
import {
  ALL_OF_EQUAL,
  BYTES_AT,
  LEAF_SIZE,
  LENGTH_AT,
  LESS_BYTES,
  NONE_OF_EQUAL,
  SCORE_AT,
  UP_TO_BYTES,
} from "../structures/ordered-nodes.ts";
import { OrderedTree } from "../structures/ordered-tree.ts";
import { verifyTree } from "../structures/ordered-tree-verify.ts";
import { type ByteBound, type ByteRange, HIGHEST, LOWEST, type Span } from "./score-range.ts";
import type { Place, ScoredMembers } from "./scored-members.ts";
import type { SetMember } from "./set-member.ts";
import { StagedKey } from "./staged-key.ts";

export const TREE_AT = DICTIONARY_SIZE;
const ROOT_SIZE = DICTIONARY_SIZE + TREE_SIZE;

/** Elements that a leaf holds on average, to estimate. */
const LEAF_FILL = 28;

/** Added to a place within the table: places within the tree are refs, which are below it. */
const IN_TABLE = 2 ** 31;

/** An end of a range of bytes, as words. Its hash is of no use. */
const bound = new StagedKey(0, 0);

export class ScoreTree implements ScoredMembers {
  readonly heap: Heap;
  root: Ref = NONE;
  readonly #table: MemberTable;
  readonly #tree: OrderedTree;
  #staged = bound;
  /** Where loads go that are made ahead. */
  sink = 0;
  /** Lets go of an element that the tree is about to lose. */
  readonly #take = (element: Ref): void => this.#forget(element, this.#staged);

  constructor(heap: Heap) {
    this.heap = heap;
    this.#table = new MemberTable(heap, LENGTH_AT, BYTES_AT);
    this.#tree = new OrderedTree(heap);
  }

  attach(root: Ref): this {
    this.root = root;
    this.#table.attach(root);
    this.#tree.attach(root + TREE_AT);
    return this;
  }

  create(): this {
    const { heap } = this;
    const root = heap.allocate(ROOT_SIZE);
    heap.region.guard(root, ROOT_SIZE);
    heap.region.words.fill(0, root >>> 2, (root + ROOT_SIZE) >>> 2);
    return this.attach(root);
  }

  get count(): number {
    return this.#tree.count;
  }

  free(): void {
    this.forEachBlock((block) => this.heap.free(block));
  }

  /** Visits all blocks, each of which may be freed when it is visited. */
  forEachBlock(visit: (block: Ref) => void): void {
    for (let place = this.walkBlocks(0, visit); place !== 0; ) place = this.walkBlocks(place, visit);
  }

  /**
   * Does so a part at a time: the tree's nodes, then elements and table.
   * @param place 0 begins
   * @returns the place to go on from, 0 at the end
   */
  walkBlocks(place: number, visit: (block: Ref) => void): number {
    if (place >= IN_TABLE) {
      const next = this.#table.walkBlocks(place - IN_TABLE, visit);
      return next === 0 ? 0 : next + IN_TABLE;
    }
    return this.#tree.walkNodes(place, visit) || IN_TABLE;
  }

  /** About how many blocks the set is, and their bytes, from some elements' sizes. O(1) */
  estimate(into: Estimate): void {
    const leaves = Math.ceil(this.count / LEAF_FILL);
    this.#table.dictionary.estimate((element) => this.heap.sizeOf(element), into);
    into.blocks += leaves;
    into.bytes += leaves * LEAF_SIZE;
  }

  /** Visits the blocks of the tree and the table, not the elements'. */
  forEachIndexBlock(visit: (block: Ref) => void): void {
    this.#tree.forEachNode(visit);
    this.#table.dictionary.forEachBlock(visit);
    visit(this.root);
  }

  find(member: SetMember): Place {
    return this.findStaged(member.stage());
  }

  /** As `find`, of a member that has just been staged. */
  findStaged({ words, length, hash }: StagedKey): Place {
    return this.#table.find(words, length, hash);
  }

  score(place: Place): number {
    return this.heap.region.doubles[(place + SCORE_AT) >>> 3]!;
  }

  read(place: Place, slice: Slice): Slice {
    slice.set(this.heap.region.bytes, place + BYTES_AT, this.#table.length(place));
    return slice;
  }

  rank(place: Place): number {
    return this.#tree.rank(place);
  }

  seek(rank: number): Place {
    return this.#tree.seek(rank) ? this.#tree.element : NONE;
  }

  next(): Place {
    return this.#tree.next() ? this.#tree.element : NONE;
  }

  previous(): Place {
    return this.#tree.previous() ? this.#tree.element : NONE;
  }

  countBelow(score: number, orEqual: boolean): number {
    return this.#tree.seekScore(score, orEqual ? ALL_OF_EQUAL : NONE_OF_EQUAL);
  }

  spanOfBytes(range: ByteRange, _isReversed: boolean, span: Span): Span {
    if (range.isEmpty) return span.set(0, 0);
    const first = this.#countBefore(range.min, range.min.isExcluded ? UP_TO_BYTES : LESS_BYTES);
    return span.set(first, this.#countBefore(range.max, range.max.isExcluded ? LESS_BYTES : UP_TO_BYTES) - first);
  }

  forEach(visit: (place: Place, hash: number) => void): void {
    this.#table.dictionary.forEach(visit);
  }

  /** Visits the members homed at a point of the table. @returns where to go on from, 2^32 at the end */
  scan(cursor: number, visit: (place: Place) => void): number {
    return this.#table.dictionary.scan(cursor, visit);
  }

  insert(member: SetMember, score: number): void {
    this.insertStaged(member.stage(), score);
  }

  /** As `insert`, of a member that has just been staged. */
  insertStaged({ words, length, hash }: StagedKey, score: number): void {
    const { heap } = this;
    const element = heap.allocate(BYTES_AT + ((length + 3) & ~3));
    heap.region.guard(element, BYTES_AT);
    heap.region.doubles[(element + SCORE_AT) >>> 3] = score;
    heap.region.words[(element + LENGTH_AT) >>> 2] = length;
    this.#table.writeBytes(element, words, length);
    this.#link(element, hash);
  }

  append(member: SetMember, score: number): void {
    this.insert(member, score);
  }

  /** Adds a copy of another set's element, its hash known. @throws RegionFullError with nothing changed */
  insertCopy(source: ScoreTree, place: Place, hash: number): void {
    const { heap } = this;
    const size = BYTES_AT + ((source.#table.length(place) + 3) & ~3);
    const element = heap.allocate(size);
    heap.region.guard(element, size);
    copyBytes(source.heap.region.bytes, place, heap.region.bytes, element, size);
    this.#link(element, hash);
  }

  update(place: Place, score: number): void {
    this.#tree.update(place, score);
  }

  remove(place: Place, staged: StagedKey): void {
    this.#tree.remove(place);
    this.#forget(place, staged);
  }

  removeSpan(first: number, count: number, staged: StagedKey): void {
    this.#staged = staged;
    for (let left = count; left > 0; ) left -= this.#tree.removeSome(first, left, this.#take);
  }

  /** @throws Error that names what is wrong */
  verify(): void {
    verifyTree(this.#tree);
    this.#table.dictionary.verify();
    if (this.#table.count !== this.#tree.count) throw new Error("sorted set: table and tree do not agree");
    const { heap } = this;
    const { words, bytes } = heap.region;
    this.#table.dictionary.forEach((element, hash) => {
      const length = this.#table.length(element);
      const end = element + BYTES_AT + ((length + 3) & ~3);
      if (end - element > heap.sizeOf(element)) throw new Error(`sorted set: ${element} is larger than its block`);
      if (this.#table.find(words.slice((element + BYTES_AT) >>> 2, end >>> 2), length, hash) !== element) {
        throw new Error(`sorted set: ${element} is there twice`);
      }
      for (let at = element + BYTES_AT + length; at < end; at++) {
        if (bytes[at] !== 0) throw new Error(`sorted set: ${element} is not padded with zeros`);
      }
      this.#tree.rank(element);
    });
  }

  #link(element: Ref, hash: number): void {
    try {
      this.#tree.insert(element);
    } catch (error) {
      this.heap.free(element);
      throw error;
    }
    try {
      this.#table.insert(hash, element);
    } catch (error) {
      this.#tree.remove(element);
      this.heap.free(element);
      throw error;
    }
  }

  /** Lets go of an element that the tree has not any more. */
  #forget(element: Ref, staged: StagedKey): void {
    staged.stage(this.heap.region.bytes, element + BYTES_AT, this.#table.length(element));
    // Three waits for memory become one.
    this.sink ^= this.#table.dictionary.warm(staged.hash) ^ this.heap.warm(element);
    this.#table.remove(staged.hash, element);
    this.heap.free(element);
  }

  /** Elements before an end of a range. @param equal whether those of the same bytes are among them */
  #countBefore(end: ByteBound, equal: number): number {
    if (end.kind === LOWEST) return 0;
    if (end.kind === HIGHEST) return this.count;
    bound.stageHashed(end.bytes, end.start, end.length, 0);
    this.#tree.nodes.aim(bound.words, 0, end.length);
    return this.#tree.seekBytes(equal);
  }
}
