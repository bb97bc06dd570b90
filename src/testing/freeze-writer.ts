/**
 * FreezeWriter: changes a keyspace at random, in every way in which keys can be changed, as fast as it can: strings by
 * the functions that commands use, collections by commands (collection-writer.ts).
 *
 * Seeded, so that a sequence can be repeated. What is there is not its concern: digests tell.
 */
import { Slice } from "../base/bytes.ts";
import type { Database } from "../keyspace/database.ts";
import { NO_DEADLINE, STRING } from "../keyspace/entry.ts";
import { Key } from "../keyspace/key.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { growString, setByte, setInteger, setString, writeAt } from "../keyspace/strings.ts";
import { copyKey, moveKey, renameKey } from "../keyspace/transfer.ts";
import { RegionFullError } from "../memory/heap.ts";
import { CollectionWriter } from "./collection-writer.ts";
import type { Random } from "./random.ts";

const POOL_SIZE = 64 * 1024;
/** After any test: nothing expires by itself. */
const FUTURE = 4_000_000_000_000;
/** One key in so many is mostly a HyperLogLog: they need 12 KiB each. */
const HYPERLOGLOG_EVERY = 256;
/** A larger value is seldom copied: copies of copies would fill the store. */
const COPIED_MAX = 4096;

export class FreezeWriter {
  readonly #keyspace: Keyspace;
  readonly #random: Random;
  readonly #names: Buffer[];
  readonly #pool: Buffer;
  readonly #key: Key;
  readonly #other: Key;
  readonly #value = new Slice();
  readonly #collections: CollectionWriter;
  /** Number of the key that was located last. */
  #index = 0;
  /** Chance that a write is a removal: small lets the tables grow, near 1 lets them shrink. */
  removals = 0.2;
  /** Chance that a write flushes a database, or exchanges two. */
  upheavals = 0;
  /** Longest value, in bytes. */
  valueMax = 6000;
  /** One key in so many is mostly a collection; a power of two. */
  collectionEvery = 4;
  writes = 0;
  #refusals = 0;

  /** @param names how many different keys there may be in each database */
  constructor(keyspace: Keyspace, random: Random, names: number) {
    this.#keyspace = keyspace;
    this.#random = random;
    this.#names = Array.from({ length: names }, (_, index) => Buffer.from(`${index}:${random.text(random.below(24))}`));
    this.#pool = random.bytes(POOL_SIZE);
    this.#key = new Key(keyspace.databases[0]!);
    this.#other = new Key(keyspace.databases[0]!);
    this.#collections = new CollectionWriter(keyspace, random, this.#names, this.#pool);
  }

  /** Writes that the store had no room for. */
  get refusals(): number {
    return this.#refusals + this.#collections.refusals;
  }

  /** One change; where the region is full, none. */
  write(): void {
    this.writes += 1;
    try {
      this.#write();
    } catch (error) {
      if (!(error instanceof RegionFullError)) throw error;
      this.#refusals += 1;
    }
  }

  #write(): void {
    const random = this.#random;
    if (this.upheavals > 0 && random.chance(this.upheavals)) this.#overturn();
    const database = this.#anyDatabase();
    const found = this.#locate(this.#key, database);
    if (random.chance(this.removals)) {
      if (found) this.#key.remove();
      return;
    }
    const kind = random.below(100);
    const isCollection = found ? this.#key.type !== STRING : this.#index % this.collectionEvery === 0;
    if (isCollection && kind < 88) this.#changeCollection();
    else if (this.#index % HYPERLOGLOG_EVERY === 1 && kind < 88) this.#collections.count(this.#key);
    else if (kind < 55) this.#set(this.#anyLength(100));
    else if (kind < 65) this.#set(this.#anyLength(1200));
    else if (kind < 68) this.#set(this.#anyLength(this.valueMax));
    else if (kind < 78) setInteger(this.#key, this.#anyInteger(), this.#anyDeadline());
    else if (kind < 90 && !isCollection) this.#modify(found);
    else if (found) this.#transfer(database);
  }

  #set(length: number): void {
    setString(this.#key, this.#pool, this.#random.below(POOL_SIZE - length), length, this.#anyDeadline());
  }

  #changeCollection(): void {
    const random = this.#random;
    if (random.chance(0.001)) this.#collections.changeLimits();
    if (this.#key.found && random.chance(0.02)) {
      this.#key.setDeadline(this.#anyDeadline());
      return;
    }
    this.#collections.removals = Math.max(0.3, this.removals);
    this.#collections.valueMax = Math.min(this.valueMax, 3000);
    this.#collections.write(this.#key, this.#index);
  }

  #modify(found: boolean): void {
    const random = this.#random;
    const kind = random.below(4);
    if (kind === 0) {
      if (found) this.#key.setDeadline(this.#anyDeadline());
      return;
    }
    const length = this.#anyLength(kind === 1 ? this.valueMax : 300) + 1;
    const value = growString(this.#key, length, this.#value);
    const offset = random.below(length);
    if (kind === 2) setByte(this.#key, value, offset, random.below(256));
    else writeAt(this.#key, value, offset, this.#pool, random.below(1000), random.below(length - offset) + 1);
  }

  #transfer(database: Database): void {
    const kind = this.#random.below(3);
    if (kind === 0) {
      const target = this.#anyDatabase();
      if (target === database) return;
      const { bytes, start, length } = this.#key;
      if (!this.#other.locate(target, bytes, start, length)) moveKey(this.#key, this.#other);
      return;
    }
    this.#locate(this.#other, database);
    if (this.#other.bytes === this.#key.bytes) return;
    if (kind === 1) renameKey(this.#key, this.#other);
    else if (this.#key.memoryUsage(5) < COPIED_MAX || this.#random.chance(0.02)) copyKey(this.#key, this.#other);
  }

  #overturn(): void {
    const { index } = this.#anyDatabase();
    const kind = this.#random.below(4);
    if (kind === 0) this.#keyspace.flushAll();
    else if (kind === 1) this.#keyspace.flush(index);
    else this.#keyspace.swap(index, this.#anyDatabase().index);
  }

  #locate(key: Key, database: Database): boolean {
    const index = this.#random.below(this.#names.length);
    const name = this.#names[index]!;
    if (key === this.#key) this.#index = index;
    return key.locate(database, name, 0, name.length);
  }

  #anyDatabase(): Database {
    return this.#random.pick(this.#keyspace.databases);
  }

  #anyLength(max: number): number {
    return this.#random.below(Math.min(max, this.valueMax));
  }

  #anyDeadline(): number {
    return this.#random.chance(0.2) ? FUTURE + this.#random.below(2 ** 40) : NO_DEADLINE;
  }

  #anyInteger(): number | bigint {
    const random = this.#random;
    return random.chance(0.1) ? -(2n ** 62n) - BigInt(random.below(2 ** 40)) : random.below(2 ** 40) - 2 ** 39;
  }
}
