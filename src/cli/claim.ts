/**
 * Takes the directory before anybody can connect, and before anything is read: two servers in one directory would undo
 * each other.
 *
 * Where the lock that is found there may be a dead server's, this one waits, and does not listen meanwhile. To answer
 * LOADING would be a promise: clients would wait here, and a proxy would send them here, while the server that has the
 * directory may well be alive and this one about to be refused. It may even have the port.
 */
import { systemErrorText } from "../config/system-error.ts";
import { DirectoryLockedError } from "../durability/directory-lock.ts";
import { OpeningEndedError } from "../engine/persistence.ts";
import type { Store } from "../engine/store.ts";
import type { Log } from "./log.ts";
import { StartError } from "./start-error.ts";

/** Of those that end a server (ending.ts); in a container nothing happens at them unless somebody listens. */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Ends the process if a signal says so meanwhile. @throws StartError if the directory is not to be had */
export async function claimDirectory(store: Store, log: Log): Promise<void> {
  let closed: Promise<void> | undefined;
  const end = (signal: NodeJS.Signals): void => {
    if (closed !== undefined) return;
    log(`${signal}: ending; the directory is left as it is`);
    closed = store.close({ saves: false });
  };
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    await store.claimFiles({ onProgress: ({ waitingFor }) => waitingFor !== undefined && log(waitingFor) });
  } catch (error) {
    if (error instanceof OpeningEndedError) {
      await closed;
      // Left to itself, Node.js would stop listening to signals before it ends, and one that comes twice would kill it.
      process.exit(0);
    }
    if (error instanceof DirectoryLockedError) throw new StartError(error.message);
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new StartError(`Could not lock the directory ${store.configuration.get("dir")}: ${systemErrorText(error)}`);
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
  }
}
