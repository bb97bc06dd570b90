/**
 * ScoreSelection: members of sets with the scores that a command gives them: what it replies with, or stores. It holds
 * places only, never what members consist of; they are valid until a set changes.
 *
 * Members that several sets may have are told apart by a table of this module's own, on the JavaScript heap: hash ->
 * place. So a union needs no room in a region, and reading does not fail where memory is full.
 * Reused by all commands. Owner thread only.
 */
import { EMPTY_BYTES, equalBytes, Slice } from "../base/bytes.ts";
import type { Heap } from "../memory/heap.ts";
import { compareBytes } from "./score-range.ts";
import type { Place } from "./scored-members.ts";
import type { SetMember } from "./set-member.ts";
import type { StagedKey } from "./staged-key.ts";

const FIRST_CAPACITY = 64;
/** More room than this is let go after the command that needed it. */
const KEPT_CAPACITY = 65536;
/** A number that a listpack or an intset has as integer stands in its view's one buffer. */
const DIGITS_MAX = 24;

/** What members are selected from: a set or a sorted set. */
export interface MemberSource {
  readonly heap: Heap;
  readonly count: number;
  read(place: Place, slice: Slice): Slice;
  forEach(visit: (place: Place, hash: number) => void): void;
  load(place: Place, member: SetMember, staged: StagedKey): void;
  loadHashed(place: Place, hash: number, member: SetMember, staged: StagedKey): void;
}

/** How the scores that one member has in several sets become one. */
export type Aggregate = (left: number, right: number) => number;

export class ScoreSelection {
  count = 0;
  /** Bytes of the longest member, and of all together. */
  longest = 0;
  bytes = 0;
  #sources: MemberSource[] = [];
  /** Where the members of each source begin. */
  readonly #begins: number[] = [];
  #places = new Int32Array(FIRST_CAPACITY);
  #hashes = new Int32Array(FIRST_CAPACITY);
  #scores = new Float64Array(FIRST_CAPACITY);
  /** Numbers of selected members in their order; empty if they are to stay as they were selected. */
  #order = new Int32Array(0);
  /** Numbers of selected members + 1, at their hashes; 0 is empty. */
  #table = new Int32Array(0);
  readonly #left = new Slice();
  readonly #right = new Slice();
  readonly #digits = Buffer.alloc(DIGITS_MAX);

  /** Begins anew. @param tellsApart whether `aggregate` will be used */
  reset(tellsApart: boolean): void {
    this.count = 0;
    this.longest = 0;
    this.bytes = 0;
    this.#sources = [];
    this.#begins.length = 0;
    this.#order = new Int32Array(0);
    this.#left.bytes = EMPTY_BYTES;
    this.#right.bytes = EMPTY_BYTES;
    if (this.#places.length > KEPT_CAPACITY) this.#resize(FIRST_CAPACITY);
    if (!tellsApart) return;
    if (this.#table.length === 0 || this.#table.length > KEPT_CAPACITY) this.#table = new Int32Array(FIRST_CAPACITY);
    else this.#table.fill(0);
  }

  /** What is selected from now on is of `source`. */
  from(source: MemberSource): void {
    this.#sources.push(source);
    this.#begins.push(this.count);
  }

  /** Selects a member of the source named last. @param hash 0 if it is not known @param length of its bytes */
  push(place: Place, hash: number, length: number, score: number): void {
    if (this.count === this.#places.length) this.#resize(this.count * 2);
    this.#places[this.count] = place;
    this.#hashes[this.count] = hash;
    this.#scores[this.count] = score;
    this.count += 1;
    this.bytes += length;
    if (length > this.longest) this.longest = length;
  }

  /** Selects a member, shown by `member`; one with the same bytes that has been selected gets another score instead. */
  aggregate(place: Place, member: SetMember, score: number, aggregate: Aggregate): void {
    const { hash } = member.stage();
    const mask = this.#table.length - 1;
    let slot = hash & mask;
    for (let number = this.#table[slot]!; number !== 0; number = this.#table[slot]!) {
      const index = number - 1;
      if (this.#hashes[index] === hash && this.#equals(index, member)) {
        this.#scores[index] = aggregate(this.#scores[index]!, score);
        return;
      }
      slot = (slot + 1) & mask;
    }
    this.push(place, hash, member.length, score);
    this.#table[slot] = this.count;
    if (this.count * 2 > this.#table.length) this.#growTable();
  }

  /** Brings what is selected into a sorted set's order. */
  sort(): void {
    this.#order = Int32Array.from({ length: this.count }, (_, index) => index);
    const scores = this.#scores;
    this.#order.sort((left, right) => {
      const [leftScore, rightScore] = [scores[left]!, scores[right]!];
      if (leftScore !== rightScore) return leftScore < rightScore ? -1 : 1;
      return this.#compare(left, right);
    });
  }

  /** Visits what is selected: after `sort` in order, otherwise as it was selected. */
  forEach(visit: (source: MemberSource, place: Place, hash: number, score: number) => void): void {
    const order = this.#order;
    for (let at = 0; at < this.count; at++) {
      const index = order.length === 0 ? at : order[at]!;
      visit(this.#sourceOf(index), this.#places[index]!, this.#hashes[index]!, this.#scores[index]!);
    }
  }

  #sourceOf(index: number): MemberSource {
    let run = this.#begins.length - 1;
    while (this.#begins[run]! > index) run -= 1;
    return this.#sources[run]!;
  }

  #equals(index: number, member: SetMember): boolean {
    const { bytes, start, length } = this.#sourceOf(index).read(this.#places[index]!, this.#left);
    return length === member.length && equalBytes(bytes, start, member.bytes, member.start, length);
  }

  #compare(left: number, right: number): number {
    const one = this.#sourceOf(left).read(this.#places[left]!, this.#left);
    if (one.length <= DIGITS_MAX) {
      // Reading the other may overwrite it, if both are integers of one source.
      for (let at = 0; at < one.length; at++) this.#digits[at] = one.bytes[one.start + at]!;
      one.set(this.#digits, 0, one.length);
    }
    const other = this.#sourceOf(right).read(this.#places[right]!, this.#right);
    return compareBytes(one.bytes, one.start, one.length, other.bytes, other.start, other.length);
  }

  #resize(capacity: number): void {
    const [places, hashes, scores] = [this.#places, this.#hashes, this.#scores];
    this.#places = new Int32Array(capacity);
    this.#hashes = new Int32Array(capacity);
    this.#scores = new Float64Array(capacity);
    this.#places.set(places.subarray(0, this.count));
    this.#hashes.set(hashes.subarray(0, this.count));
    this.#scores.set(scores.subarray(0, this.count));
  }

  #growTable(): void {
    const mask = this.#table.length * 2 - 1;
    this.#table = new Int32Array(mask + 1);
    for (let index = 0; index < this.count; index++) {
      let slot = this.#hashes[index]! & mask;
      while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
      this.#table[slot] = index + 1;
    }
  }
}
