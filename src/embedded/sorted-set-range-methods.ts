/** Sorted sets, many members at once: the methods of a handle that read, store and remove ranges, and combine sets. */
import type { Int64 } from "../base/int64.ts";
import type { ArgumentValue } from "./argument-writer.ts";
import { optionWords } from "./caller.ts";
import { INTERCARD_KINDS, type IntercardOptions } from "./set-methods.ts";
import { type Scored, SortedSetMethods } from "./sorted-set-methods.ts";

/** A bound of a range: a score, "(" before it to leave it out, "-inf", "+inf"; of names "[a", "(a", "-", "+". */
export type Bound = ArgumentValue;

/** Skip the first `offset`, then take `count`, all if that is negative. */
export type Limit = readonly [offset: Int64, count: Int64];

/** Options of `zrange` and `zrangestore`. */
export interface ZrangeOptions {
  /** The bounds are scores, not ranks. */
  readonly BYSCORE?: boolean | undefined;
  /** The bounds are names, of members that all have the same score. */
  readonly BYLEX?: boolean | undefined;
  /** From the end; bounds by score or name then come greatest first. */
  readonly REV?: boolean | undefined;
  /** Only part of the range by score or name. */
  readonly LIMIT?: Limit | undefined;
}

/** Options of `zrangebylex` and `zrevrangebylex`, and of those by score. */
export interface LimitOptions {
  readonly LIMIT?: Limit | undefined;
}

/** Options of `zinterstore` and `zunionstore`. */
export interface CombinationOptions {
  /** A factor for the scores of each set. */
  readonly WEIGHTS?: readonly (number | string)[] | undefined;
  /** What becomes of several scores of one member; their sum by default. */
  readonly AGGREGATE?: "SUM" | "MIN" | "MAX" | undefined;
}

interface WithScores {
  readonly WITHSCORES: true;
}

interface WithoutScores {
  readonly WITHSCORES?: false | undefined;
}

type Keys = readonly ArgumentValue[];

const STORE_KINDS = { BYSCORE: "word", BYLEX: "word", REV: "word", LIMIT: "values" } as const;
const ZRANGE_KINDS = { ...STORE_KINDS, WITHSCORES: "word" } as const;
const WITHSCORES_KINDS = { WITHSCORES: "word" } as const;
const LEX_KINDS = { LIMIT: "values" } as const;
const SCORE_KINDS = { LIMIT: "values", WITHSCORES: "word" } as const;
const COMBINATION_KINDS = { WEIGHTS: "values", AGGREGATE: "value" } as const;
const WITH_COMBINATION_KINDS = { ...COMBINATION_KINDS, WITHSCORES: "word" } as const;

export abstract class SortedSetRangeMethods extends SortedSetMethods {
  /** How many members have a score from `min` to `max`. */
  zcount(key: ArgumentValue, min: Bound, max: Bound): number {
    return this.run("ZCOUNT", [key, min, max]);
  }

  /** The members of the first set that are in none of the others. */
  zdiff(keys: Keys, options?: WithoutScores): string[];
  zdiff(keys: Keys, options: WithScores): Scored[];
  zdiff(keys: Keys, options: object = {}): string[] | Scored[] {
    return this.run("ZDIFF", [keys.length, ...keys, ...optionWords("zdiff", options, WITHSCORES_KINDS)]);
  }

  zdiffBuffer(keys: Keys, options?: WithoutScores): Buffer[];
  zdiffBuffer(keys: Keys, options: WithScores): Scored<Buffer>[];
  zdiffBuffer(keys: Keys, options: object = {}): Buffer[] | Scored<Buffer>[] {
    return this.runBuffer("ZDIFF", [keys.length, ...keys, ...optionWords("zdiffBuffer", options, WITHSCORES_KINDS)]);
  }

  /** Stores what `zdiff` would return. @returns how many members there are */
  zdiffstore(destination: ArgumentValue, keys: Keys): number {
    return this.run("ZDIFFSTORE", [destination, keys.length, ...keys]);
  }

  /** The members that are in all sets. */
  zinter(keys: Keys, options?: CombinationOptions & WithoutScores): string[];
  zinter(keys: Keys, options: CombinationOptions & WithScores): Scored[];
  zinter(keys: Keys, options: object = {}): string[] | Scored[] {
    return this.run("ZINTER", combination("zinter", keys, options));
  }

  zinterBuffer(keys: Keys, options?: CombinationOptions & WithoutScores): Buffer[];
  zinterBuffer(keys: Keys, options: CombinationOptions & WithScores): Scored<Buffer>[];
  zinterBuffer(keys: Keys, options: object = {}): Buffer[] | Scored<Buffer>[] {
    return this.runBuffer("ZINTER", combination("zinterBuffer", keys, options));
  }

