/**
 * What commands do to sets: the one place that makes, changes and empties them. member-set.ts knows the encodings.
 *
 * Every function changes the key completely or, where the region has no room (RegionFullError), not at all. A set that
 * becomes empty goes, its key with it. Changes are counted as Redis counts them.
 * Owner thread only.
 */
import type { Arguments } from "../base/arguments.ts";
import { RegionFullError } from "../memory/heap.ts";
import { LISTPACK } from "../structures/collection.ts";
import { BY_REPLACEMENT } from "./cause.ts";
import { SET } from "./entry.ts";
import type { Key } from "./key.ts";
import type { MemberSet, Place } from "./member-set.ts";
import { build } from "./set-algebra.ts";
import { SetMember } from "./set-member.ts";

const sought = new SetMember();

/** The set that the key holds, through its shard's view: valid until the next set is asked for. */
export function setOf(key: Key): MemberSet {
  return key.shard.sets.own.attach(key.encoding, key.root);
}

/** The set that the key holds, through the view for a command's `index`-th set. */
export function sourceOf(key: Key, index: number): MemberSet {
  return key.shard.sets.source(index).attach(key.encoding, key.root);
}

/** Whether the set that the key holds has the member in argument `index`. */
export function hasMember(key: Key, args: Arguments, index: number): boolean {
  return setOf(key).has(memberAt(key, args, index));
}

/** Adds the members in the arguments from `first` on; a key that does not exist becomes a set. @returns how many */
export function addMembers(key: Key, args: Arguments, first: number): number {
  const hint = args.count - first;
  const { limits, member: staged } = key.keyspace;
  if (!key.found) return create(key, args, first, hint);
  const set = setOf(key);
  set.expect(hint, limits, staged);
  let added = 0;
  try {
    added = addAll(key, set, args, first, hint);
  } finally {
    key.moveCollection(set.encoding, set.root);
  }
  key.countChanges(added);
  return added;
}

/** Removes the members in the arguments from `first` on. @returns how many there were */
export function removeMembers(key: Key, args: Arguments, first: number): number {
  const set = setOf(key);
  let removed = 0;
  for (let index = first; index < args.count; index++) {
    if (!set.remove(memberAt(key, args, index))) continue;
    removed += 1;
    if (set.count === 0) break;
  }
  if (removed > 0) settle(key, set, removed);
  return removed;
}

/**
 * What has become of a member that was to be moved: there was none; it was to go where it is; it has moved; it was
 * dropped, since the other set has it too.
 */
export type Move = "absent" | "stayed" | "moved" | "dropped";

/**
 * Moves the member in argument `index` to another set, which may not exist. That one's event of a new key is left to
 * the caller, since Redis tells of what happens to the source before.
 */
export function moveMember(source: Key, target: Key, args: Arguments, index: number): Move {
  if (!hasMember(source, args, index)) return "absent";
  if (source.entry === target.entry && source.shard === target.shard) return "stayed";
  const { keyspace } = source;
  const { eventTypes } = keyspace;
  keyspace.eventTypes = 0;
  let isAdded: boolean;
  try {
    isAdded = addOne(target, args, index);
  } finally {
    keyspace.eventTypes = eventTypes;
  }
  const set = setOf(source);
  set.remove(memberAt(source, args, index));
  settle(source, set, 1);
  return isAdded ? "moved" : "dropped";
}

/** Takes the member at a place of the set that `setOf` has just shown. */
export function takeMember(key: Key, set: MemberSet, place: Place): void {
  set.removeAt(place, key.keyspace.member);
  settle(key, set, 1);
}

/** Removes the key with all members of its set. */
export function removeSet(key: Key): void {
  const { count } = setOf(key);
  key.remove();
  // Removing the key has counted one of them.
  key.countChanges(count - 1);
}

/** Makes the key hold a set that has been built in its shard, or nothing if that is empty. @returns its size */
export function storeSet(key: Key, set: MemberSet): number {
  const { count } = set;
  if (count > 0) own(key, set);
  else set.free();
  if (count === 0 && key.found) key.remove();
  return count;
}

/**
 * Leaves only the members at the given places in the set that `setOf` has just shown, as a listpack: what SPOP makes of
 * a table of which little stays. The others are the caller's to have told. @returns false if that has no room
 */
export function keepOnly(key: Key, set: MemberSet, places: ReadonlySet<Place>): boolean {
  const { limits, member: staged } = key.keyspace;
  const removed = set.count - places.size;
  const kept = key.shard.sets.result;
  try {
    build(kept, LISTPACK, () => {
      for (const place of places) {
        set.load(place, sought, staged);
        kept.add(sought, limits);
      }
    });
  } catch (error) {
    if (error instanceof RegionFullError) return false;
    throw error;
  }
  key.moveCollection(kept.encoding, kept.root);
  key.shard.releaseCollection(SET, set.encoding, set.root, BY_REPLACEMENT);
  key.countChanges(removed);
  return true;
}

function memberAt(key: Key, args: Arguments, index: number): SetMember {
  return sought.point(key.keyspace.member, args.bytes, args.starts[index]!, args.lengths[index]!);
}

/** Makes the key stand for a set of `count` members, given in the arguments from `first` on. @returns its size */
function create(key: Key, args: Arguments, first: number, count: number): number {
  const set = key.shard.sets.result.createFor(memberAt(key, args, first), count, key.keyspace.limits);
  let added: number;
  try {
    added = addAll(key, set, args, first, count);
  } catch (error) {
    set.free();
    throw error;
  }
  own(key, set);
  // Storing has counted one of them.
  key.countChanges(added - 1);
  return added;
}

/** Makes the key stand for a set that nobody owns yet; should that fail, the set is freed. */
function own(key: Key, set: MemberSet): void {
  try {
    key.setCollection(SET, set.encoding, set.root);
  } catch (error) {
    set.free();
    throw error;
  }
}

/** Adds `count` members, all of them or none. @returns how many were absent */
function addAll(key: Key, set: MemberSet, args: Arguments, first: number, count: number): number {
  const { limits } = key.keyspace;
  if (count === 1) return set.add(memberAt(key, args, first), limits) ? 1 : 0;
  const isNew = new Uint8Array(count);
  let added = 0;
  try {
    for (let index = 0; index < count; index++) {
      if (!set.add(memberAt(key, args, first + index), limits)) continue;
      isNew[index] = 1;
      added += 1;
    }
  } catch (error) {
    for (let index = 0; index < count; index++) {
      if (isNew[index] === 1) set.remove(memberAt(key, args, first + index));
    }
    throw error;
  }
  return added;
}

/** @returns whether the member is new */
function addOne(key: Key, args: Arguments, index: number): boolean {
  if (!key.found) {
    create(key, args, index, 1);
    return true;
  }
  const set = setOf(key);
  if (!set.add(memberAt(key, args, index), key.keyspace.limits)) return false;
  key.moveCollection(set.encoding, set.root);
  key.countChanges(1);
  return true;
}

/** Stores what removals have made of a set; an empty one goes. */
function settle(key: Key, set: MemberSet, removed: number): void {
  key.moveCollection(set.encoding, set.root);
  if (set.count > 0) {
    key.countChanges(removed);
    return;
  }
  key.remove();
  // Removing the key has counted one of them.
  key.countChanges(removed - 1);
}
