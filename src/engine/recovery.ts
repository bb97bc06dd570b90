/**
 * Recovery: brings back what the files of a directory hold, before the store serves anybody.
 *
 *     appendonly yes   manifest ─▶ BASE ─▶ INCR ─▶ INCR …         an old log in one file becomes a BASE then
 *                      no manifest ─▶ the RDB, if there is one    Redis would start empty, and save that over it
 *     appendonly no    the RDB, if there is one
 *
 * All of it is streamed, on the owner's thread, in slices with a turn of the event loop after each, so that clients are
 * answered: with LOADING, unless they ask for what needs no data. What is torn at the end of a log is cut off, and
 * kept, before this returns, and so before anything can be appended behind it (log-reader.ts says what is torn, and
 * what is damage). Damage is an error: nothing is guessed, nothing skipped, and whoever opens the store must not serve
 * it then.
 *
 * While it runs nothing expires, and nobody is notified; what it did is told as data (OpenReport).
 * Owner thread only; used once.
 */
import { join } from "node:path";
import { DamagedFileError } from "../durability/damaged-file-error.ts";
import { type Files, type OpenFile, realFiles } from "../durability/files.ts";
import { LogReader, type TornTail } from "../durability/log-reader.ts";
import { cutOff, cutPadding } from "../durability/log-repair.ts";
import {
  adoptOldLog,
  findLogSet,
  findOldLog,
  type LogPlace,
  type LogSet,
  type LogSetFile,
} from "../durability/log-set.ts";
import { AofNames, type Manifest } from "../durability/manifest.ts";
import { RdbLoader } from "../durability/rdb-loader.ts";
import { LookAhead } from "../keyspace/look-ahead.ts";
import type { Engine } from "./engine.ts";
import { KeptLibraries } from "./kept-libraries.ts";
import { failureOf } from "./replay-failure.ts";
import { Replayer } from "./replayer.ts";

/** Milliseconds of work between two turns of the event loop. */
const SLICE_MS = 10;
/** Commands after which the time is looked at; a power of two. */
const COMMANDS_BETWEEN_LOOKS = 32;

/** What opening a store has brought back: plain data, for the program that opened it. */
export interface OpenReport {
  /** What the data came from. */
  readonly source: "none" | "rdb" | "aof";
  /** The files that were read, in order: path, and bytes of data that were read from it. */
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly kind: "rdb" | "aof" }[];
  /** Keys that there are now. */
  readonly keys: number;
  /** Keys that were read from an RDB, be it a snapshot or a log's base; the log may have removed some. */
  readonly rdbKeys: number;
  /** Keys of an RDB whose time had come, and that were left out. */
  readonly expiredKeys: number;
  /** Commands of the log that were executed. */
  readonly commands: number;
  /** Incomplete ends of logs: cut off, and kept in another file each. */
  readonly cutOff: readonly {
    readonly file: string;
    readonly offset: number;
    readonly bytes: number;
    readonly keptAs: string;
    /** What was incomplete. */
    readonly what: string;
  }[];
  readonly durationMs: number;
}

/** Of a store without a directory. */
export const NOTHING_READ: OpenReport = {
  source: "none",
  files: [],
  keys: 0,
  rdbKeys: 0,
  expiredKeys: 0,
  commands: 0,
  cutOff: [],
  durationMs: 0,
};

/** How far loading has come. */
export interface LoadProgress {
  readonly loadedBytes: number;
  readonly totalBytes: number;
  readonly keys: number;
  readonly commands: number;
}

/** What the log goes on from. */
export interface RecoveredLog {
  /** The set that was loaded; undefined if there is none in the directory yet. */
  readonly manifest: Manifest | undefined;
  /** The last INCR, to which is appended; undefined if there is none. */
  readonly incr: { readonly path: string; readonly bytes: number; readonly nextSequence: number } | undefined;
  /** Bytes of the base, and of all INCRs: what auto-aof-rewrite-percentage goes by. */
  readonly baseBytes: number;
  readonly incrBytes: number;
}

export interface Recovered {
  readonly report: OpenReport;
  /** Undefined where appendonly is off. */
  readonly log: RecoveredLog | undefined;
  /** Auxiliary fields of the RDB that was read. */
  readonly aux: ReadonlyMap<string, string>;
  /** Sources of the libraries of functions that were read: kept for the next snapshot. */
  readonly functions: readonly Uint8Array[];
}

export interface RecoveryOptions {
  readonly files?: Files;
  /** Told after every slice, so about a hundred times a second. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Ends the loading early, as close() does: `run` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

type Cut = OpenReport["cutOff"][number];

export class Recovery {
  readonly #engine: Engine;
  readonly #files: Files;
  readonly #options: RecoveryOptions;
  readonly #replayer: Replayer;
  readonly #lookAhead: LookAhead;
  readonly #now: number;
  /** Seconds since 1970. */
  readonly startedAt: number;
  totalBytes = 0;
  /** `used_memory` of whoever wrote the RDB, 0 if it does not say. */
  rdbUsedMemory = 0;
  /** Keys of RDBs: those that are there, and those that were left out. */
  rdbKeys = 0;
  expiredKeys = 0;
  /** Bytes of the files that are done, and of the one that is being read. */
  #doneBytes = 0;
  #fileBytes = 0;
  #aux: ReadonlyMap<string, string> = new Map();
  readonly #libraries = new KeptLibraries();
  readonly #read: OpenReport["files"][number][] = [];
  readonly #cuts: Cut[] = [];

