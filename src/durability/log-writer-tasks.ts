/**
 * LogWriterTasks: all that the log's thread does for its owner, task by task; LogFileWriter does the appending.
 *
 *     set in force        task                                  what a crash behind it finds
 *     base 1, incr 1      prepare: incr 2, listed               base 1, incr 1, incr 2 (with what was logged there)
 *     ...                 (owner: switch and freeze; snapshot: writes base 2 beside it)
 *     ...                 commit: base 2 renamed, listed with incr 2, the others no more        base 2, incr 2
 *                         retire: deletes what is listed no more
 *
 * A log that begins anew (the first one of a store that has data already, or one after a failure) has no old set that
 * would be complete with its increment. That one is therefore written under a temporary name, and counts from `commit`
 * on: first the base alone is listed, then the increment gets its name, then both are. What a crash finds in between is
 * the data as of the freeze, and nothing that was written since had been promised.
 *
 * Invariants: a manifest lists only files that are durable, and increments of which only the last may have a torn end.
 * Tasks are done in the order in which they were given; each that fails says why and has left the old set in force.
 *
 * Threads: the writer's; in tests any.
 */
import { join } from "node:path";
import { systemErrorText } from "../config/system-error.ts";
import type { Files } from "./files.ts";
import { LogChannel, type LogChannelBuffers } from "./log-channel.ts";
import { LogFileWriter, type LogProgress } from "./log-file-writer.ts";
import { AofNames, commitManifest, type LogDirectory, type LogFile, type Manifest } from "./manifest.ts";
import { type Remove, RetiredFiles } from "./retired-files.ts";

export type LogTask =
  /** Makes a first set of one empty increment: of a store without data. */
  | { readonly kind: "create"; readonly number: number; readonly manifest: Manifest }
  /** Appends to that file from now on. `isNew`: makes it. */
  | {
      readonly kind: "begin";
      readonly number: number;
      readonly buffers: LogChannelBuffers;
      readonly name: string;
      readonly isNew: boolean;
    }
  /** Makes the file that the next switch goes to, and lists it. */
  | { readonly kind: "prepare"; readonly number: number; readonly incr: LogFile; readonly manifest: Manifest }
  /** Puts a base that has been written at `temporary` in force; `from`: the increment's temporary name, if any. */
  | {
      readonly kind: "commit";
      readonly number: number;
      readonly temporary: string;
      readonly from: string | undefined;
      readonly manifest: Manifest;
    }
  /** Deletes what the manifest lists no more. `isStart`: temporaries of this process as well. */
  | { readonly kind: "retire"; readonly number: number; readonly isStart: boolean }
  /** Removes a file that is not wanted any more. */
  | { readonly kind: "discard"; readonly number: number; readonly name: string }
  /** Appends and syncs what there is, and closes the file. */
  | { readonly kind: "end"; readonly number: number };

/** How the deletion of retired files goes. */
export interface RetirementReport {
  readonly kind: "retired";
  readonly waiting: number;
  readonly error: string | undefined;
}

/** A task is done: with some figure, or not, and why. */
export interface LogTaskDone {
  readonly kind: "done";
  readonly number: number;
  readonly value: number;
  readonly error: string | undefined;
}

export type LogReport = LogProgress | LogTaskDone | RetirementReport;

export class LogWriterTasks {
  readonly #files: Files;
  readonly #directory: LogDirectory;
  readonly #names: AofNames;
  readonly #tell: (report: LogReport) => void;
  readonly #retired: RetiredFiles;
  #writer: LogFileWriter | undefined;

  /** @param remove see RetiredFiles; by default the file system's */
  constructor(files: Files, directory: LogDirectory, tell: (report: LogReport) => void, remove?: Remove) {
    this.#files = files;
    this.#directory = directory;
    this.#names = new AofNames(directory.filename);
    this.#tell = tell;
    this.#retired = new RetiredFiles(
      files,
      {
        logDirectory: directory.path,
        names: this.#names,
        dataDirectory: directory.parent,
        rdbName: directory.rdbName,
      },
      remove,
    );
  }

  /** Does one task, and tells that it is done. */
  do(task: LogTask): void {
    let value = 0;
    let error: string | undefined;
    try {
      value = this.#do(task);
    } catch (thrown) {
      error = systemErrorText(thrown);
    }
    this.#tell({ kind: "done", number: task.number, value, error });
  }

  /** Appends and syncs what is due. @returns milliseconds until the next call, see LogFileWriter.work */
  work(): number {
    return this.#writer?.work() ?? Number.POSITIVE_INFINITY;
  }

  /** As `work`, without waiting for more. */
  round(): number {
    return this.#writer?.round() ?? Number.POSITIVE_INFINITY;
  }

  /** Goes on with what could not be deleted at once. @returns whether anything is left */
  retire(): boolean {
    this.#retired.retry(performance.now());
    const { waiting, lastError } = this.#retired;
    this.#tell({ kind: "retired", waiting, error: lastError });
    return this.#retired.isUnfinished;
  }

  #do(task: LogTask): number {
    switch (task.kind) {
      case "create":
        return this.#create(task.manifest);
      case "begin":
        return this.#begin(task.buffers, this.#pathOf(task.name), task.isNew);
      case "prepare":
        if (this.#writer === undefined) this.#make(task.incr.name);
        else this.#writer.prepare(this.#pathOf(task.incr.name));
        return this.#commitManifest(task.manifest);
      case "commit":
        return this.#commit(task.temporary, task.from, task.manifest);
      case "retire":
        this.#retired.sweep(task.isStart);
        this.retire();
        return 0;
      case "discard":
        this.#files.remove(this.#pathOf(task.name));
        return 0;
      case "end":
        this.#writer?.end();
        this.#writer = undefined;
        return 0;
    }
  }

  #create(manifest: Manifest): number {
    this.#makeDirectory();
    for (const { name } of manifest.incrs) this.#make(name);
    return this.#commitManifest(manifest);
  }

  /** Makes a file, empty and durable but for its name. */
  #make(name: string): void {
    const file = this.#files.open(this.#pathOf(name), "create");
    try {
      file.sync();
    } finally {
      file.close();
    }
  }

  #begin(buffers: LogChannelBuffers, path: string, isNew: boolean): number {
    if (isNew) {
      this.#makeDirectory();
      this.#files.open(path, "create").close();
    }
    this.#writer?.abandon();
    this.#writer = undefined;
    this.#writer = new LogFileWriter(this.#files, new LogChannel(buffers), path, this.#tell);
    return 0;
  }

  #commit(temporary: string, from: string | undefined, manifest: Manifest): number {
    const base = this.#pathOf(manifest.base!.name);
    if (from === undefined) {
      this.#files.rename(temporary, base);
      this.#commitManifest(manifest);
    } else {
      this.#files.rename(temporary, base);
      this.#commitManifest({ base: manifest.base, incrs: [], history: [] });
      this.#files.rename(this.#pathOf(from), this.#pathOf(manifest.incrs[0]!.name));
      this.#commitManifest(manifest);
    }
    return this.#files.size(base) ?? 0;
  }

  /** The names that it lists are durable before it is. */
  #commitManifest(manifest: Manifest): number {
    this.#files.syncDirectory(this.#directory.path);
    commitManifest(this.#files, this.#directory.path, this.#names, manifest);
    return 0;
  }

  #makeDirectory(): void {
    this.#files.makeDirectory(this.#directory.path);
    this.#files.syncDirectory(this.#directory.parent);
  }

  #pathOf(name: string): string {
    return join(this.#directory.path, name);
  }
}
