/**
 * Region: one fixed SharedArrayBuffer that holds a shard's data, and the guard that every write to it passes.
 *
 *     region   +--------+----------+------------------------------------------------+
 *              | header | page map | pages of 4 KiB: spans of blocks, runs, free    |   heap.ts draws these
 *              +--------+----------+------------------------------------------------+
 *     control  EPOCH | STATE | SHADOW_USED | SHADOW_LIMIT | ... | marks, a word a page | slots, a word a page
 *     shadow   pages copied since the freeze, in the order in which they were first written
 *
 * A freeze is an O(1) point-in-time view: fork() in user space. While one is active, the first write to a page copies
 * that page to the shadow area and then marks it. A page is marked when its mark equals EPOCH, so that neither starting
 * nor ending a freeze has to clear anything.
 *
 * Why the order holds on every processor. Owner: copy page to shadow, store its slot, exchange(mark), write the page.
 * Reader (freeze-reader.ts): copy the live page, or(mark, 0), look. Both are atomic read-modify-writes of one word, and
 * those have a single order. Reader first: its loads happened before its own operation, which the owner's exchange
 * follows, and the owner's write follows that: what was read is as of the freeze. Owner first: the reader sees the mark
 * and takes the shadow page, whose bytes were stored before the exchange. A plain load of the mark would not do: it may
 * be ordered before the loads of the page.
 *
 * One writer: only the thread that owns the region writes to region, control and shadow; other threads only read.
 * (or(mark, 0) stores what was there; were it to become a plain store, it could undo a mark.) The one exception, words
 * of blocks that nobody else looks at, is argued in dead-blocks.ts.
 *
 * When the shadow area is full the freeze is aborted: STATE says so before the write goes on, a reader that finds it so
 * throws, and whoever started the freeze is told by `release()`. Never silent, and the writer never waits.
 */
import { threadId } from "node:worker_threads";
import { copyBytes, withView } from "../base/bytes.ts";
import { type BufferHolder, Discarded } from "./discarded.ts";

export const PAGE_BITS = 12;
export const PAGE_SIZE = 1 << PAGE_BITS;

/** A region is at most 2 GiB less a page, so that every byte index is a small integer in V8. */
export const REGION_SIZE_MAX = 2 ** 31 - PAGE_SIZE;
/** Smallest region that holds its own header and some data. */
export const REGION_SIZE_MIN = 256 * 1024;

/** Words of the control buffer; all stored by the region's owner. */
export const EPOCH = 0;
export const STATE = 1;
export const SHADOW_USED = 2;
export const SHADOW_LIMIT = 3;
export const MARKS = 16;

/** Values of STATE. */
export const IDLE = 0;
export const ACTIVE = 1;
export const ABORTED = 2;

/** What another thread needs to read a region as of a freeze; can be posted to a worker. */
export interface FrozenRegion {
  readonly buffer: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly shadow: SharedArrayBuffer;
  readonly epoch: number;
}

/** How a freeze ended. */
export interface FreezeOutcome {
  /** The shadow area was full and the view was given up. */
  readonly aborted: boolean;
  readonly copiedPages: number;
}

/** Called between the owner's copy of a page and its mark; tests put pauses here. */
export type FreezePause = (page: number) => void;

export class Region {
  readonly buffer: SharedArrayBuffer;
  readonly size: number;
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  /** True while a freeze is active: the one branch that the guard costs. */
  frozen = false;
  /** For tests: see FreezePause. */
  pause: FreezePause | undefined;

  readonly #control: SharedArrayBuffer;
  readonly #controlWords: Int32Array;
  readonly #slots: number;
  readonly #shadowLimit: number;
  readonly #owner = threadId;
  readonly #discarded: Discarded;
  #shadow: SharedArrayBuffer | undefined;
  #shadowBytes: Buffer | undefined;
  #epoch = 0;
  #audited: Buffer | undefined;
  readonly #isView: boolean;

  /**
   * @param size bytes, a multiple of the page size; reserved at once, committed by the operating system on first touch
   * @param shadowLimit bytes that a freeze may copy before it is aborted; at most `size`
   * @param holder gives back what is discarded
   * @param buffer of another thread's region: use `view`
   */
  constructor(size: number, shadowLimit: number = size, holder?: BufferHolder, buffer?: SharedArrayBuffer) {
    if (size % PAGE_SIZE !== 0 || size < REGION_SIZE_MIN || size > REGION_SIZE_MAX) {
      throw new RangeError(`region size ${size}: not a multiple of ${PAGE_SIZE} in its bounds`);
    }
    const pages = size >>> PAGE_BITS;
    this.size = size;
    this.#discarded = new Discarded(holder);
    this.buffer = buffer ?? new SharedArrayBuffer(size);
    this.#isView = buffer !== undefined;
    this.frozen = this.#isView;
    this.bytes = withView(Buffer.from(this.buffer));
    this.words = new Int32Array(this.buffer);
    this.doubles = new Float64Array(this.buffer);
    this.#slots = MARKS + pages;
    this.#control = new SharedArrayBuffer((MARKS + 2 * pages) * 4);
    this.#controlWords = new Int32Array(this.#control);
    this.#shadowLimit = Math.min(size, shadowLimit) >>> PAGE_BITS;
  }

