/**
 * How a file is replaced so that at any instant, also after a power cut, its name stands for the whole old or the whole
 * new content:
 *
 *     1. write   <directory>/temp-<process id>.<name>, or temp-<process id>-<job>.<name>
 *     2. fsync   that file: its bytes are durable, under a name that means nothing
 *     3. rename  it to <name>: in one step, for all who look
 *     4. fsync   the directory: the step is durable
 *
 * Why the order: a rename without 2 may survive a power cut that the bytes do not; a reply "saved" without 4 may be
 * about a name that still stands for the old file afterwards.
 *
 * Invariants: if anything fails up to 3, the temporary is removed and the old file is untouched. If 4 fails, the new
 * file is in force for this process; whether it is after a power cut is unknown, and the caller is told by the error.
 * The temporary's name tells its maker and what it is for: so leftovers can be told, and deleted (retired-files.ts).
 *
 * Threads: whichever writes the file.
 */
import { basename, dirname, join } from "node:path";
import type { Files, OpenFile } from "./files.ts";

const TEMPORARY = /^temp-(\d{1,10})(?:-\d+)?\.(.+)$/s;

/**
 * Where a file is written before it gets its name `path`: beside it, so that a rename is one step.
 * @param job tells writers of one process apart that may write for the same name; 0 for those that never meet
 */
export function temporaryPathOf(path: string, job = 0, pid = process.pid): string {
  const writer = job === 0 ? `${pid}` : `${pid}-${job}`;
  return join(dirname(path), `temp-${writer}.${basename(path)}`);
}

/** Of a temporary's name: the process that makes it, and what it will be called. Undefined if it is no such name. */
export function readTemporaryName(name: string): { readonly pid: number; readonly target: string } | undefined {
  const parts = TEMPORARY.exec(name);
  return parts === null ? undefined : { pid: Number(parts[1]), target: parts[2]! };
}

/**
 * Replaces a file, or makes it.
 * @param write gets the temporary, writes all of it, and leaves it open
 * @throws what `write` throws, or the system's error
 */
export function replaceFile(files: Files, path: string, write: (file: OpenFile) => void): void {
  const temporary = temporaryPathOf(path);
  writeDurably(files, temporary, write);
  commitFile(files, temporary, path);
}

/**
 * Steps 1 and 2: a new file of that name is complete and durable when this returns, and gone if it throws.
 * @throws what `write` throws, or the system's error
 */
export function writeDurably(files: Files, path: string, write: (file: OpenFile) => void): void {
  const file = files.open(path, "create");
  let isOpen = true;
  try {
    write(file);
    file.sync();
    isOpen = false;
    file.close();
  } catch (error) {
    if (isOpen) quietly(() => file.close());
    quietly(() => files.remove(path));
    throw error;
  }
}

/**
 * Steps 3 and 4: gives a durable file the name it was written for.
 * @throws the system's error
 */
export function commitFile(files: Files, temporary: string, path: string): void {
  try {
    files.rename(temporary, path);
  } catch (error) {
    quietly(() => files.remove(temporary));
    throw error;
  }
  files.syncDirectory(dirname(path));
}

/** Cleans up behind an error that the caller is about to throw: that one is the cause, and must not be replaced. */
function quietly(clean: () => void): void {
  try {
    clean();
  } catch {
    // What is left over is found by name, and deleted at the next start (retired-files.ts).
  }
}
