/**
 * FrozenOrderedTree: walks an ordered tree as of a freeze, on any thread: down to the first or the last leaf, then from
 * leaf to leaf. Layout: ordered-nodes.ts.
 */
import type { FreezeReader } from "../memory/freeze-reader.ts";
import { FrozenBlock } from "../memory/frozen-block.ts";
import { NONE, type Ref } from "../memory/heap.ts";
import { ROOT, TREE_COUNT } from "./ordered-cursor.ts";
import { CHILDREN, COUNT, LEAF_REFS, LEAF_SIZE, LEVEL, NEXT, PREVIOUS, SCORES } from "./ordered-nodes.ts";

export class FrozenOrderedTree {
  readonly #leaf = new FrozenBlock();
  #reader: FreezeReader | undefined;
  #header: Ref = NONE;

  /** Points it at the tree whose header stands at `header`. */
  moveTo(reader: FreezeReader, header: Ref): this {
    this.#reader = reader;
    this.#header = header;
    return this;
  }

  /** Elements. @throws FreezeLostError */
  get count(): number {
    return this.#reader!.word(this.#header + TREE_COUNT);
  }

  /** Visits every element, in order. @throws FreezeLostError */
  forEach(visit: (element: Ref, score: number) => void): void {
    const leaf = this.#leaf;
    for (let ref = this.#firstLeaf(); ref !== NONE; ref = leaf.words[NEXT >>> 2]!) {
      leaf.moveTo(this.#reader!, ref);
      leaf.need(LEAF_SIZE);
      const count = leaf.words[COUNT >>> 2]!;
      for (let index = 0; index < count; index++) {
        visit(leaf.words[(LEAF_REFS >>> 2) + index]!, leaf.doubles[(SCORES >>> 3) + index]!);
      }
    }
  }

  /** As `forEach`, from the last element to the first. @throws FreezeLostError */
  forEachBackwards(visit: (element: Ref, score: number) => void): void {
    const leaf = this.#leaf;
    for (let ref = this.#lastLeaf(); ref !== NONE; ref = leaf.words[PREVIOUS >>> 2]!) {
      leaf.moveTo(this.#reader!, ref);
      leaf.need(LEAF_SIZE);
      for (let index = leaf.words[COUNT >>> 2]! - 1; index >= 0; index--) {
        visit(leaf.words[(LEAF_REFS >>> 2) + index]!, leaf.doubles[(SCORES >>> 3) + index]!);
      }
    }
  }

  #lastLeaf(): Ref {
    const reader = this.#reader!;
    let node = reader.word(this.#header + ROOT);
    if (node === NONE) return NONE;
    for (let level = reader.word(node + LEVEL); level > 0; level--) {
      node = reader.word(node + CHILDREN + (reader.word(node + COUNT) - 1) * 4);
    }
    return node;
  }

  #firstLeaf(): Ref {
    const reader = this.#reader!;
    let node = reader.word(this.#header + ROOT);
    if (node === NONE) return NONE;
    for (let level = reader.word(node + LEVEL); level > 0; level--) node = reader.word(node + CHILDREN);
    return node;
  }
}
