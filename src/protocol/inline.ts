/**
 * Inline requests: a line of words, for people with a terminal. Quoting as in redis-cli: "…" with \n \r \t \b \a \xHH
 * and \ before anything else; '…' with \' only; a closing quote must be followed by a space or the end.
 */
import type { Arguments } from "../base/arguments.ts";

const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, b: 0x08, a: 0x07 };

/** Splits `line` into `args`, in a buffer of their own. @returns false if quotes are not balanced */
export function splitInline(line: Buffer, args: Arguments): boolean {
  const output = Buffer.allocUnsafeSlow(line.length);
  args.reset(output);
  let length = 0;
  let at = 0;
  for (;;) {
    while (at < line.length && isSpace(line[at]!)) at += 1;
    if (at >= line.length) return true;
    const start = length;
    while (at < line.length && !isSpace(line[at]!)) {
      const byte = line[at]!;
      if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) {
        const end = closingQuote(line, at);
        if (end === -1) return false;
        length = unquote(line, at + 1, end, byte === DOUBLE_QUOTE, output, length);
        at = end + 1;
        if (at < line.length && !isSpace(line[at]!)) return false;
        break;
      }
      output[length] = byte;
      length += 1;
      at += 1;
    }
    args.push(start, length - start);
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= 0x09 && byte <= 0x0d) || byte === 0;
}

function closingQuote(line: Buffer, open: number): number {
  const quote = line[open]!;
  for (let at = open + 1; at < line.length; at++) {
    if (line[at] === quote) return at;
    if (line[at] === BACKSLASH && (quote === DOUBLE_QUOTE || line[at + 1] === SINGLE_QUOTE)) at += 1;
  }
  return -1;
}

function unquote(
  line: Buffer,
  start: number,
  end: number,
  hasEscapes: boolean,
  output: Buffer,
  outputLength: number,
): number {
  let length = outputLength;
  for (let at = start; at < end; at++) {
    let byte = line[at]!;
    if (byte === BACKSLASH && at + 1 < end) {
      if (hasEscapes) {
        const digits = line.latin1Slice(at + 2, Math.min(at + 4, end));
        if (line[at + 1] === 0x78 && /^[\da-f]{2}$/i.test(digits)) {
          byte = Number.parseInt(digits, 16);
          at += 3;
        } else {
          byte = ESCAPES[String.fromCharCode(line[at + 1]!)] ?? line[at + 1]!;
          at += 1;
        }
      } else if (line[at + 1] === SINGLE_QUOTE) {
        byte = SINGLE_QUOTE;
        at += 1;
      }
    }
    output[length] = byte;
    length += 1;
  }
  return length;
}
