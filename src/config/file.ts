/**
 * Reads the configuration at start-up: the file, then standard input, then the command line; the last line about a
 * directive counts.
 *
 * Only the thread that starts a server comes here, before anything is served, so files are read synchronously.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { matchesGlob } from "../base/glob.ts";
import type { Run } from "./arguments.ts";
import { Configuration, type Statement } from "./configuration.ts";
import { Refusal } from "./directive.ts";
import { findDirective, statements } from "./directives.ts";
import { splitArguments, textOfBytes } from "./quoting.ts";
import { isComment, trimmed } from "./rewrite.ts";
import { systemErrorText } from "./system-error.ts";

/** Directives of older versions that are read over in silence, as Redis does. */
const FORGOTTEN: ReadonlySet<string> = new Set([
  "list-max-ziplist-entries",
  "list-max-ziplist-value",
  "lua-replicate-commands",
]);
const MAX_INCLUDE_DEPTH = 16;
const STANDARD_INPUT = 0;

/** A configuration that cannot be read. */
export class ConfigurationFileError extends Error {
  readonly reason: string;
  /** The line at fault and its number, counted from 1; undefined when a file could not be opened. */
  readonly line: { readonly number: number; readonly text: string } | undefined;

  constructor(reason: string, line?: { readonly number: number; readonly text: string }) {
    super(line === undefined ? reason : `line ${line.number} of the configuration: ${reason}`);
    this.name = "ConfigurationFileError";
    this.reason = reason;
    this.line = line;
  }

  /** What a person at the terminal sees; `product` is name and version. */
  describe(product: string): string {
    if (this.line === undefined) return this.reason;
    const { number, text } = this.line;
    return [
      `*** FATAL CONFIG FILE ERROR (${product}) ***`,
      `Reading the configuration file, at line ${number}`,
      `>>> '${textOfBytes(text)}'`,
      this.reason,
    ].join("\n");
  }
}

/** What `loadConfiguration` takes from its surroundings. */
export interface Surroundings {
  readonly workingDirectory: string;
  readonly readStandardInput: () => string;
  /** Told of each line that is no directive with a value; throws a Refusal if it cannot be put into force. */
  readonly judge: (statement: Statement) => void;
}

/**
 * The configuration a command line asks for.
 * @param surroundings by default those of the process, and every statement is accepted
 * @throws ConfigurationFileError
 */
export function loadConfiguration(run: Run, surroundings: Partial<Surroundings> = {}): Configuration {
  const { workingDirectory = process.cwd(), readStandardInput, judge = () => undefined } = surroundings;
  const configuration = new Configuration(workingDirectory);
  if (run.file !== undefined) configuration.file = resolve(workingDirectory, run.file);
  let text = configuration.file === undefined ? "" : readText(configuration.file);
  if (run.standardInput) text += readStandardInput?.() ?? readText(STANDARD_INPUT);
  readLines({ configuration, judge }, `${text}\n${run.lines}`, 0);
  return configuration;
}

function readText(file: string | typeof STANDARD_INPUT): string {
  try {
    return readFileSync(file, "latin1");
  } catch (error) {
    const name = file === STANDARD_INPUT ? "standard input" : file;
    throw new ConfigurationFileError(`Fatal error, can't open config file '${name}': ${systemErrorText(error)}`);
  }
}

/** What is read into. */
interface Reading {
  readonly configuration: Configuration;
  readonly judge: Surroundings["judge"];
}

function readLines(reading: Reading, content: string, depth: number): void {
  for (const [index, untrimmed] of content.split("\n").entries()) {
    const text = trimmed(untrimmed);
    if (isComment(text)) continue;
    try {
      readLine(reading, text, depth);
    } catch (error) {
      if (error instanceof Refusal) throw new ConfigurationFileError(error.message, { number: index + 1, text });
      throw error;
    }
  }
}

function readLine(reading: Reading, text: string, depth: number): void {
  const words = splitArguments(text);
  if (words === undefined) throw new Refusal("Unbalanced quotes in configuration line");
  const [first, ...args] = words;
  if (first === undefined) return;
  const name = first.toLowerCase();
  if (findDirective(name) !== undefined) reading.configuration.initialize(name, args);
  else if (statements.has(name)) readStatement(reading, name, args, depth);
  else if (!(FORGOTTEN.has(name) && args.length === 1)) {
    throw new Refusal("Bad directive or wrong number of arguments");
  }
}

function readStatement(reading: Reading, name: string, args: readonly string[], depth: number): void {
  if (name === "sentinel" && args.length > 0) throw new Refusal("sentinel directive while not in sentinel mode");
  const complete =
    name === "include" ? args.length === 1 : name === "rename-command" ? args.length === 2 : args.length > 0;
  if (!complete) throw new Refusal("Bad directive or wrong number of arguments");
  if (name === "include") {
    include(reading, textOfBytes(args[0]!), depth + 1);
    return;
  }
  reading.judge({ name, args });
  reading.configuration.statements.push({ name, args });
}

function include(reading: Reading, path: string, depth: number): void {
  if (depth > MAX_INCLUDE_DEPTH) throw new Refusal("Files include one another without end");
  const absolute = resolve(reading.configuration.get("dir"), path);
  const files = /[*?[]/.test(path) ? expandGlob(absolute) : [absolute];
  for (const file of files) readLines(reading, readText(file), depth);
}

/** The existing files a path with wildcards means, in the order of their names; wildcards pass over hidden files. */
function expandGlob(pattern: string): string[] {
  let found = ["/"];
  for (const part of pattern.split("/").filter((each) => each !== "")) {
    if (!/[*?[]/.test(part)) {
      found = found.map((directory) => join(directory, part));
      continue;
    }
    const glob = Buffer.from(part.replaceAll("[!", "[^"));
    const fits = (name: string) => !(name.startsWith(".") && part[0] !== ".") && matchesGlob(glob, Buffer.from(name));
    found = found.flatMap((directory) =>
      namesIn(directory)
        .filter(fits)
        .map((name) => join(directory, name)),
    );
  }
  return found.filter((path) => existsSync(path)).sort();
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // As for a shell: what is no directory, or cannot be read, holds nothing that fits.
    return [];
  }
}
