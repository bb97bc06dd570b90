/**
 * TimingWheel: what is due when, in the order of time; every step is O(1), however much is filed.
 *
 * wheel-layout.ts draws its words.
 *
 *       EDGE - 3 ... EDGE          beyond EDGE, a slot for what differs from it in this digit of the block's number
 *     +----+----+----+----+   +------+------+-- --+------+    level 0: 32 slots of a block (4.1 s)
 *     | 32 ticks each     |   |      |      |     |      |    level 1: 32 slots of 32 blocks (131 s)
 *     +----+----+----+----+   +------+------+-- --+------+    ... level 6, which reaches to the year 2248
 *
 * A time's block is a number of seven digits of 5 bits. Beyond the ring, a time stands at the level of the highest
 * digit in which its block differs from EDGE, in the slot of that digit. So no slot means one thing now and another
 * later: when EDGE comes to the first block of a slot, that slot alone is filed anew, and all others are right as they
 * are, also when EDGE leaps over years. This happens 8 seconds ahead of time, node by node: ten million nodes of one
 * second are never moved at once, and are in their ticks before the ticks are due.
 *
 * Not a heap or a tree: a deadline that is pushed on at every access (sessions) is moved by six stores, and a list's
 * order within 128 ms does not matter. Stores to neighbours need not wait for memory; loads, as in a tree, would.
 *
 * When the clock is set back, the wheel stays ahead of it, which is harmless. What is then filed before the ring goes
 * to the early list; the next `advance` finds it there, not yet due, and sets EDGE back: lists are joined as they are,
 * so that this takes the same time for any number of nodes. Early is also what is filed when its time is over already.
 * Times beyond the last level, and before 1970, are not filed at all: such a key goes when it is looked up.
 *
 * A slot whose bit is not set has no meaning, not even an empty list. A bit may be set though the list is empty: nodes
 * leave without a word; whoever comes along clears it.
 *
 * Invariants (verify): every node stands in the slot of its time, or in the slot that DRAINING names; the early list
 * aside, none is before the ring; NEXT and PREVIOUS agree; COUNT is the number of nodes.
 *
 * A view: `attach` points it at another wheel of the same heap. Owner thread only.
 */
import { type Heap, NONE, type Ref } from "../memory/heap.ts";
import type { Region } from "../memory/region.ts";
import { firstIn, joinLists, linkFirst, NEXT, openList, PREVIOUS, replaceNode, unlink } from "./node-list.ts";
import { verifyWheel } from "./timing-wheel-verify.ts";
import {
  BEHIND,
  BLOCK_MS,
  blockAt,
  COUNT,
  DRAINING,
  DUE,
  dueOf,
  EARLY,
  EARLY_USED,
  EDGE,
  edgeAt,
  firstBlock,
  HEADER_SIZE,
  isWithinWheel,
  LEVEL,
  LEVEL_USED,
  LEVELS,
  placeOf,
  RING,
  RING_USED,
  TICK_MS,
  WHEEL_SIZE,
} from "./wheel-layout.ts";

export { isWithinWheel, NODE_SIZE, TICK_MS, WHEEL_END } from "./wheel-layout.ts";

export class TimingWheel {
  readonly heap: Heap;
  readonly #region: Region;
  readonly #words: Int32Array;
  #wheel: Ref = NONE;

  constructor(heap: Heap) {
    this.heap = heap;
    this.#region = heap.region;
    this.#words = heap.region.words;
  }

  /** Points at the wheel at `wheel`. */
  attach(wheel: Ref): this {
    this.#wheel = wheel;
    return this;
  }

  /**
   * A new, empty wheel.
   * @param now milliseconds since 1970: what is due before goes to the early list
   * @throws RegionFullError when not even the reserve for tables has room
   */
  create(now: number): Ref {
    const wheel = this.heap.allocateStructural(WHEEL_SIZE);
    this.#region.guard(wheel, HEADER_SIZE);
    this.#words.fill(0, wheel >>> 2, (wheel + HEADER_SIZE) >>> 2);
    this.#region.setWord(wheel + EDGE, edgeAt(now));
    return wheel;
  }

  /** Nodes that are filed. */
  get count(): number {
    return this.#words[(this.#wheel + COUNT) >>> 2]!;
  }

