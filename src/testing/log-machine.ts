/**
 * LogMachine: a store with its log and its snapshots on one thread, over any files: what the log's thread and the
 * snapshot's do is done at once, where they are asked to. So a test can let each single call of a scenario fail.
 *
 *     execute ─▶ effects ─▶ LogKeeper ─▶ LogWriterTasks ─▶ files          all of it in the caller's call
 *
 * What an execution returns is what the client would see: a reply that was sent, one that never will be, or a refusal.
 */
import { join } from "node:path";
import type { LogWriterLink, NewLogTask } from "../background/log-writer.ts";
import { allCommands } from "../commands/all-commands.ts";
import { temporaryPathOf } from "../durability/durable-file.ts";
import type { Files } from "../durability/files.ts";
import { ASLEEP, LogChannel, STATE } from "../durability/log-channel.ts";
import { type LogReport, LogWriterTasks } from "../durability/log-writer-tasks.ts";
import { newSnapshotWords } from "../durability/snapshot-words.ts";
import { type SnapshotForm, writeSnapshot } from "../durability/snapshot-writer.ts";
import { LogKeeper } from "../engine/log-keeper.ts";
import type { BaseWriter } from "../engine/log-parts.ts";
import { type OpenReport, Recovery } from "../engine/recovery.ts";
import { planSnapshot } from "../engine/snapshot-plan.ts";
import { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
import { LiveReader, liveRegion } from "../memory/live-reader.ts";
import { CommandRunner } from "./commands.ts";

/** Where everything is. */
export const MACHINE_DIRECTORY = "/data";
const REGION_SIZE = 512 * 1024;
const SECONDS = 1_700_000_000;

/** What became of a command: a reply, a reply that is held for ever, or Redis's error. */
export type Outcome = "acknowledged" | "held" | "refused";

export class LogMachine {
  readonly runner: CommandRunner;
  readonly report: OpenReport;
  readonly keeper: LogKeeper;
  readonly #files: Files;
  #temporaries = 0;

  private constructor(files: Files, runner: CommandRunner, keeper: LogKeeper, report: OpenReport) {
    this.#files = files;
    this.runner = runner;
    this.keeper = keeper;
    this.report = report;
  }

  /**
   * Starts on what the directory holds.
   * @param directives of the configuration, beside `dir`
   * @throws what a start ends with: damage, or the system's error
   */
  static async start(files: Files, directives: Readonly<Record<string, string>>): Promise<LogMachine> {
    const all = { dir: MACHINE_DIRECTORY, "auto-aof-rewrite-percentage": "0", ...directives };
    const runner = new CommandRunner(allCommands, { regionSize: REGION_SIZE, directives: all });
    const { configuration, keyspace, effects } = runner;
    const { report, log } = await new Recovery(runner.engine, { files }).run();
    const directory = {
      path: join(MACHINE_DIRECTORY, configuration.get("appenddirname")),
      parent: MACHINE_DIRECTORY,
      filename: configuration.get("appendfilename"),
      rdbName: configuration.get("dbfilename"),
    };
    const link = new LinkWithoutThread(files, directory);
    const snapshots: BaseWriter = {
      isRunning: false,
      hasOtherJob: () => false,
      begin: (temporary, form, onEnd) => machine.#writeBase(temporary, form, onEnd),
      cancel: () => undefined,
    };
    const hasData = (): boolean => keyspace.databases.some(({ count }) => count > 0);
    const notice = (): void => undefined;
    const parts = { configuration, effects, snapshots, link, files, directory, hasData, notice, news: notice };
    const machine = new LogMachine(files, runner, new LogKeeper(parts), report);
    if (log !== undefined) await machine.keeper.start(log);
    return machine;
  }

  /** Executes a command in a turn of its own. */
  execute(...words: string[]): Outcome {
    const { keeper, runner } = this;
    if (keeper.writeRefusal !== undefined) return "refused";
    const reply = runner.run(...words);
    if (reply.startsWith("-")) throw new Error(`${words.join(" ")} => ${reply}`);
    const { log } = keeper;
    log.flush(1);
    return log.failure === undefined && log.released === log.appended ? "acknowledged" : "held";
  }

  /** Rewrites the log. @returns whether that succeeded */
  async rewrite(): Promise<boolean> {
    return await this.keeper.rewriteNow().then(
      () => true,
      () => false,
    );
  }

  /** Everything executed so far is on the disk. @returns whether that is so */
  async durable(): Promise<boolean> {
    return await this.keeper.durable().then(
      () => true,
      () => false,
    );
  }

  /** SAVE. @returns whether that succeeded */
  save(): boolean {
    try {
      const path = join(MACHINE_DIRECTORY, this.runner.configuration.get("dbfilename"));
      this.#write(path, this.#newTemporary(path), "rdb");
      return true;
    } catch {
      return false;
    }
  }

  /** Ends it in good order. @returns whether everything is durable */
  async close(): Promise<boolean> {
    return await this.keeper.close().then(
      () => true,
      () => false,
    );
  }

  #writeBase(temporary: string, form: SnapshotForm, onEnd: (error?: string) => void): void {
    let error: string | undefined;
    try {
      this.#write(undefined, temporary, form);
    } catch (thrown) {
      error = (thrown as Error).message;
    }
    queueMicrotask(() => onEnd(error));
  }

  #write(path: string | undefined, temporary: string, form: SnapshotForm): void {
    const { keyspace, configuration } = this.runner;
    const regions = keyspace.shards.map(({ region }) => liveRegion(region));
    const view = new FrozenKeyspace(regions, keyspace.databases.length, (region) => new LiveReader(region));
    const kept = { aux: new Map(), functions: [] };
    const plan = planSnapshot(keyspace, configuration, kept, path, temporary, form, SECONDS);
    writeSnapshot(this.#files, view, keyspace.access.moment(), plan, newSnapshotWords());
  }

  #newTemporary(path: string): string {
    this.#temporaries += 1;
    return temporaryPathOf(path, this.#temporaries);
  }
}

/** The thread `log-writer`, without a thread. */
class LinkWithoutThread implements LogWriterLink {
  onProgress: LogWriterLink["onProgress"];
  readonly #tasks: LogWriterTasks;
  #channel: LogChannel | undefined;
  #done: { readonly value: number; readonly error: string | undefined } | undefined;

  constructor(files: Files, directory: ConstructorParameters<typeof LogWriterTasks>[1]) {
    this.#tasks = new LogWriterTasks(
      files,
      directory,
      (report) => this.#hear(report),
      (path, done) => done(failureOf(() => files.remove(path))),
    );
  }

  wake(): void {
    // Until nothing is due at once; what is due later, such as the sync of `everysec`, is not waited for.
    for (let dueMs = this.#tasks.round(); dueMs <= 0; ) dueMs = this.#tasks.round();
    this.#channel?.store(STATE, ASLEEP);
  }

  run(task: NewLogTask): Promise<number> {
    this.#done = undefined;
    if (task.kind === "begin") this.#channel = new LogChannel(task.buffers);
    this.#tasks.do({ ...task, number: 1 });
    const { value, error } = this.#done ?? { value: 0, error: "the task was not told to be done" };
    this.wake();
    return error === undefined ? Promise.resolve(value) : Promise.reject(new Error(error));
  }

  #hear(report: LogReport): void {
    if (report.kind === "done") this.#done = report;
    else this.onProgress?.(report);
  }
}

function failureOf(work: () => void): NodeJS.ErrnoException | null {
  try {
    work();
    return null;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}
