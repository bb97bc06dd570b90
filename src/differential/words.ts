/**
 * The words commands are made of: ten keys, values of many shapes, numbers at the limits.
 *
 * Times to live are either over at once or at least hours away and far from each other, so that no reply depends on
 * which server was a few milliseconds earlier.
 */
import type { Random } from "../testing/random.ts";
import type { Argument } from "../testing/resp-frame.ts";
import { type Draw, oneOf, sequence } from "./shape.ts";

export const KEYS: readonly Argument[] = [
  "a",
  "b",
  "c",
  "number:1",
  "number:2",
  "float",
  "",
  Buffer.from([0, 255, 13, 10, 128]),
  `{tag}${"x".repeat(70)}`,
  "[a-c]*?\\",
];

const INTEGERS = [
  "0",
  "1",
  "-1",
  "2",
  "7",
  "10",
  "-10",
  "127",
  "128",
  "255",
  "9999",
  "10000",
  "65536",
  "2147483647",
  "-2147483649",
  "4294967296",
  "9007199254740993",
  "9223372036854775806",
  "9223372036854775807",
  "-9223372036854775808",
];

const ALMOST_INTEGERS = [
  "",
  " ",
  " 1",
  "1 ",
  "+1",
  "-",
  "--1",
  "-0",
  "00",
  "01",
  "1.0",
  "1e3",
  "0x10",
  "abc",
  "9223372036854775808",
  "-9223372036854775809",
  "18446744073709551616",
  "1\u0000",
  "１",
];

const FLOATS = [
  "0",
  "1",
  "-1",
  "0.1",
  "0.2",
  "-0.3",
  "1.5",
  "3.0",
  "3.14159265358979",
  "1e3",
  "5.0e3",
  "-2.5e-3",
  "1e-17",
  "1e17",
  "123456789.123456789",
  "10.5",
  "100000000000000000000",
  "-0.0",
  ".5",
  "5.",
  "0x10",
  "1e308",
  "9007199254740993",
];

const ALMOST_FLOATS = [
  "",
  " 1",
  "1 ",
  "1.5abc",
  "abc",
  "nan",
  "inf",
  "-inf",
  "+inf",
  "1e5000",
  "1,5",
  "--1.5",
  "1.5\u0000",
];

const GLOBS = [
  "*",
  "?",
  "a",
  "[a-c]",
  "[^a-c]*",
  "[a-",
  "[",
  "number:*",
  "*1",
  "n?mber:[12]",
  "\\[a-c]*",
  "{tag}*",
  "",
  "**x**",
  "\\",
  "[c-a]",
  "*\u0000*",
  "nothing",
  "\\*",
  "[]a]",
  "?*?",
];

function pick(...words: readonly Argument[]): Draw {
  return (random) => [random.pick(words)];
}

function between(low: number, high: number): Draw {
  return (random) => [random.between(low, high)];
}

export const key = pick(...KEYS);

/** The keys that mostly hold numbers, where a sequence stores some there. */
export const integerKey = pick("number:1", "number:2");
export const floatKey = pick("float");
export const glob = pick(...GLOBS);
export const almostInteger = pick(...ALMOST_INTEGERS);
export const smallInteger = between(-1000, 1000);

/** Mostly an integer, at times one at the limits, at times nearly one. */
export const integer = oneOf(between(-20, 20), between(0, 100), pick(...INTEGERS), almostInteger);

/** Mostly a floating point number. */
export const float = oneOf(pick(...FLOATS), pick(...FLOATS), between(-20, 20), pick(...ALMOST_FLOATS));

/** A value to store: numbers, text and bytes, from nothing to some hundred bytes; rarely a thousand and more. */
export const value = oneOf(
  pick(...INTEGERS),
  between(-1000, 1000),
  pick(...FLOATS),
  (random) => [random.text(random.between(1, 12))],
  (random) => [random.text(random.pick([20, 43, 44, 45, 63, 64, 65]))],
  (random) => [random.text(random.between(1, 30), "ab")],
  (random) => [random.bytes(random.between(0, 40))],
  (random) => [random.chance(0.2) ? random.text(random.between(1000, 1500)) : random.bytes(random.between(0, 300))],
  pick("", "0", "-0", " 1", "1 ", "+1", "01", "1.0", "9223372036854775808", "\r\n", "é"),
);

/** A position in a string: within, behind, counted from the end, beyond every limit. No allocation of half a GB. */
export const position = oneOf(
  between(0, 12),
  between(-12, 60),
  pick(-1, 0, 100, 1200, -1000, "2147483648", "-9223372036854775808", "9223372036854775807", "536870912"),
  almostInteger,
);

/** A place where a command may write: as `position`, but never one that makes a string of hundreds of megabytes. */
export const writePosition = oneOf(
  between(0, 12),
  between(0, 12),
  between(0, 60),
  between(0, 1200),
  pick(-1, "536870913", "9223372036854775807", "-9223372036854775808"),
  almostInteger,
);

/** A bit where a command may write; 2^32 is the first one out of range, and those just below would allocate 512 MB. */
export const writeBit = oneOf(
  between(0, 20),
  between(0, 20),
  between(0, 200),
  between(0, 200),
  between(0, 5000),
  between(0, 5000),
  pick(-1, "4294967296", "9223372036854775807", "-9223372036854775808"),
  almostInteger,
);

const WRONG_TIMES = [
  "0",
  "-1",
  "-100",
  "",
  "abc",
  "1.5",
  " 1",
  "+5",
  "9223372036854775",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775808",
  "-9223372036854775",
  "-9223372036854776",
];

const wrongTime = pick(...WRONG_TIMES);

function mostly(usual: Draw, unusual: Draw): Draw {
  return (random: Random) => (random.chance(0.8) ? usual : unusual)(random);
}

export const seconds = mostly(between(1e7, 1e9), wrongTime);
export const milliseconds = mostly(between(1e10, 1e12), wrongTime);
export const unixSeconds = mostly(between(4e9, 9e9), oneOf(wrongTime, pick("1", "1000000000")));
export const unixMilliseconds = mostly(between(4e12, 9e12), oneOf(wrongTime, pick("1", "1000000000000")));

/** An expiry that has not passed, for where an expired key that still is in memory would be counted. */
export const futureExpiry = oneOf(
  sequence("EX", between(1e7, 1e9)),
  sequence("PX", between(1e10, 1e12)),
  sequence("EXAT", between(4e9, 9e9)),
  sequence("PXAT", between(4e12, 9e12)),
);

/** An expiry as SET and GETEX take it. */
export const expiry = oneOf(
  sequence("EX", seconds),
  sequence("PX", milliseconds),
  sequence("EXAT", unixSeconds),
  sequence("PXAT", unixMilliseconds),
);
