/**
 * SortedSet: a sorted set in a heap, in one of two encodings.
 *
 *     LISTPACK  score-pack.ts   up to zset-max-listpack-entries members, each up to zset-max-listpack-value bytes
 *     TREE      score-tree.ts   everything else
 *
 * Encodings change as in Redis 7.2: what grows too large becomes a tree, and stays one.
 *
 * A view: `attach` points it at another set; a write may change `encoding` and `root`, which whoever owns the set must
 * then store, also where the write failed. All or nothing: what has no room (RegionFullError) leaves the members as
 * they were. Places and the cursor are those of scored-members.ts. Owner thread only.
 */
import { Slice } from "../base/bytes.ts";
import type { Heap, Ref } from "../memory/heap.ts";
import { LISTPACK, TREE } from "../structures/collection.ts";
import { SCAN_END } from "../structures/dictionary.ts";
import { copyToBlock } from "./block-copy.ts";
import type { CollectionLimits } from "./collection-limits.ts";
import { ScorePack } from "./score-pack.ts";
import type { ByteRange, ScoreRange, Span } from "./score-range.ts";
import { ScoreTree } from "./score-tree.ts";
import type { Place, ScoredMembers } from "./scored-members.ts";
import { SetMember } from "./set-member.ts";
import type { StagedKey } from "./staged-key.ts";

export type { Place };

/** Listpacks have never more bytes, whatever the limits; as in Redis. */
const LISTPACK_BYTES_MAX = 2 ** 30;
const text = new Slice();
const moving = new SetMember();

export class SortedSet {
  readonly heap: Heap;
  encoding = LISTPACK;
  readonly #pack: ScorePack;
  readonly #tree: ScoreTree;
  #members: ScoredMembers;

  constructor(heap: Heap) {
    this.heap = heap;
    this.#pack = new ScorePack(heap);
    this.#tree = new ScoreTree(heap);
    this.#members = this.#pack;
  }

  /** Points at a set of this heap. */
  attach(encoding: number, root: Ref): this {
    this.#use(encoding).attach(root);
    return this;
  }

  /** Points at a new, empty set, which nobody owns yet. @throws RegionFullError */
  create(encoding: number): this {
    this.#use(encoding).create();
    return this;
  }

  /** Points at a copy of the set that it shows, which nobody owns yet; only of a listpack. @throws RegionFullError */
  createCopy(): this {
    const pack = this.#pack;
    pack.attach(copyToBlock(this.heap, this.heap.region.bytes, pack.root, pack.byteLength));
    return this;
  }

  get root(): Ref {
    return this.#members.root;
  }

  get count(): number {
    return this.#members.count;
  }

  /** Place of a member; 0 if it is absent. */
  find(member: SetMember): Place {
    return this.#members.find(member);
  }

  has(member: SetMember): boolean {
    return this.#members.find(member) !== 0;
  }

  score(place: Place): number {
    return this.#members.score(place);
  }

  /** Points `slice` at the bytes of the member at a place; digits are good until the view reads the next. */
  read(place: Place, slice: Slice): Slice {
    return this.#members.read(place, slice);
  }

  /** Points `member` at the member at a place, so that it can be looked up or added elsewhere. */
  load(place: Place, member: SetMember, staged: StagedKey): void {
    const { bytes, start, length } = this.#members.read(place, text);
    member.point(staged, bytes, start, length);
  }

  /** As `load`. @param hash as `forEach` gave it, which spares working it out again, or 0 */
  loadHashed(place: Place, hash: number, member: SetMember, staged: StagedKey): void {
    this.load(place, member, staged);
    if (hash !== 0) member.pointHashed(staged, member.bytes, member.start, member.length, hash);
  }

  rank(place: Place): number {
    return this.#members.rank(place);
  }

  seek(rank: number): Place {
    return this.#members.seek(rank);
  }

  next(): Place {
    return this.#members.next();
  }

  previous(): Place {
    return this.#members.previous();
  }

  /** How many have a lower score, or the same if `orEqual`; the cursor then stands at the first of the others. */
  countBelow(score: number, orEqual: boolean): number {
    return this.#members.countBelow(score, orEqual);
  }

