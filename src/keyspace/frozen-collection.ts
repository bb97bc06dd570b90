/**
 * FrozenCollection: a cursor on one collection of a frozen database, for any thread: it walks the elements in whichever
 * encoding they were stored at the freeze. Layouts: the files of structures/ whose frozen counterparts it uses, and
 * member-set.ts for the members of sets.
 *
 * Small encodings are copied out of the view whole, of large ones an element at a time; what a visitor is shown is of
 * these copies, valid during its call. Everything throws FreezeLostError once the view has been given up or released.
 */
import { Slice } from "../base/bytes.ts";
import { writeInt64 } from "../base/int64.ts";
import type { FreezeReader } from "../memory/freeze-reader.ts";
import { FrozenBlock } from "../memory/frozen-block.ts";
import type { Ref } from "../memory/heap.ts";
import { CHUNKS, INTSET, LISTPACK, LISTPACK_EX, TABLE, TREE } from "../structures/collection.ts";
import { UNDATED } from "../structures/field-table.ts";
import { FrozenChunkList } from "../structures/frozen-chunk-list.ts";
import { FrozenDictionary } from "../structures/frozen-dictionary.ts";
import { FrozenFieldTable, type VisitField } from "../structures/frozen-field-table.ts";
import { FrozenIntset } from "../structures/frozen-intset.ts";
import { FrozenListpack } from "../structures/frozen-listpack.ts";
import { FrozenOrderedTree } from "../structures/frozen-ordered-tree.ts";
import { BYTES_AT, LENGTH_AT } from "../structures/ordered-nodes.ts";
import { HASH, SORTED_SET } from "./entry.ts";
import { SET_BYTES_AT, SET_LENGTH_AT } from "./member-set.ts";
import { readScore } from "./score-text.ts";
import { TREE_AT } from "./score-tree.ts";

/** Told about each item of a list, or each member of a set. */
export type VisitMember = (member: Slice) => void;
/** Told about each member of a sorted set. */
export type VisitScored = (member: Slice, score: number) => void;

const DIGITS_MAX = 24;

export class FrozenCollection {
  type = 0;
  encoding = 0;
  #reader: FreezeReader;
  #root: Ref = 0;
  readonly #listpack = new FrozenListpack();
  readonly #intset = new FrozenIntset();
  readonly #chunks = new FrozenChunkList();
  readonly #fields = new FrozenFieldTable();
  readonly #tree = new FrozenOrderedTree();
  readonly #block = new FrozenBlock();
  readonly #first = new Slice();
  readonly #second = new Slice();
  readonly #digits = Buffer.alloc(DIGITS_MAX);
  readonly #moreDigits = Buffer.alloc(DIGITS_MAX);

  constructor(reader: FreezeReader) {
    this.#reader = reader;
  }

  /** Points the cursor at a collection, as an entry names it. */
  moveTo(reader: FreezeReader, type: number, encoding: number, root: Ref): void {
    this.#reader = reader;
    this.#root = root;
    this.type = type;
    this.encoding = encoding;
  }

  /** Items, members or fields there are. */
  get count(): number {
    const reader = this.#reader;
    switch (this.encoding) {
      case INTSET:
        return this.#intset.moveTo(reader, this.#root).count;
      case TABLE:
        return new FrozenDictionary(reader, this.#root).count;
      case CHUNKS:
        return this.#chunks.moveTo(reader, this.#root).count;
      case TREE:
        return this.#tree.moveTo(reader, this.#root + TREE_AT).count;
      default:
        return this.#listpack.moveTo(reader, this.#root).count / this.#stride;
    }
  }

  /** Listpacks that a list is made of. */
  get nodes(): number {
    return this.encoding === CHUNKS ? this.#chunks.moveTo(this.#reader, this.#root).nodes : 1;
  }

  /** Fields of a hash that have deadlines; in a listpack with deadlines all count as if they had. */
  get datedCount(): number {
    if (this.encoding === LISTPACK_EX) return this.count;
    return this.encoding === TABLE ? this.#fields.datedCount(this.#reader, this.#root) : 0;
  }

  /** The first deadline of a hash that is a listpack with deadlines, in milliseconds since 1970: the earliest. */
  get firstDeadline(): number {
    const listpack = this.#listpack.moveTo(this.#reader, this.#root);
    return Number(listpack.integerAt(listpack.next(listpack.next(listpack.first()))));
  }

  /** All bytes of a collection that is one listpack or intset: what Redis's files hold of it, too. */
  packed(): Slice {
    if (this.encoding === INTSET) return this.#intset.moveTo(this.#reader, this.#root).readWhole(this.#first);
    return this.#listpack.moveTo(this.#reader, this.#root).readWhole(this.#first);
  }

  /** Visits a list's listpacks, in order. */
  forEachNode(visit: VisitMember): void {
    if (this.encoding === LISTPACK) visit(this.packed());
    else if (this.encoding === CHUNKS) {
      this.#chunks.moveTo(this.#reader, this.#root).forEach((chunk) => {
        visit(this.#listpack.moveTo(this.#reader, chunk).readWhole(this.#first));
      });
    } else this.#refuse("list");
  }

