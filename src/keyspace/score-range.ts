/**
 * Ranges of a sorted set: what is asked for, by scores or by bytes, and what that comes to, as ranks.
 * Plain data, reused by whoever owns it.
 */
import { EMPTY_BYTES } from "../base/bytes.ts";

/** Scores from `min` to `max`, each of them included or not. */
export class ScoreRange {
  min = 0;
  max = 0;
  excludesMin = false;
  excludesMax = false;
}

/** What stands at either end of a range of bytes, beside bytes: before all there are, or behind all. */
export const LOWEST = -1;
export const HIGHEST = 1;
const BYTES = 0;

/** One end of a range of bytes. */
export class ByteBound {
  /** LOWEST or HIGHEST, or 0 for bytes. */
  kind: number = BYTES;
  isExcluded = false;
  bytes: Buffer = EMPTY_BYTES;
  start = 0;
  length = 0;

  set(kind: number, isExcluded: boolean, bytes: Buffer, start: number, length: number): void {
    this.kind = kind;
    this.isExcluded = isExcluded;
    this.bytes = bytes;
    this.start = start;
    this.length = length;
  }

  /** Compares bytes with this end: negative if they come before it. */
  compare(bytes: Buffer, start: number, length: number): number {
    if (this.kind !== BYTES) return -this.kind;
    return compareBytes(bytes, start, length, this.bytes, this.start, this.length);
  }
}

/** Bytes from `min` to `max`. */
export class ByteRange {
  readonly min = new ByteBound();
  readonly max = new ByteBound();

  /** Whether the range is empty whatever it is of. */
  get isEmpty(): boolean {
    const { min, max } = this;
    const order =
      max.kind === BYTES && min.kind === BYTES
        ? max.compare(min.bytes, min.start, min.length)
        : Math.sign(min.kind - max.kind);
    return order > 0 || (order === 0 && (min.isExcluded || max.isExcluded));
  }

  isBehindMin(bytes: Buffer, start: number, length: number): boolean {
    const order = this.min.compare(bytes, start, length);
    return order > 0 || (order === 0 && !this.min.isExcluded);
  }

  isBeforeMax(bytes: Buffer, start: number, length: number): boolean {
    const order = this.max.compare(bytes, start, length);
    return order < 0 || (order === 0 && !this.max.isExcluded);
  }
}

/** Elements in a row: `count` of them from rank `first` on. */
export class Span {
  first = 0;
  count = 0;

  set(first: number, count: number): this {
    this.first = first;
    this.count = Math.max(0, count);
    return this;
  }

  /** Leaves `count` of the elements, after `offset` others, as seen from the end where a walk begins. */
  limit(offset: number, count: number, isReversed: boolean): void {
    const skipped = offset < 0 ? this.count : Math.min(offset, this.count);
    const left = this.count - skipped;
    const kept = count < 0 ? left : Math.min(count, left);
    this.first += isReversed ? left - kept : skipped;
    this.count = kept;
  }
}

/** Orders bytes as memcmp does, what is shorter first. */
export function compareBytes(
  left: Uint8Array,
  leftStart: number,
  leftLength: number,
  right: Uint8Array,
  rightStart: number,
  rightLength: number,
): number {
  const shorter = Math.min(leftLength, rightLength);
  for (let index = 0; index < shorter; index++) {
    const difference = left[leftStart + index]! - right[rightStart + index]!;
    if (difference !== 0) return difference;
  }
  return leftLength - rightLength;
}
