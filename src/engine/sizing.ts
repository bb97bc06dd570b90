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
/** More regions mean more memory behind every key: 16 instead of 8 cost a SET a fifth. For more, set a limit. */
const SHARDS_WITHOUT_LIMIT = 8;

/**
 * @param memoryLimit bytes of data to have room for; 0 for what the machine or the container has, up to 16 GiB
 * @param regionSize bytes of one region, rounded down to whole pages; 0 to choose
 */
export function sizingFor(memoryLimit: number, regionSize: number): Sizing {
  const wanted = memoryLimit === 0 ? wantedWithoutLimit() : memoryLimit * HEADROOM;
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

/** The largest power of two of regions that memory has room for, within bounds. */
function wantedWithoutLimit(): number {
  const constrained = process.constrainedMemory();
  const total = totalmem();
  const available = constrained > 0 && constrained < total ? constrained : total;
  const regions = Math.max(1, Math.min(SHARDS_WITHOUT_LIMIT, available / REGION_SIZE_MAX));
  return 2 ** Math.floor(Math.log2(regions)) * REGION_SIZE_MAX;
}

function roundUpToPages(bytes: number): number {
  return Math.min(REGION_SIZE_MAX, Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE);
}

function clampToPages(bytes: number): number {
  return Math.min(REGION_SIZE_MAX, Math.max(REGION_SIZE_MIN, Math.floor(bytes / PAGE_SIZE) * PAGE_SIZE));
}
