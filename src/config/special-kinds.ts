/** The kinds that only one directive has. */
import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import { formatMemorySize, parseExactMemorySize } from "../base/memory-size.ts";
import { type Kind, Refusal, type Setting } from "./directive.ts";
import { formatKeyspaceEvents, parseKeyspaceEvents } from "./keyspace-events.ts";
import { INT_MAX, line } from "./kinds.ts";
import { bytesOfText, quoted, textOfBytes } from "./quoting.ts";
import { systemErrorText } from "./system-error.ts";

const WRONG_NUMBER = "wrong number of arguments";
const NOTHING = '""';

/** Snapshot after `seconds` when at least `changes` keys were written since the last one. */
export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

/** What is wrong with a file's name, if anything: it may be in no other directory. */
export function fileName(directive: string, emptyIsAllowed: boolean, noun = "filename") {
  return (value: string): string | undefined => {
    if (value === "" && !emptyIsAllowed) return `${directive} can't be empty`;
    return /[/\\]/.test(value) ? `${directive} can't be a path, just a ${noun}` : undefined;
  };
}

/** `save`: the lines of a file add up, the first of them replaces the defaults, and an empty one clears the list. */
export function savePoints(initial: string): Kind<readonly SavePoint[]> {
  return {
    initial: savePointsSetting(initial.split(" ")),
    takesMany: true,
    parse(args, current, occasion) {
      if (args.length === 1 && args[0] === "") return savePointsSetting([]);
      const before = occasion === "again" && current.text !== "" ? current.text.split(" ") : [];
      return savePointsSetting([...before, ...args]);
    },
    lines({ value }) {
      if (value.length === 0) return [line(NOTHING, true)];
      return value.map(({ seconds, changes }) => line(`${seconds} ${changes}`, true));
    },
  };
}

function savePointsSetting(words: readonly string[]): Setting<readonly SavePoint[]> {
  const numbers = words.map((word) => parseLooseInteger(word));
  const points: SavePoint[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    const seconds = numbers[at];
    const changes = numbers[at + 1];
    const valid = seconds !== undefined && seconds >= 1n && changes !== undefined && changes >= 0n;
    if (!valid || changes > INT_MAX || seconds > INT_MAX) throw new Refusal("Invalid save parameters");
    points.push({ seconds: Number(seconds), changes: Number(changes) });
  }
  return { value: points, text: points.map(({ seconds, changes }) => `${seconds} ${changes}`).join(" ") };
}

/** How much unsent output a client may have; a limit of 0 is none. */
export interface OutputBufferLimit {
  /** The connection is closed at once beyond this many bytes. */
  readonly hardBytes: number;
  /** It is closed when the output stays beyond this many bytes for `softSeconds`. */
  readonly softBytes: number;
  readonly softSeconds: number;
}

/** The limits of the three classes of clients. */
export interface OutputBufferLimits {
  readonly normal: OutputBufferLimit;
  readonly replica: OutputBufferLimit;
  readonly pubsub: OutputBufferLimit;
}

const SHOWN_CLASSES = ["normal", "slave", "pubsub"] as const;
const WORDS_PER_CLASS = 4;

/** `client-output-buffer-limit`: groups of class, hard limit, soft limit, soft seconds; other classes stay. */
export function outputBufferLimits(initial: string): Kind<OutputBufferLimits> {
  const initialSetting = bufferLimitsSetting(initial.split(" "));
  return {
    initial: initialSetting,
    takesMany: true,
    parse(args, current) {
      if (args.length % WORDS_PER_CLASS !== 0) {
        throw new Refusal("Wrong number of arguments in buffer limit configuration.");
      }
      const words = current.text.split(" ");
      for (let at = 0; at < args.length; at += WORDS_PER_CLASS) {
        const [name = "", ...limits] = args.slice(at, at + WORDS_PER_CLASS);
        words.splice(bufferClassIndex(name) * WORDS_PER_CLASS + 1, limits.length, ...limits.map(bufferLimitText));
      }
      return bufferLimitsSetting(words);
    },
    lines({ text }) {
      const words = text.split(" ");
      const initialWords = initialSetting.text.split(" ");
      return SHOWN_CLASSES.map((name, index) => {
        const group = (all: string[]) => all.slice(index * WORDS_PER_CLASS + 1, (index + 1) * WORDS_PER_CLASS);
        const [hard = "", soft = "", seconds = ""] = group(words);
        const sizes = [hard, soft].map((size) => formatMemorySize(BigInt(size)));
        const shownName = name === "slave" ? "replica" : name;
        return line([shownName, ...sizes, seconds].join(" "), `${group(words)}` !== `${group(initialWords)}`);
      });
    },
  };
}

function bufferClassIndex(name: string): number {
  const word = name.toLowerCase();
  const index = SHOWN_CLASSES.findIndex((shown) => shown === word || (shown === "slave" && word === "replica"));
  if (index < 0) throw new Refusal("Invalid client class specified in buffer limit configuration.");
  return index;
}

