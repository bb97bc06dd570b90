/**
 * What commands do to string values. Reading is Key's; here is all that writes: the one place that decides how a string
 * is stored.
 *
 * Every function changes the key completely or, where the region has no room (RegionFullError), not at all.
 * Owner thread only.
 */
import { copyBytes, Slice } from "../base/bytes.ts";
import { highWord, type Int64, lowWord, parseInt64 } from "../base/int64.ts";
import type { Ref } from "../memory/heap.ts";
import { EMBEDDED, type Entries, EXTERNAL, INLINE_MAX, INT, NO_DEADLINE, RAW, STRING } from "./entry.ts";
import type { Key } from "./key.ts";

/** The longest text that is looked at for being an integer. */
const INTEGER_LENGTH_MAX = 20;
/** Up to here a growing value doubles its block; beyond, it gains this much, as Redis's strings do. */
const GROWTH_MAX = 1024 * 1024;

/**
 * Sets the key to the bytes, whatever it was: SET. Integers are stored as such.
 * @param deadline milliseconds since 1970, or NO_DEADLINE
 */
export function setString(key: Key, bytes: Buffer, start: number, length: number, deadline: Int64): void {
  if (length <= INTEGER_LENGTH_MAX) {
    const integer = parseInt64(bytes, start, length);
    if (integer !== undefined) {
      setInteger(key, integer, deadline);
      return;
    }
  }
  setBytes(key, bytes, start, length, deadline);
}

/** As `setString`, but an integer is stored as its digits too: INCRBYFLOAT. */
export function setBytes(key: Key, bytes: Buffer, start: number, length: number, deadline: Int64): void {
  if (key.found && overwrite(key, bytes, start, length, deadline)) return;
  key.link(buildBytes(key, bytes, start, length, deadline));
}

/**
 * An unlinked entry with the bytes as its value: for commands that must have all their blocks before they change
 * anything (MSET). `key.link` puts it in its place.
 */
export function buildString(key: Key, bytes: Buffer, start: number, length: number, deadline: Int64): Ref {
  const integer = length <= INTEGER_LENGTH_MAX ? parseInt64(bytes, start, length) : undefined;
  return integer === undefined ? buildBytes(key, bytes, start, length, deadline) : buildInteger(key, integer, deadline);
}

/**
 * An unlinked entry whose value is `length` zeros, without a deadline, to be written to before `key.link` puts it in
 * its place: for a result computed from values that it may replace.
 * @param slice is pointed at the value, as by `growString`
 */
export function buildZeros(key: Key, length: number, slice: Slice): Ref {
  const { entries } = key.shard;
  const entry = buildGrown(key, EMPTY, length, NO_DEADLINE, false);
  slice.set(entries.bytes, length > INLINE_MAX ? entries.extra(entry) : entries.inlineStart(entry), length);
  return entry;
}

/** Sets the key to an integer. */
export function setInteger(key: Key, value: Int64, deadline: Int64): void {
  const { entries } = key.shard;
  const { entry } = key;
  const isPlain = deadline === NO_DEADLINE;
  if (
    key.found &&
    entries.encoding(entry) === INT &&
    entries.type(entry) === STRING &&
    isPlain !== entries.hasDeadline(entry)
  ) {
    if (!isPlain) key.moveDeadline(deadline);
    entries.setInteger(entry, value);
    key.keyspace.changes += 1;
    return;
  }
  key.link(buildInteger(key, value, deadline));
}

/**
 * Makes the value `length` bytes long, at least what it is, new bytes zero, and stored so that it can be written to.
 * A key that does not exist becomes an empty string first. The deadline stays.
 * @param slice is pointed at the value; `writeAt` and `setByte` write to it
 */
export function growString(key: Key, length: number, slice: Slice): Slice {
  if (!key.found) {
    key.link(buildGrown(key, EMPTY, length, NO_DEADLINE, false));
    return key.readString(slice);
  }
  const { entries, heap } = key.shard;
  const { entry } = key;
  const encoding = entries.encoding(entry);
  const old = key.readString(slice);
  const fits = encoding === EXTERNAL ? length <= heap.sizeOf(entries.extra(entry)) : fitsInline(entries, entry, length);
  if (encoding === INT || !fits) {
    key.link(buildGrown(key, old, Math.max(length, old.length), key.deadline, true));
    return key.readString(slice);
  }
  if (length > old.length) {
    heap.region.guard(old.start + old.length, length - old.length);
    entries.bytes.fill(0, old.start + old.length, old.start + length);
    entries.setValue(entry, length);
  }
  if (encoding === EMBEDDED) entries.setEncoding(entry, RAW);
  key.keyspace.changes += 1;
  return key.readString(slice);
}

/**
 * Makes a value that `growString` has made writable `length` bytes long, at most what it is; its block stays.
 * @param value the slice that shows it
 */
