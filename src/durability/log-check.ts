/**
 * Checks one file of an append-only log: reads it as recovery does, and executes nothing. Tells what it finds in the
 * words of redis-check-aof, and beside that what it knows of batches, which redis-check-aof does not look at.
 *
 * It can also look where the log comes to a time, so that the rest can be cut off: at the first line that tells a later
 * one, or where the batch or the transaction begins that this line is in, because a unit is there as a whole or not at
 * all. What stands behind is not looked at, as in redis-check-aof.
 *
 * Why the same reading: a check that believes more than recovery, or less, is worth nothing. What only executing shows
 * it cannot tell, but for the first command that there is not here: it warns of that. The file is in order even so.
 * Any thread; for command lines, since it does not stop before the end of the file.
 */
import type { Arguments } from "../base/arguments.ts";
import { DamagedFileError } from "./damaged-file-error.ts";
import type { Files, OpenFile } from "./files.ts";
import { LogReader } from "./log-reader.ts";
import { startsWithRdb } from "./log-set.ts";
import { bytesOfCommand, findLater } from "./log-timestamps.ts";
import { checkRdbFile } from "./rdb-check.ts";

/** What has been found. */
export interface LogCheckResult {
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes from its beginning that are in order; undefined where its RDB is not, and nothing can be cut off. */
  readonly okUpTo: number | undefined;
  /** Where the log comes to a later time than it was asked about, and could end; undefined if it does not. */
  readonly laterAt: number | undefined;
}

/** What is checked, and how it is told. */
export interface LogCheckOptions {
  /** What lines call the file. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Seconds since 1970: what was logged later is looked for. */
  readonly until?: number | undefined;
  /** Is told each line. */
  say(line: string): void;
  /** The name of a command that a store here could not execute; undefined for those that it can. By default all. */
  unknown?(args: Arguments): string | undefined;
}

/**
 * Checks a file.
 * @throws the system's error if the file cannot be read, or InvalidTimestampError
 */
export function checkLogFile(files: Files, path: string, options: LogCheckOptions): LogCheckResult {
  const { say, now } = options;
  const file = files.open(path, "read");
  try {
    const size = file.size();
    let start = 0;
    if (startsWithRdb(files, path)) {
      const preamble = checkRdbFile(files, path, { now }, say);
      if (!preamble.isLoadable) {
        say("RDB preamble of AOF file is not sane, aborting.");
        return { size, okUpTo: undefined, laterAt: undefined };
      }
      say("RDB preamble is OK, proceeding with AOF tail...");
      start = preamble.end;
    }
    return { size, ...new LogCheck(file, start, options).run() };
  } finally {
    file.close();
  }
}

class LogCheck {
  readonly #reader: LogReader;
  readonly #file: OpenFile;
  readonly #options: LogCheckOptions;
  /** Behind the last command. */
  #end: number;
  #laterAt: number | undefined;
  /** Where the transaction begins that the last command is in; infinity outside of one. */
  #transaction = Number.POSITIVE_INFINITY;
  #commands = 0;
  #inBatches = 0;
  #unknown: { readonly name: string; readonly offset: number } | undefined;
  /** Lines as redis-check-aof counts them: those of commands, from 1 on. */
  #line = 1;
  /** The line at which the present unit begins. */
  #unitLine = 1;

  constructor(file: OpenFile, start: number, options: LogCheckOptions) {
    this.#reader = new LogReader(file, { start });
    this.#file = file;
    this.#options = options;
    this.#end = start;
  }

  run(): Omit<LogCheckResult, "size"> {
    const size = this.#reader.bytesTotal;
    const { name, until } = this.#options;
    const okUpTo = this.#read();
    const laterAt = this.#laterAt;
    if (laterAt !== undefined) return { okUpTo, laterAt };
    if (okUpTo === size && size > 0 && until !== undefined) {
      this.#options.say(`Truncate nothing in AOF ${name} to timestamp ${until}`);
      return { okUpTo, laterAt };
    }
    this.#tell(size, okUpTo);
    return { okUpTo, laterAt };
  }

  #tell(size: number, okUpTo: number): void {
    const { name, say } = this.#options;
    const line = okUpTo === size ? this.#line : this.#unitLine;
    say(
      `AOF analyzed: filename=${name}, size=${size}, ok_up_to=${okUpTo}, ok_up_to_line=${line}, ` +
        `diff=${size - okUpTo}`,
    );
    say(
      `[info] ${this.#commands} commands read, ${this.#inBatches} of them in ${this.#reader.sequence} batches ` +
        "whose checksums are right",
    );
    if (this.#unknown === undefined) return;
    const { name: command, offset } = this.#unknown;
    say(`[warning] The command '${command}' at offset ${offset} does not exist here: no store here starts with it`);
  }

  /** @returns how many bytes are in order */
  #read(): number {
    const reader = this.#reader;
    const { name, say } = this.#options;
    try {
      while (reader.next()) {
        if (this.#isLater()) return reader.soundUpTo;
        this.#count();
      }
      if (this.#isLater()) return reader.soundUpTo;
    } catch (error) {
      if (!(error instanceof DamagedFileError)) throw error;
      if (this.#isLater()) return reader.soundUpTo;
      say(`AOF ${name} format error`);
      say(`[offset ${error.offset}] ${error.reason}`);
      if (reader.soundUpTo >= reader.offset) this.#unitLine = this.#line;
      return reader.soundUpTo;
    }
    const { torn } = reader;
    if (torn === undefined) return reader.bytesTotal;
    say(`[offset ${torn.offset}] The file ends with ${torn.what}`);
    if (torn.offset >= reader.offset) this.#unitLine = this.#line;
    return torn.offset;
  }

  /** Whether the lines behind the last command tell a later time than was asked about. */
  #isLater(): boolean {
    const { until } = this.#options;
    const reader = this.#reader;
    if (until === undefined) return false;
    const found = findLater(this.#file, this.#end, reader.offset, until);
    if (found !== -1) this.#laterAt = Math.min(found, reader.soundUpTo, this.#transaction);
    return found !== -1;
  }

  #count(): void {
    const reader = this.#reader;
    const { args } = reader;
    this.#end = reader.offset + bytesOfCommand(args);
    if (args.count === 1 && args.is(0, "EXEC")) this.#transaction = Number.POSITIVE_INFINITY;
    else if (args.count === 1 && args.is(0, "MULTI")) this.#transaction = Math.min(this.#transaction, reader.offset);
    if (reader.soundUpTo === reader.offset) this.#unitLine = this.#line;
    this.#line += 1 + 2 * args.count;
    this.#commands += 1;
    const unknown = this.#unknown === undefined ? this.#options.unknown?.(args) : undefined;
    if (unknown !== undefined) this.#unknown = { name: unknown, offset: reader.offset };
    if (reader.isInBatch) this.#inBatches += 1;
  }
}
