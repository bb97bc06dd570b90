/**
 * OrderedCursor: finding one's way in an ordered tree, which it does not change; ordered-tree.ts says what that is.
 *
 * A cursor (`leaf`, `index`) stands at an element or behind the last; `next` and `previous` move it, and any change of
 * the tree makes it invalid. All searches set it. Beside it, the way from the root down to it is remembered, for what
 * changes the tree there. Owner thread only.
 */
import { type Heap, NONE, type Ref } from "../memory/heap.ts";
import { LEAF_REFS, LESS_BYTES, NEXT, OrderedNodes, PREVIOUS, SCORE_AT, UP_TO_BYTES } from "./ordered-nodes.ts";

/** Fields of a tree's header. */
export const ROOT = 0;
export const TREE_COUNT = 4;
export const TREE_SIZE = 8;

/** More than 2^31 elements could need, were every node filled to a third. */
export const LEVELS_MAX = 12;

export class OrderedCursor {
  readonly nodes: OrderedNodes;
  /** Where loads go that are made ahead: those that serve nothing would be optimized away. */
  sink = 0;
  /** Where the cursor stands; NONE behind the last element. */
  leaf: Ref = NONE;
  index = 0;
  protected header: Ref = NONE;
  /** The way of the last search: for each level its node, and the place in it. */
  protected path = new Int32Array(LEVELS_MAX);
  protected places = new Int32Array(LEVELS_MAX);
  /** The way to another place, where two are needed. */
  protected otherPath = new Int32Array(LEVELS_MAX);
  protected otherPlaces = new Int32Array(LEVELS_MAX);
  /** Level of the root in that path. */
  protected top = 0;

  constructor(heap: Heap) {
    this.nodes = new OrderedNodes(heap);
  }

  /** Points at the tree whose header stands at `header`: all zeros is an empty one. */
  attach(header: Ref): this {
    this.header = header;
    this.leaf = NONE;
    return this;
  }

  get count(): number {
    return this.nodes.words[(this.header + TREE_COUNT) >>> 2]!;
  }

  get root(): Ref {
    return this.nodes.words[(this.header + ROOT) >>> 2]!;
  }

  /** The element at the cursor. */
  get element(): Ref {
    return this.nodes.words[((this.leaf + LEAF_REFS) >>> 2) + this.index]!;
  }

  /** Its score. */
  get score(): number {
    return this.nodes.score(this.leaf, this.index);
  }

  /** Moves the cursor on. @returns false behind the last element */
  next(): boolean {
    const { words } = this.nodes;
    this.index += 1;
    if (this.index === words[this.leaf >>> 2]!) {
      this.index = 0;
      this.leaf = words[(this.leaf + NEXT) >>> 2]!;
    }
    return this.leaf !== NONE;
  }

  /** Moves the cursor back. @returns false before the first element, where the cursor must not be used any more */
  previous(): boolean {
    if (this.index > 0) {
      this.index -= 1;
      return true;
    }
    this.leaf = this.nodes.words[(this.leaf + PREVIOUS) >>> 2]!;
    if (this.leaf === NONE) return false;
    this.index = this.nodes.count(this.leaf) - 1;
    return true;
  }

  /** Puts the cursor at the element that `rank` others precede. @returns false if there is none */
  seek(rank: number): boolean {
    this.leaf = NONE;
    if (rank < 0 || rank >= this.count) return false;
    const { nodes } = this;
    let node = this.root;
    let left = rank;
    this.top = nodes.level(node);
    for (let level = this.top; level > 0; level--) {
      let place = 0;
      for (let below = nodes.countBelow(node, 0); left >= below; below = nodes.countBelow(node, place)) {
        left -= below;
        place += 1;
      }
      this.path[level] = node;
      this.places[level] = place;
      node = nodes.child(node, place);
    }
    this.path[0] = node;
    this.places[0] = left;
    this.leaf = node;
    this.index = left;
    return true;
  }

  /**
   * Puts the cursor at the first element that is not before the score (and the bytes that `nodes.aim` was given).
   * @param equal which of those whose score is equal are before it: a constant of ordered-nodes.ts
   * @returns how many are before it
   */
  seekScore(score: number, equal: number): number {
    if (this.root === NONE) return 0;
    this.descend(score, equal);
    return this.#land();
  }

