/**
 * FreezeReader: the frozen contents of a region, for another thread than the one that writes it.
 *
 * It copies the page it needs from the live region, and only then asks, by an atomic read-modify-write, whether the
 * owner had begun to write it (region.ts argues why that order is enough). What it copied is kept, direct-mapped by
 * page number: within a freeze a page never changes, so a kept page needs no second look.
 *
 * Every read is of whole words or of byte ranges at region offsets; structures are walked with the same offsets as live.
 * Any thread may have any number of readers; a reader is used by one thread.
 */
import { ABORTED, ACTIVE, EPOCH, type FrozenRegion, MARKS, PAGE_BITS, PAGE_SIZE, STATE } from "./region.ts";

/** Pages kept: 1,024 of them are 4 MiB, enough for the directory and the segments of a walk in order. */
const KEPT_PAGES = 1024;

/** The view was given up: the shadow area was full, or the freeze has been released. */
export class FreezeLostError extends Error {
  readonly code = "FREEZE_LOST";
}

export class FreezeReader {
  readonly #live: Uint8Array;
  readonly #shadow: Uint8Array;
  readonly #control: Int32Array;
  readonly #slots: number;
  readonly #epoch: number;
  readonly #kept = Buffer.alloc(KEPT_PAGES * PAGE_SIZE);
  readonly #keptWords = new Int32Array(this.#kept.buffer, this.#kept.byteOffset, (KEPT_PAGES * PAGE_SIZE) >>> 2);
  readonly #keptPage = new Int32Array(KEPT_PAGES).fill(-1);
  readonly #pause: ((page: number) => void) | undefined;

  /** @param pause called between copying a page and asking for its mark; tests put pauses here */
  constructor(frozen: FrozenRegion, pause?: (page: number) => void) {
    this.#live = new Uint8Array(frozen.buffer);
    this.#shadow = new Uint8Array(frozen.shadow);
    this.#control = new Int32Array(frozen.control);
    this.#slots = MARKS + (frozen.buffer.byteLength >>> PAGE_BITS);
    this.#epoch = frozen.epoch;
    this.#pause = pause;
  }

  /** The word at byte offset `at`, as of the freeze. */
  word(at: number): number {
    return this.#keptWords[(this.#position(at >>> PAGE_BITS) + (at & (PAGE_SIZE - 1))) >>> 2]!;
  }

  /** Copies [at, at + length), as of the freeze, to `target` from `targetStart` on. */
  copy(at: number, length: number, target: Uint8Array, targetStart: number): void {
    let done = 0;
    while (done < length) {
      const from = at + done;
      const within = from & (PAGE_SIZE - 1);
      const part = Math.min(PAGE_SIZE - within, length - done);
      const position = this.#position(from >>> PAGE_BITS) + within;
      target.set(this.#kept.subarray(position, position + part), targetStart + done);
      done += part;
    }
  }

  /** Where in the kept pages `page` stands; fetches it if it does not. */
  #position(page: number): number {
    const place = page & (KEPT_PAGES - 1);
    const position = place << PAGE_BITS;
    if (this.#keptPage[place] !== page) {
      this.#keptPage[place] = -1;
      this.#fetch(page, position);
      this.#keptPage[place] = page;
    }
    return position;
  }

  #fetch(page: number, position: number): void {
    const from = page << PAGE_BITS;
    this.#kept.set(this.#live.subarray(from, from + PAGE_SIZE), position);
    if (this.#pause !== undefined) this.#pause(page);
    if (Atomics.or(this.#control, MARKS + page, 0) === this.#epoch) {
      const slot = this.#control[this.#slots + page]! << PAGE_BITS;
      this.#kept.set(this.#shadow.subarray(slot, slot + PAGE_SIZE), position);
    }
    this.#assertHeld();
  }

  /** After the copy: a view that was given up in the meantime must not hand out what it read. */
  #assertHeld(): void {
    const state = Atomics.or(this.#control, STATE, 0);
    if (state === ACTIVE && Atomics.load(this.#control, EPOCH) === this.#epoch) return;
    throw new FreezeLostError(
      state === ABORTED ? "the shadow area was full, the view was given up" : "the freeze was released",
    );
  }
}
