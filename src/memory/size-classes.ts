/**
 * The sizes of the heap's small blocks, and which one serves a request.
 *
 *     16 … 1,024 B   one class every 16 B: at most 15 B are lost
 *     … 16 KiB       the n-th part of a span, for n = 60 … 4: about a fifth is lost at most, and hardly anything behind
 *                    the span's last block
 *
 * Larger requests are runs of whole pages. Pure tables, the same in every thread.
 */
import { PAGE_BITS } from "./region.ts";

/** A span is the unit that one class's blocks are carved from. */
export const SPAN_PAGES = 16;
export const SPAN_SIZE = SPAN_PAGES << PAGE_BITS;
/** The first block of a span stands behind its header. */
export const SPAN_HEADER_SIZE = 64;

const FINE_MAX = 1024;
const GRAIN = 16;
const FEWEST_BLOCKS = 4;

function listSizes(): number[] {
  const sizes: number[] = [];
  for (let size = GRAIN; size <= FINE_MAX; size += GRAIN) sizes.push(size);
  for (let blocks = FINE_MAX / GRAIN; blocks >= FEWEST_BLOCKS; blocks--) {
    const size = Math.floor((SPAN_SIZE - SPAN_HEADER_SIZE) / blocks / GRAIN) * GRAIN;
    if (size > sizes.at(-1)!) sizes.push(size);
  }
  return sizes;
}

/** Block size of each class, ascending. */
export const CLASS_SIZES = Int32Array.from(listSizes());
export const CLASS_COUNT = CLASS_SIZES.length;
/** The largest request that a class serves, in bytes. */
export const SMALL_MAX = CLASS_SIZES[CLASS_COUNT - 1]!;

/**
 * What an offset within a span is multiplied by, and cut to an integer, to be divided by a class's size: a division
 * takes as long as the rest of a lookup. A millionth more, so that multiples are not rounded down: an offset is below
 * 65,536, so what is one byte short of a multiple stays below it.
 */
export const RECIPROCALS = Float64Array.from(CLASS_SIZES, (size) => (1 + 2 ** -20) / size);

const classOfGrains = new Uint8Array(SMALL_MAX / GRAIN + 1);
for (let grains = 0, index = 0; grains < classOfGrains.length; grains++) {
  if (grains * GRAIN > CLASS_SIZES[index]!) index += 1;
  classOfGrains[grains] = index;
}

/** The class that serves `size` bytes; `size` is at most SMALL_MAX. */
export function classOf(size: number): number {
  return classOfGrains[(size + GRAIN - 1) >>> 4]!;
}
