/** Strings: the methods of a handle that read and write them. */
import type { Int64 } from "../base/int64.ts";
import type { ArgumentValue } from "./argument-writer.ts";
import { Caller, listOf, optionWords, type Pairs, pairsOf, type Several } from "./caller.ts";

/** When a key is to expire; one at most. */
export interface ExpiryOptions {
  /** In so many seconds. */
  readonly EX?: Int64 | undefined;
  /** In so many milliseconds. */
  readonly PX?: Int64 | undefined;
  /** At this time, in seconds since 1970. */
  readonly EXAT?: Int64 | undefined;
  /** At this time, in milliseconds since 1970. */
  readonly PXAT?: Int64 | undefined;
}

/** Options of `set`. */
export interface SetOptions extends ExpiryOptions {
  /** Leave the time to live as it is, instead of taking it away. */
  readonly KEEPTTL?: boolean | undefined;
  /** Only if the key does not exist. */
  readonly NX?: boolean | undefined;
  /** Only if the key exists. */
  readonly XX?: boolean | undefined;
  /** Return the old value, which must be a string. */
  readonly GET?: boolean | undefined;
}

/** Options of `getex`. */
export interface GetexOptions extends ExpiryOptions {
  /** Take the time to live away. */
  readonly PERSIST?: boolean | undefined;
}

/** Options of `lcs`. */
export interface LcsOptions {
  /** Only the length. */
  readonly LEN?: boolean | undefined;
  /** Where the common parts are. */
  readonly IDX?: boolean | undefined;
  /** With IDX: leave out parts shorter than this. */
  readonly MINMATCHLEN?: Int64 | undefined;
  /** With IDX: with the length of each part. */
  readonly WITHMATCHLEN?: boolean | undefined;
}

/** From and to, both included, counted from 0. */
export type LcsRange = [start: number, end: number];

/** What `lcs` returns with IDX: the common parts, the last first, and the length of all of them. */
export interface LcsMatches {
  readonly matches: ([first: LcsRange, second: LcsRange] | [first: LcsRange, second: LcsRange, length: number])[];
  readonly len: number;
}

const EXPIRY_KINDS = { EX: "number", PX: "number", EXAT: "number", PXAT: "number" } as const;
const SET_KINDS = { ...EXPIRY_KINDS, KEEPTTL: "word", NX: "word", XX: "word", GET: "word" } as const;
const GETEX_KINDS = { ...EXPIRY_KINDS, PERSIST: "word" } as const;
const LCS_KINDS = { LEN: "word", IDX: "word", MINMATCHLEN: "number", WITHMATCHLEN: "word" } as const;

export abstract class StringMethods extends Caller {
  /** Appends to a string. @returns its length in bytes */
  append(key: ArgumentValue, value: ArgumentValue): number {
    return this.run("APPEND", [key, value]);
  }

  /** Subtracts one from an integer. @returns the result; bigint beyond 2^53 */
  decr(key: ArgumentValue): Int64 {
    return this.run("DECR", [key]);
  }

  /** Subtracts from an integer. @returns the result; bigint beyond 2^53 */
  decrby(key: ArgumentValue, decrement: Int64): Int64 {
    return this.run("DECRBY", [key, decrement]);
  }

  /** The value, null if there is none. */
  get(key: ArgumentValue): string | null {
    const value = typeof key === "string" ? this.fastPath.get(key) : undefined;
    return value === undefined ? this.run("GET", [key]) : value;
  }

  getBuffer(key: ArgumentValue): Buffer | null {
    return this.runBuffer("GET", [key]);
  }

  /** The value; removes the key. */
  getdel(key: ArgumentValue): string | null {
    return this.run("GETDEL", [key]);
  }

  getdelBuffer(key: ArgumentValue): Buffer | null {
    return this.runBuffer("GETDEL", [key]);
  }

  /** The value; changes its time to live as the options say. */
  getex(key: ArgumentValue, options: GetexOptions = {}): string | null {
    return this.run("GETEX", [key, ...optionWords("getex", options, GETEX_KINDS)]);
  }

  getexBuffer(key: ArgumentValue, options: GetexOptions = {}): Buffer | null {
    return this.runBuffer("GETEX", [key, ...optionWords("getexBuffer", options, GETEX_KINDS)]);
  }

  /** The bytes from `start` to `end`, both included; negative ones count from the end. */
  getrange(key: ArgumentValue, start: Int64, end: Int64): string {
    return this.run("GETRANGE", [key, start, end]);
  }

  getrangeBuffer(key: ArgumentValue, start: Int64, end: Int64): Buffer {
    return this.runBuffer("GETRANGE", [key, start, end]);
  }

  /** Sets the value. @returns the old one */
  getset(key: ArgumentValue, value: ArgumentValue): string | null {
    return this.run("GETSET", [key, value]);
  }

  getsetBuffer(key: ArgumentValue, value: ArgumentValue): Buffer | null {
    return this.runBuffer("GETSET", [key, value]);
  }

