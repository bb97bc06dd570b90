/**
 * LogTail: what stands behind the place where a log stops being in order, and so what kind of place that is.
 *
 *     … batch 7 │ 0000000 │ batch 9, unsynced 300 │ batch 10, unsynced 412     lost: it had never been synced
 *     … batch 7 │ 0000000 │ batch 9, unsynced 0   │                            damage: it was there when 9 came
 *     … batch 7 │ half of batch 8                                              torn: nothing behind it
 *
 * A machine that loses power may have written a file's later pages and not its earlier ones, as long as neither had
 * been synced. So intact batches behind a hole prove no damage by themselves; but each tells how much before it was not
 * known to be on the disk when it was written (log-lines.ts), and what lies further back was there, and has been
 * damaged. A synced line says the same.
 *
 * Of a file that is padded (padded-file.ts), what was not synced was overwritten, and any of its pages may be as they
 * were: nothing need be in order between the first of these and the padding at the file's end. How much that can be is
 * known, so it is no damage unless an intact batch says so.
 *
 * It has a window of its own. Any thread; for the end of a log that is not in order, once.
 */

import type { OpenFile } from "./files.ts";
import { BATCH_LINE_MAX, BatchLine, PREFIX, readSyncedLine, SYNCED_LINE_MAX } from "./log-lines.ts";
import { checksumOf, LogWindow } from "./log-window.ts";
import { OVERWRITTEN_MAX } from "./padded-file.ts";

/**
 * - `nothing`: no intact batch that would come later.
 * - `unsynced`: such batches, and none of them knows that the place had been on the disk.
 * - `durable`: one of them does.
 */
export type Behind = "nothing" | "unsynced" | "durable";

/** What only looks like the line of a batch, so many times, is no accident: it counts as an intact one. */
const IMPOSTORS_MAX = 100;
/** What a synced line may end with. */
const REST_OF_SYNCED = /^[a-z:]*(?:\d| \d)?\d*\r?\n?$/;
const LF = 0x0a;
const HASH = 0x23;

export class LogTail {
  readonly #window: LogWindow;
  readonly #line = new BatchLine();

  constructor(file: OpenFile) {
    this.#window = new LogWindow(file);
  }

  /**
   * Looks for later batches.
   * @param place where the log stops being in order
   * @param from where to begin to look: behind the line of a batch that is not intact, for example
   * @param sequence of the last batch that is in order
   */
  lookBehind(place: number, from: number, sequence: number): Behind {
    const window = this.#window;
    const line = this.#line;
    let behind: Behind = "nothing";
    let impostors = 0;
    window.moveTo(from);
    for (let at = this.#findLine(); at !== -1; at = this.#findLine()) {
      const end = window.bytes.subarray(0, Math.min(window.filled, at + BATCH_LINE_MAX)).indexOf(LF, at) + 1;
      const offset = window.base + at;
      const syncedUpTo = end > 0 ? readSyncedLine(window.bytes, at, end) : -1;
      if (syncedUpTo > place) return "durable";
      if (syncedUpTo !== -1) {
        window.moveTo(window.base + end);
        continue;
      }
      const begin = window.base + end;
      const isLine = end > 0 && line.parse(window.bytes, at, end) && line.sequence > sequence;
      const isThere = isLine && begin + line.length <= window.size;
      if (isThere && checksumOf(window, begin, line.length) === line.crc32) {
        if (offset - line.unsynced > place) return "durable";
        behind = "unsynced";
        window.moveTo(begin + line.length);
      } else {
        impostors += 1;
        if (impostors === IMPOSTORS_MAX) return "durable";
        window.moveTo(offset + 1);
      }
    }
    return behind;
  }

  /** Whether what stands from `place` on may have been overwritten without being synced. */
  mayBeOverwritten(place: number): boolean {
    const window = this.#window;
    const { size } = window;
    if (size - place < 2 || size - place > OVERWRITTEN_MAX) return false;
    window.moveTo(size - 2);
    window.fill(0, 2);
    // The padding itself may end too early.
    const [last, end] = window.bytes;
    return end === HASH || (last === HASH && end === LF);
  }

  /**
   * Whether from `place` on there are zeros and padding, or none, and behind these nothing, or the beginning of a batch
   * line, or what may be the rest of a synced line.
   */
  isBlank(place: number): boolean {
    const window = this.#window;
    window.moveTo(place);
    for (;;) {
      // The last byte stays: what follows may make it the beginning of a line.
      window.fill(Math.max(0, window.filled - 1), 2);
      let at = 0;
      while (at < window.filled && isBlankByte(window.bytes[at]!)) at += 1;
      if (at === window.filled) {
        if (window.isLast) return true;
        continue;
      }
      // A batch line begins as padding does.
      if (at > 0 && window.bytes[at - 1] === HASH) at -= 1;
      window.fill(at, SYNCED_LINE_MAX);
      const left = window.size - window.base;
      if (left < SYNCED_LINE_MAX && REST_OF_SYNCED.test(window.bytes.latin1Slice(0, left))) return true;
      const length = Math.min(window.filled, PREFIX.length);
      return window.bytes.latin1Slice(0, length) === PREFIX.slice(0, length);
    }
  }

  /** Searches the file from the window's beginning on. @returns where a batch line may begin in it, -1 if nowhere */
  #findLine(): number {
    const window = this.#window;
    window.fill(0, 1);
    for (;;) {
      const found = window.bytes.subarray(0, window.filled).indexOf(PREFIX, 0, "latin1");
      if (found === -1 && window.isLast) return -1;
      if (found !== -1 && (window.isLast || window.filled - found > BATCH_LINE_MAX)) return found;
      const next = found === -1 ? Math.max(0, window.filled - PREFIX.length + 1) : found;
      window.fill(next, BATCH_LINE_MAX + 1);
    }
  }
}

function isBlankByte(byte: number): boolean {
  return byte === 0 || byte === HASH || byte === LF;
}
