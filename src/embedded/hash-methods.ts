/** Hashes: the methods of a handle that read and write fields. */
import type { Int64 } from "../base/int64.ts";
import type { ArgumentValue } from "./argument-writer.ts";
import { listOf, optionWords, type Pairs, paired, pairsOf, type Several, walk } from "./caller.ts";
import { HyperLogLogMethods } from "./hyperloglog-methods.ts";

/** Options of `hscan`, `sscan`, `zscan` and their iterators. */
export interface MemberScanOptions {
  /** Only fields or members that match this glob pattern. */
  readonly match?: ArgumentValue | undefined;
  /** How much work one step may be; not how many elements it returns. */
  readonly count?: number | undefined;
}

/** When a field's deadline is set: if it has none, if it has one, if the new is later, earlier. */
export type FieldExpireCondition = "NX" | "XX" | "GT" | "LT";

export const MEMBER_SCAN_KINDS = { match: "value", count: "number" } as const;
/** Work of a step where a program walks a whole collection at once. */
const MEMBER_ITERATOR_COUNT = 100;

const WITHVALUES_KINDS = { WITHVALUES: "word" } as const;

interface WithValues {
  readonly WITHVALUES: true;
}

export abstract class HashMethods extends HyperLogLogMethods {
  /** Removes fields. @returns how many there were */
  hdel(key: ArgumentValue, ...fields: Several): number {
    return this.run("HDEL", [key, ...listOf(fields)]);
  }

  /** Whether a field exists. */
  hexists(key: ArgumentValue, field: ArgumentValue): 0 | 1 {
    return this.run("HEXISTS", [key, field]);
  }

  /**
   * Lets fields expire in so many seconds.
   * @returns for each field 1 if that is so now, 0 if the condition is not met, 2 if it is gone at once, -2 if there is
   * no such field
   */
  hexpire(key: ArgumentValue, seconds: Int64, fields: readonly ArgumentValue[], when?: FieldExpireCondition): number[] {
    return this.run("HEXPIRE", [key, seconds, ...conditionAndFields(fields, when)]);
  }

  /** Lets fields expire at a time in seconds since 1970. @returns as `hexpire` */
  hexpireat(
    key: ArgumentValue,
    seconds: Int64,
    fields: readonly ArgumentValue[],
    when?: FieldExpireCondition,
  ): number[] {
    return this.run("HEXPIREAT", [key, seconds, ...conditionAndFields(fields, when)]);
  }

  /** When fields expire, in seconds since 1970; -1 if never, -2 if there is no such field. */
  hexpiretime(key: ArgumentValue, ...fields: Several): number[] {
    return this.run("HEXPIRETIME", [key, ...conditionAndFields(listOf(fields))]);
  }

  /** The value of a field, null if there is none. */
  hget(key: ArgumentValue, field: ArgumentValue): string | null {
    const isText = typeof key === "string" && typeof field === "string";
    const value = isText ? this.fastCollections.hget(key, field) : undefined;
    return value === undefined ? this.run("HGET", [key, field]) : value;
  }

  hgetBuffer(key: ArgumentValue, field: ArgumentValue): Buffer | null {
    return this.runBuffer("HGET", [key, field]);
  }

  /**
   * All fields and values, as an object without a prototype: fields may have any name, and one that is missing must not
   * be found as `constructor` or `toString` among what objects inherit. Names that are array indices come first in it,
   * as in all objects of JavaScript.
   */
  hgetall(key: ArgumentValue): Record<string, string> {
    const fields = Object.create(null) as Record<string, string>;
    for (const [field, value] of this.run<Map<string, string>>("HGETALL", [key])) fields[field] = value;
    return fields;
  }

  /** All fields and values, in the store's order; a Map, because an object's names are text. */
  hgetallBuffer(key: ArgumentValue): Map<Buffer, Buffer> {
    return this.runBuffer("HGETALL", [key]);
  }

  /** Adds to a field's integer; one that does not exist counts as 0. @returns the result; bigint beyond 2^53 */
  hincrby(key: ArgumentValue, field: ArgumentValue, increment: Int64): Int64 {
    return this.run("HINCRBY", [key, field, increment]);
  }

