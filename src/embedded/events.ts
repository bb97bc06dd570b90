/** What a store tells its program of: `db.on`. */
import type { ThreadFailure } from "../background/background-thread.ts";
import type { Store } from "../engine/store.ts";
import { EventListeners } from "../monitoring/event-listeners.ts";
import type { Metric } from "../monitoring/metrics.ts";

/** A background thread has died, or could not be started. Another is started; what it held is taken care of. */
export class ThreadError extends Error {
  readonly code = "THREAD_FAILED";
  /** Its name in INFO and `stats`. */
  readonly thread: string;
  /** Milliseconds until another one is started. */
  readonly retryMs: number;

  constructor({ name, error, retryMs }: ThreadFailure) {
    super(`the background thread ${name} failed: ${error}`);
    this.name = "ThreadError";
    this.thread = name;
    this.retryMs = retryMs;
  }
}

/** A snapshot, or the log, could not be written. What that means for further writes, INFO persistence shows. */
export class PersistenceError extends Error {
  override readonly name = "PersistenceError";
  readonly code = "PERSISTENCE_FAILED";
}

/** The kinds of events, and what a listener is given. */
export interface StoreEvents {
  readonly metric: Metric;
  readonly error: ThreadError | PersistenceError;
}

/** Those who want to be told of the store's failures: none at first. */
export function errorsOf(store: Store): EventListeners<StoreEvents["error"]> {
  const listeners = new EventListeners<StoreEvents["error"]>();
  store.threads.onFailure((failure) => {
    if (listeners.size > 0) listeners.tell(new ThreadError(failure));
  });
  store.onNotice = (line) => {
    if (listeners.size > 0) listeners.tell(new PersistenceError(line));
  };
  return listeners;
}
