/**
 * Inputs that a request parser must survive: valid requests, the same with something broken, lines, and noise; and a
 * check that the parser makes of them what its naive twin does, however they are cut into pieces.
 */
import assert from "node:assert/strict";
import { ProtocolError, RequestParser } from "../protocol/request-parser.ts";
import { type NaiveLimits, parseNaively } from "./naive-request-parser.ts";
import type { Random } from "./random.ts";
import { encodeCommand } from "./resp-frame.ts";

const FRAGMENTS = [
  ..."*$\r\n -+/:01279\"'\\xab\0\xff",
  ...[
    "\r\n",
    "*1\r\n",
    "$1\r\n",
    "*0\r\n",
    "*-1\r\n",
    "$-1\r\n",
    "$0\r\n\r\n",
    "*3\r\n$3\r\nSET\r\n",
    "PING\r\n",
    '"\\x41"',
  ],
];
const LINES = ["PING", "", " ", 'ECHO "a b"', "SET k 'v'"];
const LENGTHS = ["", "-", "-1", "-0", "00", "01", "+1", "1x", "10", "11", "99", "100", "1024", "16384", "16385"].concat(
  ["1048577", "536870912", "536870913", "2147483647", "2147483648", "4294967297", "9007199254740993"],
  ["9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1".repeat(25)],
);
const LINE_MAX = 65536;
/** Where fed bytes stand in the buffer that is used for every read, as a socket's would be. */
const READ_SIZE = 4096;
const READ_OFFSET = 7;
/** How much larger than what has come the parser's own buffer may be. */
const FORESIGHT = 32;
const SMALL_BUFFER = 64 * 1024;

/** One input, as a text of one character a byte. */
export function randomInput(random: Random): string {
  if (random.chance(0.0005)) return longLine(random);
  switch (random.below(5)) {
    case 0:
      return Array.from({ length: random.between(0, 24) }, () => random.pick(FRAGMENTS)).join("");
    case 1:
      return random.bytes(random.between(0, 48)).toString("latin1");
    case 2:
      return requests(random);
    default: {
      let text = requests(random);
      for (let count = random.between(1, 3); count > 0; count--) text = broken(random, text);
      return text;
    }
  }
}

function requests(random: Random): string {
  return Array.from({ length: random.between(1, 4) }, () => {
    if (random.chance(0.2)) return random.pick(LINES) + random.pick(["\n", "\r\n"]);
    const count = random.chance(0.05) ? random.between(8, 40) : random.between(0, 4);
    const length = () => (random.chance(0.05) ? random.between(0, 2000) : random.between(0, 12));
    return encodeCommand(Array.from({ length: count }, () => random.bytes(length()))).toString("latin1");
  }).join("");
}

/** `text` with one thing wrong. */
function broken(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const end = Math.min(text.length, at + random.between(1, 8));
  switch (random.below(6)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(end);
    case 2:
      return text.slice(0, end) + text.slice(at);
    case 3:
      return text.slice(0, at) + random.pick(FRAGMENTS) + text.slice(at);
    case 4:
      return text.slice(0, at) + random.bytes(end - at).toString("latin1") + text.slice(end);
    default: {
      const number = [...text.matchAll(/[*$](-?\d+)\r\n/g)];
      if (number.length === 0) return text.slice(at);
      const { 0: header, index } = random.pick(number);
      return `${text.slice(0, index)}${header[0]}${random.pick(LENGTHS)}${text.slice(index + header.length - 2)}`;
    }
  }
}

/** Around the longest line that is allowed. */
function longLine(random: Random): string {
  const start = random.pick(["*", "*1\r\n$", "*1\r\n:", "ECHO ", '"']);
  const line = random.pick(["1", "a", " ", "\\"]).repeat(LINE_MAX - start.length + random.between(-3, 8));
  return start + line + random.pick(["", "\r", "\n", "\r\n", '"\r\n', "\r\nPING\r\n"]);
}

/** Where each piece ends. */
type Cuts = readonly number[];

function randomCuts(random: Random, length: number): Cuts {
  if (length > READ_SIZE || random.chance(0.5)) return [length];
  if (random.chance(0.2)) return Array.from({ length }, (_, index) => index + 1);
  const cuts = Array.from({ length: random.between(1, 5) }, () => random.below(length + 1));
  return [...cuts.sort((left, right) => left - right), length];
}

/**
 * Feeds one random input, cut at random, and compares requests, error, rest and memory with the naive twin's.
 * @throws AssertionError
 */
export function fuzzOnce(random: Random): void {
  const text = randomInput(random);
  const limits: NaiveLimits = {
    bulkMax: random.pick([2 ** 20, 2 ** 29]),
    isAuthenticated: random.chance(0.8),
  };
  const habit = random.chance(0.8)
    ? "reads on"
    : random.pick(["waits", "hesitates", "waits at times", "hesitates at times"] as const);
  checkAgainstTwin(text, limits, randomCuts(random, text.length), habit);
}

/**
 * What a connection does with a request: executes it at once and reads on; must wait behind it; or must wait before it,
 * and puts it back first. A connection that waits gives away the buffer it has read into.
 */
export type Habit = "reads on" | "waits" | "hesitates" | "waits at times" | "hesitates at times";

/**
 * Parses `text`, fed in pieces that end at `cuts`, and compares with the naive twin.
 * @throws AssertionError
 */
export function checkAgainstTwin(text: string, limits: NaiveLimits, cuts: Cuts, habit: Habit = "reads on"): void {
  const parser = new RequestParser({ bulkMax: limits.bulkMax, queryBufferMax: 2 ** 30 });
  parser.isAuthenticated = limits.isAuthenticated;
  const read = Buffer.alloc(READ_OFFSET + Math.max(READ_SIZE, text.length));
  const found: string[][] = [];
  let error: string | undefined;
  try {
    let start = 0;
    for (const end of cuts) {
      const length = read.latin1Write(text.slice(start, end), READ_OFFSET, end - start);
      parser.feed(read, READ_OFFSET, READ_OFFSET + length);
      while (parser.next()) {
        const isTime = !habit.endsWith("at times") || found.length % 3 === 1;
        if (isTime && habit.startsWith("hesitates")) {
          parser.unread();
          parser.keep();
          read.fill("$");
          assert.ok(parser.next());
        }
        found.push(Array.from({ length: parser.args.count }, (_, index) => parser.args.latin1(index)));
        if (isTime && habit.startsWith("waits")) {
          parser.keep();
          read.fill("$");
        }
      }
      // Whoever reads next overwrites the buffer: nothing may depend on it any more.
      read.fill("*", READ_OFFSET, READ_OFFSET + length);
      const own = parser.keptBytes + parser.keptFree;
      assert.ok(own <= Math.max(SMALL_BUFFER, FORESIGHT * end), `${own} bytes for ${end}`);
      start = end;
    }
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
    error = thrown.message;
  }
  const expected = parseNaively(text, limits);
  const where = () => `${JSON.stringify(text.slice(0, 500))} cut at ${cuts.join(" ")}, ${JSON.stringify(limits)}`;
  if (error !== expected.error) assert.equal(error, expected.error, where());
  if (error === undefined && parser.keptBytes !== expected.rest) assert.equal(parser.keptBytes, expected.rest, where());
  if (JSON.stringify(found) !== JSON.stringify(expected.requests)) assert.deepEqual(found, expected.requests, where());
}
