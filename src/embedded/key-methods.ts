/** Keys: the methods of a handle that deal with keys of any type, and with databases as a whole. */
import type { Int64 } from "../base/int64.ts";
import type { ArgumentValue } from "./argument-writer.ts";
import { listOf, optionWords, type Several, walk } from "./caller.ts";
import { GeoMethods } from "./geo-methods.ts";

/** When EXPIRE and its like do something: if there is no deadline, if there is one, if the new is later, earlier. */
export type ExpireCondition = "NX" | "XX" | "GT" | "LT";

/** Options of `copy`. */
export interface CopyOptions {
  /** The destination's database; the present one by default. */
  readonly DB?: number | undefined;
  /** Overwrite the destination if it exists. */
  readonly REPLACE?: boolean | undefined;
}

/** Options of `restore`. */
export interface RestoreOptions {
  /** Overwrite the key if it exists. */
  readonly REPLACE?: boolean | undefined;
  /** The time to live is a time, in milliseconds since 1970. */
  readonly ABSTTL?: boolean | undefined;
  /** Seconds since it was last used. */
  readonly IDLETIME?: Int64 | undefined;
  /** How often it is used, from 0 to 255, where that is counted. */
  readonly FREQ?: number | undefined;
}

/** Options of `sort_ro`, and of `sort` besides STORE. */
export interface SortOptions {
  /** Sort by the values of other keys: a pattern, * stands for the element; one without * leaves the order as it is. */
  readonly BY?: ArgumentValue | undefined;
  /** Skip the first `offset`, then take `count`. */
  readonly LIMIT?: readonly [offset: Int64, count: Int64] | undefined;
  /** Return the values of other keys, in the place of the elements: patterns; # is the element. */
  readonly GET?: readonly ArgumentValue[] | undefined;
  readonly ASC?: boolean | undefined;
  readonly DESC?: boolean | undefined;
  /** As text, not as numbers. */
  readonly ALPHA?: boolean | undefined;
}

/** Options of `scan` and `scanIterator`. */
export interface ScanOptions {
  /** Only keys that match this glob pattern. */
  readonly match?: ArgumentValue | undefined;
  /** How much work one step may be; not how many keys it returns. */
  readonly count?: number | undefined;
  /** Only keys of this type, such as "string". */
  readonly type?: string | undefined;
}

const COPY_KINDS = { DB: "number", REPLACE: "word" } as const;
const RESTORE_KINDS = { REPLACE: "word", ABSTTL: "word", IDLETIME: "number", FREQ: "number" } as const;
const SORT_RO_KINDS = {
  BY: "value",
  LIMIT: "values",
  GET: "each",
  ASC: "word",
  DESC: "word",
  ALPHA: "word",
} as const;
const SORT_KINDS = { ...SORT_RO_KINDS, STORE: "value" } as const;
const SCAN_KINDS = { match: "value", count: "number", type: "value" } as const;
/** Work of a step where a program walks all keys at once and does not serve anybody in between. */
const ITERATOR_COUNT = 100;

export abstract class KeyMethods extends GeoMethods {
  /** Copies a key. @returns 1 if it did, 0 if the source does not exist or the destination does */
  copy(source: ArgumentValue, destination: ArgumentValue, options: CopyOptions = {}): number {
    return this.run("COPY", [source, destination, ...optionWords("copy", options, COPY_KINDS)]);
  }

  /** Keys in the database. */
  dbsize(): number {
    return this.run("DBSIZE", []);
  }

  /** Removes keys. @returns how many there were */
  del(...keys: Several): number {
    return this.run("DEL", listOf(keys));
  }

  /** A key's value as bytes that `restore` understands, here and in Redis; null if there is none. Never text. */
  dump(key: ArgumentValue): Buffer | null {
    return this.runBuffer("DUMP", [key]);
  }

  /** The same as `dump`. */
  dumpBuffer(key: ArgumentValue): Buffer | null {
    return this.dump(key);
  }

  /** How many of the keys exist; one that is named twice counts twice. */
  exists(...keys: Several): number {
    return this.run("EXISTS", listOf(keys));
  }

