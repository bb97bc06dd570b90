/**
 * MemberTable: the members of a large set, hash or sorted set, found by their bytes.
 *
 *     root: a dictionary's header (32 B)       member (a block)
 *     hash -> member                           +lengthAt  bits 0-29 length of the bytes; bits 30, 31 the owner's flags
 *                                              +bytesAt   the bytes, padded with zeros to a whole word
 *
 * What else a member holds (a score, a field's value) stands before or behind, and is its owner's. The table grows and
 * shrinks a segment at a time, as the keyspace does: no member's arrival costs more than a segment.
 *
 * A view: `attach` points it at another table. Owner thread only.
 */
import { type Heap, NONE, type Ref } from "../memory/heap.ts";
import { DICTIONARY_SIZE, Dictionary, type Slot } from "./dictionary.ts";

export const MEMBER_LENGTH_MASK = 0x3fffffff;

export class MemberTable {
  readonly heap: Heap;
  readonly dictionary: Dictionary;
  readonly lengthAt: number;
  readonly bytesAt: number;
  readonly #words: Int32Array;
  #header: Ref = NONE;

  /** @param lengthAt bytesAt multiples of four */
  constructor(heap: Heap, lengthAt: number, bytesAt: number) {
    this.heap = heap;
    this.lengthAt = lengthAt;
    this.bytesAt = bytesAt;
    this.#words = heap.region.words;
    this.dictionary = new Dictionary(heap, NONE);
  }

  /** Points at the table whose dictionary's header stands at `header`. */
  attach(header: Ref): this {
    this.#header = header;
    this.dictionary.attach(header);
    return this;
  }

  /** A new, empty table's header in a block of its own. @throws RegionFullError */
  create(): Ref {
    const header = this.heap.allocate(DICTIONARY_SIZE);
    this.heap.region.guard(header, DICTIONARY_SIZE);
    this.#words.fill(0, header >>> 2, (header + DICTIONARY_SIZE) >>> 2);
    return header;
  }

  get count(): number {
    return this.dictionary.count;
  }

  length(member: Ref): number {
    return this.#words[(member + this.lengthAt) >>> 2]! & MEMBER_LENGTH_MASK;
  }

  /** Byte offset of the member's bytes. */
  start(member: Ref): number {
    return member + this.bytesAt;
  }

  /** The member whose bytes are the first `length` in `words`, padded with zeros; NONE if there is none. */
  find(words: Int32Array, length: number, hash: number): Ref {
    const slot = this.#seek(words, length, hash);
    return slot === 0 ? NONE : this.dictionary.at(slot);
  }

  /**
   * Adds a member that is absent, its bytes written.
   * @throws RegionFullError when no room can be made; the table is as it was
   */
  insert(hash: number, member: Ref): void {
    this.dictionary.insert(hash, member);
  }

  /** Puts another block in the place of a member of the same bytes. */
  replace(hash: number, old: Ref, member: Ref): void {
    this.dictionary.replace(this.dictionary.slotOf(hash, old), member);
  }

  /** Visits all blocks: those of the members, of the table, and the header's. Each may be freed when it is visited. */
  forEachBlock(visit: (block: Ref) => void): void {
    for (let place = this.walkBlocks(0, visit); place !== 0; ) place = this.walkBlocks(place, visit);
  }

  /** Does so a segment at a time. @param place 0 begins @returns the place to go on from, 0 at the end */
  walkBlocks(place: number, visit: (block: Ref) => void): number {
    const next = this.dictionary.walk(place, visit, visit);
    if (next === 0) visit(this.#header);
    return next;
  }

  /** Takes a member out; its block is the caller's now. */
  remove(hash: number, member: Ref): void {
    this.dictionary.remove(this.dictionary.slotOf(hash, member));
  }

  /** Writes the padded bytes into a member's block; the length word is the caller's. */
  writeBytes(member: Ref, words: Int32Array, length: number): void {
    const at = member + this.bytesAt;
    const count = (length + 3) >>> 2;
    this.heap.region.guard(at, count << 2);
    const target = this.#words;
    if (count > 64) target.set(words.subarray(0, count), at >>> 2);
    else for (let index = 0; index < count; index++) target[(at >>> 2) + index] = words[index]!;
  }

  #seek(words: Int32Array, length: number, hash: number): Slot {
    const { dictionary } = this;
    let slot = dictionary.seek(hash);
    while (slot !== 0 && !this.#equals(dictionary.at(slot), words, length)) slot = dictionary.seekNext(slot, hash);
    return slot;
  }

  #equals(member: Ref, key: Int32Array, length: number): boolean {
    const words = this.#words;
    if ((words[(member + this.lengthAt) >>> 2]! & MEMBER_LENGTH_MASK) !== length) return false;
    const start = (member + this.bytesAt) >>> 2;
    for (let index = (length + 3) >>> 2; --index >= 0; ) {
      if (words[start + index] !== key[index]) return false;
    }
    return true;
  }
}