  /** Adds to a field's decimal number; one that does not exist counts as 0. @returns the result as it is stored */
  hincrbyfloat(key: ArgumentValue, field: ArgumentValue, increment: number | string): string {
    return this.run("HINCRBYFLOAT", [key, field, increment]);
  }

  /** The names of all fields. */
  hkeys(key: ArgumentValue): string[] {
    return this.run("HKEYS", [key]);
  }

  hkeysBuffer(key: ArgumentValue): Buffer[] {
    return this.runBuffer("HKEYS", [key]);
  }

  /** How many fields there are. */
  hlen(key: ArgumentValue): number {
    return this.run("HLEN", [key]);
  }

  /** The values of several fields; null for what is missing. */
  hmget(key: ArgumentValue, ...fields: Several): (string | null)[] {
    return this.run("HMGET", [key, ...listOf(fields)]);
  }

  hmgetBuffer(key: ArgumentValue, ...fields: Several): (Buffer | null)[] {
    return this.runBuffer("HMGET", [key, ...listOf(fields)]);
  }

  /** The old name of `hset`. */
  hmset(key: ArgumentValue, ...pairs: Pairs): "OK" {
    return this.run("HMSET", [key, ...pairsOf("hmset", pairs)]);
  }

  /** Takes fields' deadlines away. @returns for each 1 if it had one, -1 if not, -2 if there is no such field */
  hpersist(key: ArgumentValue, ...fields: Several): number[] {
    return this.run("HPERSIST", [key, ...conditionAndFields(listOf(fields))]);
  }

  /** Lets fields expire in so many milliseconds. @returns as `hexpire` */
  hpexpire(
    key: ArgumentValue,
    milliseconds: Int64,
    fields: readonly ArgumentValue[],
    when?: FieldExpireCondition,
  ): number[] {
    return this.run("HPEXPIRE", [key, milliseconds, ...conditionAndFields(fields, when)]);
  }

  /** Lets fields expire at a time in milliseconds since 1970. @returns as `hexpire` */
  hpexpireat(
    key: ArgumentValue,
    milliseconds: Int64,
    fields: readonly ArgumentValue[],
    when?: FieldExpireCondition,
  ): number[] {
    return this.run("HPEXPIREAT", [key, milliseconds, ...conditionAndFields(fields, when)]);
  }

  /** When fields expire, in milliseconds since 1970; -1 if never, -2 if there is no such field. */
  hpexpiretime(key: ArgumentValue, ...fields: Several): number[] {
    return this.run("HPEXPIRETIME", [key, ...conditionAndFields(listOf(fields))]);
  }

  /** Milliseconds until fields expire; -1 if never, -2 if there is no such field. */
  hpttl(key: ArgumentValue, ...fields: Several): number[] {
    return this.run("HPTTL", [key, ...conditionAndFields(listOf(fields))]);
  }

  /**
   * Any field; with a count that many different ones, or all there are; with a negative count so many, which may
   * repeat; WITHVALUES gives pairs.
   */
  hrandfield(key: ArgumentValue): string | null;
  hrandfield(key: ArgumentValue, count: number): string[];
  hrandfield(key: ArgumentValue, count: number, options: WithValues): [field: string, value: string][];
  hrandfield(key: ArgumentValue, count?: number, options: object = {}): string | null | string[] | [string, string][] {
    return this.run("HRANDFIELD", [key, ...countAndWords("hrandfield", count, options)]);
  }

  hrandfieldBuffer(key: ArgumentValue): Buffer | null;
  hrandfieldBuffer(key: ArgumentValue, count: number): Buffer[];
  hrandfieldBuffer(key: ArgumentValue, count: number, options: WithValues): [field: Buffer, value: Buffer][];
  hrandfieldBuffer(
    key: ArgumentValue,
    count?: number,
    options: object = {},
  ): Buffer | null | Buffer[] | [Buffer, Buffer][] {
    return this.runBuffer("HRANDFIELD", [key, ...countAndWords("hrandfieldBuffer", count, options)]);
  }

