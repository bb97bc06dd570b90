/** A file that is sound, as far as it has been read, but not for this store: which has no room, or not its types. */
export class UnloadableFileError extends Error {
  override readonly name = "UnloadableFileError";
  readonly code = "UNLOADABLE_FILE";
  /** Its path. */
  readonly file: string;
  /** How far it could be read, in bytes. */
  readonly offset: number;
  /** What stands in the way, in some words. */
  readonly reason: string;
  /** What a person can do about it: a whole sentence. */
  readonly advice: string;

  constructor(file: string, offset: number, reason: string, advice: string) {
    super(`${file} cannot be loaded beyond byte ${offset}: ${reason}. ${advice}`);
    this.file = file;
    this.offset = offset;
    this.reason = reason;
    this.advice = advice;
  }
}
