/**
 * What a search for places has found: the members' places in their sorted set, which are valid until that changes, with
 * scores and distances. Plain numbers; what members consist of stays in the region.
 */
import { type Area, cellsOf, distanceWithin } from "../base/geo-area.ts";
import { decodeScore, Position } from "../base/geohash.ts";
import { sortPartially } from "../base/partial-sort.ts";
import { ScoreRange, Span } from "../keyspace/score-range.ts";
import type { Place, SortedSet } from "../keyspace/sorted-set.ts";

export type Order = "none" | "ascending" | "descending";

const position = new Position();
const range = new ScoreRange();
const span = new Span();

export class Matches {
  readonly places: Place[] = [];
  readonly scores: number[] = [];
  /** From the area's centre, in metres. */
  readonly distances: number[] = [];

  /**
   * Finds the members that stand for places in an area.
   * @param limit as many as are enough, whichever; 0 for all
   */
  constructor(set: SortedSet, area: Area, limit: number) {
    range.excludesMax = true;
    for (const cell of cellsOf(area)) {
      if (limit > 0 && this.count >= limit) break;
      range.min = cell.min;
      range.max = cell.end;
      this.#find(set, area, limit);
    }
  }

  get count(): number {
    return this.places.length;
  }

  /** The first `wanted` matches of an order. Equal distances are in the order that Redis's sorting leaves them in. */
  ordered(order: Order, wanted: number): Int32Array {
    const { distances, count } = this;
    const indices = Int32Array.from({ length: count }, (_, index) => index);
    const sign = order === "descending" ? -1 : 1;
    const compare = (left: number, right: number): number => sign * Math.sign(distances[left]! - distances[right]!);
    if (order !== "none" && wanted < count) sortPartially(indices, compare, 0, wanted - 1);
    else if (order !== "none") indices.sort(compare);
    return indices.subarray(0, wanted);
  }

  #find(set: SortedSet, area: Area, limit: number): void {
    set.spanOfScores(range, span);
    let left = span.count;
    for (let place = left > 0 ? set.seek(span.first) : 0; left > 0; left--, place = left > 0 ? set.next() : 0) {
      const score = set.score(place);
      const distance = distanceWithin(area, decodeScore(score, position));
      if (distance < 0) continue;
      this.places.push(place);
      this.scores.push(score);
      this.distances.push(distance);
      if (limit > 0 && this.count >= limit) return;
    }
  }
}
