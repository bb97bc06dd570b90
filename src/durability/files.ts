/**
 * Files: all that durability asks of a file system, as an interface, so that tests can put a disk below it that fails,
 * forgets and tears (testing/faulty-files.ts).
 *
 * Why so small: what is not offered cannot be used by mistake. There is no call that writes "all" and hides a short
 * count, none that opens and forgets, and none that is asynchronous: whoever must not wait for the disk has a thread
 * for it (background/), and on that thread a call that blocks is the simplest there is.
 *
 * Invariants: every call either has done what it says or throws an error of the system with `syscall`, `code` and
 * `path`; nothing is retried, because after a failed fsync a second one that succeeds proves nothing.
 *
 * Threads: an open file belongs to the thread that opened it. `realFiles` itself may be used by any.
 */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { makeDirectory } from "../base/make-directory.ts";

/**
 * How a file is opened:
 *
 *     read     to be read; it must exist
 *     append   to be written at its end, wherever that is; made if it is missing
 *     create   to be written from its start, and read; made, or emptied if there is one
 *     update   to be read, written from its start or anywhere, and truncated; it must exist
 */
export type OpenMode = "read" | "append" | "create" | "update";

/** A file system. Everything is synchronous, and throws NodeJS.ErrnoException with syscall, code and path. */
export interface Files {
  open(path: string, mode: OpenMode): OpenFile;
  /** Replaces what is called `to`, if anything is. It is durable after `syncDirectory`. */
  rename(from: string, to: string): void;
  /** @throws ENOENT if there is no such file */
  remove(path: string): void;
  /** The names in a directory, in no order; none if there is no such directory. */
  list(directory: string): string[];
  /** Bytes; undefined if there is no such file. */
  size(path: string): number | undefined;
  /** And those above it; one that exists is as good. */
  makeDirectory(path: string): void;
  /** Makes the names in a directory durable, where the platform lets one ask for that. */
  syncDirectory(path: string): void;
}

/** An open file. */
export interface OpenFile {
  readonly path: string;
  /** Writes some of `bytes`, behind what was written last. @returns how many, which may be less than asked */
  write(bytes: Buffer, start: number, length: number): number;
  /** Writes some of `bytes` at `position`; not for files that are appended to. @returns as `write` */
  writeAt(bytes: Buffer, start: number, length: number, position: number): number;
  /** @returns how many bytes were read, which may be less than asked; 0 at the end */
  read(into: Buffer, start: number, length: number, position: number): number;
  /** Returns when the content is durable (fdatasync). After an error nothing more may be expected of the file. */
  sync(): void;
  truncate(length: number): void;
  /** Bytes. */
  size(): number;
  close(): void;
}

const FLAGS: Readonly<Record<OpenMode, string>> = { read: "r", append: "a", create: "w+", update: "r+" };
/** As Redis makes its files: others may read them, and what may be read at all is up to the umask. */
const MODE = 0o644;

/** What a system answers that cannot open a directory, or cannot fsync one: there is nothing to be asked for there. */
const NO_DIRECTORY_SYNC: ReadonlySet<string | undefined> = new Set(["EISDIR", "EBADF", "EINVAL"]);

/** The file system of this machine. */
export const realFiles: Files = {
  open: (path, mode) => new RealFile(path, openSync(path, FLAGS[mode], MODE)),
  rename: renameSync,
  remove: unlinkSync,
  list(directory) {
    return unlessMissing(() => readdirSync(directory)) ?? [];
  },
  size(path) {
    return unlessMissing(() => statSync(path).size);
  },
  makeDirectory,
  syncDirectory(path) {
    // Windows opens no directories; NTFS keeps the order of names by its own journal.
    if (process.platform === "win32") return;
    let directory: number | undefined;
    try {
      directory = openSync(path, "r");
      fsyncSync(directory);
    } catch (error) {
      if (!NO_DIRECTORY_SYNC.has((error as NodeJS.ErrnoException).code)) throw named(error, path);
    } finally {
      if (directory !== undefined) closeSync(directory);
    }
  },
};

/**
 * Writes all of it, in as many calls as it takes.
 * @throws the system's error, or ENOSPC where nothing more is taken; part of it may have been written then
 */
export function writeAll(file: OpenFile, bytes: Buffer, start: number, length: number): void {
  const end = start + length;
  for (let at = start; at < end; ) {
    const count = file.write(bytes, at, end - at);
    if (count === 0) throw noSpace(file.path);
    at += count;
  }
}

/** As `writeAll`, at `position`. */
export function writeAllAt(file: OpenFile, bytes: Buffer, start: number, length: number, position: number): void {
  for (let done = 0; done < length; ) {
    const count = file.writeAt(bytes, start + done, length - done, position + done);
    if (count === 0) throw noSpace(file.path);
    done += count;
  }
}

class RealFile implements OpenFile {
  readonly path: string;
  readonly #descriptor: number;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  write(bytes: Buffer, start: number, length: number): number {
    try {
      return writeSync(this.#descriptor, bytes, start, length);
    } catch (error) {
      throw named(error, this.path);
    }
  }

  writeAt(bytes: Buffer, start: number, length: number, position: number): number {
    try {
      return writeSync(this.#descriptor, bytes, start, length, position);
    } catch (error) {
      throw named(error, this.path);
    }
  }

  read(into: Buffer, start: number, length: number, position: number): number {
    try {
      return readSync(this.#descriptor, into, start, length, position);
    } catch (error) {
      throw named(error, this.path);
    }
  }

  sync(): void {
    try {
      fdatasyncSync(this.#descriptor);
    } catch (error) {
      throw named(error, this.path);
    }
  }

  truncate(length: number): void {
    try {
      ftruncateSync(this.#descriptor, length);
    } catch (error) {
      throw named(error, this.path);
    }
  }

  size(): number {
    try {
      return fstatSync(this.#descriptor).size;
    } catch (error) {
      throw named(error, this.path);
    }
  }

  close(): void {
    try {
      closeSync(this.#descriptor);
    } catch (error) {
      throw named(error, this.path);
    }
  }
}

/** The same error with the path that a call on a descriptor does not know. */
function named(error: unknown, path: string): unknown {
  const found = error as NodeJS.ErrnoException;
  if (found.code !== undefined && found.path === undefined) {
    found.path = path;
    found.message += ` '${path}'`;
  }
  return error;
}

function unlessMissing<Found>(look: () => Found): Found | undefined {
  try {
    return look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function noSpace(path: string): NodeJS.ErrnoException {
  const error = new Error(`ENOSPC: no space left on device, write '${path}'`);
  return Object.assign(error, { errno: -28, code: "ENOSPC", syscall: "write", path });
}
