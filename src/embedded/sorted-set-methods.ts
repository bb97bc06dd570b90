/** Sorted sets, member by member: the methods of a handle that add, score, rank, pop and scan. */
import type { Int64 } from "../base/int64.ts";
import type { ArgumentValue } from "./argument-writer.ts";
import { flattened, listOf, optionWords, paired, type Several, walk } from "./caller.ts";
import { MEMBER_SCAN_KINDS, type MemberScanOptions, memberScanWords } from "./hash-methods.ts";
import { SetMethods } from "./set-methods.ts";

/** A score: a number, infinity included, or its decimal text. */
export type Score = Int64 | `${number}` | "+inf" | "-inf" | "inf";

/** A member with its score, as replies have them. */
export type Scored<Text = string> = [member: Text, score: number];

/** Options of `zadd`. */
export interface ZaddOptions {
  /** Only add members, change none. */
  readonly NX?: boolean | undefined;
  /** Only change members, add none. */
  readonly XX?: boolean | undefined;
  /** Change a score only if the new one is greater. */
  readonly GT?: boolean | undefined;
  /** Change a score only if the new one is less. */
  readonly LT?: boolean | undefined;
  /** Return how many members are new or changed, instead of how many are new. */
  readonly CH?: boolean | undefined;
  /** Add to the score of the one member given, and return the sum. */
  readonly INCR?: boolean | undefined;
}

/** Options of `zmpop`. */
export interface ZmpopOptions {
  /** How many members to take at most; 1 by default. */
  readonly COUNT?: Int64 | undefined;
}

interface WithScores {
  readonly WITHSCORES: true;
}

interface WithScore {
  readonly WITHSCORE: true;
}

type Members = readonly (readonly [score: Score, member: ArgumentValue])[];

const ZADD_KINDS = { NX: "word", XX: "word", GT: "word", LT: "word", CH: "word", INCR: "word" } as const;
const ZMPOP_KINDS = { COUNT: "number" } as const;
const WITHSCORES_KINDS = { WITHSCORES: "word" } as const;
const WITHSCORE_KINDS = { WITHSCORE: "word" } as const;

export abstract class SortedSetMethods extends SetMethods {
  /**
   * Adds members, or changes their scores: `zadd("z", [[1, "a"], [2, "b"]])`, `zadd("z", 1, "a", 2, "b")`.
   * @returns how many are new; with INCR the new score, null if the other options kept it from changing
   */
  zadd(key: ArgumentValue, members: Members, options: ZaddOptions & { readonly INCR: true }): number | null;
  zadd(key: ArgumentValue, members: Members, options?: ZaddOptions & { readonly INCR?: false | undefined }): number;
  zadd(key: ArgumentValue, score: Score, member: ArgumentValue, ...more: readonly ArgumentValue[]): number;
  zadd(key: ArgumentValue, ...args: readonly unknown[]): number | null {
    const score = args[0];
    const member = args[1];
    const isUsual = args.length === 2 && typeof score === "number" && typeof member === "string";
    const added = isUsual && typeof key === "string" ? this.fastCollections.zadd(key, score, member) : undefined;
    if (added !== undefined) return added;
    const [members, options = {}] = args as [Members | ArgumentValue, ZaddOptions?];
    if (!Array.isArray(members)) return this.run("ZADD", [key, ...(args as readonly ArgumentValue[])]);
    return this.run("ZADD", [key, ...optionWords("zadd", options, ZADD_KINDS), ...flattened("zadd", members, 2)]);
  }

  /** How many members there are. */
  zcard(key: ArgumentValue): number {
    return this.run("ZCARD", [key]);
  }

  /** Adds to a member's score; one that does not exist counts as 0. @returns the new score */
  zincrby(key: ArgumentValue, increment: Score, member: ArgumentValue): number {
    return this.run("ZINCRBY", [key, increment, member]);
  }

