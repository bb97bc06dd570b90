/** What makes a file unusable, and how far it was usable. Whoever opens a store gets it: nothing is guessed. */
export abstract class FileError extends Error {
  abstract readonly code: string;
  /** Its path. */
  readonly file: string;
  /** The first byte that could not be used, counted from 0. */
  readonly offset: number;
  /** What is wrong there, or in the way, in some words. */
  readonly reason: string;
  /** What a person can do about it: a whole sentence. */
  readonly advice: string;

  constructor(message: string, file: string, offset: number, reason: string, advice: string) {
    super(`${message}: ${reason}. ${advice}`);
    this.file = file;
    this.offset = offset;
    this.reason = reason;
    this.advice = advice;
  }
}
