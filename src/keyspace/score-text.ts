/**
 * Scores as text: how a listpack stores those that are not integers. As Redis 7.2 writes them, in the fewest digits
 * that read back as the same number; a zero has no sign. Owner thread only: the text stands in one buffer.
 */
import { formatDouble } from "../base/format-double.ts";
import { writeInt64 } from "../base/int64.ts";
import { parsePlainNumber } from "../base/plain-number.ts";

/** Where `writeScore` writes. */
export const scoreText = Buffer.alloc(32);

/** @returns bytes written to `scoreText`; of an integer these are its digits, which a listpack stores as integer */
export function writeScore(score: number): number {
  if (Number.isSafeInteger(score)) return writeInt64(score + 0, scoreText, 0);
  const text = formatDouble(score);
  return scoreText.latin1Write(text, 0, text.length);
}

/** The score that stands in [start, start + length) of `bytes`. */
export function readScore(bytes: Buffer, start: number, length: number): number {
  const plain = parsePlainNumber(bytes, start, length);
  if (!Number.isNaN(plain)) return plain;
  const text = bytes.latin1Slice(start, start + length);
  if (text === "inf") return Number.POSITIVE_INFINITY;
  return text === "-inf" ? Number.NEGATIVE_INFINITY : Number(text);
}
