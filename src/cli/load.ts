/** Loads what the directory holds, and tells the person at the terminal how it goes. */
import { basename } from "node:path";
import { systemErrorText } from "../config/system-error.ts";
import { DamagedFileError } from "../durability/damaged-file-error.ts";
import { UnloadableFileError } from "../durability/unloadable-file-error.ts";
import { OpeningEndedError, OpeningError } from "../engine/persistence.ts";
import type { OpenReport } from "../engine/recovery.ts";
import type { Store } from "../engine/store.ts";
import type { Log } from "./log.ts";
import { ProgressBar } from "./progress-bar.ts";
import { StartError } from "./start-error.ts";
import { inUnits } from "./units.ts";

/**
 * @returns false if the server is ended meanwhile
 * @throws StartError if the data cannot be read as it was written: it must not be served, nor written over
 */
export async function load(store: Store, log: Log): Promise<boolean> {
  const bar = new ProgressBar(process.stderr);
  let isTold = false;
  try {
    const report = await store.open({
      onProgress: (progress) => {
        if (!isTold && progress.totalBytes > 0) {
          isTold = true;
          log(`Loading ${inUnits(progress.totalBytes)} from ${store.configuration.get("dir")}`);
        }
        bar.show(progress);
      },
    });
    bar.end();
    for (const line of describeReport(report)) log(line);
    return true;
  } catch (error) {
    bar.end();
    if (error instanceof OpeningEndedError) return false;
    throw startErrorOf(error);
  }
}

/** One line for what was read, and one for each file that had to be cut off. */
export function describeReport({
  source,
  files,
  keys,
  expiredKeys,
  commands,
  cutOff,
  durationMs,
}: OpenReport): string[] {
  const cuts = cutOff.map(({ file, offset, bytes, keptAs, what }) => {
    return `Cut off the end of ${file} (${what}): ${bytes} bytes from offset ${offset}; they are kept as ${keptAs}`;
  });
  if (source === "none") return cuts;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const names = files.map(({ name }) => basename(name)).join(", ");
  const parts = [`${keys.toLocaleString("en")} keys`];
  if (commands > 0) parts.push(`${commands.toLocaleString("en")} commands`);
  if (expiredKeys > 0) parts.push(`${expiredKeys.toLocaleString("en")} keys had expired`);
  const seconds = (durationMs / 1000).toFixed(2);
  return [`Loaded ${inUnits(bytes)} from ${names} in ${seconds} s: ${parts.join(", ")}`, ...cuts];
}

const EXPECTED = [DamagedFileError, UnloadableFileError, OpeningError] as const;

function startErrorOf(error: unknown): unknown {
  if (EXPECTED.some((kind) => error instanceof kind)) return new StartError((error as Error).message);
  const { syscall, path } = error as NodeJS.ErrnoException;
  if (syscall === undefined) return error;
  return new StartError(
    `Could not load the data${path === undefined ? "" : ` from ${path}`}: ${systemErrorText(error)}`,
  );
}
