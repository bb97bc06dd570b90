/**
 * Checks one file of an append-only log: reads it as recovery does, and executes nothing. Tells what it finds in the
 * words of redis-check-aof, and beside that what it knows of batches, which redis-check-aof does not look at.
 *
 * Why the same reading: a check that believes more than recovery, or less, is worth nothing. What only executing shows,
 * such as a command that there is not, it cannot tell.
 * Any thread; for command lines, since it does not stop before the end of the file.
 */
import { DamagedFileError } from "./damaged-file-error.ts";
import type { Files } from "./files.ts";
import { LogReader } from "./log-reader.ts";
import { startsWithRdb } from "./log-set.ts";
import { checkRdbFile } from "./rdb-check.ts";

/** What has been found. */
export interface LogCheckResult {
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes from its beginning that are in order; undefined where its RDB is not, and nothing can be cut off. */
  readonly okUpTo: number | undefined;
}

/**
 * Checks a file.
 * @param name what lines call the file
 * @param say is told each line
 * @param now milliseconds since 1970
 * @throws the system's error if the file cannot be read
 */
export function checkLogFile(
  files: Files,
  path: string,
  name: string,
  say: (line: string) => void,
  now: number,
): LogCheckResult {
  const file = files.open(path, "read");
  try {
    const size = file.size();
    let start = 0;
    if (startsWithRdb(files, path)) {
      const preamble = checkRdbFile(files, path, { now }, say);
      if (!preamble.isLoadable) {
        say("RDB preamble of AOF file is not sane, aborting.");
        return { size, okUpTo: undefined };
      }
      say("RDB preamble is OK, proceeding with AOF tail...");
      start = preamble.end;
    }
    return { size, okUpTo: new LogCheck(new LogReader(file, { start }), name, say).run() };
  } finally {
    file.close();
  }
}

class LogCheck {
  readonly #reader: LogReader;
  readonly #name: string;
  readonly #say: (line: string) => void;
  #commands = 0;
  #inBatches = 0;
  /** Lines as redis-check-aof counts them: those of commands, from 1 on. */
  #line = 1;
  /** The line at which the present unit begins. */
  #unitLine = 1;

  constructor(reader: LogReader, name: string, say: (line: string) => void) {
    this.#reader = reader;
    this.#name = name;
    this.#say = say;
  }

  /** @returns how many bytes are in order */
  run(): number {
    const size = this.#reader.bytesTotal;
    const okUpTo = this.#read();
    const line = okUpTo === size ? this.#line : this.#unitLine;
    this.#say(
      `AOF analyzed: filename=${this.#name}, size=${size}, ok_up_to=${okUpTo}, ok_up_to_line=${line}, ` +
        `diff=${size - okUpTo}`,
    );
    this.#say(
      `[info] ${this.#commands} commands read, ${this.#inBatches} of them in ${this.#reader.sequence} batches ` +
        "whose checksums are right",
    );
    return okUpTo;
  }

  #read(): number {
    const reader = this.#reader;
    try {
      while (reader.next()) this.#count();
    } catch (error) {
      if (!(error instanceof DamagedFileError)) throw error;
      this.#say(`AOF ${this.#name} format error`);
      this.#say(`[offset ${error.offset}] ${error.reason}`);
      if (reader.soundUpTo >= reader.offset) this.#unitLine = this.#line;
      return reader.soundUpTo;
    }
    const { torn } = reader;
    if (torn === undefined) return reader.bytesTotal;
    this.#say(`[offset ${torn.offset}] The file ends with ${torn.what}`);
    if (torn.offset >= reader.offset) this.#unitLine = this.#line;
    return torn.offset;
  }

  #count(): void {
    const reader = this.#reader;
    if (reader.soundUpTo === reader.offset) this.#unitLine = this.#line;
    this.#line += 1 + 2 * reader.args.count;
    this.#commands += 1;
    if (reader.isInBatch) this.#inBatches += 1;
  }
}
