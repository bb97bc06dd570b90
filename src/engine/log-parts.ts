/** What the keeper of a log (log-keeper.ts) is given, which tests give it others of, and small things that it does. */
import type { LogWriterLink } from "../background/log-writer.ts";
import type { Configuration } from "../config/configuration.ts";
import type { EffectLog } from "../durability/effect-log.ts";
import type { Files } from "../durability/files.ts";
import type { LogDirectory, LogFile } from "../durability/manifest.ts";

/** What the log needs of whoever writes snapshots. */
export interface BaseWriter {
  readonly isRunning: boolean;
  hasOtherJob: () => boolean;
  /** See Snapshotter.begin. */
  begin(temporary: string, aux: readonly (readonly [string, string])[], onEnd: (error?: string) => void): void;
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
}

/** The number of the file that comes after. */
export function nextSequence(last: LogFile | undefined): number {
  return (last?.sequence ?? 0) + 1;
}

/** Before another look at what nobody tells of. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10).unref());
}
