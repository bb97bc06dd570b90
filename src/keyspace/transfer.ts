/**
 * Transfers: a value goes to another key or another database, which may be in another shard.
 *
 * A move to another database keeps the key, hence its hash and its shard: the entry changes tables as it is. A rename
 * within a shard makes a new entry that takes the value over, and what the value has outside its entry stays where it
 * is. A rename to another shard, and every copy, doubles the value; the original goes last.
 *
 * All or nothing: what can fail for want of room (RegionFullError) comes before the first change to either key. A
 * deadline goes along. Owner thread only.
 */
import { copyBytes } from "../base/bytes.ts";
import { keyspaceEvents } from "../config/keyspace-events.ts";
import { NONE, type Ref } from "../memory/heap.ts";
import { BY_REPLACEMENT } from "./cause.ts";
import { collectionType } from "./collection-types.ts";
import { EMBEDDED, EXTERNAL, INT, STRING } from "./entry.ts";
import type { Key } from "./key.ts";

/** Gives the value of `source` to `target`, whatever that held; `source` is then gone. They must be different keys. */
export function renameKey(source: Key, target: Key): void {
  if (source.shard !== target.shard) copyKey(source, target);
  else if (source.type === STRING) takeValue(source, target);
  else takeCollection(source, target);
  target.shard.entries.setAccessClock(target.entry, source.shard.entries.accessClock(source.entry));
  source.shard.release(source.unlink(), BY_REPLACEMENT);
}

/** Gives `target`, whatever it held, a copy of the value of `source`. They must be different keys. */
export function copyKey(source: Key, target: Key): void {
  if (source.type === STRING) target.link(buildStringCopy(source, target));
  else copyCollection(source, target);
}

/** Moves the key to another database. @param target the same key there, where it must not exist */
export function moveKey(source: Key, target: Key): void {
  const { shard, entry } = source;
  const { index } = target.database;
  const isTimed = shard.entries.isTimed(entry);
  if (isTimed) shard.openWheel(index, entry);
  try {
    shard.dictionaries[index]!.insert(source.hash, entry);
  } catch (error) {
    if (isTimed) shard.dropEmptyWheel(index);
    throw error;
  }
  source.unlink();
  if (isTimed) shard.file(index, entry);
  target.entry = entry;
  source.keyspace.changes += 1;
  target.notify(keyspaceEvents.newKey, "new");
}

function takeCollection(source: Key, target: Key): void {
  target.setCollection(source.type, source.encoding, source.root, source.deadline);
  source.shard.entries.setTypeAndEncoding(source.entry, STRING, EMBEDDED);
}

function copyCollection(source: Key, target: Key): void {
  const type = collectionType(source.type);
  const { heap } = target.shard;
  const root = type.copy(source.shard.heap, source.encoding, source.root, heap);
  try {
    target.setCollection(source.type, source.encoding, root, source.deadline);
  } catch (error) {
    type.forEachBlock(heap, source.encoding, root, (block) => heap.free(block));
    throw error;
  }
}

/** A string changes its owner, within a shard. */
function takeValue(source: Key, target: Key): void {
  const { entries } = source.shard;
  const encoding = entries.encoding(source.entry);
  // Should linking fail, it frees the new entry, which therefore owns nothing before: INT is laid out like EXTERNAL.
  const vacant = encoding === EXTERNAL ? INT : encoding;
  const inlineLength = entries.inlineLength(source.entry);
  const entry = target.buildEntry(source.type, vacant, inlineLength, source.deadline);
  target.link(entry);
  entries.setEncoding(entry, encoding);
  entries.takeValue(entry, source.entry);
}

/** An unlinked entry for `target` with a copy of the string of `source`. */
function buildStringCopy(source: Key, target: Key): Ref {
  const from = source.shard.entries;
  const { entries: to, heap, region } = target.shard;
  const original = source.entry;
  const encoding = from.encoding(original);
  const value = from.value(original);
  const block = encoding === EXTERNAL ? heap.allocate(value) : NONE;
  let entry: Ref;
  try {
    entry = target.buildEntry(STRING, encoding, from.inlineLength(original), source.deadline);
  } catch (error) {
    if (block !== NONE) heap.free(block);
    throw error;
  }
  to.setValue(entry, value);
  if (encoding === INT) {
    to.setExtra(entry, from.extra(original));
    return entry;
  }
  if (block !== NONE) to.setExtra(entry, block);
  const start = block === NONE ? from.inlineStart(original) : from.extra(original);
  const at = block === NONE ? to.inlineStart(entry) : block;
  region.guard(at, value);
  copyBytes(from.bytes, start, to.bytes, at, value);
  return entry;
}
