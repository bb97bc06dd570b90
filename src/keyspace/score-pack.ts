/**
 * ScorePack: a small sorted set as one listpack: member, score, member, score …, in order.
 *
 * A place is the position of a member in the listpack; it is valid until the set changes. The order is by score, and
 * by bytes where scores are equal; a score is an integer or the text of score-text.ts. Everything but the ends is found
 * by walking.
 *
 * A view: `attach` points it at another listpack, and a write may change `root`, which the owner must then store. A
 * write that has no room (RegionFullError) leaves the set as it was, but perhaps in another block. Owner thread only.
 */
import { copyBytes, moveBytes, Slice } from "../base/bytes.ts";
import type { Heap, Ref } from "../memory/heap.ts";
import { Listpack } from "../structures/listpack.ts";
import { type ByteRange, compareBytes, type Span } from "./score-range.ts";
import { readScore, scoreText, writeScore } from "./score-text.ts";
import type { Place, ScoredMembers } from "./scored-members.ts";
import type { SetMember } from "./set-member.ts";

const FIRST_CAPACITY = 64;

export class ScorePack implements ScoredMembers {
  readonly heap: Heap;
  readonly #pack: Listpack;
  readonly #slice = new Slice();
  #place: Place = 0;
  /** A member that moves, or what it changes places with. */
  #aside = Buffer.allocUnsafeSlow(FIRST_CAPACITY);

  constructor(heap: Heap) {
    this.heap = heap;
    this.#pack = new Listpack(heap);
  }

  attach(root: Ref): this {
    this.#pack.attach(root);
    this.#place = 0;
    return this;
  }

