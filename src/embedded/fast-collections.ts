/**
 * FastCollections: HSET, HGET, SADD, SISMEMBER, ZADD, ZSCORE and pushing to and popping from lists, one member a call,
 * for a program that makes them millions of times a second. What fast-path.ts is for strings, by the rules of
 * fast-calls.ts: the member goes from the JavaScript string straight into the words that are hashed and compared.
 *
 * It takes large collections that exist. Small ones, which are short to search, and keys that are still to be made go
 * through the engine; so do fields that have deadlines.
 *
 * fast-collections.test.ts proves that both ways give the same replies, data and counters.
 */
import { Slice } from "../base/bytes.ts";
import { HASH, LIST, SET, SORTED_SET } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { openList, popFromList, pushToLarge } from "../keyspace/lists.ts";
import {
  addStagedMember,
  FIELD_ABSENT,
  FIELD_DATED,
  hasStagedMember,
  readStagedField,
  scoreOfStaged,
  scoreStaged,
  setStagedField,
} from "../keyspace/staged-members.ts";
import { RegionFullError } from "../memory/heap.ts";
import { CHUNKS, TABLE, TREE } from "../structures/collection.ts";
import type { FastCall, FastCalls } from "./fast-calls.ts";
import { decode, encode, scratch, UNITS_MAX } from "./fast-text.ts";

const value = new Slice();

export class FastCollections {
  readonly #calls: FastCalls;
  readonly #hget: FastCall;
  readonly #hset: FastCall;
  readonly #sadd: FastCall;
  readonly #sismember: FastCall;
  readonly #zadd: FastCall;
  readonly #zscore: FastCall;
  readonly #lpush: FastCall;
  readonly #rpush: FastCall;
  readonly #lpop: FastCall;
  readonly #rpop: FastCall;

  constructor(calls: FastCalls) {
    this.#calls = calls;
    this.#hget = calls.of("HGET");
    this.#hset = calls.of("HSET");
    this.#sadd = calls.of("SADD");
    this.#sismember = calls.of("SISMEMBER");
    this.#zadd = calls.of("ZADD");
    this.#zscore = calls.of("ZSCORE");
    this.#lpush = calls.of("LPUSH");
    this.#rpush = calls.of("RPUSH");
    this.#lpop = calls.of("LPOP");
    this.#rpop = calls.of("RPOP");
  }

  /** @returns the field's value, null if there is none, undefined if the call must go through the engine */
  hget(name: string, field: string): string | null | undefined {
    const key = this.#forMember(this.#hget, name, HASH, TABLE, field);
    if (key === undefined) return undefined;
    const outcome = readStagedField(key, value);
    if (outcome === FIELD_DATED) return undefined;
    this.#countRead(this.#hget, key);
    return outcome === FIELD_ABSENT ? null : decode(value);
  }

  /** @returns how many fields are new; undefined if the call must go through the engine */
  hset(name: string, field: string, text: string): 0 | 1 | undefined {
    if (text.length > UNITS_MAX || this.#calls.isFull()) return undefined;
    const key = this.#forMember(this.#hset, name, HASH, TABLE, field);
    if (key === undefined) return undefined;
    const length = encode(text);
    try {
      const outcome = setStagedField(key, scratch, 0, length);
      if (outcome === FIELD_DATED) return undefined;
      this.#countWrite(this.#hset, key);
      return outcome === FIELD_ABSENT ? 1 : 0;
    } catch (error) {
      return unlessFull(error);
    }
  }

  /** @returns how many members are new; undefined if the call must go through the engine */
  sadd(name: string, member: string): 0 | 1 | undefined {
    if (this.#calls.isFull()) return undefined;
    const key = this.#forMember(this.#sadd, name, SET, TABLE, member);
    if (key === undefined) return undefined;
    try {
      const isNew = addStagedMember(key);
      this.#countWrite(this.#sadd, key);
      return isNew ? 1 : 0;
    } catch (error) {
      return unlessFull(error);
    }
  }

  /** @returns whether it is a member; undefined if the call must go through the engine */
  sismember(name: string, member: string): 0 | 1 | undefined {
    const key = this.#forMember(this.#sismember, name, SET, TABLE, member);
    if (key === undefined) return undefined;
    this.#countRead(this.#sismember, key);
    return hasStagedMember(key) ? 1 : 0;
  }

  /** @returns how many members are new; undefined if the call must go through the engine */
  zadd(name: string, score: number, member: string): 0 | 1 | undefined {
    if (Number.isNaN(score) || this.#calls.isFull()) return undefined;
    const key = this.#forMember(this.#zadd, name, SORTED_SET, TREE, member);
    if (key === undefined) return undefined;
    try {
      // Written out, as the engine reads it, a negative zero has no sign.
      const isNew = scoreStaged(key, score + 0);
      this.#countWrite(this.#zadd, key);
      return isNew ? 1 : 0;
    } catch (error) {
      return unlessFull(error);
    }
  }

  /** @returns the score, null if there is none, undefined if the call must go through the engine */
  zscore(name: string, member: string): number | null | undefined {
    const key = this.#forMember(this.#zscore, name, SORTED_SET, TREE, member);
    if (key === undefined) return undefined;
    this.#countRead(this.#zscore, key);
    const score = scoreOfStaged(key);
    return Number.isNaN(score) ? null : score;
  }

  /** @returns the list's length; undefined if the call must go through the engine */
  push(name: string, isHead: boolean, text: string): number | undefined {
    const calls = this.#calls;
    const call = isHead ? this.#lpush : this.#rpush;
    if (text.length > UNITS_MAX || calls.isFull() || calls.isUnusual(call)) return undefined;
    const key = calls.locate(name);
    if (key === undefined || !isA(key, LIST, CHUNKS)) return undefined;
    const length = encode(text);
    try {
      const count = pushToLarge(key, isHead, scratch, 0, length);
      this.#countWrite(call, key);
      return count;
    } catch (error) {
      return unlessFull(error);
    }
  }

  /** @returns the element; undefined if the call must go through the engine */
  pop(name: string, isHead: boolean): string | undefined {
    const calls = this.#calls;
    const call = isHead ? this.#lpop : this.#rpop;
    if (calls.isUnusual(call)) return undefined;
    const key = calls.locate(name);
    if (key === undefined || !isA(key, LIST, CHUNKS)) return undefined;
    this.#countWrite(call, key);
    const cursor = openList(key);
    cursor.seek(isHead ? 0 : -1);
    const text = decode(cursor.read(value));
    popFromList(key, isHead, 1);
    return text;
  }

  /** The key, if it holds such a collection, with the member staged; undefined if the engine must look at the call. */
  #forMember(call: FastCall, name: string, type: number, encoding: number, member: string): Key | undefined {
    const calls = this.#calls;
    if (calls.isUnusual(call)) return undefined;
    const key = calls.locate(name);
    if (key === undefined || !isA(key, type, encoding)) return undefined;
    return calls.keyspace.member.stageText(member) ? key : undefined;
  }

  #countRead(call: FastCall, key: Key): void {
    const calls = this.#calls;
    calls.keyspace.hits += 1;
    calls.touch(key);
    calls.count(call);
  }

  #countWrite(call: FastCall, key: Key): void {
    const calls = this.#calls;
    calls.touch(key);
    calls.count(call);
  }
}

/** Whether the key exists and is of this type and encoding. */
function isA(key: Key, type: number, encoding: number): boolean {
  return key.found && key.type === type && key.encoding === encoding;
}

/** The engine finds out anew that there is no room, and says so. */
function unlessFull(error: unknown): undefined {
  if (!(error instanceof RegionFullError)) throw error;
}
