/**
 * CollectionWriter: changes collections at random, by commands: makes, grows, converts, combines, shrinks and empties
 * lists, sets, hashes and sorted sets; and HyperLogLogs. For freeze tests; what is there is not its concern.
 *
 * Seeded but for SPOP, which chooses by itself.
 */
import { allCommands } from "../commands/all-commands.ts";
import { HASH, LIST, SET, SORTED_SET } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { CommandCaller } from "./command-caller.ts";
import { CommandRunner } from "./commands.ts";
import { Random } from "./random.ts";

/** Different members there are in all collections together: few, so that they are found again. */
const MEMBERS = 4000;
/** Most keys' members come from this many of them. */
const SMALL_SPAN = 40;
/** One key in so many has members from all of them. */
const LARGE_EVERY = 512;
/** Chance that a new collection is one that had been dumped. */
const RESTORED = 0.04;
/** Items a list may have before it is cut, a large one's and another's. */
const LARGE_LIST_MAX = 3000;
const LIST_MAX = 60;
const TYPES = [LIST, SET, SORTED_SET, HASH];
/** After any test: nothing expires by itself. */
const FUTURE = 4_000_000_000_000;

export class CollectionWriter {
  /** Chance that a change takes elements away. */
  removals = 0.3;
  /** Chance that a change combines two keys into one. */
  combinations = 0.02;
  /** Longest value of a field, and longest item. */
  valueMax = 3000;
  readonly #keyspace: Keyspace;
  readonly #caller: CommandCaller;
  readonly #random: Random;
  readonly #names: readonly Buffer[];
  readonly #pool: Buffer;
  readonly #integers = integers();
  readonly #texts = texts();

  /** @param pool bytes that values are taken from */
  constructor(keyspace: Keyspace, random: Random, names: readonly Buffer[], pool: Buffer) {
    this.#keyspace = keyspace;
    this.#caller = new CommandCaller(keyspace);
    this.#random = random;
    this.#names = names;
    this.#pool = pool;
    this.changeLimits();
  }

  get refusals(): number {
    return this.#caller.refusals;
  }

