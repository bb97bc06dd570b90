/**
 * RdbLoader: brings the keys of an RDB file into a keyspace, some milliseconds at a time.
 *
 * Why in steps: a file of gigabytes takes seconds, and in between clients want to be told that it is being loaded. A
 * step ends between keys, so one huge value makes a long one.
 *
 * What Redis does as well: keys whose time was over are left out, but not those of a preamble, because the log behind
 * it was written while they were there, and ends with their removal; a key that comes twice is an error; collections
 * without elements, which some versions have saved, are left out. Nothing that is loaded counts as a change, and nobody
 * is notified of it. A deadline before 1970 becomes 1970: nothing earlier can be filed, and both are over.
 *
 * Invariants: a value is complete before its key exists; after an error, every key that is there is whole, and what had
 * been put together of the next one has been given back. Owner thread only.
 */
import { quoted } from "../config/quoting.ts";
import { NO_DEADLINE } from "../keyspace/entry.ts";
import { Key } from "../keyspace/key.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { RegionFullError } from "../memory/heap.ts";
import { DamagedValueError, EmptyValueError, ForeignValueError } from "../rdb/format.ts";
import { ValueReader } from "../rdb/value.ts";
import { DamagedFileError } from "./damaged-file-error.ts";
import type { Files } from "./files.ts";
import { A_VALUE, RdbRecords } from "./rdb-records.ts";
import { UnloadableFileError } from "./unloadable-file-error.ts";

/** The clock is looked at after so many bytes. */
const BYTES_BETWEEN_LOOKS = 16 * 1024;
/** Bytes of a key in the text of an error. */
const SHOWN_MAX = 100;

export interface RdbLoaderOptions {
  /** Offset of the file's header; 0 by default. */
  readonly start?: number;
  /** The file begins a log: nothing in it has expired before the log says so. */
  readonly isPreamble?: boolean;
  /** Whether a sum that there is must be right: `rdbchecksum`. */
  readonly checksum: boolean;
  /** Milliseconds since 1970: what was over before is left out. */
  readonly now: number;
  /** A key that is there already is replaced, where otherwise it is an error: DEBUG RELOAD NOFLUSH MERGE. */
  readonly merges?: boolean;
  /** Bytes of the window through which the file is read: for tests. */
  readonly window?: number;
  /** Told of each library of functions: its source, which is the listener's. */
  onFunction?(code: Buffer): void;
}

export class RdbLoader {
  readonly #path: string;
  readonly #keyspace: Keyspace;
  readonly #options: RdbLoaderOptions;
  readonly #records: RdbRecords;
  readonly #values = new ValueReader();
  readonly #key: Key;
  readonly #usedBefore: number;
  keysLoaded = 0;
  /** Keys that were left out because their time was over. */
  keysExpired = 0;
  /** Collections that were left out because they have no elements. */
  keysEmpty = 0;
  /** Offset of what follows the file's end mark and sum: of the log, if it is a preamble. Known after the last step. */
  end = 0;

