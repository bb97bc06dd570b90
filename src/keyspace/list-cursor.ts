/**
 * ListCursor: reads a list of either encoding, and changes it one element at a time.
 *
 *     LISTPACK   one listpack, which floats in its block; the root is where it begins
 *     CHUNKS     structures/chunk-list.ts
 *
 * A view: `attach` points it at a list. It stands at an element, or nowhere. A write may change the root: `root` is
 * what the key is to have then. lists.ts decides on encodings. Owner thread only.
 */
import type { Slice } from "../base/bytes.ts";
import type { Heap, Ref } from "../memory/heap.ts";
import { ChunkList } from "../structures/chunk-list.ts";
import { CHUNKS } from "../structures/collection.ts";
import type { Listpack } from "../structures/listpack.ts";
import { EMPTY_SIZE, integerIn } from "../structures/listpack-format.ts";

export class ListCursor {
  readonly heap: Heap;
  readonly chunks: ChunkList;
  /** The listpack, or that of the node at the cursor. */
  readonly pack: Listpack;
  #isChunked = false;
  #at = 0;

  constructor(heap: Heap) {
    this.heap = heap;
    this.chunks = new ChunkList(heap);
    this.pack = this.chunks.pack;
  }

  attach(encoding: number, root: Ref): this {
    this.#isChunked = encoding === CHUNKS;
    if (this.#isChunked) this.chunks.attach(root);
    else this.pack.attach(root);
    return this;
  }

  /** Points at a new, empty list. @param bytes that it will have @throws RegionFullError */
  create(encoding: number, bytes: number): this {
    return this.attach(encoding, encoding === CHUNKS ? this.chunks.create() : this.pack.create(EMPTY_SIZE + bytes));
  }

  get root(): Ref {
    return this.#isChunked ? this.chunks.root : this.pack.ref;
  }

  get count(): number {
    return this.#isChunked ? this.chunks.count : this.pack.count;
  }

  /** Moves to element `index`, negative from the end. @returns false if there is none */
  seek(index: number): boolean {
    this.#at = this.#isChunked ? this.chunks.seek(index) : this.pack.seek(index);
    return this.#at !== 0;
  }

  /** Moves to the element behind. @returns false if that was the last */
  next(): boolean {
    let at = this.pack.next(this.#at);
    if (at === 0 && this.#isChunked) at = this.chunks.nextNode();
    this.#at = at;
    return at !== 0;
  }

  /** Moves to the element before. @returns false if that was the first */
  previous(): boolean {
    let at = this.pack.previous(this.#at);
    if (at === 0 && this.#isChunked) at = this.chunks.previousNode();
    this.#at = at;
    return at !== 0;
  }

  /** Points `into` at the element; the digits of an integer are good until the next one is read. */
  read(into: Slice): Slice {
    return this.pack.read(this.#at, into);
  }

  /** Does what `read` does and then `next`, quicker than the two. @returns false if that was the last */
  readOn(into: Slice): boolean {
    let at = this.pack.readOn(this.#at, into);
    if (at === 0 && this.#isChunked) at = this.chunks.nextNode();
    this.#at = at;
    return at !== 0;
  }

  /**
   * Moves on, from where it stands, to the first element that is these bytes.
   * @param limit elements to look at
   * @returns elements passed over; -1 if none of them is
   */
  find(bytes: Buffer, start: number, length: number, isForward: boolean, limit: number): number {
    const integer = integerIn(bytes, start, length);
    for (let passed = 0; passed < limit && this.#at !== 0; passed++) {
      if (this.pack.matches(this.#at, bytes, start, length, integer)) return passed;
      if (isForward) this.next();
      else this.previous();
    }
    return -1;
  }

  /** Adds an element at one end. @throws RegionFullError with nothing changed */
  push(isHead: boolean, bytes: Buffer, start: number, length: number, limit: number): void {
    if (this.#isChunked) this.chunks.push(isHead, bytes, start, length, limit);
    else if (isHead) this.pack.prepend(bytes, start, length);
    else this.pack.append(bytes, start, length);
  }

  /** Puts an element before or behind this one. @throws RegionFullError with nothing changed */
  insert(isBehind: boolean, bytes: Buffer, start: number, length: number, limit: number): void {
    if (this.#isChunked) this.chunks.insert(this.#at, isBehind, bytes, start, length, limit);
    else if (isBehind) this.pack.insertAfter(this.#at, bytes, start, length);
    else this.pack.insertBefore(this.#at, bytes, start, length);
  }

  /** Puts other bytes in the place of this element. @throws RegionFullError with nothing changed */
  replace(bytes: Buffer, start: number, length: number): void {
    if (this.#isChunked) this.chunks.replace(this.#at, bytes, start, length);
    else this.pack.replace(this.#at, bytes, start, length);
  }

  /** Removes this element, and moves to the next or the previous one. Never fails. @returns false if there is none */
  remove(isForward: boolean): boolean {
    const { chunks, pack } = this;
    if (this.#isChunked) {
      this.#at = isForward ? chunks.removeForward(this.#at) : chunks.removeBackward(this.#at);
    } else {
      const previous = isForward ? 0 : pack.previous(this.#at);
      const next = pack.remove(this.#at);
      this.#at = isForward ? next : previous;
    }
    return this.#at !== 0;
  }

  /** Removes `count` elements from index `from` on, all of which must be there. Never fails. */
  removeRange(from: number, count: number): void {
    if (this.#isChunked) this.chunks.removeRange(from, count);
    else if (count > 0) this.pack.remove(this.pack.seek(from), count);
  }
}
