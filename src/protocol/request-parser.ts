/**
 * RequestParser: requests, out of the bytes that a connection receives, one at a time and without copying them.
 *
 *     feed(bytes, start, end) ─▶ next() … next() ─▶ false: the rest is an unfinished request
 *
 * The arguments point into the fed bytes. What is unfinished when these end is kept in a buffer of the connection's
 * own, and parsing goes on there where it stopped: a request that arrives byte by byte is still looked at once. Of what
 * is fed next, only as much is copied to it as the unfinished request needs; then the fed bytes themselves follow.
 *
 *     kept  [ *3 $3 SET $1 k $5 he┊llo ]           copied from the next bytes: "llo" and, in steps, a little more
 *     fed                         [ llo *2 $3 GET $1 k *1 … ]      parsing comes back to these at "*2"
 *
 * A declared length alone makes nothing large: the buffer grows in steps of eight towards it, as the bytes come.
 *
 * Limits and error texts are Redis's: a request that breaks them throws a ProtocolError, after which the connection is
 * of no more use. A header line ends at its CR and the byte behind it, whatever that is, as in Redis. One difference is
 * meant: Redis stops reading at a zero byte in a header or an inline request and waits; here it is a byte like others.
 */
import { Arguments } from "../base/arguments.ts";
import { copyBytes, EMPTY_BYTES } from "../base/bytes.ts";
import { parseInt64 } from "../base/int64.ts";
import { splitArguments } from "../config/quoting.ts";
import { RequestBatch, SHORT_MAX } from "./request-batch.ts";
import { SpareBuffers } from "./spare-buffers.ts";

const CR = 0x0d;
const LF = 0x0a;
const DOLLAR = 0x24;
const ASTERISK = 0x2a;
const ZERO = 0x30;
/** A line that is not finished within this many bytes never will be. */
const LINE_MAX = 64 * 1024;
/** Where the lines of nearly all requests have ended: so far a loop beats the call that a search costs. */
const LINE_USUAL = 32;
const MULTIBULK_MAX = 2 ** 31 - 1;
/** Before a client has authenticated, it may not make the server hold much. */
const UNAUTHENTICATED_MULTIBULK_MAX = 10;
const UNAUTHENTICATED_BULK_MAX = 16384;
/** Larger argument tables and buffers are let go once the request that needed them is done. */
const KEPT_ARGUMENTS = 1024;
const KEPT_BUFFER = 64 * 1024;
/** A buffer beyond KEPT_BUFFER is at most this many times as large as what has come. */
const FORESIGHT = 32;
/** Requests that a parser with a batch of its own parses ahead. */
const BATCH_ALONE = 4;
/** Fed bytes that an unfinished request of unknown length takes at a time. */
const STEP = 256;

/** The connection broke the protocol; the text goes to it as its last reply. */
export class ProtocolError extends Error {
  readonly code = "ERR";
}

/** What bounds a connection's requests; shared by all connections and changed by CONFIG SET. */
export interface RequestLimits {
  /** Longest argument, in bytes: proto-max-bulk-len. */
  bulkMax: number;
  /** Most bytes of an unfinished request: client-query-buffer-limit. */
  queryBufferMax: number;
}

export class RequestParser {
  /** The request that `next` went to. */
  args: Arguments;
  isAuthenticated = true;
  readonly #limits: RequestLimits;
  readonly #own = new Arguments();
  readonly #batch: RequestBatch;
  readonly #spares: SpareBuffers;
  /** Where the bytes being parsed are, and how far: the fed ones or the kept ones. */
  #bytes: Buffer = EMPTY_BYTES;
  #at = 0;
  #end = 0;
  /** Where the unfinished request begins. */
  #begin = 0;
  /** Arguments of the request that are still to come; 0 between requests. */
  #remaining = 0;
  /** Length of the argument that is coming, -1 while its header is. */
  #bulkLength = -1;
  /** The connection's own buffer for what is unfinished; EMPTY_BYTES while there is nothing. */
  #kept: Buffer = EMPTY_BYTES;
  /** What was fed last; of it, [#fedStart, #fedAt) has been copied to the end of #kept. */
  #fed: Buffer = EMPTY_BYTES;
  #fedStart = 0;
  #fedAt = 0;
  #fedEnd = 0;

