import { FileError } from "./file-error.ts";

/** A file that is sound, as far as it has been read, but not for this store: which has no room, or not its types. */
export class UnloadableFileError extends FileError {
  override readonly name = "UnloadableFileError";
  override readonly code = "UNLOADABLE_FILE";

  constructor(file: string, offset: number, reason: string, advice: string) {
    super(`${file} cannot be loaded beyond byte ${offset}`, file, offset, reason, advice);
  }
}
