/**
 * FieldTable: a large hash. Its fields are members of a MemberTable, each with its value and perhaps a deadline.
 *
 *     root (56 B)                                    field (in a block)
 *     +0   dictionary's header: hash -> field        -16  if DATED, a node of a wheel, whose time is the deadline
 *     +32  what is due when: field-deadlines.ts      +0   bits 0-29 length of the field, 30 DATED, 31 APART
 *                                                    +4   VALUE_LENGTH
 *                                                    +8   the field's bytes, padded with zeros to a whole word
 *                                                    ...  the value; if APART, the ref of a block that holds it
 *
 * One block a field, where Redis has three. A value above INLINE_MAX stands apart, so that it can grow without moving
 * its field, and a walk over the fields need not pass it. The value is last, so that it may use up what its block has
 * left: most values that change their length stay where they are. A dated field's ref is not that of its block, which
 * begins with the node: so a field's name is at the same place in both kinds, and its node at a fixed one.
 *
 * Deadlines are milliseconds since 1970, below 2^48; 0 stands for none, as it does in a listpack with deadlines. What
 * has expired is for the table's user to know and to remove: here a field is there until it is removed.
 *
 * Invariants (verify): the index of deadlines has exactly the fields flagged DATED; blocks are as large as what they
 * hold; a value stands apart exactly if it is longer than INLINE_MAX.
 *
 * A view: `attach` points it at another table. Owner thread only.
 */
import { copyBytes, type Slice } from "../base/bytes.ts";
import { type Heap, NONE, type Ref } from "../memory/heap.ts";
import type { Dictionary } from "./dictionary.ts";
import { FieldDeadlines, ROOT_SIZE } from "./field-deadlines.ts";
import { MEMBER_LENGTH_MASK, MemberTable } from "./member-table.ts";
import { NODE_SIZE } from "./timing-wheel.ts";

