/**
 * SpareBuffers: buffers that unfinished requests were kept in, to be used for the next ones.
 *
 * A request that is larger than what is read at once needs a buffer of its own, and clients that send one such request
 * send many. A new buffer each time costs more than the request: the system commits its pages one by one, and V8 counts
 * it as garbage to be collected soon.
 *
 * One for all connections of a thread. Bounded: buffers up to SIZE_MAX, as many as have TOTAL_MAX bytes altogether.
 */
const SIZE_MAX = 1024 * 1024;
const TOTAL_MAX = 8 * 1024 * 1024;
/** A smaller request leaves a far larger buffer to others. */
const WASTE_MAX = 4;

export class SpareBuffers {
  readonly #buffers: Buffer[] = [];
  #total = 0;

  /** A buffer of at least `size` bytes, its contents undefined. */
  take(size: number): Buffer {
    const buffers = this.#buffers;
    // The last one given back is the likeliest to be in the processor's cache.
    for (let index = buffers.length - 1; index >= 0; index--) {
      const buffer = buffers[index]!;
      if (buffer.length < size || buffer.length > size * WASTE_MAX) continue;
      buffers.splice(index, 1);
      this.#total -= buffer.length;
      return buffer;
    }
    return Buffer.allocUnsafeSlow(size);
  }

  /** Takes back a buffer that nobody looks at any more; it may be let go. */
  give(buffer: Buffer): void {
    if (buffer.length === 0 || buffer.length > SIZE_MAX || this.#total + buffer.length > TOTAL_MAX) return;
    this.#buffers.push(buffer);
    this.#total += buffer.length;
  }
}