  /** @throws the system's error if the file cannot be opened */
  constructor(files: Files, path: string, keyspace: Keyspace, options: RdbLoaderOptions) {
    this.#path = path;
    this.#keyspace = keyspace;
    this.#options = options;
    this.#key = new Key(keyspace.databases[0]!);
    this.#usedBefore = keyspace.chargedBytes;
    this.#records = new RdbRecords(files, path, options, {
      onDatabase: (index) => this.#checkDatabase(index),
      onFunction: (code) => options.onFunction?.(code),
    });
  }

  /** Offset of what comes next. */
  get bytesRead(): number {
    return this.#records.reader.offset;
  }

  /** Bytes of the whole file. */
  get bytesTotal(): number {
    return this.#records.reader.fileSize;
  }

  /** What the file's writer tells of itself, such as `redis-ver`; complete after the last step. */
  get aux(): ReadonlyMap<string, string> {
    return this.#records.aux;
  }

  /**
   * Loads keys for about so many milliseconds, one at least.
   * @returns whether there is more to do
   * @throws DamagedFileError, UnloadableFileError, the system's error; the loader is then good for nothing but `close`
   */
  step(budgetMs: number): boolean {
    const { changes, eventTypes, isLoading } = this.#keyspace;
    this.#keyspace.eventTypes = 0;
    this.#keyspace.isLoading = true;
    try {
      return this.#load(performance.now() + budgetMs);
    } catch (error) {
      throw this.#explained(error);
    } finally {
      this.#keyspace.changes = changes;
      this.#keyspace.eventTypes = eventTypes;
      this.#keyspace.isLoading = isLoading;
    }
  }

  /** Closes the file. Idempotent. */
  close(): void {
    this.#records.close();
  }

  #load(until: number): boolean {
    const records = this.#records;
    let look = records.reader.offset + BYTES_BETWEEN_LOOKS;
    while (records.next()) {
      this.#loadKey();
      const { offset } = records.reader;
      if (offset < look) continue;
      if (performance.now() >= until) return true;
      look = offset + BYTES_BETWEEN_LOOKS;
    }
    this.end = records.reader.offset;
    return false;
  }

  #loadKey(): void {
    const records = this.#records;
    const { deadline } = records;
    const key = this.#key;
    this.#find();
    try {
      this.#values.readAs(records.type, records.reader, key);
    } catch (error) {
      if (!(error instanceof EmptyValueError)) throw error;
      this.keysEmpty += 1;
      return;
    }
    if (deadline !== NO_DEADLINE && deadline < this.#options.now && this.#options.isPreamble !== true) {
      this.#values.discard(key);
      this.keysExpired += 1;
      return;
    }
    this.#values.place(key, deadline === NO_DEADLINE || deadline >= 0 ? deadline : 0);
    this.#setAccess();
    this.keysLoaded += 1;
  }

  /**
   * Points at the present key, whose bytes are where nothing else of the file comes to stand: reading a value stages
   * members, and no keys.
   */
  #find(): void {
    const { key: name, database } = this.#records;
    const { staged, databases } = this.#keyspace;
    staged.stage(name.bytes, name.start, name.length);
    if (!this.#key.locateStaged(databases[database]!) || this.#options.merges === true) return;
    throw new DamagedValueError("RDB has duplicated key");
  }

  /** Makes the key one that was last accessed so long ago, or that often: whichever is kept at present. */
  #setAccess(): void {
    const { idle, frequency } = this.#records;
    if (idle < 0 && frequency < 0) return;
    const { access } = this.#keyspace;
    const { shard, entry } = this.#key;
    if (access.countsAccesses) {
      if (frequency >= 0) shard.entries.setAccessClock(entry, access.ofCount(frequency));
    } else if (idle >= 0) {
      shard.entries.setAccessClock(entry, access.ofIdle(idle));
    }
  }

  #checkDatabase(index: number): void {
    const { length } = this.#keyspace.databases;
    if (index < length) return;
    throw new UnloadableFileError(
      this.#path,
      this.#records.start,
      `it has keys in database ${index}, and there are ${length} databases`,
      `Start with --databases ${index + 1}, at least.`,
    );
  }

  #explained(error: unknown): unknown {
    if (error instanceof RegionFullError) return this.#tooLarge();
    if (!(error instanceof DamagedValueError)) return error;
    const { reader } = this.#records;
    const reason = `${this.#doing()}: ${error.message}`;
    if (error instanceof ForeignValueError) {
      return new UnloadableFileError(this.#path, reader.offset, reason, "Only what exists here can be loaded.");
    }
    const advice = `\`stillwater check-rdb ${quotedPath(this.#path)}\` shows what can be read; restore a backup.`;
    return new DamagedFileError(this.#path, reader.offset, reason, advice);
  }

  /** What was being read. */
  #doing(): string {
    const { doing, start, database } = this.#records;
    if (doing !== A_VALUE) return `${doing}, from byte ${start} on`;
    const { bytes, length } = this.#keyspace.staged;
    const name = quoted(bytes.latin1Slice(0, Math.min(length, SHOWN_MAX)));
    return `the value of key ${name} in database ${database}, from byte ${start} on`;
  }

  /** All data, by the part of the file that there was room for. */
  #tooLarge(): UnloadableFileError {
    const used = this.#keyspace.chargedBytes - this.#usedBefore;
    const megabytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
    const needed = (used / Math.max(1, this.bytesRead)) * this.bytesTotal;
    return new UnloadableFileError(
      this.#path,
      this.bytesRead,
      `memory is full: ${megabytes(used)} MiB hold ${this.keysLoaded} keys, and all of them need about ` +
        `${megabytes(needed)} MiB`,
      `Start with --maxmemory ${megabytes(needed * ROOM_TO_SPARE)}mb, or more.`,
    );
  }
}

/** What keys need is an estimate, and they do not spread evenly. */
const ROOM_TO_SPARE = 1.2;

function quotedPath(path: string): string {
  return /^[\w./:@%+=,-]+$/.test(path) ? path : quoted(path);
}
