/**
 * DirectoryClaim: a store's right to write to its directory, which is the directory's lock: taken, waited for, moved to
 * another directory, lost, given back.
 *
 *     none ──take, takeWhenFree──▶ held ──release──▶ none
 *                                   │  ▲
 *                               lost│  └─ move: CONFIG SET dir
 *                                   ▼  │
 *                                  lost, for good in this directory: whoever wants to write is told why
 *
 * Without a claim nothing is forbidden: who is going to write takes it before. Owner thread only.
 */
import { CommandError } from "../commands/errors.ts";
import { STILLWATER_VERSION } from "../commands/version.ts";
import { systemErrorText } from "../config/system-error.ts";
import { DirectoryLock, DirectoryLockedError } from "../durability/directory-lock.ts";
import { DirectoryLostError, type LockMark } from "../durability/guarded-files.ts";
import { nameOf } from "../durability/lock-holder.ts";
import { acquireWhenFree } from "../durability/lock-wait.ts";

const PROGRAM = `Stillwater ${STILLWATER_VERSION}`;

/** Whoever is told of what becomes of a claim. */
export interface ClaimListener {
  /** The directory is this store's, and by which mark threads see that it still is. */
  held(mark: LockMark): void;
  /** Another store may have it, and why that is so. */
  lost(why: string): void;
  /** A line about what became of it, when nobody has asked. */
  notice(line: string): void;
}

const LOST =
  "This store writes nothing there any more, neither log nor snapshots. Stop it (SHUTDOWN NOSAVE, or close()): what " +
  "is not on the disk is lost with it.";

export class DirectoryClaim {
  readonly #directory: () => string;
  readonly #listener: ClaimListener;
  #lock: DirectoryLock | undefined;
  #lost: DirectoryLostError | undefined;

  /** @param directory the one that the configuration names */
  constructor(directory: () => string, listener: ClaimListener) {
    this.#directory = directory;
    this.#listener = listener;
  }

  get isHeld(): boolean {
    return this.#lock !== undefined;
  }

  /** Why nothing may be written any more; undefined while that is not so. */
  get lossReason(): string | undefined {
    return this.#lost?.message;
  }

  /** @throws DirectoryLockedError, DirectoryLostError, or the system's error */
  take(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#lock !== undefined) return;
    const directory = this.#directory();
    try {
      this.#hold(DirectoryLock.acquire(directory, PROGRAM));
    } catch (error) {
      throw aboutDirectory(directory, error);
    }
  }

  /**
   * As `take`, but waits where that may help.
   * @param signal ends the wait, which throws its reason
   * @param onWait told, in a line, if there is something to wait for
   * @throws as `take`, or the signal's reason
   */
  async takeWhenFree(signal: AbortSignal, onWait: (line: string) => void): Promise<void> {
    const told = (locked: DirectoryLockedError, waitMs: number): void => onWait(describeWait(locked, waitMs));
    const directory = this.#directory();
    const lock = await acquireWhenFree(directory, PROGRAM, { signal, onWait: told }).catch((error: unknown) => {
      throw aboutDirectory(directory, error);
    });
    // Ended in the very turn in which it was free.
    if (signal.aborted) {
      lock.release();
      throw signal.reason;
    }
    this.#hold(lock);
  }

  /** Why the directory cannot be written to; undefined if it can, and is claimed now. */
  refusal(): string | undefined {
    return refusalOf(() => this.take());
  }

  /** As `take`. @throws CommandError */
  takeForCommand(): void {
    refuse(this.refusal());
  }

  /** For commands that write where a claim is held already. @throws CommandError */
  refuseIfLost(): void {
    refuse(this.lossReason);
  }

  /**
   * Goes to another directory, if there is anything to take along.
   * @returns why that is not possible; undefined if it is done
   */
  move(directory: string): string | undefined {
    if (this.#lock === undefined && this.#lost === undefined) return undefined;
    return refusalOf(() => {
      const lock = DirectoryLock.acquire(directory, PROGRAM);
      this.release();
      this.#lost = undefined;
      this.#hold(lock);
    });
  }

  /** Looks at the lock. @throws DirectoryLostError if it is lost */
  assertHeld(): void {
    if (this.#lost !== undefined) throw this.#lost;
    this.#lock?.assertHeld();
  }

  /** After an error of which the reason may be that the lock is lost: whoever is told of that is told now. */
  look(): void {
    try {
      this.assertHeld();
    } catch (error) {
      if (!(error instanceof DirectoryLostError)) throw error;
    }
  }

  /** Gives the directory back. */
  release(): void {
    const lock = this.#lock;
    this.#lock = undefined;
    try {
      lock?.release();
    } catch (error) {
      this.#listener.notice(`The lock of the directory could not be removed: ${systemErrorText(error)}`);
    }
  }

  #hold(lock: DirectoryLock): void {
    this.#lock = lock;
    lock.onLost = (why) => {
      this.#lock = undefined;
      this.#lost = why;
      const { message } = why;
      this.#listener.notice(`${message.charAt(0).toUpperCase()}${message.slice(1)}. ${LOST}`);
      this.#listener.lost(message);
    };
    this.#listener.held(lock.mark);
  }
}

/** Which of the lock's files it was that could not be made is nothing that a person could do anything about. */
function aboutDirectory(path: string, error: unknown): unknown {
  const { syscall, code, errno } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  const message = `The directory ${path} could not be locked: ${systemErrorText(error)}`;
  return Object.assign(new Error(message, { cause: error }), { code, errno, syscall, path });
}

function refuse(reason: string | undefined): void {
  if (reason !== undefined) throw new CommandError(`ERR ${reason}`);
}

function refusalOf(take: () => void): string | undefined {
  try {
    take();
    return undefined;
  } catch (error) {
    if (error instanceof DirectoryLockedError || error instanceof DirectoryLostError) return error.message;
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return `The directory could not be locked: ${systemErrorText(error)}`;
  }
}

/** For whoever waits for a directory. @param waitMs at most */
function describeWait({ directory, holder }: DirectoryLockedError, waitMs: number): string {
  const who = holder === undefined ? "another store" : nameOf(holder);
  const seconds = Math.ceil(waitMs / 1000);
  return (
    `Waiting, ${seconds} s at most, for the lock of ${directory}: ${who}, in another container or on another ` +
    "machine; without a sign of life it is taken for dead"
  );
}
