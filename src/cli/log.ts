/** Where a server's messages go: to standard output, or with the time before them to the log file. */
import { appendFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Configuration } from "../config/configuration.ts";
import { systemErrorText } from "../config/system-error.ts";
import { StartError } from "./start-error.ts";

export type Log = (line: string) => void;

/** @throws StartError if the log file cannot be written */
export function openLog(configuration: Configuration): Log {
  const isSilent = () => configuration.get("loglevel") === "nothing";
  const file = configuration.get("logfile");
  if (file === "") return (line) => void (isSilent() || process.stdout.write(`${line}\n`));
  const path = resolve(configuration.get("dir"), file);
  try {
    appendFileSync(path, "");
  } catch (error) {
    throw new StartError(`Could not write the log file ${path}: ${systemErrorText(error)}`);
  }
  // Opened for each line, so that the file can be renamed and replaced at any time.
  return (line) => {
    if (isSilent()) return;
    try {
      appendFileSync(path, `${new Date().toISOString()} ${line}\n`);
    } catch (error) {
      process.stderr.write(`${line}\n(not in the log file ${path}: ${systemErrorText(error)})\n`);
    }
  };
}
