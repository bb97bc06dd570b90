/**
 * `stillwater check-aof [--fix|--truncate-to-timestamp SECONDS] FILE|MANIFEST`: whether an append-only log is sound,
 * where it is not, and, with --fix, how it becomes so: by cutting off its end, which is kept in another file. With a
 * timestamp, what was logged later is cut off, and kept as well.
 */
import { readSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Arguments } from "../base/arguments.ts";
import { allCommands } from "../commands/all-commands.ts";
import { CommandTable } from "../commands/command-table.ts";
import { systemErrorText } from "../config/system-error.ts";
import { DamagedFileError } from "../durability/damaged-file-error.ts";
import { DirectoryLock, DirectoryLockedError } from "../durability/directory-lock.ts";
import { type Files, realFiles } from "../durability/files.ts";
import { LOCK_NAME } from "../durability/lock-file.ts";
import { checkLogFile } from "../durability/log-check.ts";
import { cutOff } from "../durability/log-repair.ts";
import { type LogSetFile, readLogSet } from "../durability/log-set.ts";
import { InvalidTimestampError } from "../durability/log-timestamps.ts";
import { AofNames, readManifest } from "../durability/manifest.ts";
import { KeptLibraries } from "../engine/kept-libraries.ts";
import { findCommand, isUnitMark } from "../engine/replayer.ts";

const USAGE = "Usage: stillwater check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>";
/** Seconds since 1970. */
const TIMESTAMP = /^-?\d{1,15}$/;
const MANIFEST = ".manifest";
/** In the words of redis-check-aof. */
const DELETE_OTHERS =
  "If you insist, please delete all files after this file according to the manifest file and delete the " +
  "corresponding records in manifest file manually. Then re-run redis-check-aof.";
const LF = 0x0a;

/** What the check needs of the terminal. */
export interface Terminal {
  /** Prints a line. */
  say(line: string): void;
  /** Prints a question, without ending the line, and returns what is answered; empty if nobody answers. */
  ask(question: string): string;
}

/** Ends the check: the reason is printed. */
class CheckFailure extends Error {}

/** What tells a person all there is to know. */
const EXPECTED = [CheckFailure, DamagedFileError, DirectoryLockedError, InvalidTimestampError];

/**
 * @param args what follows `check-aof` on the command line
 * @param say prints a line
 * @param ask see Terminal
 * @returns the exit code: 0 if the log is sound, or has been made so
 */
export function checkAof(args: readonly string[], say: Terminal["say"], ask: Terminal["ask"] = askHere): 0 | 1 {
  const isFixing = args[0] === "--fix";
  const isTruncating = args[0] === "--truncate-to-timestamp";
  const timestamp = isTruncating ? args[1] : undefined;
  const [path, ...rest] = args.slice(isTruncating ? 2 : isFixing ? 1 : 0);
  if (path === undefined || rest.length > 0 || path.startsWith("--")) {
    say(USAGE);
    return 1;
  }
  if (timestamp !== undefined && !TIMESTAMP.test(timestamp)) {
    say("Invalid timestamp, aborting...");
    return 1;
  }
  try {
    new Check({ say, ask }, isFixing, timestamp === undefined ? undefined : Number(timestamp)).run(path);
    return 0;
  } catch (error) {
    const { syscall, path: failing = path } = error as NodeJS.ErrnoException;
    const isExpected = EXPECTED.some((kind) => error instanceof kind);
    if (!isExpected && syscall === undefined) throw error;
    say(isExpected ? (error as Error).message : `${failing}: ${systemErrorText(error)}`);
    return 1;
  }
}

class Check {
  readonly #files: Files = realFiles;
  readonly #terminal: Terminal;
  readonly #isFixing: boolean;
  readonly #until: number | undefined;
  readonly #commands = new CommandTable(allCommands);
  readonly #libraries = new KeptLibraries();

  /** @param until seconds since 1970: what was logged later is cut off; undefined to cut nothing off for its time */
  constructor(terminal: Terminal, isFixing: boolean, until: number | undefined) {
    this.#terminal = terminal;
    this.#isFixing = isFixing;
    this.#until = until;
  }

