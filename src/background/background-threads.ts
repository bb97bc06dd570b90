/**
 * BackgroundThreads: the background threads of one store: made here, shown by INFO, watched by whoever wants to know of
 * failures, joined together.
 *
 * Only the store's thread may call it.
 */
import type { ThreadFigures, Threads } from "../commands/context.ts";
import { BackgroundThread, type ThreadFailure, type ThreadOptions } from "./background-thread.ts";

export class BackgroundThreads implements Threads {
  readonly #threads: BackgroundThread<never, never>[] = [];
  readonly #listeners = new Set<(failure: ThreadFailure) => void>();

  /** Another thread. It starts with the first request that it is posted, or with `start`. */
  add<Requests extends { readonly kind: string }, Replies>(
    options: ThreadOptions<Replies>,
  ): BackgroundThread<Requests, Replies> {
    const thread = new BackgroundThread<Requests, Replies>({
      ...options,
      onFailure: (failure) => {
        options.onFailure?.(failure);
        for (const listener of this.#listeners) listener(failure);
      },
    });
    this.#threads.push(thread as unknown as BackgroundThread<never, never>);
    return thread;
  }

  /** Starts all of them, before there is anything for them to do. */
  start(): void {
    for (const thread of this.#threads) thread.start();
  }

  /** @param listener is told of every worker that dies, or cannot be started; @returns what ends that */
  onFailure(listener: (failure: ThreadFailure) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  figures(): ThreadFigures[] {
    return this.#threads.map(({ name, state, restarts, messages, inbox, busyMs, lastError }) => {
      return { name, state, restarts, messages, inbox, busyMs, lastError };
    });
  }

  /**
   * Joins all threads, all at the same time. May be called again.
   * @param timeoutMs milliseconds, after which those that are still at it are terminated
   */
  async stop(timeoutMs: number): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop(timeoutMs)));
  }
}
