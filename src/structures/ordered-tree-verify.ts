/** Checks an ordered tree against the invariants that ordered-tree.ts promises. Reads only; owner thread only. */
import { NONE, type Ref } from "../memory/heap.ts";
import { INNER_MIN, LEAF_MIN, NEXT, type OrderedNodes, PREVIOUS, SCORE_AT } from "./ordered-nodes.ts";
import type { OrderedTree } from "./ordered-tree.ts";

/** @throws Error that names what is wrong */
export function verifyTree(tree: OrderedTree): void {
  const { nodes, root } = tree;
  let count = 0;
  if (root !== NONE) {
    const check = new Check(nodes);
    count = check.node(root, nodes.level(root), true, true);
    if (nodes.words[(check.lastLeaf + NEXT) >>> 2] !== NONE) throw new Error("tree: the last leaf has a next one");
    if (nodes.level(root) > 0 && nodes.count(root) < 2) throw new Error("tree: the root has one child");
  }
  if (count !== tree.count) throw new Error(`tree: COUNT ${tree.count} != ${count}`);
}

class Check {
  readonly #nodes: OrderedNodes;
  lastLeaf: Ref = NONE;
  #last: Ref = NONE;
  #lastScore = Number.NEGATIVE_INFINITY;

  constructor(nodes: OrderedNodes) {
    this.#nodes = nodes;
  }

  /** @param isFirst isLast of its level @returns elements below */
  node(node: Ref, level: number, isFirst: boolean, isLast: boolean): number {
    const nodes = this.#nodes;
    const count = nodes.count(node);
    if (nodes.level(node) !== level) throw new Error(`tree: node ${node} is not of level ${level}`);
    const least = isFirst || isLast ? (level === 0 ? 1 : 2) : level === 0 ? LEAF_MIN : INNER_MIN;
    if (count < least) throw new Error(`tree: node ${node} of level ${level} has ${count} entries`);
    if (level === 0) return this.#leaf(node, count);
    let total = 0;
    for (let index = 0; index < count; index++) {
      const child = nodes.child(node, index);
      const below = this.node(child, level - 1, isFirst && index === 0, isLast && index === count - 1);
      if (below !== nodes.countBelow(node, index)) throw new Error(`tree: node ${node} miscounts child ${index}`);
      const isLeast = nodes.element(child, 0) === nodes.element(node, index);
      if (!isLeast || !Object.is(nodes.score(child, 0), nodes.score(node, index))) {
        throw new Error(`tree: node ${node} has not the least element of child ${index}`);
      }
      total += below;
    }
    return total;
  }

  #leaf(leaf: Ref, count: number): number {
    const nodes = this.#nodes;
    if (nodes.words[(leaf + PREVIOUS) >>> 2] !== this.lastLeaf) throw new Error(`tree: leaf ${leaf} is linked wrongly`);
    if (this.lastLeaf !== NONE && nodes.words[(this.lastLeaf + NEXT) >>> 2] !== leaf) {
      throw new Error(`tree: leaf ${this.lastLeaf} is linked wrongly`);
    }
    this.lastLeaf = leaf;
    for (let index = 0; index < count; index++) {
      const element = nodes.element(leaf, index);
      const score = nodes.score(leaf, index);
      if (!Object.is(score, nodes.doubles[(element + SCORE_AT) >>> 3])) {
        throw new Error(`tree: element ${element} has another score than its entry`);
      }
      if (this.#last !== NONE && !this.#isAscending(element, score)) {
        throw new Error(`tree: element ${element} is out of order`);
      }
      this.#last = element;
      this.#lastScore = score;
    }
    return count;
  }

  #isAscending(element: Ref, score: number): boolean {
    if (this.#lastScore !== score) return this.#lastScore < score;
    this.#nodes.aimAt(element);
    return this.#nodes.compare(this.#last) < 0;
  }
}
