/** Offsets of the heap's header words and of a span's; heap.ts draws both and says what they mean. */
export const MAGIC = 0;
export const VERSION = 4;
export const USED_BYTES = 20;
export const LIVE_BLOCKS = 28;
export const SPAN_HEADS = 512;

export const FREE_BLOCK = 0;
export const FRESH_BLOCK = 4;
export const LIVE = 8;
export const CLASS = 12;
export const NEXT = 16;
export const PREVIOUS = 20;
