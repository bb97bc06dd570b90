/**
 * SortElements: strings of bytes that one SORT deals with, one behind the other in a buffer outside any region:
 * elements and what they are sorted by are looked at many times, while other keys are looked up, which may end and go.
 * Lives for one command.
 */
import { Arguments } from "../base/arguments.ts";
import { copyBytes, Slice } from "../base/bytes.ts";
import { LIST, SET } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { openList } from "../keyspace/lists.ts";
import { setOf } from "../keyspace/sets.ts";
import { sortedSetOf } from "../keyspace/sorted-sets.ts";

const FIRST_CAPACITY = 1024;
/** Stands for the length of what is not there. */
const ABSENT = -1;

const value = new Slice();

export class SortElements {
  bytes = Buffer.allocUnsafe(FIRST_CAPACITY);
  readonly starts: number[] = [];
  readonly lengths: number[] = [];
  #end = 0;

  get count(): number {
    return this.starts.length;
  }

  add({ bytes, start, length }: Slice): void {
    if (this.#end + length > this.bytes.length) this.#grow(length);
    copyBytes(bytes, start, this.bytes, this.#end, length);
    this.starts.push(this.#end);
    this.lengths.push(length);
    this.#end += length;
  }

  addAbsent(): void {
    this.starts.push(0);
    this.lengths.push(ABSENT);
  }

  isAbsent(index: number): boolean {
    return this.lengths[index] === ABSENT;
  }

  /** Points `slice` at one that is there. */
  read(index: number, slice: Slice): Slice {
    slice.set(this.bytes, this.starts[index]!, this.lengths[index]!);
    return slice;
  }

  /** Those at the given indices, as the arguments of a command; what is absent has no bytes. */
  asArguments(indices: Iterable<number>): Arguments {
    const args = new Arguments();
    args.reset(this.bytes);
    for (const index of indices) args.push(this.starts[index]!, Math.max(0, this.lengths[index]!));
    return args;
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.#end + length));
    this.bytes.copy(larger, 0, 0, this.#end);
    this.bytes = larger;
  }
}

/** How many elements the key's list, set or sorted set has. */
export function countElements(key: Key): number {
  if (key.type === LIST) return openList(key).count;
  return key.type === SET ? setOf(key).count : sortedSetOf(key).count;
}

/**
 * Loads elements in the order in which they are stored.
 * @param first index of the first, counted from the end if `isReversed`; for sets there is no order to speak of
 * @param count how many, all of which must be there
 */
export function loadElements(key: Key, first: number, count: number, isReversed: boolean): SortElements {
  const elements = new SortElements();
  if (key.type === LIST) loadList(key, elements, first, count, isReversed);
  else if (key.type === SET) loadSet(key, elements);
  else loadSortedSet(key, elements, first, count, isReversed);
  return elements;
}

function loadList(key: Key, elements: SortElements, first: number, count: number, isReversed: boolean): void {
  const cursor = openList(key);
  cursor.seek(isReversed ? -1 - first : first);
  for (let left = count; left > 0; left--) {
    elements.add(cursor.read(value));
    if (isReversed) cursor.previous();
    else cursor.next();
  }
}

function loadSet(key: Key, elements: SortElements): void {
  const set = setOf(key);
  set.forEach((place) => {
    elements.add(set.read(place, value));
  });
}

function loadSortedSet(key: Key, elements: SortElements, first: number, count: number, isReversed: boolean): void {
  const set = sortedSetOf(key);
  if (count === 0) return;
  let place = set.seek(isReversed ? set.count - 1 - first : first);
  for (let left = count; left > 0; left--) {
    elements.add(set.read(place, value));
    if (left > 1) place = isReversed ? set.previous() : set.next();
  }
}