  /** How many members are in all sets. */
  zintercard(keys: Keys, options: IntercardOptions = {}): number {
    return this.run("ZINTERCARD", [keys.length, ...keys, ...optionWords("zintercard", options, INTERCARD_KINDS)]);
  }

  /** Stores what `zinter` would return. @returns how many members there are */
  zinterstore(destination: ArgumentValue, keys: Keys, options: CombinationOptions = {}): number {
    const words = optionWords("zinterstore", options, COMBINATION_KINDS);
    return this.run("ZINTERSTORE", [destination, keys.length, ...keys, ...words]);
  }

  /** How many members have a name from `min` to `max`, where all have the same score. */
  zlexcount(key: ArgumentValue, min: Bound, max: Bound): number {
    return this.run("ZLEXCOUNT", [key, min, max]);
  }

  /** The members from `start` to `end`, both included: by rank, or with BYSCORE or BYLEX by score or name. */
  zrange(key: ArgumentValue, start: Bound, end: Bound, options?: ZrangeOptions & WithoutScores): string[];
  zrange(key: ArgumentValue, start: Bound, end: Bound, options: ZrangeOptions & WithScores): Scored[];
  zrange(key: ArgumentValue, start: Bound, end: Bound, options: object = {}): string[] | Scored[] {
    return this.run("ZRANGE", [key, start, end, ...optionWords("zrange", options, ZRANGE_KINDS)]);
  }

  zrangeBuffer(key: ArgumentValue, start: Bound, end: Bound, options?: ZrangeOptions & WithoutScores): Buffer[];
  zrangeBuffer(key: ArgumentValue, start: Bound, end: Bound, options: ZrangeOptions & WithScores): Scored<Buffer>[];
  zrangeBuffer(key: ArgumentValue, start: Bound, end: Bound, options: object = {}): Buffer[] | Scored<Buffer>[] {
    return this.runBuffer("ZRANGE", [key, start, end, ...optionWords("zrangeBuffer", options, ZRANGE_KINDS)]);
  }

  /** The old form of `zrange` with BYLEX. */
  zrangebylex(key: ArgumentValue, min: Bound, max: Bound, options: LimitOptions = {}): string[] {
    return this.run("ZRANGEBYLEX", [key, min, max, ...optionWords("zrangebylex", options, LEX_KINDS)]);
  }

  zrangebylexBuffer(key: ArgumentValue, min: Bound, max: Bound, options: LimitOptions = {}): Buffer[] {
    return this.runBuffer("ZRANGEBYLEX", [key, min, max, ...optionWords("zrangebylexBuffer", options, LEX_KINDS)]);
  }

  /** The old form of `zrange` with BYSCORE. */
  zrangebyscore(key: ArgumentValue, min: Bound, max: Bound, options?: LimitOptions & WithoutScores): string[];
  zrangebyscore(key: ArgumentValue, min: Bound, max: Bound, options: LimitOptions & WithScores): Scored[];
  zrangebyscore(key: ArgumentValue, min: Bound, max: Bound, options: object = {}): string[] | Scored[] {
    return this.run("ZRANGEBYSCORE", [key, min, max, ...optionWords("zrangebyscore", options, SCORE_KINDS)]);
  }

  zrangebyscoreBuffer(key: ArgumentValue, min: Bound, max: Bound, options?: LimitOptions & WithoutScores): Buffer[];
  zrangebyscoreBuffer(key: ArgumentValue, min: Bound, max: Bound, options: LimitOptions & WithScores): Scored<Buffer>[];
  zrangebyscoreBuffer(key: ArgumentValue, min: Bound, max: Bound, options: object = {}): Buffer[] | Scored<Buffer>[] {
    const words = optionWords("zrangebyscoreBuffer", options, SCORE_KINDS);
    return this.runBuffer("ZRANGEBYSCORE", [key, min, max, ...words]);
  }

  /** Stores what `zrange` would return, with the scores. @returns how many members there are */
  zrangestore(
    destination: ArgumentValue,
    source: ArgumentValue,
    start: Bound,
    end: Bound,
    options: ZrangeOptions = {},
  ): number {
    const words = optionWords("zrangestore", options, STORE_KINDS);
    return this.run("ZRANGESTORE", [destination, source, start, end, ...words]);
  }

  /** Removes members by name, where all have the same score. @returns how many there were */
  zremrangebylex(key: ArgumentValue, min: Bound, max: Bound): number {
    return this.run("ZREMRANGEBYLEX", [key, min, max]);
  }

  /** Removes members by rank. @returns how many there were */
  zremrangebyrank(key: ArgumentValue, start: Int64, end: Int64): number {
    return this.run("ZREMRANGEBYRANK", [key, start, end]);
  }

