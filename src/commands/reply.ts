/**
 * Reply: what a handler answers with, in the terms of the protocol's types; RESP2, RESP3 and JavaScript values are
 * written by what implements it. Where the two protocols differ in more than form, `version` says which is spoken.
 *
 * Aggregates are announced with their length, and their elements follow.
 */
import type { Int64 } from "../base/int64.ts";

export interface Reply {
  /** 2 or 3; HELLO and RESET change it. */
  version: number;
  ok(): void;
  /** A status such as PONG; no line breaks. */
  simple(text: string): void;
  /** @param text Redis's error line without the "-"; a character is a byte: what it quotes of a request is Latin-1 */
  error(text: string): void;
  integer(value: Int64): void;
  /** A string of bytes; copied at once. */
  bulk(bytes: Buffer, start: number, length: number): void;
  /** A string, sent as UTF-8. */
  bulkText(text: string): void;
  /** The absent string. */
  null(): void;
  /** The absent array; differs from `null` in RESP2. */
  nullArray(): void;
  array(length: number): void;
  /** Pairs; a flat array in RESP2. @param pairs keys with their values */
  map(pairs: number): void;
  /** An array in RESP2. */
  set(length: number): void;
  /** A bulk string in RESP2. */
  double(value: number): void;
  /** The same, in digits of the command's own choice. */
  doubleAs(text: string): void;
  /** 1 or 0 in RESP2. */
  boolean(value: boolean): void;
  /** A bulk string in RESP2. @param format three characters, such as "txt" */
  verbatim(format: string, text: string): void;
  /** An out-of-band message; an array in RESP2. */
  push(length: number): void;
}
