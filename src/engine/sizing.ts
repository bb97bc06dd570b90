/** How many regions a store has, and how large they are: follows from its memory limit. */
import { totalmem } from "node:os";
import { PAGE_SIZE, REGION_SIZE_MAX, REGION_SIZE_MIN } from "../memory/region.ts";

export interface Sizing {
  /** A power of two. */
  readonly shards: number;
  readonly regionSize: number;
}

/** Regions hold the limit and a quarter more: keys do not spread evenly, and blocks leave gaps. */
const HEADROOM = 1.25;
const SHARDS_MAX = 64;

/**
 * @param memoryLimit bytes of data to have room for; 0 for what the machine, or the container, has
 * @param regionSize bytes of one region, rounded down to whole pages; 0 to choose
 */
export function sizingFor(memoryLimit: number, regionSize: number): Sizing {
  const wanted = (memoryLimit === 0 ? availableMemory() : memoryLimit) * HEADROOM;
  if (regionSize === 0 && wanted <= REGION_SIZE_MAX) {
    return { shards: 1, regionSize: Math.max(SMALLEST_CHOSEN, roundUpToPages(wanted)) };
  }
  const size = regionSize === 0 ? REGION_SIZE_MAX : clampToPages(regionSize);
  let shards = 1;
  while (shards * size < wanted && shards < SHARDS_MAX) shards *= 2;
  return { shards, regionSize: size };
}

/** Reserving more than a small limit needs costs nothing, and saves a small store from an early end. */
const SMALLEST_CHOSEN = 64 * 1024 * 1024;

function availableMemory(): number {
  const constrained = process.constrainedMemory();
  const total = totalmem();
  return constrained > 0 && constrained < total ? constrained : total;
}

function roundUpToPages(bytes: number): number {
  return Math.min(REGION_SIZE_MAX, Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE);
}

function clampToPages(bytes: number): number {
  return Math.min(REGION_SIZE_MAX, Math.max(REGION_SIZE_MIN, Math.floor(bytes / PAGE_SIZE) * PAGE_SIZE));
}
