/**
 * SnapshotOutput: where the bytes of a snapshot go, whatever its form is: to the file, which is synced in portions.
 *
 * Why portions: the dirty pages of a file of many gigabytes, synced at once at the end, stop everybody else's writes
 * for as long as that takes. After each portion, what has been written so far is synced.
 *
 * Any thread, one at a time; everything is synchronous and throws the system's errors.
 */
import { type OpenFile, writeAll } from "./files.ts";

export interface SnapshotOutputOptions {
  /** Bytes after which what has been written is synced; infinity for only at the end. */
  readonly syncPortion: number;
  /** Called before each write, with what has been written so far: whoever wants no more of the file throws. */
  readonly onWrite?: ((keys: number, bytes: number) => void) | undefined;
}

export class SnapshotOutput {
  /** Keys that have been handed over, whole or in part. */
  keys = 0;
  /** Bytes that have been handed to the system. */
  written = 0;
  readonly #file: OpenFile;
  readonly #options: SnapshotOutputOptions;
  #unsynced = 0;

  /** @param file stays the caller's, who syncs it in the end, and closes it */
  constructor(file: OpenFile, options: SnapshotOutputOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Writes all of it. @throws what `onWrite` throws, and the system's errors */
  write(bytes: Buffer, start: number, length: number): void {
    const { onWrite, syncPortion } = this.#options;
    onWrite?.(this.keys, this.written);
    writeAll(this.#file, bytes, start, length);
    this.written += length;
    this.#unsynced += length;
    if (this.#unsynced < syncPortion) return;
    this.#file.sync();
    this.#unsynced = 0;
  }
}
