/** What it means that a command of a log cannot be executed, for the person who wants the store to start. */
import { OUT_OF_MEMORY } from "../commands/errors.ts";
import { DamagedFileError } from "../durability/damaged-file-error.ts";
import { UnloadableFileError } from "../durability/unloadable-file-error.ts";

/** A command of a log that could not be executed. */
export interface FailedCommand {
  /** Its name; with its subcommand, where that is what is not known. */
  readonly name: string;
  /** Where it begins in its file. */
  readonly offset: number;
  /** Whether there is none of that name here. */
  readonly isUnknown: boolean;
  /** The error that it replies. */
  readonly error: string;
}

/** What a name can look like: others are made by damage. */
const NAME = /^[a-z][a-z0-9._-]*( .*)?$/i;

/** One that is executed live gets into a log only if it has not failed. */
export function failureOf(path: string, { name, offset, isUnknown, error }: FailedCommand): Error {
  if (error === OUT_OF_MEMORY) {
    const advice = "Raise maxmemory, or region-size where there is no limit.";
    return new UnloadableFileError(path, offset, "there is no room for what it holds", advice);
  }
  if (isUnknown && NAME.test(name)) {
    const advice =
      "Where this log was written, delete what needs that command (for XADD, the streams), let BGREWRITEAOF write " +
      "the log anew, and copy it again. If there is no such command either, the file is damaged.";
    return new UnloadableFileError(path, offset, `the command '${name}' there does not exist here`, advice);
  }
  const advice =
    "A command that was logged had succeeded, so this file was damaged, or written by a program that knows more " +
    "commands, or belongs to other files.";
  return new DamagedFileError(path, offset, `the command '${name}' there fails with "${error}"`, advice);
}
