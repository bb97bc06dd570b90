/**
 * What commands do to hashes: finding fields, setting and removing them. The one place that decides how a hash is
 * stored; hash-type.ts draws the encodings, hash-deadlines.ts is about fields that expire, hash-walks.ts about all
 * fields and some of them.
 *
 * A field is named by its position, which holds until the next change: its offset in the listpack, or its block's ref;
 * 0 is none. A hash is never empty: with its last field the key goes.
 *
 * Every function changes the hash completely or, where the region has no room (RegionFullError), not at all. Turning a
 * listpack into a table is no part of a change: where there is no room for a table, the hash stays a listpack.
 *
 * Owner thread only.
 */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { keyspaceEvents } from "../config/keyspace-events.ts";
import { Heap, NONE, type Ref, RegionFullError } from "../memory/heap.ts";
import { LISTPACK, LISTPACK_EX, TABLE } from "../structures/collection.ts";
import { FieldTable, INLINE_MAX, UNDATED } from "../structures/field-table.ts";
import type { Listpack } from "../structures/listpack.ts";
import { EMPTY_SIZE } from "../structures/listpack-format.ts";
import type { CollectionLimits } from "./collection-limits.ts";
import { HASH } from "./entry.ts";
import { strideOf } from "./hash-type.ts";
import type { Key } from "./key.ts";

/** Bytes that a new field may need in a table, its own block and its value's aside. */
const TABLE_ROOM = 64;
/** Bytes by which tables grow at once: two segments, and the directory. */
const SEGMENTS_ROOM = 32 * 1024;
/** Bytes that one element of a listpack needs beside its own, and a deadline. */
const PACK_ROOM = 16;

const name = new Slice();
const value = new Slice();
/** For what no caller has handed over. */
const scratch = new Slice();

/** Fields of a hash. Of a table, those count that have expired and not been removed yet, as in Redis. */
export function hashLength(key: Key): number {
  const { encoding, root } = key;
  const views = key.shard.hashes;
  if (encoding === TABLE) return views.table.attach(root).count;
  return views.pack.attach(root).count / strideOf(encoding);
}

/** The field's position, 0 if there is none; the key may not exist. A field that has expired is removed. */
export function findField(key: Key, field: Slice): number {
  if (!key.found) return 0;
  const { encoding, root, keyspace } = key;
  if (encoding !== TABLE) return findInPack(key.shard.hashes.pack.attach(root), encoding, field);
  const table = key.shard.hashes.table.attach(root);
  const { member } = keyspace;
  member.stage(field.bytes, field.start, field.length);
  const found = table.find(member);
  if (found === NONE) return 0;
  const deadline = table.deadline(found);
  if (deadline === UNDATED || deadline > keyspace.expiryClock.now()) return found;
  keyspace.removals?.fieldsRemoved(key.database.index, key.bytes, key.start, key.length, 1);
  keyspace.removals?.fieldRemoved(field.bytes, field.start, field.length);
  table.remove(found, member.hash);
  afterExpiry(key, 1);
  return 0;
}

/** Points `into` at the value of the field at a position. */
export function readValue(key: Key, at: number, into: Slice): Slice {
  const views = key.shard.hashes;
  if (key.encoding === TABLE) return views.table.attach(key.root).readValue(at, into);
  const values = views.values.attach(key.root);
  return values.read(values.next(at), into);
}

/** Points `into` at the name of the field at a position; it and the value can be looked at together. */
export function readName(key: Key, at: number, into: Slice): Slice {
  const views = key.shard.hashes;
  if (key.encoding === TABLE) return views.table.attach(key.root).readName(at, into);
  return views.pack.attach(key.root).read(at, into);
}

/**
 * Sets a field; the hash is made if the key does not exist.
 * @param keepsDeadline whether a field that is there keeps its deadline; otherwise it loses it
 * @returns whether the field is new
 */
export function setField(key: Key, field: Slice, content: Slice, keepsDeadline: boolean): boolean {
  const { limits } = key.keyspace;
  const isLong = field.length > limits.hashValue || content.length > limits.hashValue;
  if (!key.found) {
    const { changes } = key.keyspace;
    createHash(key, isLong || limits.hashEntries < 1, field.length + content.length);
    try {
      putField(key, field, content, keepsDeadline);
    } catch (error) {
      key.remove();
      throw error;
    } finally {
      key.keyspace.changes = changes;
    }
    key.countChanges(1);
    return true;
  }
  if (isLong && key.encoding !== TABLE) becomeTable(key);
  const isNew = putField(key, field, content, keepsDeadline);
  key.countChanges(1);
  return isNew;
}

