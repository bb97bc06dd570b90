/**
 * What commands do to lists: the one place that decides how a list is stored.
 *
 * A list begins as one listpack. It becomes a chain of them when it grows beyond list-max-listpack-size, and one again
 * when it has shrunk to half of that, and to one chunk: Redis's rules, to the byte, because OBJECT ENCODING shows them.
 *
 * Every function changes the key completely or, where the region has no room (RegionFullError), not at all; it counts
 * the changes, and a list that becomes empty is removed with its key. Owner thread only.
 */
import { Arguments } from "../base/arguments.ts";
import { EMPTY_BYTES, type Slice } from "../base/bytes.ts";
import { NONE } from "../memory/heap.ts";
import { exceedsLimit, isHalfEmpty } from "../structures/chunk-limit.ts";
import { CHUNKS, LISTPACK } from "../structures/collection.ts";
import { Listpack } from "../structures/listpack.ts";
import { EMPTY_SIZE } from "../structures/listpack-format.ts";
import { BY_REPLACEMENT } from "./cause.ts";
import { LIST } from "./entry.ts";
import type { Key } from "./key.ts";
import type { ListCursor } from "./list-cursor.ts";
import { listType } from "./list-type.ts";

/** The cursor of the key's shard, on the key's list. */
export function openList(key: Key): ListCursor {
  return key.shard.lists.attach(key.encoding, key.root);
}

/** Elements of a list; 0 if the key does not exist. */
export function listLength(key: Key): number {
  return key.found ? openList(key).count : 0;
}

/**
 * Adds the arguments from `first` on at one end, one after the other; a key that does not exist becomes a list.
 * @returns elements there are then
 */
export function pushAll(key: Key, isHead: boolean, args: Arguments, first: number): number {
  const added = args.count - first;
  if (added === 1 && key.found && key.encoding === CHUNKS) {
    return pushToLarge(key, isHead, args.bytes, args.starts[first]!, args.lengths[first]!);
  }
  let bytes = 0;
  for (let index = first; index < args.count; index++) bytes += args.lengths[index]!;
  if (key.found) pushToList(key, isHead, args, first, bytes, added);
  else pushToNew(key, isHead, args, first, bytes);
  return openList(key).count;
}

/** Adds one element to a large list: nothing is converted, nothing to be undone. @returns as `pushAll` */
export function pushToLarge(key: Key, isHead: boolean, bytes: Buffer, start: number, length: number): number {
  const chunks = key.shard.lists.chunks.attach(key.root);
  chunks.push(isHead, bytes, start, length, key.keyspace.limits.listSize);
  key.countChanges(1);
  return chunks.count;
}

/**
 * @param bytes elements by which the list grows, as far as its encoding is concerned; it may be about to lose some
 */
function pushToList(key: Key, isHead: boolean, args: Arguments, first: number, bytes: number, elements: number): void {
  const { limits } = key.keyspace;
  const wasSmall: boolean = key.encoding === LISTPACK;
  const cursor = makeRoomFor(key, bytes, elements);
  let index = first;
  try {
    for (; index < args.count; index++) {
      cursor.push(isHead, args.bytes, args.starts[index]!, args.lengths[index]!, limits.listSize);
      if (wasSmall) key.moveCollection(key.encoding, cursor.root);
    }
  } catch (error) {
    const pushed = index - first;
    cursor.removeRange(isHead ? 0 : cursor.count - pushed, pushed);
    key.moveCollection(key.encoding, cursor.root);
    if (wasSmall && key.encoding === CHUNKS) becomeListpack(key, cursor);
    throw error;
  }
  key.countChanges(args.count - first);
}

