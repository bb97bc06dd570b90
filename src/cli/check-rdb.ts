/** `stillwater check-rdb FILE`: whether an RDB file is sound, what is in it, and where it is damaged. */
import { realFiles } from "../durability/files.ts";
import { checkRdbFile } from "../durability/rdb-check.ts";

const USAGE = "Usage: stillwater check-rdb FILE";

/**
 * @param args what follows `check-rdb` on the command line
 * @param say prints a line
 * @returns the exit code: 0 if a store here would load all of the file
 */
export function checkRdb(args: readonly string[], say: (line: string) => void): 0 | 1 {
  const [path] = args;
  if (path === undefined || args.length > 1 || path.startsWith("--")) {
    say(USAGE);
    return 1;
  }
  try {
    return checkRdbFile(realFiles, path, { now: Date.now() }, say).isLoadable ? 0 : 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    say(`Cannot read the file: ${(error as Error).message}`);
    return 1;
  }
}
