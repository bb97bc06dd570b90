/**
 * SetMember: a member that is looked for, or has been read, in whichever form a set asks for it: an intset for its
 * value, a listpack for its bytes, a table for its words and its hash. Each is worked out at most once, and only if it
 * is asked for: looking a number up in ten intsets writes no digits, and a table's member keeps the hash that the table
 * knows when it is looked up in another.
 *
 * Reused; it shows what it was pointed at until that changes, or another member is staged. Owner thread only.
 */
import { EMPTY_BYTES } from "../base/bytes.ts";
import { type Int64, parseInt64, writeInt64 } from "../base/int64.ts";
import type { StagedKey } from "./staged-key.ts";

export class SetMember {
  /** Where members are staged: the keyspace's own, because the hash depends on its seed. */
  staged: StagedKey | undefined;
  /** The bytes, after `spell`. */
  bytes: Buffer = EMPTY_BYTES;
  start = 0;
  length = 0;
  #integer: Int64 | undefined;
  #hash = 0;
  #isParsed = false;
  #isSpelt = false;
  #isHashed = false;
  readonly #digits = Buffer.alloc(24);

  /** Points at a member given as bytes. */
  point(staged: StagedKey, bytes: Buffer, start: number, length: number): this {
    this.staged = staged;
    this.bytes = bytes;
    this.start = start;
    this.length = length;
    this.#isParsed = false;
    this.#isSpelt = true;
    this.#isHashed = false;
    return this;
  }

  /** Points at bytes whose hash is known. */
  pointHashed(staged: StagedKey, bytes: Buffer, start: number, length: number, hash: number): void {
    this.point(staged, bytes, start, length);
    this.#hash = hash;
    this.#isHashed = true;
  }

  /** Points at bytes that are known to be no integer. */
  pointText(staged: StagedKey, bytes: Buffer, start: number, length: number): void {
    this.point(staged, bytes, start, length);
    this.#integer = undefined;
    this.#isParsed = true;
  }

  /** Points at a member given as an integer. */
  pointInteger(staged: StagedKey, value: Int64): void {
    this.staged = staged;
    this.#integer = value;
    this.#isParsed = true;
    this.#isSpelt = false;
    this.#isHashed = false;
  }

  /** The integer that the member is, or undefined if it is none. */
  get integer(): Int64 | undefined {
    if (!this.#isParsed) {
      this.#integer = parseInt64(this.bytes, this.start, this.length);
      this.#isParsed = true;
    }
    return this.#integer;
  }

  /** Makes `bytes`, `start` and `length` valid. */
  spell(): this {
    if (this.#isSpelt) return this;
    this.bytes = this.#digits;
    this.start = 0;
    this.length = writeInt64(this.#integer!, this.#digits, 0);
    this.#isSpelt = true;
    return this;
  }

  /** Stages the member: its words, padded, and its hash. Valid until anything else is staged there. */
  stage(): StagedKey {
    this.spell();
    const staged = this.staged!;
    if (this.#isHashed) {
      staged.stageHashed(this.bytes, this.start, this.length, this.#hash);
    } else {
      staged.stage(this.bytes, this.start, this.length);
      this.#hash = staged.hash;
      this.#isHashed = true;
    }
    return staged;
  }
}
