/** What TimingWheel.verify checks. */
import { NONE, type Ref } from "../memory/heap.ts";
import type { Region } from "../memory/region.ts";
import { NEXT, PREVIOUS } from "./node-list.ts";
import {
  BEHIND,
  blockAt,
  COUNT,
  DRAINING,
  dueOf,
  EARLY,
  EARLY_USED,
  EDGE,
  LEVEL,
  LEVEL_USED,
  LEVELS,
  placeOf,
  RING,
  RING_SLOTS,
  RING_USED,
  TICK_MS,
} from "./wheel-layout.ts";

/**
 * Checks that every node stands in the slot of its time.
 * @param visit told of every node
 * @throws Error that names what is wrong
 */
export function verifyWheel(region: Region, wheel: Ref, visit: (node: Ref) => void): void {
  const edge = region.word(wheel + EDGE);
  const draining = region.word(wheel + DRAINING);
  const blockOf = (node: Ref): number => blockAt(dueOf(region.words, node));
  const isUsed = (bits: number, place: number): boolean =>
    (region.word(wheel + bits + (place >>> 5) * 4) & (1 << (place & 31))) !== 0;
  let found = 0;
  const check = (slot: Ref, isIn: (node: Ref) => boolean): void => {
    found += verifyList(region, slot, (node) => {
      if (!isIn(node)) throw new Error(`wheel: ${node}, due at ${dueOf(region.words, node)}, is in another's slot`);
      visit(node);
    });
  };
  if (region.word(wheel + EARLY_USED) !== 0) check(wheel + EARLY, () => true);
  if (draining !== NONE) check(draining, (node) => blockOf(node) >= edge);
  for (let tick = 0; tick < RING_SLOTS; tick++) {
    if (!isUsed(RING_USED, tick)) continue;
    check(wheel + RING + tick * 8, (node) => {
      const isOfTick = (Math.floor(dueOf(region.words, node) / TICK_MS) & (RING_SLOTS - 1)) === tick;
      return isOfTick && blockOf(node) <= edge && blockOf(node) >= edge - BEHIND;
    });
  }
  for (let place = 0; place < LEVELS * 32; place++) {
    if (!isUsed(LEVEL_USED, place)) continue;
    check(wheel + LEVEL + place * 8, (node) => blockOf(node) > edge && placeOf(blockOf(node), edge) === place);
  }
  const count = region.word(wheel + COUNT);
  if (found !== count) throw new Error(`wheel: COUNT ${count} != ${found}`);
}

/** @returns how many nodes the list has */
function verifyList(region: Region, slot: Ref, visit: (node: Ref) => void): number {
  let previous = slot;
  let count = 0;
  for (let node = region.word(slot + NEXT); node !== slot; node = region.word(node + NEXT)) {
    if (region.word(node + PREVIOUS) !== previous) throw new Error(`wheel: ${node} is linked wrongly`);
    visit(node);
    count += 1;
    previous = node;
  }
  if (region.word(slot + PREVIOUS) !== previous) throw new Error(`wheel: slot ${slot} is linked wrongly`);
  return count;
}
