/** ArgumentWriter: the arguments of an embedded call, written as bytes into one scratch buffer that all calls share. */
import { Arguments } from "../base/arguments.ts";

/**
 * What a key, a value or any other argument may be given as: text, stored as UTF-8; bytes, stored as they are; or a
 * number, stored in decimal.
 */
export type ArgumentValue = string | number | bigint | Uint8Array;

const FIRST_CAPACITY = 16 * 1024;
/** A scratch buffer that an unusually large call needed is let go by the next call. */
const KEPT_CAPACITY = 1024 * 1024;
/** The most bytes that UTF-8 needs for one unit of a JavaScript string. */
const UTF8_MAX = 3;

export class ArgumentWriter {
  readonly #args = new Arguments();
  #scratch = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  #end = 0;

  /**
   * Writes a whole command.
   * @returns valid until the next call
   * @throws TypeError for a value of another type
   */
  write(name: string, values: readonly ArgumentValue[]): Arguments {
    if (this.#scratch.length > KEPT_CAPACITY) this.#letGo();
    this.#end = 0;
    this.#args.reset(this.#scratch);
    this.#text(name);
    for (let index = 0; index < values.length; index++) this.#value(values[index]!, name, index);
    this.#args.bytes = this.#scratch;
    return this.#args;
  }

  #value(value: ArgumentValue, name: string, index: number): void {
    if (typeof value === "string") this.#text(value);
    else if (typeof value === "number" || typeof value === "bigint") this.#text(String(value));
    else if (value instanceof Uint8Array) this.#bytes(value);
    else throw new TypeError(`${name}: argument ${index + 1} is ${describe(value)}, ${EXPECTED}`);
  }

  #text(text: string): void {
    const most = text.length * UTF8_MAX;
    this.#reserve(most > KEPT_CAPACITY ? Buffer.byteLength(text) : most);
    this.#push(this.#scratch.utf8Write(text, this.#end, this.#scratch.length - this.#end));
  }

  #bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#scratch.set(bytes, this.#end);
    this.#push(bytes.length);
  }

  #push(length: number): void {
    this.#args.push(this.#end, length);
    this.#end += length;
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#scratch.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#scratch.length * 2, this.#end + length));
    larger.set(this.#scratch.subarray(0, this.#end));
    this.#scratch = larger;
  }

  #letGo(): void {
    this.#scratch = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
    this.#args.release();
  }
}

const EXPECTED = "not a string, number, bigint, Buffer or Uint8Array";

/** What a value of the wrong type is called in a TypeError. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
