/**
 * Key: a place in a database, where a key is or would be. What commands hold while they look at a key or change it.
 *
 * Reused, so that looking a key up allocates nothing: a database has two, for commands that deal with two keys at once.
 * It stays right while other keys change, because it keeps the entry and the key's bytes, never a slot of the table.
 * Valid during one command. Owner thread only.
 */
import type { Arguments } from "../base/arguments.ts";
import type { Slice } from "../base/bytes.ts";
import { type Int64, writeInt64 } from "../base/int64.ts";
import { NONE, type Ref } from "../memory/heap.ts";
import { ENCODING_NAMES } from "../structures/collection.ts";
import { BY_EXPIRY, BY_REPLACEMENT, type Cause } from "./cause.ts";
import type { Database } from "./database.ts";
import { EMBEDDED, Entries, EXTERNAL, INT, NO_DEADLINE, STRING } from "./entry.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Shard } from "./shard.ts";

/** The longest value that OBJECT ENCODING calls embstr. */
const EMBSTR_MAX = 44;

export class Key {
  readonly keyspace: Keyspace;
  database: Database;
  shard: Shard;
  /** The key's entry, NONE if there is none. */
  entry: Ref = NONE;
  hash = 0;
  /** The key's own bytes, where the command has them. */
  bytes: Buffer;
  start = 0;
  length = 0;
  readonly #digits = Buffer.alloc(24);

  constructor(database: Database) {
    this.keyspace = database.keyspace;
    this.database = database;
    this.shard = this.keyspace.shards[0]!;
    this.bytes = this.#digits;
  }

  /** Points at the key in [start, start + length) of `bytes`. @returns whether it exists; expired keys do not */
  locate(database: Database, bytes: Buffer, start: number, length: number): boolean {
    const { staged } = this.keyspace;
    this.database = database;
    this.bytes = bytes;
    this.start = start;
    this.length = length;
    staged.stage(bytes, start, length);
    return this.#find(database);
  }

  /** Points at the key in argument `index`. @returns whether it exists; expired keys do not */
  locateArgument(database: Database, args: Arguments, index: number): boolean {
    const { staged } = this.keyspace;
    this.database = database;
    this.bytes = args.bytes;
    this.start = args.starts[index]!;
    this.length = args.lengths[index]!;
    if (index === 1 && args.isHashed) staged.stageHashed(this.bytes, this.start, this.length, args.keyHash);
    else staged.stage(this.bytes, this.start, this.length);
    return this.#find(database);
  }

  /**
   * Points at the key that `keyspace.staged.stageText` has just staged; good until another key is staged.
   * @returns whether it exists
   */
  locateStaged(database: Database): boolean {
    const { staged } = this.keyspace;
    this.database = database;
    this.bytes = staged.bytes;
    this.start = 0;
    this.length = staged.length;
    return this.#find(database);
  }

  get found(): boolean {
    return this.entry !== NONE;
  }

  /** Type of the value; only of a key that exists. */
  get type(): number {
    return this.shard.entries.type(this.entry);
  }

  /** What OBJECT ENCODING says. */
  get encodingName(): string {
    const encoding = this.shard.entries.encoding(this.entry);
    if (this.type !== STRING) return ENCODING_NAMES[encoding]!;
    if (encoding === INT) return "int";
    return encoding === EMBEDDED && this.shard.entries.value(this.entry) <= EMBSTR_MAX ? "embstr" : "raw";
  }

  /** Milliseconds since 1970, or NO_DEADLINE. */
  get deadline(): Int64 {
    return this.shard.entries.deadline(this.entry);
  }

  /** The integer that a string is stored as, or undefined if it is stored as bytes. */
  get integer(): Int64 | undefined {
    const { entries } = this.shard;
    return entries.encoding(this.entry) === INT ? entries.integer(this.entry) : undefined;
  }

