/**
 * MurmurHash64A: Austin Appleby's 64-bit hash, as HyperLogLogs in Redis's format need it. Not for tables: whoever knows
 * the seed can make keys that collide.
 *
 * In words of 32 bits, since JavaScript has no 64-bit integers that are as quick.
 */
const MULTIPLIER_LOW = 0x5bd1e995;
const MULTIPLIER_HIGH = 0xc6a4a793 | 0;

export class MurmurHash {
  /** The last hash's two words, signed. */
  low = 0;
  high = 0;
  readonly #seed: number;

  /** @param seed 32 bits */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** Hashes the bytes in [start, start + length). */
  hash(bytes: Uint8Array, start: number, length: number): void {
    this.low = length | 0;
    this.high = 0;
    this.#multiply();
    this.low ^= this.#seed;
    const end = start + (length & ~7);
    for (let at = start; at < end; at += 8) this.#mix(wordAt(bytes, at), wordAt(bytes, at + 4));
    const left = length & 7;
    if (left > 0) {
      this.low ^= partialWordAt(bytes, end, Math.min(left, 4));
      if (left > 4) this.high ^= partialWordAt(bytes, end + 4, left - 4);
      this.#multiply();
    }
    this.#fold();
    this.#multiply();
    this.#fold();
  }

  /** Takes in eight bytes. */
  #mix(low: number, high: number): void {
    const hashLow = this.low;
    const hashHigh = this.high;
    this.low = low;
    this.high = high;
    this.#multiply();
    this.#fold();
    this.#multiply();
    this.low ^= hashLow;
    this.high ^= hashHigh;
    this.#multiply();
  }

  /** hash *= MULTIPLIER, of which 64 bits remain. */
  #multiply(): void {
    const { low, high } = this;
    this.high =
      (highProduct(low, MULTIPLIER_LOW) + Math.imul(low, MULTIPLIER_HIGH) + Math.imul(high, MULTIPLIER_LOW)) | 0;
    this.low = Math.imul(low, MULTIPLIER_LOW);
  }

  /** hash ^= hash >>> 47. */
  #fold(): void {
    this.low ^= this.high >>> 15;
  }
}

/** The high word of the product of two words, both unsigned. */
function highProduct(left: number, right: number): number {
  const leftLow = left & 0xffff;
  const leftHigh = left >>> 16;
  const rightLow = right & 0xffff;
  const rightHigh = right >>> 16;
  const middle = leftHigh * rightLow + ((leftLow * rightLow) >>> 16);
  const other = leftLow * rightHigh + (middle & 0xffff);
  return (leftHigh * rightHigh + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)) | 0;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Up to four bytes as a word, zeros behind them. */
function partialWordAt(bytes: Uint8Array, at: number, count: number): number {
  let word = 0;
  for (let index = 0; index < count; index++) word |= bytes[at + index]! << (index * 8);
  return word;
}
