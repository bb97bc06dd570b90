/**
 * DeadValues: what no key refers to any more and is still to be freed, in the order of its death.
 *
 *     value (5 words)
 *     +0  SHARD    number
 *     +1  KIND     type | encoding << 4 of a collection, or DATABASE
 *     +2  ROOT     the collection's; of a database a block of its own, with its dictionary's header
 *     +3  BYTES    estimated, when it died
 *     +4  OBJECTS  keys that it was the value of: 1, or all of a database
 *
 * Rows in typed arrays, because there may be many, and because a batch of them is posted as it is.
 * Values are walked here, so that whoever frees them, this thread or another, does it in one way.
 */
import type { Ref } from "../memory/heap.ts";
import { Dictionary } from "../structures/dictionary.ts";
import { collectionType } from "./collection-types.ts";
import { type Entries, EXTERNAL, STRING } from "./entry.ts";

export const SHARD = 0;
export const KIND = 1;
export const ROOT = 2;
export const BYTES = 3;
export const OBJECTS = 4;
export const VALUE_WORDS = 5;

/** The kind of a database that was flushed; those of collections are smaller. */
export const DATABASE = 0x100;

const FIRST_CAPACITY = 16;

export class DeadValues {
  #rows = new Int32Array(FIRST_CAPACITY * VALUE_WORDS);
  /** Words; the rows between them are in use. */
  #begin = 0;
  #end = 0;

  get count(): number {
    return (this.#end - this.#begin) / VALUE_WORDS;
  }

  add(shard: number, kind: number, root: Ref, bytes: number, objects: number): void {
    if (this.#end === this.#rows.length) this.#makeRoom();
    const rows = this.#rows;
    const at = this.#end;
    rows[at + SHARD] = shard;
    rows[at + KIND] = kind;
    rows[at + ROOT] = root;
    rows[at + BYTES] = bytes;
    rows[at + OBJECTS] = objects;
    this.#end += VALUE_WORDS;
  }

  /** Adds values that were taken out of another queue. */
  addAll(values: Int32Array): void {
    for (let at = 0; at < values.length; at += VALUE_WORDS) {
      this.add(values[at + SHARD]!, values[at + KIND]!, values[at + ROOT]!, values[at + BYTES]!, values[at + OBJECTS]!);
    }
  }

  /** A field of the oldest value. */
  front(field: number): number {
    return this.#rows[this.#begin + field]!;
  }

  /** A copy of up to `most` of the oldest values. */
  copy(most: number): Int32Array {
    return this.#rows.slice(this.#begin, Math.min(this.#end, this.#begin + most * VALUE_WORDS));
  }

  /** Takes the `count` oldest values out. */
  shift(count: number): void {
    this.#begin += count * VALUE_WORDS;
  }

  clear(): void {
    this.#begin = 0;
    this.#end = 0;
  }

  /** Moves the rows to the beginning, of a larger array if that one is mostly in use. */
  #makeRoom(): void {
    const used = this.#rows.subarray(this.#begin, this.#end);
    const target = used.length * 2 > this.#rows.length ? new Int32Array(this.#rows.length * 2) : this.#rows;
    target.set(used);
    this.#rows = target;
    this.#begin = 0;
    this.#end = used.length;
  }
}

/**
 * Visits some of the blocks of a dead collection, each of which may be freed then.
 * @param place 0 begins
 * @returns the place to go on from, 0 at the end
 */
export function walkCollection(
  { heap }: Entries,
  kind: number,
  root: Ref,
  place: number,
  visit: (block: Ref) => void,
): number {
  return collectionType(kind & 15).walkBlocks(heap, kind >>> 4, root, place, visit);
}

/**
 * Visits some of the entries of a dead database, and blocks of its table; all of which may be freed then.
 * @param place 0 begins
 * @returns the place to go on from, 0 at the end
 */
export function walkDatabase(
  { heap }: Entries,
  root: Ref,
  place: number,
  visitEntry: (entry: Ref) => void,
  visitBlock: (block: Ref) => void,
): number {
  const next = new Dictionary(heap, root).walk(place, visitEntry, visitBlock);
  if (next === 0) visitBlock(root);
  return next;
}

/** Visits all blocks of an entry, its own last. */
export function forEachBlockOf(entries: Entries, entry: Ref, visit: (block: Ref) => void): void {
  const type = entries.type(entry);
  const encoding = entries.encoding(entry);
  if (type !== STRING) collectionType(type).forEachBlock(entries.heap, encoding, entries.value(entry), visit);
  else if (encoding === EXTERNAL) visit(entries.extra(entry));
  visit(entry);
}

/** Visits some of the blocks of any dead value. @returns the place to go on from, 0 at the end */
export function walkValue(
  entries: Entries,
  kind: number,
  root: Ref,
  place: number,
  visit: (block: Ref) => void,
): number {
  if (kind !== DATABASE) return walkCollection(entries, kind, root, place, visit);
  return walkDatabase(entries, root, place, (entry) => forEachBlockOf(entries, entry, visit), visit);
}
