/**
 * RdbWriter: lengths, numbers and strings, written one behind the other into a buffer that grows.
 *
 * What a value is made of is written through this and nothing else, so whoever writes a whole file overrides `reserve`
 * to hand over what has been written before there is more of it.
 */
import { copyBytes } from "../base/bytes.ts";
import { highWord, type Int64, lowWord, parseInt64, writeInt64 } from "../base/int64.ts";
import {
  COMPRESSED,
  COMPRESSED_MIN,
  COMPRESSION_GAIN,
  INTEGER_8_BITS,
  INTEGER_16_BITS,
  INTEGER_32_BITS,
  INTEGER_TEXT_MAX,
  LENGTH_14_BITS,
  LENGTH_32_BITS,
  LENGTH_64_BITS,
} from "./format.ts";
import { compress } from "./lzf.ts";

const FIRST_CAPACITY = 4096;
/** The room that a length takes at the most, its first byte included. */
const LENGTH_SIZE = 9;

const digits = Buffer.alloc(24);
const number = new DataView(new ArrayBuffer(8));

export class RdbWriter {
  buffer: Buffer;
  length = 0;
  /** Whether strings are compressed where that makes them shorter. */
  compresses: boolean;

  constructor(compresses: boolean, capacity = FIRST_CAPACITY) {
    this.compresses = compresses;
    this.buffer = Buffer.allocUnsafeSlow(capacity);
  }

  /** Makes room for `count` bytes behind `length`. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    copyBytes(this.buffer, 0, larger, 0, this.length);
    this.buffer = larger;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length] = value;
    this.length += 1;
  }

  /** Bytes as they are, without their length. */
  raw(source: Buffer, start: number, length: number): void {
    this.reserve(length);
    copyBytes(source, start, this.buffer, this.length, length);
    this.length += length;
  }

  /** A length, a count, or any other integer that is not negative. */
  size(value: Int64): void {
    this.reserve(LENGTH_SIZE);
    this.#putSize(value);
  }

  /** Eight bytes, the least significant first: a time in milliseconds. */
  time(value: Int64): void {
    this.reserve(8);
    this.length = this.buffer.writeInt32LE(lowWord(value), this.length);
    this.length = this.buffer.writeInt32LE(highWord(value), this.length);
  }

  /** Eight bytes as the processor has them, the least significant first. */
  double(value: number): void {
    this.reserve(8);
    number.setFloat64(0, value, true);
    for (let index = 0; index < 8; index++) this.buffer[this.length + index] = number.getUint8(index);
    this.length += 8;
  }

  /** A string, in the shortest of its forms. */
  string(source: Buffer, start: number, length: number): void {
    if (length <= INTEGER_TEXT_MAX) {
      const integer = parseInt64(source, start, length);
      if (integer !== undefined && this.#shortInteger(integer)) return;
    } else if (length >= COMPRESSED_MIN && this.compresses && this.#compressed(source, start, length)) {
      return;
    }
    this.size(length);
    this.raw(source, start, length);
  }

  /** The digits of an integer as a string. */
  integer(value: Int64): void {
    if (this.#shortInteger(value)) return;
    const length = writeInt64(value, digits, 0);
    this.size(length);
    this.raw(digits, 0, length);
  }

  /** A length for which there is room. */
  #putSize(value: Int64): void {
    const { buffer, length: at } = this;
    if (value < 0x40) {
      buffer[at] = Number(value);
      this.length += 1;
    } else if (value < 0x4000) {
      buffer[at] = LENGTH_14_BITS | (Number(value) >>> 8);
      buffer[at + 1] = Number(value) & 0xff;
      this.length += 2;
    } else if (value < 2 ** 32) {
      buffer[at] = LENGTH_32_BITS;
      this.length = buffer.writeUInt32BE(Number(value), at + 1);
    } else {
      buffer[at] = LENGTH_64_BITS;
      buffer.writeInt32BE(highWord(value), at + 1);
      this.length = buffer.writeInt32BE(lowWord(value), at + 5);
    }
  }

  #shortInteger(value: Int64): boolean {
    if (value < -(2 ** 31) || value >= 2 ** 31) return false;
    const word = Number(value);
    this.reserve(5);
    const { buffer, length: at } = this;
    if (word === (word << 24) >> 24) {
      buffer[at] = INTEGER_8_BITS;
      this.length = buffer.writeInt8(word, at + 1);
    } else if (word === (word << 16) >> 16) {
      buffer[at] = INTEGER_16_BITS;
      this.length = buffer.writeInt16LE(word, at + 1);
    } else {
      buffer[at] = INTEGER_32_BITS;
      this.length = buffer.writeInt32LE(word, at + 1);
    }
    return true;
  }

  /** Compressed behind the room that what comes before may take, then moved up to that. */
  #compressed(source: Buffer, start: number, length: number): boolean {
    const room = length - COMPRESSION_GAIN;
    this.reserve(1 + 2 * LENGTH_SIZE + room);
    const at = this.length + 1 + 2 * LENGTH_SIZE;
    const count = compress(source, start, length, this.buffer, at, room);
    if (count === 0) return false;
    this.buffer[this.length] = COMPRESSED;
    this.length += 1;
    this.#putSize(count);
    this.#putSize(length);
    this.buffer.copyWithin(this.length, at, at + count);
    this.length += count;
    return true;
  }
}
