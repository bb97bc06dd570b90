/**
 * RetiredFiles: deletes the files of a store that are no longer needed: what a rewrite has replaced, and what a crash
 * has left over.
 *
 *     on disk                                  in force           retired
 *     <appendfilename>.N.base.rdb, .base.aof   in the manifest    not in it, or as history
 *     <appendfilename>.N.incr.aof              in the manifest    not in it, and not after the last that is, with bytes
 *     any name that the manifest has as history                   always
 *     temp-<process>.<name of ours>            process runs       process is gone; at the start, also our own
 *     retired.<name of ours>                                      always
 *
 * Decided anew each time from what is on disk, the manifest included, and never from what the program remembers: so a
 * crash needs nothing of its own, and what is in force cannot be deleted by a list that is out of date. Without a
 * manifest no log file is touched, nor with one that cannot be read: somebody may want to write it anew by hand. An
 * increment behind the last one, with something in it, was not made by a store that works; it may be all that is left.
 *
 * What is to go is first renamed to `retired.<name>`, and that is deleted by Node's own pool: to give back 2 GiB takes
 * ext4 0.7 s, in which this thread's fsyncs go on (docs/fsync.md). The new name matters because the old one may be used
 * again before the pool gets there. To cut the file in steps would also spare the thread, but not those who have the
 * file open or have linked it elsewhere, as people do for a backup.
 *
 * Errors stop nothing: they are kept for INFO, and all is looked at again, after 1 s, 2 s, up to a minute. Names of
 * other stores and of Redis's temporaries are left alone. `.torn-` copies are for people, and stay.
 *
 * Threads: the log writer's; or one that is about to serve.
 */
import { unlink } from "node:fs";
import { join } from "node:path";
import { readTemporaryName } from "./durable-file.ts";
import type { Files } from "./files.ts";
import { processExists } from "./lock-holder.ts";
import { AofNames, type LogDirectory, type Manifest, readManifest } from "./manifest.ts";

/** Where a store has its files, and how they are called. */
export interface Places {
  readonly logDirectory: string;
  readonly names: AofNames;
  readonly dataDirectory: string;
  /** The directive `dbfilename`. */
  readonly rdbName: string;
}

/** Deletes a file, now or soon, and tells how it went. */
export type Remove = (path: string, done: (error: NodeJS.ErrnoException | null) => void) => void;

const PREFIX = "retired.";
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;

interface Grave {
  readonly directory: string;
  readonly path: string;
  readonly bytes: number;
}

export class RetiredFiles {
  /** Files that are to go and have not gone yet, and their bytes. */
  waiting = 0;
  waitingBytes = 0;
  /** Files that are gone, since this was made, and their bytes. */
  deleted = 0;
  deletedBytes = 0;
  /** What went wrong last; undefined once all is gone. */
  lastError: string | undefined;
  readonly #files: Files;
  readonly #places: Places;
  readonly #remove: Remove;
  #graves: Grave[] = [];
  #isRemoving = false;
  /** A sweep that came while files were being deleted, and follows. */
  #isSweepDue = false;
  #hasFailed = false;
  #retryMs = RETRY_MS_MIN;
  /** In ms, by the caller's clock; 0: not yet known. */
  #retryAt = 0;

  /** @param remove by default the file system's, in Node's pool: `done` comes in a later turn of the event loop */
  constructor(files: Files, places: Places, remove: Remove = unlink) {
    this.#files = files;
    this.#places = places;
    this.#remove = remove;
  }