  create(): this {
    return this.attach(this.#pack.create());
  }

  get root(): Ref {
    return this.#pack.ref;
  }

  get count(): number {
    return this.#pack.count >>> 1;
  }

  get byteLength(): number {
    return this.#pack.byteLength;
  }

  free(): void {
    this.heap.free(this.#pack.ref);
  }

  verify(): void {
    const pack = this.#pack;
    pack.verify();
    if (pack.count % 2 !== 0) throw new Error("sorted set: a member has no score");
    let last = Number.NEGATIVE_INFINITY;
    let lastMember: Buffer = Buffer.alloc(0);
    for (let at = pack.first(), isFirst = true; at !== 0; at = this.#behind(at), isFirst = false) {
      const score = this.score(at);
      const member = pack.read(at, this.#slice).toBuffer();
      if (Number.isNaN(score)) throw new Error("sorted set: a score is no number");
      if (!isFirst && (score < last || (score === last && lastMember.compare(member) >= 0))) {
        throw new Error("sorted set: members are out of order");
      }
      last = score;
      lastMember = member;
    }
  }

  find(member: SetMember): Place {
    const first = this.#pack.first();
    if (first === 0) return 0;
    const { bytes, start, length } = member.spell();
    return this.#pack.find(first, bytes, start, length, 1);
  }

  score(place: Place): number {
    return this.#scoreAt(this.#pack.next(place));
  }

  read(place: Place, slice: Slice): Slice {
    return this.#pack.read(place, slice);
  }

  rank(place: Place): number {
    let rank = 0;
    for (let at = this.#pack.first(); at !== place; at = this.#behind(at)) rank += 1;
    return rank;
  }

  seek(rank: number): Place {
    this.#place = rank < 0 ? 0 : this.#pack.seek(rank * 2);
    return this.#place;
  }

  next(): Place {
    this.#place = this.#behind(this.#place);
    return this.#place;
  }

  previous(): Place {
    const score = this.#pack.previous(this.#place);
    this.#place = score === 0 ? 0 : this.#pack.previous(score);
    return this.#place;
  }

  countBelow(score: number, orEqual: boolean): number {
    let rank = 0;
    let at = this.#pack.first();
    for (; at !== 0; at = this.#behind(at), rank += 1) {
      const found = this.score(at);
      if (orEqual ? found > score : found >= score) break;
    }
    this.#place = at;
    return rank;
  }

  /**
   * Where scores differ, the members are not in the order of their bytes, and what is found is what Redis finds: from
   * the end where the walk begins, the first that is inside that end of the range, and all up to the first that is not
   * inside the other.
   */
  spanOfBytes(range: ByteRange, isReversed: boolean, span: Span): Span {
    const { count } = this;
    span.set(0, 0);
    if (count === 0 || range.isEmpty || !this.#isBehindMin(this.seek(count - 1), range)) return span;
    if (!this.#isBeforeMax(this.seek(0), range)) return span;
    if (isReversed) {
      let end = count;
      for (this.seek(end - 1); this.#place !== 0 && !this.#isBeforeMax(this.#place, range); this.previous()) end -= 1;
      let first = end;
      for (; this.#place !== 0 && this.#isBehindMin(this.#place, range); this.previous()) first -= 1;
      return span.set(first, end - first);
    }
    let first = 0;
    for (this.seek(0); this.#place !== 0 && !this.#isBehindMin(this.#place, range); this.next()) first += 1;
    let end = first;
    for (; this.#place !== 0 && this.#isBeforeMax(this.#place, range); this.next()) end += 1;
    return span.set(first, end - first);
  }

  forEach(visit: (place: Place, hash: number) => void): void {
    for (let at = this.#pack.first(); at !== 0; at = this.#behind(at)) visit(at, 0);
  }

  insert(member: SetMember, score: number): void {
    const { bytes, start, length } = member.spell();
    this.#insertAt(this.#placeFor(bytes, start, length, score), bytes, start, length, score);
  }

  append(member: SetMember, score: number): void {
    const { bytes, start, length } = member.spell();
    this.#insertAt(0, bytes, start, length, score);
  }

  /** Only writing the score may need room. Then the pair moves as bytes: no element of a listpack refers to another. */
  update(place: Place, score: number): void {
    const pack = this.#pack;
    pack.replace(pack.next(place), scoreText, 0, writeScore(score));
    const { bytes, start, length } = pack.read(place, this.#slice);
    // A number stands where the next one is read to.
    this.#putAside(bytes, start, length);
    const target = this.#placeFor(this.#aside, 0, length, score) || pack.byteLength - 1;
    const end = this.#behind(place) || pack.byteLength - 1;
    if (target > end) this.#exchange(place, end, target);
    else if (target < place) this.#exchange(target, place, end);
  }

  remove(place: Place): void {
    this.#pack.remove(place, 2);
  }

  removeSpan(first: number, count: number): void {
    this.#pack.remove(this.#pack.seek(first * 2), count * 2);
  }

  #behind(place: Place): Place {
    return this.#pack.next(this.#pack.next(place));
  }

  #scoreAt(at: number): number {
    const integer = this.#pack.integerAt(at);
    if (integer !== undefined) return Number(integer);
    const { bytes, start, length } = this.#pack.read(at, this.#slice);
    return readScore(bytes, start, length);
  }

  #isBehindMin(place: Place, range: ByteRange): boolean {
    const { bytes, start, length } = this.#pack.read(place, this.#slice);
    return range.isBehindMin(bytes, start, length);
  }

  #isBeforeMax(place: Place, range: ByteRange): boolean {
    const { bytes, start, length } = this.#pack.read(place, this.#slice);
    return range.isBeforeMax(bytes, start, length);
  }

  /** Lets what stands in [first, middle) and what stands in [middle, end) change places. */
  #exchange(first: number, middle: number, end: number): void {
    const { region } = this.heap;
    const at = this.root + first;
    const [left, right] = [middle - first, end - middle];
    region.guard(at, left + right);
    if (left < right) {
      this.#putAside(region.bytes, at, left);
      moveBytes(region.bytes, at + left, at, right);
      copyBytes(this.#aside, 0, region.bytes, at + right, left);
    } else {
      this.#putAside(region.bytes, at + left, right);
      moveBytes(region.bytes, at, at + right, left);
      copyBytes(this.#aside, 0, region.bytes, at, right);
    }
  }

  #putAside(bytes: Buffer, start: number, length: number): void {
    if (length > this.#aside.length) this.#aside = Buffer.allocUnsafeSlow(length);
    copyBytes(bytes, start, this.#aside, 0, length);
  }

  /** The first member that comes behind the given one; 0 for none. */
  #placeFor(bytes: Buffer, start: number, length: number, score: number): Place {
    const pack = this.#pack;
    for (let at = pack.first(); at !== 0; at = this.#behind(at)) {
      const found = this.score(at);
      if (found < score) continue;
      if (found > score) return at;
      const other = pack.read(at, this.#slice);
      if (compareBytes(other.bytes, other.start, other.length, bytes, start, length) > 0) return at;
    }
    return 0;
  }

  /** Writes a member and its score before the member at `place`, or at the end if that is 0. */
  #insertAt(place: Place, bytes: Buffer, start: number, length: number, score: number): void {
    const pack = this.#pack;
    const end = pack.byteLength - 1;
    const at = place === 0 ? end : place;
    if (place === 0) pack.append(bytes, start, length);
    else pack.insertBefore(place, bytes, start, length);
    try {
      pack.insertAfter(at, scoreText, 0, writeScore(score));
    } catch (error) {
      pack.remove(at);
      throw error;
    }
  }
}
