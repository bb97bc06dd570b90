/** Pauses for the freeze tests: a thread held up between two steps, while the other goes on. */
import { type FreezePause, type FrozenRegion, MARKS } from "../memory/region.ts";
import type { Random } from "./random.ts";

const SHORTEST_MS = 0.05;
const LONGEST_MS = 1;

/** With the given chance, waits busily for 50 microseconds to 1 millisecond. */
export function pauseAtRandom(random: Random, chance: number): FreezePause {
  return () => {
    if (random.chance(chance)) waitBusily(SHORTEST_MS + ((LONGEST_MS - SHORTEST_MS) * random.below(1000)) / 1000);
  };
}

/**
 * With the given chance, waits as above, or for the worst moment: until the owner has just marked the very page, and
 * has gone on writing a little, but no longer than 1 millisecond.
 */
export function pauseForMark(random: Random, chance: number, frozen: FrozenRegion): FreezePause {
  const control = new Int32Array(frozen.control);
  const atRandom = pauseAtRandom(random, chance / 2);
  return (page) => {
    atRandom(page);
    if (!random.chance(chance / 2)) return;
    const end = performance.now() + LONGEST_MS;
    while (Atomics.load(control, MARKS + page) !== frozen.epoch && performance.now() < end);
    waitBusily(SHORTEST_MS);
  };
}

function waitBusily(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}
