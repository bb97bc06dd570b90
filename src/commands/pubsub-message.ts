/**
 * Message: what one PUBLISH, or one event of a key, is to all who receive it. Its bytes are borrowed from whoever
 * publishes, and good until `deliver` returns; the forms that receivers keep are made once for all of them, and only
 * if somebody wants them.
 */
import { copyBytes } from "../base/bytes.ts";
import { writeInt64 } from "../base/int64.ts";

/** How a receiver came to a message: by its channel, by a pattern, by a shard channel. */
export type MessageKind = "message" | "pmessage" | "smessage";

/** Bytes that a length with its frame takes at the most. */
const FRAME = 16;

/** A piece of somebody's buffer. */
export class Piece {
  bytes: Buffer;
  start: number;
  length: number;

  constructor(bytes: Buffer, start = 0, length = bytes.length) {
    this.bytes = bytes;
    this.start = start;
    this.length = length;
  }

  copy(): Buffer {
    const copied = Buffer.allocUnsafe(this.length);
    copyBytes(this.bytes, this.start, copied, 0, this.length);
    return copied;
  }
}

export class Message {
  readonly kind: MessageKind;
  /** The pattern that the channel matches, as it was given, for a "pmessage". */
  readonly pattern: Buffer | undefined;
  readonly channel: Piece;
  readonly payload: Piece;
  #array: Buffer | undefined;
  #push: Buffer | undefined;

  constructor(kind: MessageKind, pattern: Buffer | undefined, channel: Piece, payload: Piece) {
    this.kind = kind;
    this.pattern = pattern;
    this.channel = channel;
    this.payload = payload;
  }

  /** Its bytes on the wire: an array in RESP2, a push in RESP3. */
  encoded(version: 2 | 3): Buffer {
    if (version === 2) {
      this.#array ??= this.#encode("*");
      return this.#array;
    }
    this.#push ??= this.#encode(">");
    return this.#push;
  }

  #encode(type: "*" | ">"): Buffer {
    const parts = [new Piece(Buffer.from(this.kind)), this.channel, this.payload];
    if (this.pattern !== undefined) parts.splice(1, 0, new Piece(this.pattern));
    const size = parts.reduce((sum, part) => sum + part.length + FRAME, FRAME);
    const bytes = Buffer.allocUnsafe(size);
    let at = writeHeader(bytes, 0, type, parts.length);
    for (const part of parts) {
      at = writeHeader(bytes, at, "$", part.length);
      copyBytes(part.bytes, part.start, bytes, at, part.length);
      at += part.length;
      at += bytes.latin1Write("\r\n", at, 2);
    }
    return bytes.subarray(0, at);
  }
}

/** @returns where to go on */
function writeHeader(bytes: Buffer, at: number, type: string, length: number): number {
  bytes.latin1Write(type, at, 1);
  const end = writeInt64(length, bytes, at + 1);
  return end + bytes.latin1Write("\r\n", end, 2);
}
