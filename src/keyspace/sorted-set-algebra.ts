/**
 * Unions, intersections and differences of sorted sets, plain sets among them, which may be in several shards: the
 * members are selected with their scores. A set that does not exist is undefined, and empty; in a plain set all are 1.
 *
 * Scores are combined from the smallest set to the largest, as in Redis: sums of doubles depend on the order. Owner
 * thread only.
 */

import { SCAN_END } from "../structures/dictionary.ts";
import type { MemberSet } from "./member-set.ts";
import type { Aggregate, MemberSource, ScoreSelection } from "./score-selection.ts";
import type { Place } from "./scored-members.ts";
import { SetMember } from "./set-member.ts";
import type { SortedSet } from "./sorted-set.ts";
import type { StagedKey } from "./staged-key.ts";

export const sum: Aggregate = (left, right) => {
  const total = left + right;
  // As in Redis: opposite infinities make nothing.
  return Number.isNaN(total) ? 0 : total;
};
// biome-ignore lint/complexity/useMathMinMax: infinity times zero is no number, and must not win
export const least: Aggregate = (left, right) => (right < left ? right : left);
// biome-ignore lint/complexity/useMathMinMax: see above
export const greatest: Aggregate = (left, right) => (right > left ? right : left);

const member = new SetMember();

/** One of the sets of a command. */
export class ScoreSource {
  readonly members: MemberSource & { has(member: SetMember): boolean };
  readonly #set: MemberSet | SortedSet;
  readonly #scores: SortedSet | undefined;
  weight = 1;

  /** @param scores the set itself if it is a sorted one */
  constructor(set: MemberSet | SortedSet, scores: SortedSet | undefined) {
    this.members = set;
    this.#set = set;
    this.#scores = scores;
  }

  /** Score of the member at a place, times the set's weight. */
  weighted(place: Place): number {
    return this.#scores === undefined ? this.weight : this.weight * this.#scores.score(place);
  }

  /** As `weighted`, of any member; undefined if it is absent. */
  find(sought: SetMember): number | undefined {
    if (this.#scores === undefined) return this.members.has(sought) ? this.weight : undefined;
    const place = this.#scores.find(sought);
    return place === 0 ? undefined : this.weighted(place);
  }

  walk(cursor: number, visit: (place: Place) => void): number {
    return this.#set.walk(cursor, visit);
  }
}

export type Sources = readonly (ScoreSource | undefined)[];

/** Selects what any set has. */
export function selectUnion(
  sources: Sources,
  staged: StagedKey,
  aggregate: Aggregate,
  selection: ScoreSelection,
): void {
  const sets = bySize(sources.filter((source) => source !== undefined));
  selection.reset(sets.length > 1);
  for (const source of sets) {
    selection.from(source.members);
    source.members.forEach((place, hash) => {
      source.members.loadHashed(place, hash, member, staged);
      const score = orZero(source.weighted(place));
      if (sets.length > 1) selection.aggregate(place, member, score, aggregate);
      else selection.push(place, hash, member.spell().length, score);
    });
  }
}

/** Selects what all sets have; nothing if one of them does not exist. */
export function selectIntersection(
  sources: Sources,
  staged: StagedKey,
  aggregate: Aggregate,
  selection: ScoreSelection,
): void {
  selection.reset(false);
  const sets = sources.filter((source) => source !== undefined);
  if (sets.length < sources.length) return;
  const [smallest, ...others] = bySize(sets);
  selection.from(smallest!.members);
  smallest!.members.forEach((place, hash) => {
    smallest!.members.loadHashed(place, hash, member, staged);
    let score = orZero(smallest!.weighted(place));
    for (const other of others) {
      const found = other.find(member);
      if (found === undefined) return;
      score = aggregate(score, found);
    }
    selection.push(place, hash, member.spell().length, score);
  });
}

/** Selects what the first set has and no other. */
export function selectDifference(sources: Sources, staged: StagedKey, selection: ScoreSelection): void {
  selection.reset(false);
  const [first, ...rest] = sources;
  if (first === undefined) return;
  const others = bySize(rest.filter((source) => source !== undefined)).reverse();
  selection.from(first.members);
  first.members.forEach((place, hash) => {
    first.members.loadHashed(place, hash, member, staged);
    for (const other of others) if (other.members.has(member)) return;
    selection.push(place, hash, member.spell().length, first.weighted(place));
  });
}

/** Counts what all sets have, up to `limit`; 0 for all. */
export function countIntersection(sources: Sources, staged: StagedKey, limit: number): number {
  const sets = sources.filter((source) => source !== undefined);
  if (sets.length < sources.length) return 0;
  const [smallest, ...others] = bySize(sets);
  let count = 0;
  const visit = (place: Place): void => {
    smallest!.members.load(place, member, staged);
    if (others.every((other) => other.members.has(member))) count += 1;
  };
  for (let at = 0; at < SCAN_END && (limit === 0 || count < limit); ) at = smallest!.walk(at, visit);
  return limit === 0 ? count : Math.min(limit, count);
}

function bySize(sets: readonly ScoreSource[]): ScoreSource[] {
  return sets.toSorted((left, right) => left.members.count - right.members.count);
}

function orZero(score: number): number {
  return Number.isNaN(score) ? 0 : score;
}