function pushToNew(key: Key, isHead: boolean, args: Arguments, first: number, bytes: number): void {
  const { lists, heap } = key.shard;
  const { listSize } = key.keyspace.limits;
  let size = 0;
  for (let index = first; index < args.count; index++) {
    size += Listpack.sizeOf(args.bytes, args.starts[index]!, args.lengths[index]!);
  }
  const encoding = exceedsLimit(listSize, EMPTY_SIZE + bytes, args.count - first) ? CHUNKS : LISTPACK;
  const cursor = lists.create(encoding, size);
  try {
    for (let index = first; index < args.count; index++) {
      cursor.push(isHead, args.bytes, args.starts[index]!, args.lengths[index]!, listSize);
    }
    key.setCollection(LIST, encoding, cursor.root);
  } catch (error) {
    listType.forEachBlock(heap, encoding, cursor.root, (block) => heap.free(block));
    throw error;
  }
  // One change has been counted with the key.
  key.countChanges(args.count - first - 1);
}

/**
 * Makes the key a list of the elements in `args`, one at least, whatever it was before: the result of a command, which
 * is gathered as a large list, and then stored as a small one if it would stay one.
 */
export function storeList(key: Key, args: Arguments): void {
  const { lists, heap } = key.shard;
  const { listSize } = key.keyspace.limits;
  const cursor = lists.create(CHUNKS, 0);
  let encoding = CHUNKS;
  try {
    for (let index = 0; index < args.count; index++) {
      cursor.push(false, args.bytes, args.starts[index]!, args.lengths[index]!, listSize);
    }
    cursor.seek(0);
    if (cursor.chunks.nodes === 1 && !exceedsLimit(listSize, cursor.pack.byteLength, cursor.count)) {
      cursor.attach(LISTPACK, cursor.chunks.takeListpack());
      encoding = LISTPACK;
    }
    key.setCollection(LIST, encoding, cursor.root);
  } catch (error) {
    listType.forEachBlock(heap, encoding, cursor.root, (block) => heap.free(block));
    throw error;
  }
  // One change has been counted with the key.
  key.countChanges(args.count - 1);
}

/** Removes `count` elements from one end, all of which must be there. */
export function popFromList(key: Key, isHead: boolean, count: number): void {
  const cursor = openList(key);
  const left = cursor.count - count;
  if (left > 0 && count === 1 && key.encoding === CHUNKS) cursor.chunks.pop(isHead);
  else if (left > 0) cursor.removeRange(isHead ? 0 : left, count - cutOff(key, isHead, count));
  hasShrunk(key, cursor, left, count);
}

/**
 * Lets go of whole chunks at one end, as one value, if they are many.
 * @param count elements that may go; some must stay
 * @returns how many have gone
 */
function cutOff({ shard, encoding, root }: Key, isHead: boolean, count: number): number {
  if (encoding !== CHUNKS) return 0;
  const { chunks } = shard.lists;
  const before = chunks.attach(root).count;
  const cut = chunks.cutOff(isHead, count);
  if (cut !== NONE) shard.releaseCollection(LIST, CHUNKS, cut, BY_REPLACEMENT);
  return before - chunks.count;
}

/** Keeps only the `length` elements from index `first` on, all of which must be there. */
export function trimList(key: Key, first: number, length: number): void {
  const cursor = openList(key);
  const { count } = cursor;
  if (length > 0) {
    const behind = count - first - length;
    cursor.removeRange(first + length, behind - cutOff(key, false, behind));
    cursor.removeRange(0, first - cutOff(key, true, first));
  }
  hasShrunk(key, cursor, length, count - length);
}

/**
 * Removes elements that are these bytes, from one end on.
 * @param most elements to remove; Infinity for all
 * @returns how many were
 */
export function removeFromList(
  key: Key,
  bytes: Buffer,
  start: number,
  length: number,
  isForward: boolean,
  most: number,
): number {
  const cursor = openList(key);
  let removed = 0;
  for (let isThere = cursor.seek(isForward ? 0 : -1); isThere && removed < most; removed++) {
    if (cursor.find(bytes, start, length, isForward, Number.POSITIVE_INFINITY) === -1) break;
    isThere = cursor.remove(isForward);
  }
  if (removed > 0) hasShrunk(key, cursor, cursor.count, removed);
  return removed;
}

