/**
 * RdbReader: takes lengths, numbers and strings out of bytes, one behind the other, believing nothing.
 *
 * What a value is made of is read through this and nothing else, so whoever reads a whole file overrides `need` to get
 * more bytes; `buffer` and `at` may be others after it. A string is not copied unless it was compressed or is digits: a
 * holder points at it.
 */
import { Slice } from "../base/bytes.ts";
import { fromWords, type Int64, writeInt64 } from "../base/int64.ts";
import {
  COMPRESSED,
  DamagedValueError,
  INTEGER_8_BITS,
  INTEGER_16_BITS,
  INTEGER_32_BITS,
  LENGTH_14_BITS,
  LENGTH_32_BITS,
  LENGTH_64_BITS,
  SPECIAL,
  STRING_LENGTH_MAX,
} from "./format.ts";
import { decompress, decompressedMax } from "./lzf.ts";

/** A buffer for decompressed bytes that is larger than this is let go once it is not needed any more. */
const KEPT_CAPACITY = 1 << 20;
const FIRST_CAPACITY = 1024;

const number = new DataView(new ArrayBuffer(8));

/** A string that has been read: valid until the next one is read into the same holder. */
export class StringHolder extends Slice {
  readonly #digits = Buffer.alloc(24);
  #room = Buffer.alloc(0);

  setInteger(value: Int64): void {
    this.set(this.#digits, 0, writeInt64(value, this.#digits, 0));
  }

  /** Shows what another holder shows, and goes on when that one shows something else. */
  take(other: StringHolder): void {
    if (other.bytes === other.#digits) {
      other.#digits.copy(this.#digits, 0, 0, other.length);
      this.set(this.#digits, 0, other.length);
    } else {
      this.set(other.bytes, other.start, other.length);
    }
  }

  /** Points at a buffer of its own of `length` bytes, whose contents are undefined. */
  setRoom(length: number): void {
    const isTooLarge = this.#room.length > KEPT_CAPACITY && length <= KEPT_CAPACITY;
    if (this.#room.length < length || isTooLarge) this.#room = Buffer.allocUnsafeSlow(Math.max(length, FIRST_CAPACITY));
    this.set(this.#room, 0, length);
  }
}

export class RdbReader {
  buffer: Buffer;
  at: number;
  end: number;

  /** Reads [start, end) of `buffer`. */
  constructor(buffer: Buffer, start: number, end: number) {
    this.buffer = buffer;
    this.at = start;
    this.end = end;
  }

  /** Makes sure that the next `count` bytes are in the buffer. @throws DamagedValueError if there are not so many */
  need(count: number): void {
    if (count > this.end - this.at) throw new DamagedValueError("the value is cut off");
  }

  byte(): number {
    this.need(1);
    const value = this.buffer[this.at]!;
    this.at += 1;
    return value;
  }

  /** Bytes as they are. @returns where in the buffer they stand */
  raw(length: number): number {
    this.need(length);
    this.at += length;
    return this.at - length;
  }

  /** A length or a count. One of more than 2^53 is beyond everything, and no less so rounded. */
  size(): number {
    return Number(this.unsigned());
  }

  /** What `RdbWriter.size` writes, exactly. */
  unsigned(): number | bigint {
    const first = this.byte();
    if (first >= SPECIAL) throw new DamagedValueError("a string stands where a length should");
    return this.#sizeFrom(first);
  }

  /** Eight bytes, the least significant first. */
  time(): Int64 {
    const at = this.raw(8);
    return fromWords(this.buffer.readInt32LE(at), this.buffer.readInt32LE(at + 4));
  }

  /** Eight bytes as the processor has them, the least significant first. */
  double(): number {
    const at = this.raw(8);
    for (let index = 0; index < 8; index++) number.setUint8(index, this.buffer[at + index]!);
    return number.getFloat64(0, true);
  }

  /** A string in any of its forms. */
  string<Holder extends StringHolder>(into: Holder): Holder {
    const first = this.byte();
    if (first < SPECIAL) {
      const length = checked(Number(this.#sizeFrom(first)));
      const at = this.raw(length);
      into.set(this.buffer, at, length);
    } else if (first === INTEGER_8_BITS) {
      const at = this.raw(1);
      into.setInteger(this.buffer.readInt8(at));
    } else if (first === INTEGER_16_BITS) {
      const at = this.raw(2);
      into.setInteger(this.buffer.readInt16LE(at));
    } else if (first === INTEGER_32_BITS) {
      const at = this.raw(4);
      into.setInteger(this.buffer.readInt32LE(at));
    } else if (first === COMPRESSED) {
      this.#decompress(into);
    } else {
      throw new DamagedValueError(`a string in the unknown form ${first}`);
    }
    return into;
  }

  #decompress(into: StringHolder): void {
    const count = checked(this.size());
    const length = checked(this.size());
    const at = this.raw(count);
    // Room is made only for what so few bytes can really stand for.
    if (length > decompressedMax(count)) throw new DamagedValueError("a compressed string is too short");
    into.setRoom(length);
    if (!decompress(this.buffer, at, count, into.bytes, into.start, length)) {
      throw new DamagedValueError("a compressed string is damaged");
    }
  }

  #sizeFrom(first: number): number | bigint {
    if (first < LENGTH_14_BITS) return first;
    if (first < LENGTH_32_BITS) return ((first & 0x3f) << 8) | this.byte();
    if (first !== LENGTH_32_BITS && first !== LENGTH_64_BITS) {
      throw new DamagedValueError(`a length in the unknown form ${first}`);
    }
    const at = this.raw(first === LENGTH_32_BITS ? 4 : 8);
    return first === LENGTH_32_BITS ? this.buffer.readUInt32BE(at) : this.buffer.readBigUInt64BE(at);
  }
}

function checked(length: number): number {
  if (length > STRING_LENGTH_MAX) throw new DamagedValueError(`a string of ${length} bytes`);
  return length;
}
