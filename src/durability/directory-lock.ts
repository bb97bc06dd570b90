/**
 * DirectoryLock: one store per directory. Two that append to one log destroy it, so the second one is refused, and told
 * who is there.
 *
 * The lock is a file, and so left behind by a process that was killed: lock-file.ts draws it, says how it is made and
 * taken over without a race; lock-holder.ts, whether a holder is still there; lock-wait.ts waits until that is known.
 *
 * The holder stamps its file now and then (BEAT_MS), for those that cannot see its process. The stamp is written by
 * Node's own pool: a busy disk delays nobody. With each stamp it looks whether the lock is still its own; whoever is
 * about to change something in the directory may ask for another look (guarded-files.ts).
 *
 * Invariant: the lock's file is open in this process before anybody else can see it under a name that counts, and until
 * it has none any more.
 *
 * Threads: the owner. Within one process the second store is refused like any other.
 */
import { closeSync, fstatSync, stat, unlinkSync, write } from "node:fs";
import { dirname, join } from "node:path";
import { DirectoryLostError, isInPlace, type LockMark } from "./guarded-files.ts";
import {
  type FoundLock,
  LOCK_NAME,
  linked,
  readLock,
  removeIfThere,
  removeLeftovers,
  replaceStale,
  writeNew,
} from "./lock-file.ts";
import {
  BEAT_MS,
  describeHolder,
  LEASE_MS,
  type LockHolder,
  type LockState,
  nameOf,
  thisHolder,
} from "./lock-holder.ts";

/** How often a taker begins anew because others were quicker; each time one of them has got somewhere. */
const ATTEMPTS_MAX = 100;
const PAUSE_MS = 5;

/** A lock whose holder cannot be looked up, as it was seen: if it stays so for `restMs`, the holder is gone. */
export interface Lease {
  readonly token: string;
  readonly stampedAt: number;
  readonly restMs: number;
}

/** How a lock is taken, beside the ordinary. */
export interface AcquireOptions {
  /** A lease that has been watched until it was over: whatever the clocks say, that lock is nobody's. */
  readonly ended?: Lease | undefined;
  /** Who takes it: for tests. */
  readonly holder?: LockHolder | undefined;
}

/** The directory is another store's. */
export class DirectoryLockedError extends Error {
  override readonly name = "DirectoryLockedError";
  readonly code = "DIRECTORY_LOCKED";
  readonly directory: string;
  /** Who holds it; undefined if the lock's file says nothing that can be understood. */
  readonly holder: LockHolder | undefined;
  /** What to wait for, if waiting may help. */
  readonly lease: Lease | undefined;

  constructor(directory: string, holder: LockHolder | undefined, state: LockState, lease?: Lease) {
    super(`The directory ${directory} is in use: ${describeHolder(holder, join(directory, LOCK_NAME), state)}`);
    this.directory = directory;
    this.holder = holder;
    this.lease = lease;
  }
}

/** A lock that is held. */
export class DirectoryLock {
  /**
   * Told, once, when somebody else may have the directory now: the file was removed by hand, or taken over while this
   * process slept for long. From then on nothing may be written there.
   */
  onLost: ((why: DirectoryLostError) => void) | undefined;
  /** By which others, such as background threads, see for themselves whether it is still held. */
  readonly mark: LockMark;
  readonly #line: Buffer;
  readonly #descriptor: number;
  readonly #beat: NodeJS.Timeout;
  #isHeld = true;
  #lost: DirectoryLostError | undefined;
  #isStamping = false;

  private constructor(path: string, line: Buffer, descriptor: number) {
    this.mark = { path, inode: fstatSync(descriptor, { bigint: true }).ino };
    this.#line = line;
    this.#descriptor = descriptor;
    this.#beat = setInterval(this.#stamp, BEAT_MS).unref();
  }

  /**
   * Takes the lock of a directory, which must exist.
   * @param program what the next one is told is running here, with its version
   * @throws DirectoryLockedError, or the system's error
   */
  static acquire(directory: string, program: string, options: AcquireOptions = {}): DirectoryLock {
    const path = join(directory, LOCK_NAME);
    refuseIfSeen(directory, path);
    const { holder = thisHolder(program), ended } = options;
    const line = Buffer.from(`${JSON.stringify(holder)}\n`);
    const claim = `${path}.${holder.token}.claim`;
    const descriptor = writeNew(claim, line);
    // What the file system's own clock shows, which need not be ours.
    const now = fstatSync(descriptor).mtimeMs;
    try {
      take(directory, path, claim, now, ended);
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

  /** Looks whether it is still held. @throws DirectoryLostError, behind `onLost`, if it is not */
  assertHeld(): void {
    if (this.#isHeld && !isInPlace(this.mark)) this.#lose();
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** Gives the directory back; calling it again does nothing. A lock that is never released is harmless, see above. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    clearInterval(this.#beat);
    try {
      if (isInPlace(this.mark)) unlinkSync(this.mark.path);
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
      stat(this.mark.path, { bigint: true }, (error, found) => {
        this.#isStamping = false;
        if (!this.#isHeld) return closeSync(this.#descriptor);
        const isLost = error === null ? found.ino !== this.mark.inode : error.code === "ENOENT";
        if (isLost) this.#lose();
      });
    });
  };

  #lose(): void {
    this.#lost = new DirectoryLostError(describeLoss(this.mark.path));
    this.release();
    this.onLost?.(this.#lost);
  }
}

function describeLoss(path: string): string {
  const directory = dirname(path);
  let holder: LockHolder | undefined;
  try {
    holder = readLock(path, Number.POSITIVE_INFINITY)?.holder;
  } catch {
    // Who it is would only have been a help.
  }
  if (holder !== undefined) return `the directory ${directory} is another store's now: ${nameOf(holder)}`;
  return `the lock ${path} has been removed or replaced, so that another store may have the directory`;
}

/** Where a process can be seen that has the lock, nothing need be written to find that out. */
function refuseIfSeen(directory: string, path: string): void {
  // So late that whoever cannot be seen does not count: that is for the file system's clock to say.
  const found = readLock(path, Number.POSITIVE_INFINITY);
  if (found !== undefined && found.state !== "stale") {
    throw new DirectoryLockedError(directory, found.holder, found.state);
  }
}

/** Puts the claim in the lock's place. @throws DirectoryLockedError */
function take(directory: string, path: string, claim: string, now: number, ended: Lease | undefined): void {
  for (let attempt = 1; !linked(claim, path); attempt += 1) {
    const found = readLock(path, now);
    if (found !== undefined) {
      const lease = found.state === "leased" ? leaseOf(found, now) : undefined;
      const isFree = found.state === "stale" || (lease !== undefined && isSame(lease, ended));
      if (!isFree || attempt >= ATTEMPTS_MAX) {
        throw new DirectoryLockedError(directory, found.holder, found.state, lease);
      }
      if (replaceStale(path, found.token, claim, now)) return;
    } else if (attempt >= ATTEMPTS_MAX) throw new DirectoryLockedError(directory, undefined, "unproven");
    pause();
  }
}

/** Of a time that is yet to come, by whatever clock, is believed that it is now. */
function leaseOf({ token, stampedAt }: FoundLock, now: number): Lease {
  return { token, stampedAt, restMs: Math.min(LEASE_MS, stampedAt + LEASE_MS - now) };
}

export function isSame(lease: Pick<Lease, "token" | "stampedAt">, other: Lease | undefined): boolean {
  return lease.token === other?.token && lease.stampedAt === other.stampedAt;
}

/** A moment's rest for this thread, which has nothing else to do before it has the lock. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
