/**
 * FieldTable: a large hash. Its fields are members of a MemberTable, each with its value and perhaps a deadline.
 *
 *     root (48 B)                                    field (a block)
 *     +0   dictionary's header: hash -> field        +0   bits 0-29 length of the field, 30 DATED, 31 APART
 *     +32  DATED      fields that have a deadline    +4   VALUE_LENGTH
 *     +40  EARLIEST   two words: no deadline is      +8   the field's bytes, padded with zeros to a whole word
 *                     before it; 0 if none ever was  ...  deadline, two words, low first; only if DATED
 *                                                    ...  the value; if APART, the ref of a block that holds it
 *
 * One block a field, where Redis has three. A value above INLINE_MAX stands apart, so that it can grow without moving
 * its field, and a walk over the fields need not pass it. The value is last, so that it may use up what its block has
 * left: most values that change their length stay where they are.
 *
 * Deadlines are milliseconds since 1970, below 2^48; 0 stands for none, as it does in a listpack with deadlines. What
 * has expired is for the table's user to know and to remove: here a field is there until it is removed.
 *
 * Invariants (verify): DATED is the number of fields flagged so; none of their deadlines is before EARLIEST; blocks are
 * as large as what they hold; a value stands apart exactly if it is longer than INLINE_MAX.
 *
 * A view: `attach` points it at another table. Owner thread only.
 */
import { copyBytes, type Slice } from "../base/bytes.ts";
import { type Heap, NONE, type Ref } from "../memory/heap.ts";
import { DICTIONARY_SIZE, type Dictionary } from "./dictionary.ts";
import { MEMBER_LENGTH_MASK, MemberTable } from "./member-table.ts";

const ROOT_SIZE = 48;
const DATED_COUNT = DICTIONARY_SIZE;
const EARLIEST = 40;

const LENGTH_AT = 0;
export const VALUE_LENGTH = 4;
export const FIELD_AT = 8;
const DEADLINE_SIZE = 8;
const REF_SIZE = 4;

export const DATED = 0x40000000;
export const APART = 0x80000000 | 0;

/** Values up to this many bytes stand in their field's block. */
export const INLINE_MAX = 1024;
/** The field has no deadline. */
export const UNDATED = 0;

/** What MemberTable's staged key is to this one: padded words, their length in bytes, their hash. */
export interface StagedField {
  readonly words: Int32Array;
  readonly length: number;
  readonly hash: number;
}

export class FieldTable {
  readonly heap: Heap;
  readonly #members: MemberTable;
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  #root: Ref = NONE;

  constructor(heap: Heap) {
    this.heap = heap;
    this.#words = heap.region.words;
    this.#bytes = heap.region.bytes;
    this.#members = new MemberTable(heap, LENGTH_AT, FIELD_AT);
  }

  /** Points at the table whose root is `root`. */
  attach(root: Ref): this {
    this.#root = root;
    this.#members.attach(root);
    return this;
  }

  /** A new, empty table's root. @throws RegionFullError */
  create(): Ref {
    const root = this.heap.allocate(ROOT_SIZE);
    this.heap.region.guard(root, ROOT_SIZE);
    this.#words.fill(0, root >>> 2, (root + ROOT_SIZE) >>> 2);
    return root;
  }

  /** For walks and random choices: hash -> field. */
  get dictionary(): Dictionary {
    return this.#members.dictionary;
  }

  get count(): number {
    return this.#members.count;
  }

  /** Fields that have a deadline. */
  get datedCount(): number {
    return this.#words[(this.#root + DATED_COUNT) >>> 2]!;
  }

  /** No deadline is before this; only while there are any. */
  get earliest(): number {
    return this.#time(this.#root + EARLIEST);
  }

  /** Tells that the earliest deadline is this one. */
  set earliest(deadline: number) {
    this.#setTime(this.#root + EARLIEST, deadline);
  }

  /** The field, or NONE. */
  find(field: StagedField): Ref {
    return this.#members.find(field.words, field.length, field.hash);
  }

