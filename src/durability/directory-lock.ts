/**
 * DirectoryLock: one store per directory. Two that append to one log destroy it, so the second one is refused, and told
 * who is there.
 *
 * The lock is a file, and so left behind by a process that was killed: lock-file.ts draws it, says how it is made and
 * taken over without a race; lock-holder.ts, whether a holder is still there.
 *
 * The holder stamps its file now and then (BEAT_MS), for those that cannot see its process. The stamp is written by
 * Node's own pool: a busy disk delays nobody.
 *
 * Threads: the owner. Within one process the second store is refused like any other.
 */
import { closeSync, fstatSync, stat, statSync, unlinkSync, write } from "node:fs";
import { join } from "node:path";
import { LOCK_NAME, linked, readLock, removeIfThere, removeLeftovers, replaceStale, writeNew } from "./lock-file.ts";
import { BEAT_MS, describeHolder, type LockHolder, thisHolder } from "./lock-holder.ts";

/** How often a taker begins anew because others were quicker; each time one of them has got somewhere. */
const ATTEMPTS_MAX = 100;
const PAUSE_MS = 5;

/** The directory is another store's. */
export class DirectoryLockedError extends Error {
  override readonly name = "DirectoryLockedError";
  readonly code = "DIRECTORY_LOCKED";
  readonly directory: string;
  /** Who holds it; undefined if the lock's file says nothing that can be understood. */
  readonly holder: LockHolder | undefined;

  constructor(directory: string, holder: LockHolder | undefined) {
    super(`The directory ${directory} is in use: ${describeHolder(holder, join(directory, LOCK_NAME))}`);
    this.directory = directory;
    this.holder = holder;
  }
}

/** A lock that is held. */
export class DirectoryLock {
  /**
   * Told, once, when somebody else has the directory now: the file was removed by hand, or taken over while this
   * process slept for long. From then on two stores may write there.
   */
  onLost: (() => void) | undefined;
  readonly #path: string;
  readonly #line: Buffer;
  readonly #descriptor: number;
  readonly #inode: bigint;
  readonly #beat: NodeJS.Timeout;
  #isHeld = true;
  #isStamping = false;

  private constructor(path: string, line: Buffer, descriptor: number) {
    this.#path = path;
    this.#line = line;
    this.#descriptor = descriptor;
    this.#inode = fstatSync(descriptor, { bigint: true }).ino;
    this.#beat = setInterval(this.#stamp, BEAT_MS).unref();
  }

  /**
   * Takes the lock of a directory, which must exist.
   * @param program what the next one is told is running here, with its version
   * @throws DirectoryLockedError, or the system's error
   */
  static acquire(directory: string, program: string): DirectoryLock {
    const path = join(directory, LOCK_NAME);
    refuseIfSeen(directory, path);
    const holder = thisHolder(program);
    const line = Buffer.from(`${JSON.stringify(holder)}\n`);
    const claim = `${path}.${holder.token}.claim`;
    const descriptor = writeNew(claim, line);
    // What the file system's own clock shows, which need not be ours.
    const now = fstatSync(descriptor).mtimeMs;
    try {
      take(directory, path, claim, now);
    } catch (error) {
      closeSync(descriptor);
      removeIfThere(claim);
      throw error;
    }
    const lock = new DirectoryLock(path, line, descriptor);
    try {
      removeIfThere(claim);
      removeLeftovers(directory, now);
    } catch (error) {
      lock.release();
      throw error;
    }
    return lock;
  }

  /** Gives the directory back; calling it again does nothing. A lock that is never released is harmless, see above. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    clearInterval(this.#beat);
    try {
      if (statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino === this.#inode) unlinkSync(this.#path);
    } finally {
      // A stamp that is being written ends by itself, and closes the file behind it.
      if (!this.#isStamping) closeSync(this.#descriptor);
    }
  }

  readonly #stamp = (): void => {
    if (this.#isStamping) return;
    this.#isStamping = true;
    // An error is not told: what is wrong with this file is wrong with the store's own, and is reported for those.
    write(this.#descriptor, this.#line, 0, this.#line.length, 0, () => {
      stat(this.#path, { bigint: true }, (error, found) => {
        this.#isStamping = false;
        if (!this.#isHeld) return closeSync(this.#descriptor);
        const isLost = error === null ? found.ino !== this.#inode : error.code === "ENOENT";
        if (isLost) this.#lose();
      });
    });
  };

  #lose(): void {
    this.release();
    this.onLost?.();
  }
}

/** Where a process can be seen that has the lock, nothing need be written to find that out. */
function refuseIfSeen(directory: string, path: string): void {
  // So late that whoever cannot be seen does not count: that is for the file system's clock to say.
  const found = readLock(path, Number.POSITIVE_INFINITY);
  if (found?.isHeld === true) throw new DirectoryLockedError(directory, found.holder);
}

/** Puts the claim in the lock's place. @throws DirectoryLockedError */
function take(directory: string, path: string, claim: string, now: number): void {
  for (let attempt = 1; !linked(claim, path); attempt += 1) {
    const found = readLock(path, now);
    if (found?.isHeld === true || attempt >= ATTEMPTS_MAX) throw new DirectoryLockedError(directory, found?.holder);
    if (found !== undefined && replaceStale(path, found.token, claim, now)) return;
    pause();
  }
}

/** A moment's rest for this thread, which has nothing else to do before it has the lock. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