function bufferLimitText(argument: string, index: number): string {
  const value = index < 2 ? parseExactMemorySize(argument) : parseLooseInteger(argument);
  if (value === undefined || value < 0n) {
    throw new Refusal("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
  }
  return value.toString();
}

function bufferLimitsSetting(words: readonly string[]): Setting<OutputBufferLimits> {
  const limit = (index: number): OutputBufferLimit => {
    const [hardBytes = 0, softBytes = 0, softSeconds = 0] = words.slice(index * WORDS_PER_CLASS + 1).map(Number);
    return { hardBytes, softBytes, softSeconds };
  };
  return { value: { normal: limit(0), replica: limit(1), pubsub: limit(2) }, text: words.join(" ") };
}

/** `oom-score-adj-values`: exactly three numbers. */
export function oomScoreValues(initial: string): Kind<readonly number[]> {
  return {
    initial: { value: initial.split(" ").map(Number), text: initial },
    takesMany: true,
    parse(args) {
      if (args.length !== 3) throw new Refusal(WRONG_NUMBER);
      const values = args.map((argument) => parseLooseInteger(argument));
      if (!values.every((value) => value !== undefined && value >= -2000n && value <= 2000n)) {
        throw new Refusal("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
      }
      return { value: values.map(Number), text: values.join(" ") };
    },
    lines: ({ text }) => [line(text, text !== initial)],
  };
}

/** `notify-keyspace-events`: a set of bits of `keyspaceEvents`. */
export function keyspaceEventClasses(): Kind<number> {
  return {
    initial: { value: 0, text: "" },
    takesMany: false,
    parse([letters = ""]) {
      const value = parseKeyspaceEvents(letters);
      if (value === undefined) throw new Refusal("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
      return { value, text: formatKeyspaceEvents(value) };
    },
    lines: ({ text }) => [line(quoted(text), text !== "")],
  };
}

const MAX_ADDRESSES = 16;

/** `bind`: up to 16 addresses; one that begins with "-" may be missing on this machine. */
export function addresses(initial: string): Kind<readonly string[]> {
  return {
    initial: { value: initial.split(" "), text: initial },
    takesMany: true,
    parse(args) {
      if (args.length > MAX_ADDRESSES) throw new Refusal("Too many bind addresses specified.");
      const value = args.length === 1 && args[0] === "" ? [] : args.map(textOfBytes);
      return { value, text: bytesOfText(value.join(" ")) };
    },
    lines: ({ text }) => (text === initial ? [] : [line(text === "" ? NOTHING : text, true)]),
  };
}

/** A server to replicate from. */
export interface PrimaryAddress {
  readonly host: string;
  readonly port: number;
}

/** `replicaof`: host and port, or "no one". */
export function primaryAddress(): Kind<PrimaryAddress | undefined> {
  const initial = { value: undefined, text: "" };
  return {
    initial,
    takesMany: true,
    parse(args) {
      const [host = "", portText = ""] = args;
      if (args.length !== 2) throw new Refusal(WRONG_NUMBER);
      if (host.toLowerCase() === "no" && portText.toLowerCase() === "one") return initial;
      const port = parseLooseInteger(portText);
      if (port === undefined || port < 0n || port > 65535n) throw new Refusal("Invalid master port");
      return { value: { host: textOfBytes(host), port: Number(port) }, text: `${host} ${port}` };
    },
    lines: ({ text }) => (text === "" ? [] : [line(text, true)]),
  };
}

/** `latency-tracking-info-percentiles`: any number of them, shown with up to six decimals. */
export function percentiles(initial: string): Kind<readonly number[]> {
  return {
    initial: { value: initial.split(" ").map(Number), text: initial },
    takesMany: true,
    parse(args) {
      const value = args.length === 1 && args[0] === "" ? [] : args.map(parsePercentile);
      const shown = value.map((percentile) => percentile.toFixed(6).replace(/\.?0+$/, ""));
      return { value, text: shown.join(" ") };
    },
    lines: ({ text }) => [line(text === "" ? NOTHING : text, true)],
  };
}

function parsePercentile(argument: string): number {
  if (!/^[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf(inity)?)$/i.test(argument)) {
    throw new Refusal("Invalid latency-tracking-info-percentiles parameters");
  }
  const percentile = Number(argument.replace(/inf(inity)?/i, "Infinity"));
  if (percentile < 0 || percentile > 100) {
    throw new Refusal("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
  }
  return percentile;
}

/**
 * `dir`: an absolute path; a relative one is seen from the directory in force.
 *
 * The process's own working directory is left alone, because several stores may live in it. At start-up a missing
 * directory is no error: whoever opens the store creates it. A running store can only move to one that exists.
 */
export function directory(): Kind<string> {
  return {
    initial: { value: ".", text: "." },
    takesMany: false,
    parse([argument = ""], current, occasion) {
      const path = resolve(current.value, textOfBytes(argument));
      const fault = argument === "" ? MISSING : directoryFault(path);
      if (fault !== undefined && !(fault === MISSING && argument !== "" && occasion !== "running")) {
        throw new Refusal(fault);
      }
      return { value: path, text: bytesOfText(path) };
    },
    lines: ({ text }) => [line(quoted(text), true)],
  };
}

const MISSING = "No such file or directory";

function directoryFault(path: string): string | undefined {
  try {
    if (!statSync(path).isDirectory()) return "Not a directory";
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return systemErrorText(error);
  }
}

/** An integer as C's strtoll reads one: leading blanks, a plus sign and leading zeros are fine, and so is nothing. */
function parseLooseInteger(argument: string): bigint | undefined {
  if (argument === "") return 0n;
  return /^[ \t\n\v\f\r]*[+-]?[0-9]+$/.test(argument) ? BigInt(argument.replace("+", "")) : undefined;
}