/**
 * Gives a field that keeps its deadline, if it is there, another value.
 * @param at what `findField` has just found for it: where it is in a table need not be looked for again
 */
export function updateField(key: Key, at: number, field: Slice, content: Slice): void {
  if (at === 0 || key.encoding !== TABLE) {
    setField(key, field, content, true);
    return;
  }
  const table = key.shard.hashes.table.attach(key.root);
  const { hash } = key.keyspace.member;
  table.set(at, hash, table.deadline(at), content.bytes, content.start, content.length);
  key.countChanges(1);
}

/**
 * Sets the fields that the arguments from `first` on name, each with the value behind it; they lose their deadlines.
 * @returns how many of them are new
 */
export function setFields(key: Key, args: Arguments, first: number): number {
  if (args.count - first === 2) {
    return setField(key, args.slice(first, name), args.slice(first + 1, value), false) ? 1 : 0;
  }
  const isLarge = !isForPack(key.keyspace.limits, args, first);
  const { changes } = key.keyspace;
  const wasFound = key.found;
  if (!wasFound) createHash(key, isLarge, packedSize(args, first));
  else if (isLarge && key.encoding !== TABLE) becomeTable(key);
  let added = 0;
  try {
    if (wasFound) requireRoom(key, args, first);
    for (let index = first; index < args.count; index += 2) {
      if (putField(key, args.slice(index, name), args.slice(index + 1, value), false)) added += 1;
    }
  } catch (error) {
    if (!wasFound) key.remove();
    key.keyspace.changes = changes;
    throw error;
  }
  key.keyspace.changes = changes;
  key.countChanges((args.count - first) / 2);
  return added;
}

/** Removes the field at a position; with the last one, the key. */
export function removeField(key: Key, at: number): void {
  const { encoding, root, shard } = key;
  if (encoding === TABLE) {
    const table = shard.hashes.table.attach(root);
    const { member } = key.keyspace;
    table.readName(at, scratch);
    member.stage(scratch.bytes, scratch.start, scratch.length);
    table.remove(at, member.hash);
  } else {
    const pack = shard.hashes.pack.attach(root);
    pack.remove(at, strideOf(encoding));
    key.moveCollection(encoding, pack.ref);
  }
  afterRemoval(key, 1);
}

/** Counts fields that have been removed, and removes the key if none is left. */
export function afterRemoval(key: Key, removed: number): void {
  if (hashLength(key) > 0) {
    key.countChanges(removed);
    return;
  }
  key.countChanges(removed - 1);
  key.remove();
}

/** As `afterRemoval`, of fields whose time had come: all of those pass here. */
export function afterExpiry(key: Key, expired: number): void {
  key.keyspace.expiredFields += expired;
  key.notify(keyspaceEvents.hash, "hexpired");
  if (hashLength(key) === 0) key.notify(keyspaceEvents.generic, "del");
  afterRemoval(key, expired);
}

/** Makes a listpack a table, if there is room for one. */
export function becomeTable(key: Key): void {
  const { shard, encoding, root, keyspace } = key;
  const { values, table } = shard.hashes;
  const pack = values.attach(root);
  let made: Ref = NONE;
  try {
    made = table.create();
    table.attach(made);
    for (let at = pack.first(); at !== 0; at = pack.next(at)) {
      pack.read(at, scratch);
      keyspace.member.stage(scratch.bytes, scratch.start, scratch.length);
      at = pack.next(at);
      pack.read(at, scratch);
      let deadline: number = UNDATED;
      if (encoding === LISTPACK_EX) {
        at = pack.next(at);
        deadline = Number(pack.integerAt(at));
      }
      table.add(keyspace.member, deadline, scratch.bytes, scratch.start, scratch.length);
    }
  } catch (error) {
    if (made !== NONE) table.forEachBlock((block) => shard.heap.free(block));
    if (error instanceof RegionFullError) return;
    throw error;
  }
  key.moveCollection(TABLE, made);
  shard.heap.free(root);
}

/** Position of the field in a listpack, 0 if there is none. */
export function findInPack(pack: Listpack, encoding: number, field: Slice): number {
  return pack.find(pack.first(), field.bytes, field.start, field.length, strideOf(encoding) - 1);
}

