/**
 * Where a log comes to a time: `#TS:<seconds>` lines, which stand in front of commands with aof-timestamp-enabled, and
 * in a batch behind its line. Commands are the log reader's; here the lines between two of them are read.
 *
 *     … SET k 1 │ #stillwater:7 90 41bc…  #TS:1700000003  SET k 2 …
 *               from                                      to
 *
 * Any thread.
 */
import type { Arguments } from "../base/arguments.ts";
import { lengthOfInt64 } from "../base/int64.ts";
import type { OpenFile } from "./files.ts";

const LF = 0x0a;
const HASH = 0x23;
const MARK = "#TS:";
/** As Redis reads a number: with blanks before it, and 0 where there is none. */
const TIME = /^#TS:(|\s*[+-]?\d{1,15})\r/;
/** Redis reads lines of less bytes; longer ones are no annotations. */
const LINE_MAX = 1024;
/** "*" or "$", and two line ends: of a header, and of what it is about. */
const SIGN_AND_END = 3;
const END = 2;

/** A line that begins as one that tells the time, and tells none: in Redis's words. */
export class InvalidTimestampError extends Error {
  override readonly name = "InvalidTimestampError";

  constructor() {
    super("Invalid timestamp annotation");
  }
}

/**
 * Looks for the first line that tells a later time than `limit`.
 * @param from where lines may begin
 * @param to where the next command begins, or the file ends
 * @param limit seconds since 1970
 * @returns where that line begins, -1 if there is none
 * @throws InvalidTimestampError, or the system's error
 */
export function findLater(file: OpenFile, from: number, to: number, limit: number): number {
  const bytes = Buffer.allocUnsafe(Math.min(LINE_MAX, to - from));
  for (let at = from; at < to; ) {
    const count = file.read(bytes, 0, Math.min(bytes.length, to - at), at);
    const end = bytes.subarray(0, count).indexOf(LF) + 1;
    if (end === 0 || bytes[0] !== HASH) return -1;
    const line = bytes.latin1Slice(0, end);
    if (line.startsWith(MARK) && timeOf(line) > limit) return at;
    at += end;
  }
  return -1;
}

function timeOf(line: string): number {
  const time = TIME.exec(line)?.[1];
  if (time === undefined) throw new InvalidTimestampError();
  return Number(time);
}

/** Bytes that a command takes in a log. */
export function bytesOfCommand(args: Arguments): number {
  let bytes = SIGN_AND_END + lengthOfInt64(args.count);
  for (let index = 0; index < args.count; index++) {
    const length = args.length(index);
    bytes += SIGN_AND_END + lengthOfInt64(length) + length + END;
  }
  return bytes;
}
