/**
 * RequestBatch: requests that are parsed ahead of their execution, so that all of them can be looked at together
 * (keyspace/look-ahead.ts).
 *
 * Takes requests of the common form only: up to nine arguments of up to 99 bytes, all there. Nothing that Redis limits
 * or refuses is among them, so a request counts as having come when it is its turn, not before.
 *
 * One for all connections of a thread: it is empty before and after each turn of a connection.
 */
import { Arguments } from "../base/arguments.ts";

const CR = 0x0d;
const DOLLAR = 0x24;
const ASTERISK = 0x2a;
const ZERO = 0x30;
/** The longest argument that a request in a batch may have. */
export const SHORT_MAX = 99;

export class RequestBatch {
  readonly requests: readonly Arguments[];
  count = 0;
  /** The first request that has not been executed. */
  next = 0;

  constructor(capacity: number) {
    this.requests = Array.from({ length: capacity }, () => new Arguments());
  }

  clear(): void {
    this.count = 0;
    this.next = 0;
  }

  /**
   * Takes the requests that stand in [start, end) of `bytes`, up to the first that is not of the common form.
   * @returns where that begins
   */
  fill(bytes: Buffer, start: number, end: number): number {
    const { requests } = this;
    let at = start;
    let count = 0;
    for (; count < requests.length; count++) {
      if (end - at < 4 || bytes[at] !== ASTERISK || bytes[at + 2] !== CR) break;
      const args = requests[count]!;
      args.reset(bytes);
      const next = readArguments(args, bytes[at + 1]! - ZERO, at + 4, end);
      if (next === -1) break;
      args.requestStart = at;
      at = next;
    }
    this.count = count;
    this.next = 0;
    return at;
  }
}

/** Reads `count` arguments from `start`. @returns where they end, -1 if one is not of the common form */
function readArguments(args: Arguments, count: number, start: number, end: number): number {
  if (count < 1 || count > 9) return -1;
  const { bytes } = args;
  let at = start;
  for (let index = 0; index < count; index++) {
    if (end - at < 5 || bytes[at] !== DOLLAR) return -1;
    let length = bytes[at + 1]! - ZERO;
    if (length < 0 || length > 9) return -1;
    const second = bytes[at + 2]!;
    at += 4;
    if (second !== CR) {
      if (length === 0 || second < ZERO || second > ZERO + 9 || bytes[at - 1] !== CR) return -1;
      length = length * 10 + second - ZERO;
      at += 1;
    }
    args.push(at, length);
    at += length + 2;
    if (at > end) return -1;
  }
  return at;
}
