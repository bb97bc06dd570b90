/** Copying and comparing bytes, by the way that is quickest for the length. */

/** Up to this many bytes a loop beats any call (measured on Node 20 to 26). */
const LOOP_MAX = 64;
/** ... if both buffers have views: eight bytes at a time, 30 ns for 110 bytes where a call takes 45 to 150. */
const VIEW_LOOP_MAX = 128;

/** A buffer with a view of its bytes by which four of them are read or written at once, wherever they stand. */
interface ViewedBuffer extends Buffer {
  view?: DataView;
}

/**
 * Gives a buffer the view by which `copyBytes` copies: twice as fast for the lengths of usual keys and values. For the
 * few buffers that nearly everything is copied from or to: regions, what is received, what is replied.
 */
export function withView(buffer: Buffer): Buffer {
  (buffer as ViewedBuffer).view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  return buffer;
}

/** The view of a buffer that has been given one. */
export function viewOf(buffer: Buffer): DataView | undefined {
  return (buffer as ViewedBuffer).view;
}

/**
 * Copies by the C library. `TypedArray.set` does not where one side is shared memory: V8 then copies word by word, or
 * byte by byte if the two are aligned differently, 14 times slower for 10 KiB. `Buffer.copy` is native from Node 22 on;
 * before, `Buffer.fill` with a buffer as long as what it fills is.
 */
const copyNatively: (source: Buffer, start: number, target: Buffer, targetStart: number, length: number) => void =
  Number.parseInt(process.versions.node, 10) >= 22
    ? (source, start, target, targetStart, length) => {
        source.copy(target, targetStart, start, start + length);
      }
    : (source, start, target, targetStart, length) => {
        target.fill(source.subarray(start, start + length), targetStart, targetStart + length);
      };

/** Copies `length` bytes; the ranges must not overlap within one buffer. */
export function copyBytes(
  source: Buffer,
  sourceStart: number,
  target: Buffer,
  targetStart: number,
  length: number,
): void {
  if (length > VIEW_LOOP_MAX) {
    copyNatively(source, sourceStart, target, targetStart, length);
    return;
  }
  const from = viewOf(source);
  const to = viewOf(target);
  if (length >= 4 && from !== undefined && to !== undefined) {
    copyByViews(from, sourceStart, to, targetStart, length);
    return;
  }
  if (length > LOOP_MAX) {
    copyNatively(source, sourceStart, target, targetStart, length);
    return;
  }
  let index = 0;
  for (const end = length & ~3; index < end; index += 4) {
    const from = sourceStart + index;
    const to = targetStart + index;
    target[to] = source[from]!;
    target[to + 1] = source[from + 1]!;
    target[to + 2] = source[from + 2]!;
    target[to + 3] = source[from + 3]!;
  }
  for (; index < length; index++) target[targetStart + index] = source[sourceStart + index]!;
}

/** Copies four bytes or more. */
function copyByViews(from: DataView, fromStart: number, to: DataView, toStart: number, length: number): void {
  let index = 0;
  for (; index <= length - 8; index += 8) {
    const low = from.getInt32(fromStart + index, true);
    const high = from.getInt32(fromStart + index + 4, true);
    to.setInt32(toStart + index, low, true);
    to.setInt32(toStart + index + 4, high, true);
  }
  // The last four once more, which takes care of a rest that is shorter.
  const last = length - 4;
  if (index < last) to.setInt32(toStart + index, from.getInt32(fromStart + index, true), true);
  to.setInt32(toStart + last, from.getInt32(fromStart + last, true), true);
}

/** Up to this many bytes `copyWithin` is quicker than two native copies. */
const COPY_WITHIN_MAX = 512;
const movesNatively = Number.parseInt(process.versions.node, 10) >= 22;
let between = Buffer.alloc(0);

/** Moves `length` bytes within one buffer; the two ranges may overlap. */
export function moveBytes(buffer: Buffer, from: number, to: number, length: number): void {
  if (length <= COPY_WITHIN_MAX) {
    if (length > LOOP_MAX) buffer.copyWithin(to, from, from + length);
    else if (to < from) for (let index = 0; index < length; index++) buffer[to + index] = buffer[from + index]!;
    else for (let index = length; --index >= 0; ) buffer[to + index] = buffer[from + index]!;
  } else if (movesNatively) {
    buffer.copy(buffer, to, from, from + length);
  } else {
    // `copyWithin` in shared memory is seven times slower than two native copies with a buffer between them.
    moveThrough(buffer, from, to, length);
  }
}

/** Piece by piece, from that end where nothing is overwritten before it has been moved. */
function moveThrough(buffer: Buffer, from: number, to: number, length: number): void {
  if (between.length === 0) between = Buffer.allocUnsafeSlow(BETWEEN_SIZE);
  for (let moved = 0; moved < length; moved += BETWEEN_SIZE) {
    const size = Math.min(BETWEEN_SIZE, length - moved);
    const at = to < from ? moved : length - moved - size;
    copyNatively(buffer, from + at, between, 0, size);
    copyNatively(between, 0, buffer, to + at, size);
  }
}

const BETWEEN_SIZE = 65536;

/** True if the two ranges hold the same bytes. */
export function equalBytes(
  left: Uint8Array,
  leftStart: number,
  right: Uint8Array,
  rightStart: number,
  length: number,
): boolean {
  for (let index = 0; index < length; index++) {
    if (left[leftStart + index] !== right[rightStart + index]) return false;
  }
  return true;
}

/** No bytes. */
export const EMPTY_BYTES = Buffer.alloc(0);

/**
 * A range of bytes somewhere: in a region, a socket's buffer, a scratch buffer. Reused by whoever owns it; what it
 * shows is valid until the next write to where it points.
 */
export class Slice {
  bytes: Buffer = EMPTY_BYTES;
  start = 0;
  length = 0;

  set(bytes: Buffer, start: number, length: number): void {
    this.bytes = bytes;
    this.start = start;
    this.length = length;
  }

  /** A copy on the JavaScript heap. */
  toBuffer(): Buffer {
    return Buffer.from(this.bytes.subarray(this.start, this.start + this.length));
  }

  /** As Latin-1 text: for error messages and names. */
  toLatin1(): string {
    return this.bytes.latin1Slice(this.start, this.start + this.length);
  }
}

declare global {
  /** In every Node.js, but missing from its types: `toString` and `write` without their look-up of the encoding. */
  interface Buffer<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> {
    latin1Slice(start: number, end: number): string;
    utf8Slice(start: number, end: number): string;
    latin1Write(text: string, start: number, length: number): number;
    utf8Write(text: string, start: number, length: number): number;
  }
}
