/**
 * MemberSet: a set in a heap, in one of three encodings.
 *
 *     INTSET     integers only, sorted: one block                 up to set-max-intset-entries
 *     LISTPACK   members one behind the other: one block          up to set-max-listpack-entries, each to -value
 *     TABLE      hash -> member: LENGTH (4 B), the bytes, padded  everything else
 *
 * Encodings change as in Redis 7.2, because clients see them (OBJECT ENCODING), and see the orders that follow from
 * them: an intset that gets a member which is no integer becomes a listpack if that is allowed to be as large, else a
 * table; what grows too large becomes a table, and stays one. Limits that are lowered later concern the next member.
 *
 * A place is where a member stands: a position in a listpack, an index in an intset, a block in a table. It is valid
 * until the set changes.
 *
 * A view: `attach` points it at another set, and a write may change `encoding` and `root`, which whoever owns the set
 * must then store. All or nothing: what has no room (RegionFullError) leaves set, encoding and root as they were.
 * Owner thread only.
 */
import { Slice } from "../base/bytes.ts";
import { lengthOfInt64, writeInt64 } from "../base/int64.ts";
import { type Heap, NONE, type Ref } from "../memory/heap.ts";
import { INTSET, LISTPACK, TABLE } from "../structures/collection.ts";
import { SCAN_END } from "../structures/dictionary.ts";
import { Intset } from "../structures/intset.ts";
import { Listpack } from "../structures/listpack.ts";
import { MemberTable } from "../structures/member-table.ts";
import type { CollectionLimits } from "./collection-limits.ts";
import type { SetMember } from "./set-member.ts";
import type { StagedKey } from "./staged-key.ts";

/** Where a member stands in its set. */
export type Place = number;

/** Layout of a table's member. */
export const SET_LENGTH_AT = 0;
export const SET_BYTES_AT = 4;

/** Intsets are never larger, whatever the limit, and listpacks have never more bytes; as in Redis. */
const INTSET_MAX = 2 ** 30;
const LISTPACK_BYTES_MAX = 2 ** 30;

export class MemberSet {
  readonly heap: Heap;
  encoding = INTSET;
  root: Ref = NONE;
  readonly #listpack: Listpack;
  readonly #intset: Intset;
  readonly #table: MemberTable;
  readonly #digits = Buffer.alloc(24);

  constructor(heap: Heap) {
    this.heap = heap;
    this.#listpack = new Listpack(heap);
    this.#intset = new Intset(heap);
    this.#table = new MemberTable(heap, SET_LENGTH_AT, SET_BYTES_AT);
  }

  /** Points at a set of this heap. */
  attach(encoding: number, root: Ref): this {
    this.encoding = encoding;
    this.root = root;
    if (encoding === TABLE) this.#table.attach(root);
    else if (encoding === LISTPACK) this.#listpack.attach(root);
    else this.#intset.attach(root);
    return this;
  }

