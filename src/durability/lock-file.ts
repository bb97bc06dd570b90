/**
 * The file that is a directory's lock: made, read, and taken over when its holder is gone.
 *
 *     <directory>/stillwater.lock              the lock: who holds it, as one line of JSON (lock-holder.ts)
 *     <directory>/stillwater.lock.<token>      the right to replace the lock whose token that is; and claims, see below
 *
 * A lock is made whole under a name of its own, the claim, and then linked to its place: a link fails if there is
 * something, so one of two takers wins, and nobody ever reads half a lock. (File systems without hard links are refused
 * with the link's error.)
 *
 * Why a file and no lock of the system: Node has no flock. So a lock may be left behind by a process that was killed,
 * and has to be recognised as such: lock-holder.ts says how. To take it over must not race with others that do the
 * same: "look, remove, make" lets a slow one remove what a quick one has just made. Therefore whoever finds a stale
 * lock first takes, by a link again, the right to replace exactly this one, named after its token; looks once more
 * whether it is still in its place; and then renames its claim over it. A holder of that right that dies leaves a stale
 * lock itself, whose right is taken the same way.
 *
 * Invariants: a token is never used twice; while a process lives that has the right for a lock, nobody else replaces
 * that lock; a right for a lock that is no longer in place means nothing, and may be deleted.
 *
 * Threads: the owner; other processes do the same at the same time.
 */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type LockHolder, type LockState, parseHolder, stateOf } from "./lock-holder.ts";

export const LOCK_NAME = "stillwater.lock";

/** Puts the claim in the place of the stale lock with that token. @returns whether nobody else was at it */
export function replaceStale(path: string, token: string, claim: string, now: number): boolean {
  const rights: string[] = [];
  try {
    if (!takeRight(path, token, claim, now, rights) || readLock(path, now)?.token !== token) return false;
    renameSync(claim, path);
    return true;
  } finally {
    for (const right of rights) removeIfThere(right);
  }
}

/**
 * Takes the right to replace the lock with that token, from a dead process if need be.
 * @param rights what was taken, for the caller to remove when it has used it
 * @returns whether it was taken; otherwise somebody is at it
 */
function takeRight(path: string, token: string, claim: string, now: number, rights: string[]): boolean {
  const right = `${path}.${token}`;
  if (!linked(claim, right)) {
    const other = readLock(right, now);
    if (other?.state !== "stale" || !takeRight(path, other.token, claim, now, rights)) return false;
  }
  rights.push(right);
  return true;
}

export interface FoundLock {
  readonly holder: LockHolder | undefined;
  readonly token: string;
  /** The time of its file, in ms by the file system's clock. */
  readonly stampedAt: number;
  readonly state: LockState;
}

/** What lies there; undefined if nothing does. @param now by the file system's clock, in ms */
export function readLock(path: string, now: number): FoundLock | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const holder = parseHolder(readFileSync(descriptor, "utf8"));
    // The same file's time: what is called so by now may be another one.
    const stampedAt = fstatSync(descriptor).mtimeMs;
    // Nothing that this program wrote: only a person can say what it means.
    if (holder === undefined) return { holder, token: "", stampedAt, state: "unproven" };
    return { holder, token: holder.token, stampedAt, state: stateOf(holder, descriptor, stampedAt, now) };
  } finally {
    closeSync(descriptor);
  }
}

export function linked(existing: string, path: string): boolean {
  try {
    linkSync(existing, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** A new file that is durable as a whole: a lock that a power cut emptied would say nothing. @returns its descriptor */
export function writeNew(path: string, line: Buffer): number {
  const descriptor = openSync(path, "wx+", 0o644);
  try {
    if (writeSync(descriptor, line) < line.length) {
      throw Object.assign(new Error(`ENOSPC: no space left on device, write '${path}'`), { code: "ENOSPC", path });
    }
    fdatasyncSync(descriptor);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    removeIfThere(path);
    throw error;
  }
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Claims and rights of those that died on their way; what a living process is at stays. */
export function removeLeftovers(directory: string, now: number): void {
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(`${LOCK_NAME}.`)) continue;
    const path = join(directory, name);
    if (readLock(path, now)?.state === "stale") removeIfThere(path);
  }
}
