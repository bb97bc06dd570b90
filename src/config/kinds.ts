/** The general kinds of values: yes or no, numbers, text, and choices. */
import { formatMemorySize, parseExactMemorySize } from "../base/memory-size.ts";
import { type Kind, type Line, Refusal, type Setting } from "./directive.ts";
import { bytesOfText, quoted, textOfBytes } from "./quoting.ts";

export const INT_MAX = 2n ** 31n - 1n;
export const INT_MIN = -(2n ** 31n);
export const UINT_MAX = 2n ** 32n - 1n;
export const LONG_MAX = 2n ** 63n - 1n;
export const ULONG_MAX = 2n ** 64n - 1n;
const LONG_MIN = -(2n ** 63n);

interface SingleKind<Value> {
  readonly initial: Setting<Value>;
  parse(argument: string): Setting<Value>;
  write?(setting: Setting<Value>): string;
}

/** A kind whose values are one argument each. */
function single<Value>({ initial, parse, write }: SingleKind<Value>): Kind<Value> {
  return {
    initial,
    takesMany: false,
    parse: ([argument = ""]) => parse(argument),
    lines: (setting) => [line(write === undefined ? setting.text : write(setting), setting.text !== initial.text)],
  };
}

/** A line of a file, as `Kind.lines` returns them. */
export function line(text: string, needed: boolean): Line {
  return { text, needed };
}

/** yes or no. */
export function yesNo(initial: "yes" | "no", refusalOfYes?: string): Kind<boolean> {
  const settings = { yes: { value: true, text: "yes" }, no: { value: false, text: "no" } };
  return single({
    initial: settings[initial],
    parse(argument) {
      const word = argument.toLowerCase();
      if (word !== "yes" && word !== "no") throw new Refusal("argument must be 'yes' or 'no'");
      if (word === "yes" && refusalOfYes !== undefined) throw new Refusal(refusalOfYes);
      return settings[word];
    },
  });
}

/** What a number may be; both ends are included. */
export interface Bounds {
  readonly min: bigint;
  readonly max: bigint;
}

/** A decimal integer. Values beyond `clamp` are accepted and moved to its nearest end. */
export function integer(initial: number, bounds: Bounds, clamp: Bounds = bounds): Kind<number> {
  return single({
    initial: numberSetting(BigInt(initial)),
    parse(argument) {
      const parsed = parseInteger(argument);
      if (parsed === undefined) throw new Refusal("argument couldn't be parsed into an integer");
      return numberSetting(clamped(inBounds(parsed, bounds), clamp));
    },
  });
}

/** A number of bytes, given with or without a unit. Values beyond `clamp` are moved to its nearest end. */
export function memory(initial: number, bounds: Bounds, clamp: Bounds = bounds): Kind<number> {
  return single({
    initial: numberSetting(BigInt(initial)),
    parse(argument) {
      const parsed = parseExactMemorySize(argument);
      if (parsed === undefined) throw new Refusal("argument must be a memory value");
      return numberSetting(clamped(inBounds(parsed, bounds), clamp));
    },
    write: ({ text }) => formatMemorySize(BigInt(text)),
  });
}

/** An amount of memory: bytes, or a share of `maxmemory`. */
export interface MemoryShare {
  readonly amount: number;
  readonly unit: "bytes" | "percent";
}

/** A number of bytes, or up to 100 percent of `maxmemory`. */
export function memoryOrPercent(initial: number): Kind<MemoryShare> {
  return single<MemoryShare>({
    initial: { value: { amount: initial, unit: "bytes" }, text: `${initial}` },
    parse(argument) {
      const size = parseExactMemorySize(argument);
      if (size !== undefined) {
        const { value, text } = numberSetting(inBounds(size, { min: 0n, max: LONG_MAX }));
        return { value: { amount: value, unit: "bytes" }, text };
      }
      const percent = argument.endsWith("%") ? parseInteger(argument.slice(0, -1)) : undefined;
      if (percent === undefined || percent < 0n) throw new Refusal("argument must be a memory or percent value");
      if (percent > 100n) throw new Refusal("percentage argument must be less or equal to 100");
      if (percent === 0n) return { value: { amount: 0, unit: "bytes" }, text: "0" };
      return { value: { amount: Number(percent), unit: "percent" }, text: `${percent}%` };
    },
    write: ({ text }) => (text.endsWith("%") ? text : formatMemorySize(BigInt(text))),
  });
}

