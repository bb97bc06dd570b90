/**
 * OrderedTree: the elements of a large sorted set by score, and by bytes where scores are equal: a B+ tree that counts.
 *
 *     header (8 B)      element (a block, its owner's)      nodes: ordered-nodes.ts draws them
 *     +0  ROOT          +0   score, a double
 *     +4  COUNT         +8   LENGTH of the bytes                       [ 3 | 4 ]            elements below each child
 *                       +12  the bytes, padded with                    /       \
 *                            zeros to a whole word           [a b c]  <->  [d e f g]        leaves are a list
 *
 * Why a tree and not Redis's skip list: a node holds 41 scores in a row where a skip list has a cache miss an element,
 * an element costs some 16 bytes here, and what counts the elements below each child finds a rank and an index as
 * quickly as a score. Two elements may be equal in score, never in both.
 *
 * An entry has its element's score beside it; whoever changes a score says so here (`update`). Inner nodes refer to the
 * least element below each child, which is also what a search compares with.
 *
 * ordered-cursor.ts finds the way; here is what changes the tree, along the way that was found.
 *
 * Invariants (verify): leaves are in strictly ascending order and linked so; each inner entry has its child's least
 * element, its score, and the number of elements below; nodes are filled to a third at least, the first and last of
 * their level aside; an inner node has two children at least. Owner thread only.
 */
import { NONE, type Ref } from "../memory/heap.ts";
import { LEVELS_MAX, OrderedCursor, ROOT, TREE_COUNT } from "./ordered-cursor.ts";
import {
  INNER_MAX,
  INNER_MIN,
  LEAF_MAX,
  LEAF_MIN,
  LESS_BYTES,
  NEXT,
  PREVIOUS,
  SCORE_AT,
  UP_TO_BYTES,
} from "./ordered-nodes.ts";

/** Leaves that a walk visits at a time. */
const WALK_LEAVES = 512;

export class OrderedTree extends OrderedCursor {
  /** Nodes made ahead of a change, one a level, so that it cannot fail half-way. */
  readonly #spare = new Int32Array(LEVELS_MAX);

  /** Adds an element that is absent. @throws RegionFullError with nothing changed */
  insert(element: Ref): void {
    this.#insertEntry(element, this.nodes.doubles[(element + SCORE_AT) >>> 3]!);
  }

  /** Takes an element out; its block is the caller's. */
  remove(element: Ref): void {
    this.find(element);
    this.#cut(1);
  }

  /**
   * Takes out elements from `rank` on, as many as stand in one leaf: to be called until all are out.
   * @param take is given each of them first; it may free them, and must not use the tree
   * @returns how many they were, `count` at the most
   */
  removeSome(rank: number, count: number, take: (element: Ref) => void): number {
    const { nodes } = this;
    this.seek(rank);
    const { leaf, index } = this;
    const removed = Math.min(count, nodes.count(leaf) - index);
    for (let at = index; at < index + removed; at++) take(nodes.element(leaf, at));
    // Whoever removes from an end will want the neighbour next: it is loaded while this removal goes on.
    const beside = index > 0 ? index - 1 : removed;
    if (beside < nodes.count(leaf)) this.sink ^= nodes.words[nodes.element(leaf, beside) >>> 2]!;
    this.#cut(removed);
    return removed;
  }

  /** Gives an element another score, also where it stands. @throws RegionFullError with nothing changed */
  update(element: Ref, score: number): void {
    const { nodes } = this;
    const old = nodes.doubles[(element + SCORE_AT) >>> 3]!;
    this.findBoth(element, score);
    if (this.#keepsItsPlace(score)) {
      nodes.setEntry(this.leaf, this.index, score, element);
      if (this.index === 0) this.#refreshLeast(0);
    } else if (!this.#moveWithin(element, score)) {
      this.#moveEntry(element, old, score);
    }
    nodes.heap.region.guard(element + SCORE_AT, 8);
    nodes.doubles[(element + SCORE_AT) >>> 3] = score;
  }

