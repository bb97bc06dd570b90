/**
 * Keys and values for the benchmarks: flat one-byte strings, as a program receives them from a socket or a file.
 * A string glued together with `+` is a tree of pieces in V8, and whoever reads it first would pay for flattening it.
 */
import type { Random } from "./random.ts";

const GROUP = 10_000; // four decimal digits
const ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

/** Makes 16-byte keys, `key:` and twelve digits: the form that redis-benchmark uses. */
export class KeyMaker {
  readonly #bytes: Buffer;
  readonly #groups: Uint32Array;
  readonly #digits: Uint32Array;

  /** `prefix` is four characters long. */
  constructor(prefix = "key:") {
    if (prefix.length !== 4) throw new RangeError("a key prefix is four characters long");
    const memory = new ArrayBuffer(16);
    this.#bytes = Buffer.from(memory);
    this.#bytes.write(prefix, "latin1");
    this.#groups = new Uint32Array(memory);
    const text = Buffer.alloc(GROUP * 4);
    for (let i = 0; i < GROUP; i += 1) text.write(String(i).padStart(4, "0"), i * 4, "latin1");
    this.#digits = new Uint32Array(text.buffer, text.byteOffset, GROUP);
  }

  /** The key of a number from 0 to 10^12 - 1. */
  key(number: number): string {
    const rest = Math.floor(number / GROUP);
    this.#groups[1] = this.#digits[Math.floor(rest / GROUP)] as number;
    this.#groups[2] = this.#digits[rest % GROUP] as number;
    this.#groups[3] = this.#digits[number % GROUP] as number;
    return this.#bytes.toString("latin1");
  }
}

/** `count` values of `shortest` to `longest` random letters each. */
export function makeValues(count: number, shortest: number, longest: number, random: Random): string[] {
  return Array.from({ length: count }, () => {
    const bytes = Buffer.alloc(shortest + random.below(longest - shortest + 1));
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = ALPHABET.charCodeAt(random.below(ALPHABET.length));
    return bytes.toString("latin1");
  });
}
