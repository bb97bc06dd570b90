/**
 * What either encoding of a sorted set can do: members with their scores, in order.
 *
 * A place is where a member stands, 0 for nowhere; it is valid until the set changes. Among the members a cursor is
 * moved: `seek` puts it somewhere, `next` and `previous` move it on and tell its place.
 */
import type { Slice } from "../base/bytes.ts";
import type { Ref } from "../memory/heap.ts";
import type { ByteRange, Span } from "./score-range.ts";
import type { SetMember } from "./set-member.ts";
import type { StagedKey } from "./staged-key.ts";

/** Where a member stands in its set; 0 for nowhere. */
export type Place = number;

export interface ScoredMembers {
  readonly root: Ref;
  readonly count: number;
  /** Points at another set of this encoding. */
  attach(root: Ref): this;
  /** Points at a new, empty set, which nobody owns yet. @throws RegionFullError */
  create(): this;
  /** Gives all blocks back. */
  free(): void;
  /** Place of a member; 0 if it is absent. */
  find(member: SetMember): Place;
  score(place: Place): number;
  /** Points `slice` at the member's bytes; digits of an integer are good until the next read. */
  read(place: Place, slice: Slice): Slice;
  /** How many members come before the one at a place. */
  rank(place: Place): number;
  /** Puts the cursor at the member that `rank` others precede. */
  seek(rank: number): Place;
  next(): Place;
  previous(): Place;
  /** How many have a lower score, or the same if `orEqual`; the cursor then stands at the first of the others. */
  countBelow(score: number, orEqual: boolean): number;
  /** The members in a range of bytes, of a set all of whose scores are equal. */
  spanOfBytes(range: ByteRange, isReversed: boolean, span: Span): Span;
  /** Visits all members in no particular order. @param visit gets a hash where one is known, 0 otherwise */
  forEach(visit: (place: Place, hash: number) => void): void;
  /** Adds a member that is absent. @throws RegionFullError with nothing changed */
  insert(member: SetMember, score: number): void;
  /** Adds an absent member behind all others. @throws RegionFullError with nothing changed */
  append(member: SetMember, score: number): void;
  /** Gives a member another score. @throws RegionFullError with nothing changed */
  update(place: Place, score: number): void;
  remove(place: Place, staged: StagedKey): void;
  /** Removes `count` members from rank `first` on, which there are. */
  removeSpan(first: number, count: number, staged: StagedKey): void;
}