  /** Visits a list's items, in order. */
  forEachItem(visit: VisitMember): void {
    if (this.encoding === LISTPACK) this.#forEachInListpack(this.#root, visit);
    else if (this.encoding === CHUNKS) {
      this.#chunks.moveTo(this.#reader, this.#root).forEach((chunk) => {
        this.#forEachInListpack(chunk, visit);
      });
    } else this.#refuse("list");
  }

  /** Visits a set's members. */
  forEachMember(visit: VisitMember): void {
    if (this.encoding === LISTPACK) this.#forEachInListpack(this.#root, visit);
    else if (this.encoding === INTSET) this.#forEachInteger(visit);
    else if (this.encoding === TABLE) {
      new FrozenDictionary(this.#reader, this.#root).forEach((member) => {
        visit(this.#readMember(member, SET_LENGTH_AT, SET_BYTES_AT));
      });
    } else this.#refuse("set");
  }

  /** Visits a hash's fields, those included that have expired and had not been removed. */
  forEachField(visit: VisitField): void {
    if (this.encoding === TABLE) {
      this.#fields.forEach(this.#reader, this.#root, visit);
      return;
    }
    if (this.encoding !== LISTPACK && this.encoding !== LISTPACK_EX) this.#refuse("hash");
    const listpack = this.#listpack.moveTo(this.#reader, this.#root);
    for (let at = listpack.first(); at !== 0; at = listpack.next(at)) {
      listpack.read(at, this.#first, this.#digits);
      at = listpack.next(at);
      listpack.read(at, this.#second, this.#moreDigits);
      let deadline: number = UNDATED;
      if (this.encoding === LISTPACK_EX) {
        at = listpack.next(at);
        deadline = Number(listpack.integerAt(at));
      }
      visit(this.#first, this.#second, deadline);
    }
  }

  /** Visits a sorted set's members, in the order of their scores. */
  forEachScored(visit: VisitScored): void {
    if (this.encoding === TREE) {
      this.#tree.moveTo(this.#reader, this.#root + TREE_AT).forEach((element, score) => {
        visit(this.#readMember(element, LENGTH_AT, BYTES_AT), score);
      });
      return;
    }
    if (this.encoding !== LISTPACK) this.#refuse("sorted set");
    const listpack = this.#listpack.moveTo(this.#reader, this.#root);
    for (let at = listpack.first(); at !== 0; at = listpack.next(at)) {
      listpack.read(at, this.#first, this.#digits);
      at = listpack.next(at);
      const { bytes, start, length } = listpack.read(at, this.#second, this.#moreDigits);
      visit(this.#first, readScore(bytes, start, length));
    }
  }

  /** Visits the members of a sorted set that is a tree, from the highest score to the lowest. */
  forEachScoredBackwards(visit: VisitScored): void {
    if (this.encoding !== TREE) this.#refuse("sorted set's tree");
    this.#tree.moveTo(this.#reader, this.#root + TREE_AT).forEachBackwards((element, score) => {
      visit(this.#readMember(element, LENGTH_AT, BYTES_AT), score);
    });
  }

  /** Elements of a listpack for one of the collection. */
  get #stride(): number {
    if (this.encoding === LISTPACK_EX) return 3;
    return this.type === HASH || this.type === SORTED_SET ? 2 : 1;
  }

  #forEachInListpack(ref: Ref, visit: VisitMember): void {
    const listpack = this.#listpack.moveTo(this.#reader, ref);
    for (let at = listpack.first(); at !== 0; at = listpack.next(at)) {
      visit(listpack.read(at, this.#first, this.#digits));
    }
  }

  #forEachInteger(visit: VisitMember): void {
    const intset = this.#intset.moveTo(this.#reader, this.#root);
    for (let index = 0, { count } = intset; index < count; index++) {
      this.#first.set(this.#digits, 0, writeInt64(intset.at(index), this.#digits, 0));
      visit(this.#first);
    }
  }

  #readMember(ref: Ref, lengthAt: number, bytesAt: number): Slice {
    const block = this.#block;
    block.moveTo(this.#reader, ref);
    const length = block.words[lengthAt >>> 2]!;
    block.need(bytesAt + length);
    this.#first.set(block.bytes, bytesAt, length);
    return this.#first;
  }

  #refuse(type: string): never {
    throw new Error(`frozen: encoding ${this.encoding} is not one of a ${type}`);
  }
}