/** Puts another element in the place of the one at `index`. @returns false if there is none */
export function setInList(key: Key, index: number, bytes: Buffer, start: number, length: number): boolean {
  const cursor = makeRoomFor(key, length, 1);
  if (!cursor.seek(index)) return false;
  cursor.replace(bytes, start, length);
  hasShrunk(key, cursor, cursor.count, 1);
  return true;
}

/**
 * Puts argument `element` before or behind the first element that is argument `pivot`.
 * @returns false if there is none
 */
export function insertIntoList(key: Key, isBehind: boolean, args: Arguments, pivot: number, element: number): boolean {
  const { starts, lengths, bytes } = args;
  const cursor = makeRoomFor(key, lengths[element]!, 1);
  cursor.seek(0);
  if (cursor.find(bytes, starts[pivot]!, lengths[pivot]!, true, Number.POSITIVE_INFINITY) === -1) return false;
  cursor.insert(isBehind, bytes, starts[element]!, lengths[element]!, key.keyspace.limits.listSize);
  key.moveCollection(key.encoding, cursor.root);
  key.countChanges(1);
  return true;
}

/** The element that is being moved, as the arguments of a push. */
const moved = new Arguments();

/**
 * Moves the element at one end of a list to one end of another, which need not exist yet, or of the same.
 * @param value is pointed at the element, where it is then
 */
export function moveElement(source: Key, isFromHead: boolean, target: Key, isToHead: boolean, value: Slice): void {
  const isSame = source.entry === target.entry && source.shard === target.shard;
  if (!isSame || isFromHead !== isToHead) {
    const cursor = openList(source);
    cursor.seek(isFromHead ? 0 : -1);
    cursor.read(value);
    moved.reset(value.bytes);
    moved.push(value.start, value.length);
    if (isSame) {
      const size = Listpack.sizeOf(value.bytes, value.start, value.length);
      pushToList(target, isToHead, moved, 0, value.length - size, 0);
    } else {
      pushAll(target, isToHead, moved, 0);
    }
    moved.reset(EMPTY_BYTES);
    popFromList(source, isFromHead, 1);
    // The element has been counted twice.
    target.countChanges(-1);
  } else {
    source.countChanges(1);
  }
  const cursor = openList(target);
  cursor.seek(isToHead ? 0 : -1);
  cursor.read(value);
}

/** The list made ready, in its encoding, for so many bytes and elements more. @throws RegionFullError */
function makeRoomFor(key: Key, bytes: number, elements: number): ListCursor {
  const cursor = openList(key);
  if (key.encoding === CHUNKS) return cursor;
  const { pack } = cursor;
  if (exceedsLimit(key.keyspace.limits.listSize, pack.byteLength + bytes, pack.count + elements)) {
    becomeChunks(key, cursor);
  }
  return cursor;
}

function becomeChunks(key: Key, cursor: ListCursor): void {
  const { chunks, pack, heap } = cursor;
  const listpack = pack.ref;
  const { count } = pack;
  const root = chunks.create();
  try {
    chunks.attach(root).appendListpack(listpack, count);
  } catch (error) {
    heap.free(root);
    throw error;
  }
  key.moveCollection(CHUNKS, root);
  cursor.attach(CHUNKS, root);
}

/** Makes a list of one chunk a listpack. */
function becomeListpack(key: Key, cursor: ListCursor): void {
  const root = cursor.chunks.takeListpack();
  key.moveCollection(LISTPACK, root);
  cursor.attach(LISTPACK, root);
}

/** After elements were removed, or replaced: an empty list goes, a small one becomes a listpack. */
function hasShrunk(key: Key, cursor: ListCursor, left: number, removed: number): void {
  // Even an empty list, for it is by its root that its block is freed with the key.
  key.moveCollection(key.encoding, cursor.root);
  if (left === 0) {
    key.remove();
    // One change has been counted with the key.
    key.countChanges(removed - 1);
    return;
  }
  key.countChanges(removed);
  const { chunks } = cursor;
  if (key.encoding !== CHUNKS || chunks.nodes !== 1) return;
  chunks.first();
  if (isHalfEmpty(key.keyspace.limits.listSize, chunks.pack.byteLength, chunks.count)) becomeListpack(key, cursor);
}