  /** Takes the members of least or greatest score from the first set that has any. @returns which set, and what */
  zmpop(
    keys: readonly ArgumentValue[],
    which: "MIN" | "MAX",
    options: ZmpopOptions = {},
  ): [key: string, members: Scored[]] | null {
    return this.run("ZMPOP", [keys.length, ...keys, which, ...optionWords("zmpop", options, ZMPOP_KINDS)]);
  }

  zmpopBuffer(
    keys: readonly ArgumentValue[],
    which: "MIN" | "MAX",
    options: ZmpopOptions = {},
  ): [key: Buffer, members: Scored<Buffer>[]] | null {
    return this.runBuffer("ZMPOP", [keys.length, ...keys, which, ...optionWords("zmpopBuffer", options, ZMPOP_KINDS)]);
  }

  /** The scores of several members; null for what is no member. */
  zmscore(key: ArgumentValue, ...members: Several): (number | null)[] {
    return this.run("ZMSCORE", [key, ...listOf(members)]);
  }

  /** Takes the member of greatest score, null if there is none; with a count that many, the greatest first. */
  zpopmax(key: ArgumentValue): Scored | null;
  zpopmax(key: ArgumentValue, count: number): Scored[];
  zpopmax(key: ArgumentValue, count?: number): Scored | null | Scored[] {
    return count === undefined ? oneOf(this.run("ZPOPMAX", [key])) : this.run("ZPOPMAX", [key, count]);
  }

  zpopmaxBuffer(key: ArgumentValue): Scored<Buffer> | null;
  zpopmaxBuffer(key: ArgumentValue, count: number): Scored<Buffer>[];
  zpopmaxBuffer(key: ArgumentValue, count?: number): Scored<Buffer> | null | Scored<Buffer>[] {
    return count === undefined ? oneOf(this.runBuffer("ZPOPMAX", [key])) : this.runBuffer("ZPOPMAX", [key, count]);
  }

  /** Takes the member of least score, null if there is none; with a count that many, the least first. */
  zpopmin(key: ArgumentValue): Scored | null;
  zpopmin(key: ArgumentValue, count: number): Scored[];
  zpopmin(key: ArgumentValue, count?: number): Scored | null | Scored[] {
    return count === undefined ? oneOf(this.run("ZPOPMIN", [key])) : this.run("ZPOPMIN", [key, count]);
  }

  zpopminBuffer(key: ArgumentValue): Scored<Buffer> | null;
  zpopminBuffer(key: ArgumentValue, count: number): Scored<Buffer>[];
  zpopminBuffer(key: ArgumentValue, count?: number): Scored<Buffer> | null | Scored<Buffer>[] {
    return count === undefined ? oneOf(this.runBuffer("ZPOPMIN", [key])) : this.runBuffer("ZPOPMIN", [key, count]);
  }

  /**
   * Any member; with a count that many different ones, or all there are; with a negative count so many, which may
   * repeat.
   */
  zrandmember(key: ArgumentValue): string | null;
  zrandmember(key: ArgumentValue, count: number): string[];
  zrandmember(key: ArgumentValue, count: number, options: WithScores): Scored[];
  zrandmember(key: ArgumentValue, count?: number, options: object = {}): string | null | string[] | Scored[] {
    return this.run("ZRANDMEMBER", [key, ...countAndWords("zrandmember", count, options)]);
  }

  zrandmemberBuffer(key: ArgumentValue): Buffer | null;
  zrandmemberBuffer(key: ArgumentValue, count: number): Buffer[];
  zrandmemberBuffer(key: ArgumentValue, count: number, options: WithScores): Scored<Buffer>[];
  zrandmemberBuffer(
    key: ArgumentValue,
    count?: number,
    options: object = {},
  ): Buffer | null | Buffer[] | Scored<Buffer>[] {
    return this.runBuffer("ZRANDMEMBER", [key, ...countAndWords("zrandmemberBuffer", count, options)]);
  }

  /** How many members are before this one, null if it is none; WITHSCORE gives its score too. */
  zrank(key: ArgumentValue, member: ArgumentValue): number | null;
  zrank(key: ArgumentValue, member: ArgumentValue, options: WithScore): [rank: number, score: number] | null;
  zrank(key: ArgumentValue, member: ArgumentValue, options: object = {}): number | [number, number] | null {
    return this.run("ZRANK", [key, member, ...optionWords("zrank", options, WITHSCORE_KINDS)]);
  }

