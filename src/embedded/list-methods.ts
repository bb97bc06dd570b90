/** Lists: the methods of a handle that push, pop and look at items. */
import type { Int64 } from "../base/int64.ts";
import type { ArgumentValue } from "./argument-writer.ts";
import { listOf, optionWords, type Several } from "./caller.ts";
import { HashMethods } from "./hash-methods.ts";

/** An end of a list. */
export type ListEnd = "LEFT" | "RIGHT";

/** Options of `lpos`. */
export interface LposOptions {
  /** Begin with this match: 1 is the first, -1 the last, going backwards. */
  readonly RANK?: Int64 | undefined;
  /** Find so many matches, 0 for all; the result is a list then. */
  readonly COUNT?: Int64 | undefined;
  /** Look at no more than so many items. */
  readonly MAXLEN?: Int64 | undefined;
}

/** Options of `lmpop`. */
export interface LmpopOptions {
  /** How many items to take at most; 1 by default. */
  readonly COUNT?: Int64 | undefined;
}

const LPOS_KINDS = { RANK: "number", COUNT: "number", MAXLEN: "number" } as const;
const LMPOP_KINDS = { COUNT: "number" } as const;

export abstract class ListMethods extends HashMethods {
  /** The item at an index; negative ones count from the end. Null if there is none. */
  lindex(key: ArgumentValue, index: Int64): string | null {
    return this.run("LINDEX", [key, index]);
  }

  lindexBuffer(key: ArgumentValue, index: Int64): Buffer | null {
    return this.runBuffer("LINDEX", [key, index]);
  }

  /** Inserts beside the first item that equals `pivot`. @returns the length, -1 if there is no such item, 0 no list */
  linsert(key: ArgumentValue, where: "BEFORE" | "AFTER", pivot: ArgumentValue, item: ArgumentValue): number {
    return this.run("LINSERT", [key, where, pivot, item]);
  }

  /** How many items there are. */
  llen(key: ArgumentValue): number {
    return this.run("LLEN", [key]);
  }

  /** Takes an item from an end of one list to an end of another, or of the same. @returns the item, null if none */
  lmove(source: ArgumentValue, destination: ArgumentValue, from: ListEnd, to: ListEnd): string | null {
    return this.run("LMOVE", [source, destination, from, to]);
  }

  lmoveBuffer(source: ArgumentValue, destination: ArgumentValue, from: ListEnd, to: ListEnd): Buffer | null {
    return this.runBuffer("LMOVE", [source, destination, from, to]);
  }

  /** Takes items from an end of the first list that has any. @returns which list, and the items; null if none has */
  lmpop(
    keys: readonly ArgumentValue[],
    end: ListEnd,
    options: LmpopOptions = {},
  ): [key: string, items: string[]] | null {
    return this.run("LMPOP", [keys.length, ...keys, end, ...optionWords("lmpop", options, LMPOP_KINDS)]);
  }

  lmpopBuffer(
    keys: readonly ArgumentValue[],
    end: ListEnd,
    options: LmpopOptions = {},
  ): [key: Buffer, items: Buffer[]] | null {
    return this.runBuffer("LMPOP", [keys.length, ...keys, end, ...optionWords("lmpopBuffer", options, LMPOP_KINDS)]);
  }

  /** Takes the first item, or with a count that many. @returns null if there is no list */
  lpop(key: ArgumentValue): string | null;
  lpop(key: ArgumentValue, count: number): string[] | null;
  lpop(key: ArgumentValue, count?: number): string | string[] | null {
    const isUsual = count === undefined && typeof key === "string";
    const item = isUsual ? this.fastCollections.pop(key, true) : undefined;
    return item === undefined ? this.run("LPOP", count === undefined ? [key] : [key, count]) : item;
  }

  lpopBuffer(key: ArgumentValue): Buffer | null;
  lpopBuffer(key: ArgumentValue, count: number): Buffer[] | null;
  lpopBuffer(key: ArgumentValue, count?: number): Buffer | Buffer[] | null {
    return this.runBuffer("LPOP", count === undefined ? [key] : [key, count]);
  }

