/**
 * RespReply: writes replies as RESP2 or RESP3 into one buffer, which is sent as a whole.
 *
 * One serves all connections of a thread, one after the other: whoever executes commands says which version is spoken,
 * and takes what was written before the next connection's turn.
 */
import { copyBytes, withView } from "../base/bytes.ts";
import { formatDouble } from "../base/format-double.ts";
import { type Int64, lengthOfInt64, writeInt64 } from "../base/int64.ts";
import type { Reply } from "../commands/reply.ts";

const CR = 0x0d;
const LF = 0x0a;
const FIRST_CAPACITY = 64 * 1024;
/** Up to here positions are small integers in V8, and every Node.js has buffers as large. */
const LENGTH_MAX = 2 ** 31 - 1;
/** Room that headers and numbers may use without asking. */
const SLACK = 64;

/** What was to be written is longer than a buffer can be; what has been written so far is no whole reply. */
export class ReplyTooLongError extends Error {
  readonly code = "REPLY_TOO_LONG";
}

export class RespReply implements Reply {
  version: 2 | 3 = 2;
  /** What has been written stands in [0, length). */
  buffer = withView(Buffer.allocUnsafeSlow(FIRST_CAPACITY));
  length = 0;
  /** The most that may be written before it is sent; `buffer` is never larger. */
  lengthMax = LENGTH_MAX;
  /** Error replies written, and the code of the last: for statistics. */
  errors = 0;
  lastErrorCode = "";

  /** Hands the buffer over to whoever still sends from it, and goes on in a new one. */
  renew(): void {
    this.buffer = withView(Buffer.allocUnsafeSlow(FIRST_CAPACITY));
    this.length = 0;
  }

  /** Bytes that are a reply, or several, already. */
  append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  ok(): void {
    this.#reserve(5);
    const { buffer, length } = this;
    buffer[length] = 0x2b;
    buffer[length + 1] = 0x4f;
    buffer[length + 2] = 0x4b;
    buffer[length + 3] = CR;
    buffer[length + 4] = LF;
    this.length = length + 5;
  }

  simple(text: string): void {
    this.#line(0x2b, text);
  }

  error(text: string): void {
    const space = text.indexOf(" ");
    this.errors += 1;
    this.lastErrorCode = space === -1 ? text : text.slice(0, space);
    // As in Redis: line breaks around the text are dropped, those within become spaces.
    this.#line(0x2d, text.replaceAll(/^[\r\n]+|[\r\n]+$/g, "").replaceAll(/[\r\n]/g, " "));
  }

  integer(value: Int64): void {
    this.#header(0x3a, value);
  }

  bulk(bytes: Buffer, start: number, length: number): void {
    this.#reserve(length + SLACK);
    const { buffer } = this;
    let at = this.length;
    buffer[at] = 0x24;
    // The common header, of one or two digits, without a call.
    if (length < 10) {
      buffer[at + 1] = 0x30 + length;
      at += 2;
    } else if (length < 100) {
      const tens = (length / 10) | 0;
      buffer[at + 1] = 0x30 + tens;
      buffer[at + 2] = 0x30 + length - tens * 10;
      at += 3;
    } else {
      at = writeInt64(length, buffer, at + 1);
    }
    buffer[at] = CR;
    buffer[at + 1] = LF;
    copyBytes(bytes, start, buffer, at + 2, length);
    this.#endLine(at + 2 + length);
  }

  bulkText(text: string): void {
    this.#text(0x24, "", text);
  }

  null(): void {
    if (this.version === 3) this.#line(0x5f, "");
    else this.#header(0x24, -1);
  }

  nullArray(): void {
    if (this.version === 3) this.#line(0x5f, "");
    else this.#header(0x2a, -1);
  }

  array(length: number): void {
    this.#header(0x2a, length);
  }

  map(pairs: number): void {
    if (this.version === 3) this.#header(0x25, pairs);
    else this.#header(0x2a, pairs * 2);
  }

  set(length: number): void {
    this.#header(this.version === 3 ? 0x7e : 0x2a, length);
  }

  double(value: number): void {
    // Most are integers; a zero with a sign is shown with it.
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.#wholeDouble(value);
    else this.#fraction(formatDouble(value));
  }

  doubleAs(text: string): void {
    if (this.version === 3) this.#line(0x2c, text);
    else this.bulkText(text);
  }

  boolean(value: boolean): void {
    if (this.version === 3) this.#line(0x23, value ? "t" : "f");
    else this.integer(value ? 1 : 0);
  }

  verbatim(format: string, text: string): void {
    if (this.version === 3) this.#text(0x3d, `${format}:`, text);
    else this.bulkText(text);
  }

  push(length: number): void {
    this.#header(this.version === 3 ? 0x3e : 0x2a, length);
  }

  #wholeDouble(value: number): void {
    if (this.version === 3) {
      this.#header(0x2c, value);
      return;
    }
    this.#header(0x24, lengthOfInt64(value));
    this.#reserve(SLACK);
    this.#endLine(writeInt64(value, this.buffer, this.length));
  }

  /** A few characters: to write them one by one beats the call that encodes them. */
  #fraction(text: string): void {
    const { length } = text;
    this.#reserve(length + SLACK);
    if (this.version === 3) {
      this.buffer[this.length] = 0x2c;
      this.length += 1;
    } else {
      this.#header(0x24, length);
    }
    for (let index = 0; index < length; index++) this.buffer[this.length + index] = text.charCodeAt(index);
    this.#endLine(this.length + length);
  }

  #header(kind: number, value: Int64): void {
    this.#reserve(SLACK);
    const { buffer } = this;
    buffer[this.length] = kind;
    const end = writeInt64(value, buffer, this.length + 1);
    buffer[end] = CR;
    buffer[end + 1] = LF;
    this.length = end + 2;
  }

  /** A character is a byte: what an error quotes of its request is Latin-1, and goes out as it came in. */
  #line(kind: number, text: string): void {
    this.#reserve(text.length + SLACK);
    this.buffer[this.length] = kind;
    const end = this.length + 1 + this.buffer.latin1Write(text, this.length + 1, text.length);
    this.#endLine(end);
  }

  #text(kind: number, prefix: string, text: string): void {
    const size = Buffer.byteLength(text);
    this.#reserve(prefix.length + size + SLACK);
    this.#header(kind, prefix.length + size);
    const start = this.length + this.buffer.latin1Write(prefix, this.length, prefix.length);
    const end = start + this.buffer.utf8Write(text, start, size);
    this.#endLine(end);
  }

  #endLine(end: number): void {
    this.buffer[end] = CR;
    this.buffer[end + 1] = LF;
    this.length = end + 2;
  }

  #reserve(size: number): void {
    if (this.length + size > this.buffer.length) this.#grow(size);
  }

  #grow(size: number): void {
    const { length, lengthMax } = this;
    if (length + size > lengthMax) throw new ReplyTooLongError(`a reply of more than ${lengthMax} bytes`);
    const larger = withView(
      Buffer.allocUnsafeSlow(Math.max(Math.min(this.buffer.length * 2, lengthMax), length + size)),
    );
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}
