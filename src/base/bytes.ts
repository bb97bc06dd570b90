/** Copying and comparing bytes, by the way that is quickest for the length. */

/** Up to this many bytes a loop beats any call (measured on Node 20 to 26). */
const LOOP_MAX = 64;

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
