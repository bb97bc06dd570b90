/**
 * The manifest of an append-only log: which files it consists of, in Redis 7's format.
 *
 *     file appendonly.aof.2.base.rdb seq 2 type b          the BASE: everything up to the rewrite; at most one
 *     file appendonly.aof.1.incr.aof seq 1 type h          HISTORY: no longer needed, about to be deleted
 *     file appendonly.aof.2.incr.aof seq 2 type i          INCRs, in the order in which they are replayed
 *     # a comment
 *
 * One line a file, pairs of a word and its value in any order; pairs that are not known are read over, as Redis does,
 * because later versions add some. A name with blanks or other odd bytes stands in double quotes. Blank lines, and a
 * last line without its end, are refused as Redis refuses them: a manifest is replaced as a whole, so half a line is
 * damage.
 *
 * Why a manifest and no fixed names: which files count changes in one instant, by one rename (durable-file.ts).
 * Whatever else lies in the directory, left over from a crash, means nothing.
 *
 * Invariants: at most one base; sequences of INCRs rise; a name is a name and no path. A manifest that was read keeps
 * them, and one that breaks them is not written.
 *
 * Threads: any; nothing here has a state. The log writer commits manifests, recovery reads them.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { bytesOfText, quoted, splitArguments, textOfBytes } from "../config/quoting.ts";
import { DamagedFileError } from "./damaged-file-error.ts";
import { replaceFile } from "./durable-file.ts";
import { type Files, writeAll } from "./files.ts";
import type { LockMark } from "./guarded-files.ts";

/** Where a store's files are, and how they are called: Places (retired-files.ts), as it can be posted. */
export interface LogDirectory {
  /** Path of the directory, and of `dir`, which it is in. */
  readonly path: string;
  readonly parent: string;
  /** `appendfilename` and `dbfilename`. */
  readonly filename: string;
  readonly rdbName: string;
  /** Of the lock on `dir`: whoever has lost it writes no more. */
  readonly lock?: LockMark | undefined;
}

/** One file of a log. */
export interface LogFile {
  /** Its name in the log's directory, without a path. */
  readonly name: string;
  /** From 1 up. */
  readonly sequence: number;
  /** Base, increment, or history. */
  readonly type: "b" | "i" | "h";
}

/** The files of a log. */
export interface Manifest {
  readonly base: LogFile | undefined;
  /** In the order of their sequences. */
  readonly incrs: readonly LogFile[];
  readonly history: readonly LogFile[];
}

/** Redis reads lines into so many bytes, the end of the line included. */
const LINE_BYTES_MAX = 1024;
/** Redis does not put an apostrophe into quotes, and could not read it again. */
const NEEDS_QUOTES = /[^!-~]|["'\\]/;
const ADVICE =
  "A manifest lists one file a line, as in 'file appendonly.aof.1.base.rdb seq 1 type b'. " +
  "Correct the line, or restore the directory from a copy.";

/**
 * Reads a manifest.
 * @param path what errors call the file
 * @throws DamagedFileError with Redis's words, the line and where it begins
 */
export function parseManifest(bytes: Buffer, path = "manifest"): Manifest {
  const reading = new ManifestReading();
  let start = 0;
  for (let line = 1; start < bytes.length; line += 1) {
    const end = bytes.indexOf("\n", start);
    const text = bytes.toString("latin1", start, end < 0 ? bytes.length : end);
    const error =
      end < 0 || end - start >= LINE_BYTES_MAX ? "The AOF manifest file contains too long line" : reading.read(text);
    if (error !== undefined) throw new DamagedFileError(path, start, `${error}, at line ${line}: '${text}'`, ADVICE);
    start = end + 1;
  }
  if (bytes.length === 0) throw new DamagedFileError(path, 0, "Found an empty AOF manifest", ADVICE);
  return { base: reading.base, incrs: reading.incrs, history: reading.history };
}

class ManifestReading {
  base: LogFile | undefined;
  readonly incrs: LogFile[] = [];
  readonly history: LogFile[] = [];

  /** @returns what is wrong with the line, in Redis's words */
  read(line: string): string | undefined {
    if (line.startsWith("#")) return undefined;
    const words = line.includes("\0") ? undefined : splitArguments(line);
    if (words === undefined || words.length < 6 || words.length % 2 !== 0) return "Invalid AOF manifest file format";
    let name = "";
    let sequence = 0;
    let type = "";
    for (let index = 0; index < words.length; index += 2) {
      const value = words[index + 1]!;
      const word = words[index]!.toLowerCase();
      if (word === "file") name = textOfBytes(value);
      else if (word === "seq") sequence = /^\d{1,15}$/.test(value) ? Number(value) : 0;
      else if (word === "type") type = value;
    }
    if (isPath(name)) return "File can't be a path, just a filename";
    if (name === "" || sequence === 0 || type === "") return "Invalid AOF manifest file format";
    return this.#add(name, sequence, type);
  }

  #add(name: string, sequence: number, type: string): string | undefined {
    if (type === "b") {
      if (this.base !== undefined) return "Found duplicate base file information";
      this.base = { name, sequence, type };
    } else if (type === "i") {
      if (sequence <= (this.incrs.at(-1)?.sequence ?? 0)) return "Found a non-monotonic sequence number";
      this.incrs.push({ name, sequence, type });
    } else if (type === "h") {
      this.history.push({ name, sequence, type });
    } else return "Unknown AOF file type";
    return undefined;
  }
}

