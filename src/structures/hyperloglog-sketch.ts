/**
 * Sketch: a HyperLogLog's bytes while they are changed, in a buffer outside any region: a command loads a value, raises
 * registers, and stores what came out. One is reused for all commands, and holds nothing between them that counts.
 *
 * A sparse value is changed as Redis changes it, run by run, because the bytes that come out are compared, replicated
 * and dumped: which runs are split and joined depends on the order in which registers were raised.
 *
 * Invariant: bytes [0, length) are a HyperLogLog by their header. A damaged one may come in; it is told apart when a
 * register is not found, or when the runs do not add up.
 */
import { copyBytes, type Slice } from "../base/bytes.ts";
import {
  DENSE,
  DENSE_SIZE,
  denseByte,
  denseRank,
  denseShift,
  ENCODING,
  HEADER_SIZE,
  LONG_ZEROS,
  mergeInto,
  REGISTERS,
  runLength,
  runRank,
  runSize,
  STALE,
  STALE_AT,
  VALUES,
} from "./hyperloglog.ts";

/** What raising a register came to. */
export const UNCHANGED = 0;
export const CHANGED = 1;
export const DAMAGED = -1;

/** The highest rank that a sparse run can have. */
const SPARSE_RANK_MAX = 32;
/** The most registers that fit one run of values, or one short run of zeros. */
const VALUES_MAX = 4;
const SHORT_ZEROS_MAX = 64;
/** The most bytes that a run is replaced by: zeros, a value, zeros. */
const REPLACEMENT_MAX = 5;
/** Runs, from the one before a changed one on, that are looked at for neighbours to join. */
const JOIN_STEPS = 5;

const EMPTY = Buffer.from(`HYLL\x01${"\0".repeat(11)}\x7f\xff`, "latin1");

export class Sketch {
  bytes = Buffer.alloc(DENSE_SIZE);
  length = 0;
  readonly #registers = new Uint8Array(REGISTERS);
  /** The run that was found last: where it stands, its first register, and the run before it, 0 for none. */
  #run = 0;
  #first = 0;
  #before = 0;
  /** A run where the next search may begin, 0 for none, and its first register. */
  #resume = 0;
  #resumeFirst = 0;

  /** One that has seen nothing. */
  clear(): void {
    this.#load(EMPTY, 0, EMPTY.length);
  }

  /** A copy of a value. */
  load(value: Slice): void {
    this.#load(value.bytes, value.start, value.length);
  }

  get isDense(): boolean {
    return this.bytes[ENCODING] === DENSE;
  }

  /** The cached estimate is out of date. */
  invalidate(): void {
    this.bytes[STALE_AT]! |= STALE;
  }

  /**
   * Raises a register to `rank`, if it is lower.
   * @param sizeMax bytes from which on a value that would grow becomes dense
   * @returns CHANGED, UNCHANGED, or DAMAGED with nothing changed
   */
  raise(register: number, rank: number, sizeMax: number): number {
    const outcome = this.isDense ? this.#raiseDense(register, rank) : this.#raiseSparse(register, rank, sizeMax);
    if (outcome === CHANGED) this.invalidate();
    return outcome;
  }

  /** @returns false if the value is damaged; nothing has changed then */
  makeDense(): boolean {
    if (this.isDense) return true;
    this.#registers.fill(0);
    if (!mergeInto(this.#registers, this.bytes, 0, this.length)) return false;
    this.bytes.fill(0, HEADER_SIZE, DENSE_SIZE);
    // The three bytes behind the encoding stay what they are.
    this.bytes[ENCODING] = DENSE;
    this.length = DENSE_SIZE;
    for (let register = 0; register < REGISTERS; register++) {
      if (this.#registers[register] !== 0) this.#raiseDense(register, this.#registers[register]!);
    }
    return true;
  }

  #load(bytes: Buffer, start: number, length: number): void {
    this.#reserve(length);
    copyBytes(bytes, start, this.bytes, 0, length);
    this.length = length;
    this.#resume = 0;
  }

  /** Makes room for `length` bytes and what one change may add; gives room back that an odd value needed. */
  #reserve(length: number): void {
    const wanted = Math.max(DENSE_SIZE, length + REPLACEMENT_MAX);
    if (this.bytes.length >= wanted && this.bytes.length <= 2 * wanted) return;
    const larger = Buffer.alloc(wanted);
    this.bytes.copy(larger, 0, 0, Math.min(this.length, wanted));
    this.bytes = larger;
  }

  #raiseDense(register: number, rank: number): number {
    const { bytes } = this;
    if (denseRank(bytes, 0, register) >= rank) return UNCHANGED;
    const at = denseByte(register);
    const shift = denseShift(register);
    bytes[at] = (bytes[at]! & ~(63 << shift)) | (rank << shift);
    if (shift > 2) bytes[at + 1] = (bytes[at + 1]! & ~(63 >>> (8 - shift))) | (rank >>> (8 - shift));
    return CHANGED;
  }

