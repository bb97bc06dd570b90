/**
 * Database: one of a store's numbered keyspaces (SELECT). Looking keys up, walking them, choosing one at random.
 *
 * `read` and `write` point one of two reusable Keys at a key: as long as a command deals with one key at a time it
 * needs no second; commands with a source and a destination pass `other`. Owner thread only.
 */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { keyspaceEvents } from "../config/keyspace-events.ts";
import type { Ref } from "../memory/heap.ts";
import { SCAN_END } from "../structures/dictionary.ts";
import { Key } from "./key.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Shard } from "./shard.ts";

/** Told about each key of a walk; `key` and what it shows are valid during the call only, and must not be changed. */
export type VisitKey = (name: Slice, shard: Shard, entry: Ref) => void;

export class Database {
  readonly keyspace: Keyspace;
  readonly index: number;
  readonly key: Key;
  readonly other: Key;
  readonly #name = new Slice();

  constructor(keyspace: Keyspace, index: number) {
    this.keyspace = keyspace;
    this.index = index;
    this.key = new Key(this);
    this.other = new Key(this);
  }

  /** Keys in the database, expired ones that nobody has touched since included. */
  get count(): number {
    const { shards } = this.keyspace;
    let count = 0;
    for (let index = 0; index < shards.length; index++) count += shards[index]!.dictionaries[this.index]!.count;
    return count;
  }

  /** Keys that have a deadline. */
  get volatileCount(): number {
    return this.keyspace.shards.reduce((sum, shard) => sum + shard.volatileCount(this.index), 0);
  }

  /** Looks up the key in argument `index` for reading: counts a hit or a miss, and stamps the access clock. */
  read(args: Arguments, index: number, into: Key = this.key): Key {
    const { keyspace } = this;
    if (into.locateArgument(this, args, index)) {
      keyspace.hits += 1;
      if (keyspace.touches) into.shard.entries.touch(into.entry, keyspace.accessClock);
    } else {
      keyspace.misses += 1;
      into.notify(keyspaceEvents.keyMiss, "keymiss");
    }
    return into;
  }

  /** As `read`, of a key whose name is no argument, but has been made up. */
  readNamed(bytes: Buffer, start: number, length: number, into: Key): Key {
    const { keyspace } = this;
    const isFound = into.locate(this, bytes, start, length);
    if (isFound && keyspace.touches) into.shard.entries.touch(into.entry, keyspace.accessClock);
    if (isFound) keyspace.hits += 1;
    else keyspace.misses += 1;
    if (!isFound) into.notify(keyspaceEvents.keyMiss, "keymiss");
    return into;
  }

  /** Looks up the key in argument `index` in order to change it: no hit, no miss. */
  write(args: Arguments, index: number, into: Key = this.key): Key {
    if (into.locateArgument(this, args, index) && this.keyspace.touches) {
      into.shard.entries.touch(into.entry, this.keyspace.accessClock);
    }
    return into;
  }

  /** Looks up the key in argument `index` to tell about it: a hit or a miss, but no access (TYPE, TTL). */
  inspect(args: Arguments, index: number, into: Key = this.key): Key {
    if (!this.examine(args, index, into).found) into.notify(keyspaceEvents.keyMiss, "keymiss");
    return into;
  }

  /** As `inspect`, but nobody is told of a miss (OBJECT). */
  examine(args: Arguments, index: number, into: Key = this.key): Key {
    if (into.locateArgument(this, args, index)) this.keyspace.hits += 1;
    else this.keyspace.misses += 1;
    return into;
  }

  /** Looks up the key in argument `index` and leaves no trace. */
  peek(args: Arguments, index: number, into: Key = this.key): Key {
    into.locateArgument(this, args, index);
    return into;
  }

  /**
   * Walks on from `cursor`, which is shard * SCAN_END + a point of the hash space, through about `count` slots of
   * the table. Every key that is there from the first call to the last is visited at least once. Expired keys are
   * removed, not visited.
   * @returns the cursor to go on from, 0 at the end
   */
  scan(cursor: number, count: number, visit: VisitKey): number {
    const { shards } = this.keyspace;
    let index = Math.floor(cursor / SCAN_END);
    let point = cursor % SCAN_END;
    const found: Ref[] = [];
    const collect = (entry: Ref): void => {
      found.push(entry);
    };
    for (let slots = 0; slots < count && index < shards.length; slots++) {
      const shard = shards[index]!;
      point = shard.dictionaries[this.index]!.scan(point, collect);
      this.#visitAll(shard, found, visit);
      found.length = 0;
      if (point === SCAN_END) {
        index += 1;
        point = 0;
      }
    }
    return index >= shards.length ? 0 : index * SCAN_END + point;
  }

  /** Visits all keys; the visitor must change nothing. Keys that have expired are not visited, and stay. */
  forEach(visit: VisitKey): void {
    const now = this.keyspace.expiryClock.now();
    for (const shard of this.keyspace.shards) {
      shard.dictionaries[this.index]!.forEach((entry) => {
        const hasExpired = shard.entries.hasDeadline(entry) && shard.entries.deadline(entry) <= now;
        if (!hasExpired) visit(this.#nameOf(shard, entry), shard, entry);
      });
    }
  }

  /**
   * A key chosen uniformly from those that have not expired.
   * @returns its name, valid until the next command; undefined if the database is empty
   */
  sample(random: () => number = Math.random): Slice | undefined {
    for (let count = this.count; count > 0; count = this.count) {
      let place = Math.floor(random() * count);
      let index = 0;
      const { shards } = this.keyspace;
      while (place >= shards[index]!.dictionaries[this.index]!.count) {
        place -= shards[index]!.dictionaries[this.index]!.count;
        index += 1;
      }
      const shard = shards[index]!;
      const entry = shard.dictionaries[this.index]!.sample(random);
      if (!this.#hasExpired(shard, entry)) return this.#nameOf(shard, entry);
      this.#expire(shard, entry);
    }
    return undefined;
  }

  /** Checks that every key is found by its name. @throws Error that names what is wrong */
  verify(): void {
    const key = new Key(this);
    for (const shard of this.keyspace.shards) {
      shard.dictionaries[this.index]!.forEach((entry, hash) => {
        const name = this.#nameOf(shard, entry);
        this.keyspace.staged.stage(name.bytes, name.start, name.length);
        if (this.keyspace.staged.hash !== hash) throw new Error(`database ${this.index}: a key has another's hash`);
        if (this.#hasExpired(shard, entry)) return;
        if (!key.locate(this, name.bytes, name.start, name.length) || key.entry !== entry) {
          throw new Error(`database ${this.index}: a key is not found by its name`);
        }
      });
    }
  }

  #visitAll(shard: Shard, found: readonly Ref[], visit: VisitKey): void {
    for (const entry of found) {
      if (this.#hasExpired(shard, entry)) this.#expire(shard, entry);
      else visit(this.#nameOf(shard, entry), shard, entry);
    }
  }

  #nameOf(shard: Shard, entry: Ref): Slice {
    this.#name.set(shard.entries.bytes, shard.entries.keyStart(entry), shard.entries.keyLength(entry));
    return this.#name;
  }

  #hasExpired(shard: Shard, entry: Ref): boolean {
    return shard.entries.hasDeadline(entry) && shard.entries.deadline(entry) <= this.keyspace.expiryClock.now();
  }

  /** Looking an expired key up removes it. */
  #expire(shard: Shard, entry: Ref): void {
    const name = this.#nameOf(shard, entry);
    this.other.locate(this, name.bytes, name.start, name.length);
  }
}