  constructor(engine: Engine, options: RecoveryOptions = {}) {
    const { services } = engine;
    this.#engine = engine;
    this.#files = options.files ?? realFiles;
    this.#options = options;
    this.#replayer = new Replayer(services);
    this.#lookAhead = new LookAhead(services.keyspace);
    services.keyspace.clock.forget();
    this.#now = services.keyspace.clock.now();
    this.startedAt = Math.floor(this.#now / 1000);
  }

  get loadedBytes(): number {
    return this.#doneBytes + this.#fileBytes;
  }

  /** Commands of the log that have been executed. */
  get commands(): number {
    return this.#replayer.executed;
  }

  get keys(): number {
    const { databases } = this.#engine.services.keyspace;
    return databases.reduce((sum, database) => sum + database.count, 0);
  }

  /**
   * Loads what there is.
   * @throws DamagedFileError, UnloadableFileError, or the system's error: what is in the keyspace then must not be
   *   served
   */
  async run(): Promise<Recovered> {
    const begin = performance.now();
    const { keyspace } = this.#engine.services;
    const { changes } = keyspace;
    this.#engine.isLoading = true;
    keyspace.isLoading = true;
    try {
      const log = this.#isLogOn ? await this.#loadLog() : undefined;
      if (log?.manifest === undefined) await this.#loadSnapshot();
      this.#tell();
      return {
        report: {
          source: log?.manifest !== undefined ? "aof" : this.#read.length > 0 ? "rdb" : "none",
          files: this.#read,
          keys: this.keys,
          rdbKeys: this.rdbKeys,
          expiredKeys: this.expiredKeys,
          commands: this.commands,
          cutOff: this.#cuts,
          durationMs: performance.now() - begin,
        },
        log,
        aux: this.#aux,
        functions: this.#libraries.codes,
      };
    } finally {
      keyspace.changes = changes;
      keyspace.isLoading = false;
      this.#engine.isLoading = false;
    }
  }

  /** INFO's fields of a store that is loading, in Redis's order. */
  fields(): Readonly<Record<string, string | number>> {
    const { totalBytes, loadedBytes } = this;
    const elapsed = Math.max(0, Math.floor(this.#engine.services.keyspace.clock.now() / 1000) - this.startedAt);
    return {
      loading_start_time: this.startedAt,
      loading_total_bytes: totalBytes,
      loading_rdb_used_mem: this.rdbUsedMemory,
      loading_loaded_bytes: loadedBytes,
      loading_loaded_perc: ((loadedBytes / (totalBytes + 1)) * 100).toFixed(2),
      loading_eta_seconds: elapsed === 0 ? 1 : Math.floor((elapsed * (totalBytes - loadedBytes)) / (loadedBytes + 1)),
    };
  }

  get #isLogOn(): boolean {
    return this.#engine.services.configuration.get("appendonly");
  }

  get #place(): LogPlace {
    const { configuration } = this.#engine.services;
    const filename = configuration.get("appendfilename");
    return {
      directory: configuration.get("dir"),
      subdirectory: configuration.get("appenddirname"),
      filename,
      names: new AofNames(filename),
    };
  }

  async #loadSnapshot(): Promise<void> {
    const { configuration } = this.#engine.services;
    const path = join(configuration.get("dir"), configuration.get("dbfilename"));
    const bytes = this.#files.size(path);
    if (bytes === undefined) return;
    this.totalBytes = bytes;
    await this.#loadRdb(path, false);
  }

  async #loadLog(): Promise<RecoveredLog> {
    const place = this.#place;
    const old = findOldLog(this.#files, place);
    let set = old ?? findLogSet(this.#files, place);
    if (set === undefined) return { manifest: undefined, incr: undefined, baseBytes: 0, incrBytes: 0 };
    this.totalBytes = set.files.reduce((sum, file) => sum + file.bytes, 0);
    let sequence = 0;
    for (const file of set.files) sequence = await this.#loadFile(file);
    // Not before: a start that is refused leaves everything as it was.
    if (old !== undefined) set = adoptOldLog(this.#files, place, old);
    this.#syncIncrements(set);
    return this.#recovered(set, sequence);
  }

  /**
   * What a killed process has written is there, but may not be on the disk. What is appended now counts on it: it says
   * that it is (log-lines.ts), and a reply to a client may tell of it.
   */
  #syncIncrements(set: LogSet): void {
    for (const { file, path } of set.files) {
      if (file.type !== "i") continue;
      const open = this.#files.open(path, "update");
      try {
        open.sync();
      } finally {
        open.close();
      }
    }
  }

  /** @param sequence of the last batch of the last file */
  #recovered(set: LogSet, sequence: number): RecoveredLog {
    const bytesOf = (path: string) => this.#files.size(path) ?? 0;
    const sum = (type: string) =>
      set.files.reduce((total, { file, path }) => total + (file.type === type ? bytesOf(path) : 0), 0);
    const last = set.files.at(-1);
    return {
      manifest: set.manifest,
      incr:
        last?.file.type === "i"
          ? { path: last.path, bytes: bytesOf(last.path), nextSequence: sequence + 1 }
          : undefined,
      baseBytes: sum("b"),
      incrBytes: sum("i"),
    };
  }

