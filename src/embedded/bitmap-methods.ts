/** Bitmaps: the methods of a handle that deal with the bits of strings. */
import type { Int64 } from "../base/int64.ts";
import type { ArgumentValue } from "./argument-writer.ts";
import { listOf, type Several } from "./caller.ts";
import { StringMethods } from "./string-methods.ts";

/** What the ends of a range count: bytes, as they do by default, or bits. */
export type RangeUnit = "BYTE" | "BIT";

export abstract class BitmapMethods extends StringMethods {
  /** Bits that are set, in all of the string or from `start` to `end`, both included. */
  bitcount(key: ArgumentValue, start?: Int64, end?: Int64, unit?: RangeUnit): number {
    return this.run("BITCOUNT", [key, ...given(start, end, unit)]);
  }

  /**
   * Several operations on integers of any width within a string, one word after the other as in Redis:
   * `bitfield("k", "OVERFLOW", "SAT", "INCRBY", "u4", 0, 1, "GET", "i8", 8)`.
   * @returns a result for each GET, SET and INCRBY; null for what OVERFLOW FAIL kept from happening
   */
  bitfield(key: ArgumentValue, ...operations: readonly ArgumentValue[]): (Int64 | null)[] {
    return this.run("BITFIELD", [key, ...operations]);
  }

  /** As `bitfield`, with GET only. */
  bitfield_ro(key: ArgumentValue, ...operations: readonly ArgumentValue[]): Int64[] {
    return this.run("BITFIELD_RO", [key, ...operations]);
  }

  /** Stores the combination of several strings, bit by bit; NOT takes one. @returns its length in bytes */
  bitop(operation: "AND" | "OR" | "XOR" | "NOT", destination: ArgumentValue, ...keys: Several): number {
    return this.run("BITOP", [operation, destination, ...listOf(keys)]);
  }

  /** Offset of the first bit that is `bit`, in all of the string or from `start` to `end`; -1 if there is none. */
  bitpos(key: ArgumentValue, bit: 0 | 1, start?: Int64, end?: Int64, unit?: RangeUnit): number {
    return this.run("BITPOS", [key, bit, ...given(start, end, unit)]);
  }

  /** One bit of a string. */
  getbit(key: ArgumentValue, offset: Int64): 0 | 1 {
    return this.run("GETBIT", [key, offset]);
  }

  /** Sets one bit of a string. @returns what it was */
  setbit(key: ArgumentValue, offset: Int64, bit: 0 | 1): 0 | 1 {
    return this.run("SETBIT", [key, offset, bit]);
  }
}

/** Arguments up to the first that was left out. */
function given(...args: readonly (ArgumentValue | undefined)[]): ArgumentValue[] {
  const end = args.indexOf(undefined);
  return args.slice(0, end === -1 ? args.length : end) as ArgumentValue[];
}