  /** Other limits from now on: what is stored in one encoding is not touched by that, until it grows. */
  changeLimits(): void {
    const entries = this.#random.pick([0, 4, 16, 16, 128, 512]);
    const value = this.#random.pick([8, 64, 64]);
    Object.assign(this.#keyspace.limits, {
      hashEntries: entries,
      hashValue: value,
      listSize: this.#random.pick([-2, -1, 4, 32]),
      setIntsetEntries: entries * 2,
      setListpackEntries: entries,
      setListpackValue: value,
      sortedSetEntries: entries,
      sortedSetValue: value,
      sparseHyperLogLogBytes: this.#random.pick([100, 3000]),
    });
  }

  /** Changes the collection that the key holds; a key that holds none yet gets one. @param index the key's number */
  write(key: Key, index: number): void {
    const random = this.#random;
    const type = key.found ? key.type : random.pick(TYPES);
    const isLarge = index % LARGE_EVERY === 0;
    const count = random.below(isLarge ? 50 : 6) + 1;
    if (!key.found && random.chance(RESTORED)) this.#restore(key);
    else if (random.chance(this.combinations)) this.#combine(key, type);
    else if (key.found && random.chance(this.removals)) this.#remove(key, type, index, count);
    else this.#add(key, type, index, count);
    this.#caller.run();
    if (type === LIST)
      this.#begin("LTRIM", key)
        .addNumber(0)
        .addNumber(isLarge ? LARGE_LIST_MAX : LIST_MAX)
        .run();
  }

  /** Counts elements in the HyperLogLog that the key holds, if it does: a string that is written to in its place. */
  count(key: Key): void {
    const random = this.#random;
    const kind = random.below(10);
    if (kind === 0) {
      this.#begin("PFCOUNT", key);
    } else if (kind === 1) {
      this.#begin("PFMERGE", key).add(this.#other());
    } else {
      const caller = this.#begin("PFADD", key);
      for (let left = random.below(kind === 2 ? 200 : 5); left >= 0; left--) caller.addNumber(random.below(20_000));
    }
    this.#caller.run();
  }

  #add(key: Key, type: number, index: number, count: number): void {
    const kind = this.#random.below(8);
    if (type === LIST) this.#addItems(key, kind, count);
    else if (type === SET) this.#many(this.#begin("SADD", key), index, count, () => undefined);
    else if (type === SORTED_SET) this.#addScored(key, index, kind, count);
    else this.#addFields(key, index, kind, count);
  }

  #addItems(key: Key, kind: number, count: number): void {
    if (kind === 0 && key.found) this.#value(this.#begin("LSET", key).addNumber(0));
    else if (kind === 1) this.#value(this.#value(this.#begin("LINSERT", key).addText("BEFORE")));
    else if (kind === 2) this.#begin("LMOVE", key).add(this.#other()).addText("RIGHT").addText("LEFT");
    else {
      const caller = this.#begin(kind < 5 ? "LPUSH" : "RPUSH", key);
      for (let item = 0; item < count; item++) this.#value(caller);
    }
  }

  #addScored(key: Key, index: number, kind: number, count: number): void {
    const random = this.#random;
    if (kind === 0) {
      this.#member(this.#begin("ZINCRBY", key).addNumber(random.below(100) - 50), index);
      return;
    }
    const caller = this.#begin("ZADD", key);
    if (kind === 1) caller.addText("GT");
    for (let done = 0; done < count; done++) {
      this.#member(caller.addNumber(kind === 2 ? random.below(5) : random.below(1_000_000) / 8), index);
    }
  }

  #addFields(key: Key, index: number, kind: number, count: number): void {
    const random = this.#random;
    if (kind === 0) {
      this.#begin("HINCRBY", key)
        .addText("counter")
        .addNumber(random.below(2 ** 40));
    } else if (kind === 1 || kind === 3) {
      const caller = this.#begin("HPEXPIREAT", key)
        .addNumber(FUTURE + random.below(2 ** 40))
        .addText("FIELDS");
      this.#many(caller.addNumber(count * 6), index, count * 6, () => undefined);
    } else if (kind === 2) {
      this.#many(this.#begin("HPERSIST", key).addText("FIELDS").addNumber(count), index, count, () => undefined);
    } else {
      const caller = this.#begin("HSET", key);
      this.#many(caller, index, count, () => this.#value(caller));
    }
  }

  #remove(key: Key, type: number, index: number, count: number): void {
    const kind = this.#random.below(4);
    if (type === LIST) {
      if (kind === 0) this.#value(this.#begin("LREM", key).addNumber(1));
      else this.#begin(kind === 1 ? "LPOP" : "RPOP", key).addNumber(count * 2);
    } else if (type === SET) {
      if (kind === 0) this.#begin("SPOP", key).addNumber(count * 2);
      else if (kind === 1) this.#member(this.#begin("SMOVE", key).add(this.#other()), index);
      else this.#many(this.#begin("SREM", key), index, count * 4, () => undefined);
    } else if (type === SORTED_SET) {
      if (kind === 0) this.#begin("ZPOPMAX", key).addNumber(count);
      else if (kind === 1)
        this.#begin("ZREMRANGEBYRANK", key)
          .addNumber(count)
          .addNumber(count * 3);
      else this.#many(this.#begin("ZREM", key), index, count * 4, () => undefined);
    } else {
      this.#many(this.#begin("HDEL", key), index, count * 4, () => undefined);
    }
  }

  /** Makes another key a combination of this one and a third. */
  #combine(key: Key, type: number): void {
    const random = this.#random;
    const caller = this.#caller;
    const { database } = key;
    const other = this.#other();
    const name = Buffer.from(key.bytes.subarray(key.start, key.start + key.length));
    if (type === SET) {
      const command = random.pick(["SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"]);
      caller.begin(database, command).add(other).add(name).add(this.#other());
    } else if (type === SORTED_SET) {
      const command = random.pick(["ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"]);
      caller.begin(database, command).add(other).addNumber(2).add(name).add(this.#other());
    } else if (type === LIST) {
      caller.begin(database, "SORT").add(name).addText("ALPHA").addText("STORE").add(other);
    } else if (name.equals(other)) {
      caller.begin(database, "UNLINK").add(name);
    } else {
      caller.begin(database, "COPY").add(name).add(other).addText("REPLACE");
    }
  }

  #restore(key: Key): void {
    this.#begin("RESTORE", key).addNumber(0).add(this.#random.pick(dumps()));
  }

  #begin(command: string, key: Key): CommandCaller {
    return this.#caller.begin(key.database, command).add(key.bytes, key.start, key.length);
  }

  #other(): Buffer {
    return this.#random.pick(this.#names);
  }

  /** Adds `count` members to the command, and after each what `follow` adds. */
  #many(caller: CommandCaller, index: number, count: number, follow: () => void): void {
    for (let done = 0; done < count; done++) {
      this.#member(caller, index);
      follow();
    }
  }

  /** Adds one member such as this key has: of some keys all are integers, of some none, of some both. */
  #member(caller: CommandCaller, index: number): void {
    const random = this.#random;
    const isLarge = index % LARGE_EVERY === 0;
    const number = isLarge ? random.below(MEMBERS) : (index * 37 + random.below(SMALL_SPAN)) % MEMBERS;
    const kind = (index >>> 2) % 3;
    const isInteger = kind === 0 || (kind === 1 && random.chance(0.5));
    caller.add((isInteger ? this.#integers : this.#texts)[number]!);
  }

  /** Adds a value: mostly a short one, now and then an integer or a long one. */
  #value(caller: CommandCaller): CommandCaller {
    const random = this.#random;
    const kind = random.below(40);
    if (kind < 8) return caller.addNumber(random.below(2 ** 40) - 2 ** 39);
    const length = random.below(kind === 8 ? this.valueMax : kind < 15 ? 80 : 12);
    return caller.add(this.#pool, random.below(this.#pool.length - length), length);
  }
}

