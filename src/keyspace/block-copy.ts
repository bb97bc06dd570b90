/** A block with a copy of bytes that come from elsewhere, such as a listpack out of a file. */
import { copyBytes } from "../base/bytes.ts";
import type { Heap, Ref } from "../memory/heap.ts";

/** @throws RegionFullError with nothing changed */
export function copyToBlock(heap: Heap, bytes: Buffer, start: number, length: number): Ref {
  const block = heap.allocate(length);
  heap.region.guard(block, length);
  copyBytes(bytes, start, heap.region.bytes, block, length);
  return block;
}
