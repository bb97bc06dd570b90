/**
 * Unions, intersections and differences of sets, which may be in several shards: the members are selected, to be
 * replied with, or a new set is built of them, to be stored. A set that does not exist is undefined, and empty.
 *
 * Intersections go through the smallest set and look each member up in the others. So do differences with the first
 * set: one algorithm, N times M lookups at the most, where N is its size and M the number of sets. Redis has a second
 * one, which takes the other sets' members out of a copy of the first. It is used here where a difference is stored,
 * under Redis's own condition, because the result's encoding shows which it was.
 *
 * What is built is nobody's until its owner stores it; should that or the building fail, nothing has changed.
 * Owner thread only.
 */
import { INTSET, LISTPACK } from "../structures/collection.ts";
import { SCAN_END } from "../structures/dictionary.ts";
import type { CollectionLimits } from "./collection-limits.ts";
import type { MemberSet, Place } from "./member-set.ts";
import { SetMember } from "./set-member.ts";
import type { SetSelection } from "./set-selection.ts";
import type { StagedKey } from "./staged-key.ts";

export type Sources = readonly (MemberSet | undefined)[];

const member = new SetMember();

/** Selects what all sets have; none if one of them does not exist. */
export function selectIntersection(sources: Sources, staged: StagedKey, selection: SetSelection): void {
  selection.reset(false);
  const sets = bySize(sources);
  if (sets === undefined) return;
  const [smallest, ...others] = sets;
  selection.from(smallest!);
  smallest!.forEach((place, hash) => {
    smallest!.loadHashed(place, hash, member, staged);
    if (others.every((set) => set.has(member))) selection.push(place, member);
  });
}

/** Counts what all sets have, up to `limit`; 0 for all. */
export function countIntersection(sources: Sources, staged: StagedKey, limit: number): number {
  const sets = bySize(sources);
  if (sets === undefined) return 0;
  const [smallest, ...others] = sets;
  if (others.length === 0) return limit === 0 ? smallest!.count : Math.min(limit, smallest!.count);
  let count = 0;
  const visit = (place: Place): void => {
    smallest!.load(place, member, staged);
    if (others.every((set) => set.has(member))) count += 1;
  };
  for (let at = 0; at < SCAN_END && (limit === 0 || count < limit); ) at = smallest!.walk(at, visit);
  return limit === 0 ? count : Math.min(limit, count);
}

/** Selects what any set has, each member once. */
export function selectUnion(sources: Sources, staged: StagedKey, selection: SetSelection): void {
  const sets = sources.filter((set) => set !== undefined);
  selection.reset(sets.length > 1);
  for (const set of sets) {
    selection.from(set);
    set.forEach((place, hash) => {
      set.loadHashed(place, hash, member, staged);
      if (sets.length > 1) selection.add(place, member);
      else selection.push(place, member);
    });
  }
}

/** Selects what the first set has and no other. */
export function selectDifference(sources: Sources, staged: StagedKey, selection: SetSelection): void {
  selection.reset(false);
  const sets = toSubtract(sources);
  if (sets === undefined) return;
  const [first, ...others] = sets;
  const meetsAll = takesOut(sets);
  selection.from(first!);
  first!.forEach((place, hash) => {
    first!.loadHashed(place, hash, member, staged);
    if (meetsAll) selection.meet(member);
    if (!others.some((set) => set.has(member))) selection.push(place, member);
  });
}

/** Builds in `result` the set of what is selected of an intersection. */
export function buildIntersection(
  selection: SetSelection,
  result: MemberSet,
  limits: CollectionLimits,
  staged: StagedKey,
): void {
  const isIntegers = !selection.hasText && selection.count <= limits.setIntsetEntries;
  build(result, isIntegers || selection.isOfIntset ? INTSET : LISTPACK, () => {
    selection.forEach(0, selection.count, (set, place) => {
      set.load(place, member, staged);
      result.add(member, limits);
    });
  });
}

/** Builds the union in `result`. */
export function buildUnion(sources: Sources, result: MemberSet, limits: CollectionLimits, staged: StagedKey): void {
  build(result, INTSET, () => {
    for (const set of sources) if (set !== undefined) addAll(set, result, limits, staged);
  });
}

/** Builds the difference in `result`. */
export function buildDifference(
  sources: Sources,
  result: MemberSet,
  limits: CollectionLimits,
  staged: StagedKey,
): void {
  const sets = toSubtract(sources);
  build(result, INTSET, () => {
    if (sets === undefined) return;
    const [first, ...others] = sets;
    if (takesOut(sets)) {
      addAll(first!, result, limits, staged);
      for (const set of others) if (result.count > 0) takeOut(set, result, staged);
      return;
    }
    first!.forEach((place, hash) => {
      first!.loadHashed(place, hash, member, staged);
      if (!others.some((set) => set.has(member))) result.add(member, limits);
    });
  });
}

/** Makes an empty set, which nobody owns yet, and lets it be filled; should that fail, it is freed. */
export function build(result: MemberSet, encoding: number, fill: () => void): void {
  result.create(encoding);
  try {
    fill();
  } catch (error) {
    result.free();
    throw error;
  }
}

function addAll(set: MemberSet, result: MemberSet, limits: CollectionLimits, staged: StagedKey): void {
  set.forEach((place, hash) => {
    set.loadHashed(place, hash, member, staged);
    result.add(member, limits);
  });
}

function takeOut(set: MemberSet, result: MemberSet, staged: StagedKey): void {
  set.forEach((place, hash) => {
    set.loadHashed(place, hash, member, staged);
    result.remove(member);
  });
}

/** The sets of an intersection, the smallest first and not again; undefined if one does not exist. */
function bySize(sources: Sources): readonly MemberSet[] | undefined {
  const sets = sources.filter((set) => set !== undefined);
  if (sets.length < sources.length) return undefined;
  sets.sort((left, right) => left.count - right.count);
  return sets.filter((set, index) => index === 0 || !set.isSame(sets[0]!));
}

/** The sets of a difference that exist, the largest to subtract first; undefined if nothing can be left. */
function toSubtract(sources: Sources): readonly MemberSet[] | undefined {
  const [first, ...rest] = sources;
  if (first === undefined) return undefined;
  const others = rest.filter((set) => set !== undefined);
  if (others.some((set) => set.isSame(first))) return undefined;
  return [first, ...others.sort((left, right) => right.count - left.count)];
}

/** Whether Redis takes the others' members out of a copy of the first, by its estimate of the work. */
function takesOut(sets: readonly MemberSet[]): boolean {
  const total = sets.reduce((sum, set) => sum + set.count, 0);
  return Math.floor((sets[0]!.count * sets.length) / 2) > total;
}