  /**
   * @param batch shared by the parsers of a thread, of which one is at work at a time
   * @param spares shared by them as well
   */
  constructor(limits: RequestLimits, batch = new RequestBatch(BATCH_ALONE), spares = new SpareBuffers()) {
    this.#limits = limits;
    this.#batch = batch;
    this.#spares = spares;
    this.args = this.#own;
  }

  /** Bytes kept of an unfinished request. */
  get keptBytes(): number {
    return this.#kept === EMPTY_BYTES ? 0 : this.#end - this.#begin;
  }

  /** Bytes that the connection's own buffer has beside them. */
  get keptFree(): number {
    return this.#kept.length - this.keptBytes;
  }

  /** Gives the parser what came in; `bytes` must stay as it is until `next` has said false or `keep` was called. */
  feed(bytes: Buffer, start: number, end: number): void {
    this.#fed = bytes;
    this.#fedStart = start;
    this.#fedAt = start;
    this.#fedEnd = end;
    if (this.#kept === EMPTY_BYTES) this.#goOnInFed(start);
  }

  /**
   * Goes to the next request; `args` has it until the next call.
   * @returns false when what was fed ends before one is complete; the rest is kept then
   * @throws ProtocolError
   */
  next(): boolean {
    const batch = this.#batch;
    if (batch.next === batch.count) this.#parseAhead();
    if (batch.next < batch.count) {
      this.args = batch.requests[batch.next]!;
      batch.next += 1;
      return true;
    }
    this.args = this.#own;
    while (!this.#parse()) {
      if (this.#fill()) continue;
      if (this.#remaining === 0 && this.args.starts.length > KEPT_ARGUMENTS) this.args.release();
      this.#keep();
      return false;
    }
    return true;
  }

  /** Takes the last request back: `next` will find it again. */
  unread(): void {
    if (this.args !== this.#own) {
      this.#batch.next -= 1;
      return;
    }
    this.#at = this.#begin;
    this.args.count = 0;
  }

  /**
   * Keeps what has not been parsed yet, because the fed buffer is needed for something else. Ends `args`. Never throws:
   * a connection may have to wait also while it is being closed for an error.
   */
  keep(): void {
    const batch = this.#batch;
    if (batch.next < batch.count) this.#at = batch.requests[batch.next]!.requestStart;
    batch.clear();
    if (this.#remaining === 0) this.#begin = this.#at;
    if (this.#bytes === this.#kept) this.#append(this.#fedEnd - this.#fedAt);
    this.#keep();
  }

  /**
   * Parses requests of the common form ahead, as many as the batch takes and the fed bytes hold. Whatever else comes is
   * left to be parsed by itself, and refused in its turn.
   */
  #parseAhead(): void {
    const batch = this.#batch;
    batch.clear();
    if (this.#remaining !== 0 || this.#bytes === this.#kept || this.#limits.bulkMax < SHORT_MAX) return;
    this.#at = batch.fill(this.#bytes, this.#at, this.#end);
  }

  /** @returns false where the bytes end before a request does */
  #parse(): boolean {
    while (this.#remaining === 0) {
      if (this.#bytes === this.#kept) this.#leaveKept();
      this.#begin = this.#at;
      if (!this.#beginRequest()) return false;
      if (this.#remaining === 0 && this.args.count > 0) return true;
    }
    return this.#readArguments();
  }

  /** The header of a request, or a whole inline request. @returns false if there is not enough */
  #beginRequest(): boolean {
    const at = this.#at;
    if (at >= this.#end) return false;
    if (this.#bytes[at] !== ASTERISK) return this.#readInline();
    let count = this.#end - at >= 4 && this.#bytes[at + 2] === CR ? this.#bytes[at + 1]! - ZERO : -1;
    if (count >= 0 && count <= 9) this.#at = at + 4;
    else {
      const lineEnd = this.#findLineEnd(at, "too big mbulk count string");
      if (lineEnd === -1) return false;
      count = this.#parseCount(at + 1, lineEnd);
      this.#at = lineEnd + 2;
    }
    this.args.reset(this.#bytes);
    this.#remaining = count;
    return true;
  }

  #parseCount(start: number, end: number): number {
    const count = parseInt64(this.#bytes, start, end - start);
    if (count === undefined || count > MULTIBULK_MAX) {
      throw new ProtocolError("Protocol error: invalid multibulk length");
    }
    if (count > UNAUTHENTICATED_MULTIBULK_MAX && !this.isAuthenticated) {
      throw new ProtocolError("Protocol error: unauthenticated multibulk length");
    }
    return count > 0 ? Number(count) : 0;
  }

  /** Reads as many of the request's arguments as are there. @returns true if these are all */
  #readArguments(): boolean {
    const { args } = this;
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    let length = this.#bulkLength;
    let remaining = this.#remaining;
    for (; remaining > 0; remaining -= 1) {
      if (length === -1) {
        // The common header, "$" and one or two digits, without a call.
        const first = end - at >= 5 && bytes[at] === DOLLAR ? bytes[at + 1]! - ZERO : -1;
        const second = first >= 0 && first <= 9 ? bytes[at + 2]! : -1;
        if (second === CR) {
          length = first;
          at += 4;
        } else if (first > 0 && second >= ZERO && second <= ZERO + 9 && bytes[at + 3] === CR) {
          length = first * 10 + second - ZERO;
          at += 5;
        } else {
          this.#at = at;
          length = this.#readBulkHeader();
          at = this.#at;
        }
      }
      if (length === -1 || end - at < length + 2) break;
      args.push(at, length);
      at += length + 2;
      length = -1;
    }
    this.#at = at;
    this.#bulkLength = length;
    this.#remaining = remaining;
    return remaining === 0;
  }

  /** @returns the length of the argument that follows, -1 if its header is not complete */
  #readBulkHeader(): number {
    const at = this.#at;
    const lineEnd = this.#findLineEnd(at, "too big bulk count string");
    if (lineEnd === -1) return -1;
    const bytes = this.#bytes;
    if (bytes[at] !== DOLLAR) {
      throw new ProtocolError(`Protocol error: expected '$', got '${String.fromCharCode(bytes[at]!)}'`);
    }
    const length = parseInt64(bytes, at + 1, lineEnd - at - 1);
    if (length === undefined || length < 0 || length > this.#limits.bulkMax) {
      throw new ProtocolError("Protocol error: invalid bulk length");
    }
    if (length > UNAUTHENTICATED_BULK_MAX && !this.isAuthenticated) {
      throw new ProtocolError("Protocol error: unauthenticated bulk length");
    }
    this.#at = lineEnd + 2;
    return Number(length);
  }

  /** @returns the position of the line's CR, -1 if the line is not complete. @throws ProtocolError if it is too long */
  #findLineEnd(at: number, tooLong: string): number {
    const bytes = this.#bytes;
    const near = Math.min(this.#end, at + LINE_USUAL);
    let position = at;
    while (position < near && bytes[position] !== CR) position += 1;
    if (position === near) {
      const line = bytes.subarray(at, Math.min(this.#end, at + LINE_MAX + 1));
      const found = line.indexOf(CR);
      if (found === -1 && line.length > LINE_MAX) throw new ProtocolError(`Protocol error: ${tooLong}`);
      if (found === -1) return -1;
      position = at + found;
    }
    return position + 2 > this.#end ? -1 : position;
  }

  #readInline(): boolean {
    const line = this.#bytes.subarray(this.#at, Math.min(this.#end, this.#at + LINE_MAX + 1));
    const newline = line.indexOf(LF);
    if (newline === -1 && line.length > LINE_MAX) throw new ProtocolError("Protocol error: too big inline request");
    if (newline === -1) return false;
    const words = splitArguments(line.latin1Slice(0, line[newline - 1] === CR ? newline - 1 : newline));
    if (words === undefined) throw new ProtocolError("Protocol error: unbalanced quotes in request");
    this.#at += newline + 1;
    this.args.reset(Buffer.from(words.join(""), "latin1"));
    let start = 0;
    for (const word of words) {
      this.args.push(start, word.length);
      start += word.length;
    }
    return true;
  }

  #goOnInFed(at: number): void {
    this.#spares.give(this.#kept);
    this.#kept = EMPTY_BYTES;
    this.#bytes = this.#fed;
    this.#at = at;
    this.#end = this.#fedEnd;
    this.#begin = at;
  }

  /** Goes on in the fed bytes, if all that is still to be parsed stands in them. */
  #leaveKept(): void {
    const unread = this.#end - this.#at;
    if (unread <= this.#fedAt - this.#fedStart) this.#goOnInFed(this.#fedAt - unread);
  }

  /** Copies more of the fed bytes behind the unfinished request. @returns false if there are none */
  #fill(): boolean {
    if (this.#bytes !== this.#kept || this.#fedAt === this.#fedEnd) return false;
    const wanted = this.#bulkLength === -1 ? STEP : this.#bulkLength + 2 - (this.#end - this.#at);
    const size = Math.min(wanted, this.#fedEnd - this.#fedAt);
    if (this.#end - this.#begin + size > this.#limits.queryBufferMax) {
      throw new ProtocolError("Protocol error: the query buffer's limit is reached");
    }
    this.#append(size);
    return true;
  }

  #append(size: number): void {
    if (this.#end + size > this.#kept.length) this.#move(this.#capacityFor(this.#end - this.#begin + size));
    copyBytes(this.#fed, this.#fedAt, this.#kept, this.#end, size);
    this.#fedAt += size;
    this.#end += size;
  }

  /** Leaves the fed bytes to their owner: what is unfinished stands in #kept from here on. */
  #keep(): void {
    const length = this.#end - this.#begin;
    this.#fed = EMPTY_BYTES;
    this.#fedStart = this.#fedAt = this.#fedEnd = 0;
    if (length === 0) {
      this.#goOnInFed(0);
      return;
    }
    const capacity = this.#capacityFor(length);
    const isFitting = this.#kept.length <= Math.max(KEPT_BUFFER, 4 * capacity);
    if (this.#bytes !== this.#kept || !isFitting) this.#move(capacity);
  }

  /** Room for the whole request as far as its length is known, within FORESIGHT. */
  #capacityFor(length: number): number {
    let known = this.#bulkLength === -1 ? 0 : this.#at - this.#begin + this.#bulkLength + 2;
    while (known > Math.max(KEPT_BUFFER, FORESIGHT * length)) known = Math.ceil(known / 8);
    return Math.max(known, 2 * length, 2 * STEP);
  }

  /** Moves the unfinished request to the beginning of another #kept. */
  #move(capacity: number): void {
    const target = this.#spares.take(capacity);
    copyBytes(this.#bytes, this.#begin, target, 0, this.#end - this.#begin);
    if (this.#remaining > 0) {
      const { starts, count } = this.args;
      for (let index = 0; index < count; index++) starts[index]! -= this.#begin;
      this.args.bytes = target;
    }
    this.#spares.give(this.#kept);
    this.#kept = target;
    this.#bytes = target;
    this.#at -= this.#begin;
    this.#end -= this.#begin;
    this.#begin = 0;
  }
}
