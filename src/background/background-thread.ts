/**
 * BackgroundThread: the owner's side of one background thread: starts it, posts to it, watches over it, joins it.
 *
 *     idle ──start, post──▶ starting ──ready──▶ running
 *                           ▲    │                │         error, exit, never ready
 *                  back-off │    └────────┬───────┘
 *                           └── failed ◀──┘                 stop() leads from any of them to stopped
 *
 * Why one frame for all threads: what is hard is the same for each of them: a bound on what waits, an end of the worker
 * at any moment, the end of the program while it works. The users only say what the messages are.
 *
 * Invariants:
 * - At most `inboxMax` requests are posted and not taken.
 * - Every worker that was started has one `onExit`, after the last of its replies: what has not been answered by then
 *   never will be, and its user still has it.
 * - A thread never keeps the process alive, but while it is being joined.
 * - A worker inherits nothing of how the process was started (options of Node.js, standard input), and has little heap.
 *
 * Only the thread that made it may call it. The other side is worker-side.ts.
 */
import { type Transferable, Worker } from "node:worker_threads";
import { BUSY_MS, type FromWorker, newWords, READY, TAKEN, type ToWorker } from "./thread-protocol.ts";

/** `idle` until the first post; `failed` until the next attempt to start it; `stopped` for good. */
export type ThreadState = "idle" | "starting" | "running" | "failed" | "stopped";

/** How a worker ended. */
export interface ThreadOutcome {
  /** Whether `stop` had asked for it; otherwise it failed, and is restarted. */
  readonly wasStopped: boolean;
  /** What went wrong, empty if nothing did. */
  readonly error: string;
  /** Requests that it never took out of its inbox. */
  readonly untaken: number;
}

/** That a worker died, or could not be started. */
export interface ThreadFailure {
  readonly name: string;
  readonly error: string;
  /** Milliseconds until the next attempt. */
  readonly retryMs: number;
}

/** Bounds, with defaults; tests have shorter ones. */
export interface ThreadLimits {
  /** Milliseconds from a start until the worker has to be ready, of those in which the process runs. */
  readonly startMs: number;
  /** Milliseconds before the first attempt to restart it; doubled by each worker that fails early. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  /** Milliseconds that a worker has to have run for the next failure to count as the first. */
  readonly steadyMs: number;
  /** Megabytes of JavaScript heap. Shared memory is not part of it. */
  readonly heapMb: number;
}

const DEFAULT_LIMITS: ThreadLimits = {
  // Bounds how long a thread that hangs, on a file system that has gone, say, is taken for one that is coming. To give
  // up a slow one wins nothing: the next would be as slow, and a server that needs it would not start.
  startMs: 60_000,
  retryMinMs: 100,
  retryMaxMs: 10_000,
  steadyMs: 30_000,
  heapMb: 64,
};

/**
 * How often it is looked whether a worker is ready. Between two looks, however long the process was stopped or blocked,
 * no more is counted than one such part of the time that the worker has.
 */
const START_LOOKS = 20;

/** How long a worker that is terminated may take to end: only a system call that hangs takes longer. */
const TERMINATION_MS = 1000;

export interface ThreadOptions<Replies> {
  /** As INFO and debuggers show it. */
  readonly name: string;
  /** The worker's file, which calls `serve`: `new URL("./its-name.js", import.meta.url)`. */
  readonly script: URL;
  /** What it finds as `workerData`: a copy, shared buffers excepted. */
  readonly workerData?: unknown;
  /** Requests that may be posted and not yet taken. */
  readonly inboxMax: number;
  readonly limits?: Partial<ThreadLimits> | undefined;
  onMessage(reply: Replies): void;
  /** Called once for each worker, after the last of its replies. What it had not answered is the callee's again. */
  onExit?(outcome: ThreadOutcome): void;
  /** Called after `onExit`, and if a worker cannot be started at all. */
  onFailure?(failure: ThreadFailure): void;
  onState?(state: ThreadState): void;
}

/** One worker, from its start to its end. */
class Life {
  readonly worker: Worker;
  readonly words = newWords();
  readonly ended: Promise<void>;
  /** Requests posted. */
  posted = 0;
  /** When it became ready, as `performance.now()`. */
  readyAt: number | undefined;
  error = "";

  /** @throws Error if the process may have no workers */
  constructor({ name, script, workerData }: ThreadOptions<never>, heapMb: number) {
    this.worker = new Worker(script, {
      name: `stillwater ${name}`,
      workerData,
      // What the process was started with (an inspector, a loader, frozen intrinsics) is not meant for its workers.
      execArgv: [],
      stdin: false,
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: Math.ceil(heapMb / 4) },
    });
    this.ended = new Promise((resolve) => this.worker.once("exit", () => resolve()));
    const begin: ToWorker<never> = { frame: "begin", words: this.words };
    this.worker.postMessage(begin);
  }

  /** Requests posted and not taken. */
  get inbox(): number {
    return (this.posted - Atomics.load(this.words, TAKEN)) | 0;
  }

  get busyMs(): number {
    return Atomics.load(this.words, BUSY_MS) >>> 0;
  }

  /**
   * Whether the worker ends within so many milliseconds. Keeps the process alive until then: whoever waits for the end
   * may have nothing else that does.
   */
  async endsWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, ms, false);
    });
    const inTime = await Promise.race([this.ended.then(() => true), late]);
    clearTimeout(timer);
    return inTime;
  }
}

