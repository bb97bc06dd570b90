/** The types of collections, by their numbers in an entry's tag (entry.ts): LIST, SET, SORTED_SET, HASH. */
import type { CollectionType } from "../structures/collection.ts";
import { hashType } from "./hash-type.ts";
import { listType } from "./list-type.ts";
import { setType } from "./set-type.ts";
import { sortedSetType } from "./sorted-set-type.ts";

export const COLLECTION_TYPES: readonly (CollectionType | undefined)[] = [
  undefined, // STRING is no collection
  listType,
  setType,
  sortedSetType,
  hashType,
];

/** @throws Error for a type that is no collection */
export function collectionType(type: number): CollectionType {
  const found = COLLECTION_TYPES[type];
  if (found === undefined) throw new Error(`type ${type} is no collection`);
  return found;
}
