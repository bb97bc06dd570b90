/**
 * LazyFree: the background thread of a store's releaser (keyspace/release.ts), and the directives that it goes by.
 *
 * The thread starts with the first large value that dies. What it has found is announced in shared words, so a message
 * only says that there is something to do: a program that ticks by hand, and whose event loop never turns, finds it as
 * well. When the thread dies, the releaser gets back what it had.
 *
 * Owner thread only.
 */
import type { Configuration } from "../config/configuration.ts";
import type { Releaser } from "../keyspace/release.ts";
import { LAZY_DIRECTIVES, LIMIT_DIRECTIVES, type ReleaseLimits } from "../keyspace/release-limits.ts";
import type { ReleasePort, ReleaseReply, ReleaseRequest } from "../keyspace/release-port.ts";
import type { BackgroundThread, ThreadOptions } from "./background-thread.ts";
import type { BackgroundThreads } from "./background-threads.ts";

/** A batch at a time, batches that were dropped and have not been looked at, and some for each region. */
const INBOX_MAX = 256;

/** What the worker is given when it starts. */
export interface LazyFreeData {
  /** ReleaseWords.buffer */
  readonly words: SharedArrayBuffer;
}

export class LazyFree implements ReleasePort {
  readonly thread: BackgroundThread<ReleaseRequest, ReleaseReply>;
  readonly #hurry: () => void;

  /**
   * Makes `releaser` hand over what is large.
   * @param hurry asks for a call of `releaser.turn` at the end of this turn of the event loop
   * @param options tests have a worker of their own
   */
  constructor(
    releaser: Releaser,
    threads: BackgroundThreads,
    hurry: () => void,
    options: Partial<Pick<ThreadOptions<ReleaseReply>, "script" | "limits">> = {},
  ) {
    const workerData: LazyFreeData = { words: releaser.handover.words.buffer };
    this.#hurry = hurry;
    this.thread = threads.add<ReleaseRequest, ReleaseReply>({
      name: "lazyfree",
      script: new URL("./lazy-free-worker.js", import.meta.url),
      workerData,
      inboxMax: INBOX_MAX,
      ...options,
      onMessage: () => hurry(),
      onExit: () => {
        releaser.recover();
        hurry();
      },
    });
    releaser.port = this;
  }

  arm(): void {
    this.#hurry();
  }

  post(request: ReleaseRequest): boolean {
    return this.thread.post(request);
  }
}

/** Keeps a releaser's settings what the configuration says. @returns what ends that */
export function followLazyFree(releaser: Releaser, configuration: Configuration): () => void {
  const { limits, isLazy } = releaser;
  const stops: (() => void)[] = [];
  for (const limit of Object.keys(limits) as (keyof ReleaseLimits)[]) {
    const set = (value: number | bigint): undefined => {
      limits[limit] = Number(value);
    };
    set(configuration.get(LIMIT_DIRECTIVES[limit]));
    stops.push(configuration.onChange(LIMIT_DIRECTIVES[limit], set));
  }
  for (const [cause, directive] of LAZY_DIRECTIVES) {
    const set = (value: boolean): undefined => {
      isLazy[cause] = value;
    };
    set(configuration.get(directive));
    stops.push(configuration.onChange(directive, set));
  }
  return () => {
    for (const stop of stops) stop();
  };
}
