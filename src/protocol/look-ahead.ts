/**
 * Looks ahead in what a connection has sent for the keys of the requests that wait, so that memory can be fetched for
 * all of them together (keyspace/keys-ahead.ts says why that is worth it).
 *
 * It knows just enough of the protocol to step over plain requests of up to nine arguments, and stops at anything else;
 * a request's second argument is taken for its key. What it gets wrong costs time only.
 */

import { AHEAD_MAX } from "../keyspace/keys-ahead.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";

const CR = 0x0d;
const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const LENGTH_DIGITS = 6;
/** Longer keys take longer to hash than the memory they wait for. */
const KEY_LENGTH_MAX = 256;

/**
 * Foresees the keys of the complete requests in [at, end) of `bytes`.
 * @param database index of the database that they will be looked up in
 * @returns how many requests were looked at
 */
export function lookAhead(keyspace: Keyspace, database: number, bytes: Buffer, at: number, end: number): number {
  keyspace.ahead.clear();
  let position = at;
  let requests = 0;
  while (requests < AHEAD_MAX && position + 4 <= end) {
    const argumentCount = bytes[position + 1]! - 0x30;
    if (bytes[position] !== ASTERISK || bytes[position + 2] !== CR || argumentCount < 1 || argumentCount > 9) break;
    position = stepOver(keyspace, bytes, position + 4, end, argumentCount);
    if (position === -1) break;
    requests += 1;
  }
  if (requests > 0) keyspace.touchAhead(database);
  return requests;
}

/** Steps over a request's arguments and foresees the second. @returns the position behind them, -1 if it stopped */
function stepOver(keyspace: Keyspace, bytes: Buffer, at: number, end: number, argumentCount: number): number {
  let position = at;
  for (let index = 0; index < argumentCount; index++) {
    if (bytes[position] !== DOLLAR) return -1;
    position += 1;
    let length = 0;
    const digitsEnd = position + LENGTH_DIGITS;
    for (; position < digitsEnd && bytes[position] !== CR; position++) length = length * 10 + bytes[position]! - 0x30;
    position += 2;
    if (!(length >= 0 && position + length + 2 <= end)) return -1;
    if (index === 1 && length <= KEY_LENGTH_MAX) keyspace.foresee(bytes, position, length);
    position += length + 2;
  }
  return position;
}