  /** Which members have scores in a range. */
  spanOfScores(range: ScoreRange, span: Span): Span {
    const end = this.#members.countBelow(range.max, !range.excludesMax);
    const first = this.#members.countBelow(range.min, range.excludesMin);
    return span.set(first, end - first);
  }

  /**
   * Which members are in a range of bytes, where all scores are equal; where they are not, something near it.
   * @param isReversed whether they are to be walked through from the last
   */
  spanOfBytes(range: ByteRange, isReversed: boolean, span: Span): Span {
    return this.#members.spanOfBytes(range, isReversed, span);
  }

  /** Visits all members in no particular order. @param visit gets a hash where one is known, 0 otherwise */
  forEach(visit: (place: Place, hash: number) => void): void {
    this.#members.forEach(visit);
  }

  /**
   * Visits the members from a point of a walk on, all if they are few, of a tree those of one slot of its table.
   * @param cursor 0 begins; what came back last goes on @returns where to go on from, SCAN_END at the end
   */
  walk(cursor: number, visit: (place: Place) => void): number {
    if (this.encoding === TREE) return this.#tree.scan(cursor, visit);
    for (let place = this.seek(0); place !== 0; place = this.next()) visit(place);
    return SCAN_END;
  }

  /** Adds a member that is absent. @throws RegionFullError */
  add(member: SetMember, score: number, limits: CollectionLimits): void {
    if (this.encoding === LISTPACK && !this.#fits(member.spell().length, limits)) this.#becomeTree(member, score);
    else this.#members.insert(member, score);
  }

  /** Adds an absent member behind all others, whatever the limits. @throws RegionFullError */
  append(member: SetMember, score: number): void {
    this.#members.append(member, score);
  }

  /** Gives a member another score. @throws RegionFullError */
  update(place: Place, score: number): void {
    this.#members.update(place, score);
  }

  remove(place: Place, staged: StagedKey): void {
    this.#members.remove(place, staged);
  }

  /** Removes `count` members from rank `first` on, which there are. */
  removeSpan(first: number, count: number, staged: StagedKey): void {
    this.#members.removeSpan(first, count, staged);
  }

  /** Before `hint` members are added: a listpack that could not hold as many alone becomes a tree. */
  expect(hint: number, limits: CollectionLimits, staged: StagedKey): void {
    if (this.encoding === TREE || hint <= limits.sortedSetEntries) return;
    moving.staged = staged;
    this.#becomeTree(undefined, 0);
  }

  /** Gives all blocks back. */
  free(): void {
    this.#members.free();
  }

  /** Whether the other view shows the same set. */
  isSame(other: { readonly root: Ref; readonly heap: Heap }): boolean {
    return this.root === other.root && this.heap === other.heap;
  }

  #use(encoding: number): ScoredMembers {
    this.encoding = encoding;
    this.#members = encoding === TREE ? this.#tree : this.#pack;
    return this.#members;
  }

  /** Whether a member of `length` bytes more leaves the set a listpack. */
  #fits(length: number, limits: CollectionLimits): boolean {
    const pack = this.#pack;
    const isSmall = pack.count < limits.sortedSetEntries && length <= limits.sortedSetValue;
    return isSmall && pack.byteLength + length <= LISTPACK_BYTES_MAX;
  }

  /** Makes a tree of a listpack. @param extra a member that is added, which is absent */
  #becomeTree(extra: SetMember | undefined, score: number): void {
    const pack = this.#pack;
    const tree = this.#tree.create();
    const staged = extra === undefined ? moving.staged! : extra.staged!;
    try {
      for (let place = pack.seek(0); place !== 0; place = pack.next()) {
        const { bytes, start, length } = pack.read(place, text);
        tree.append(moving.point(staged, bytes, start, length), pack.score(place));
      }
      if (extra !== undefined) tree.insert(extra, score);
    } catch (error) {
      tree.free();
      throw error;
    }
    pack.free();
    this.#use(TREE);
  }
}