  #raiseSparse(register: number, rank: number, sizeMax: number): number {
    if (rank > SPARSE_RANK_MAX) return this.#raiseAsDense(register, rank);
    if (!this.#find(register)) return DAMAGED;
    const { bytes } = this;
    const at = this.#run;
    const first = bytes[at]!;
    const old = runRank(first);
    if (old >= rank) return UNCHANGED;
    const before = register - this.#first;
    const behind = runLength(bytes, at, this.length) - before - 1;
    const size = runsSize(old, before) + 1 + runsSize(old, behind);
    const growth = size - runSize(first);
    if (growth > 0 && this.length + growth > sizeMax) return this.#raiseAsDense(register, rank);
    if (this.bytes.length < this.length + REPLACEMENT_MAX) this.#reserve(this.length + REPLACEMENT_MAX);
    this.#replace(at, runSize(first), growth);
    let end = this.#writeRun(at, old, before);
    end = this.#writeRun(end, rank, 1);
    this.#writeRun(end, old, behind);
    this.#join(this.#before === 0 ? HEADER_SIZE : this.#before);
    return CHANGED;
  }

  #raiseAsDense(register: number, rank: number): number {
    return this.makeDense() ? this.#raiseDense(register, rank) : DAMAGED;
  }

  /**
   * Finds the run that a register belongs to. Goes on from the run before the last one found where it can: merging
   * raises thousands of registers in order.
   * @returns false if there is none
   */
  #find(register: number): boolean {
    const canResume = this.#resume !== 0 && register >= this.#resumeFirst;
    // What stands before the run that a search began at is not known.
    if (canResume && this.#search(register, this.#resume, this.#resumeFirst) && this.#before !== 0) return true;
    return this.#search(register, HEADER_SIZE, 0);
  }

  #search(register: number, from: number, fromFirst: number): boolean {
    const { bytes, length } = this;
    let at = from;
    let first = fromFirst;
    let before = 0;
    let beforeFirst = 0;
    while (at < length) {
      const behind = first + runLength(bytes, at, length);
      if (register < behind) {
        this.#run = at;
        this.#first = first;
        this.#before = before;
        this.#resume = before;
        this.#resumeFirst = beforeFirst;
        return true;
      }
      before = at;
      beforeFirst = first;
      first = behind;
      at += runSize(bytes[at]!);
    }
    return false;
  }

  /** Makes the `size` bytes of a run at `at` larger or smaller, moving what stands behind them. */
  #replace(at: number, size: number, growth: number): void {
    // A run may be cut off by the value's end; then nothing is behind it.
    if (growth !== 0 && at + size < this.length) this.bytes.copyWithin(at + size + growth, at + size, this.length);
    this.length += growth;
  }

  /** Writes a run of `count` registers. @returns the position behind it; at once if there are none */
  #writeRun(at: number, rank: number, count: number): number {
    const { bytes } = this;
    if (count === 0) return at;
    if (rank > 0) bytes[at] = VALUES | ((rank - 1) << 2) | (count - 1);
    else if (count <= SHORT_ZEROS_MAX) bytes[at] = count - 1;
    else {
      bytes[at] = LONG_ZEROS | ((count - 1) >>> 8);
      bytes[at + 1] = (count - 1) & 0xff;
      return at + 2;
    }
    return at + 1;
  }

  /** Joins runs of the same value, a few from `start` on. */
  #join(start: number): void {
    const { bytes } = this;
    let at = start;
    for (let steps = 0; at < this.length && steps < JOIN_STEPS; steps++) {
      const first = bytes[at]!;
      const next = at + 1 < this.length ? bytes[at + 1]! : 0;
      const count = (first & 3) + (next & 3) + 2;
      if (first >= VALUES && next >= VALUES && runRank(first) === runRank(next) && count <= VALUES_MAX) {
        bytes[at + 1] = (first & ~3) | (count - 1);
        bytes.copyWithin(at, at + 1, this.length);
        this.length -= 1;
      } else {
        at += runSize(first);
      }
    }
  }
}

/** Bytes of a run of `count` registers. */
function runsSize(rank: number, count: number): number {
  if (count === 0) return 0;
  return rank === 0 && count > SHORT_ZEROS_MAX ? 2 : 1;
}