  /** One step of a walk through a hash's fields: begins and ends with cursor "0". */
  hscan(
    key: ArgumentValue,
    cursor: string | Int64,
    options: MemberScanOptions = {},
  ): [cursor: string, fields: [field: string, value: string][]] {
    const words = optionWords("hscan", options, MEMBER_SCAN_KINDS);
    const [next, flat] = this.run<[string, string[]]>("HSCAN", [key, cursor, ...words]);
    return [next, paired(flat)];
  }

  hscanBuffer(
    key: ArgumentValue,
    cursor: string | Int64,
    options: MemberScanOptions = {},
  ): [cursor: string, fields: [field: Buffer, value: Buffer][]] {
    const words = optionWords("hscanBuffer", options, MEMBER_SCAN_KINDS);
    const [next, flat] = this.runBuffer<[Buffer, Buffer[]]>("HSCAN", [key, cursor, ...words]);
    return [next.toString(), paired(flat)];
  }

  /**
   * Walks through a hash's fields and values. The hash may change on the way: a field that is there from the beginning
   * to the end comes for certain, any may come more than once.
   */
  hscanIterator(
    key: ArgumentValue,
    options: MemberScanOptions = {},
  ): Generator<[field: string, value: string], void, undefined> {
    const words = memberScanWords("hscanIterator", options);
    return walk((cursor) => {
      const [next, flat] = this.run<[string, string[]]>("HSCAN", [key, cursor, ...words]);
      return [next, paired(flat)];
    });
  }

  hscanIteratorBuffer(
    key: ArgumentValue,
    options: MemberScanOptions = {},
  ): Generator<[field: Buffer, value: Buffer], void, undefined> {
    const words = memberScanWords("hscanIteratorBuffer", options);
    return walk((cursor) => {
      const [next, flat] = this.runBuffer<[Buffer, Buffer[]]>("HSCAN", [key, cursor, ...words]);
      return [next, paired(flat)];
    });
  }

  /** Sets fields: `hset("h", { a: 1 })`, `hset("h", "a", 1, "b", 2)`. @returns how many of them are new */
  hset(key: ArgumentValue, ...pairs: Pairs): number {
    if (pairs.length === 2 && typeof key === "string") {
      const field = pairs[0];
      const value = pairs[1];
      const isText = typeof field === "string" && typeof value === "string";
      const added = isText ? this.fastCollections.hset(key, field, value) : undefined;
      if (added !== undefined) return added;
    }
    return this.run("HSET", [key, ...pairsOf("hset", pairs)]);
  }

  /** Sets a field if it does not exist. @returns 1 if it did, 0 if not */
  hsetnx(key: ArgumentValue, field: ArgumentValue, value: ArgumentValue): number {
    return this.run("HSETNX", [key, field, value]);
  }

  /** Length of a field's value in bytes, 0 if there is none. */
  hstrlen(key: ArgumentValue, field: ArgumentValue): number {
    return this.run("HSTRLEN", [key, field]);
  }

  /** Seconds until fields expire; -1 if never, -2 if there is no such field. */
  httl(key: ArgumentValue, ...fields: Several): number[] {
    return this.run("HTTL", [key, ...conditionAndFields(listOf(fields))]);
  }

  /** The values of all fields. */
  hvals(key: ArgumentValue): string[] {
    return this.run("HVALS", [key]);
  }

  hvalsBuffer(key: ArgumentValue): Buffer[] {
    return this.runBuffer("HVALS", [key]);
  }
}

function conditionAndFields(fields: readonly ArgumentValue[], when?: FieldExpireCondition): ArgumentValue[] {
  return [...(when === undefined ? [] : [when]), "FIELDS", fields.length, ...fields];
}

function countAndWords(method: string, count: number | undefined, options: object): ArgumentValue[] {
  return [...(count === undefined ? [] : [count]), ...optionWords(method, options, WITHVALUES_KINDS)];
}

/** The words of a whole walk through a collection. */
export function memberScanWords(method: string, options: MemberScanOptions): ArgumentValue[] {
  return optionWords(method, { count: MEMBER_ITERATOR_COUNT, ...options }, MEMBER_SCAN_KINDS);
}