/** Whether these fields may go into a listpack. Redis looks at how many are given, not at how many differ. */
function isForPack(limits: CollectionLimits, args: Arguments, first: number): boolean {
  if ((args.count - first) / 2 > limits.hashEntries) return false;
  for (let index = first; index < args.count; index++) if (args.length(index) > limits.hashValue) return false;
  return true;
}

/** Bytes of a listpack of these arguments, all short: each has a head and a back length of one byte. */
function packedSize(args: Arguments, first: number): number {
  let size = EMPTY_SIZE;
  for (let index = first; index < args.count; index++) size += args.length(index) + 2;
  return size;
}

/**
 * Links an empty hash, which whoever asks for it fills at once.
 * @param size bytes that a listpack of the fields and values to come takes
 */
function createHash(key: Key, isLarge: boolean, size: number): void {
  const { heap, hashes } = key.shard;
  const root = isLarge ? hashes.table.create() : hashes.pack.create(size);
  try {
    key.setCollection(HASH, isLarge ? TABLE : LISTPACK, root);
  } catch (error) {
    heap.free(root);
    throw error;
  }
}

/** Makes sure that setting several fields cannot fail half-way. @throws RegionFullError */
function requireRoom(key: Key, args: Arguments, first: number): void {
  const { heap, hashes } = key.shard;
  if (key.encoding !== TABLE) {
    const { byteLength } = hashes.pack.attach(key.root);
    heap.require(4 * (byteLength + args.end - args.start(first) + (args.count - first) * PACK_ROOM), 2);
    return;
  }
  let bytes = SEGMENTS_ROOM;
  const sizes = new Set<number>();
  for (let index = first; index < args.count; index += 2) {
    const length = args.length(index + 1);
    const size = Heap.roundUp(FieldTable.blockSize(args.length(index), false, length));
    sizes.add(size);
    bytes += size + TABLE_ROOM;
    if (length > INLINE_MAX) {
      sizes.add(Heap.roundUp(length));
      bytes += Heap.roundUp(length);
    }
  }
  heap.require(bytes, sizes.size + 2);
}

/** Sets a field of a hash that is there. @returns whether it is new */
function putField(key: Key, field: Slice, content: Slice, keepsDeadline: boolean): boolean {
  return key.encoding === TABLE
    ? putInTable(key, field, content, keepsDeadline)
    : putInPack(key, field, content, keepsDeadline);
}

function putInTable(key: Key, field: Slice, content: Slice, keepsDeadline: boolean): boolean {
  const { member, expiryClock } = key.keyspace;
  const table = key.shard.hashes.table.attach(key.root);
  member.stage(field.bytes, field.start, field.length);
  const at = table.find(member);
  const { bytes, start, length } = content;
  if (at === NONE) {
    table.add(member, UNDATED, bytes, start, length);
    return true;
  }
  const deadline = table.deadline(at);
  const hasExpired = deadline !== UNDATED && deadline <= expiryClock.now();
  table.set(at, member.hash, keepsDeadline && !hasExpired ? deadline : UNDATED, bytes, start, length);
  return hasExpired;
}

function putInPack(key: Key, field: Slice, content: Slice, keepsDeadline: boolean): boolean {
  const { encoding, root } = key;
  const pack = key.shard.hashes.pack.attach(root);
  const at = findInPack(pack, encoding, field);
  try {
    if (at === 0) {
      appendField(pack, encoding, field, content);
    } else if (encoding === LISTPACK || keepsDeadline || isUndated(pack, at)) {
      pack.replace(pack.next(at), content.bytes, content.start, content.length);
    } else {
      // Without a deadline, its place is behind all that have one.
      appendField(pack, encoding, field, content);
      pack.remove(at, 3);
    }
  } finally {
    if (pack.ref !== root) key.moveCollection(encoding, pack.ref);
  }
  if (pack.count > key.keyspace.limits.hashEntries * strideOf(encoding)) becomeTable(key);
  return at === 0;
}

function isUndated(pack: Listpack, at: number): boolean {
  return pack.integerAt(pack.next(pack.next(at))) === UNDATED;
}

/** @throws RegionFullError with nothing changed but, maybe, the listpack's block */
function appendField(pack: Listpack, encoding: number, field: Slice, content: Slice): void {
  pack.append(field.bytes, field.start, field.length);
  let added = 1;
  try {
    pack.append(content.bytes, content.start, content.length);
    added = 2;
    if (encoding === LISTPACK_EX) pack.appendInteger(UNDATED);
  } catch (error) {
    pack.remove(pack.seek(-added), added);
    throw error;
  }
}