  /** Removes members. @returns how many there were */
  zrem(key: ArgumentValue, ...members: Several): number {
    return this.run("ZREM", [key, ...listOf(members)]);
  }

  /** How many members are behind this one, null if it is none; WITHSCORE gives its score too. */
  zrevrank(key: ArgumentValue, member: ArgumentValue): number | null;
  zrevrank(key: ArgumentValue, member: ArgumentValue, options: WithScore): [rank: number, score: number] | null;
  zrevrank(key: ArgumentValue, member: ArgumentValue, options: object = {}): number | [number, number] | null {
    return this.run("ZREVRANK", [key, member, ...optionWords("zrevrank", options, WITHSCORE_KINDS)]);
  }

  /** One step of a walk through a sorted set: begins and ends with cursor "0". */
  zscan(
    key: ArgumentValue,
    cursor: string | Int64,
    options: MemberScanOptions = {},
  ): [cursor: string, members: Scored[]] {
    const words = optionWords("zscan", options, MEMBER_SCAN_KINDS);
    const [next, flat] = this.run<[string, string[]]>("ZSCAN", [key, cursor, ...words]);
    return [next, scored(flat)];
  }

  zscanBuffer(
    key: ArgumentValue,
    cursor: string | Int64,
    options: MemberScanOptions = {},
  ): [cursor: string, members: Scored<Buffer>[]] {
    const words = optionWords("zscanBuffer", options, MEMBER_SCAN_KINDS);
    const [next, flat] = this.runBuffer<[Buffer, Buffer[]]>("ZSCAN", [key, cursor, ...words]);
    return [next.toString(), scored(flat)];
  }

  /**
   * Walks through a sorted set, in no order. It may change on the way: a member that is there from the beginning to the
   * end comes for certain, any may come more than once.
   */
  zscanIterator(key: ArgumentValue, options: MemberScanOptions = {}): Generator<Scored, void, undefined> {
    const words = memberScanWords("zscanIterator", options);
    return walk((cursor) => {
      const [next, flat] = this.run<[string, string[]]>("ZSCAN", [key, cursor, ...words]);
      return [next, scored(flat)];
    });
  }

  zscanIteratorBuffer(key: ArgumentValue, options: MemberScanOptions = {}): Generator<Scored<Buffer>, void, undefined> {
    const words = memberScanWords("zscanIteratorBuffer", options);
    return walk((cursor) => {
      const [next, flat] = this.runBuffer<[Buffer, Buffer[]]>("ZSCAN", [key, cursor, ...words]);
      return [next, scored(flat)];
    });
  }

  /** A member's score, null if it is none. */
  zscore(key: ArgumentValue, member: ArgumentValue): number | null {
    const isText = typeof key === "string" && typeof member === "string";
    const score = isText ? this.fastCollections.zscore(key, member) : undefined;
    return score === undefined ? this.run("ZSCORE", [key, member]) : score;
  }
}

/** The reply to a pop without a count: flat, and empty if there was nothing. */
function oneOf<Text>(reply: readonly [] | Scored<Text>): Scored<Text> | null {
  return reply.length === 0 ? null : reply;
}

/** Members and scores in turn, the scores as text: what ZSCAN replies in every protocol. */
function scored<Text extends string | Buffer>(flat: readonly Text[]): Scored<Text>[] {
  return paired(flat).map(([member, score]) => [member, numberOf(score.toString())]);
}

function numberOf(score: string): number {
  if (score === "inf") return Number.POSITIVE_INFINITY;
  return score === "-inf" ? Number.NEGATIVE_INFINITY : Number(score);
}

function countAndWords(method: string, count: number | undefined, options: object): ArgumentValue[] {
  return [...(count === undefined ? [] : [count]), ...optionWords(method, options, WITHSCORES_KINDS)];
}
