/**
 * FreezeReader: the frozen contents of a region, for another thread than the one that writes it.
 *
 * It copies what it needs from the live region, and only then asks, by an atomic read-modify-write, whether the owner
 * had begun to write that page (region.ts argues why that order is enough).
 *
 *     word   one word, through pages that are kept, direct-mapped by page number: for tables, walked in order
 *     copy   a range, past the kept pages: for what stands anywhere, as entries do that are met in the order of hashes
 *
 * Within a freeze a page never changes, so a kept page needs no second look. Structures are walked with the same
 * offsets as live. Any thread may have any number of readers; a reader is used by one thread.
 */
import { copyBytes, withView } from "../base/bytes.ts";
import { ABORTED, ACTIVE, EPOCH, type FrozenRegion, MARKS, PAGE_BITS, PAGE_SIZE, STATE } from "./region.ts";

/** Pages kept: 256 of them are 1 MiB, which a processor's second cache holds. */
const KEPT_PAGES = 256;

/** "The page has not been copied": what is live is as of the freeze. */
export const NOT_SHADOWED = -1;

/** The view was given up: the shadow area was full, or the freeze has been released. */
export class FreezeLostError extends Error {
  readonly code = "FREEZE_LOST";
}

export class FreezeReader {
  protected readonly live: Buffer;
  protected readonly shadow: Buffer;
  readonly #liveWords: Int32Array;
  readonly #control: Int32Array;
  readonly #slots: number;
  readonly #epoch: number;
  readonly #kept = Buffer.alloc(KEPT_PAGES * PAGE_SIZE);
  readonly #keptWords = new Int32Array(this.#kept.buffer, this.#kept.byteOffset, (KEPT_PAGES * PAGE_SIZE) >>> 2);
  readonly #keptPage = new Int32Array(KEPT_PAGES).fill(-1);
  /** Of no meaning: see `expect`. */
  protected expected = 0;
  protected readonly pause: ((page: number) => void) | undefined;

  /** @param pause called between copying from a page and asking for its mark; tests put pauses here */
  constructor(frozen: FrozenRegion, pause?: (page: number) => void) {
    this.live = withView(Buffer.from(frozen.buffer));
    this.shadow = withView(Buffer.from(frozen.shadow));
    this.#liveWords = new Int32Array(frozen.buffer);
    this.#control = new Int32Array(frozen.control);
    this.#slots = MARKS + (frozen.buffer.byteLength >>> PAGE_BITS);
    this.#epoch = frozen.epoch;
    this.pause = pause;
  }

  /** The word at byte offset `at`, as of the freeze. @throws FreezeLostError */
  word(at: number): number {
    const page = at >>> PAGE_BITS;
    const place = page & (KEPT_PAGES - 1);
    if (this.#keptPage[place] !== page) this.#keep(page, place);
    return this.#keptWords[((place << PAGE_BITS) + (at & (PAGE_SIZE - 1))) >>> 2]!;
  }

  /**
   * Brings near what will be copied soon: all cache misses at once, instead of one after the other. What is read is not
   * used, and need not be as of the freeze; the sum keeps the compiler from leaving it out.
   * @param refs the first `count` of them
   */
  expect(refs: Int32Array, count: number): void {
    let sum = 0;
    for (let index = 0; index < count; index++) {
      const ref = refs[index]!;
      sum ^= this.#liveWords[ref >>> 2]! ^ this.#control[MARKS + (ref >>> PAGE_BITS)]!;
    }
    this.expected = sum;
  }

  /** Copies [at, at + length), as of the freeze, to `target` from `targetStart` on. @throws FreezeLostError */
  copy(at: number, length: number, target: Buffer, targetStart: number): void {
    for (let done = 0; done < length; ) {
      const from = at + done;
      const part = Math.min(PAGE_SIZE - (from & (PAGE_SIZE - 1)), length - done);
      this.fetch(from, part, target, targetStart + done);
      done += part;
    }
  }

  /**
   * Copies a range that lies in one page: first the live bytes, then the question whether they are still the frozen.
   */
  protected fetch(at: number, length: number, target: Buffer, targetStart: number): void {
    copyBytes(this.live, at, target, targetStart, length);
    if (this.pause !== undefined) this.pause(at >>> PAGE_BITS);
    const shadowAt = this.shadowOf(at >>> PAGE_BITS);
    if (shadowAt !== NOT_SHADOWED) {
      copyBytes(this.shadow, shadowAt + (at & (PAGE_SIZE - 1)), target, targetStart, length);
    }
    this.assertHeld();
  }

  /** Where in the shadow area the page's copy is, or NOT_SHADOWED. */
  protected shadowOf(page: number): number {
    const isMarked = Atomics.or(this.#control, MARKS + page, 0) === this.#epoch;
    return isMarked ? this.#control[this.#slots + page]! << PAGE_BITS : NOT_SHADOWED;
  }

  /** After the copy: a view that was given up in the meantime must not hand out what it read. */
  protected assertHeld(): void {
    const state = Atomics.or(this.#control, STATE, 0);
    if (state === ACTIVE && Atomics.load(this.#control, EPOCH) === this.#epoch) return;
    throw new FreezeLostError(
      state === ABORTED ? "the shadow area was full, the view was given up" : "the freeze was released",
    );
  }

  #keep(page: number, place: number): void {
    this.#keptPage[place] = -1;
    this.fetch(page << PAGE_BITS, PAGE_SIZE, this.#kept, place << PAGE_BITS);
    this.#keptPage[place] = page;
  }
}
