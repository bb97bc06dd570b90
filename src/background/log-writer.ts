/**
 * LogWriterThread: the thread `log-writer`: appends, syncs, and does what else concerns the files of the log
 * (durability/log-writer-tasks.ts).
 *
 *     owner                                              log-writer
 *     bytes into the ring, the bell  ┄┄ shared words ┄┄▶ appends, syncs        while it is awake
 *     { kind: "wake" }               ── message ───────▶ ... once it is asleep
 *     { kind: "do", task }           ── message ───────▶ does the task
 *                                    ◀────── message ──  { written | synced | failed | done }
 *
 * It does not make way (niceness.ts): somebody waits for what it does. When it dies, nothing that it has not confirmed
 * is certain: the log has failed, and tasks that it was given fail. Another one is started after a while. The process
 * does not live on for its sake: whoever waits for a task sees to that.
 *
 * Owner thread only.
 */
import type { LogProgress } from "../durability/log-file-writer.ts";
import type { LogReport, LogTask, RetirementReport } from "../durability/log-writer-tasks.ts";
import type { LogDirectory } from "../durability/manifest.ts";
import type { BackgroundThread, ThreadOptions } from "./background-thread.ts";
import type { BackgroundThreads } from "./background-threads.ts";

export type LogWriterRequest = { readonly kind: "wake" } | { readonly kind: "do"; readonly task: LogTask };

/** What the worker is given when it starts. */
export type LogWriterData = LogDirectory;

/** A task without the number by which it is told to be done. */
export type NewLogTask = LogTask extends infer Each ? (Each extends LogTask ? Omit<Each, "number"> : never) : never;

/** What the owner asks of whoever writes the log; tests have one without a thread. */
export interface LogWriterLink {
  /** Told of every append and sync, and of deletions. */
  onProgress: ((progress: LogProgress | RetirementReport) => void) | undefined;
  /** Wakes the writer, which is asleep: there is something in the channel. */
  wake(): void;
  /** Does a task, behind all that were given before. @returns its figure @throws Error that says why it failed */
  run(task: NewLogTask): Promise<number>;
}

const INBOX_MAX = 64;

interface Waiting {
  readonly resolve: (value: number) => void;
  readonly reject: (error: Error) => void;
}

export class LogWriterThread implements LogWriterLink {
  onProgress: ((progress: LogProgress | RetirementReport) => void) | undefined;
  readonly thread: BackgroundThread<LogWriterRequest, LogReport>;
  readonly #waiting = new Map<number, Waiting>();
  #number = 0;

  /** @param options tests have a worker of their own */
  constructor(
    threads: BackgroundThreads,
    directory: LogDirectory,
    options: Partial<Pick<ThreadOptions<LogReport>, "script" | "limits">> = {},
  ) {
    const workerData: LogWriterData = directory;
    this.thread = threads.add<LogWriterRequest, LogReport>({
      name: "log-writer",
      script: new URL("./log-writer-worker.js", import.meta.url),
      workerData,
      inboxMax: INBOX_MAX,
      ...options,
      onMessage: (report) => this.#hear(report),
      onExit: ({ error }) => this.#lose(error === "" ? "it has ended" : error),
    });
  }

  wake(): void {
    if (!this.thread.post({ kind: "wake" })) this.#lose("it cannot be reached");
  }

  run(task: NewLogTask): Promise<number> {
    this.#number += 1;
    const number = this.#number;
    return new Promise((resolve, reject) => {
      if (this.thread.post({ kind: "do", task: { ...task, number } })) this.#waiting.set(number, { resolve, reject });
      else reject(new Error(`the thread log-writer is ${this.thread.state}`));
    });
  }

  #hear(report: LogReport): void {
    if (report.kind !== "done") {
      this.onProgress?.(report);
      return;
    }
    const waiting = this.#waiting.get(report.number);
    this.#waiting.delete(report.number);
    if (report.error === undefined) waiting?.resolve(report.value);
    else waiting?.reject(new Error(report.error));
  }

  #lose(error: string): void {
    const text = `the thread log-writer is gone: ${error}`;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(new Error(text));
    this.onProgress?.({ kind: "failed", error: text });
  }
}