  /**
   * Looks at the disk, and begins to delete what is retired. While an earlier sweep is still deleting, that is put off
   * until it is through.
   * @param isStart nothing is being written yet by this process, so that temporaries of its number are leftovers
   */
  sweep(isStart = false): void {
    this.#isSweepDue = this.#isRemoving;
    if (this.#isRemoving) return;
    this.#hasFailed = false;
    this.#retryAt = 0;
    this.#graves = [];
    this.waiting = 0;
    this.waitingBytes = 0;
    const { logDirectory, dataDirectory } = this.#places;
    this.#bury(logDirectory, () => this.#retiredOf(logDirectory, isStart));
    if (dataDirectory !== logDirectory) this.#bury(dataDirectory, () => this.#leftoversOf(dataDirectory, isStart));
    if (!this.#hasFailed) this.lastError = undefined;
    this.#removeNext();
  }

  /** Whether `retry` is to be called again: files are to go yet, or something has failed. */
  get isUnfinished(): boolean {
    return this.waiting > 0 || this.#hasFailed;
  }

  /** Sweeps again if something is left to do and its time has come. @param now in ms, by any clock that goes forward */
  retry(now: number): void {
    if (!this.#hasFailed || this.#isRemoving) return;
    if (this.#retryAt === 0) {
      this.#retryAt = now + this.#retryMs;
      this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX);
    } else if (now >= this.#retryAt) this.sweep();
  }

  /** Gives what is retired in a directory its new name; deletes nothing. */
  #bury(directory: string, find: () => string[]): void {
    try {
      for (const name of find()) this.#buryOne(directory, name);
    } catch (error) {
      this.#fail(error);
    }
  }

  #buryOne(directory: string, name: string): void {
    this.waiting += 1;
    try {
      const path = join(directory, name);
      const bytes = this.#files.size(path) ?? 0;
      const grave = name.startsWith(PREFIX) ? path : join(directory, PREFIX + name);
      if (grave !== path) this.#files.rename(path, grave);
      this.waitingBytes += bytes;
      this.#graves.push({ directory, path: grave, bytes });
    } catch (error) {
      this.#fail(error);
    }
  }

  #removeNext(): void {
    const grave = this.#graves.pop();
    if (grave === undefined) {
      // Not as at the start: by now temporaries of this process may be in use.
      if (this.#isSweepDue) this.sweep();
      else if (!this.#hasFailed) this.#retryMs = RETRY_MS_MIN;
      return;
    }
    this.#isRemoving = true;
    this.#remove(grave.path, (error) => {
      this.#isRemoving = false;
      if (error === null || error.code === "ENOENT") this.#removed(grave);
      else this.#fail(error);
      this.#removeNext();
    });
  }

  #removed({ directory, bytes }: Grave): void {
    this.waiting -= 1;
    this.waitingBytes -= bytes;
    this.deleted += 1;
    this.deletedBytes += bytes;
    if (this.#graves.some((other) => other.directory === directory)) return;
    try {
      this.#files.syncDirectory(directory);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.lastError = error instanceof Error ? error.message : `${error}`;
  }

  #retiredOf(directory: string, isStart: boolean): string[] {
    const leftovers = this.#leftoversOf(directory, isStart);
    const manifest = readManifest(this.#files, directory, this.#places.names);
    if (manifest === undefined) return leftovers;
    return [...leftovers, ...this.#files.list(directory).filter((name) => this.#isRetired(directory, name, manifest))];
  }

  #isRetired(directory: string, name: string, { base, incrs, history }: Manifest): boolean {
    const { names } = this.#places;
    if (name === names.manifest || name === base?.name || incrs.some((incr) => incr.name === name)) return false;
    if (history.some((old) => name === old.name || name === PREFIX + old.name)) return true;
    const file = names.read(name);
    if (file === undefined) return false;
    const isBehind = file.type === "i" && file.sequence > (incrs.at(-1)?.sequence ?? 0);
    return !isBehind || this.#files.size(join(directory, name)) === 0;
  }

  /** What needs no manifest to be told: temporaries whose maker is gone, and what was to be deleted before. */
  #leftoversOf(directory: string, isStart: boolean): string[] {
    return this.#files.list(directory).filter((name) => {
      if (name.startsWith(PREFIX)) return this.#isOurs(directory, name.slice(PREFIX.length));
      const temporary = readTemporaryName(name);
      if (temporary === undefined || !this.#isOurs(directory, name)) return false;
      return temporary.pid === process.pid ? isStart : !processExists(temporary.pid);
    });
  }

  /** Whether a file of that name is this store's: one of its names, or a temporary for one. */
  #isOurs(directory: string, name: string): boolean {
    const target = readTemporaryName(name)?.target ?? name;
    const { logDirectory, dataDirectory, names, rdbName } = this.#places;
    if (directory === logDirectory && (target === names.manifest || names.read(target) !== undefined)) return true;
    return directory === dataDirectory && target === rdbName;
  }
}

/**
 * Deletes what a store without a log finds at its start; one with a log has its thread for that.
 * @param notice told what could not be deleted; the next start tries again
 */
export function deleteLeftovers(
  files: Files,
  { path, filename, parent, rdbName }: LogDirectory,
  notice: ((line: string) => void) | undefined,
  remove: Remove = unlink,
): void {
  const places = { logDirectory: path, names: new AofNames(filename), dataDirectory: parent, rdbName };
  const tell = (reason: string): void => notice?.(`Leftovers could not be deleted: ${reason}`);
  const retired = new RetiredFiles(files, places, (file, done) =>
    remove(file, (error) => {
      if (error !== null && error.code !== "ENOENT") tell(error.message);
      done(error);
    }),
  );
  retired.sweep(true);
  if (retired.lastError !== undefined) tell(retired.lastError);
}
