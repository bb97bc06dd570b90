import { FileError } from "./file-error.ts";

/** A file that cannot be what it was written as: nothing is skipped. */
export class DamagedFileError extends FileError {
  override readonly name = "DamagedFileError";
  override readonly code = "DAMAGED_FILE";

  constructor(file: string, offset: number, reason: string, advice: string) {
    super(`${file} is damaged at byte ${offset}`, file, offset, reason, advice);
  }
}
