/**
 * ListpackBlock: where a listpack stands in its block, and how room is made in it.
 *
 *     block   +------ gap ------+---------- listpack ----------+---- free ----+
 *                               ref
 *
 * Usually a listpack begins where its block does. One that floats may begin behind a gap: what is put in front of its
 * elements, or taken from there, then costs its own bytes and a new header, and no other element is moved. Lists are
 * so, because they are queues; of others the ref is the block, which is simpler to own.
 *
 * Of a block larger than the heap's largest class, only the first page can be gap: `Heap.blockOf` says why.
 */
import { copyBytes, moveBytes } from "../base/bytes.ts";
import { type Heap, NONE, type Ref, RegionFullError } from "../memory/heap.ts";
import { PAGE_SIZE, type Region } from "../memory/region.ts";
import { SMALL_MAX } from "../memory/size-classes.ts";
import { isLoose, withRoom } from "./block-growth.ts";
import { COUNT, COUNT_UNKNOWN, EMPTY_SIZE, END, HEADER_SIZE, readWord, writeWord } from "./listpack-format.ts";

/** The largest gap in a block that is pages. */
const PAGE_GAP_MAX = PAGE_SIZE - 16;

export class ListpackBlock {
  readonly heap: Heap;
  readonly #floats: boolean;
  readonly #region: Region;
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  #ref: Ref = NONE;

  constructor(heap: Heap, floats: boolean) {
    this.heap = heap;
    this.#floats = floats;
    this.#region = heap.region;
    this.#words = heap.region.words;
    this.#bytes = heap.region.bytes;
  }

  /**
   * A new, empty listpack at the beginning of a block of `capacity` bytes or more; the view stays where it is.
   * @throws RegionFullError
   */
  create(capacity: number = EMPTY_SIZE): Ref {
    const ref = this.heap.allocate(Math.max(capacity, EMPTY_SIZE));
    this.#region.guard(ref, 8);
    this.#words[ref >>> 2] = EMPTY_SIZE;
    this.#words[(ref + COUNT) >>> 2] = END << 16;
    return ref;
  }

  /** Points at the listpack that begins at `ref`. */
  attach(ref: Ref): this {
    this.#ref = ref;
    return this;
  }

  /** Where the listpack begins; elsewhere after a write that had to move it. Its block, unless it floats. */
  get ref(): Ref {
    return this.#ref;
  }

  /** The block that the listpack stands in. */
  get block(): Ref {
    return this.#floats ? this.heap.blockOf(this.#ref) : this.#ref;
  }

  get byteLength(): number {
    const ref = this.#ref;
    return (ref & 3) === 0 ? this.#words[ref >>> 2]! : readWord(this.#bytes, ref);
  }

  /** Elements as the header has them: COUNT_UNKNOWN if they must be counted. */
  protected get storedCount(): number {
    const at = this.#ref + COUNT;
    return this.#bytes[at]! | (this.#bytes[at + 1]! << 8);
  }

  protected countMore(more: number): void {
    const stored = this.storedCount;
    if (stored === COUNT_UNKNOWN) return;
    const at = this.#ref + COUNT;
    this.#region.guard(at, 2);
    this.#bytes[at] = stored + more;
    this.#bytes[at + 1] = (stored + more) >>> 8;
  }

  protected verifyBlock(): void {
    const { block } = this;
    if (this.#ref + this.byteLength > block + this.heap.sizeOf(block)) {
      throw new Error(`listpack ${this.#ref} is larger than its block`);
    }
  }