  /** Points at a new, empty set, which nobody owns yet. @throws RegionFullError */
  create(encoding: number): this {
    if (encoding === TABLE) return this.attach(TABLE, this.#table.create());
    return this.attach(encoding, encoding === LISTPACK ? this.#listpack.create() : this.#intset.create());
  }

  /**
   * Points at a new, empty set of the encoding that Redis begins with.
   * @param first the member that will be the first @param hint members that are about to be added
   */
  createFor(first: SetMember, hint: number, limits: CollectionLimits): this {
    if (hint <= limits.setIntsetEntries && first.integer !== undefined) return this.create(INTSET);
    return this.create(hint <= limits.setListpackEntries ? LISTPACK : TABLE);
  }

  get count(): number {
    if (this.encoding === TABLE) return this.#table.count;
    return this.encoding === LISTPACK ? this.#listpack.count : this.#intset.count;
  }

  has(member: SetMember): boolean {
    if (this.encoding === TABLE) return this.#find(member) !== NONE;
    if (this.encoding === LISTPACK) return this.#findInListpack(member) !== 0;
    const { integer } = member;
    return integer !== undefined && this.#intset.has(integer);
  }

  /** @returns false if the member was there already @throws RegionFullError */
  add(member: SetMember, limits: CollectionLimits): boolean {
    if (this.encoding === TABLE) return this.addStaged(member.stage());
    return this.encoding === LISTPACK ? this.#addToListpack(member, limits) : this.#addToIntset(member, limits);
  }

  /** As `has`, of a table only, for a member that has just been staged. */
  hasStaged({ words, length, hash }: StagedKey): boolean {
    return this.#table.find(words, length, hash) !== NONE;
  }

  /** As `add`, to a table only, for a member that has just been staged. @throws RegionFullError */
  addStaged(staged: StagedKey): boolean {
    const table = this.#table;
    if (table.find(staged.words, staged.length, staged.hash) !== NONE) return false;
    insert(table, staged);
    return true;
  }

  /** @returns false if the member was not there */
  remove(member: SetMember): boolean {
    if (this.encoding === TABLE) {
      const place = this.#find(member);
      if (place === NONE) return false;
      this.#table.remove(member.staged!.hash, place);
      this.heap.free(place);
      return true;
    }
    if (this.encoding === LISTPACK) {
      const place = this.#findInListpack(member);
      if (place === 0) return false;
      this.#removeFromListpack(place);
      return true;
    }
    const { integer } = member;
    if (integer === undefined || !this.#intset.remove(integer)) return false;
    this.root = this.#intset.ref;
    return true;
  }

  /** Takes the member at a place out. */
  removeAt(place: Place, staged: StagedKey): void {
    const table = this.#table;
    if (this.encoding === TABLE) {
      staged.stage(this.heap.region.bytes, table.start(place), table.length(place));
      table.remove(staged.hash, place);
      this.heap.free(place);
    } else if (this.encoding === LISTPACK) {
      this.#removeFromListpack(place);
    } else {
      this.#intset.remove(this.#intset.at(place));
      this.root = this.#intset.ref;
    }
  }

  /** Frees the set. */
  free(): void {
    const { heap } = this;
    if (this.encoding === TABLE) this.#table.forEachBlock((block) => heap.free(block));
    else heap.free(this.root);
  }

  /** Before `hint` members are added: a small encoding that could not hold as many alone becomes a table. */
  expect(hint: number, limits: CollectionLimits, staged: StagedKey): void {
    if (this.encoding === TABLE) return;
    const limit = this.encoding === LISTPACK ? limits.setListpackEntries : limits.setIntsetEntries;
    if (hint > limit) this.#convertToTable(undefined, staged);
  }

  /** Visits all members, in the set's order; a visitor must not change the set. @param visit gets a hash of tables */
  forEach(visit: (place: Place, hash: number) => void): void {
    if (this.encoding === TABLE) {
      this.#table.dictionary.forEach(visit);
    } else if (this.encoding === LISTPACK) {
      const listpack = this.#listpack;
      for (let at = listpack.first(); at !== 0; at = listpack.next(at)) visit(at, 0);
    } else {
      const { count } = this.#intset;
      for (let index = 0; index < count; index++) visit(index, 0);
    }
  }

  /**
   * Visits the members from a point of a walk on, all if they are few, of a table those of one slot.
   * @param cursor 0 begins; what came back last goes on @returns where to go on from, SCAN_END at the end
   */
  walk(cursor: number, visit: (place: Place) => void): number {
    if (this.encoding === TABLE) return this.#table.dictionary.scan(cursor, visit);
    this.forEach(visit);
    return SCAN_END;
  }

  /** Points `slice` at the bytes of the member at a place; digits last until the view reads the next. */
  read(place: Place, slice: Slice): Slice {
    if (this.encoding === LISTPACK) return this.#listpack.read(place, slice);
    if (this.encoding === TABLE) {
      slice.set(this.heap.region.bytes, this.#table.start(place), this.#table.length(place));
    } else {
      slice.set(this.#digits, 0, writeInt64(this.#intset.at(place), this.#digits, 0));
    }
    return slice;
  }

  /** Points `member` at the member at a place, so that it can be looked up or added elsewhere. */
  load(place: Place, member: SetMember, staged: StagedKey): void {
    if (this.encoding === TABLE) {
      const table = this.#table;
      member.point(staged, this.heap.region.bytes, table.start(place), table.length(place));
    } else if (this.encoding === INTSET) {
      member.pointInteger(staged, this.#intset.at(place));
    } else {
      const integer = this.#listpack.integerAt(place);
      if (integer !== undefined) member.pointInteger(staged, integer);
      else this.#loadText(place, member, staged);
    }
  }

  /** As `load`, with the hash that `forEach` gave, which spares working it out again. */
  loadHashed(place: Place, hash: number, member: SetMember, staged: StagedKey): void {
    if (this.encoding !== TABLE) {
      this.load(place, member, staged);
      return;
    }
    const table = this.#table;
    member.pointHashed(staged, this.heap.region.bytes, table.start(place), table.length(place), hash);
  }

  /** Whether the other view shows the same set. */
  isSame(other: MemberSet): boolean {
    return this.root === other.root && this.heap === other.heap;
  }

  /** The place of a member chosen uniformly; only of a set that has some. @param random uniform in [0, 1) */
  sample(random: () => number): Place {
    if (this.encoding === TABLE) return this.#table.dictionary.sample(random);
    const index = Math.floor(random() * this.count);
    return this.encoding === LISTPACK ? this.#listpack.seek(index) : index;
  }

  #find(member: SetMember): Ref {
    const { words, length, hash } = member.stage();
    return this.#table.find(words, length, hash);
  }

  #findInListpack(member: SetMember): Place {
    const first = this.#listpack.first();
    if (first === 0) return 0;
    const { bytes, start, length } = member.spell();
    return this.#listpack.find(first, bytes, start, length, 0);
  }

  #removeFromListpack(place: Place): void {
    this.#listpack.remove(place);
    this.root = this.#listpack.ref;
  }

  #addToListpack(member: SetMember, limits: CollectionLimits): boolean {
    if (this.#findInListpack(member) !== 0) return false;
    const listpack = this.#listpack;
    const { bytes, start, length } = member.spell();
    const fits = length <= limits.setListpackValue && listpack.byteLength + length <= LISTPACK_BYTES_MAX;
    if (fits && listpack.count < limits.setListpackEntries) {
      listpack.append(bytes, start, length);
      this.root = listpack.ref;
    } else {
      this.#convertToTable(member, member.staged!);
    }
    return true;
  }

  #addToIntset(member: SetMember, limits: CollectionLimits): boolean {
    const intset = this.#intset;
    const { integer } = member;
    if (integer === undefined) {
      if (this.#fitsListpack(member.spell().length, limits)) this.#convertToListpack(member);
      else this.#convertToTable(member, member.staged!);
      return true;
    }
    if (intset.count < Math.min(limits.setIntsetEntries, INTSET_MAX)) {
      if (!intset.add(integer)) return false;
      this.root = intset.ref;
      return true;
    }
    if (intset.has(integer)) return false;
    this.#convertToTable(member, member.staged!);
    return true;
  }

  /** Whether the intset and a member of `length` bytes more may be a listpack. */
  #fitsListpack(length: number, limits: CollectionLimits): boolean {
    const intset = this.#intset;
    const { count } = intset;
    if (count >= limits.setListpackEntries || length > limits.setListpackValue) return false;
    if (count === 0) return true;
    const longest = Math.max(lengthOfInt64(intset.at(0)), lengthOfInt64(intset.at(count - 1)));
    return longest <= limits.setListpackValue && count * (longest + 2) + length <= LISTPACK_BYTES_MAX;
  }

  #convertToListpack(member: SetMember): void {
    const intset = this.#intset;
    const listpack = this.#listpack.attach(this.#listpack.create());
    try {
      for (let index = 0; index < intset.count; index++) listpack.appendInteger(intset.at(index));
      listpack.append(member.bytes, member.start, member.length);
    } catch (error) {
      this.heap.free(listpack.ref);
      throw error;
    }
    this.heap.free(this.root);
    this.encoding = LISTPACK;
    this.root = listpack.ref;
  }

  /** Makes a table of a small set. @param extra a member that is added, which is absent */
  #convertToTable(extra: SetMember | undefined, staged: StagedKey): void {
    const table = this.#table;
    const root = table.create();
    table.attach(root);
    try {
      this.forEach((place) => {
        const { bytes, start, length } = this.read(place, text);
        staged.stage(bytes, start, length);
        insert(table, staged);
      });
      if (extra !== undefined) insert(table, extra.stage());
    } catch (error) {
      table.forEachBlock((block) => this.heap.free(block));
      throw error;
    }
    this.heap.free(this.root);
    this.encoding = TABLE;
    this.root = root;
  }

  #loadText(place: Place, member: SetMember, staged: StagedKey): void {
    const { bytes, start, length } = this.#listpack.read(place, text);
    member.pointText(staged, bytes, start, length);
  }
}

const text = new Slice();

/** Adds the staged member, which is absent. @throws RegionFullError with the table as it was */
function insert(table: MemberTable, staged: StagedKey): void {
  const { heap } = table;
  const { length } = staged;
  const member = heap.allocate(SET_BYTES_AT + ((length + 3) & ~3));
  heap.region.setWord(member + SET_LENGTH_AT, length);
  table.writeBytes(member, staged.words, length);
  try {
    table.insert(staged.hash, member);
  } catch (error) {
    heap.free(member);
    throw error;
  }
}
