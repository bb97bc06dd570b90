/**
 * What commands do to sorted sets: the one place that makes, changes and empties them. sorted-set.ts knows the
 * encodings.
 *
 * Every function changes the key completely or, where the region has no room (RegionFullError), not at all. A sorted
 * set that becomes empty goes, its key with it. Changes are counted as Redis counts them. Owner thread only.
 */
import type { Arguments } from "../base/arguments.ts";
import { RegionFullError } from "../memory/heap.ts";
import { LISTPACK, TREE } from "../structures/collection.ts";
import { BY_REPLACEMENT } from "./cause.ts";
import { SORTED_SET } from "./entry.ts";
import type { Key } from "./key.ts";
import { type ScoreRange, Span } from "./score-range.ts";
import type { ScoreSelection } from "./score-selection.ts";
import { SetMember } from "./set-member.ts";
import type { Place, SortedSet } from "./sorted-set.ts";

/** Conditions of `addScores`, as bits: only absent members, only those that are there. */
export const IF_ABSENT = 1;
export const IF_PRESENT = 2;
/** A score that is there gives way to a greater one only, or to a lower one only. */
export const IF_GREATER = 4;
export const IF_LESS = 8;
/** What is given is added to the score that is there. */
export const ADD_TO_PRESENT = 16;

/** What `addScores` has done. */
export class Additions {
  added = 0;
  updated = 0;
  /** Whether the conditions let the last member be set, be it to the score that it had. */
  isAllowed = false;
  /** The score that the last member has then; NaN if adding gave no number, in which case nothing has changed. */
  score = 0;
}

/** Of a tree that loses a part, the rest is kept instead, from so many removed for each that stays. */
const REMOVED_PER_KEPT = 2;

const sought = new SetMember();
const additions = new Additions();
const span = new Span();

/** The sorted set that the key holds, through its shard's view: valid until the next one is asked for. */
export function sortedSetOf(key: Key): SortedSet {
  return key.shard.sortedSets.own.attach(key.encoding, key.root);
}

/** The sorted set that the key holds, through the view for a command's `index`-th set. */
export function sourceOf(key: Key, index: number): SortedSet {
  return key.shard.sortedSets.source(index).attach(key.encoding, key.root);
}

/** The member in argument `index`, to be looked for in a set of the key's; valid until the next one is asked for. */
export function memberAt(key: Key, args: Arguments, index: number): SetMember {
  return sought.point(key.keyspace.member, args.bytes, args.starts[index]!, args.lengths[index]!);
}

/** Score of the member in argument `index` of the sorted set that the key holds; NaN if it is absent. */
export function scoreOf(key: Key, args: Arguments, index: number): number {
  const set = sortedSetOf(key);
  const place = set.find(memberAt(key, args, index));
  return place === 0 ? Number.NaN : set.score(place);
}

/** Visits, in order, the members of a sorted set whose scores are in a range; a visitor must not change the set. */
export function forEachInScores(set: SortedSet, range: ScoreRange, visit: (place: Place) => void): void {
  set.spanOfScores(range, span);
  let left = span.count;
  for (let place = set.seek(span.first); left > 0; place = set.next(), left -= 1) visit(place);
}

/**
 * Sets the scores of members given in arguments; a key that does not exist becomes a sorted set.
 * @param first argument of the first member, `step` before the next @param scores for each its score, `count` in all
 * @param conditions the bits above @returns what was done, valid until the next call
 */
export function addScores(
  key: Key,
  args: Arguments,
  first: number,
  step: number,
  scores: Float64Array,
  count: number,
  conditions: number,
): Additions {
  additions.added = 0;
  additions.updated = 0;
  additions.isAllowed = false;
  additions.score = scores[count - 1]!;
  const batch = { args, first, step, scores, count, conditions };
  if (!key.found) {
    if ((conditions & IF_PRESENT) === 0) create(key, batch);
    return additions;
  }
  const set = sortedSetOf(key);
  if (count > 1 && set.encoding === LISTPACK) {
    addToCopy(key, set, batch);
  } else {
    try {
      if (count === 1) setFirst(key, set, batch);
      else addOrUndo(key, set, batch);
    } finally {
      key.moveCollection(set.encoding, set.root);
    }
  }
  key.countChanges(additions.added + additions.updated);
  return additions;
}