  /** Adds one to an integer; a key that does not exist counts as 0. @returns the result; bigint beyond 2^53 */
  incr(key: ArgumentValue): Int64 {
    const sum = typeof key === "string" ? this.fastPath.incr(key) : undefined;
    return sum === undefined ? this.run("INCR", [key]) : sum;
  }

  /** Adds to an integer; a key that does not exist counts as 0. @returns the result; bigint beyond 2^53 */
  incrby(key: ArgumentValue, increment: Int64): Int64 {
    return this.run("INCRBY", [key, increment]);
  }

  /** Adds to a decimal number; a key that does not exist counts as 0. @returns the result as it is stored */
  incrbyfloat(key: ArgumentValue, increment: number | string): string {
    return this.run("INCRBYFLOAT", [key, increment]);
  }

  /** The longest common subsequence of two strings, its length with LEN, its parts with IDX. */
  lcs(first: ArgumentValue, second: ArgumentValue, options: LcsOptions & { readonly LEN: true }): number;
  lcs(first: ArgumentValue, second: ArgumentValue, options: LcsOptions & { readonly IDX: true }): LcsMatches;
  lcs(first: ArgumentValue, second: ArgumentValue, options?: { readonly LEN?: false; readonly IDX?: false }): string;
  lcs(first: ArgumentValue, second: ArgumentValue, options: LcsOptions = {}): string | number | LcsMatches {
    const reply = this.run("LCS", [first, second, ...optionWords("lcs", options, LCS_KINDS)]);
    return (reply instanceof Map ? Object.fromEntries(reply) : reply) as string | number | LcsMatches;
  }

  lcsBuffer(first: ArgumentValue, second: ArgumentValue): Buffer {
    return this.runBuffer("LCS", [first, second]);
  }

  /** The values of several keys; null for what is missing or no string. */
  mget(...keys: Several): (string | null)[] {
    return this.run("MGET", listOf(keys));
  }

  mgetBuffer(...keys: Several): (Buffer | null)[] {
    return this.runBuffer("MGET", listOf(keys));
  }

  /** Sets several keys, all of them or, where there is no room, none. */
  mset(...pairs: Pairs): "OK" {
    return this.run("MSET", pairsOf("mset", pairs));
  }

  /** Sets several keys if none of them exists. @returns 1 if it did, 0 if not */
  msetnx(...pairs: Pairs): number {
    return this.run("MSETNX", pairsOf("msetnx", pairs));
  }

  /** Sets the value, which expires in so many milliseconds. */
  psetex(key: ArgumentValue, milliseconds: Int64, value: ArgumentValue): "OK" {
    return this.run("PSETEX", [key, milliseconds, value]);
  }

  /**
   * Sets the value, whatever the key held before.
   * @returns null if NX or XX kept it from that; with GET the old value
   */
  set(key: ArgumentValue, value: ArgumentValue): "OK";
  set(key: ArgumentValue, value: ArgumentValue, options: SetOptions & { readonly GET: true }): string | null;
  set(key: ArgumentValue, value: ArgumentValue, options: SetOptions & { readonly GET?: false }): "OK" | null;
  set(key: ArgumentValue, value: ArgumentValue, options?: SetOptions): string | null;
  set(key: ArgumentValue, value: ArgumentValue, options?: SetOptions): string | null {
    if (options !== undefined) return this.run("SET", [key, value, ...optionWords("set", options, SET_KINDS)]);
    if (typeof key === "string" && typeof value === "string" && this.fastPath.set(key, value)) return "OK";
    return this.run("SET", [key, value]);
  }

  /** As `set` with GET: the old value. */
  setBuffer(key: ArgumentValue, value: ArgumentValue, options: SetOptions & { readonly GET: true }): Buffer | null {
    return this.runBuffer("SET", [key, value, ...optionWords("setBuffer", options, SET_KINDS)]);
  }

  /** Sets the value, which expires in so many seconds. */
  setex(key: ArgumentValue, seconds: Int64, value: ArgumentValue): "OK" {
    return this.run("SETEX", [key, seconds, value]);
  }

  /** Sets the value if the key does not exist. @returns 1 if it did, 0 if not */
  setnx(key: ArgumentValue, value: ArgumentValue): number {
    return this.run("SETNX", [key, value]);
  }

  /** Writes over part of a string, from a byte offset on; zeros fill a gap. @returns its length in bytes */
  setrange(key: ArgumentValue, offset: Int64, value: ArgumentValue): number {
    return this.run("SETRANGE", [key, offset, value]);
  }

  /** Length of a string in bytes, 0 if there is none. */
  strlen(key: ArgumentValue): number {
    return this.run("STRLEN", [key]);
  }

  /** The old name of `getrange`. */
  substr(key: ArgumentValue, start: Int64, end: Int64): string {
    return this.run("SUBSTR", [key, start, end]);
  }

  substrBuffer(key: ArgumentValue, start: Int64, end: Int64): Buffer {
    return this.runBuffer("SUBSTR", [key, start, end]);
  }
}
