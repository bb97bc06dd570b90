/** A file that cannot be what it was written as. Whoever opens a store gets it: nothing is guessed, nothing skipped. */
export class DamagedFileError extends Error {
  override readonly name = "DamagedFileError";
  readonly code = "DAMAGED_FILE";
  /** Its path. */
  readonly file: string;
  /** The first byte that is not as it has to be, counted from 0. */
  readonly offset: number;
  /** What is wrong there, in some words. */
  readonly reason: string;
  /** What a person can do about it: a whole sentence. */
  readonly advice: string;

  constructor(file: string, offset: number, reason: string, advice: string) {
    super(`${file} is damaged at byte ${offset}: ${reason}. ${advice}`);
    this.file = file;
    this.offset = offset;
    this.reason = reason;
    this.advice = advice;
  }
}
