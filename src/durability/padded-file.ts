/**
 * PaddedFile: the file that the log's writer appends to. Under `appendfsync always` it is longer than what it holds:
 *
 *     | batches …………………………………| ###…#\n ###…#\n ###…#\n ###…#\n |      lines of PADDING_LINE bytes, which Redis,
 *                              end                             size   Valkey and log-reader.ts skip
 *
 * and what is appended is written over the padding.
 *
 * Why: a sync of a file that has grown waits for two things, its bytes and, behind them, the file system's journal,
 * which has to say how long the file is now. A sync of bytes that lie where there have been some needs no journal: it
 * takes half of the time (docs/fsync.md), and under `always` that time is what clients wait for. Databases whose logs
 * have a fixed size have it for nothing; here the padding has to be something that Redis skips, too.
 *
 * Who overwrites gives up one thing: a file that only grows ends somewhere after a power cut, while of pages that were
 * overwritten any may be the old ones. log-reader.ts knows that of files that end with padding, and counts on what is
 * said here:
 * - What is overwritten is padding that has been synced: so what a page holds is either. Between two syncs, it is at
 *   most PADDING_BYTES.
 * - More than SMALL_MAX at once is appended: the padding is cut off before. There the journal does not matter, and the
 *   padding would have to be written all the time. It comes back after SMALL_RUN small pieces.
 * - The padding's last byte is a line feed that stays: whoever appends behind it (the owner, once the policy is another
 *   one) begins a line. What begins the rest of the padding is never a line feed, because Redis skips no empty lines.
 *
 * Threads: the writer's. Any error is final, see files.ts.
 */
import { type Files, type OpenFile, writeAll, writeAllAt } from "./files.ts";

/** What is overwritten at most between two syncs, and about what a file is longer than what was appended. */
const PADDING_BYTES = 256 * 1024;
const SMALL_MAX = 16 * 1024;
const SMALL_RUN = 4;
/** No file has more padding in one place. */
export const PADDING_MAX = PADDING_BYTES + SMALL_MAX;
/** What a power cut may have left of a file that ends with padding: from the first page that is as it was on. */
export const OVERWRITTEN_MAX = PADDING_BYTES + PADDING_MAX;

/** Redis takes lines of less than 1,024. */
const PADDING_LINE = 64;
const PADDING = Buffer.alloc(PADDING_BYTES, `${"#".repeat(PADDING_LINE - 1)}\n`, "latin1");
const HASH = Buffer.from("#");
const LF = 0x0a;

/** Whether a line is one of padding, or the rest of one; or its beginning, which other lines do not share. */
export function isPaddingLine(bytes: Buffer, start: number, end: number): boolean {
  const isWhole = bytes[end - 1] === LF;
  const last = isWhole ? end - 1 : end;
  for (let at = start; at < last; at++) if (bytes[at] !== HASH[0]) return false;
  return last - start >= (isWhole ? 1 : 2);
}

export class PaddedFile {
  readonly path: string;
  readonly #files: Files;
  readonly #appended: OpenFile;
  /** The same file, written anywhere; opened when it is needed. */
  #written: OpenFile | undefined;
  /** Behind the last byte that was appended, and behind the padding: the file's length, while nobody else appends. */
  #end = 0;
  #size = 0;
  /** Where the first line of the padding began. */
  #origin = 0;
  /** Bytes overwritten since the last sync. */
  #overwritten = 0;
  #smallOnes = 0;

  /** @throws the system's error if it cannot be opened */
  constructor(files: Files, path: string) {
    this.path = path;
    this.#files = files;
    this.#appended = files.open(path, "append");
  }

  /** Appends behind all there is: others may append, too. */
  append(bytes: Buffer, start: number, length: number): void {
    writeAll(this.#appended, bytes, start, length);
  }

  /** Appends while nobody else does: over padding, where that is worth it. */
  appendAlone(bytes: Buffer, start: number, length: number): void {
    this.#look();
    this.#smallOnes = length <= SMALL_MAX ? this.#smallOnes + 1 : 0;
    if (this.#smallOnes > SMALL_RUN) this.#overwrite(bytes, start, length);
    else {
      this.#trim();
      writeAll(this.#appended, bytes, start, length);
      this.#end += length;
      this.#size = this.#end;
    }
  }

  /** Where what was appended ends, as far as it is known: padding that is in use is behind it. */
  get end(): number {
    this.#look();
    return this.#end;
  }

  sync(): void {
    this.#appended.sync();
    this.#overwritten = 0;
  }

  /** Cuts the padding off; only while nobody else appends. */
  trim(): void {
    this.#look();
    this.#trim();
  }

  /** @throws the system's error; the file is closed all the same */
  close(): void {
    try {
      this.#written?.close();
    } finally {
      this.#appended.close();
    }
  }

  /** Looks whether others have appended: what padding there was is then between, and stays. */
  #look(): void {
    const size = this.#appended.size();
    if (size === this.#size) return;
    this.#size = size;
    this.#end = size;
    this.#smallOnes = 0;
  }

  #overwrite(bytes: Buffer, start: number, length: number): void {
    this.#written ??= this.#files.open(this.path, "update");
    const end = this.#end + length;
    if (this.#overwritten + length > PADDING_BYTES) this.sync();
    // One byte more than needed, because the last line feed must stay.
    if (end + 1 >= this.#size) this.#extend();
    if ((end - this.#origin) % PADDING_LINE === PADDING_LINE - 1) writeAllAt(this.#written, HASH, 0, 1, end);
    writeAllAt(this.#written, bytes, start, length, this.#end);
    this.#end = end;
    this.#overwritten += length;
  }

  #extend(): void {
    if (this.#end === this.#size) this.#origin = this.#size;
    writeAllAt(this.#written!, PADDING, 0, PADDING_BYTES, this.#size);
    this.#size += PADDING_BYTES;
    this.sync();
  }

  #trim(): void {
    if (this.#end === this.#size) return;
    // What is appended behind overwritten bytes must not be on the disk before them.
    if (this.#overwritten > 0) this.sync();
    this.#written!.truncate(this.#end);
    this.#size = this.#end;
  }
}