function isPath(name: string): boolean {
  return /[/\\\0]/.test(name) || name === "." || name === "..";
}

/** A manifest's bytes, in the order in which Redis writes its lines: base, history, increments. */
export function formatManifest(manifest: Manifest): Buffer {
  const { base, incrs, history } = manifest;
  const files = [...(base === undefined ? [] : [base]), ...history, ...incrs];
  const lines = files.map(({ name, sequence, type }) => `file ${wordOf(name)} seq ${sequence} type ${type}\n`);
  return Buffer.from(lines.join(""), "latin1");
}

function wordOf(name: string): string {
  const bytes = bytesOfText(name);
  return NEEDS_QUOTES.test(bytes) ? quoted(bytes) : bytes;
}

/**
 * The manifest that is in force in a directory; undefined if there is none.
 * @throws DamagedFileError, or the system's error
 */
export function readManifest(files: Files, directory: string, names: AofNames): Manifest | undefined {
  const path = join(directory, names.manifest);
  if (files.size(path) === undefined) return undefined;
  const file = files.open(path, "read");
  try {
    const bytes = Buffer.alloc(file.size());
    let at = 0;
    for (let count = 1; count > 0 && at < bytes.length; at += count) {
      count = file.read(bytes, at, bytes.length - at, at);
    }
    return parseManifest(bytes.subarray(0, at), path);
  } finally {
    file.close();
  }
}

/**
 * Puts a manifest in force: when this returns, it is the one that a start finds, whatever happens; if it throws, the
 * old one may be, or (if only the sync of the directory failed) the new one. The files it lists must be durable before.
 * @throws the system's error
 */
export function commitManifest(files: Files, directory: string, names: AofNames, manifest: Manifest): void {
  const bytes = formatManifest(manifest);
  const path = join(directory, names.manifest);
  // What could not be read back must not replace what can.
  assert.deepEqual(parseManifest(bytes, path), manifest);
  replaceFile(files, path, (file) => writeAll(file, bytes, 0, bytes.length));
}

/** How the files of a log are named, after the directive `appendfilename`. */
export class AofNames {
  readonly #stem: string;
  readonly manifest: string;

  /** @param appendfilename a name without a path, as `appendonly.aof` */
  constructor(appendfilename: string) {
    this.#stem = appendfilename;
    this.manifest = `${appendfilename}.manifest`;
  }

  /** @param isRdb whether the base begins with an RDB, as it does unless `aof-use-rdb-preamble no` */
  base(sequence: number, isRdb: boolean): LogFile {
    return { name: `${this.#stem}.${sequence}.base.${isRdb ? "rdb" : "aof"}`, sequence, type: "b" };
  }

  incr(sequence: number): LogFile {
    return { name: `${this.#stem}.${sequence}.incr.aof`, sequence, type: "i" };
  }

  /**
   * The set after a rewrite. A base that comes from Redis 6 has a name that does not tell what it was: that it may go
   * is said by the manifest.
   * @param old the base so far
   */
  rewritten(old: LogFile | undefined, base: LogFile, incr: LogFile): Manifest {
    const isForeign = old !== undefined && this.read(old.name) === undefined;
    return { base, incrs: [incr], history: isForeign ? [{ ...old, type: "h" }] : [] };
  }

  /** The file that a name stands for, if it is one that this class gives. */
  read(name: string): LogFile | undefined {
    if (!name.startsWith(`${this.#stem}.`)) return undefined;
    const parts = /^([1-9]\d{0,14})\.(base\.rdb|base\.aof|incr\.aof)$/.exec(name.slice(this.#stem.length + 1));
    if (parts === null) return undefined;
    return { name, sequence: Number(parts[1]), type: parts[2] === "incr.aof" ? "i" : "b" };
  }
}