  /** Lets a key expire in so many seconds. @returns 1 if that is so now, 0 if the key or the condition is not there */
  expire(key: ArgumentValue, seconds: Int64, ...conditions: readonly ExpireCondition[]): number {
    return this.run("EXPIRE", [key, seconds, ...conditions]);
  }

  /** Lets a key expire at a time in seconds since 1970. @returns as `expire` */
  expireat(key: ArgumentValue, seconds: Int64, ...conditions: readonly ExpireCondition[]): number {
    return this.run("EXPIREAT", [key, seconds, ...conditions]);
  }

  /** When a key expires, in seconds since 1970; -1 if never, -2 if it does not exist. */
  expiretime(key: ArgumentValue): number {
    return this.run("EXPIRETIME", [key]);
  }

  /** Removes all keys of all databases. */
  flushall(mode?: "SYNC" | "ASYNC"): "OK" {
    return this.run("FLUSHALL", mode === undefined ? [] : [mode]);
  }

  /** Removes all keys of the database. */
  flushdb(mode?: "SYNC" | "ASYNC"): "OK" {
    return this.run("FLUSHDB", mode === undefined ? [] : [mode]);
  }

  /** All keys that match a glob pattern. */
  keys(pattern: ArgumentValue): string[] {
    return this.run("KEYS", [pattern]);
  }

  keysBuffer(pattern: ArgumentValue): Buffer[] {
    return this.runBuffer("KEYS", [pattern]);
  }

  /** Moves a key to another database. @returns 1 if it did, 0 if it is not here or already there */
  move(key: ArgumentValue, database: number): number {
    return this.run("MOVE", [key, database]);
  }

  /** What is known of a key's storage; null if it does not exist. IDLETIME is in seconds. */
  object(subcommand: "ENCODING", key: ArgumentValue): string | null;
  object(subcommand: "REFCOUNT" | "IDLETIME" | "FREQ", key: ArgumentValue): number | null;
  object(subcommand: "HELP"): string[];
  object(subcommand: string, ...args: readonly ArgumentValue[]): string | number | string[] | null {
    return this.run("OBJECT", [subcommand, ...args]);
  }

  /** Takes a key's deadline away. @returns 1 if it had one */
  persist(key: ArgumentValue): number {
    return this.run("PERSIST", [key]);
  }

  /** Lets a key expire in so many milliseconds. @returns as `expire` */
  pexpire(key: ArgumentValue, milliseconds: Int64, ...conditions: readonly ExpireCondition[]): number {
    return this.run("PEXPIRE", [key, milliseconds, ...conditions]);
  }

  /** Lets a key expire at a time in milliseconds since 1970. @returns as `expire` */
  pexpireat(key: ArgumentValue, milliseconds: Int64, ...conditions: readonly ExpireCondition[]): number {
    return this.run("PEXPIREAT", [key, milliseconds, ...conditions]);
  }

  /** When a key expires, in milliseconds since 1970; -1 if never, -2 if it does not exist. */
  pexpiretime(key: ArgumentValue): Int64 {
    return this.run("PEXPIRETIME", [key]);
  }

  /** Milliseconds until a key expires; -1 if never, -2 if it does not exist. */
  pttl(key: ArgumentValue): Int64 {
    return this.run("PTTL", [key]);
  }

  /** Any key, null if there is none. */
  randomkey(): string | null {
    return this.run("RANDOMKEY", []);
  }

  randomkeyBuffer(): Buffer | null {
    return this.runBuffer("RANDOMKEY", []);
  }

  /** Gives a key another name; what had that name is gone. @throws CommandError if it does not exist */
  rename(key: ArgumentValue, newKey: ArgumentValue): "OK" {
    return this.run("RENAME", [key, newKey]);
  }

  /** Gives a key another name unless that exists. @returns 1 if it did, 0 if not */
  renamenx(key: ArgumentValue, newKey: ArgumentValue): number {
    return this.run("RENAMENX", [key, newKey]);
  }

