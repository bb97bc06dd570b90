/**
 * StagedKey: the key that is being looked for, copied once to where its words are aligned.
 *
 * A key arrives at any byte of a socket's buffer. Hashing, comparing and storing it all go by 32-bit words, so it is
 * staged first: one pass over its bytes instead of three. The last word is padded with zeros, as it is in an entry.
 * One per keyspace; valid until the next key is staged.
 */
import type { Arguments } from "../base/arguments.ts";
import { copyBytes, viewOf } from "../base/bytes.ts";
import { halfSipHash, halfSipHashText } from "../base/siphash.ts";

const FIRST_CAPACITY = 1024;
/** A buffer that an unusually long key needed is let go by the next short one. */
const KEPT_CAPACITY = 1 << 20;
/** Up to so many characters, reading a text one by one beats the call that encodes it. */
const TEXT_MAX = 64;

export class StagedKey {
  bytes = Buffer.alloc(0);
  words = new Int32Array(0);
  length = 0;
  hash = 0;
  /** Bytes whose hash is known, should they be staged. */
  #expected: Buffer | undefined;
  #expectedStart = -1;
  #expectedLength = 0;
  #expectedHash = 0;
  readonly #seed0: number;
  readonly #seed1: number;

  constructor(seed0: number, seed1: number) {
    this.#seed0 = seed0;
    this.#seed1 = seed1;
    this.#reserve(FIRST_CAPACITY);
  }

  /** Before every command: which of its arguments has been hashed ahead, if any. Holds until the next command. */
  expect(args: Arguments): void {
    const { memberAt } = args;
    if (memberAt === 0) {
      this.expectNothing();
      return;
    }
    this.#expected = args.bytes;
    this.#expectedStart = args.starts[memberAt]!;
    this.#expectedLength = args.lengths[memberAt]!;
    this.#expectedHash = args.memberHash;
  }

  /** Before the bytes that arguments point to may have become others. */
  expectNothing(): void {
    this.#expectedStart = -1;
  }

  stage(bytes: Buffer, start: number, length: number): void {
    if (start === this.#expectedStart && length === this.#expectedLength && bytes === this.#expected) {
      this.stageHashed(bytes, start, length, this.#expectedHash);
      return;
    }
    this.stageHashed(bytes, start, length, 0);
    this.hash = halfSipHash(this.words, length, this.#seed0, this.#seed1);
  }

  /** Stages a key whose hash is known. */
  stageHashed(bytes: Buffer, start: number, length: number, hash: number): void {
    if (length > this.bytes.length || this.bytes.length > KEPT_CAPACITY) this.#reserve(length);
    const words = this.words;
    const view = viewOf(bytes);
    if (view !== undefined && length >= 4 && length <= 64) {
      stageWords(view, start, length, words);
      this.length = length;
      this.hash = hash;
      return;
    }
    const wordCount = length >>> 2;
    let at = start;
    if (length <= 64) {
      for (let index = 0; index < wordCount; index++, at += 4) {
        words[index] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      }
    } else {
      copyBytes(bytes, start, this.bytes, 0, wordCount << 2);
      at += wordCount << 2;
    }
    const rest = length & 3;
    if (rest !== 0) {
      let last = bytes[at]!;
      if (rest > 1) last |= bytes[at + 1]! << 8;
      if (rest > 2) last |= bytes[at + 2]! << 16;
      words[wordCount] = last;
    }
    this.length = length;
    this.hash = hash;
  }

  /**
   * Stages a key given as text, without its bytes ever standing anywhere else: what the embedded store's hot calls use.
   * @returns false, with nothing staged, if the text is long or not plain ASCII: it must be encoded first, and `stage`d
   */
  stageText(text: string): boolean {
    const { length } = text;
    if (length > TEXT_MAX) return false;
    const hash = halfSipHashText(text, this.words, this.#seed0, this.#seed1);
    if (hash === undefined) return false;
    this.length = length;
    this.hash = hash;
    return true;
  }

  #reserve(length: number): void {
    const capacity = Math.max(FIRST_CAPACITY, (length + 7) & ~7);
    const memory = new ArrayBuffer(capacity);
    this.bytes = Buffer.from(memory);
    this.words = new Int32Array(memory);
  }
}

/** Stages a key by words: the last one, padded with zeros, is what the key's last four bytes end with. */
function stageWords(view: DataView, start: number, length: number, words: Int32Array): void {
  const wordCount = length >>> 2;
  for (let index = 0; index < wordCount; index++) words[index] = view.getInt32(start + (index << 2), true);
  const rest = length & 3;
  if (rest !== 0) words[wordCount] = view.getInt32(start + length - 4, true) >>> (32 - (rest << 3));
}
