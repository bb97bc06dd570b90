/**
 * Circular lists of nodes in a region: the NEXT and PREVIOUS that a timing wheel's nodes have.
 *
 *     node or slot, at ...   +8   NEXT       node, or the slot
 *                            +12  PREVIOUS   node, or the slot; NONE in a node: it is in no list
 *
 * A slot is the list's head: as a node of which only these two words are there. A node leaves without knowing whose
 * list it is in.
 *
 * Owner thread only.
 */
import { NONE, type Ref } from "../memory/heap.ts";
import type { Region } from "../memory/region.ts";

export const NEXT = 8;
export const PREVIOUS = 12;

/** Makes a slot an empty list. */
export function openList(region: Region, slot: Ref): void {
  region.setWord(slot + NEXT, slot);
  region.setWord(slot + PREVIOUS, slot);
}

/** Puts a node first into a list. */
export function linkFirst(region: Region, slot: Ref, node: Ref): void {
  const next = region.word(slot + NEXT);
  region.setWord(slot + NEXT, node);
  region.setWord(next + PREVIOUS, node);
  region.guard(node + NEXT, 8);
  region.words[(node + NEXT) >>> 2] = next;
  region.words[(node + PREVIOUS) >>> 2] = slot;
}

/** Takes a node out of its list. Its neighbours are stored to, not loaded: that need not wait for memory. */
export function unlink(region: Region, node: Ref): void {
  const next = region.word(node + NEXT);
  const previous = region.word(node + PREVIOUS);
  region.setWord(previous + NEXT, next);
  region.setWord(next + PREVIOUS, previous);
  region.setWord(node + PREVIOUS, NONE);
}

/** Puts a copy of a node, links and all, in its place. */
export function replaceNode(region: Region, node: Ref, copy: Ref): void {
  region.setWord(region.word(node + PREVIOUS) + NEXT, copy);
  region.setWord(region.word(node + NEXT) + PREVIOUS, copy);
}

/** Puts all that one list has in front of another's; the first is as if it had never been opened. */
export function joinLists(region: Region, from: Ref, to: Ref): void {
  const first = region.word(from + NEXT);
  if (first === from) return;
  const last = region.word(from + PREVIOUS);
  const next = region.word(to + NEXT);
  region.setWord(first + PREVIOUS, to);
  region.setWord(to + NEXT, first);
  region.setWord(last + NEXT, next);
  region.setWord(next + PREVIOUS, last);
}

/** The first node of a list, or NONE. */
export function firstIn(region: Region, slot: Ref): Ref {
  const node = region.word(slot + NEXT);
  return node === slot ? NONE : node;
}