  /** Visits every node; a visitor may free it. */
  forEachNode(visit: (node: Ref) => void): void {
    for (let place = this.walkNodes(0, visit); place !== 0; ) place = this.walkNodes(place, visit);
  }

  /**
   * Does so some leaves at a time, and the inner nodes together with the last of them: there are
   * some 40 times as few. What has been visited may be freed.
   * @param place 0 begins
   * @returns the place to go on from, 0 at the end
   */
  walkNodes(place: number, visit: (node: Ref) => void): number {
    if (this.root === NONE) return 0;
    const { nodes } = this;
    const level = nodes.level(this.root);
    let leaf = place;
    if (place === 0) for (leaf = this.root; nodes.level(leaf) > 0; ) leaf = nodes.child(leaf, 0);
    for (let seen = 0; leaf !== NONE && seen < WALK_LEAVES; seen++) {
      const next = nodes.words[(leaf + NEXT) >>> 2]!;
      visit(leaf);
      leaf = next;
    }
    if (leaf === NONE && level > 0) this.#visitInner(this.root, level, visit);
    return leaf;
  }

  /** Visits every element, in order; a visitor may free it. */
  forEach(visit: (element: Ref) => void): void {
    for (let more = this.seek(0); more; more = this.next()) visit(this.element);
  }

  /** Gives all nodes back; the elements are the caller's. */
  clear(): void {
    this.forEachNode((node) => this.nodes.heap.free(node));
    this.#setRoot(NONE);
    this.#addToCount(-this.count);
  }