  /** @throws CheckFailure, DamagedFileError, DirectoryLockedError, or the system's error */
  run(path: string): void {
    refuseDirectory(this.#files, path);
    const changes = this.#isFixing || this.#until !== undefined;
    const unlock = changes ? lockStoreOf(this.#files, path) : undefined;
    try {
      if (basename(path).endsWith(MANIFEST)) this.#checkSet(path);
      else this.#checkSingle(path);
    } finally {
      unlock?.();
    }
  }

  #checkSingle(path: string): void {
    const { say } = this.#terminal;
    say("Start checking Old-Style AOF");
    if (this.#files.size(path) === undefined)
      throw new CheckFailure(`Cannot open file ${path}: No such file or directory`);
    this.#checkFile(path, path, "AOF", true);
  }

  #checkSet(path: string): void {
    const { say } = this.#terminal;
    const names = new AofNames(basename(path).slice(0, -MANIFEST.length));
    say("Start checking Multi Part AOF");
    const manifest = readManifest(this.#files, dirname(path), names);
    if (manifest === undefined) throw new CheckFailure(`Cannot open file ${path}: No such file or directory`);
    const set = readLogSet(this.#files, path, manifest);
    const base = set.files.filter(({ file }) => file.type === "b");
    const incrs = set.files.filter(({ file }) => file.type === "i");
    for (const one of base) {
      say(`Start to check BASE AOF (${one.isRdb ? "RDB" : "RESP"} format).`);
      this.#checkListed(one, "BASE AOF");
    }
    if (incrs.length > 0) say("Start to check INCR files.");
    for (const one of incrs) this.#checkListed(one, "INCR AOF");
    say("All AOF files and manifest are valid");
  }

  #checkListed({ path, isLast }: LogSetFile, kind: string): void {
    this.#checkFile(path, basename(path), kind, isLast);
  }

  /**
   * @param name what it is called in what is said
   * @param isLast whether its end may be cut off: nothing builds on it
   */
  #checkFile(path: string, name: string, kind: string, isLast: boolean): void {
    const { say } = this.#terminal;
    const until = this.#until;
    const { size, okUpTo, laterAt } = checkLogFile(this.#files, path, {
      name,
      say,
      until,
      now: Date.now(),
      unknown: (args) => this.#unknown(args),
    });
    if (laterAt !== undefined) {
      this.#truncate(path, name, laterAt, isLast);
      return;
    }
    if (okUpTo === undefined)
      throw new CheckFailure(`${kind} ${name} is not valid. An RDB cannot be fixed: restore it.`);
    if (okUpTo === size) {
      say(size === 0 ? `${kind} ${name} is empty` : `${kind} ${name} is valid`);
      return;
    }
    if (!this.#isFixing) throw new CheckFailure(`AOF ${name} is not valid. Use the --fix option to try fixing it.`);
    if (!isLast) throw new CheckFailure(`Failed to truncate AOF ${name} because it is not the last file`);
    this.#fix(path, name, size, okUpTo);
  }

  #unknown(args: Arguments): string | undefined {
    if (isUnitMark(args) || this.#libraries.takes(args)) return undefined;
    const command = findCommand(this.#commands, args);
    return typeof command === "string" ? command : undefined;
  }

  /** Without a question, as redis-check-aof does it: whoever gives a time has decided. */
  #truncate(path: string, name: string, offset: number, isLast: boolean): void {
    const { say } = this.#terminal;
    const until = this.#until;
    if (offset === 0) throw new CheckFailure(`AOF ${path} has nothing before timestamp ${until}, aborting...`);
    if (!isLast) {
      say(`Failed to truncate AOF ${path} to timestamp ${until} to offset ${offset} because it is not the last file.`);
      throw new CheckFailure(DELETE_OTHERS);
    }
    const keptAs = cutOff(this.#files, path, offset, Date.now());
    say(`Successfully truncated AOF ${name} to timestamp ${until}`);
    say(`What was cut off is kept as ${keptAs}`);
  }

  #fix(path: string, name: string, size: number, okUpTo: number): void {
    const { say, ask } = this.#terminal;
    say(`This will shrink the AOF ${name} from ${size} bytes, with ${size - okUpTo} bytes, to ${okUpTo} bytes`);
    if (!/^y/i.test(ask("Continue? [y/N]: "))) throw new CheckFailure("Aborting...");
    const keptAs = cutOff(this.#files, path, okUpTo, Date.now());
    say(`Successfully truncated AOF ${name}`);
    say(`What was cut off is kept as ${keptAs}`);
  }
}

/** What is to be checked is a file: the manifest, where the directory has one. @throws CheckFailure */
function refuseDirectory(files: Files, path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const places = [path, join(path, "appendonlydir")];
  const found = places.flatMap((place) =>
    files
      .list(place)
      .filter((name) => name.endsWith(MANIFEST))
      .map((name) => join(place, name)),
  );
  const advice =
    found.length === 0 ? "name a file of a log, or its manifest" : `name the manifest: ${found.join(", ")}`;
  throw new CheckFailure(`${path} is a directory; ${advice}`);
}

/**
 * Keeps stores away while a log is changed, if there is a sign that one has been there: logs lie in a directory of
 * their own below the store's.
 * @returns what lets them in again
 * @throws DirectoryLockedError if one is there
 */
function lockStoreOf(files: Files, path: string): () => void {
  const directories = new Set([dirname(path), join(dirname(path), "..")]);
  const locks: DirectoryLock[] = [];
  const unlock = (): void => {
    for (const lock of locks.splice(0)) lock.release();
  };
  try {
    for (const directory of directories) {
      if (files.size(join(directory, LOCK_NAME)) === undefined) continue;
      locks.push(DirectoryLock.acquire(directory, "stillwater check-aof --fix"));
    }
    return unlock;
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Asks whoever sits at the terminal, or what stands in for them. */
function askHere(question: string): string {
  process.stdout.write(question);
  const byte = Buffer.alloc(1);
  let answer = "";
  while (readInput(byte) && byte[0] !== LF) answer += byte.latin1Slice(0, 1);
  return answer;
}

/** @returns false at the end of the input */
function readInput(byte: Buffer): boolean {
  for (;;) {
    try {
      return readSync(0, byte, 0, 1, null) === 1;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Windows says so at the end of a pipe; and a terminal that others use may be set not to wait.
      if (code === "EOF") return false;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}