  /** Removes members by score. @returns how many there were */
  zremrangebyscore(key: ArgumentValue, min: Bound, max: Bound): number {
    return this.run("ZREMRANGEBYSCORE", [key, min, max]);
  }

  /** The old form of `zrange` with REV. */
  zrevrange(key: ArgumentValue, start: Int64, end: Int64, options?: WithoutScores): string[];
  zrevrange(key: ArgumentValue, start: Int64, end: Int64, options: WithScores): Scored[];
  zrevrange(key: ArgumentValue, start: Int64, end: Int64, options: object = {}): string[] | Scored[] {
    return this.run("ZREVRANGE", [key, start, end, ...optionWords("zrevrange", options, WITHSCORES_KINDS)]);
  }

  zrevrangeBuffer(key: ArgumentValue, start: Int64, end: Int64, options?: WithoutScores): Buffer[];
  zrevrangeBuffer(key: ArgumentValue, start: Int64, end: Int64, options: WithScores): Scored<Buffer>[];
  zrevrangeBuffer(key: ArgumentValue, start: Int64, end: Int64, options: object = {}): Buffer[] | Scored<Buffer>[] {
    return this.runBuffer("ZREVRANGE", [key, start, end, ...optionWords("zrevrangeBuffer", options, WITHSCORES_KINDS)]);
  }

  /** The old form of `zrange` with BYLEX and REV. */
  zrevrangebylex(key: ArgumentValue, max: Bound, min: Bound, options: LimitOptions = {}): string[] {
    return this.run("ZREVRANGEBYLEX", [key, max, min, ...optionWords("zrevrangebylex", options, LEX_KINDS)]);
  }

  zrevrangebylexBuffer(key: ArgumentValue, max: Bound, min: Bound, options: LimitOptions = {}): Buffer[] {
    const words = optionWords("zrevrangebylexBuffer", options, LEX_KINDS);
    return this.runBuffer("ZREVRANGEBYLEX", [key, max, min, ...words]);
  }

  /** The old form of `zrange` with BYSCORE and REV. */
  zrevrangebyscore(key: ArgumentValue, max: Bound, min: Bound, options?: LimitOptions & WithoutScores): string[];
  zrevrangebyscore(key: ArgumentValue, max: Bound, min: Bound, options: LimitOptions & WithScores): Scored[];
  zrevrangebyscore(key: ArgumentValue, max: Bound, min: Bound, options: object = {}): string[] | Scored[] {
    return this.run("ZREVRANGEBYSCORE", [key, max, min, ...optionWords("zrevrangebyscore", options, SCORE_KINDS)]);
  }

  zrevrangebyscoreBuffer(key: ArgumentValue, max: Bound, min: Bound, options?: LimitOptions & WithoutScores): Buffer[];
  zrevrangebyscoreBuffer(
    key: ArgumentValue,
    max: Bound,
    min: Bound,
    options: LimitOptions & WithScores,
  ): Scored<Buffer>[];
  zrevrangebyscoreBuffer(
    key: ArgumentValue,
    max: Bound,
    min: Bound,
    options: object = {},
  ): Buffer[] | Scored<Buffer>[] {
    const words = optionWords("zrevrangebyscoreBuffer", options, SCORE_KINDS);
    return this.runBuffer("ZREVRANGEBYSCORE", [key, max, min, ...words]);
  }

  /** The members that are in any of the sets. */
  zunion(keys: Keys, options?: CombinationOptions & WithoutScores): string[];
  zunion(keys: Keys, options: CombinationOptions & WithScores): Scored[];
  zunion(keys: Keys, options: object = {}): string[] | Scored[] {
    return this.run("ZUNION", combination("zunion", keys, options));
  }

  zunionBuffer(keys: Keys, options?: CombinationOptions & WithoutScores): Buffer[];
  zunionBuffer(keys: Keys, options: CombinationOptions & WithScores): Scored<Buffer>[];
  zunionBuffer(keys: Keys, options: object = {}): Buffer[] | Scored<Buffer>[] {
    return this.runBuffer("ZUNION", combination("zunionBuffer", keys, options));
  }

  /** Stores what `zunion` would return. @returns how many members there are */
  zunionstore(destination: ArgumentValue, keys: Keys, options: CombinationOptions = {}): number {
    const words = optionWords("zunionstore", options, COMBINATION_KINDS);
    return this.run("ZUNIONSTORE", [destination, keys.length, ...keys, ...words]);
  }
}

function combination(method: string, keys: Keys, options: object): ArgumentValue[] {
  return [keys.length, ...keys, ...optionWords(method, options, WITH_COMBINATION_KINDS)];
}