let dumped: Buffer[] | undefined;

/** Dumps of collections of every type, small and large; made once. */
function dumps(): readonly Buffer[] {
  dumped ??= [3, 100, 700].flatMap((length) => {
    const runner = new CommandRunner(allCommands);
    const members = Array.from({ length }, (_, index) => (index > 80 ? `member ${index}` : String(index * 999)));
    const pairs = members.flatMap((member, index) => [String(index), member]);
    runner.run("RPUSH", "list", ...members);
    runner.run("SADD", "integers", ...pairs.filter((_, index) => index % 2 === 0));
    runner.run("SADD", "set", ...members);
    runner.run("HSET", "hash", ...pairs);
    runner.run("ZADD", "zset", ...pairs);
    return ["list", "integers", "set", "hash", "zset"].map((name) => runner.ask("DUMP", name) as Buffer);
  });
  return dumped;
}

let integerMembers: Buffer[] | undefined;
let textMembers: Buffer[] | undefined;

/** Members of every width that an intset has; made once. */
function integers(): readonly Buffer[] {
  const widths = [1, 300, 70_000, 3_000_000_000];
  integerMembers ??= Array.from({ length: MEMBERS }, (_, index) => {
    return Buffer.from(String((index - MEMBERS / 4) * widths[(index >>> 4) & 3]!));
  });
  return integerMembers;
}

/** Members of up to 500 bytes, few of which are longer than 60; made once. */
function texts(): readonly Buffer[] {
  const random = new Random(1);
  const lengthMax = [4, 20, 20, 60, 60, 60, 60, 500];
  textMembers ??= Array.from({ length: MEMBERS }, (_, index) => random.bytes(random.below(lengthMax[index & 7]!) + 3));
  return textMembers;
}