/** Removes the members in the arguments from `first` on. @returns how many there were */
export function removeMembers(key: Key, args: Arguments, first: number): number {
  const set = sortedSetOf(key);
  let removed = 0;
  for (let index = first; index < args.count; index++) {
    const place = set.find(memberAt(key, args, index));
    if (place === 0) continue;
    set.remove(place, key.keyspace.member);
    removed += 1;
    if (set.count === 0) break;
  }
  if (removed > 0) settle(key, set, removed);
  return removed;
}

/** Removes members in a row from the sorted set that `sortedSetOf` has just shown. */
export function removeSpan(key: Key, set: SortedSet, first: number, count: number): void {
  if (count === 0) return;
  if (count === set.count) {
    // All of it dies with the key, which is quicker than one by one.
    key.remove();
    key.countChanges(count - 1);
    return;
  }
  if (set.encoding === TREE && (set.count - count) * REMOVED_PER_KEPT <= count && keepRest(key, set, first, count))
    return;
  set.removeSpan(first, count, key.keyspace.member);
  settle(key, set, count);
}

/**
 * Makes the key hold a new tree of the members outside a span, and lets the old one die as a whole: off this thread, if
 * it is large.
 * @returns false if there is no room for it, with nothing changed
 */
function keepRest(key: Key, set: SortedSet, first: number, count: number): boolean {
  const { shard, keyspace } = key;
  const { encoding, root } = set;
  const total = set.count;
  const rest = shard.sortedSets.result;
  let isBegun = false;
  try {
    rest.create(TREE);
    isBegun = true;
    for (let rank = 0, place = set.seek(first === 0 ? count : 0); rank < total - count; rank++) {
      set.load(place, sought, keyspace.member);
      rest.append(sought, set.score(place));
      place = rank === first - 1 && rank + 1 < total - count ? set.seek(first + count) : set.next();
    }
  } catch (error) {
    if (isBegun) rest.free();
    if (error instanceof RegionFullError) return false;
    throw error;
  }
  key.moveCollection(rest.encoding, rest.root);
  shard.releaseCollection(SORTED_SET, encoding, root, BY_REPLACEMENT);
  key.countChanges(count);
  return true;
}

/**
 * Makes the key hold a sorted set of what is selected, or nothing if that is nothing.
 * @param selection in order, of sets that may be this key's own
 * @returns how many members it has
 */
export function storeSelection(key: Key, selection: ScoreSelection): number {
  const { count, longest, bytes } = selection;
  if (count === 0) {
    if (key.found) key.remove();
    return 0;
  }
  const { limits, member: staged } = key.keyspace;
  const isSmall = count <= limits.sortedSetEntries && longest <= limits.sortedSetValue && bytes < 2 ** 30;
  const set = key.shard.sortedSets.result.create(isSmall ? LISTPACK : TREE);
  try {
    selection.forEach((source, place, hash, score) => {
      source.loadHashed(place, hash, sought, staged);
      set.append(sought, score);
    });
  } catch (error) {
    set.free();
    throw error;
  }
  own(key, set);
  // Views of sets hold on to their regions, which may be given up.
  selection.reset(false);
  return count;
}

/** Members in arguments with their scores, and on what conditions they are set. */
interface Batch {
  readonly args: Arguments;
  readonly first: number;
  readonly step: number;
  readonly scores: Float64Array;
  readonly count: number;
  readonly conditions: number;
}

/**
 * Sets one member's score if the conditions allow it, and notes what became of it.
 * @param place where it is, 0 if it is absent
 */
