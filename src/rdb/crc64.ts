/**
 * CRC-64 as Redis uses it behind every DUMP and every RDB file: Jones's polynomial, bits reflected, from zero, nothing
 * inverted at the end. ("123456789" has e9c6d914c4b8d9ca.)
 *
 * JavaScript has no quick 64-bit integer, so the sum is kept as two halves of 32 bits. Eight bytes are taken at a time
 * (slicing-by-8): table k tells what a byte does to the sum from k bytes before the end of such a group. Where there
 * are many, they are read as words, aligned, which is what makes the difference: 1.6 GB/s, against 0.9 to 1.2 byte by
 * byte (in the same run; sixteen tables, or the halves side by side in one, were slower). A view costs 100 ns, so short
 * pieces are copied to where there is one.
 */

/** The polynomial ad93d23594c935a9, bits reversed, in halves. */
const POLYNOMIAL_HIGH = 0x95ac9329;
const POLYNOMIAL_LOW = 0xac4bc9b5;
const SLICES = 8;
/** From so many bytes on a view of words pays. */
const WORDS_BYTES_MIN = 256;

const LOW = new Int32Array(SLICES * 256);
const HIGH = new Int32Array(SLICES * 256);

for (let byte = 0; byte < 256; byte++) {
  let low = byte;
  let high = 0;
  for (let bit = 0; bit < 8; bit++) {
    const isOdd = (low & 1) !== 0;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (isOdd) {
      low ^= POLYNOMIAL_LOW;
      high ^= POLYNOMIAL_HIGH;
    }
  }
  LOW[byte] = low;
  HIGH[byte] = high;
}
for (let index = 256; index < SLICES * 256; index++) {
  const low = LOW[index - 256]!;
  const high = HIGH[index - 256]!;
  LOW[index] = ((low >>> 8) | (high << 24)) ^ LOW[low & 0xff]!;
  HIGH[index] = (high >>> 8) ^ HIGH[low & 0xff]!;
}

const scratch = new Uint8Array(WORDS_BYTES_MIN);
const scratchWords = new Int32Array(scratch.buffer);

/** A sum over bytes that come in pieces. */
export class Crc64 {
  /** Its two halves, signed. */
  low = 0;
  high = 0;

  reset(): void {
    this.low = 0;
    this.high = 0;
  }

  /** Goes on with [start, end) of `bytes`. */
  update(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < WORDS_BYTES_MIN) {
      this.#short(bytes, start, end);
      return;
    }
    const aligned = start + (-(bytes.byteOffset + start) & 3);
    const groups = (end - aligned) >>> 3;
    this.#bytes(bytes, start, aligned);
    this.#words(new Int32Array(bytes.buffer, bytes.byteOffset + aligned, 2 * groups), 2 * groups);
    this.#bytes(bytes, aligned + 8 * groups, end);
  }

  /** Copied to where they are words: a view would cost more than that. */
  #short(bytes: Uint8Array, start: number, end: number): void {
    const length = (end - start) & ~7;
    for (let at = 0; at < length; at++) scratch[at] = bytes[start + at]!;
    this.#words(scratchWords, length >>> 2);
    this.#bytes(bytes, start + length, end);
  }

  /** Goes on with so many words, an even number. */
  #words(words: Int32Array, count: number): void {
    let { low, high } = this;
    for (let at = 0; at < count; at += 2) {
      const near = low ^ words[at]!;
      const far = high ^ words[at + 1]!;
      const first = 0x700 | (near & 0xff);
      const second = 0x600 | ((near >>> 8) & 0xff);
      const third = 0x500 | ((near >>> 16) & 0xff);
      const fourth = 0x400 | (near >>> 24);
      const fifth = 0x300 | (far & 0xff);
      const sixth = 0x200 | ((far >>> 8) & 0xff);
      const seventh = 0x100 | ((far >>> 16) & 0xff);
      const eighth = far >>> 24;
      low = LOW[first]! ^ LOW[second]! ^ LOW[third]! ^ LOW[fourth]!;
      low ^= LOW[fifth]! ^ LOW[sixth]! ^ LOW[seventh]! ^ LOW[eighth]!;
      high = HIGH[first]! ^ HIGH[second]! ^ HIGH[third]! ^ HIGH[fourth]!;
      high ^= HIGH[fifth]! ^ HIGH[sixth]! ^ HIGH[seventh]! ^ HIGH[eighth]!;
    }
    this.low = low;
    this.high = high;
  }

  /** Byte by byte: what is left at either end. */
  #bytes(bytes: Uint8Array, start: number, end: number): void {
    let { low, high } = this;
    for (let at = start; at < end; at++) {
      const index = (low ^ bytes[at]!) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ LOW[index]!;
      high = (high >>> 8) ^ HIGH[index]!;
    }
    this.low = low;
    this.high = high;
  }

  /** As sixteen hexadecimal digits. */
  toString(): string {
    return [this.high, this.low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