  /** Length of a string value in bytes. */
  get stringLength(): number {
    const { entries } = this.shard;
    if (entries.encoding(this.entry) !== INT) return entries.value(this.entry);
    return writeInt64(entries.integer(this.entry), this.#digits, 0);
  }

  /** Points `slice` at the bytes of a string value: in the region, or for an integer at its digits. */
  readString(slice: Slice): Slice {
    const { entries } = this.shard;
    const { entry } = this;
    const encoding = entries.encoding(entry);
    if (encoding === INT) slice.set(this.#digits, 0, writeInt64(entries.integer(entry), this.#digits, 0));
    else if (encoding === EXTERNAL) slice.set(entries.bytes, entries.extra(entry), entries.value(entry));
    else slice.set(entries.bytes, entries.inlineStart(entry), entries.value(entry));
    return slice;
  }

  /** Encoding of the value; only of a key that exists. */
  get encoding(): number {
    return this.shard.entries.encoding(this.entry);
  }

  /** Root of a collection. */
  get root(): Ref {
    return this.shard.entries.value(this.entry);
  }

  /**
   * Bytes that the key and its value occupy, tables aside.
   * @param samples elements of a collection to look at; 0 for all
   */
  memoryUsage(samples = 0): number {
    return this.shard.entries.memoryUsage(this.entry, samples);
  }

  /**
   * Makes the key stand for a new collection, whatever it was. No deadline unless one is given.
   * @throws RegionFullError with nothing changed; the collection is still the caller's then
   */
  setCollection(type: number, encoding: number, root: Ref, deadline: Int64 = NO_DEADLINE): void {
    const entry = this.buildEntry(type, encoding, 0, deadline);
    this.shard.entries.setValue(entry, root);
    this.#linkOwning(entry, type, encoding);
  }

  /** Another root, or another encoding, of the collection that the key holds: it has moved or been converted. */
  moveCollection(encoding: number, root: Ref): void {
    const { entries } = this.shard;
    if (entries.value(this.entry) !== root) entries.setValue(this.entry, root);
    if (entries.encoding(this.entry) !== encoding) entries.setEncoding(this.entry, encoding);
  }

  /** Tells whoever listens what has happened to the key. @param type the event's class (config/keyspace-events.ts) */
  notify(type: number, event: string): void {
    const { keyspace } = this;
    if ((keyspace.eventTypes & type) === 0) return;
    keyspace.onEvent(type, event, this.database.index, this.bytes, this.start, this.length);
  }

  /** Counts changes made inside the key's collection. */
  countChanges(count: number): void {
    this.keyspace.changes += count;
  }

  /**
   * Gives the key another deadline, or none.
   * @param deadline milliseconds since 1970, or NO_DEADLINE
   */
  setDeadline(deadline: Int64): void {
    const { entries } = this.shard;
    const had = entries.hasDeadline(this.entry);
    const has = deadline !== NO_DEADLINE;
    if (had && has) entries.setDeadline(this.entry, deadline);
    else if (had !== has) this.#rebuild(deadline);
    this.keyspace.changes += 1;
  }

  /** Removes the key. */
  remove(cause: Cause = BY_REPLACEMENT): void {
    this.shard.release(this.unlink(), cause);
    this.keyspace.changes += 1;
    if (cause === BY_EXPIRY) this.keyspace.expiredKeys += 1;
  }

  /**
   * A new, unlinked entry for this key, its key written, its value still to be.
   * @throws RegionFullError with nothing changed
   */
  buildEntry(type: number, encoding: number, inlineLength: number, deadline: Int64): Ref {
    const { entries, heap } = this.shard;
    const size = Entries.sizeFor(encoding, type, this.length, deadline !== NO_DEADLINE, inlineLength);
    const entry = heap.allocate(size);
    entries.format(entry, type, encoding, this.keyspace.accessClock, this.length, deadline);
    if (this.keyspace.stagedFor !== this) this.#stage();
    entries.writeKey(entry, this.keyspace.staged.words, this.length);
    return entry;
  }

  /** Takes the entry out of the table. @returns the entry, which is the caller's now */
  unlink(): Ref {
    const { shard, entry } = this;
    if (shard.entries.hasDeadline(entry)) shard.countVolatile(this.database.index, -1);
    shard.dictionaries[this.database.index]!.remove(this.#slot());
    this.entry = NONE;
    return entry;
  }

  /** Puts an entry built by `buildEntry` in the place of the present one, which is freed, or of none. */
  link(entry: Ref): void {
    const { shard, database } = this;
    const dictionary = shard.dictionaries[database.index]!;
    const old = this.entry;
    let volatile = shard.entries.hasDeadline(entry) ? 1 : 0;
    if (old === NONE) {
      try {
        dictionary.insert(this.hash, entry);
      } catch (error) {
        shard.entries.free(entry);
        throw error;
      }
    } else {
      if (shard.entries.hasDeadline(old)) volatile -= 1;
      dictionary.replace(this.#slot(), entry);
      shard.release(old, BY_REPLACEMENT);
    }
    if (volatile !== 0) shard.countVolatile(database.index, volatile);
    this.entry = entry;
    this.keyspace.changes += 1;
  }

  /** Links an entry that owns blocks. Should that fail, the entry is freed, but not what it was to own. */
  #linkOwning(entry: Ref, type: number, encoding: number): void {
    const { entries } = this.shard;
    entries.setTypeAndEncoding(entry, STRING, EMBEDDED);
    const root = entries.value(entry);
    entries.setValue(entry, 0);
    this.link(entry);
    entries.setValue(entry, root);
    entries.setTypeAndEncoding(entry, type, encoding);
  }

  #find(database: Database): boolean {
    const { staged, shards, shardMask } = this.keyspace;
    this.keyspace.stagedFor = this;
    const { hash, length } = staged;
    const shard = shards[hash & shardMask]!;
    this.hash = hash;
    this.shard = shard;
    const dictionary = shard.dictionaries[database.index]!;
    let slot = dictionary.seek(hash);
    while (slot !== 0) {
      const entry = dictionary.at(slot);
      if (shard.entries.keyEquals(entry, staged.words, length)) {
        this.entry = entry;
        return !shard.entries.hasDeadline(entry) || !this.#expire();
      }
      slot = dictionary.seekNext(slot, hash);
    }
    this.entry = NONE;
    return false;
  }

  /** Stages the key again, after another one has been. */
  #stage(): void {
    this.keyspace.staged.stage(this.bytes, this.start, this.length);
    this.keyspace.stagedFor = this;
  }

  /** The entry again, with a deadline where there was none or the other way round; its value moves along. */
  #rebuild(deadline: Int64): void {
    const { entries } = this.shard;
    const old = this.entry;
    const inlineLength = entries.inlineLength(old);
    const entry = this.buildEntry(entries.type(old), entries.encoding(old), inlineLength, deadline);
    entries.takeValue(entry, old);
    this.link(entry);
  }

  #slot(): number {
    const dictionary = this.shard.dictionaries[this.database.index]!;
    let slot = dictionary.seek(this.hash);
    while (dictionary.at(slot) !== this.entry) slot = dictionary.seekNext(slot, this.hash);
    return slot;
  }

  /** Removes the key if its deadline has passed. */
  #expire(): boolean {
    if (this.deadline > this.keyspace.clock.now()) return false;
    this.remove(BY_EXPIRY);
    return true;
  }
}
