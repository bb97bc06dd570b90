/**
 * Taking a directory's lock from a holder that cannot be looked up: by waiting until it is known to be gone.
 *
 *     seen: leased ──▶ look every POLL_MS ──┬── the stamp has moved ───▶ refused: somebody is alive
 *                                           ├── gone, or another's ────▶ as for any lock (directory-lock.ts)
 *                                           └── unmoved, lease over ───▶ taken
 *
 * Why it waits: a container that was killed and is started again finds its own lock, of another namespace of process
 * ids, stamped seconds ago. Refused, it would be started again by its supervisor, and again; waiting costs it once what
 * is left of LEASE_MS. A store that lives shows itself within BEAT_MS.
 *
 * Time is told by this process, which sees that the stamp does not move; the file system's clock only says how much of
 * the lease was over at the first look. So a clock that was set back does not prolong it.
 *
 * Threads: the owner. Nothing is left in the directory while it waits.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DirectoryLock, DirectoryLockedError, isSame } from "./directory-lock.ts";
import { LOCK_NAME, readLock } from "./lock-file.ts";

const POLL_MS = 250;

/** How to wait for a lock. */
export interface WaitOptions {
  /** Ends the wait, which throws its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told once, if there is something to wait for: what the present lock says, and how long it takes at most, in ms. */
  readonly onWait?: ((locked: DirectoryLockedError, waitMs: number) => void) | undefined;
}

/**
 * As DirectoryLock.acquire, but waits, without blocking, where that can help: at most LEASE_MS. That keeps the process
 * alive.
 * @throws DirectoryLockedError, the signal's reason, or the system's error
 */
export async function acquireWhenFree(
  directory: string,
  program: string,
  { signal, onWait }: WaitOptions = {},
): Promise<DirectoryLock> {
  const locked = acquireNow(directory, program);
  if (locked instanceof DirectoryLock) return locked;
  const { lease } = locked;
  if (lease === undefined) throw locked;
  onWait?.(locked, lease.restMs);
  const path = join(directory, LOCK_NAME);
  const end = performance.now() + lease.restMs;
  for (;;) {
    await pause(Math.min(POLL_MS, end - performance.now()), signal);
    const found = readLock(path, Number.NEGATIVE_INFINITY);
    if (found?.token !== lease.token) return DirectoryLock.acquire(directory, program);
    if (!isSame(found, lease)) throw new DirectoryLockedError(directory, found.holder, "alive");
    if (performance.now() >= end) return DirectoryLock.acquire(directory, program, { ended: lease });
  }
}

function acquireNow(directory: string, program: string): DirectoryLock | DirectoryLockedError {
  try {
    return DirectoryLock.acquire(directory, program);
  } catch (error) {
    if (error instanceof DirectoryLockedError) return error;
    throw error;
  }
}

/** @throws the signal's reason */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(Math.max(0, milliseconds), undefined, { signal });
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error;
  }
}
