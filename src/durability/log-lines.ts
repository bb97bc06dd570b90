/**
 * The lines of an append-only log that Stillwater wrote. The batch line stands before every batch:
 *
 *     #stillwater:<sequence> <length> <crc32>[ <unsynced>]\r\n        length bytes of commands in RESP
 *                 decimal    decimal  8 hex digits, decimal           what the CRC-32 (that of zlib) is computed over
 *
 * `unsynced` is how many bytes before the line were not known to be on the disk when it was written; 0, which is left
 * out, also where nothing is ever synced (appendfsync no). It tells what a power cut may have lost from what can only
 * have been damaged: log-tail.ts.
 *
 * Redis 7 and Valkey skip lines that begin with "#", so that they read such a file as their own. With the line, a batch
 * that was cut off by a crash is told from one that was damaged later: the line stands *before* what it describes, so
 * whatever follows a complete batch must be another batch line, or was written by Redis itself.
 *
 * The synced line follows when nothing has, for a while or for good:
 *
 *     #stillwater:synced <offset>\r\n           all that stands before this offset of the file is on the disk
 *
 * Without it, damage to the last batches could not be told from batches that were never synced.
 *
 * Invariants, checked by whoever reads:
 * 1. The batches of a file are numbered from FIRST_SEQUENCE on, by one, whatever Redis has written between them.
 * 2. A batch holds whole commands, and of a transaction all or nothing.
 * 3. The line is shorter than BATCH_LINE_MAX bytes. (Redis takes lines of less than 1,024.)
 *
 * The line itself is under no checksum, and needs none: a wrong sequence is a gap, a wrong length or CRC is a CRC that
 * does not match, and what only resembles a batch line is refused (`isDisfigured`).
 */

/** What every batch line begins with. */
export const PREFIX = "#stillwater:";
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const ZERO = 0x30;
const LETTER_A = 0x61;
const CRC_DIGITS = 8;

/** No batch line is longer, its end included. */
export const BATCH_LINE_MAX = 100;
/** Nor are these lines. */
export const SYNCED_LINE_MAX = 48;
export const TIMESTAMP_LINE_MAX = 24;
const TIMESTAMP = /^#TS:(\d{1,15})\r?\n$/;
const SYNCED = /^#stillwater:synced (0|[1-9]\d{0,14})\r\n$/;
/** The sequence of a file's first batch. */
export const FIRST_SEQUENCE = 1;

/**
 * Writes a batch line to `into`, from `at` on; there must be room for BATCH_LINE_MAX bytes.
 * @param length bytes of the batch, without this line
 * @param crc32 of these bytes, as zlib.crc32 gives it
 * @param unsynced bytes before the line that may not be on the disk; too many do no harm
 * @returns how many bytes were written
 */
export function writeBatchLine(
  into: Buffer,
  at: number,
  sequence: number,
  length: number,
  crc32: number,
  unsynced = 0,
): number {
  const crc = crc32.toString(16).padStart(CRC_DIGITS, "0");
  const tail = unsynced === 0 ? "" : ` ${unsynced}`;
  return into.write(`${PREFIX}${sequence} ${length} ${crc}${tail}\r\n`, at, "latin1");
}

/** Redis's own line, with aof-timestamp-enabled: when what follows was logged. @returns how many bytes were written */
export function writeTimestampLine(into: Buffer, at: number, seconds: number): number {
  return into.write(`#TS:${seconds}\r\n`, at, "latin1");
}

/** @returns the seconds since 1970 that the line [start, end) tells, if it is such a line; otherwise -1 */
export function readTimestampLine(bytes: Buffer, start: number, end: number): number {
  const seconds = end - start > TIMESTAMP_LINE_MAX ? undefined : TIMESTAMP.exec(bytes.latin1Slice(start, end))?.[1];
  return seconds === undefined ? -1 : Number(seconds);
}

/** @param offset in the file, before which everything is on the disk */
export function syncedLine(offset: number): Buffer {
  return Buffer.from(`${PREFIX}synced ${offset}\r\n`, "latin1");
}

/** @returns the offset that the line [start, end) tells, if it is a whole synced line; otherwise -1 */
export function readSyncedLine(bytes: Buffer, start: number, end: number): number {
  if (end - start > SYNCED_LINE_MAX) return -1;
  const offset = SYNCED.exec(bytes.latin1Slice(start, end))?.[1];
  return offset === undefined ? -1 : Number(offset);
}

/** One batch line that was read; reused for all of a file. */
export class BatchLine {
  sequence = 0;
  /** Bytes of the batch that follows. */
  length = 0;
  crc32 = 0;
  /** Bytes before the line that were not known to be on the disk. */
  unsynced = 0;

  /**
   * Reads the line [start, end) of `bytes`, its line feed included.
   * @returns false if it is no batch line in its one canonical form; the fields are then undefined
   */
  parse(bytes: Buffer, start: number, end: number): boolean {
    if (end - start > BATCH_LINE_MAX || !startsBatchLine(bytes, start, end)) return false;
    const sequenceAt = start + PREFIX.length;
    const sequenceEnd = findSpace(bytes, sequenceAt, end);
    const lengthEnd = findSpace(bytes, sequenceEnd + 1, end);
    const crc = lengthEnd + 1;
    const crcEnd = crc + CRC_DIGITS;
    if (end - crc < CRC_DIGITS + 2 || bytes[end - 2] !== CR || bytes[end - 1] !== LF) return false;
    this.unsynced = 0;
    if (crcEnd !== end - 2) {
      this.unsynced = bytes[crcEnd] === SPACE ? readDecimal(bytes, crcEnd + 1, end - 2) : -1;
      if (this.unsynced <= 0) return false;
    }
    this.sequence = readDecimal(bytes, sequenceAt, sequenceEnd);
    this.length = readDecimal(bytes, sequenceEnd + 1, lengthEnd);
    this.crc32 = readHex(bytes, crc, crcEnd);
    return this.sequence > 0 && this.length > 0 && this.crc32 >= 0;
  }
}

/** Loops are quicker here than calls: a log may have a line for every command. @returns `end` if there is none */
function findSpace(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== SPACE) at += 1;
  return at;
}

function startsBatchLine(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < PREFIX.length) return false;
  for (let index = 0; index < PREFIX.length; index++) {
    if (bytes[start + index] !== PREFIX.charCodeAt(index)) return false;
  }
  return true;
}

/** A comment, or a tag such as Redis's "#TS:". */
const OTHER_LINE = /^#(?: [ -~]*|[A-Z]+:[ -~]*)?\r?\n$/;
const LINE_TAIL = / [0-9a-f]{8}( \d+)?\r\n$/;

/**
 * Whether a line beginning with "#" may be a batch line that is damaged: it is like nothing else that is written there.
 */
export function isDisfigured(bytes: Buffer, start: number, end: number): boolean {
  const line = bytes.latin1Slice(start, end);
  return !OTHER_LINE.test(line) || LINE_TAIL.test(line);
}

/** @returns -1 for what is no decimal number, has leading zeros, or is beyond what a file may hold */
function readDecimal(bytes: Buffer, start: number, end: number): number {
  if (end === start || end - start > 15 || bytes[start] === ZERO) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** @returns -1 for what has anything but lower-case hexadecimal digits */
function readHex(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    const digit = byte >= LETTER_A ? byte - LETTER_A + 10 : byte - ZERO;
    if (digit < 0 || digit > 15 || (digit > 9 && byte < LETTER_A)) return -1;
    value = value * 16 + digit;
  }
  return value;
}