  /**
   * Another thread's view of a region, to be read only: its guard refuses every write. What may be read is what the
   * owner cannot change meanwhile: values that it has let go of.
   */
  static view(buffer: SharedArrayBuffer): Region {
    return new Region(buffer.byteLength, 0, undefined, buffer);
  }

  /** Number of the freeze that is active, or of those before; another one each time a view begins or ends. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether the active freeze is one that will be compared with a copy, so that nobody but the owner may write. */
  get isAudited(): boolean {
    return this.#audited !== undefined;
  }

  /** Must come before any write to [at, at + length). One predictable branch while nothing is frozen. */
  guard(at: number, length: number): void {
    if (this.frozen) this.#preserve(at, length);
  }

  /** Guarded store of one word at byte offset `at`. */
  setWord(at: number, value: number): void {
    if (this.frozen) this.#preserve(at, 4);
    this.words[at >>> 2] = value;
  }

  /** The word at byte offset `at`. */
  word(at: number): number {
    return this.words[at >>> 2]!;
  }

  /**
   * Begins a point-in-time view, in O(1). One at a time.
   * @param audit keep a copy of the region, so that `release` can prove that no write escaped the guard (tests)
   */
  freeze(audit = false): FrozenRegion {
    if (this.frozen || this.#controlWords[STATE] !== IDLE) throw new Error("region: a freeze is already active");
    if (threadId !== this.#owner) throw new Error("region: only its owner can freeze it");
    this.#shadow ??= new SharedArrayBuffer(this.#shadowLimit << PAGE_BITS);
    this.#shadowBytes ??= Buffer.from(this.#shadow);
    if (audit) this.#audited = Buffer.from(this.bytes);
    const control = this.#controlWords;
    this.#epoch += 1;
    control[SHADOW_USED] = 0;
    control[SHADOW_LIMIT] = this.#shadowLimit;
    Atomics.store(control, EPOCH, this.#epoch);
    Atomics.store(control, STATE, ACTIVE);
    this.frozen = true;
    return { buffer: this.buffer, control: this.#control, shadow: this.#shadow, epoch: this.#epoch };
  }

  /**
   * Ends the view. Whoever read it must have finished; a reader that has not finds another epoch and throws.
   * @throws Error if the freeze was audited and a write escaped the guard; the view has ended all the same
   */
  release(): FreezeOutcome {
    const control = this.#controlWords;
    const state = control[STATE];
    if (state === IDLE) throw new Error("region: no freeze is active");
    const copiedPages = control[SHADOW_USED]!;
    const escaped = this.#audited !== undefined && state === ACTIVE ? this.#findEscaped(this.#audited) : undefined;
    this.#audited = undefined;
    this.frozen = false;
    this.#epoch += 1;
    Atomics.store(control, EPOCH, this.#epoch);
    // An exchange, as for a mark: the next, unguarded write must not be seen by a reader that still finds ACTIVE.
    Atomics.exchange(control, STATE, IDLE);
    if (copiedPages > SHADOW_KEPT_PAGES && this.#discarded.offer(this.#shadow!)) {
      this.#shadow = undefined;
      this.#shadowBytes = undefined;
    }
    if (escaped !== undefined) throw new Error(`region: a write to page ${escaped} escaped the guard`);
    return { aborted: state === ABORTED, copiedPages };
  }

  /** Pages copied by the active freeze: the gauge of the shadow area. */
  get shadowPages(): number {
    return this.#controlWords[STATE] === IDLE ? 0 : this.#controlWords[SHADOW_USED]!;
  }

  #preserve(at: number, length: number): void {
    if (this.#isView) throw new Error("region: only its owner may write to it");
    const last = (at + length - 1) >> PAGE_BITS;
    for (let page = at >>> PAGE_BITS; page <= last && this.frozen; page++) {
      if (this.#controlWords[MARKS + page] !== this.#epoch) this.#preservePage(page);
    }
  }

  #preservePage(page: number): void {
    const control = this.#controlWords;
    const slot = control[SHADOW_USED]!;
    if (slot >= this.#shadowLimit) {
      this.#abort();
      return;
    }
    const from = page << PAGE_BITS;
    copyBytes(this.bytes, from, this.#shadowBytes!, slot << PAGE_BITS, PAGE_SIZE);
    control[this.#slots + page] = slot;
    control[SHADOW_USED] = slot + 1;
    if (this.pause !== undefined) this.pause(page);
    Atomics.exchange(control, MARKS + page, this.#epoch);
  }

  /** The exchange orders STATE before the write that has no shadow, as a mark would. */
  #abort(): void {
    Atomics.exchange(this.#controlWords, STATE, ABORTED);
    this.frozen = false;
  }

  /** The first page whose frozen contents, live or in the shadow area, are not what they were; undefined if none. */
  #findEscaped(before: Buffer): number | undefined {
    const control = this.#controlWords;
    for (let page = 0; page < this.size >>> PAGE_BITS; page++) {
      const isMarked = control[MARKS + page] === this.#epoch;
      const at = page << PAGE_BITS;
      const frozenAt = isMarked ? control[this.#slots + page]! << PAGE_BITS : at;
      const frozen = isMarked ? this.#shadowBytes! : this.bytes;
      if (before.compare(frozen, frozenAt, frozenAt + PAGE_SIZE, at, at + PAGE_SIZE) !== 0) return page;
    }
    return undefined;
  }
}

/** A shadow area that copied more than this may be given back to the operating system when its freeze ends. */
const SHADOW_KEPT_PAGES = 4096;