export class BackgroundThread<Requests extends { readonly kind: string }, Replies> {
  readonly name: string;
  /** Requests posted, by all workers. */
  messages = 0;
  /** Workers started in place of one that failed. */
  restarts = 0;
  /** What went wrong last, empty if nothing ever did. */
  lastError = "";
  readonly #options: ThreadOptions<Replies>;
  readonly #limits: ThreadLimits;
  #state: ThreadState = "idle";
  #life: Life | undefined;
  #busyMs = 0;
  #retryMs: number;
  #timer: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: ThreadOptions<Replies>) {
    this.name = options.name;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#retryMs = this.#limits.retryMinMs;
  }

  get state(): ThreadState {
    return this.#state;
  }

  /** Requests posted and not yet taken by the worker. */
  get inbox(): number {
    return this.#life?.inbox ?? 0;
  }

  /** Milliseconds that workers have spent in handlers that have ended. */
  get busyMs(): number {
    return this.#busyMs + (this.#life?.busyMs ?? 0);
  }

  /**
   * Starts the worker, unless it has been. To make one takes a process's only thread a millisecond, and ten the first
   * time: whoever cannot spare them later does it before there is anything to do.
   */
  start(): void {
    if (this.#state === "idle") this.#start();
  }

  /**
   * Posts a request; the first one starts the worker. What is posted may still be lost with the worker: see `onExit`.
   *
   * @param transfer buffers and ports that the worker is to have, and the caller no longer
   * @returns false if nothing was posted: the inbox is full, or the thread has failed or is stopped
   * @throws DataCloneError if the request cannot be posted
   */
  post(request: Requests, transfer: readonly Transferable[] = []): boolean {
    this.start();
    const life = this.#life;
    if (life === undefined || this.#state === "stopped" || life.inbox >= this.#options.inboxMax) return false;
    const frame: ToWorker<Requests> = { frame: "request", body: request };
    life.worker.postMessage(frame, transfer);
    life.posted += 1;
    this.messages += 1;
    return true;
  }

  /**
   * Joins the thread: it does what it has been posted, and ends; it is terminated if that takes too long. May be called
   * again, at any time: there is one end.
   *
   * @param timeoutMs milliseconds; a second more where termination has to wait for the operating system
   */
  stop(timeoutMs: number): Promise<void> {
    this.#stopping ??= this.#join(timeoutMs);
    return this.#stopping;
  }

  /** Terminates the worker in the middle of what it does, as a fault would: it is restarted. For tests of recovery. */
  async kill(): Promise<void> {
    await this.#life?.worker.terminate();
  }

  async #join(timeoutMs: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#setState("stopped");
    const life = this.#life;
    if (life === undefined) return;
    const frame: ToWorker<Requests> = { frame: "stop" };
    life.worker.postMessage(frame);
    // One that nothing was ever asked of may be at its start still, which is not worth waiting for.
    if (life.posted > 0) {
      if (await life.endsWithin(timeoutMs)) return;
      this.lastError = `did not stop within ${timeoutMs} ms`;
    }
    void life.worker.terminate();
    // To terminate a worker references it.
    if (!(await life.endsWithin(TERMINATION_MS))) life.worker.unref();
  }

  #start(): void {
    let life: Life;
    try {
      life = new Life(this.#options, this.#limits.heapMb);
    } catch (error) {
      this.#fail(describe(error));
      return;
    }
    const { worker } = life;
    worker.on("message", (frame: FromWorker<Replies>) => this.#receive(life, frame));
    worker.on("messageerror", (error) => this.#terminate(life, describe(error)));
    worker.on("error", (error) => {
      life.error = describe(error);
    });
    worker.on("exit", (code) => this.#end(life, code));
    // Not before there is somebody to hear its messages: whoever begins to listen references it again.
    worker.unref();
    this.#life = life;
    this.#watchStart(life, START_LOOKS);
    this.#setState("starting");
  }

  #receive(life: Life, frame: FromWorker<Replies>): void {
    if (frame.frame === "reply") {
      this.#options.onMessage(frame.body);
      return;
    }
    life.readyAt = performance.now();
    if (this.#state !== "starting") return;
    clearTimeout(this.#timer);
    this.#setState("running");
  }

  #watchStart(life: Life, looks: number): void {
    const { startMs } = this.#limits;
    const look = (): void => {
      if (Atomics.load(life.words, READY) !== 0) return;
      if (looks > 1) this.#watchStart(life, looks - 1);
      else this.#terminate(life, `was not ready within ${startMs} ms`);
    };
    this.#timer = setTimeout(look, startMs / START_LOOKS).unref();
  }

  #terminate(life: Life, error: string): void {
    life.error = error;
    void life.worker.terminate();
  }

  /** Node.js has delivered all that the worker had posted when it says that it is gone. */
  #end(life: Life, code: number): void {
    clearTimeout(this.#timer);
    this.#life = undefined;
    this.#busyMs += life.busyMs;
    const wasStopped = this.#state === "stopped";
    const error = life.error === "" && !wasStopped ? `ended with exit code ${code}` : life.error;
    if (error !== "") this.lastError = error;
    const outcome = { wasStopped, error, untaken: life.inbox };
    if (wasStopped) {
      this.#options.onExit?.(outcome);
      return;
    }
    const { readyAt = Number.POSITIVE_INFINITY } = life;
    if (performance.now() - readyAt >= this.#limits.steadyMs) this.#retryMs = this.#limits.retryMinMs;
    this.#fail(error, outcome);
  }

  #fail(error: string, outcome?: ThreadOutcome): void {
    const retryMs = this.#retryMs;
    this.lastError = error;
    this.#retryMs = Math.min(retryMs * 2, this.#limits.retryMaxMs);
    this.#timer = setTimeout(() => this.#restart(), retryMs).unref();
    this.#setState("failed");
    if (outcome !== undefined) this.#options.onExit?.(outcome);
    this.#options.onFailure?.({ name: this.name, error, retryMs });
  }

  #restart(): void {
    this.restarts += 1;
    this.#start();
  }

  #setState(state: ThreadState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
