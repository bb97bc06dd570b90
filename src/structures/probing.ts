/**
 * Probing ends at an empty slot, and a segment always has one. Where it has not, the table is broken, and a search
 * would go round for ever: it says so instead.
 */

/** What a search throws that has met no empty slot. */
export function noEmptySlot(hash: number): Error {
  return new Error(`dictionary: the segment of hash ${hash} has no empty slot`);
}

/**
 * Where a search that has come to its segment's end goes on.
 * @param rounds how often it has come to the end: twice is once too often, wherever it began
 * @throws Error then
 */
export function beginAgain(begin: number, rounds: number, hash: number): number {
  if (rounds > 1) throw noEmptySlot(hash);
  return begin;
}
