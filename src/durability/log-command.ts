/**
 * LogCommand: one command of a log, read by the strict grammar of RESP: lengths in canonical decimals, every line ended
 * by CR LF, no inline commands. What is stricter than a server's reading of requests is so on purpose: a file that
 * differs from what any writer writes has been damaged, and the earlier that is noticed the better.
 */
import { Arguments } from "../base/arguments.ts";
import { parseInt64 } from "../base/int64.ts";
import { WINDOW_MAX } from "./log-window.ts";

const CR = 0x0d;
const LF = 0x0a;
const ASTERISK = 0x2a;
const DOLLAR = 0x24;
/** "*" or "$", ten digits, CR, LF: no header that is in order is longer. */
const HEADER_MAX = 13;
/** Argument tables that are larger are let go after the command that needed them. */
const KEPT_ARGUMENTS = 1024;

/** What makes a command unreadable, and where, as a position in the bytes. */
export class MalformedCommandError extends Error {
  readonly at: number;

  constructor(at: number, what: string) {
    super(what);
    this.at = at;
  }
}

export class LogCommand {
  readonly args = new Arguments();
  /** Behind the command, once it has been read. */
  end = 0;
  /** Where it is incomplete: how many bytes from its beginning on are needed to go on at all. */
  wanted = 0;
  #start = 0;
  #filled = 0;
  #at = 0;

  /**
   * Reads the command that begins at `start`.
   * @returns false if the bytes end, at `filled`, before it does: `wanted` says how many it needs at least
   * @throws MalformedCommandError
   */
  read(bytes: Buffer, start: number, filled: number): boolean {
    const { args } = this;
    if (args.starts.length > KEPT_ARGUMENTS) args.release();
    args.reset(bytes);
    this.#start = start;
    this.#filled = filled;
    this.#at = start;
    const count = this.#readHeader(bytes, ASTERISK, "a command, which begins with '*'");
    if (count === -1) return false;
    if (count === 0) throw new MalformedCommandError(start, "a command of no words");
    for (let index = 0; index < count; index++) {
      const length = this.#readHeader(bytes, DOLLAR, "an argument, which begins with '$'");
      if (length === -1) return false;
      const end = this.#at + length;
      if (end + 2 > filled) return this.#want(end + 2);
      if (bytes[end] !== CR || bytes[end + 1] !== LF) {
        throw new MalformedCommandError(end, "no line end where the argument's length says it is");
      }
      args.push(this.#at, length);
      this.#at = end + 2;
    }
    this.end = this.#at;
    return true;
  }

  /** @returns the number, -1 if the bytes end before the line does */
  #readHeader(bytes: Buffer, type: number, expected: string): number {
    const at = this.#at;
    const end = Math.min(this.#filled, at + HEADER_MAX);
    if (at < end && bytes[at] !== type) {
      throw new MalformedCommandError(at, `${describeByte(bytes[at]!)} instead of ${expected}`);
    }
    let lineEnd = at + 1;
    while (lineEnd < end && bytes[lineEnd]! >= 0x30 && bytes[lineEnd]! <= 0x39) lineEnd += 1;
    const isComplete = lineEnd + 1 < end;
    const isCutOff = !isComplete && end === this.#filled && (lineEnd >= end || bytes[lineEnd] === CR);
    if (isCutOff) {
      this.#want(end + 1);
      return -1;
    }
    const length = parseInt64(bytes, at + 1, lineEnd - at - 1);
    if (!isComplete || bytes[lineEnd] !== CR || bytes[lineEnd + 1] !== LF || typeof length !== "number") {
      throw new MalformedCommandError(at, "a length that is no number");
    }
    if (length > WINDOW_MAX) throw new MalformedCommandError(at, `a length of ${length}, which no command has`);
    this.#at = lineEnd + 2;
    return length;
  }

  /** @returns false, for whoever returns it. @param end position that must be reached */
  #want(end: number): false {
    this.wanted = end - this.#start;
    return false;
  }
}

/** A byte, in words for a person. */
export function describeByte(byte: number): string {
  if (byte === 0) return "a zero byte";
  return byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `the byte 0x${byte.toString(16)}`;
}

/** Whether all lines of a command that was parsed without looking at their ends have them. */
export function haveLineEnds(bytes: Buffer, args: Arguments): boolean {
  let at = args.requestStart + 3;
  for (let index = 0; index < args.count; index++) {
    if (bytes[at] !== LF) return false;
    const start = args.starts[index]!;
    const end = start + args.lengths[index]!;
    if (bytes[start - 2] !== CR || bytes[start - 1] !== LF || bytes[end] !== CR) return false;
    at = end + 1;
  }
  return bytes[at] === LF;
}
