/**
 * SortPattern: what SORT's options BY and GET take: "weight_*" is the key with the element in the star's place,
 * "object_*->field" a field of the hash there, "#" the element itself. Without a star it stands for nothing.
 *
 * As Redis reads it, in C: the star, the arrow and the "#" are looked for up to the first zero byte; what is taken of
 * the pattern is all of it.
 */
import type { Arguments } from "../base/arguments.ts";
import { copyBytes, Slice } from "../base/bytes.ts";
import type { Database } from "../keyspace/database.ts";
import { HASH, STRING } from "../keyspace/entry.ts";
import { findField, readValue } from "../keyspace/hashes.ts";

export class SortPattern {
  readonly isElement: boolean;
  readonly #prefix: Buffer;
  readonly #suffix: Buffer;
  readonly #field: Slice | undefined;
  readonly #hasStar: boolean;
  #name = Buffer.alloc(64);

  /** Reads the pattern in argument `index`. */
  constructor(args: Arguments, index: number) {
    const pattern = args.buffer(index);
    const text = args.shown(index);
    const star = text.indexOf("*");
    const arrow = star === -1 ? -1 : text.indexOf("->", star + 1);
    const hasField = arrow !== -1 && arrow + 2 < text.length;
    this.isElement = text === "#";
    this.#hasStar = star !== -1;
    this.#prefix = pattern.subarray(0, Math.max(0, star));
    this.#suffix = pattern.subarray(star + 1, hasField ? arrow : undefined);
    if (hasField) {
      this.#field = new Slice();
      this.#field.set(pattern, arrow + 2, pattern.length - arrow - 2);
    }
  }

  /** Whether what is looked up depends on the element. */
  get hasStar(): boolean {
    return this.#hasStar;
  }

  /**
   * Looks up what the pattern stands for.
   * @param into is pointed at it; valid until something else is looked up
   * @returns false if there is nothing
   */
  lookUp(database: Database, element: Slice, into: Slice): boolean {
    if (this.isElement) {
      into.set(element.bytes, element.start, element.length);
      return true;
    }
    if (!this.#hasStar) return false;
    const length = this.#nameFor(element);
    const key = database.readNamed(this.#name, 0, length, database.other);
    if (!key.found || key.type !== (this.#field === undefined ? STRING : HASH)) return false;
    if (this.#field === undefined) {
      key.readString(into);
      return true;
    }
    const at = findField(key, this.#field);
    if (at === 0) return false;
    readValue(key, at, into);
    return true;
  }

  /** Writes the key's name. @returns its length */
  #nameFor({ bytes, start, length }: Slice): number {
    const prefix = this.#prefix;
    const suffix = this.#suffix;
    const size = prefix.length + length + suffix.length;
    if (this.#name.length < size) this.#name = Buffer.alloc(size * 2);
    copyBytes(prefix, 0, this.#name, 0, prefix.length);
    copyBytes(bytes, start, this.#name, prefix.length, length);
    copyBytes(suffix, 0, this.#name, prefix.length + length, suffix.length);
    return size;
  }
}