  /** Points `into` at the field's name. */
  readName(field: Ref, into: Slice): Slice {
    into.set(this.#bytes, field + FIELD_AT, this.#words[field >>> 2]! & MEMBER_LENGTH_MASK);
    return into;
  }

  /** Points `into` at the field's value. */
  readValue(field: Ref, into: Slice): Slice {
    const words = this.#words;
    const at = this.#valueAt(field);
    into.set(this.#bytes, words[field >>> 2]! < 0 ? words[at >>> 2]! : at, words[(field + VALUE_LENGTH) >>> 2]!);
    return into;
  }

  /** Milliseconds since 1970, or UNDATED. */
  deadline(field: Ref): number {
    const word = this.#words[field >>> 2]!;
    if ((word & DATED) === 0) return UNDATED;
    return this.#time(field + FIELD_AT + padded(word & MEMBER_LENGTH_MASK));
  }

  /**
   * Adds a field that is absent.
   * @throws RegionFullError with nothing changed
   */
  add(name: StagedField, deadline: number, bytes: Buffer, start: number, length: number): void {
    const field = this.#build(name.length, deadline, bytes, start, length);
    this.#members.writeBytes(field, name.words, name.length);
    this.#insert(name.hash, field, deadline);
  }

  /**
   * Adds a copy of another table's field, which is absent here.
   * @throws RegionFullError with nothing changed
   */
  addCopy(from: FieldTable, original: Ref, hash: number): void {
    const nameLength = from.#words[original >>> 2]! & MEMBER_LENGTH_MASK;
    const deadline = from.deadline(original);
    const at = from.#isApart(original) ? from.#words[from.#valueAt(original) >>> 2]! : from.#valueAt(original);
    const field = this.#build(nameLength, deadline, from.#bytes, at, from.#words[(original + VALUE_LENGTH) >>> 2]!);
    this.heap.region.guard(field + FIELD_AT, padded(nameLength));
    copyBytes(from.#bytes, original + FIELD_AT, this.#bytes, field + FIELD_AT, padded(nameLength));
    this.#insert(hash, field, deadline);
  }

  /**
   * Gives a field another value, and another deadline or none.
   * @throws RegionFullError with nothing changed
   */
  set(field: Ref, hash: number, deadline: number, bytes: Buffer, start: number, length: number): void {
    const before = this.deadline(field);
    if ((deadline === UNDATED) !== (before === UNDATED) || !this.#overwrite(field, bytes, start, length)) {
      this.#rebuild(field, hash, deadline, bytes, start, length);
      return;
    }
    if (deadline !== before) this.#setDeadline(field, deadline);
  }

  /**
   * Gives a field another deadline, or none.
   * @throws RegionFullError with nothing changed
   */
  date(field: Ref, hash: number, deadline: number): void {
    const before = this.deadline(field);
    if (before === deadline) return;
    if (before !== UNDATED && deadline !== UNDATED) this.#setDeadline(field, deadline);
    else this.#redate(field, hash, deadline);
  }

  /** Removes a field. */
  remove(field: Ref, hash: number): void {
    if (this.#isDated(field)) this.#uncountDated();
    this.#members.remove(hash, field);
    this.#free(field);
  }

  /** Visits every block, the root last; a visitor may free it. */
  forEachBlock(visit: (block: Ref) => void): void {
    const { dictionary } = this;
    dictionary.forEach((field) => {
      if (this.#isApart(field)) visit(this.#words[this.#valueAt(field) >>> 2]!);
      visit(field);
    });
    dictionary.forEachBlock(visit);
    visit(this.#root);
  }

  /** Bytes that a field's blocks occupy. */
  sizeOf(field: Ref): number {
    const { heap } = this;
    const own = heap.sizeOf(field);
    return this.#isApart(field) ? own + heap.sizeOf(this.#words[this.#valueAt(field) >>> 2]!) : own;
  }

  /** Bytes of the block that a field needs, a value that stands apart aside. */
  static blockSize(nameLength: number, isDated: boolean, valueLength: number): number {
    const inline = valueLength > INLINE_MAX ? REF_SIZE : valueLength;
    return FIELD_AT + padded(nameLength) + (isDated ? DEADLINE_SIZE : 0) + inline;
  }

  /** Checks the invariants of the opening comment. @throws Error that names what is wrong */
  verify(): void {
    const { heap, dictionary } = this;
    dictionary.verify();
    let dated = 0;
    dictionary.forEach((field) => {
      const length = this.#words[(field + VALUE_LENGTH) >>> 2]!;
      const nameLength = this.#words[field >>> 2]! & MEMBER_LENGTH_MASK;
      const end = this.#valueAt(field) + (this.#isApart(field) ? REF_SIZE : length);
      if (end > field + heap.sizeOf(field)) throw new Error(`fields: ${field} is larger than its block`);
      if (this.#isApart(field) !== length > INLINE_MAX) throw new Error(`fields: the value of ${field} is misplaced`);
      if (this.#isApart(field) && heap.sizeOf(this.#words[this.#valueAt(field) >>> 2]!) < length)
        throw new Error(`fields: the value of ${field} is larger than its block`);
      for (let at = nameLength; at < padded(nameLength); at++) {
        if (this.#bytes[field + FIELD_AT + at] !== 0) throw new Error(`fields: ${field} is not padded with zeros`);
      }
      if (!this.#isDated(field)) return;
      dated += 1;
      if (this.deadline(field) < this.earliest) throw new Error(`fields: ${field} expires before the earliest`);
    });
    if (dated !== this.datedCount) throw new Error(`fields: DATED ${this.datedCount} != ${dated}`);
  }

  /** Writes over the present value, if it stays in its place and its block is neither too small nor far too large. */
  #overwrite(field: Ref, bytes: Buffer, start: number, length: number): boolean {
    const { heap } = this;
    const { region } = heap;
    let at = this.#valueAt(field);
    if (this.#isApart(field)) {
      if (length <= INLINE_MAX) return false;
      at = this.#blockFor(at, length);
    } else if (length > INLINE_MAX || !fillsWell(at - field + length, heap.sizeOf(field))) {
      return false;
    }
    region.guard(at, length);
    copyBytes(bytes, start, this.#bytes, at, length);
    region.setWord(field + VALUE_LENGTH, length);
    return true;
  }

  /** A block fit for `length` bytes in the place of the one that the word at `at` refers to, or that one. */
  #blockFor(at: number, length: number): Ref {
    const { heap } = this;
    const old = this.#words[at >>> 2]!;
    if (fillsWell(length, heap.sizeOf(old))) return old;
    const block = heap.allocate(length);
    heap.region.setWord(at, block);
    heap.free(old);
    return block;
  }

  /** The field again in another block, with another value. */
  #rebuild(old: Ref, hash: number, deadline: number, bytes: Buffer, start: number, length: number): void {
    const field = this.#build(this.#words[old >>> 2]! & MEMBER_LENGTH_MASK, deadline, bytes, start, length);
    this.#takePlace(field, old, hash, deadline);
    this.#free(old);
  }

  /** The field again in another block, with a deadline where it had none or vice versa; a value that is apart stays. */
  #redate(old: Ref, hash: number, deadline: number): void {
    const words = this.#words;
    const length = words[(old + VALUE_LENGTH) >>> 2]!;
    const at = this.#valueAt(old);
    if (!this.#isApart(old)) {
      this.#rebuild(old, hash, deadline, this.#bytes, at, length);
      return;
    }
    const { region } = this.heap;
    const field = this.#format(words[old >>> 2]! & MEMBER_LENGTH_MASK, deadline, length);
    region.setWord(this.#valueAt(field), words[at >>> 2]!);
    this.#takePlace(field, old, hash, deadline);
    this.heap.free(old);
  }

  /** Puts a new block in the place of an old one of the same name, which it takes over. */
  #takePlace(field: Ref, old: Ref, hash: number, deadline: number): void {
    const size = padded(this.#words[old >>> 2]! & MEMBER_LENGTH_MASK);
    this.heap.region.guard(field + FIELD_AT, size);
    copyBytes(this.#bytes, old + FIELD_AT, this.#bytes, field + FIELD_AT, size);
    if (this.#isDated(old)) this.#uncountDated();
    if (deadline !== UNDATED) this.#countDated(deadline);
    this.#members.replace(hash, old, field);
  }

  /** A field's blocks with everything but its name. @throws RegionFullError with nothing changed */
  #build(nameLength: number, deadline: number, bytes: Buffer, start: number, length: number): Ref {
    const field = this.#format(nameLength, deadline, length);
    let at = this.#valueAt(field);
    if (length > INLINE_MAX) at = this.#allocateApart(field, at, length);
    this.heap.region.guard(at, length);
    copyBytes(bytes, start, this.#bytes, at, length);
    return field;
  }

  /** A field's block with its header and deadline; name and value are left to do. */
  #format(nameLength: number, deadline: number, length: number): Ref {
    const { heap } = this;
    const words = this.#words;
    const isDated = deadline !== UNDATED;
    const field = heap.allocate(FieldTable.blockSize(nameLength, isDated, length));
    heap.region.guard(field, FIELD_AT);
    words[field >>> 2] = nameLength | (isDated ? DATED : 0) | (length > INLINE_MAX ? APART : 0);
    words[(field + VALUE_LENGTH) >>> 2] = length;
    if (isDated) this.#setTime(field + FIELD_AT + padded(nameLength), deadline);
    return field;
  }

  #allocateApart(field: Ref, at: number, length: number): Ref {
    const { heap } = this;
    let block: Ref;
    try {
      block = heap.allocate(length);
    } catch (error) {
      heap.free(field);
      throw error;
    }
    heap.region.setWord(at, block);
    return block;
  }

  #insert(hash: number, field: Ref, deadline: number): void {
    try {
      this.#members.insert(hash, field);
    } catch (error) {
      this.#free(field);
      throw error;
    }
    if (deadline !== UNDATED) this.#countDated(deadline);
  }

  #free(field: Ref): void {
    if (this.#isApart(field)) this.heap.free(this.#words[this.#valueAt(field) >>> 2]!);
    this.heap.free(field);
  }

  #isApart(field: Ref): boolean {
    return this.#words[field >>> 2]! < 0;
  }

  #isDated(field: Ref): boolean {
    return (this.#words[field >>> 2]! & DATED) !== 0;
  }

  /** Where the value stands, or the ref of its block. */
  #valueAt(field: Ref): number {
    const word = this.#words[field >>> 2]!;
    return field + FIELD_AT + padded(word & MEMBER_LENGTH_MASK) + ((word & DATED) >>> 27);
  }

  /** Overwrites the deadline of a field that has one. */
  #setDeadline(field: Ref, deadline: number): void {
    this.#setTime(field + FIELD_AT + padded(this.#words[field >>> 2]! & MEMBER_LENGTH_MASK), deadline);
    if (deadline < this.earliest) this.earliest = deadline;
  }

  #countDated(deadline: number): void {
    const count = this.datedCount;
    this.heap.region.setWord(this.#root + DATED_COUNT, count + 1);
    if (count === 0 || deadline < this.earliest) this.earliest = deadline;
  }

  #uncountDated(): void {
    this.heap.region.setWord(this.#root + DATED_COUNT, this.datedCount - 1);
  }

  #time(at: number): number {
    return this.#words[(at + 4) >>> 2]! * 2 ** 32 + (this.#words[at >>> 2]! >>> 0);
  }

  #setTime(at: number, time: number): void {
    this.heap.region.setWord(at, time | 0);
    this.heap.region.setWord(at + 4, Math.floor(time / 2 ** 32));
  }
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

/**
 * Whether a block is kept for a value of another size: it fits, and at least half of the block is used, as for strings.
 */
function fillsWell(size: number, blockSize: number): boolean {
  return size <= blockSize && size >= blockSize >>> 1;
}