const LENGTH_AT = 0;
export const VALUE_LENGTH = 4;
export const FIELD_AT = 8;
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
  /** Which fields are due when. */
  readonly deadlines: FieldDeadlines;
  readonly #members: MemberTable;
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  #root: Ref = NONE;

  constructor(heap: Heap) {
    this.heap = heap;
    this.#words = heap.region.words;
    this.#bytes = heap.region.bytes;
    this.#members = new MemberTable(heap, LENGTH_AT, FIELD_AT);
    this.deadlines = new FieldDeadlines(heap);
  }

  /** Points at the table whose root is `root`. */
  attach(root: Ref): this {
    this.#root = root;
    this.#members.attach(root);
    this.deadlines.attach(root);
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
    return this.deadlines.count;
  }

  /** The field whose node this is. */
  static ofNode(node: Ref): Ref {
    return node + NODE_SIZE;
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
    return this.#isDated(field) ? this.#time(field - NODE_SIZE) : UNDATED;
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
    if (deadline !== before) this.deadlines.move(field - NODE_SIZE, deadline);
  }

  /**
   * Gives a field another deadline, or none.
   * @throws RegionFullError with nothing changed
   */
  date(field: Ref, hash: number, deadline: number): void {
    const before = this.deadline(field);
    if (before === deadline) return;
    if (before !== UNDATED && deadline !== UNDATED) this.deadlines.move(field - NODE_SIZE, deadline);
    else this.#redate(field, hash, deadline);
  }

  /** Removes a field. */
  remove(field: Ref, hash: number): void {
    if (this.#isDated(field)) this.deadlines.remove(field - NODE_SIZE);
    this.#members.remove(hash, field);
    this.#free(field);
  }

  /** Visits every block, the root last; a visitor may free it. */
  forEachBlock(visit: (block: Ref) => void): void {
    for (let place = this.walkBlocks(0, visit); place !== 0; ) place = this.walkBlocks(place, visit);
  }

  /** Does so a segment at a time. @param place 0 begins @returns the place to go on from, 0 at the end */
  walkBlocks(place: number, visit: (block: Ref) => void): number {
    const visitField = (field: Ref): void => {
      if (this.#isApart(field)) visit(this.#words[this.#valueAt(field) >>> 2]!);
      visit(this.#blockOf(field));
    };
    const next = this.dictionary.walk(place, visitField, visit);
    if (next !== 0) return next;
    if (this.deadlines.wheelBlock !== NONE) visit(this.deadlines.wheelBlock);
    visit(this.#root);
    return 0;
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
    return FIELD_AT + padded(nameLength) + (isDated ? NODE_SIZE : 0) + inline;
  }

  /** Checks the invariants of the opening comment. @throws Error that names what is wrong */
  verify(): void {
    const { heap, dictionary } = this;
    dictionary.verify();
    const nodes = new Set<Ref>();
    dictionary.forEach((field) => {
      const length = this.#words[(field + VALUE_LENGTH) >>> 2]!;
      const nameLength = this.#words[field >>> 2]! & MEMBER_LENGTH_MASK;
      const end = this.#valueAt(field) + (this.#isApart(field) ? REF_SIZE : length);
      if (end > this.#blockOf(field) + heap.sizeOf(field)) throw new Error(`fields: ${field} is larger than its block`);
      if (this.#isApart(field) !== length > INLINE_MAX) throw new Error(`fields: the value of ${field} is misplaced`);
      if (this.#isApart(field) && heap.sizeOf(this.#words[this.#valueAt(field) >>> 2]!) < length)
        throw new Error(`fields: the value of ${field} is larger than its block`);
      for (let at = nameLength; at < padded(nameLength); at++) {
        if (this.#bytes[field + FIELD_AT + at] !== 0) throw new Error(`fields: ${field} is not padded with zeros`);
      }
      if (this.#isDated(field)) nodes.add(field - NODE_SIZE);
    });
    this.deadlines.verify(nodes);
  }

  /** Writes over the present value, if it stays in its place and its block is neither too small nor far too large. */
  #overwrite(field: Ref, bytes: Buffer, start: number, length: number): boolean {
    const { heap } = this;
    const { region } = heap;
    let at = this.#valueAt(field);
    if (this.#isApart(field)) {
      if (length <= INLINE_MAX) return false;
      at = this.#blockFor(at, length);
    } else if (length > INLINE_MAX || !fillsWell(at - this.#blockOf(field) + length, heap.sizeOf(field))) {
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
    this.heap.free(this.#blockOf(old));
  }

  /** Puts a new block in the place of an old one of the same name, which it takes over. */
  #takePlace(field: Ref, old: Ref, hash: number, deadline: number): void {
    const size = padded(this.#words[old >>> 2]! & MEMBER_LENGTH_MASK);
    this.heap.region.guard(field + FIELD_AT, size);
    copyBytes(this.#bytes, old + FIELD_AT, this.#bytes, field + FIELD_AT, size);
    if (deadline !== UNDATED) this.deadlines.add(field - NODE_SIZE);
    if (this.#isDated(old)) this.deadlines.remove(old - NODE_SIZE);
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
    const block = heap.allocate(FieldTable.blockSize(nameLength, isDated, length));
    const field = isDated ? block + NODE_SIZE : block;
    heap.region.guard(field, FIELD_AT);
    words[field >>> 2] = nameLength | (isDated ? DATED : 0) | (length > INLINE_MAX ? APART : 0);
    words[(field + VALUE_LENGTH) >>> 2] = length;
    if (isDated) this.#setTime(block, deadline);
    return field;
  }

  #allocateApart(field: Ref, at: number, length: number): Ref {
    const { heap } = this;
    let block: Ref;
    try {
      block = heap.allocate(length);
    } catch (error) {
      heap.free(this.#blockOf(field));
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
    if (deadline !== UNDATED) this.deadlines.add(field - NODE_SIZE);
  }

  #free(field: Ref): void {
    if (this.#isApart(field)) this.heap.free(this.#words[this.#valueAt(field) >>> 2]!);
    this.heap.free(this.#blockOf(field));
  }

  /** The block of a field, which begins with its node if it has one. */
  #blockOf(field: Ref): Ref {
    return this.#isDated(field) ? field - NODE_SIZE : field;
  }

  #isApart(field: Ref): boolean {
    return this.#words[field >>> 2]! < 0;
  }

  #isDated(field: Ref): boolean {
    return (this.#words[field >>> 2]! & DATED) !== 0;
  }

  /** Where the value stands, or the ref of its block. */
  #valueAt(field: Ref): number {
    return field + FIELD_AT + padded(this.#words[field >>> 2]! & MEMBER_LENGTH_MASK);
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
