/**
 * The words of a timing wheel, and where in it a time belongs. timing-wheel.ts says why.
 *
 *     node (16 B, part of what is filed)        wheel (a block)
 *     +0   DUE       two words, milliseconds    +0    COUNT     nodes filed
 *                    since 1970, low first      +4    EDGE      the last block of time that stands in the ring
 *     +8   NEXT      node, or the slot          +8    DRAINING  the slot whose nodes are being filed anew, or NONE
 *     +12  PREVIOUS  node, or the slot;         +12   EARLY_USED  1 if the early list has been used
 *                    NONE: not filed            +16   RING_USED   4 words, a bit a slot
 *                                               +32   LEVEL_USED  7 words, a bit a slot
 *     slot: the NEXT and PREVIOUS of a           +64   early list, a slot
 *     node that is not there, so that a list    +72   ring: 128 slots of a tick (128 ms), 4 blocks of 32
 *     is a circle and a node leaves it           +1096 7 levels of 32 slots
 *     (node-list.ts)
 *
 * A slot is addressed as if it were a whole node: 8 bytes in front of its two words.
 */
import type { Ref } from "../memory/heap.ts";
import { NEXT } from "./node-list.ts";

/** Bytes of a node; its refs are multiples of four, and stay what they are while it is filed. */
export const NODE_SIZE = 16;
/** Milliseconds that a slot of the ring stands for: nothing goes later than that, because of the wheel. */
export const TICK_MS = 128;
/** Times from here on, the year 2248, are filed in no wheel. */
export const WHEEL_END = 2 ** 43;
export const BLOCK_MS = 4096;
/** Blocks before EDGE that stand in the ring too. */
export const BEHIND = 3;
export const BLOCK_MAX = 2 ** 31 - 1;

export const DUE = 0;

export const COUNT = 0;
export const EDGE = 4;
export const DRAINING = 8;
export const EARLY_USED = 12;
export const RING_USED = 16;
export const LEVEL_USED = 32;
export const HEADER_SIZE = 64;
export const LEVELS = 7;
export const RING_SLOTS = 128;
/** Where a slot would begin, were it a whole node. */
export const EARLY = HEADER_SIZE - NEXT;
export const RING = EARLY + 8;
export const LEVEL = RING + RING_SLOTS * 8;
export const WHEEL_SIZE = LEVEL + NEXT + LEVELS * 32 * 8;

/** When a node is due, in milliseconds since 1970; of a time beyond 2^53, about that. */
export function dueOf(words: Int32Array, node: Ref): number {
  return words[(node + DUE + 4) >>> 2]! * 2 ** 32 + (words[(node + DUE) >>> 2]! >>> 0);
}

/** Whether a time with this high word is neither before 1970 nor after WHEEL_END. */
export function isWithinWheel(high: number): boolean {
  return high >>> 11 === 0;
}

/** The number of the block that a time, in milliseconds since 1970, lies in. */
export function blockAt(time: number): number {
  return Math.max(0, Math.min(BLOCK_MAX, Math.floor(time / BLOCK_MS)));
}

/** Where EDGE belongs: 8 seconds ahead at least. */
export function edgeAt(now: number): number {
  return Math.min(blockAt(now) + BEHIND, BLOCK_MAX);
}

/** Level * 32 + slot of a block beyond the edge. */
export function placeOf(block: number, edge: number): number {
  const level = ((31 - Math.clz32(block ^ edge)) * 13) >>> 6;
  return (level << 5) | ((block >>> (level * 5)) & 31);
}

/** The first block that stands in a slot. */
export function firstBlock(edge: number, level: number, slot: number): number {
  const above = level === LEVELS - 1 ? 0 : (edge >>> (level * 5 + 5)) << (level * 5 + 5);
  return above | (slot << (level * 5));
}
