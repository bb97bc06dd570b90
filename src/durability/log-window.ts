/**
 * LogWindow: the piece of a file that is looked at, as it moves from the file's beginning to its end.
 *
 *     file    ─────────────┬──────────────────────────┬──────────────
 *                          base                       base + filled       `base` and offsets: positions in the file
 *     bytes                [0 ············ filled)                        `at`: positions in `bytes`
 *
 * Files are never held whole: the window has WINDOW_BYTES, unless one command is longer. Then it grows, as far as the
 * file goes and no further, whatever length the command claims to have.
 * One thread; the file does not change while it is read.
 */
import { crc32 } from "node:zlib";
import type { OpenFile } from "./files.ts";

/** Bytes of a window that nothing has made grow. */
export const WINDOW_BYTES = 1024 * 1024;
/** More than that may not be wanted: positions in a window are 32-bit. */
export const WINDOW_MAX = 2 ** 31 - 1;

export class LogWindow {
  readonly file: OpenFile;
  /** Bytes of the file. */
  readonly size: number;
  bytes: Buffer;
  /** Offset of `bytes[0]` in the file. */
  base = 0;
  /** Bytes of the window that have been read. */
  filled = 0;
  readonly #usual: number;

  /** @param usual bytes to have at a time: tests make it small */
  constructor(file: OpenFile, usual = WINDOW_BYTES) {
    this.file = file;
    this.size = file.size();
    this.#usual = usual;
    this.bytes = Buffer.allocUnsafeSlow(usual);
  }

  /** How many bytes fit without growing. */
  get capacity(): number {
    return this.bytes.length;
  }

  /** Whether the window reaches to the end of the file. */
  get isLast(): boolean {
    return this.base + this.filled === this.size;
  }

  /** Looks somewhere else. */
  moveTo(offset: number): void {
    this.base = offset;
    this.filled = 0;
  }

  /**
   * Lets go of what stands before `at`, and reads on: as much as there is room for, and at least up to `wanted` bytes
   * from `at` on, if the file has them. Whatever pointed into `bytes` is void.
   * @returns where the byte at `at` is now: 0
   * @throws the system's error
   */
  fill(at: number, wanted: number): number {
    const kept = this.filled - at;
    const offset = this.base + at;
    const needed = Math.min(Math.max(wanted, kept), this.size - offset);
    const capacity = needed <= this.#usual ? this.#usual : Math.max(needed, Math.min(this.capacity, 2 * needed));
    if (capacity !== this.capacity) {
      const next = Buffer.allocUnsafeSlow(capacity);
      this.bytes.copy(next, 0, at, this.filled);
      this.bytes = next;
    } else if (at > 0) {
      const { bytes } = this;
      bytes.copyWithin(0, at, this.filled);
    }
    this.base = offset;
    this.filled = kept;
    this.#read();
    return 0;
  }

  #read(): void {
    const end = Math.min(this.capacity, this.size - this.base);
    while (this.filled < end) {
      const count = this.file.read(this.bytes, this.filled, end - this.filled, this.base + this.filled);
      if (count === 0) throw new Error(`${this.file.path} has become shorter while it was read`);
      this.filled += count;
    }
  }
}

/** The CRC-32 of so many bytes from `offset` on, all of which the file has; the window is somewhere else afterwards. */
export function checksumOf(window: LogWindow, offset: number, length: number): number {
  let crc = 0;
  window.moveTo(offset);
  for (let left = length; left > 0; ) {
    window.fill(window.filled, 0);
    const size = Math.min(left, window.filled);
    crc = crc32(window.bytes.subarray(0, size), crc);
    left -= size;
  }
  return crc;
}