  /**
   * Makes a key from what `dump` has returned.
   * @param ttl milliseconds until it expires, 0 for never
   * @throws CommandError if the key exists, unless with REPLACE, or if the bytes are damaged
   */
  restore(key: ArgumentValue, ttl: Int64, dumped: Uint8Array, options: RestoreOptions = {}): "OK" {
    return this.run("RESTORE", [key, ttl, dumped, ...optionWords("restore", options, RESTORE_KINDS)]);
  }

  /** One step of a walk through all keys: begins and ends with cursor "0". */
  scan(cursor: string | Int64, options: ScanOptions = {}): [cursor: string, keys: string[]] {
    return this.run("SCAN", [cursor, ...optionWords("scan", options, SCAN_KINDS)]);
  }

  scanBuffer(cursor: string | Int64, options: ScanOptions = {}): [cursor: string, keys: Buffer[]] {
    const words = optionWords("scanBuffer", options, SCAN_KINDS);
    const [next, keys] = this.runBuffer<[Buffer, Buffer[]]>("SCAN", [cursor, ...words]);
    return [next.toString(), keys];
  }

  /**
   * Walks through all keys. The store may change on the way: a key that is there from the beginning to the end comes
   * for certain, any may come more than once.
   */
  scanIterator(options: ScanOptions = {}): Generator<string, void, undefined> {
    const words = optionWords("scanIterator", { count: ITERATOR_COUNT, ...options }, SCAN_KINDS);
    return walk((cursor) => this.run("SCAN", [cursor, ...words]));
  }

  scanIteratorBuffer(options: ScanOptions = {}): Generator<Buffer, void, undefined> {
    const words = optionWords("scanIteratorBuffer", { count: ITERATOR_COUNT, ...options }, SCAN_KINDS);
    return walk((cursor) => this.runBuffer("SCAN", [cursor, ...words]));
  }

  /** Makes this handle one of another database. See `database` for a second handle instead. */
  select(database: number): "OK" {
    return this.run("SELECT", [database]);
  }

  /** The elements of a list, set or sorted set, sorted; with STORE stores them as a list and returns how many. */
  sort(key: ArgumentValue, options?: SortOptions & { readonly STORE?: undefined }): (string | null)[];
  sort(key: ArgumentValue, options: SortOptions & { readonly STORE: ArgumentValue }): number;
  sort(key: ArgumentValue, options: object = {}): (string | null)[] | number {
    return this.run("SORT", [key, ...optionWords("sort", options, SORT_KINDS)]);
  }

  sortBuffer(key: ArgumentValue, options: SortOptions = {}): (Buffer | null)[] {
    return this.runBuffer("SORT", [key, ...optionWords("sortBuffer", options, SORT_RO_KINDS)]);
  }

  /** As `sort`, and stores nothing. */
  sort_ro(key: ArgumentValue, options: SortOptions = {}): (string | null)[] {
    return this.run("SORT_RO", [key, ...optionWords("sort_ro", options, SORT_RO_KINDS)]);
  }

  sort_roBuffer(key: ArgumentValue, options: SortOptions = {}): (Buffer | null)[] {
    return this.runBuffer("SORT_RO", [key, ...optionWords("sort_roBuffer", options, SORT_RO_KINDS)]);
  }

  /** Exchanges the contents of two databases. */
  swapdb(first: number, second: number): "OK" {
    return this.run("SWAPDB", [first, second]);
  }

  /** Stamps keys as used just now. @returns how many of them exist */
  touch(...keys: Several): number {
    return this.run("TOUCH", listOf(keys));
  }

  /** Seconds until a key expires; -1 if never, -2 if it does not exist. */
  ttl(key: ArgumentValue): number {
    return this.run("TTL", [key]);
  }

  /** "string" or another type's name; "none" if there is no such key. */
  type(key: ArgumentValue): string {
    return this.run("TYPE", [key]);
  }

  /** Removes keys; large values are freed in the background. @returns how many there were */
  unlink(...keys: Several): number {
    return this.run("UNLINK", listOf(keys));
  }
}
