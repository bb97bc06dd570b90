/**
 * ChunkList: a large list, as a chain of listpacks (chunk-nodes.ts draws it).
 *
 * Why: adding and removing at the ends is O(1), an element costs its bytes and two more, and a walk is through
 * neighbouring bytes. Looking for an index skips whole nodes, from the nearer end.
 *
 * What is split and what is joined follows Redis's quicklist, because that decides when a list has become small enough
 * to be one listpack again, and what a dump consists of: a full node is split where an element is put into it, and then
 * joined with its neighbours where they fit into one. Removing joins nothing; a listpack then gives back what it does
 * not need.
 *
 * Writes at the cursor leave it where it was; all others leave it undefined. They throw RegionFullError with nothing
 * changed, and what they write may stand in the same list. Owner thread only.
 */
import { NONE, type Ref, RegionFullError } from "../memory/heap.ts";
import { exceedsLimit, hasRoomFor, sizeLimit } from "./chunk-limit.ts";
import { ChunkNodes } from "./chunk-nodes.ts";
import { Listpack } from "./listpack.ts";
import { EMPTY_SIZE, HEADER_SIZE } from "./listpack-format.ts";

/** Nodes that a list must have for its new ones to be given at once the room that they may fill. */
const LARGE_NODES = 2;

export class ChunkList extends ChunkNodes {
  /** Adds an element at one end, in a new node if the one there has no room for it. */
  push(isHead: boolean, bytes: Buffer, start: number, length: number, limit: number): void {
    const { pack } = this;
    const end = isHead ? this.headNode : this.tailNode;
    if (!this.enter(end) || !hasRoomFor(limit, pack.byteLength, this.nodeCount, length)) {
      this.#addNode(isHead ? NONE : end, isHead ? end : NONE, bytes, start, length, limit);
      return;
    }
    if (!pack.pushShort(isHead, bytes, start, length)) {
      if (isHead) pack.prepend(bytes, start, length);
      else pack.append(bytes, start, length);
    }
    this.wrote(1);
  }

  /** Removes the element at one end. Never fails. */
  pop(isHead: boolean): void {
    if (!this.enter(isHead ? this.headNode : this.tailNode)) return;
    const { pack } = this;
    if (this.nodeCount > 1 && pack.popShort(isHead)) this.wrote(-1);
    else this.remove(isHead ? HEADER_SIZE : pack.last(), 1);
  }

  /**
   * Puts an element before or behind the one at the cursor. A node without room is split there, unless the element goes
   * to its end: then the neighbour takes it, or a new node does.
   */
  insert(at: number, isBehind: boolean, bytes: Buffer, start: number, length: number, limit: number): void {
    const { pack, node } = this;
    if (hasRoomFor(limit, pack.byteLength, this.nodeCount, length)) {
      if (isBehind) pack.insertAfter(at, bytes, start, length);
      else pack.insertBefore(at, bytes, start, length);
      this.wrote(1);
      return;
    }
    if (isBehind ? pack.next(at) !== 0 : at !== HEADER_SIZE) {
      this.#split(at, isBehind, bytes, start, length);
      this.#joinAround(node, limit);
      return;
    }
    const neighbour = isBehind ? this.nodeBehind(node) : this.nodeBefore(node);
    if (this.enter(neighbour) && hasRoomFor(limit, pack.byteLength, this.nodeCount, length)) {
      if (isBehind) pack.prepend(bytes, start, length);
      else pack.append(bytes, start, length);
      this.wrote(1);
      return;
    }
    this.#addNode(isBehind ? node : neighbour, isBehind ? neighbour : node, bytes, start, length, limit);
  }

  /** Puts other bytes in the place of the element at the cursor, however long they are. */
  replace(at: number, bytes: Buffer, start: number, length: number): void {
    this.pack.replace(at, bytes, start, length);
    this.wrote(0);
  }

  /**
   * Removes up to `count` elements from the cursor's position on, in its node only. Never fails.
   * @returns position of what follows them in the node, 0 if nothing does; a node that has become empty is gone, and
   *     the cursor is undefined then
   */
  remove(at: number, count: number): number {
    const before = this.nodeCount;
    if (at === HEADER_SIZE && count >= before) {
      this.removeNode(this.node);
      return 0;
    }
    const next = this.pack.remove(at, count);
    this.wrote(this.pack.count - before);
    return next;
  }