function setScore(key: Key, set: SortedSet, member: SetMember, place: Place, given: number, conditions: number): void {
  additions.isAllowed = false;
  if (place === 0) {
    if ((conditions & IF_PRESENT) !== 0) return;
    set.add(member, given, key.keyspace.limits);
    additions.added += 1;
    additions.score = given;
    additions.isAllowed = true;
    return;
  }
  if ((conditions & IF_ABSENT) !== 0) return;
  const present = set.score(place);
  const wanted = (conditions & ADD_TO_PRESENT) === 0 ? given : present + given;
  if (Number.isNaN(wanted)) {
    additions.score = wanted;
    return;
  }
  if ((conditions & IF_LESS) !== 0 && wanted >= present) return;
  if ((conditions & IF_GREATER) !== 0 && wanted <= present) return;
  if (wanted !== present) {
    set.update(place, wanted);
    additions.updated += 1;
  }
  additions.score = wanted;
  additions.isAllowed = true;
}

function setAll(key: Key, set: SortedSet, batch: Batch): void {
  const { args, first, step, scores, count, conditions } = batch;
  for (let index = 0; index < count; index++) {
    const member = memberAt(key, args, first + index * step);
    setScore(key, set, member, set.find(member), scores[index]!, conditions);
  }
}

function setFirst(key: Key, set: SortedSet, { args, first, scores, conditions }: Batch): void {
  const member = memberAt(key, args, first);
  setScore(key, set, member, set.find(member), scores[0]!, conditions);
}

/** Makes the key stand for a new sorted set, of the encoding that Redis begins with. */
function create(key: Key, batch: Batch): void {
  const { limits } = key.keyspace;
  const isSmall = batch.count <= limits.sortedSetEntries && batch.args.length(batch.first) <= limits.sortedSetValue;
  const set = key.shard.sortedSets.own.create(isSmall ? LISTPACK : TREE);
  try {
    setAll(key, set, batch);
  } catch (error) {
    set.free();
    throw error;
  }
  own(key, set);
  // Storing has counted one of them.
  key.countChanges(additions.added + additions.updated - 1);
}

/** Changes a copy of a listpack, which then takes its place: it is small, and nothing needs to be undone. */
function addToCopy(key: Key, set: SortedSet, batch: Batch): void {
  const old = set.root;
  set.createCopy();
  try {
    set.expect(batch.count, key.keyspace.limits, key.keyspace.member);
    setAll(key, set, batch);
  } catch (error) {
    set.free();
    throw error;
  }
  key.moveCollection(set.encoding, set.root);
  set.heap.free(old);
}

/**
 * Changes a tree and, should room run out on the way, puts everything back, the last change first. Room for that there
 * is: what ran out is room for elements, and all that moving one back needs are nodes, which have the tables' reserve.
 */
function addOrUndo(key: Key, set: SortedSet, batch: Batch): void {
  const { args, first, step, scores, count, conditions } = batch;
  const changes = new Uint8Array(count);
  const before = new Float64Array(count);
  let done = 0;
  try {
    for (; done < count; done++) {
      const member = memberAt(key, args, first + done * step);
      const { added, updated } = additions;
      const place = set.find(member);
      if (place !== 0) before[done] = set.score(place);
      setScore(key, set, member, place, scores[done]!, conditions);
      changes[done] = additions.added > added ? ADDED : additions.updated > updated ? UPDATED : UNCHANGED;
    }
  } catch (error) {
    while (--done >= 0) {
      if (changes[done] === UNCHANGED) continue;
      const place = set.find(memberAt(key, args, first + done * step));
      if (changes[done] === ADDED) set.remove(place, key.keyspace.member);
      else set.update(place, before[done]!);
    }
    throw error;
  }
}

const UNCHANGED = 0;
const ADDED = 1;
const UPDATED = 2;

/** Makes the key stand for a sorted set that nobody owns yet; should that fail, the set is freed. */
function own(key: Key, set: SortedSet): void {
  try {
    key.setCollection(SORTED_SET, set.encoding, set.root);
  } catch (error) {
    set.free();
    throw error;
  }
}

/** Stores what removals have made of a sorted set; an empty one goes. */
function settle(key: Key, set: SortedSet, removed: number): void {
  key.moveCollection(set.encoding, set.root);
  if (set.count > 0) {
    key.countChanges(removed);
    return;
  }
  key.remove();
  // Removing the key has counted one of them.
  key.countChanges(removed - 1);
}
