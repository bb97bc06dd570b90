/**
 * RequestParser: requests, out of the bytes that a connection receives, one at a time and without copying them.
 *
 *     feed(bytes, start, end) ─▶ next() … next() ─▶ false: the rest is an unfinished request
 *
 * The arguments point into the fed bytes. What is unfinished when they end is kept in a buffer of the connection's own,
 * and parsing goes on there where it stopped: a request that arrives byte by byte is still looked at once. A large
 * argument whose length is known gets its buffer in one piece.
 *
 * Limits and error texts are Redis's: a request that breaks them throws a ProtocolError, after which the connection is
 * of no more use.
 */
import { Arguments } from "../base/arguments.ts";
import { EMPTY_BYTES } from "../base/bytes.ts";
import { splitInline } from "./inline.ts";

const CR = 0x0d;
const LF = 0x0a;
const ASTERISK = 0x2a;
const DOLLAR = 0x24;
/** A line that is not finished within this many bytes never will be. */
const LINE_MAX = 64 * 1024;
const MULTIBULK_MAX = 2 ** 31 - 1;
/** Before a client has authenticated, it may not make the server hold much. */
const UNAUTHENTICATED_MULTIBULK_MAX = 10;
const UNAUTHENTICATED_BULK_MAX = 16384;
/** Larger argument tables and buffers are let go once the request that needed them is done. */
const KEPT_ARGUMENTS = 1024;
const KEPT_BUFFER = 32 * 1024;

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
  readonly args = new Arguments();
  isAuthenticated = true;
  readonly #limits: RequestLimits;
  /** Where the bytes being parsed are, and how far. */
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

  constructor(limits: RequestLimits) {
    this.#limits = limits;
  }

  /** Bytes kept of an unfinished request. */
  get keptBytes(): number {
    return this.#kept === EMPTY_BYTES ? 0 : this.#end - this.#begin;
  }

  /** Bytes that the connection's own buffer has free. */
  get keptFree(): number {
    return this.#kept === EMPTY_BYTES ? 0 : this.#kept.length - this.#end;
  }

  /** Gives the parser what came in; `bytes` must stay as it is until `next` has said false or `keep` was called. */
  feed(bytes: Buffer, start: number, end: number): void {
    if (this.#kept === EMPTY_BYTES) {
      this.#bytes = bytes;
      this.#begin = start;
      this.#at = start;
      this.#end = end;
      return;
    }
    this.#append(bytes, start, end);
  }

  /**
   * Goes to the next request; `args` has it until the next call.
   * @returns false when what was fed ends before one is complete; the rest is kept then
   * @throws ProtocolError
   */
  next(): boolean {
    for (;;) {
      if (this.#remaining === 0) {
        this.#begin = this.#at;
        if (!this.#beginRequest()) return this.#keep();
        if (this.#remaining === 0) {
          if (this.args.count > 0) return true;
          continue;
        }
      }
      if (!this.#readArguments()) return this.#keep();
      return true;
    }
  }

  /** Takes the last request back: `next` will find it again. */
  unread(): void {
    this.#at = this.#begin;
    this.args.count = 0;
  }

  /** Keeps what has not been parsed yet, because the fed buffer is needed for something else. */
  keep(): void {
    this.#begin = this.#remaining === 0 ? this.#at : this.#begin;
    this.#keep();
  }

  /** The header of a request, or a whole inline request. @returns false if there is not enough */
  #beginRequest(): boolean {
    const at = this.#at;
    if (at >= this.#end) return false;
    if (this.args.starts.length > KEPT_ARGUMENTS) this.args.release();
    if (this.#bytes[at] !== ASTERISK) return this.#readInline();
    const lineEnd = this.#findLineEnd(at, "too big mbulk count string");
    if (lineEnd === -1) return false;
    const count = parseLength(this.#bytes, at + 1, lineEnd);
    if (count === undefined || count > MULTIBULK_MAX) throw new ProtocolError("Protocol error: invalid multibulk length");
    if (count > UNAUTHENTICATED_MULTIBULK_MAX && !this.isAuthenticated) {
      throw new ProtocolError("Protocol error: unauthenticated multibulk length");
    }
    this.#at = lineEnd + 2;
    this.args.reset(this.#bytes);
    this.#remaining = Math.max(0, count);
    this.#bulkLength = -1;
    return true;
  }

  #readArguments(): boolean {
    const bytes = this.#bytes;
    const { args } = this;
    while (this.#remaining > 0) {
      if (this.#bulkLength === -1 && !this.#readBulkHeader()) return false;
      const start = this.#at;
      if (this.#end - start < this.#bulkLength + 2) return false;
      args.push(start, this.#bulkLength);
      this.#at = start + this.#bulkLength + 2;
      this.#bulkLength = -1;
      this.#remaining -= 1;
    }
    args.bytes = bytes;
    return true;
  }

  #readBulkHeader(): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    // The common header, "$" and one or two digits, without a search for its end.
    if (this.#end - at >= 5 && bytes[at] === DOLLAR) {
      const first = bytes[at + 1]! - 0x30;
      if (first >= 0 && first <= 9 && bytes[at + 2] === CR) {
        this.#bulkLength = first;
        this.#at = at + 4;
        return true;
      }
      const second = bytes[at + 2]! - 0x30;
      if (first >= 1 && first <= 9 && second >= 0 && second <= 9 && bytes[at + 3] === CR) {
        this.#bulkLength = first * 10 + second;
        this.#at = at + 5;
        return true;
      }
    }
    return this.#readLongBulkHeader();
  }

  #readLongBulkHeader(): boolean {
    const at = this.#at;
    if (at >= this.#end) return false;
    const lineEnd = this.#findLineEnd(at, "too big bulk count string");
    if (lineEnd === -1) return false;
    const bytes = this.#bytes;
    if (bytes[at] !== DOLLAR) {
      throw new ProtocolError(`Protocol error: expected '$', got '${String.fromCharCode(bytes[at]!)}'`);
    }
    const length = parseLength(bytes, at + 1, lineEnd);
    if (length === undefined || length < 0 || length > this.#limits.bulkMax) {
      throw new ProtocolError("Protocol error: invalid bulk length");
    }
    if (length > UNAUTHENTICATED_BULK_MAX && !this.isAuthenticated) {
      throw new ProtocolError("Protocol error: unauthenticated bulk length");
    }
    this.#bulkLength = length;
    this.#at = lineEnd + 2;
    return true;
  }

  /** @returns the position of the line's CR, -1 if the line is not complete. @throws ProtocolError if it is too long */
  #findLineEnd(at: number, tooLong: string): number {
    const bytes = this.#bytes;
    const end = Math.min(this.#end - 1, at + LINE_MAX);
    for (let position = at; position < end; position++) if (bytes[position] === CR) return position;
    if (this.#end - at > LINE_MAX) throw new ProtocolError(`Protocol error: ${tooLong}`);
    return -1;
  }

  #readInline(): boolean {
    const line = this.#bytes.subarray(this.#at, this.#end);
    const newline = line.indexOf(LF);
    if (newline === -1) {
      if (line.length > LINE_MAX) throw new ProtocolError("Protocol error: too big inline request");
      return false;
    }
    this.#at += newline + 1;
    const length = newline > 0 && line[newline - 1] === CR ? newline - 1 : newline;
    if (!splitInline(line.subarray(0, length), this.args)) {
      throw new ProtocolError("Protocol error: unbalanced quotes in request");
    }
    return true;
  }

  /** Moves the unfinished request to the connection's own buffer. */
  #keep(): false {
    const length = this.#end - this.#begin;
    if (length === 0) {
      this.#kept = EMPTY_BYTES;
      this.#bytes = EMPTY_BYTES;
      return false;
    }
    if (this.#bytes === this.#kept && this.#begin === 0) return false;
    const target = this.#bytes === this.#kept ? this.#kept : Buffer.allocUnsafeSlow(this.#capacityFor(length));
    target.set(this.#bytes.subarray(this.#begin, this.#end));
    this.#rebase(target, length);
    return false;
  }

  /** A large argument whose length is known is given room at once, so that it is not copied again while it grows. */
  #capacityFor(length: number): number {
    const expected = this.#bulkLength > 0 ? this.#at - this.#begin + this.#bulkLength + 2 : 0;
    return Math.max(length * 2, Math.min(expected, length + 64 * 1024 * 1024), 256);
  }

  #append(bytes: Buffer, start: number, end: number): void {
    const length = this.#end - this.#begin;
    if (length + end - start > this.#limits.queryBufferMax) {
      throw new ProtocolError("Protocol error: the query buffer's limit is reached");
    }
    const needed = this.#end + end - start;
    if (needed > this.#kept.length) {
      const larger = Buffer.allocUnsafeSlow(this.#capacityFor(Math.max(length + end - start, KEPT_BUFFER >>> 1)));
      larger.set(this.#kept.subarray(this.#begin, this.#end));
      this.#rebase(larger, length);
    }
    this.#kept.set(bytes.subarray(start, end), this.#end);
    this.#end += end - start;
    this.#bytes = this.#kept;
    this.args.bytes = this.#kept;
  }

  /** What was parsed so far now stands at the beginning of `target`. */
  #rebase(target: Buffer, length: number): void {
    const shift = this.#begin;
    const { starts, count } = this.args;
    for (let index = 0; index < count; index++) starts[index] = starts[index]! - shift;
    this.args.bytes = target;
    this.#kept = target;
    this.#bytes = target;
    this.#at -= shift;
    this.#begin = 0;
    this.#end = length;
  }
}

/** A length as Redis reads it: canonical decimal, perhaps negative. @returns undefined for anything else */
function parseLength(bytes: Buffer, start: number, end: number): number | undefined {
  const isNegative = bytes[start] === 0x2d;
  const first = isNegative ? start + 1 : start;
  if (first === end || end - first > 19) return undefined;
  if (bytes[first] === 0x30 && (end - first > 1 || isNegative)) return undefined;
  let value = 0;
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}
