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

export interface CollectionType {
  /**
   * Visits every block of the collection, each once and after the blocks that only it leads to: a visitor may free it.
   */
  forEachBlock(heap: Heap, encoding: number, root: Ref, visit: (block: Ref) => void): void;
  /**
   * Bytes of the collection's blocks: exact where that is cheap, otherwise from the sizes of some elements.
   * @param samples elements to look at; 0 for all
   */
  memoryUsage(heap: Heap, encoding: number, root: Ref, samples: number): number;
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
