/**
 * RdbFileReader: an RdbReader over a file, of which it holds a window.
 *
 *     file     ···········|================================|···········
 *                         buffer   ^summed     ^at         ^end
 *
 * When the window has been read it goes on in another one, which begins with what the first had left: strings that were
 * read are not copied but pointed at, so the one before the present must stay where it is. Two windows take turns, and
 * a string that is longer than half of one has a buffer of its own, which is let go behind it. Hence the rule for
 * users: of the strings that have been read, the last two are good (a field and its value, a member and its score),
 * and who wants to keep an earlier one copies it.
 *
 * The sum of what has been read is made of large pieces: up to `at` when a window is left, and when somebody asks.
 *
 * Nothing is believed: more than the file has left is refused before room is made for it.
 *
 * Invariants: summed <= at <= end; `offset` is where in the file `at` is. Owner thread only; all calls are synchronous.
 */
import { withView } from "../base/bytes.ts";
import { Crc64 } from "../rdb/crc64.ts";
import { DamagedValueError } from "../rdb/format.ts";
import { RdbReader } from "../rdb/reader.ts";
import type { Files, OpenFile } from "./files.ts";

const WINDOW = 1 << 20;
/** So much behind a long string is read together with it. */
const BEHIND_LONG = 64 * 1024;

/** The file ends where something should follow. */
export class EndOfFileError extends DamagedValueError {
  override readonly name = "EndOfFileError";
}

export class RdbFileReader extends RdbReader {
  readonly #file: OpenFile;
  readonly #size: number;
  readonly #crc: Crc64 | undefined;
  readonly #windows: readonly [Buffer, Buffer];
  /** A longer string gets a buffer of its own. */
  readonly #sharedMax: number;
  /** The offset in the file of what follows the buffer. */
  #next: number;
  #summed = 0;
  #isClosed = false;

  /**
   * Opens a file.
   * @param start offset of the first byte
   * @param sums whether the sum of what is read is kept
   * @param window bytes of a window, at least 64
   * @throws the system's error
   */
  constructor(files: Files, path: string, start: number, sums: boolean, window = WINDOW) {
    const first = withView(Buffer.allocUnsafeSlow(window));
    super(first, 0, 0);
    this.#file = files.open(path, "read");
    try {
      this.#size = this.#file.size();
    } catch (error) {
      this.#file.close();
      throw error;
    }
    this.#next = start;
    this.#crc = sums ? new Crc64() : undefined;
    this.#windows = [first, withView(Buffer.allocUnsafeSlow(window))];
    this.#sharedMax = window / 2;
  }

  /** Where in the file the next byte stands. */
  get offset(): number {
    return this.#next - (this.end - this.at);
  }

  /** Bytes of the whole file. */
  get fileSize(): number {
    return this.#size;
  }

  /** @throws EndOfFileError if the file has not so many, the system's error if it cannot be read */
  override need(count: number): void {
    if (count > this.end - this.at) this.#goOn(count);
  }

  /** Goes past bytes that nobody wants to see. */
  skip(count: number): void {
    for (let left = count; left > 0; ) {
      const step = Math.min(left, this.#sharedMax);
      this.raw(step);
      left -= step;
    }
  }

  /** The sum of all that has been read; undefined unless it is kept. */
  sum(): Crc64 | undefined {
    this.#crc?.update(this.buffer, this.#summed, this.at);
    this.#summed = this.at;
    return this.#crc;
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#file.close();
  }

  #goOn(count: number): void {
    const { buffer, at, end } = this;
    const left = end - at;
    const behind = this.#size - this.#next;
    if (count - left > behind) throw new EndOfFileError("the file ends in the middle of it");
    this.sum();
    const target = count > this.#sharedMax ? longBuffer(count, left + behind) : this.#otherThan(buffer);
    buffer.copy(target, 0, at, end);
    this.buffer = target;
    this.at = 0;
    this.end = left;
    this.#summed = 0;
    while (this.end < target.length) {
      const got = this.#file.read(target, this.end, target.length - this.end, this.#next);
      if (got === 0) break;
      this.end += got;
      this.#next += got;
    }
    if (this.end < count) throw new EndOfFileError("the file has become shorter while it was read");
  }

  #otherThan(buffer: Buffer): Buffer {
    const [first, second] = this.#windows;
    return buffer === first ? second : first;
  }
}

/** @param most there is */
function longBuffer(count: number, most: number): Buffer {
  return Buffer.allocUnsafeSlow(Math.min(count + BEHIND_LONG, most));
}
