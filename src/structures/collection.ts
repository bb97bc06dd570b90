/**
 * What the keyspace must be able to do with a collection without knowing its type: find its blocks, check it, copy it.
 * One object for each type (keyspace/collection-types.ts); a collection is named by its encoding and its root ref.
 */
import type { Heap, Ref } from "../memory/heap.ts";

/**
 * Encodings of collections, as they stand in an entry's tag: the same numbers for all types.
 * LISTPACK: the root is one listpack. LISTPACK_EX: with a deadline behind each field. INTSET: one block of sorted
 * integers. TABLE: a dictionary of members. CHUNKS: a chain of listpacks. TREE: an ordered tree beside a dictionary.
 */
export const LISTPACK = 0;
export const LISTPACK_EX = 1;
export const INTSET = 2;
export const TABLE = 3;
export const CHUNKS = 4;
export const TREE = 5;

/** What OBJECT ENCODING calls them. */
export const ENCODING_NAMES: readonly string[] = [
  "listpack",
  "listpackex",
  "intset",
  "hashtable",
  "quicklist",
  "skiplist",
];

/** What it takes to free a collection; overwritten by the next estimate. */
export interface Estimate {
  blocks: number;
  bytes: number;
}

/** Elements that stand for all in an estimate: few, for each is a wait for memory. */
export const ESTIMATE_SAMPLES = 4;

export interface CollectionType {
  /**
   * Visits every block of the collection, each once and after the blocks that only it leads to: a visitor may free it.
   */
  forEachBlock(heap: Heap, encoding: number, root: Ref, visit: (block: Ref) => void): void;
  /**
   * Does what `forEachBlock` does a part at a time, some hundred blocks: for whoever frees a large collection without
   * keeping others waiting. Blocks visited may be freed; the collection must not change otherwise.
   * @param place 0 begins
   * @returns the place to go on from, 0 at the end
   */
  walkBlocks(heap: Heap, encoding: number, root: Ref, place: number, visit: (block: Ref) => void): number;
  /**
   * About how many blocks the collection has, and how many bytes are in them, in O(1). Of the encodings that have more
   * than one block only.
   */
  estimate(heap: Heap, encoding: number, root: Ref, into: Estimate): void;
  /**
   * Bytes of the collection's blocks: exact where that is cheap, otherwise from the sizes of some elements.
   * @param samples elements to look at; 0 for all
   */
  memoryUsage(heap: Heap, encoding: number, root: Ref, samples: number): number;
  /**
   * Of collections whose elements may expire: when somebody has to look at them, in milliseconds since 1970, which is
   * not after any element's deadline; -1 if no element has one.
   */
  nextDeadline?(heap: Heap, encoding: number, root: Ref): number;
  /** Elements: members, fields, items. */
  count(heap: Heap, encoding: number, root: Ref): number;
  /**
   * A copy in another region's heap, or in the same.
   * @returns its root
   * @throws RegionFullError with nothing changed
   */
  copy(from: Heap, encoding: number, root: Ref, to: Heap): Ref;
  /** @throws Error that names what is wrong */
  verify(heap: Heap, encoding: number, root: Ref): void;
}
