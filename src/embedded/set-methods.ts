/** Sets: the methods of a handle that deal with members, and with several sets at once. */
import type { Int64 } from "../base/int64.ts";
import type { ArgumentValue } from "./argument-writer.ts";
import { listOf, optionWords, type Several, walk } from "./caller.ts";
import { MEMBER_SCAN_KINDS, type MemberScanOptions, memberScanWords } from "./hash-methods.ts";
import { ListMethods } from "./list-methods.ts";

/** Options of `sintercard` and `zintercard`. */
export interface IntercardOptions {
  /** Count no further than this. */
  readonly LIMIT?: Int64 | undefined;
}

export const INTERCARD_KINDS = { LIMIT: "number" } as const;

export abstract class SetMethods extends ListMethods {
  /** Adds members. @returns how many of them are new */
  sadd(key: ArgumentValue, ...members: Several): number {
    const member = members[0];
    if (members.length === 1 && typeof key === "string" && typeof member === "string") {
      const added = this.fastCollections.sadd(key, member);
      if (added !== undefined) return added;
    }
    return this.run("SADD", [key, ...listOf(members)]);
  }

  /** How many members there are. */
  scard(key: ArgumentValue): number {
    return this.run("SCARD", [key]);
  }

  /** The members of the first set that are in none of the others. */
  sdiff(...keys: Several): string[] {
    return this.run("SDIFF", listOf(keys));
  }

  sdiffBuffer(...keys: Several): Buffer[] {
    return this.runBuffer("SDIFF", listOf(keys));
  }

  /** Stores what `sdiff` would return. @returns how many members there are */
  sdiffstore(destination: ArgumentValue, ...keys: Several): number {
    return this.run("SDIFFSTORE", [destination, ...listOf(keys)]);
  }

  /** The members that are in all sets. */
  sinter(...keys: Several): string[] {
    return this.run("SINTER", listOf(keys));
  }

  sinterBuffer(...keys: Several): Buffer[] {
    return this.runBuffer("SINTER", listOf(keys));
  }

  /** How many members are in all sets. */
  sintercard(keys: readonly ArgumentValue[], options: IntercardOptions = {}): number {
    return this.run("SINTERCARD", [keys.length, ...keys, ...optionWords("sintercard", options, INTERCARD_KINDS)]);
  }

  /** Stores what `sinter` would return. @returns how many members there are */
  sinterstore(destination: ArgumentValue, ...keys: Several): number {
    return this.run("SINTERSTORE", [destination, ...listOf(keys)]);
  }

  /** Whether it is a member. */
  sismember(key: ArgumentValue, member: ArgumentValue): 0 | 1 {
    const isText = typeof key === "string" && typeof member === "string";
    const isMember = isText ? this.fastCollections.sismember(key, member) : undefined;
    return isMember === undefined ? this.run("SISMEMBER", [key, member]) : isMember;
  }

  /** All members, in no order. */
  smembers(key: ArgumentValue): string[] {
    return this.run("SMEMBERS", [key]);
  }

  smembersBuffer(key: ArgumentValue): Buffer[] {
    return this.runBuffer("SMEMBERS", [key]);
  }

  /** For each whether it is a member. */
  smismember(key: ArgumentValue, ...members: Several): (0 | 1)[] {
    return this.run("SMISMEMBER", [key, ...listOf(members)]);
  }

  /** Takes a member from one set to another. @returns 1 if it did, 0 if it is no member of the first */
  smove(source: ArgumentValue, destination: ArgumentValue, member: ArgumentValue): number {
    return this.run("SMOVE", [source, destination, member]);
  }

  /** Takes any member, or with a count that many. */
  spop(key: ArgumentValue): string | null;
  spop(key: ArgumentValue, count: number): string[];
  spop(key: ArgumentValue, count?: number): string | null | string[] {
    return this.run("SPOP", count === undefined ? [key] : [key, count]);
  }

  spopBuffer(key: ArgumentValue): Buffer | null;
  spopBuffer(key: ArgumentValue, count: number): Buffer[];
  spopBuffer(key: ArgumentValue, count?: number): Buffer | null | Buffer[] {
    return this.runBuffer("SPOP", count === undefined ? [key] : [key, count]);
  }

  /**
   * Any member; with a count that many different ones, or all there are; with a negative count so many, which may
   * repeat.
   */
  srandmember(key: ArgumentValue): string | null;
  srandmember(key: ArgumentValue, count: number): string[];
  srandmember(key: ArgumentValue, count?: number): string | null | string[] {
    return this.run("SRANDMEMBER", count === undefined ? [key] : [key, count]);
  }

  srandmemberBuffer(key: ArgumentValue): Buffer | null;
  srandmemberBuffer(key: ArgumentValue, count: number): Buffer[];
  srandmemberBuffer(key: ArgumentValue, count?: number): Buffer | null | Buffer[] {
    return this.runBuffer("SRANDMEMBER", count === undefined ? [key] : [key, count]);
  }

  /** Removes members. @returns how many there were */
  srem(key: ArgumentValue, ...members: Several): number {
    return this.run("SREM", [key, ...listOf(members)]);
  }

  /** One step of a walk through a set: begins and ends with cursor "0". */
  sscan(
    key: ArgumentValue,
    cursor: string | Int64,
    options: MemberScanOptions = {},
  ): [cursor: string, members: string[]] {
    return this.run("SSCAN", [key, cursor, ...optionWords("sscan", options, MEMBER_SCAN_KINDS)]);
  }

  sscanBuffer(
    key: ArgumentValue,
    cursor: string | Int64,
    options: MemberScanOptions = {},
  ): [cursor: string, members: Buffer[]] {
    const words = optionWords("sscanBuffer", options, MEMBER_SCAN_KINDS);
    const [next, members] = this.runBuffer<[Buffer, Buffer[]]>("SSCAN", [key, cursor, ...words]);
    return [next.toString(), members];
  }

  /**
   * Walks through a set. It may change on the way: a member that is there from the beginning to the end comes for
   * certain, any may come more than once.
   */
  sscanIterator(key: ArgumentValue, options: MemberScanOptions = {}): Generator<string, void, undefined> {
    const words = memberScanWords("sscanIterator", options);
    return walk((cursor) => this.run("SSCAN", [key, cursor, ...words]));
  }

  sscanIteratorBuffer(key: ArgumentValue, options: MemberScanOptions = {}): Generator<Buffer, void, undefined> {
    const words = memberScanWords("sscanIteratorBuffer", options);
    return walk((cursor) => this.runBuffer("SSCAN", [key, cursor, ...words]));
  }

  /** The members that are in any of the sets. */
  sunion(...keys: Several): string[] {
    return this.run("SUNION", listOf(keys));
  }

  sunionBuffer(...keys: Several): Buffer[] {
    return this.runBuffer("SUNION", listOf(keys));
  }

  /** Stores what `sunion` would return. @returns how many members there are */
  sunionstore(destination: ArgumentValue, ...keys: Several): number {
    return this.run("SUNIONSTORE", [destination, ...listOf(keys)]);
  }
}
