/**
 * LogReader: an append-only log, command by command, out of a window that moves over the file.
 *
 *     #stillwater:1 52 9a3e…   *3 $3 SET …  *2 $3 DEL …       a batch: its CRC is checked before its first command is
 *     #stillwater:2 30 41bc…   *1 $5 MULTI … *1 $4 EXEC …      given out
 *     *3 $3 SET …              #TS:1700000000   *3 $3 SET …    foreign: written by Redis, as far as its rules can tell
 *
 * What a log may look like, and what is made of it:
 * 1. Behind a complete batch stands another batch line, or what Redis wrote. Batches are numbered without a gap. Other
 *    lines that begin with "#" are skipped, as Redis does; but behind a batch only Redis's timestamps are, because a
 *    batch line could not be told from them any more once it is damaged.
 * 2. *Torn* is a log whose last unit is incomplete, as a crash while it was written leaves it: a batch line that ends
 *    too early, a batch shorter than its line says, a command that is cut off, a transaction without its EXEC. `next`
 *    says false then, and `torn` says where the last complete unit ends. Whoever reads decides whether that may be.
 * 3. *Lost* is what a machine that loses power had not written, though it had written what stands behind it: a last
 *    batch that has its length and not its checksum, a batch without its checksum or a run of zeros in the place of
 *    one, as long as nothing behind it tells that it had been synced (log-tail.ts). With fsync `always` none of it was
 *    ever acknowledged. That is torn, too: it cannot be told from damage, and what is cut off is kept.
 * 4. *Padding* is what a log is longer than it should be, see padded-file.ts: lines of nothing but "#". It is skipped;
 *    what a power cut leaves of batches that were being written over it is lost, whatever it looks like.
 * 5. Everything else is damage, and throws: also zero bytes behind foreign commands; and what would be torn or lost,
 *    had it no batch behind it that was written when it was on the disk: then cutting the file there would cut off what
 *    was acknowledged.
 *
 * Usual commands are parsed ahead as a connection's are (protocol/request-batch.ts), so that what they will look up can
 * be brought into the cache together. That parser trusts line ends; a checksum answers for them in a batch, and in
 * foreign parts they are checked here.
 *
 * Owner thread. The arguments of a command are valid until the next call of `next`.
 */
import { crc32 } from "node:zlib";
import { Arguments } from "../base/arguments.ts";
import type { Database } from "../keyspace/database.ts";
import { LOOK_AHEAD_MAX, type LookAhead } from "../keyspace/look-ahead.ts";
import { RequestBatch } from "../protocol/request-batch.ts";
import { DamagedFileError } from "./damaged-file-error.ts";
import type { OpenFile } from "./files.ts";
import { haveLineEnds, LogCommand, MalformedCommandError } from "./log-command.ts";
import { BatchLine, isDisfigured, readSyncedLine, readTimestampLine } from "./log-lines.ts";
import { LogTail } from "./log-tail.ts";
import { checksumOf, LogWindow, WINDOW_MAX } from "./log-window.ts";
import { isPaddingLine } from "./padded-file.ts";

const LF = 0x0a;
const HASH = 0x23;
/** Longest line beginning with "#" that Redis reads. */
const ANNOTATION_MAX = 1023;
/** Offset of the end of the present batch where there is none. */
const NO_BATCH = -1;

/** How a log ends that was cut off: what stands from `offset` on is to be removed before anything is appended. */
export interface TornTail {
  /** Where the last complete unit ends. */
  readonly offset: number;
  /** Bytes from there to the end of the file. */
  readonly bytes: number;
  /** What is incomplete, in words. */
  readonly what: string;
}

export interface LogReaderOptions {
  /** Where commands begin: behind an RDB preamble. */
  readonly start?: number;
  /** What a person can do where the file is damaged. */
  readonly advice?: string;
  /** Bytes of the window: small for tests. */
  readonly windowBytes?: number;
}

