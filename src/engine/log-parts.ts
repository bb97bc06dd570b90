/** What the keeper of a log (log-keeper.ts) is given, which tests give it others of, and small things that it does. */
import { join } from "node:path";
import type { LogWriterLink } from "../background/log-writer.ts";
import type { Configuration } from "../config/configuration.ts";
import type { AppendLog } from "../durability/append-log.ts";
import type { EffectLog } from "../durability/effect-log.ts";
import type { Files } from "../durability/files.ts";
import type { LogDirectory, LogFile } from "../durability/manifest.ts";
import type { SnapshotForm } from "../durability/snapshot-writer.ts";

/** What is said of rewrites. */
export const TEXTS = {
  started: "Background append only file rewriting started",
  scheduled: "Background append only file rewriting scheduled",
  inProgress: "ERR Background append only file rewriting already in progress",
  isOff: "ERR there is no append only file to rewrite: appendonly is no",
  notWanted: "the log was turned off",
} as const;

/** What the log needs of whoever writes snapshots. */
export interface BaseWriter {
  readonly isRunning: boolean;
  hasOtherJob: () => boolean;
  /** See Snapshotter.begin. */
  begin(temporary: string, form: SnapshotForm, onEnd: (error?: string) => void): void;
  cancel(): void;
}

export interface LogKeeperParts {
  readonly configuration: Configuration;
  readonly effects: EffectLog;
  readonly snapshots: BaseWriter;
  readonly link: LogWriterLink;
  readonly files: Files;
  readonly directory: LogDirectory;
  /** Whether the store has any data. */
  hasData(): boolean;
  /** Told, in a line, of what became of the files when nobody has asked. */
  notice(line: string): void;
  /** Told, in a line, of what has succeeded. */
  news(line: string): void;
}

/** Has a base written, as of now. @throws Error that says why it could not be */
export function writeBase(snapshots: BaseWriter, temporary: string, form: SnapshotForm): Promise<void> {
  return new Promise((resolve, reject) => {
    snapshots.begin(temporary, form, (error) => {
      if (error === undefined) resolve();
      else reject(new Error(error));
    });
  });
}

/** Keeps how the log is appended to and synced what the configuration says. @returns what ends that */
export function followAppending(log: AppendLog, configuration: Configuration): (() => void)[] {
  log.policy = configuration.get("appendfsync");
  log.hasTimestamps = configuration.get("aof-timestamp-enabled");
  return [
    configuration.onChange("appendfsync", (policy): undefined => {
      log.policy = policy;
    }),
    configuration.onChange("aof-timestamp-enabled", (isOn): undefined => {
      log.hasTimestamps = isOn;
    }),
  ];
}

/** Where the log's thread works, as the configuration says. */
export function logDirectoryOf(configuration: Configuration): LogDirectory {
  const parent = configuration.get("dir");
  return {
    path: join(parent, configuration.get("appenddirname")),
    parent,
    filename: configuration.get("appendfilename"),
    rdbName: configuration.get("dbfilename"),
  };
}

/** The number of the file that comes after. */
export function nextSequence(last: LogFile | undefined): number {
  return (last?.sequence ?? 0) + 1;
}

/** Before another look at what nobody tells of. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10).unref());
}