  /** Index of an item, null if it is not there; with COUNT the indices of several. */
  lpos(key: ArgumentValue, item: ArgumentValue, options: LposOptions & { readonly COUNT: Int64 }): number[];
  lpos(key: ArgumentValue, item: ArgumentValue, options?: LposOptions & { readonly COUNT?: undefined }): number | null;
  lpos(key: ArgumentValue, item: ArgumentValue, options: LposOptions = {}): number | null | number[] {
    return this.run("LPOS", [key, item, ...optionWords("lpos", options, LPOS_KINDS)]);
  }

  /** Puts items at the beginning, one after the other. @returns the length */
  lpush(key: ArgumentValue, ...items: Several): number {
    return this.#pushOne(key, true, items) ?? this.run("LPUSH", [key, ...listOf(items)]);
  }

  /** As `lpush`, if there is a list. @returns the length, 0 if there is none */
  lpushx(key: ArgumentValue, ...items: Several): number {
    return this.run("LPUSHX", [key, ...listOf(items)]);
  }

  /** The items from `start` to `end`, both included; negative ones count from the end. */
  lrange(key: ArgumentValue, start: Int64, end: Int64): string[] {
    return this.run("LRANGE", [key, start, end]);
  }

  lrangeBuffer(key: ArgumentValue, start: Int64, end: Int64): Buffer[] {
    return this.runBuffer("LRANGE", [key, start, end]);
  }

  /** Removes items that equal `item`: the first `count`, with a negative one the last, with 0 all. @returns how many */
  lrem(key: ArgumentValue, count: Int64, item: ArgumentValue): number {
    return this.run("LREM", [key, count, item]);
  }

  /** Replaces the item at an index. @throws CommandError if there is none */
  lset(key: ArgumentValue, index: Int64, item: ArgumentValue): "OK" {
    return this.run("LSET", [key, index, item]);
  }

  /** Keeps the items from `start` to `end` only, both included. */
  ltrim(key: ArgumentValue, start: Int64, end: Int64): "OK" {
    return this.run("LTRIM", [key, start, end]);
  }

  /** Takes the last item, or with a count that many, the last first. @returns null if there is no list */
  rpop(key: ArgumentValue): string | null;
  rpop(key: ArgumentValue, count: number): string[] | null;
  rpop(key: ArgumentValue, count?: number): string | string[] | null {
    const isUsual = count === undefined && typeof key === "string";
    const item = isUsual ? this.fastCollections.pop(key, false) : undefined;
    return item === undefined ? this.run("RPOP", count === undefined ? [key] : [key, count]) : item;
  }

  rpopBuffer(key: ArgumentValue): Buffer | null;
  rpopBuffer(key: ArgumentValue, count: number): Buffer[] | null;
  rpopBuffer(key: ArgumentValue, count?: number): Buffer | Buffer[] | null {
    return this.runBuffer("RPOP", count === undefined ? [key] : [key, count]);
  }

  /** The old form of `lmove` from the right to the left. */
  rpoplpush(source: ArgumentValue, destination: ArgumentValue): string | null {
    return this.run("RPOPLPUSH", [source, destination]);
  }

  rpoplpushBuffer(source: ArgumentValue, destination: ArgumentValue): Buffer | null {
    return this.runBuffer("RPOPLPUSH", [source, destination]);
  }

  /** Puts items at the end. @returns the length */
  rpush(key: ArgumentValue, ...items: Several): number {
    return this.#pushOne(key, false, items) ?? this.run("RPUSH", [key, ...listOf(items)]);
  }

  /** As `rpush`, if there is a list. @returns the length, 0 if there is none */
  rpushx(key: ArgumentValue, ...items: Several): number {
    return this.run("RPUSHX", [key, ...listOf(items)]);
  }

  /** The usual form of `lpush` and `rpush`. @returns undefined if it is not that */
  #pushOne(key: ArgumentValue, isHead: boolean, items: Several): number | undefined {
    const item = items[0];
    const isUsual = items.length === 1 && typeof key === "string" && typeof item === "string";
    return isUsual ? this.fastCollections.push(key, isHead, item) : undefined;
  }
}