export class LogReader {
  /** The command that `next` went to. */
  args = new Arguments();
  /** Where it begins in the file. */
  offset = 0;
  /** Seconds since 1970 that the last #TS annotation told, 0 if there was none. */
  timestamp = 0;
  /** The number of the last batch whose checksum was right, 0 if there was none. */
  sequence = 0;
  /** What is incomplete at the end, once `next` has said false; undefined if nothing is. */
  torn: TornTail | undefined;
  /** Where padding begins that nothing has followed yet; undefined if the last thing was none. */
  padding: number | undefined;
  readonly #advice: string;
  readonly #window: LogWindow;
  readonly #ahead = new RequestBatch(LOOK_AHEAD_MAX);
  readonly #command = new LogCommand();
  readonly #line = new BatchLine();
  /** Where the first command begins that has not been parsed, in the window. */
  #at = 0;
  /** Where the present batch begins in the file, with its line, and where it ends. */
  #batchBegin = 0;
  #batchEnd = NO_BATCH;
  /** Where the present transaction begins in the file, -1 outside of one. */
  #transaction = -1;
  /** Whether the last command was written by Redis, whose rules then hold for what follows. */
  #isBehindForeign = false;
  #isOver = false;

  /** @param file stays the caller's, who closes it */
  constructor(file: OpenFile, { start = 0, advice, windowBytes }: LogReaderOptions = {}) {
    this.#window = new LogWindow(file, windowBytes);
    this.#window.moveTo(start);
    this.#advice = advice ?? `"stillwater check-aof --fix ${file.path}" cuts the log off there, and keeps what it cuts`;
    this.offset = start;
  }

  get bytesTotal(): number {
    return this.#window.size;
  }

  /** Bytes of the file that have been gone through, those of the present command included. */
  get bytesRead(): number {
    return this.#window.base + this.#at;
  }

  /** Whether the present command is part of a batch, whose checksum was right. */
  get isInBatch(): boolean {
    return this.#batchEnd !== NO_BATCH;
  }

  /** Where the last complete unit ends: what stands before is in order, whatever was thrown for what stands behind. */
  get soundUpTo(): number {
    if (this.isInBatch) return this.#batchBegin;
    return this.#transaction === -1 ? this.offset : this.#transaction;
  }