/** File permissions, written in octal. */
export function octal(initial: number, bounds: Bounds): Kind<number> {
  const setting = (value: bigint) => ({ value: Number(value), text: value.toString(8) });
  return single({
    initial: setting(BigInt(initial)),
    parse(argument) {
      if (!/^([ \t\n\v\f\r]*[+-]?[0-7]+)?$/.test(argument)) {
        throw new Refusal("argument couldn't be parsed as an octal number");
      }
      const digits = argument.replace(/^[ \t\n\v\f\r]*[+-]?/, "");
      const value = BigInt(`0o${digits || "0"}`) * (argument.includes("-") ? -1n : 1n);
      if (value < bounds.min || value > bounds.max) {
        const range = `between ${bounds.min.toString(8)} and ${bounds.max.toString(8)}`;
        throw new Refusal(`argument must be ${range} inclusive`);
      }
      return setting(value);
    },
  });
}

/**
 * Text. The program sees it decoded from UTF-8.
 * @param initial the default; undefined where only the directive's absence gives it, which then reads as ""
 * @param check returns why a value is not accepted
 */
export function text(initial?: string, check?: (value: string) => string | undefined): Kind<string> {
  const setting = (bytes: string) => ({ value: textOfBytes(bytes), text: bytes });
  const kind = single({
    initial: setting(bytesOfText(initial ?? "")),
    parse(argument) {
      const reason = check?.(argument);
      if (reason !== undefined) throw new Refusal(reason);
      return setting(argument);
    },
    write: (current) => quoted(current.text),
  });
  return initial === undefined ? absentWhenEmpty(kind) : kind;
}

/** Bytes that need not be text, such as a password. The default is none, and so is an empty argument. */
export function bytes(): Kind<Uint8Array> {
  const setting = (content: string) => ({ value: Uint8Array.from(Buffer.from(content, "latin1")), text: content });
  return absentWhenEmpty(single({ initial: setting(""), parse: setting, write: (current) => quoted(current.text) }));
}

function absentWhenEmpty<Value>(kind: Kind<Value>): Kind<Value> {
  return { ...kind, lines: (setting) => (setting.text === "" ? [] : kind.lines(setting)) };
}

/**
 * One of a few words.
 * @param synonyms words that are read as another one
 */
export function oneOf<const Word extends string>(
  words: readonly Word[],
  initial: NoInfer<Word>,
  synonyms: { readonly [Synonym in Word]?: Word } = {},
): Kind<Word> {
  return single({
    initial: { value: initial, text: initial as string },
    parse(argument) {
      const word = findWord(words, argument);
      const value = synonyms[word] ?? word;
      return { value, text: value };
    },
  });
}

/**
 * Any of a few words; the first one stands for none of the others.
 * @param check returns why a choice is not accepted
 */
export function anyOf<const Word extends string>(
  words: readonly [Word, ...Word[]],
  check: (chosen: ReadonlySet<Word>) => string | undefined,
): Kind<ReadonlySet<Word>> {
  const [nothing, ...others] = words;
  const initial: Setting<ReadonlySet<Word>> = { value: new Set(), text: nothing };
  return {
    initial,
    takesMany: true,
    parse(args) {
      if (args.length === 0) throw new Refusal(mustBeOneOf(words));
      const given = new Set(args.map((argument) => findWord(words, argument)));
      const chosen = others.filter((word) => given.has(word));
      const value = new Set(chosen);
      const reason = check(value);
      if (reason !== undefined) throw new Refusal(reason);
      return { value, text: chosen.length === 0 ? nothing : chosen.join(" ") };
    },
    lines: ({ text: current }) => [line(current, current !== initial.text)],
  };
}

function findWord<Word extends string>(words: readonly Word[], argument: string): Word {
  const wanted = argument.toLowerCase();
  const found = words.find((word) => word === wanted);
  if (found === undefined) throw new Refusal(mustBeOneOf(words));
  return found;
}

function mustBeOneOf(words: readonly string[]): string {
  return `argument(s) must be one of the following: ${words.join(", ")}`;
}

function numberSetting(value: bigint): Setting<number> {
  return { value: Number(value), text: value.toString() };
}

function inBounds(value: bigint, { min, max }: Bounds): bigint {
  if (value < min || value > max) throw new Refusal(`argument must be between ${min} and ${max} inclusive`);
  return value;
}

function clamped(value: bigint, { min, max }: Bounds): bigint {
  if (value < min) return min;
  return value > max ? max : value;
}

/** A 64-bit integer in its one canonical form: no sign but a minus, no leading zeros, no blanks. */
function parseInteger(argument: string): bigint | undefined {
  if (!/^(0|-?[1-9][0-9]{0,18})$/.test(argument)) return undefined;
  const value = BigInt(argument);
  return value >= LONG_MIN && value <= LONG_MAX ? value : undefined;
}
