/** How much room a block that grows by and by is given, so that it is not moved at each step. */
const ROOM_MAX = 65536;

/** Blocks up to this size are not worth making smaller. */
const KEPT_SIZE = 64;

/** Up to here a block is as large as its contents: to move it is cheap, and of small collections there are millions. */
const EXACT_MAX = 256;

/** Bytes to ask for when `size` are needed in a block that has outgrown its own: an eighth more, unless it is small. */
export function withRoom(size: number): number {
  return size <= EXACT_MAX ? size : size + Math.min(size >>> 3, ROOM_MAX);
}

/** Whether what is left in a block of `blockSize` bytes deserves a smaller one. */
export function isLoose(size: number, blockSize: number): boolean {
  return size < blockSize >>> 1 && blockSize > KEPT_SIZE;
}
