/**
 * ChunkNodes: the chain of listpacks that a large list is, as such: its layout, walking it, linking and unlinking
 * nodes. chunk-list.ts says what it is for, and puts elements into it.
 *
 *     root (16 B)          node (16 B)
 *     +0   HEAD            +0   PREVIOUS   node, or NONE
 *     +4   TAIL            +4   NEXT       node, or NONE
 *     +8   COUNT           +8   LISTPACK   where it begins: it floats in its block
 *     +12  NODES           +12  COUNT      of its elements
 *
 * A view: `attach` points it at another list. It has one cursor: the node it was last moved to, whose listpack `pack`
 * shows, so that positions are those of `pack`.
 *
 * Invariants (verify): the chain is linked both ways, no node is empty, COUNT and NODES are what is found.
 * Owner thread only.
 */
import { type Heap, NONE, type Ref, RegionFullError } from "../memory/heap.ts";
import type { Estimate } from "./collection.ts";
import { Listpack } from "./listpack.ts";
import { HEADER_SIZE } from "./listpack-format.ts";

export const HEAD = 0;
const TAIL = 4;
export const COUNT = 8;
export const NODES = 12;
const ROOT_SIZE = 16;

const PREVIOUS = 0;
export const NEXT = 4;
export const LISTPACK = 8;
const NODE_COUNT = 12;
const NODE_SIZE = 16;

/** Nodes that are worth being cut off together. */
const CUT_NODES = 16;

/** Nodes that a walk visits at a time. */
const WALK_NODES = 256;

/** Told about each listpack of a list, in order. */
export type VisitListpack = (listpack: Ref, count: number) => void;

export class ChunkNodes {
  readonly heap: Heap;
  /** The listpack of the node at the cursor. */
  readonly pack: Listpack;
  readonly #words: Int32Array;
  #root: Ref = NONE;
  #node: Ref = NONE;

  constructor(heap: Heap) {
    this.heap = heap;
    this.#words = heap.region.words;
    this.pack = new Listpack(heap, true);
  }

  /** A new, empty list's root; the view stays where it is. @throws RegionFullError */
  create(): Ref {
    const root = this.heap.allocate(ROOT_SIZE);
    this.heap.region.guard(root, ROOT_SIZE);
    this.#words.fill(0, root >>> 2, (root + ROOT_SIZE) >>> 2);
    return root;
  }

  /** Points at the list of this root. */
  attach(root: Ref): this {
    this.#root = root;
    return this;
  }

  get root(): Ref {
    return this.#root;
  }

  get count(): number {
    return this.#words[(this.#root + COUNT) >>> 2]!;
  }

  get nodes(): number {
    return this.#words[(this.#root + NODES) >>> 2]!;
  }

  /** The node at the cursor. */
  get node(): Ref {
    return this.#node;
  }

  /** Elements of the cursor's node. */
  get nodeCount(): number {
    return this.#words[(this.#node + NODE_COUNT) >>> 2]!;
  }

  /** Moves the cursor to the first node. @returns position of its first element, 0 in an empty list */
  first(): number {
    return this.enter(this.headNode) ? HEADER_SIZE : 0;
  }

  last(): number {
    return this.enter(this.tailNode) ? this.pack.last() : 0;
  }