  /** As `soundUpTo` between two units, padding left out. */
  get #unitEnd(): number {
    return this.padding ?? this.offset;
  }

  /**
   * Goes to the next command.
   * @returns false at the end; see `torn`
   * @throws DamagedFileError, or the system's error
   */
  next(): boolean {
    const ahead = this.#ahead;
    if (ahead.next === ahead.count) this.#parseAhead();
    if (ahead.next < ahead.count) {
      this.args = ahead.requests[ahead.next]!;
      this.offset = this.#window.base + this.args.requestStart;
      ahead.next += 1;
    } else if (!this.#nextAlone()) return false;
    if (this.args.count === 1) this.#followTransaction();
    return true;
  }

  /** To be called after each `next`: brings what the commands parsed ahead will look up into the processor's cache. */
  warm(lookAhead: LookAhead, database: Database): void {
    const ahead = this.#ahead;
    if (ahead.next === 1) lookAhead.warm(database, ahead.requests, ahead.count);
  }

  #parseAhead(): void {
    const ahead = this.#ahead;
    const { bytes, base, filled } = this.#window;
    const end = this.#batchEnd === NO_BATCH ? filled : Math.min(filled, this.#batchEnd - base);
    this.#at = ahead.fill(bytes, this.#at, this.#isOver ? 0 : end);
    if (this.#batchEnd !== NO_BATCH || ahead.count === 0) return;
    this.#checkLineEnds(bytes);
    this.#isBehindForeign ||= ahead.count > 0;
  }

  /** Takes back the first command parsed ahead that has a line end in disorder, and what follows it. */
  #checkLineEnds(bytes: Buffer): void {
    const ahead = this.#ahead;
    for (let index = 0; index < ahead.count; index++) {
      if (haveLineEnds(bytes, ahead.requests[index]!)) continue;
      this.#at = ahead.requests[index]!.requestStart;
      ahead.count = index;
      return;
    }
  }

  /** Goes on at what was not parsed ahead. @returns false at the end */
  #nextAlone(): boolean {
    const window = this.#window;
    this.#ahead.clear();
    while (!this.#isOver) {
      const position = window.base + this.#at;
      if (position === this.#batchEnd) this.#endBatch(position);
      this.offset = position;
      if (position === window.size) return this.#end();
      if (this.#at === window.filled) this.#at = window.fill(this.#at, 1);
      if (window.bytes[this.#at] === HASH) this.#readAnnotation();
      else if (!this.#isLostPage()) return this.#readCommand();
    }
    return false;
  }

  #endBatch(position: number): void {
    if (this.#transaction !== -1) {
      this.#fail(position, "the batch ends in the middle of a transaction, though its checksum is right");
    }
    this.#batchEnd = NO_BATCH;
  }

  #end(): boolean {
    if (this.#transaction === -1) this.#isOver = true;
    else this.#tear(this.#transaction, "a transaction without its EXEC", this.#transaction);
    return false;
  }

  /**
   * Whether what stands behind padding is the rest of a batch that was being written over it: it may begin as a
   * command does. What Redis has appended to a padded file is behind all of its padding.
   */
  #isLostPage(): boolean {
    const { padding } = this;
    if (padding === undefined) return false;
    const tail = new LogTail(this.#window.file);
    const isLost = tail.mayBeOverwritten(padding) && tail.lookBehind(padding, padding, this.sequence) !== "durable";
    if (isLost) this.#tear(padding, "a batch of which the beginning is missing", padding);
    else this.padding = undefined;
    return isLost;
  }

  #readCommand(): boolean {
    const window = this.#window;
    const command = this.#command;
    const end = this.isInBatch ? this.#batchEnd : window.size;
    try {
      while (!command.read(window.bytes, this.#at, Math.min(window.filled, end - window.base))) {
        if (window.base + window.filled >= end) return this.#cutOff();
        // Of a command of many arguments, the next header is all that is known: twice as much avoids many attempts.
        const wanted = Math.max(command.wanted, 2 * (window.filled - this.#at));
        if (Math.min(wanted, end - this.offset) > WINDOW_MAX) this.#fail(this.offset, "a command of more than 2 GiB");
        this.#at = window.fill(this.#at, wanted);
      }
    } catch (error) {
      if (!(error instanceof MalformedCommandError)) throw error;
      const place = window.base + error.at;
      if (place !== this.soundUpTo || this.isInBatch) this.#fail(place, error.message);
      this.#lose(place, error.message, place, window.bytes[error.at] === 0 ? place : -1);
      return false;
    }
    this.args = command.args;
    this.#at = command.end;
    if (!this.isInBatch) this.#isBehindForeign = true;
    return true;
  }

  #cutOff(): false {
    const { offset } = this;
    if (this.isInBatch) this.#fail(offset, "the batch ends in the middle of a command, though its checksum is right");
    this.#tear(this.soundUpTo, "a command that is cut off", offset);
    return false;
  }

  /** A line that begins with "#". */
  #readAnnotation(): void {
    const window = this.#window;
    if (window.filled - this.#at <= ANNOTATION_MAX && !window.isLast) {
      this.#at = window.fill(this.#at, ANNOTATION_MAX + 1);
    }
    const { bytes } = window;
    const start = this.#at;
    const last = Math.min(window.filled, start + ANNOTATION_MAX + 1);
    let end = start;
    while (end < last && bytes[end] !== LF) end += 1;
    if (end < last) end += 1;
    if (end - start > ANNOTATION_MAX) {
      this.#refuseLine("a line beginning with '#' that does not end", start, end);
      return;
    }
    if (isPaddingLine(bytes, start, end) && this.#transaction === -1) {
      this.padding ??= this.offset;
      this.#at = end;
    } else if (bytes[end - 1] !== LF) {
      if (this.isInBatch)
        this.#fail(this.offset, "the batch ends in the middle of a line, though its checksum is right");
      this.#tear(this.soundUpTo, "a line that is cut off", this.offset);
    } else if (this.#line.parse(bytes, start, end)) this.#beginBatch(end);
    else this.#readOtherLine(start, end);
  }

  #readOtherLine(start: number, end: number): void {
    const { bytes } = this.#window;
    const seconds = readTimestampLine(bytes, start, end);
    const syncedUpTo = this.isInBatch ? -1 : readSyncedLine(bytes, start, end);
    if (seconds !== -1) this.timestamp = seconds;
    else if (syncedUpTo !== -1) {
      if (syncedUpTo > this.#unitEnd) this.#fail(this.#unitEnd, "what had been synced is missing");
    } else if ((this.sequence > 0 && !this.isInBatch) || isDisfigured(bytes, start, end)) {
      this.#refuseLine("a line that may have been a batch line", start, end);
      return;
    }
    this.#at = end;
  }

  /** @param start where the line stands in the window, up to `end` */
  #refuseLine(what: string, start: number, end: number): void {
    if (this.isInBatch || this.#transaction !== -1) this.#fail(this.offset, what);
    const zero = this.#window.bytes.subarray(start, end).indexOf(0);
    this.#lose(this.#unitEnd, what, this.offset + 1, zero === -1 ? -1 : this.offset + zero);
  }

  /** @param at where the batch begins in the window, behind its line */
  #beginBatch(at: number): void {
    const window = this.#window;
    const { sequence, length } = this.#line;
    if (this.isInBatch) this.#fail(this.offset, "a batch line within a batch");
    if (this.#transaction !== -1) this.#fail(this.#transaction, "a transaction without its EXEC before a batch line");
    if (sequence !== this.sequence + 1) {
      this.#skipTo(sequence);
      return;
    }
    const begin = window.base + at;
    const end = begin + length;
    if (end > window.size) {
      this.#tear(
        this.#unitEnd,
        `batch ${sequence}, of which ${window.size - begin} of ${length} bytes are there`,
        begin,
      );
    } else if (!this.#isIntact(begin)) {
      if (end < window.size) this.#lose(this.#unitEnd, `batch ${sequence} does not have its checksum`, begin, end);
      else this.#tear(this.#unitEnd, `batch ${sequence}, the last one, which does not have its checksum`, begin);
    } else {
      this.sequence = sequence;
      this.padding = undefined;
      this.#isBehindForeign = false;
      this.#batchBegin = this.offset;
      this.#batchEnd = end;
    }
  }

  /** The line of a batch that is not the next one: those before it are damaged, or are padding again. */
  #skipTo(sequence: number): void {
    const { padding } = this;
    const what = `batch ${sequence} where batch ${this.sequence + 1} should be`;
    if (padding === undefined || sequence <= this.sequence) this.#fail(this.offset, what);
    this.#lose(padding, what, padding, -1, this.offset - this.#line.unsynced <= padding);
  }

  /** Computes the checksum of the batch that begins at `offset`, and leaves the window there. */
  #isIntact(offset: number): boolean {
    const window = this.#window;
    const { length } = this.#line;
    const at = offset - window.base;
    if (at >= 0 && at <= window.filled && length <= window.capacity) {
      this.#at = window.filled - at < length ? window.fill(at, length) : at;
      return crc32(window.bytes.subarray(this.#at, this.#at + length)) === this.#line.crc32;
    }
    const crc = checksumOf(window, offset, length);
    window.moveTo(offset);
    this.#at = 0;
    return crc === this.#line.crc32;
  }

  /**
   * The log ends with something incomplete, unless what stands behind it says that it has been damaged.
   * @param offset where the last complete unit ends
   * @param inside where the incomplete one has begun: batches from there on would be behind it
   */
  #tear(offset: number, what: string, inside: number): void {
    const { size, file } = this.#window;
    const behind = new LogTail(file).lookBehind(offset, inside, this.sequence);
    if (behind === "durable") this.#fail(offset, `${what}; but there are intact batches behind it`);
    const addition = behind === "nothing" ? "" : "; what stands behind it had not been synced either";
    this.torn = { offset, bytes: size - offset, what: what + addition };
    this.#isOver = true;
  }

  /**
   * What stands at `place`, where a batch should begin, is in no order. It was lost if that can be; otherwise it is
   * damage.
   * @param inside see `#tear`
   * @param blank from where on nothing was written, as far as what stands at `place` tells; -1 if it does not
   * @param isUnsynced whether a batch that need not be intact tells that the place had not been synced
   */
  #lose(place: number, what: string, inside: number, blank: number, isUnsynced = false): void {
    const tail = new LogTail(this.#window.file);
    const isOurs = isUnsynced || tail.mayBeOverwritten(place);
    const behind = this.#isBehindForeign && !isOurs ? "durable" : tail.lookBehind(place, inside, this.sequence);
    const isBlank = isOurs || (blank !== -1 && tail.isBlank(blank));
    const isLost = behind === "unsynced" || (behind === "nothing" && isBlank);
    if (isLost) this.#tear(place, what, inside);
    else this.#fail(place, what);
  }

  /** @throws DamagedFileError, always */
  #fail(offset: number, what: string): never {
    this.#isOver = true;
    throw new DamagedFileError(this.#window.file.path, offset, what, this.#advice);
  }

  /** MULTI and EXEC are what a unit begins and ends with. */
  #followTransaction(): void {
    if (this.args.is(0, "MULTI")) {
      if (this.#transaction === -1) this.#transaction = this.offset;
    } else if (this.args.is(0, "EXEC")) this.#transaction = -1;
  }
}