  /** @returns the sequence of the file's last batch, 0 if it has none */
  async #loadFile(file: LogSetFile): Promise<number> {
    const start = file.isRdb ? await this.#loadRdb(file.path, true) : 0;
    if (start < file.bytes || !file.isRdb) return await this.#replay(file, start);
    return 0;
  }

  /** @returns the offset of what stands behind the RDB in the same file */
  async #loadRdb(path: string, isPreamble: boolean): Promise<number> {
    const { keyspace, configuration } = this.#engine.services;
    const loader = new RdbLoader(this.#files, path, keyspace, {
      isPreamble,
      checksum: configuration.get("rdbchecksum"),
      now: this.#now,
      onFunction: (code) => this.#libraries.add(code),
    });
    try {
      await this.#inSlices(() => {
        const isMore = loader.step(SLICE_MS);
        this.#fileBytes = loader.bytesRead;
        this.rdbUsedMemory = Number(loader.aux.get("used-mem") ?? 0);
        return isMore;
      });
      this.#aux = loader.aux;
      this.rdbKeys += loader.keysLoaded;
      this.expiredKeys += loader.keysExpired;
      this.#finishFile(path, "rdb", 0, loader.end);
      return loader.end;
    } finally {
      loader.close();
    }
  }

  /** @returns the sequence of the last batch */
  async #replay(found: LogSetFile, start: number): Promise<number> {
    const file = this.#files.open(found.path, "read");
    try {
      const reader = new LogReader(file, { start, advice: this.#adviceFor(found) });
      this.#replayer.beginFile();
      await this.#inSlices(() => {
        const isMore = this.#replaySlice(reader, file);
        this.#fileBytes = reader.bytesRead - start;
        return isMore;
      });
      this.#replayer.finish();
      const { torn, padding } = reader;
      if (torn !== undefined) this.#repair(found, torn);
      else if (padding !== undefined) cutPadding(this.#files, found.path, padding);
      this.#finishFile(found.path, "aof", start, torn?.offset ?? found.bytes);
      return reader.sequence;
    } finally {
      file.close();
    }
  }

  /** @returns whether there is more in the file */
  #replaySlice(reader: LogReader, file: OpenFile): boolean {
    const replayer = this.#replayer;
    const until = performance.now() + SLICE_MS;
    for (let count = 1; reader.next(); count += 1) {
      reader.warm(this.#lookAhead, replayer.database);
      const { args } = reader;
      const isLibrary = !replayer.isInUnit && this.#libraries.takes(args);
      if (!isLibrary) replayer.execute(args, reader.offset);
      if (replayer.failed !== undefined) throw failureOf(file.path, replayer.failed);
      if (count % COMMANDS_BETWEEN_LOOKS === 0 && performance.now() >= until) return true;
    }
    return false;
  }

  #repair({ path, isLast }: LogSetFile, { offset, bytes, what }: TornTail): void {
    if (!isLast) {
      const advice = "It is not the last file of the log, and what follows it in the others builds on what is missing.";
      throw new DamagedFileError(path, offset, `it ends with ${what}`, `${advice} Restore it from a copy.`);
    }
    if (!this.#engine.services.configuration.get("aof-load-truncated")) {
      const advice = `With "aof-load-truncated yes", or by "stillwater check-aof --fix ${path}", it is cut off there.`;
      throw new DamagedFileError(path, offset, `it ends with ${what}`, advice);
    }
    this.#cuts.push({ file: path, offset, bytes, keptAs: cutOff(this.#files, path, offset, this.#now), what });
  }

  #adviceFor({ path, isLast }: LogSetFile): string {
    return isLast
      ? `Restore it from a copy; or let "stillwater check-aof --fix ${path}" cut it off there, and keep what it cuts.`
      : "It is not the last file of the log, and what follows it in the others builds on it: restore it from a copy.";
  }

  #finishFile(path: string, kind: "rdb" | "aof", start: number, end: number): void {
    this.#read.push({ name: path, bytes: end - start, kind });
    this.#doneBytes += end - start;
    this.#fileBytes = 0;
  }

  /** Does `slice` until it says that there is no more to do, once in every turn of the event loop. */
  async #inSlices(slice: () => boolean): Promise<void> {
    while (slice()) {
      this.#tell();
      await new Promise((resolve) => setImmediate(resolve));
      this.#options.signal?.throwIfAborted();
    }
  }

  #tell(): void {
    const { loadedBytes, totalBytes, keys, commands } = this;
    this.#options.onProgress?.({ loadedBytes, totalBytes, keys, commands });
  }
}