  /** Removes the element at the cursor, and moves on to the one behind it. @returns its position, 0 at the end */
  removeForward(at: number): number {
    const behind = this.nodeBehind(this.node);
    const next = this.remove(at, 1);
    if (next !== 0) return next;
    return this.enter(behind) ? HEADER_SIZE : 0;
  }

  /** Removes the element at the cursor, and moves on to the one before it. @returns its position, 0 at the beginning */
  removeBackward(at: number): number {
    const before = this.nodeBefore(this.node);
    const previous = this.pack.previous(at);
    this.remove(at, 1);
    if (previous !== 0) return previous;
    return this.enter(before) ? this.pack.last() : 0;
  }

  /** Removes `count` elements from index `from` on, all of which must be there. Never fails. */
  removeRange(from: number, count: number): void {
    let place = count > 0 ? this.enterAt(from) : 0;
    for (let left = count; left > 0; place = 0) {
      const next = this.nodeBehind(this.node);
      const removed = Math.min(left, this.nodeCount - place);
      this.remove(this.pack.seek(place), removed);
      left -= removed;
      this.enter(next);
    }
  }

  /** A new node between two, with one element. */
  #addNode(previous: Ref, next: Ref, bytes: Buffer, start: number, length: number, limit: number): void {
    const { pack } = this;
    const size = EMPTY_SIZE + Listpack.sizeOf(bytes, start, length);
    // A list that is large already will most likely fill the node: its listpack need not be moved as it grows.
    const capacity = this.nodes < LARGE_NODES || limit >= 0 ? size : Math.max(size, sizeLimit(limit));
    pack.attach(pack.create(capacity));
    pack.append(bytes, start, length);
    this.#linkPack(previous, next, 1);
  }

  /** Gives the elements on one side of the cursor's, and the new one, to a node of their own on that side. */
  #split(at: number, isBehind: boolean, bytes: Buffer, start: number, length: number): void {
    const { pack, node } = this;
    const from = isBehind ? pack.next(at) : HEADER_SIZE;
    const to = isBehind ? pack.byteLength - 1 : at;
    const count = pack.countBetween(from, to);
    pack.attach(pack.extract(from, to, count, Listpack.sizeOf(bytes, start, length)));
    if (isBehind) pack.prepend(bytes, start, length);
    else pack.append(bytes, start, length);
    this.#linkPack(isBehind ? node : this.nodeBefore(node), isBehind ? this.nodeBehind(node) : node, count + 1);
    this.enter(node);
    pack.remove(from, count);
    this.wrote(-count);
  }

  /** Links a new node with what `pack` shows, which is freed should there be no room. */
  #linkPack(previous: Ref, next: Ref, count: number): void {
    try {
      this.linkNode(previous, next, this.pack.ref, count);
    } catch (error) {
      this.heap.free(this.pack.block);
      throw error;
    }
  }

  /** Joins what fits together of a node, the two before it, and the two behind it; in quicklist's order. */
  #joinAround(node: Ref, limit: number): void {
    const before = this.nodeBefore(node);
    if (before !== NONE) this.#join(this.nodeBefore(before), before, limit);
    const behind = this.nodeBehind(node);
    if (behind !== NONE) this.#join(behind, this.nodeBehind(behind), limit);
    const previous = this.nodeBefore(node);
    const middle = this.#join(previous, node, limit) ? previous : node;
    this.#join(middle, this.nodeBehind(middle), limit);
  }

  /** Joins two neighbours into the first if they fit. Without the memory for it, they stay two. */
  #join(first: Ref, second: Ref, limit: number): boolean {
    if (first === NONE || second === NONE) return false;
    this.enter(second);
    const { ref, byteLength } = this.pack;
    const more = this.nodeCount;
    this.enter(first);
    const joined = this.pack.byteLength + byteLength - EMPTY_SIZE;
    if (exceedsLimit(limit, joined, this.nodeCount + more)) return false;
    try {
      this.pack.appendAll(ref, byteLength, more);
    } catch (error) {
      if (error instanceof RegionFullError) return false;
      throw error;
    }
    this.wrote(more);
    this.removeNode(second);
    return true;
  }
}
