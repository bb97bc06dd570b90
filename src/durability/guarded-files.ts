/**
 * GuardedFiles: the file system as a store may use it that has locked its directory: whoever has lost the lock changes
 * nothing there any more.
 *
 *     open to be written, rename, remove, truncate    look at the lock, then do it
 *     write                                           the same, if nobody has looked for LOOK_MS
 *     read, sync, list, size                          do it
 *
 * Why at each step, where the lock's holder looks at it every few seconds anyway: a process that was stopped for long
 * (by a signal, or with its whole machine) goes on at the very instruction at which it stopped, on each of its threads,
 * before any of its timers. Another store may have the directory since. What is done first then is often the append of
 * a command, or the rename of a snapshot that was just complete.
 *
 * What that cannot do: between the look and the step is a moment. No file system has "write if that file is still
 * there", and a process that is stopped just then for as long as LEASE_MS (lock-holder.ts) does its one step.
 *
 * Invariant: once it has been seen that the lock is lost, nothing is changed through here.
 *
 * Threads: any, each with files of its own; a LockMark is plain data, and can be posted.
 */
import { statSync, unlink } from "node:fs";
import type { Files, OpenFile, OpenMode } from "./files.ts";
import type { Remove } from "./retired-files.ts";

/** How long a look at the lock is good for appends: much shorter than anybody waits who wants the lock. */
const LOOK_MS = 1_000;

/** By what a lock is known as one's own: the file, and where it is as long as the lock is held. */
export interface LockMark {
  readonly path: string;
  readonly inode: bigint;
}

/** The directory's lock is lost: another store may write there. */
export class DirectoryLostError extends Error {
  override readonly name = "DirectoryLostError";
  readonly code = "DIRECTORY_LOST";
}

/** Whether the lock is still where it was put; taken for granted where that cannot be seen. */
export function isInPlace({ path, inode }: LockMark): boolean {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino === inode;
  } catch {
    // What is wrong there (EIO, EACCES) is wrong with the store's files as well, and is told by whoever wants them.
    return true;
  }
}

/** @param mark undefined where no lock was taken @throws DirectoryLostError */
export function assertInPlace(mark: LockMark | undefined): void {
  if (mark === undefined || isInPlace(mark)) return;
  throw new DirectoryLostError(`${mark.path} has been removed or replaced: another store may have the directory`);
}

/** @param assertHeld throws if the lock is lost */
export function guardedFiles(files: Files, assertHeld: () => void): Files {
  return {
    open(path: string, mode: OpenMode): OpenFile {
      if (mode === "read") return files.open(path, mode);
      assertHeld();
      return new GuardedFile(files.open(path, mode), assertHeld);
    },
    rename(from: string, to: string): void {
      assertHeld();
      files.rename(from, to);
    },
    remove(path: string): void {
      assertHeld();
      files.remove(path);
    },
    list: (directory: string) => files.list(directory),
    size: (path: string) => files.size(path),
    makeDirectory: (path: string) => files.makeDirectory(path),
    syncDirectory: (path: string) => files.syncDirectory(path),
  };
}

/** Deletes a file in Node's pool, unless the lock is lost. */
export function guardedRemove(assertHeld: () => void, remove: Remove = unlink): Remove {
  return (path, done) => {
    try {
      assertHeld();
    } catch (error) {
      done(error as Error);
      return;
    }
    remove(path, done);
  };
}

class GuardedFile implements OpenFile {
  readonly path: string;
  readonly #file: OpenFile;
  readonly #assertHeld: () => void;
  #lookedAt = performance.now();

  constructor(file: OpenFile, assertHeld: () => void) {
    this.path = file.path;
    this.#file = file;
    this.#assertHeld = assertHeld;
  }

  write(bytes: Buffer, start: number, length: number): number {
    this.#lookAgain();
    return this.#file.write(bytes, start, length);
  }

  writeAt(bytes: Buffer, start: number, length: number, position: number): number {
    this.#lookAgain();
    return this.#file.writeAt(bytes, start, length, position);
  }

  read(into: Buffer, start: number, length: number, position: number): number {
    return this.#file.read(into, start, length, position);
  }

  sync(): void {
    this.#file.sync();
  }

  truncate(length: number): void {
    this.#assertHeld();
    this.#file.truncate(length);
  }

  size(): number {
    return this.#file.size();
  }

  close(): void {
    this.#file.close();
  }

  #lookAgain(): void {
    const now = performance.now();
    if (now - this.#lookedAt <= LOOK_MS) return;
    this.#assertHeld();
    this.#lookedAt = now;
  }
}