  /** The inner nodes; what is below them may be gone. */
  #visitInner(node: Ref, level: number, visit: (node: Ref) => void): void {
    const { nodes } = this;
    for (let place = 0; level > 1 && place < nodes.count(node); place++) {
      this.#visitInner(nodes.child(node, place), level - 1, visit);
    }
    visit(node);
  }

  #setRoot(root: Ref): void {
    this.nodes.heap.region.setWord(this.header + ROOT, root);
  }

  #addToCount(change: number): void {
    this.nodes.heap.region.setWord(this.header + TREE_COUNT, this.count + change);
  }

  /** Whether the element at the end of the path stays between its neighbours with another score. */
  #keepsItsPlace(score: number): boolean {
    const { nodes } = this;
    const { leaf, index } = this;
    const { words } = nodes;
    const isAfter = index > 0 ? this.#isBefore(index - 1, score) : words[(leaf + PREVIOUS) >>> 2] === NONE;
    if (!isAfter) return false;
    return index < nodes.count(leaf) - 1 ? !this.#isBefore(index + 1, score) : words[(leaf + NEXT) >>> 2] === NONE;
  }

  /** Whether an entry of the cursor's leaf is before (score, bytes aimed at). */
  #isBefore(index: number, score: number): boolean {
    const found = this.nodes.score(this.leaf, index);
    return found < score || (found === score && this.nodes.compare(this.nodes.element(this.leaf, index)) < 0);
  }

  /**
   * Moves the entry of the element that was found to where its new score belongs, which was found with it: the usual
   * case, in which no node above the leaves is split, joined or told of another least element.
   * @returns false, with nothing done, if it is not that
   */
  #moveWithin(element: Ref, score: number): boolean {
    const { nodes, path, places, otherPath, otherPlaces } = this;
    const leaf = path[0]!;
    const other = otherPath[0]!;
    const from = places[0]!;
    const to = otherPlaces[0]!;
    if (from === 0 || to === 0) return false;
    if (leaf === other) {
      nodes.takeFromLeaf(leaf, from);
      nodes.putInLeaf(leaf, to > from ? to - 1 : to, score, element);
    } else {
      if (nodes.count(leaf) <= LEAF_MIN || nodes.count(other) === LEAF_MAX) return false;
      nodes.putInLeaf(other, to, score, element);
      nodes.takeFromLeaf(leaf, from);
      for (let level = this.top; level > 0; level--) {
        if (path[level] === otherPath[level] && places[level] === otherPlaces[level]) continue;
        nodes.addCount(otherPath[level]!, otherPlaces[level]!, 1);
        nodes.addCount(path[level]!, places[level]!, -1);
      }
    }
    this.leaf = NONE;
    return true;
  }

  /**
   * Gives the element that was found an entry where its new score belongs, which was found with it, then takes the old
   * one out: for a moment it is there twice, so that what may fail comes first.
   */
  #moveEntry(element: Ref, old: number, score: number): void {
    this.#swapPaths();
    const leaf = this.path[0]!;
    const place = this.places[0]!;
    const isSplit = this.nodes.count(leaf) === LEAF_MAX;
    this.#insertAtPath(element, score);
    if (isSplit) {
      this.descend(old, UP_TO_BYTES);
      this.places[0]! -= 1;
    } else {
      this.#swapPaths();
      if (this.path[0] === leaf && place <= this.places[0]!) this.places[0]! += 1;
    }
    this.#cut(1);
  }

  #swapPaths(): void {
    const { path, places } = this;
    this.path = this.otherPath;
    this.places = this.otherPlaces;
    this.otherPath = path;
    this.otherPlaces = places;
  }

  #insertEntry(element: Ref, score: number): void {
    const { nodes } = this;
    if (this.root === NONE) this.#setRoot(nodes.create(0));
    nodes.aimAt(element);
    this.descend(score, LESS_BYTES);
    this.#insertAtPath(element, score);
  }

  #insertAtPath(element: Ref, score: number): void {
    const { nodes } = this;
    if (nodes.count(this.path[0]!) === LEAF_MAX) this.#makeRoom();
    const place = this.places[0]!;
    nodes.open(this.path[0]!, place, 1);
    nodes.setEntry(this.path[0]!, place, score, element);
    this.#addAlongPath(1);
    if (place === 0) this.#refreshLeast(0);
  }

  #addAlongPath(change: number): void {
    for (let level = this.top; level > 0; level--) {
      this.nodes.addCount(this.path[level]!, this.places[level]!, change);
    }
    this.#addToCount(change);
  }

  /** Tells the nodes above the path's node of `level` that its least element is another one. */
  #refreshLeast(level: number): void {
    const { nodes } = this;
    for (let below = level; below < this.top; below++) {
      const child = this.path[below]!;
      const place = this.places[below + 1]!;
      nodes.setEntry(this.path[below + 1]!, place, nodes.score(child, 0), nodes.element(child, 0));
      if (place > 0) return;
    }
  }

  /**
   * Splits the full leaf at the end of the path, and the full nodes above it; the path then leads to where there is
   * room. At either end of the tree next to nothing moves to the new node: a tree that only grows there is full.
   */
  #makeRoom(): void {
    const { nodes } = this;
    const top = this.top;
    let full = 1;
    while (full <= top && nodes.count(this.path[full]!) === INNER_MAX) full += 1;
    this.#makeSpare(full, full > top);
    const leaf = this.path[0]!;
    const isFirst = this.places[0] === 0 && nodes.words[(leaf + PREVIOUS) >>> 2] === NONE;
    const isLast = this.places[0] === LEAF_MAX && nodes.words[(leaf + NEXT) >>> 2] === NONE;
    if (full > top) this.#raiseRoot();
    for (let level = full - 1; level >= 0; level--) {
      const max = level === 0 ? LEAF_MAX : INNER_MAX;
      const least = level === 0 ? 1 : 2;
      this.#split(level, isLast ? max - least : isFirst ? least : max >>> 1);
    }
  }

  /** Makes a node for each of the `levels` that are to be split, and one for a new root. */
  #makeSpare(levels: number, withRoot: boolean): void {
    const wanted = withRoot ? levels + 1 : levels;
    for (let level = 0; level < wanted; level++) {
      try {
        this.#spare[level] = this.nodes.create(level);
      } catch (error) {
        for (let made = 0; made < level; made++) this.nodes.heap.free(this.#spare[made]!);
        throw error;
      }
    }
  }

  #raiseRoot(): void {
    const { nodes } = this;
    const old = this.root;
    this.top += 1;
    const root = this.#spare[this.top]!;
    nodes.open(root, 0, 1);
    nodes.setEntry(root, 0, nodes.score(old, 0), nodes.element(old, 0));
    nodes.setChild(root, 0, old, this.count);
    this.#setRoot(root);
    this.path[this.top] = root;
    this.places[this.top] = 0;
  }

  /** Splits the path's node of a level, whose parent has room, before its entry `cut`. */
  #split(level: number, cut: number): void {
    const { nodes } = this;
    const left = this.path[level]!;
    const right = this.#spare[level]!;
    const parent = this.path[level + 1]!;
    const place = this.places[level + 1]!;
    nodes.move(left, cut, right, 0, nodes.count(left) - cut);
    if (level === 0) nodes.linkBehind(left, right);
    const moved = nodes.total(right);
    nodes.open(parent, place + 1, 1);
    nodes.setEntry(parent, place + 1, nodes.score(right, 0), nodes.element(right, 0));
    nodes.setChild(parent, place + 1, right, moved);
    nodes.addCount(parent, place, -moved);
    const within = this.places[level]!;
    if (level === 0 ? within <= cut : within < cut) return;
    this.path[level] = right;
    this.places[level] = within - cut;
    this.places[level + 1] = place + 1;
  }

  /** Takes `count` entries out of the leaf at the end of the path. */
  #cut(count: number): void {
    const { nodes } = this;
    const leaf = this.path[0]!;
    const place = this.places[0]!;
    nodes.close(leaf, place, count);
    this.#addAlongPath(-count);
    this.leaf = NONE;
    const left = nodes.count(leaf);
    if (left === 0 && this.top === 0) {
      nodes.heap.free(leaf);
      this.#setRoot(NONE);
      return;
    }
    if (place === 0 && left > 0) this.#refreshLeast(0);
    for (let level = 0; level < this.top; level++) {
      if (nodes.count(this.path[level]!) >= (level === 0 ? LEAF_MIN : INNER_MIN)) return;
      this.#balance(level);
    }
    const root = this.root;
    if (nodes.level(root) > 0 && nodes.count(root) === 1) {
      this.#setRoot(nodes.child(root, 0));
      nodes.heap.free(root);
    }
  }

  /** Joins the path's node of a level with a neighbour, or where that would be too much fills it from there. */
  #balance(level: number): void {
    const { nodes } = this;
    const parent = this.path[level + 1]!;
    const place = Math.max(0, this.places[level + 1]! - 1);
    const left = nodes.child(parent, place);
    const right = nodes.child(parent, place + 1);
    const leftCount = nodes.count(left);
    const total = leftCount + nodes.count(right);
    if (total <= (level === 0 ? LEAF_MAX : INNER_MAX)) {
      nodes.move(right, 0, left, leftCount, nodes.count(right));
      nodes.addCount(parent, place, nodes.countBelow(parent, place + 1));
      nodes.close(parent, place + 1, 1);
      if (level === 0) nodes.unlink(right);
      nodes.heap.free(right);
    } else {
      const half = total >>> 1;
      const before = nodes.total(left);
      if (leftCount < half) nodes.move(right, 0, left, leftCount, half - leftCount);
      else nodes.move(left, half, right, 0, leftCount - half);
      const gained = nodes.total(left) - before;
      nodes.addCount(parent, place, gained);
      nodes.addCount(parent, place + 1, -gained);
      nodes.setEntry(parent, place + 1, nodes.score(right, 0), nodes.element(right, 0));
    }
    // The left node may have been empty.
    this.path[level] = left;
    this.places[level + 1] = place;
    this.#refreshLeast(level);
  }
}
