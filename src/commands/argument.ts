/**
 * Argument schemas: declared once beside a handler, they parse the command's arguments, type what the handler gets, and
 * are what COMMAND DOCS answers with.
 *
 * A key or a string is handed to the handler as its index in the Arguments, not as a copy. Those that stand at fixed
 * places are therefore constants: a command of keys and strings only, or one whose options are not used, is "parsed"
 * without any work, and what options there are is written into one record that is reused for every call.
 */
import type { Arguments } from "../base/arguments.ts";
import type { Int64 } from "../base/int64.ts";
import { CommandError, NOT_A_FLOAT, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";

/** How COMMAND DOCS shows an argument. */
export interface ArgumentDocument {
  readonly name: string;
  readonly type: string;
  /** What stands for it in a syntax; its name by default. */
  readonly displayText?: string;
  readonly token?: string;
  readonly since?: string;
  readonly deprecatedSince?: string;
  readonly flags?: readonly string[];
  readonly keySpecIndex?: number;
  readonly arguments?: readonly ArgumentDocument[];
}

/** Where parsing stands. */
export class ArgumentCursor {
  args!: Arguments;
  /** The next argument to be parsed. */
  at = 0;

  get isAtEnd(): boolean {
    return this.at >= this.args.count;
  }

  /** Takes one argument and returns its index. @throws CommandError when there is none */
  take(): number {
    if (this.at >= this.args.count) throw new CommandError(SYNTAX_ERROR);
    this.at += 1;
    return this.at - 1;
  }
}

export interface Argument<T> {
  /** Takes what belongs to this argument off the cursor. @throws CommandError */
  parse(cursor: ArgumentCursor): T;
  /** What the record holds while an optional argument is absent. */
  readonly absent?: T;
  readonly isOptional?: boolean;
  /** True if the value is the argument's index and takes exactly one argument. */
  readonly isPlain?: boolean;
  /** True if the value is the argument's index and it takes all arguments that are left, however many. */
  readonly isTail?: boolean;
  /** True for an option that may be given again with another value: the last one counts. */
  readonly isRepeatable?: boolean;
  document(name: string): ArgumentDocument;
  /** For options in any order: whether the argument at the cursor begins this one. */
  matches?(cursor: ArgumentCursor): boolean;
}

export type ArgumentSchema = Readonly<Record<string, Argument<unknown>>>;

/** What a handler gets for a schema. */
export type Parsed<S extends ArgumentSchema> = {
  readonly [K in keyof S]: S[K] extends Argument<infer T> ? T : never;
};

function plain(type: string): Argument<number> {
  return {
    isPlain: true,
    parse: (cursor) => cursor.take(),
    document: (name) => ({ name, type }),
  };
}

/** A key: its index among the arguments. @param keySpecIndex which of the command's key specifications it belongs to */
export const key = (keySpecIndex = 0): Argument<number> => ({
  ...plain("key"),
  document: (name) => ({ name, type: "key", keySpecIndex }),
});
/** A string of bytes: its index among the arguments. */
export const bytes = (): Argument<number> => plain("string");
/** A glob pattern: its index among the arguments. */
export const pattern = (): Argument<number> => plain("pattern");

/**
 * A number that the handler reads itself, after all options have been parsed: for commands in which Redis reports a
 * syntax error before a bad number. Its index. @param type what COMMAND DOCS calls it
 */
export const deferred = (type: "integer" | "double" | "unix-time"): Argument<number> => plain(type);

/** A 64-bit integer. @param error the text for anything else */
export function integer(error: string = NOT_AN_INTEGER, type = "integer"): Argument<Int64> {
  return {
    parse(cursor) {
      const value = cursor.args.int64(cursor.take());
      if (value === undefined) throw new CommandError(error);
      return value;
    },
    document: (name) => ({ name, type }),
  };
}

/** An integer between bounds, as a number. @param error the text for what is out of bounds; not-an-integer otherwise */
export function integerBetween(min: number, max: number, error: string = NOT_AN_INTEGER): Argument<number> {
  return {
    parse(cursor) {
      const value = cursor.args.int64(cursor.take());
      if (value === undefined) throw new CommandError(NOT_AN_INTEGER);
      if (value < min || value > max) throw new CommandError(error);
      return Number(value);
    },
    document: (name) => ({ name, type: "integer" }),
  };
}

/** A floating-point number in Redis's sense: decimal, exponent, inf; not nan. */
export function double(error: string = NOT_A_FLOAT): Argument<number> {
  return {
    parse(cursor) {
      const value = parseDouble(cursor.args.latin1(cursor.take()));
      if (value === undefined) throw new CommandError(error);
      return value;
    },
    document: (name) => ({ name, type: "double" }),
  };
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([\da-f]+\.?[\da-f]*|\.[\da-f]+)(?:p([+-]?\d+))?$/i;
const INFINITE = /^[+-]?inf(inity)?$/i;

/** @returns undefined for what strtod would not take completely or calls out of range, and for nan */
export function parseDouble(text: string): number | undefined {
  if (INFINITE.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  const hexadecimal = HEXADECIMAL.exec(text);
  const decimal = hexadecimal === null ? DECIMAL.exec(text) : null;
  if (hexadecimal === null && decimal === null) return undefined;
  const value = hexadecimal === null ? Number(text) : parseHexadecimal(hexadecimal);
  const isTooSmall = value === 0 && /[1-9a-f]/i.test(hexadecimal?.[2] ?? decimal![1]!);
  return Number.isFinite(value) && !isTooSmall ? value : undefined;
}

function parseHexadecimal([, sign, digits, exponent = "0"]: RegExpExecArray): number {
  const [whole = "", fraction = ""] = digits!.split(".");
  const scale = Number(exponent) - 4 * fraction.length;
  // In two halves, because a power that is out of range alone may be in range together with the digits.
  const half = Math.trunc(scale / 2);
  const value = Number.parseInt(whole + fraction, 16) * 2 ** half * 2 ** (scale - half);
  return sign === "-" ? -value : value;
}

/** An argument that is there or not, at its place: the last one, or followed by nothing it could be taken for. */
export function optional<T>(argument: Argument<T>): Argument<T | undefined> {
  return {
    isOptional: true,
    parse: (cursor) => (cursor.isAtEnd ? undefined : argument.parse(cursor)),
    document: (name) => withFlag(argument.document(name), "optional"),
    ...(argument.matches === undefined ? {} : { matches: argument.matches }),
  };
}

/** A word that is there or not. */
export function token(word: string): Argument<boolean> {
  return {
    isOptional: true,
    absent: false,
    parse(cursor) {
      cursor.take();
      return true;
    },
    matches: (cursor) => cursor.args.is(cursor.at, word),
    document: (name) => ({ name, type: "pure-token", token: word, flags: ["optional"] }),
  };
}

/** A word followed by a value, in options: `EX seconds`. */
export function prefixed<T>(word: string, argument: Argument<T>): Argument<T | undefined> {
  return {
    isOptional: true,
    isRepeatable: true,
    parse(cursor) {
      cursor.take();
      return argument.parse(cursor);
    },
    matches: (cursor) => cursor.args.is(cursor.at, word),
    document: (name) => withFlag({ ...argument.document(name), token: word }, "optional"),
  };
}

/** One of several words, in options; two different ones are a syntax error. */
export function oneOf<W extends string>(...words: readonly W[]): Argument<W | undefined> {
  return {
    isOptional: true,
    parse(cursor) {
      const index = cursor.take();
      return words.find((word) => cursor.args.is(index, word));
    },
    matches: (cursor) => words.some((word) => cursor.args.is(cursor.at, word)),
    document: (name) => ({
      name,
      type: "oneof",
      flags: ["optional"],
      arguments: words.map((word) => ({ name: word.toLowerCase(), type: "pure-token", token: word })),
    }),
  };
}

/** One of several words, at its place; anything else is a syntax error. */
export function word<W extends string>(...words: readonly W[]): Argument<W> {
  return {
    parse(cursor) {
      const index = cursor.take();
      const found = words.find((candidate) => cursor.args.is(index, candidate));
      if (found === undefined) throw new CommandError(SYNTAX_ERROR);
      return found;
    },
    document: (name) => ({ name, type: "oneof", arguments: words.map((each) => pureToken(each)) }),
  };
}

/** What COMMAND DOCS shows for a word that stands for itself. */
export function pureToken(text: string, name = text.toLowerCase()): ArgumentDocument {
  return { name, type: "pure-token", token: text };
}

/** Which word of a choice was given, and the index of the argument behind it, or of the word where none follows. */
export interface Choice<W extends string> {
  readonly word: W;
  readonly index: number;
}

/** One of several words, each with a value or alone, in options; two different ones of them are a syntax error. */
export function choice<W extends string>(
  words: Readonly<Record<W, Argument<number>>>,
): Argument<Choice<W> | undefined> {
  const names = Object.keys(words) as W[];
  return {
    isOptional: true,
    parse(cursor) {
      const index = cursor.take();
      const word = names.find((name) => cursor.args.is(index, name))!;
      return { word, index: words[word].parse(cursor) };
    },
    matches: (cursor) => names.some((name) => cursor.args.is(cursor.at, name)),
    document: (name) => ({
      name,
      type: "oneof",
      flags: ["optional"],
      arguments: names.map((word) => ({ ...words[word].document(word.toLowerCase()), token: word })),
    }),
  };
}

/** For a word of a choice that no value follows: the word's own index. */
export const alone = (): Argument<number> => ({
  parse: (cursor) => cursor.at - 1,
  document: (name) => ({ name, type: "pure-token" }),
});

/** The same argument, documented by another name than its property's or its word's. */
export function named<T>(name: string, argument: Argument<T>): Argument<T> {
  return { ...argument, document: () => argument.document(name) };
}

/** Takes all that is left. @returns index of the first */
function takeRest(cursor: ArgumentCursor): number {
  const first = cursor.at;
  cursor.at = cursor.args.count;
  return first;
}

/**
 * Arguments that repeat to the end: the index of the first; the handler goes on in steps of the group's size.
 * A remainder that is no whole group is the command's wrong arity, which the handler words as Redis does.
 */
export function repeated(group: Readonly<Record<string, Argument<number>>>): Argument<number> {
  const names = Object.keys(group);
  return {
    isTail: true,
    parse: takeRest,
    document(name) {
      const inner = names.map((part) => group[part]!.document(part));
      if (inner.length === 1) return withFlag({ ...inner[0]!, name }, "multiple");
      return { name, type: "block", flags: ["multiple"], arguments: inner };
    },
  };
}

/**
 * Everything that is left, parsed by the handler: the index of the first. For the few commands with a grammar of their
 * own. @param documents what COMMAND DOCS shows for it
 */
export function rest(...documents: readonly ArgumentDocument[]): Argument<number> & { documents: typeof documents } {
  return {
    documents,
    isTail: true,
    parse: takeRest,
    document: (name) => ({ name, type: "block", arguments: documents }),
  };
}

/** The same argument, with the version it came with. */
export function since<T>(version: string, argument: Argument<T>): Argument<T> {
  return { ...argument, document: (name) => ({ ...argument.document(name), since: version }) };
}

function withFlag(document: ArgumentDocument, flag: string): ArgumentDocument {
  return { ...document, flags: [...(document.flags ?? []), flag] };
}
