/**
 * What the embedded store's hot calls do to large hashes, sets and sorted sets: one member each, which has been staged
 * as text (`keyspace.member.stageText`), and so is neither an argument nor a slice. The rules are those of hashes.ts,
 * sets.ts and sorted-sets.ts, whose functions do the same for arguments, small collections and new keys.
 *
 * Every function changes the key completely or, where the region has no room (RegionFullError), not at all.
 * Owner thread only.
 */
import type { Slice } from "../base/bytes.ts";
import { NONE } from "../memory/heap.ts";
import { UNDATED } from "../structures/field-table.ts";
import type { Key } from "./key.ts";
import type { MemberSet } from "./member-set.ts";
import type { ScoreTree } from "./score-tree.ts";

/** What became of a field. */
export type FieldOutcome = number;
export const FIELD_ABSENT: FieldOutcome = 0;
export const FIELD_PRESENT: FieldOutcome = 1;
/** It has a deadline: nothing was done, it is for hashes.ts to deal with. */
export const FIELD_DATED: FieldOutcome = 2;

/** Points `into` at the value of the staged field of a TABLE, if it is present. */
export function readStagedField(key: Key, into: Slice): FieldOutcome {
  const table = key.shard.hashes.table.attach(key.root);
  const field = table.find(key.keyspace.member);
  if (field === NONE) return FIELD_ABSENT;
  if (table.deadline(field) !== UNDATED) return FIELD_DATED;
  table.readValue(field, into);
  return FIELD_PRESENT;
}

/** Sets the staged field of a TABLE. @returns what it was before @throws RegionFullError */
export function setStagedField(key: Key, bytes: Buffer, start: number, length: number): FieldOutcome {
  const { member } = key.keyspace;
  const table = key.shard.hashes.table.attach(key.root);
  const field = table.find(member);
  if (field === NONE) {
    table.add(member, UNDATED, bytes, start, length);
  } else {
    if (table.deadline(field) !== UNDATED) return FIELD_DATED;
    table.set(field, member.hash, UNDATED, bytes, start, length);
  }
  key.countChanges(1);
  return field === NONE ? FIELD_ABSENT : FIELD_PRESENT;
}

/** Whether the staged member is in a set that is a TABLE. */
export function hasStagedMember(key: Key): boolean {
  return tableOf(key).hasStaged(key.keyspace.member);
}

/** Adds the staged member to a set that is a TABLE. @returns whether it was absent @throws RegionFullError */
export function addStagedMember(key: Key): boolean {
  const isNew = tableOf(key).addStaged(key.keyspace.member);
  if (isNew) key.countChanges(1);
  return isNew;
}

/** Score of the staged member of a TREE; NaN if it is absent. */
export function scoreOfStaged(key: Key): number {
  const tree = treeOf(key);
  const place = tree.findStaged(key.keyspace.member);
  return place === NONE ? Number.NaN : tree.score(place);
}

/** Sets the score of the staged member of a TREE. @returns whether it was absent @throws RegionFullError */
export function scoreStaged(key: Key, score: number): boolean {
  const { member } = key.keyspace;
  const tree = treeOf(key);
  const place = tree.findStaged(member);
  if (place !== NONE && tree.score(place) === score) return false;
  if (place === NONE) tree.insertStaged(member, score);
  else tree.update(place, score);
  key.countChanges(1);
  return place === NONE;
}

function tableOf(key: Key): MemberSet {
  return key.shard.sets.own.attach(key.encoding, key.root);
}

/** The tree that the key holds, whose root stays where it is. */
function treeOf(key: Key): ScoreTree {
  return key.shard.sortedSets.tree.attach(key.root);
}