export function shrinkString(key: Key, value: Slice, length: number): void {
  key.shard.entries.setValue(key.entry, length);
  value.length = length;
}

/** Writes bytes into a string value that `growString` has made writable, from `offset` of the value on. */
export function writeAt(key: Key, value: Slice, offset: number, bytes: Buffer, start: number, length: number): void {
  key.shard.region.guard(value.start + offset, length);
  copyBytes(bytes, start, value.bytes, value.start + offset, length);
}

/** Writes one byte into a string value that `growString` has made writable. */
export function setByte(key: Key, value: Slice, offset: number, byte: number): void {
  key.shard.region.guard(value.start + offset, 1);
  value.bytes[value.start + offset] = byte;
}

const EMPTY = new Slice();

function fitsInline(entries: Entries, entry: Ref, length: number): boolean {
  if (entries.encoding(entry) === INT || length > INLINE_MAX) return false;
  return entries.inlineStart(entry) - entry + length <= entries.heap.sizeOf(entry);
}

/** Writes over the present value where shape and block stay the same: no allocation, no change to the table. */
function overwrite(key: Key, bytes: Buffer, start: number, length: number, deadline: Int64): boolean {
  const { entries, heap, region } = key.shard;
  const { entry } = key;
  if (entries.type(entry) !== STRING || entries.hasDeadline(entry) !== (deadline !== NO_DEADLINE)) return false;
  const encoding = entries.encoding(entry);
  if (encoding === INT || (encoding === EXTERNAL) !== length > INLINE_MAX) return false;
  let at: number;
  if (encoding === EXTERNAL) {
    at = entries.extra(entry);
    if (!fillsWell(length, heap.sizeOf(at))) return false;
  } else {
    at = entries.inlineStart(entry);
    if (!fillsWell(at - entry + length, heap.sizeOf(entry))) return false;
  }
  if (deadline !== NO_DEADLINE) key.moveDeadline(deadline);
  region.guard(at, length);
  copyBytes(bytes, start, entries.bytes, at, length);
  entries.setValue(entry, length);
  if (encoding === RAW) entries.setEncoding(entry, EMBEDDED);
  key.keyspace.changes += 1;
  return true;
}

/**
 * Whether a block is kept for a value of another size: it fits, and at least half of the block is used. A new block
 * costs more than half of a SET, and a key whose values change their size would need one almost every time.
 */
function fillsWell(size: number, blockSize: number): boolean {
  return size <= blockSize && size >= blockSize >>> 1;
}

function buildInteger(key: Key, value: Int64, deadline: Int64): Ref {
  const { entries } = key.shard;
  const entry = key.buildEntry(STRING, INT, 0, deadline);
  entries.setValue(entry, lowWord(value));
  entries.setExtra(entry, highWord(value));
  return entry;
}

function buildBytes(key: Key, bytes: Buffer, start: number, length: number, deadline: Int64): Ref {
  if (length > INLINE_MAX) return buildExternal(key, bytes, start, length, length, deadline);
  const { entries, region } = key.shard;
  const entry = key.buildEntry(STRING, EMBEDDED, length, deadline);
  const at = entries.inlineStart(entry);
  region.guard(at, length);
  copyBytes(bytes, start, entries.bytes, at, length);
  entries.setValue(entry, length);
  return entry;
}

/** A value in a block of its own, `capacity` bytes large at least. */
function buildExternal(key: Key, bytes: Buffer, start: number, length: number, capacity: number, deadline: Int64): Ref {
  const { entries, heap, region } = key.shard;
  const block = heap.allocate(capacity);
  let entry: Ref;
  try {
    entry = key.buildEntry(STRING, EXTERNAL, 0, deadline);
  } catch (error) {
    heap.free(block);
    throw error;
  }
  region.guard(block, length);
  copyBytes(bytes, start, entries.bytes, block, length);
  entries.setValue(entry, length);
  entries.setExtra(entry, block);
  return entry;
}

/** A RAW or EXTERNAL entry of `length` bytes that begins with `old`, the rest zero, with room to grow if wanted. */
function buildGrown(key: Key, old: Slice, length: number, deadline: Int64, withRoom: boolean): Ref {
  const { entries, region } = key.shard;
  const room = withRoom ? length + Math.min(length, GROWTH_MAX) : length;
  let entry: Ref;
  if (length > INLINE_MAX) {
    entry = buildExternal(key, old.bytes, old.start, old.length, room, deadline);
  } else {
    entry = key.buildEntry(STRING, RAW, Math.min(room, INLINE_MAX), deadline);
    const start = entries.inlineStart(entry);
    region.guard(start, length);
    copyBytes(old.bytes, old.start, entries.bytes, start, old.length);
  }
  const start = length > INLINE_MAX ? entries.extra(entry) : entries.inlineStart(entry);
  region.guard(start, length);
  entries.bytes.fill(0, start + old.length, start + length);
  entries.setValue(entry, length);
  return entry;
}