  /** Whether the node is filed in any wheel. */
  isFiled(node: Ref): boolean {
    return this.#words[(node + PREVIOUS) >>> 2] !== NONE;
  }

  /** When the node is due, in milliseconds since 1970; of a time beyond 2^53, about that. */
  due(node: Ref): number {
    return dueOf(this.#words, node);
  }

  /** Gives a node that is not filed its time, in milliseconds since 1970. */
  setDue(node: Ref, due: number): void {
    this.#region.setWord(node + DUE, due | 0);
    this.#region.setWord(node + DUE + 4, Math.floor(due / 2 ** 32));
  }

  /** Whether a node's DUE is one that can be filed. */
  hasSlotFor(node: Ref): boolean {
    return isWithinWheel(this.#words[(node + DUE + 4) >>> 2]!);
  }

  /** Files a node by its DUE, unless that is too far away; it is filed nowhere else. */
  file(node: Ref): void {
    if (this.#link(node)) this.#count(1);
  }

  /** Puts a copy of a node, which has moved, in its place. */
  replace(node: Ref, copy: Ref): void {
    if (this.#words[(node + PREVIOUS) >>> 2] !== NONE) replaceNode(this.#region, node, copy);
  }

  /** Takes a node out of the wheel, if it is filed. */
  remove(node: Ref): void {
    if (this.#words[(node + PREVIOUS) >>> 2] === NONE) return;
    unlink(this.#region, node);
    this.#count(-1);
  }

  /** Gives a node, filed or not, another time, and files it by that. @param low high of the time, as in DUE */
  refile(node: Ref, low: number, high: number): void {
    const words = this.#words;
    const at = node >>> 2;
    const isSame = words[at + 1] === high && words[at]! >>> 7 === low >>> 7 && words[at + 3] !== NONE;
    if (!isSame) this.remove(node);
    this.#region.guard(node, 8);
    words[at] = low;
    words[at + 1] = high;
    if (!isSame) this.file(node);
  }

  /** A node whose tick has passed, or NONE. `advance` brings what is not in the ring yet. @param now as for `create` */
  firstDue(now: number): Ref {
    const words = this.#words;
    const wheel = this.#wheel;
    if (words[(wheel + EARLY_USED) >>> 2] !== 0) {
      const node = firstIn(this.#region, wheel + EARLY);
      if (node !== NONE && this.due(node) <= now) return node;
    }
    const edge = words[(wheel + EDGE) >>> 2]!;
    const current = blockAt(now);
    for (let block = edge - BEHIND; block <= edge && block <= current; block++) {
      const ticks = block === current ? (1 << (Math.floor(now / TICK_MS) & 31)) - 1 : -1;
      const node = this.#firstOf(wheel + RING_USED + (block & 3) * 4, ticks, wheel + RING + ((block & 3) << 8));
      if (node !== NONE) return node;
    }
    return NONE;
  }

  /** The node behind this one in its slot, or NONE. */
  next(node: Ref): Ref {
    const next = this.#words[(node + NEXT) >>> 2]!;
    return this.#isSlot(next) ? NONE : next;
  }

  /**
   * The first node of the tick that is passing, or NONE: it and those behind it may be due or not. Only when `firstDue`
   * and `advance` have nothing more to do.
   */
  firstOfTick(now: number): Ref {
    const block = blockAt(now);
    const edge = this.#words[(this.#wheel + EDGE) >>> 2]!;
    if (block < edge - BEHIND || block > edge) return NONE;
    const ring = this.#wheel + RING + ((block & 3) << 8);
    return this.#firstOf(this.#wheel + RING_USED + (block & 3) * 4, 1 << (Math.floor(now / TICK_MS) & 31), ring);
  }

  /**
   * Brings nodes nearer to the ring, `limit` of them at the most. Only when `firstDue` finds nothing: what it would
   * find has to leave before the ring goes on.
   * @returns whether `firstDue` may find something now, or more is to be moved
   */
  advance(now: number, limit: number): boolean {
    const words = this.#words;
    const wheel = this.#wheel;
    const goal = edgeAt(now);
    for (let moved = 0; moved < limit; ) {
      const node = this.#toMove(now, goal);
      if (node !== NONE) {
        if (this.due(node) <= now && words[(wheel + DRAINING) >>> 2] === NONE) return true;
        unlink(this.#region, node);
        this.#link(node);
        moved += 1;
      } else if (moved > 0) {
        // What has been moved may be due, and has to leave before EDGE goes on.
        return true;
      } else if (words[(wheel + EDGE) >>> 2]! >= goal || !this.#openNext(goal)) {
        return false;
      }
    }
    return true;
  }

  /**
   * No node needs attention before this time, in milliseconds since 1970, and none is due before it; infinity if there
   * is none.
   */
  get nextAttention(): number {
    const words = this.#words;
    const wheel = this.#wheel;
    const draining = words[(wheel + DRAINING) >>> 2]!;
    if (draining !== NONE && firstIn(this.#region, draining) !== NONE) return 0;
    if (words[(wheel + EARLY_USED) >>> 2] !== 0 && firstIn(this.#region, wheel + EARLY) !== NONE) return 0;
    const edge = words[(wheel + EDGE) >>> 2]!;
    for (let block = edge - BEHIND; block <= edge; block++) {
      const node = this.#firstOf(wheel + RING_USED + (block & 3) * 4, -1, wheel + RING + ((block & 3) << 8));
      if (node !== NONE) return Math.floor(this.due(node) / TICK_MS) * TICK_MS;
    }
    for (let level = 0; level < LEVELS; level++) {
      const slot = this.#firstSlot(level);
      if (slot !== -1) return (firstBlock(edge, level, slot) - BEHIND) * BLOCK_MS;
    }
    return Number.POSITIVE_INFINITY;
  }

  /**
   * Checks the invariants of the opening comment, but not that of each node's owner.
   * @param visit told of every node
   * @throws Error that names what is wrong
   */
  verify(visit: (node: Ref) => void): void {
    verifyWheel(this.#region, this.#wheel, visit);
  }

  /** Puts a node into the slot of its time. @returns whether it has one */
  #link(node: Ref): boolean {
    const words = this.#words;
    const low = words[(node + DUE) >>> 2]!;
    const high = words[(node + DUE + 4) >>> 2]!;
    const wheel = this.#wheel;
    if (!this.hasSlotFor(node)) {
      this.#region.setWord(node + PREVIOUS, NONE);
      return false;
    }
    const block = (high << 20) | (low >>> 12);
    const edge = words[(wheel + EDGE) >>> 2]!;
    if (block > edge) {
      const place = placeOf(block, edge);
      this.#put(node, wheel + LEVEL_USED + (place >>> 5) * 4, 1 << (place & 31), wheel + LEVEL + place * 8);
    } else if (block >= edge - BEHIND) {
      const tick = (low >>> 7) & 127;
      this.#put(node, wheel + RING_USED + (tick >>> 5) * 4, 1 << (tick & 31), wheel + RING + tick * 8);
    } else {
      this.#put(node, wheel + EARLY_USED, 1, wheel + EARLY);
    }
    return true;
  }

  /** Puts a node first into a slot's list, which begins with it if the slot's bit is not set yet. */
  #put(node: Ref, usedAt: number, bit: number, slot: Ref): void {
    const region = this.#region;
    const words = this.#words;
    const used = words[usedAt >>> 2]!;
    if ((used & bit) === 0) {
      region.setWord(usedAt, used | bit);
      openList(region, slot);
    }
    linkFirst(region, slot, node);
  }

  #count(change: number): void {
    this.#region.setWord(this.#wheel + COUNT, this.count + change);
  }

  /** The first node in any of 32 slots, of those that `among` has a bit for, or NONE. */
  #firstOf(usedAt: number, among: number, slots: Ref): Ref {
    for (;;) {
      const used = this.#words[usedAt >>> 2]!;
      const lowest = used & among & -(used & among);
      if (lowest === 0) return NONE;
      const node = firstIn(this.#region, slots + (31 - Math.clz32(lowest)) * 8);
      if (node !== NONE) return node;
      this.#region.setWord(usedAt, used & ~lowest);
    }
  }

  /** The first slot of a level that has nodes, or -1. */
  #firstSlot(level: number): number {
    const slots = this.#wheel + LEVEL + (level << 8);
    const node = this.#firstOf(this.#wheel + LEVEL_USED + level * 4, -1, slots);
    if (node === NONE) return -1;
    const used = this.#words[(this.#wheel + LEVEL_USED + level * 4) >>> 2]!;
    return 31 - Math.clz32(used & -used);
  }

  /** Whether `place` is a slot of this wheel, and no node. */
  #isSlot(place: Ref): boolean {
    return place >= this.#wheel + EARLY && place < this.#wheel + WHEEL_SIZE;
  }

  /** A node of the slot that is being drained, or one that is early; NONE if there is neither. */
  #toMove(now: number, goal: number): Ref {
    const words = this.#words;
    const wheel = this.#wheel;
    const draining = words[(wheel + DRAINING) >>> 2]!;
    if (draining !== NONE) {
      const node = firstIn(this.#region, draining);
      if (node !== NONE) return node;
      this.#region.setWord(wheel + DRAINING, NONE);
    }
    if (words[(wheel + EARLY_USED) >>> 2] === 0) return NONE;
    const node = firstIn(this.#region, wheel + EARLY);
    if (node === NONE) this.#region.setWord(wheel + EARLY_USED, 0);
    else if (this.due(node) > now && goal < words[(wheel + EDGE) >>> 2]!) this.#setBack(goal);
    return node;
  }

  /** Moves EDGE on, and begins to drain the slot that it comes to. @returns whether there is one until `goal` */
  #openNext(goal: number): boolean {
    const region = this.#region;
    const wheel = this.#wheel;
    const edge = this.#words[(wheel + EDGE) >>> 2]!;
    for (let level = 0; level < LEVELS; level++) {
      const slot = this.#firstSlot(level);
      if (slot === -1) continue;
      const block = firstBlock(edge, level, slot);
      if (block > goal) break;
      const usedAt = wheel + LEVEL_USED + level * 4;
      region.setWord(usedAt, this.#words[usedAt >>> 2]! & ~(1 << slot));
      region.setWord(wheel + DRAINING, wheel + LEVEL + ((level << 5) + slot) * 8);
      region.setWord(wheel + EDGE, block);
      return true;
    }
    region.setWord(wheel + EDGE, goal);
    return false;
  }

  /**
   * Sets EDGE back, while no slot is being drained. What stands at the levels below that of the digit in which the two
   * differ shares this digit with EDGE, so all of it belongs into one slot; of the ring, each tick into that of its
   * block.
   */
  #setBack(goal: number): void {
    const words = this.#words;
    const wheel = this.#wheel;
    const edge = words[(wheel + EDGE) >>> 2]!;
    const target = placeOf(edge, goal);
    for (let place = 0; place < (target & ~31); place++) this.#joinUsed(LEVEL_USED, place, LEVEL, target);
    for (let block = Math.max(edge - BEHIND, goal + 1); block <= edge; block++) {
      const first = (block & 3) << 5;
      for (let tick = first; tick < first + 32; tick++) this.#joinUsed(RING_USED, tick, RING, placeOf(block, goal));
    }
    this.#region.setWord(wheel + EDGE, goal);
  }

  /** Joins a slot that may be used to that of a level at `target`. */
  #joinUsed(usedBits: number, place: number, slots: number, target: number): void {
    const usedAt = this.#wheel + usedBits + (place >>> 5) * 4;
    const used = this.#words[usedAt >>> 2]!;
    if ((used & (1 << (place & 31))) === 0) return;
    this.#region.setWord(usedAt, used & ~(1 << (place & 31)));
    this.#join(this.#wheel + slots + place * 8, target);
  }

  /** Puts a slot's whole list into that of a level at `target`. */
  #join(slot: Ref, target: number): void {
    const words = this.#words;
    const region = this.#region;
    const to = this.#wheel + LEVEL + target * 8;
    const usedAt = this.#wheel + LEVEL_USED + (target >>> 5) * 4;
    const bit = 1 << (target & 31);
    if ((words[usedAt >>> 2]! & bit) === 0) {
      region.setWord(usedAt, words[usedAt >>> 2]! | bit);
      openList(region, to);
    }
    joinLists(region, slot, to);
  }
}