  /** Moves the cursor to the next node. @returns position of its first element, 0 behind the last */
  nextNode(): number {
    return this.enter(this.nodeBehind(this.#node)) ? HEADER_SIZE : 0;
  }

  /** Moves the cursor to the node before. @returns position of its last element, 0 before the first */
  previousNode(): number {
    return this.enter(this.nodeBefore(this.#node)) ? this.pack.last() : 0;
  }

  /** Moves the cursor to element `index`, negative from the end. @returns its position there, 0 if there is none */
  seek(index: number): number {
    const { count } = this;
    const place = index < 0 ? index + count : index;
    return place < 0 || place >= count ? 0 : this.pack.seek(this.enterAt(place));
  }

  /** Visits the listpacks, each of which may be freed with its node when it is visited. */
  forEachListpack(visit: VisitListpack): void {
    const words = this.#words;
    for (let node = this.headNode; node !== NONE; ) {
      const next = words[(node + NEXT) >>> 2]!;
      visit(words[(node + LISTPACK) >>> 2]!, words[(node + NODE_COUNT) >>> 2]!);
      node = next;
    }
  }

  /** Visits all blocks, the root last. Each may be freed when it is visited. */
  forEachBlock(visit: (block: Ref) => void): void {
    for (let place = this.walkBlocks(0, visit); place !== 0; ) place = this.walkBlocks(place, visit);
  }

  /** Does so some nodes at a time. @param place 0 begins @returns the place to go on from, 0 at the end */
  walkBlocks(place: number, visit: (block: Ref) => void): number {
    const words = this.#words;
    const root = this.#root;
    let node = place === 0 ? this.headNode : place;
    for (let seen = 0; node !== NONE && seen < WALK_NODES; seen++) {
      const next = words[(node + NEXT) >>> 2]!;
      visit(this.heap.blockOf(words[(node + LISTPACK) >>> 2]!));
      visit(node);
      node = next;
    }
    if (node === NONE) visit(root);
    return node;
  }

  /** About how many blocks the list is, and their bytes, from its first and last chunk: one may be short. O(1) */
  estimate(into: Estimate): void {
    const { heap, nodes } = this;
    const words = this.#words;
    const first = heap.sizeOf(heap.blockOf(words[(this.headNode + LISTPACK) >>> 2]!));
    const last = heap.sizeOf(heap.blockOf(words[(this.tailNode + LISTPACK) >>> 2]!));
    into.blocks = nodes * 2 + 1;
    into.bytes = nodes * (Math.max(first, last) + NODE_SIZE);
  }

  /** Takes the only listpack out of a list of one node, which is freed with its root. @returns where it begins */
  takeListpack(): Ref {
    const node = this.headNode;
    const listpack = this.#words[(node + LISTPACK) >>> 2]!;
    this.heap.free(node);
    this.heap.free(this.#root);
    return listpack;
  }

  /** Puts a listpack, not empty, behind the last; it belongs to the list from then on. @throws RegionFullError */
  appendListpack(listpack: Ref, count: number): void {
    this.linkNode(this.tailNode, NONE, listpack, count);
  }

  /**
   * Cuts whole nodes off from one end: a list of their own then. Never fails. O(nodes that stay, or that go).
   * @param count elements that may go, not all of them
   * @returns its root; NONE if they would be few, or if there is no room for a root: nothing has changed then
   */
  cutOff(isHead: boolean, count: number): Ref {
    if (count < CUT_NODES) return NONE;
    const words = this.#words;
    const stays = this.count - count;
    const fromCut = count < stays;
    // From the side where less is to be passed over: `passed` elements in `nodes` nodes, and `node` is the next one.
    let node = fromCut === isHead ? this.headNode : this.tailNode;
    let [passed, nodes] = [0, 0];
    for (;;) {
      const here = words[(node + NODE_COUNT) >>> 2]!;
      if (fromCut ? passed + here > count : passed >= stays) break;
      passed += here;
      nodes += 1;
      node = fromCut === isHead ? this.nodeBehind(node) : this.nodeBefore(node);
    }
    if (fromCut) return nodes < CUT_NODES ? NONE : this.#cutAt(node, isHead, passed, nodes);
    if (this.nodes - nodes < CUT_NODES) return NONE;
    const kept = isHead ? this.nodeBehind(node) : this.nodeBefore(node);
    return this.#cutAt(kept, isHead, this.count - passed, this.nodes - nodes);
  }

  /** @throws Error that names what is wrong */
  verify(): void {
    let previous = NONE;
    let [count, nodes] = [0, 0];
    for (let node = this.headNode; node !== NONE; node = this.nodeBehind(node)) {
      if (this.nodeBefore(node) !== previous) throw new Error(`chunk list: node ${node} is linked wrongly`);
      this.enter(node);
      this.pack.verify();
      if (this.nodeCount === 0 || this.pack.count !== this.nodeCount) {
        throw new Error(`chunk list: node ${node} has ${this.pack.count} elements, not ${this.nodeCount}`);
      }
      previous = node;
      count += this.nodeCount;
      nodes += 1;
    }
    if (this.tailNode !== previous) throw new Error("chunk list: TAIL is not the last node");
    if (count !== this.count || nodes !== this.nodes) {
      throw new Error(`chunk list: ${count} elements in ${nodes} nodes, not ${this.count} in ${this.nodes}`);
    }
  }

  protected get headNode(): Ref {
    return this.#words[(this.#root + HEAD) >>> 2]!;
  }

  protected get tailNode(): Ref {
    return this.#words[(this.#root + TAIL) >>> 2]!;
  }

  /** Moves the cursor to a node. @returns false if it is NONE */
  protected enter(node: Ref): boolean {
    this.#node = node;
    if (node === NONE) return false;
    this.pack.attach(this.#words[(node + LISTPACK) >>> 2]!);
    return true;
  }

  protected nodeBehind(node: Ref): Ref {
    return this.#words[(node + NEXT) >>> 2]!;
  }

  protected nodeBefore(node: Ref): Ref {
    return this.#words[(node + PREVIOUS) >>> 2]!;
  }

  /** Moves the cursor to the node of element `place`, from the nearer end. @returns the element's index in the node */
  protected enterAt(place: number): number {
    const words = this.#words;
    const { count } = this;
    let node: Ref;
    let before: number;
    if (place <= count >>> 1) {
      node = this.headNode;
      before = 0;
      while (before + words[(node + NODE_COUNT) >>> 2]! <= place) {
        before += words[(node + NODE_COUNT) >>> 2]!;
        node = words[(node + NEXT) >>> 2]!;
      }
    } else {
      node = this.tailNode;
      before = count - words[(node + NODE_COUNT) >>> 2]!;
      while (before > place) {
        node = words[(node + PREVIOUS) >>> 2]!;
        before -= words[(node + NODE_COUNT) >>> 2]!;
      }
    }
    this.enter(node);
    return place - before;
  }

  /** After a write to the cursor's listpack: notes where it is now, and how many elements it has more. */
  protected wrote(more: number): void {
    const { region } = this.heap;
    const words = this.#words;
    const node = this.#node;
    if (words[(node + LISTPACK) >>> 2] !== this.pack.ref) region.setWord(node + LISTPACK, this.pack.ref);
    if (more === 0) return;
    region.setWord(node + NODE_COUNT, words[(node + NODE_COUNT) >>> 2]! + more);
    region.setWord(this.#root + COUNT, words[(this.#root + COUNT) >>> 2]! + more);
  }

  /** Links a new node between two neighbours, either of which may be NONE. @throws RegionFullError */
  protected linkNode(previous: Ref, next: Ref, listpack: Ref, count: number): void {
    const { region } = this.heap;
    const words = this.#words;
    const node = this.heap.allocate(NODE_SIZE);
    region.guard(node, NODE_SIZE);
    words[(node + PREVIOUS) >>> 2] = previous;
    words[(node + NEXT) >>> 2] = next;
    words[(node + LISTPACK) >>> 2] = listpack;
    words[(node + NODE_COUNT) >>> 2] = count;
    region.setWord(previous === NONE ? this.#root + HEAD : previous + NEXT, node);
    region.setWord(next === NONE ? this.#root + TAIL : next + PREVIOUS, node);
    region.setWord(this.#root + NODES, this.nodes + 1);
    region.setWord(this.#root + COUNT, this.count + count);
  }

  /** Unlinks a node and frees it with its listpack. */
  protected removeNode(node: Ref): void {
    const { region } = this.heap;
    const words = this.#words;
    const previous = this.nodeBefore(node);
    const next = this.nodeBehind(node);
    region.setWord(previous === NONE ? this.#root + HEAD : previous + NEXT, next);
    region.setWord(next === NONE ? this.#root + TAIL : next + PREVIOUS, previous);
    region.setWord(this.#root + NODES, this.nodes - 1);
    region.setWord(this.#root + COUNT, this.count - words[(node + NODE_COUNT) >>> 2]!);
    this.heap.free(this.heap.blockOf(words[(node + LISTPACK) >>> 2]!));
    this.heap.free(node);
  }

  /** Makes a list of all nodes before `kept`, or of all behind it. @returns its root, NONE if there is no room */
  #cutAt(kept: Ref, isHead: boolean, count: number, nodes: number): Ref {
    const { heap } = this;
    const { region } = heap;
    let root: Ref;
    try {
      root = heap.allocate(ROOT_SIZE);
    } catch (error) {
      if (error instanceof RegionFullError) return NONE;
      throw error;
    }
    const edge = isHead ? this.nodeBefore(kept) : this.nodeBehind(kept);
    region.setWord(root + HEAD, isHead ? this.headNode : edge);
    region.setWord(root + TAIL, isHead ? edge : this.tailNode);
    region.setWord(root + COUNT, count);
    region.setWord(root + NODES, nodes);
    region.setWord(edge + (isHead ? NEXT : PREVIOUS), NONE);
    region.setWord(kept + (isHead ? PREVIOUS : NEXT), NONE);
    region.setWord(this.#root + (isHead ? HEAD : TAIL), kept);
    region.setWord(this.#root + COUNT, this.count - count);
    region.setWord(this.#root + NODES, this.nodes - nodes);
    return root;
  }
}