  /**
   * Makes the `oldSize` bytes at `at` be `newSize`, their contents undefined.
   * @throws RegionFullError with nothing changed
   */
  protected resize(at: number, oldSize: number, newSize: number): void {
    if (oldSize === newSize) return;
    const total = this.byteLength;
    const newTotal = total - oldSize + newSize;
    const { block } = this;
    const blockSize = this.heap.sizeOf(block);
    const isInFront = this.#floats && at === HEADER_SIZE && total > EMPTY_SIZE;
    const grows = newSize > oldSize;
    if (newTotal > blockSize) {
      const target = this.heap.allocate(withRoom(newTotal));
      this.#move(target, this.#gapIn(target, newTotal, isInFront), at, oldSize, newSize);
    } else if (!grows && isLoose(newTotal, blockSize) && this.#moveToSmaller(newTotal, at, oldSize, newSize)) {
      // It has moved.
    } else if (isInFront && this.canBegin(this.#ref + oldSize - newSize, block, blockSize)) {
      this.#begin(this.#ref + oldSize - newSize);
    } else if (!(isInFront && grows) && this.#ref + newTotal <= block + blockSize) {
      this.#shift(at, oldSize, newSize, total);
    } else {
      this.#slide(block + this.#gapIn(block, newTotal, isInFront), at, oldSize, newSize);
    }
    this.#setTotal(newTotal);
  }

  /** Whether a floating listpack may begin at `ref`. */
  protected canBegin(ref: Ref, block: Ref, blockSize: number): boolean {
    return ref >= block && (blockSize <= SMALL_MAX || ref <= block + PAGE_GAP_MAX);
  }

  /**
   * The gap for a listpack of `size` that is to be put into `block`: three quarters of what is free where it grows, the
   * rest at the other end, so that one that grows at both is not moved each time; none while it grows only behind.
   */
  #gapIn(block: Ref, size: number, isInFront: boolean): number {
    if (!isInFront && this.#ref === this.block) return 0;
    const blockSize = this.heap.sizeOf(block);
    const free = blockSize - size;
    const gap = isInFront ? free - (free >>> 2) : free >>> 2;
    return blockSize <= SMALL_MAX ? gap : Math.min(gap, PAGE_GAP_MAX);
  }

  /** The elements stay where they are; the header is written anew in front of them. */
  #begin(ref: Ref): void {
    const count = this.storedCount;
    this.#region.guard(ref, HEADER_SIZE);
    this.#bytes[ref + COUNT] = count;
    this.#bytes[ref + COUNT + 1] = count >>> 8;
    this.#ref = ref;
  }

  #shift(at: number, oldSize: number, newSize: number, total: number): void {
    const ref = this.#ref;
    this.#region.guard(ref + at, total - at + Math.max(0, newSize - oldSize));
    moveBytes(this.#bytes, ref + at + oldSize, ref + at + newSize, total - at - oldSize);
  }

  /** Moves the listpack within its block, to begin at `to`: that part first whose new place the other does not need. */
  #slide(to: Ref, at: number, oldSize: number, newSize: number): void {
    const from = this.#ref;
    const bytes = this.#bytes;
    const rest = this.byteLength - at - oldSize;
    this.#region.guard(to, at + newSize + rest);
    if (to < from) moveBytes(bytes, from, to, at);
    moveBytes(bytes, from + at + oldSize, to + at + newSize, rest);
    if (to >= from) moveBytes(bytes, from, to, at);
    this.#ref = to;
  }

  /** @returns false if there is no room for the smaller block just now: the larger one will do */
  #moveToSmaller(newTotal: number, at: number, oldSize: number, newSize: number): boolean {
    let target: Ref;
    try {
      target = this.heap.allocate(withRoom(newTotal));
    } catch (error) {
      if (error instanceof RegionFullError) return false;
      throw error;
    }
    this.#move(target, 0, at, oldSize, newSize);
    return true;
  }

  #move(target: Ref, gap: number, at: number, oldSize: number, newSize: number): void {
    const from = this.#ref;
    const to = target + gap;
    const bytes = this.#bytes;
    const rest = this.byteLength - at - oldSize;
    this.#region.guard(to, at + newSize + rest);
    copyBytes(bytes, from, bytes, to, at);
    copyBytes(bytes, from + at + oldSize, bytes, to + at + newSize, rest);
    this.heap.free(this.block);
    this.#ref = to;
  }

  #setTotal(total: number): void {
    const ref = this.#ref;
    this.#region.guard(ref, 4);
    if ((ref & 3) === 0) this.#words[ref >>> 2] = total;
    else writeWord(this.#bytes, ref, total);
  }
}
