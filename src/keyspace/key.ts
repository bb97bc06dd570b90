/**
 * Key: a place in a database, where a key is or would be. What commands hold while they look at a key or change it.
 *
 * Reused, so that looking a key up allocates nothing: a database has two, for commands that deal with two keys at once.
 * It stays right while other keys change, because it keeps the entry and the key's bytes, never a slot of the table.
 * Valid during one command. Owner thread only.
 */
import type { Arguments } from "../base/arguments.ts";
import type { Slice } from "../base/bytes.ts";
import { highWord, type Int64, lowWord, writeInt64 } from "../base/int64.ts";
import { keyspaceEvents } from "../config/keyspace-events.ts";
import { NONE, type Ref } from "../memory/heap.ts";
import { ENCODING_NAMES } from "../structures/collection.ts";
import { BY_EVICTION, BY_EXPIRY, BY_REPLACEMENT, type Cause } from "./cause.ts";
import { collectionType } from "./collection-types.ts";
import type { Database } from "./database.ts";
import { EMBEDDED, Entries, EXTERNAL, FIELDS_TIMED, INT, NO_DEADLINE, STRING, TIMED } from "./entry.ts";
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

  /** Points at an entry that is in a table. Its name is read where it stands: good until the entry is freed. */
  pointAt(database: Database, shard: Shard, entry: Ref, hash: number): void {
    this.database = database;
    this.shard = shard;
    this.entry = entry;
    this.hash = hash;
    this.bytes = shard.entries.bytes;
    this.start = shard.entries.keyStart(entry);
    this.length = shard.entries.keyLength(entry);
    if (this.keyspace.stagedFor === this) this.keyspace.stagedFor = undefined;
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
    const { entries, heap, wheel } = this.shard;
    const due = collectionType(type).nextDeadline?.(heap, encoding, root) ?? NO_DEADLINE;
    const entry = this.#build(type, encoding, 0, deadline, due === NO_DEADLINE ? 0 : FIELDS_TIMED);
    if (due !== NO_DEADLINE && (deadline === NO_DEADLINE || due < deadline)) wheel.setDue(entries.node(entry), due);
    entries.setValue(entry, root);
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
   * @throws RegionFullError with nothing changed
   */
  setDeadline(deadline: Int64): void {
    const { entries } = this.shard;
    const had = entries.hasDeadline(this.entry);
    const has = deadline !== NO_DEADLINE;
    if (entries.hasTimedFields(this.entry)) this.#setOwnDeadline(deadline);
    else if (had && has) this.moveDeadline(deadline);
    else if (had !== has) this.#rebuild(deadline, 0);
    this.keyspace.changes += 1;
  }

  /** Gives a string that has a deadline another one. @throws RegionFullError with nothing changed */
  moveDeadline(deadline: Int64): void {
    this.shard.refile(this.database.index, this.entry, lowWord(deadline), highWord(deadline));
  }

  /**
   * Makes sure that fields of the key's hash can be given deadlines.
   * @throws RegionFullError with nothing changed that a client could see
   */
  prepareFieldDeadlines(): void {
    const { entries } = this.shard;
    if (entries.hasTimedFields(this.entry)) return;
    const { changes } = this.keyspace;
    this.#rebuild(entries.deadline(this.entry), FIELDS_TIMED);
    this.keyspace.changes = changes;
  }

  /**
   * Tells when the fields of the key's hash have to be looked at next.
   * @param due milliseconds since 1970, or infinity
   * @param isAll whether no field is due earlier; otherwise only what was known so far may become earlier by this
   */
  setFieldsDue(due: number, isAll: boolean): void {
    const { entries, wheel } = this.shard;
    const { entry } = this;
    const present = wheel.due(entries.node(entry));
    const deadline = entries.deadline(entry);
    if (!isAll && present !== NO_DEADLINE && present <= due) return;
    let next: Int64 = due < Number.POSITIVE_INFINITY ? due : NO_DEADLINE;
    if (deadline !== NO_DEADLINE && (next === NO_DEADLINE || deadline < next)) next = deadline;
    this.shard.refile(this.database.index, entry, lowWord(next), highWord(next));
  }

  /** Removes the key. Whatever expires or is evicted passes here, when somebody looks it up and when nobody does. */
  remove(cause: Cause = BY_REPLACEMENT): void {
    const entry = this.unlink();
    this.keyspace.changes += 1;
    if (cause === BY_EXPIRY || cause === BY_EVICTION) {
      const isLazy = this.keyspace.releaser.isLazy[cause]!;
      this.keyspace.removals?.keyRemoved(this.database.index, this.bytes, this.start, this.length, isLazy);
    }
    if (cause === BY_EXPIRY) {
      this.keyspace.expiredKeys += 1;
      this.notify(keyspaceEvents.expired, "expired");
    } else if (cause === BY_EVICTION) {
      this.keyspace.evictedKeys += 1;
      this.notify(keyspaceEvents.evicted, "evicted");
    }
    this.shard.release(entry, cause);
  }

  /**
   * A new, unlinked entry for this key, its key written, its value still to be.
   * @throws RegionFullError with nothing changed
   */
  buildEntry(type: number, encoding: number, inlineLength: number, deadline: Int64): Ref {
    return this.#build(type, encoding, inlineLength, deadline, 0);
  }

  /** @param fieldsTimed FIELDS_TIMED, or 0 */
  #build(type: number, encoding: number, inlineLength: number, deadline: Int64, fieldsTimed: number): Ref {
    const { entries, heap } = this.shard;
    const times = deadline === NO_DEADLINE && fieldsTimed === 0 ? 0 : TIMED | fieldsTimed;
    const size = Entries.sizeFor(encoding, type, this.length, times, inlineLength);
    const entry = heap.allocate(size);
    entries.format(entry, type, encoding, this.#stamp(), this.length, times, deadline);
    if (this.keyspace.stagedFor !== this) this.#stage();
    entries.writeKey(entry, this.keyspace.staged.words, this.length);
    return entry;
  }

  /** Takes the entry out of the table. @returns the entry, which is the caller's now */
  unlink(): Ref {
    const { shard, entry } = this;
    if (shard.entries.isTimed(entry)) this.#forgetTimes(entry);
    shard.dictionaries[this.database.index]!.remove(this.#slot());
    this.entry = NONE;
    return entry;
  }

  /** Puts an entry built by `buildEntry` in the place of the present one, which is freed, or of none. */
  link(entry: Ref): void {
    const { shard, database } = this;
    const dictionary = shard.dictionaries[database.index]!;
    const old = this.entry;
    const isTimed = shard.entries.isTimed(entry);
    try {
      if (isTimed) shard.openWheel(database.index, entry);
      if (old === NONE) dictionary.insert(this.hash, entry);
    } catch (error) {
      shard.entries.free(entry);
      if (isTimed) shard.dropEmptyWheel(database.index);
      throw error;
    }
    if (isTimed) shard.file(database.index, entry);
    if (old !== NONE) {
      if (shard.entries.isTimed(old)) this.#forgetTimes(old);
      dictionary.replace(this.#slot(), entry);
      shard.release(old, BY_REPLACEMENT);
    }
    this.entry = entry;
    if (old === NONE) this.notify(keyspaceEvents.newKey, "new");
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
        return !shard.entries.isTimed(entry) || !this.#expire();
      }
      slot = dictionary.seekNext(slot, hash);
    }
    this.entry = NONE;
    return false;
  }

  /** What a new entry is stamped with: the count of accesses belongs to the key, and outlives the entry. */
  #stamp(): number {
    const { access, touches } = this.keyspace;
    if (access.stamp >= 0 && touches) return access.stamp;
    return this.entry === NONE ? access.initial : this.shard.entries.accessClock(this.entry);
  }

  /** Stages the key again, after another one has been. */
  #stage(): void {
    this.keyspace.staged.stage(this.bytes, this.start, this.length);
    this.keyspace.stagedFor = this;
  }

  /** The entry again, with other times than it had; its value moves along. */
  #rebuild(deadline: Int64, fieldsTimed: number): void {
    const { entries } = this.shard;
    const old = this.entry;
    const inlineLength = entries.inlineLength(old);
    const entry = this.#build(entries.type(old), entries.encoding(old), inlineLength, deadline, fieldsTimed);
    try {
      if (entries.isTimed(entry)) this.shard.openWheel(this.database.index, entry);
    } catch (error) {
      this.shard.heap.free(entry);
      throw error;
    }
    entries.takeValue(entry, old);
    this.link(entry);
  }

  /** Gives a hash whose fields may have deadlines another one itself. */
  #setOwnDeadline(deadline: Int64): void {
    const { shard, entry, database } = this;
    const { entries, wheel } = shard;
    const had = entries.hasDeadline(entry);
    const due = wheel.due(entries.node(entry));
    if (deadline !== NO_DEADLINE && (due === NO_DEADLINE || deadline < due)) this.moveDeadline(deadline);
    entries.setOwnDeadline(entry, deadline);
    if (had !== (deadline !== NO_DEADLINE)) shard.countVolatile(database.index, entry, had ? -1 : 1);
  }

  /** Before a timed entry leaves the database. */
  #forgetTimes(entry: Ref): void {
    const { shard } = this;
    if (shard.entries.hasDeadline(entry)) shard.countVolatile(this.database.index, entry, -1);
    shard.unfile(this.database.index, entry);
  }

  #slot(): number {
    return this.shard.dictionaries[this.database.index]!.slotOf(this.hash, this.entry);
  }

  /** Removes the key if its deadline has passed. */
  #expire(): boolean {
    const { deadline } = this;
    if (deadline > this.keyspace.expiryClock.now() || deadline === NO_DEADLINE) return false;
    this.remove(BY_EXPIRY);
    return true;
  }
}