  /** As `seekScore`, by the bytes that `nodes.aim` was given alone: for sets all of whose scores are equal. */
  seekBytes(equal: number): number {
    if (this.root === NONE) return 0;
    const { nodes } = this;
    let node = this.root;
    this.top = nodes.level(node);
    for (let level = this.top; level > 0; level--) {
      const place = Math.max(0, nodes.searchBytes(node, equal) - 1);
      this.path[level] = node;
      this.places[level] = place;
      node = nodes.child(node, place);
    }
    this.path[0] = node;
    this.places[0] = nodes.searchBytes(node, equal);
    return this.#land();
  }

  /** Puts the cursor at an element that is in the tree. @returns how many precede it */
  rank(element: Ref): number {
    this.find(element);
    return this.#rankOfPath();
  }

  /** Goes down to where (score, bytes aimed at) is or would be; in the leaf, behind all that are before it. */
  protected descend(score: number, equal: number): void {
    const { nodes } = this;
    let node = this.root;
    let level = nodes.level(node);
    this.top = level;
    for (; level > 0; level--) {
      const before = nodes.search(node, score, equal);
      const place = before === 0 ? 0 : before - 1;
      this.path[level] = node;
      this.places[level] = place;
      node = nodes.child(node, place);
    }
    this.path[0] = node;
    this.places[0] = nodes.search(node, score, equal);
  }

  /**
   * Goes down to an element that is in the tree, and beside it (`otherPath`, `otherPlaces`) to where it would be with
   * another score: at once, because most of either descent is waiting for memory.
   */
  protected findBoth(element: Ref, score: number): void {
    const { nodes, path, places, otherPath, otherPlaces } = this;
    nodes.aimAt(element);
    const old = nodes.doubles[(element + SCORE_AT) >>> 3]!;
    let node = this.root;
    let other = node;
    let level = nodes.level(node);
    this.top = level;
    for (; level > 0; level--) {
      const before = nodes.searchBoth(node, old, UP_TO_BYTES, other, score, LESS_BYTES);
      const { otherFound } = nodes;
      path[level] = node;
      otherPath[level] = other;
      places[level] = before === 0 ? 0 : before - 1;
      otherPlaces[level] = otherFound === 0 ? 0 : otherFound - 1;
      node = nodes.child(node, places[level]!);
      other = nodes.child(other, otherPlaces[level]!);
    }
    this.sink ^= nodes.warmLeaf(node) ^ nodes.warmLeaf(other);
    path[0] = node;
    otherPath[0] = other;
    places[0] = nodes.searchBoth(node, old, UP_TO_BYTES, other, score, LESS_BYTES);
    otherPlaces[0] = nodes.otherFound;
    this.#standAt(element);
  }

  /** Goes down to an element that is in the tree. */
  protected find(element: Ref): void {
    const { nodes } = this;
    nodes.aimAt(element);
    this.descend(nodes.doubles[(element + SCORE_AT) >>> 3]!, UP_TO_BYTES);
    this.#standAt(element);
  }

  /** Puts the cursor at an element, behind which the path leads. */
  #standAt(element: Ref): void {
    this.leaf = this.path[0]!;
    this.index = this.places[0]! - 1;
    this.places[0] = this.index;
    if (this.index < 0 || this.element !== element) throw new Error(`tree: element ${element} is not in its place`);
  }

  /** Puts the cursor where the path ends. @returns how many elements precede it */
  #land(): number {
    const { nodes } = this;
    this.leaf = this.path[0]!;
    this.index = this.places[0]!;
    if (this.index === nodes.count(this.leaf)) {
      this.index = 0;
      this.leaf = nodes.words[(this.leaf + NEXT) >>> 2]!;
    }
    return this.#rankOfPath();
  }

  #rankOfPath(): number {
    let rank = this.places[0]!;
    for (let level = this.top; level > 0; level--) {
      rank += this.nodes.sumBelow(this.path[level]!, this.places[level]!);
    }
    return rank;
  }
}
