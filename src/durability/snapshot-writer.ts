/**
 * Writes a snapshot: everything that a frozen view shows, into a durable file, which then takes the place of the one
 * before. Used by the thread `snapshot`, and by SAVE on the store's own.
 *
 *     temporary: all keys, as an RDB or as commands ──▶ fsync ──▶ decide ──▶ rename to path ──▶ fsync the directory
 *
 * Invariants: whatever fails, and at whichever call, the file that was at `path` is in force, or, if only the last
 * fsync failed, the new one; the temporary is gone. A job that has been given up never renames.
 */

import type { AccessMoment } from "../keyspace/access-clock.ts";
import type { FrozenEntry } from "../keyspace/frozen-entry.ts";
import type { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
import { CommandFileWriter } from "./command-file-writer.ts";
import { commitFile, writeDurably } from "./durable-file.ts";
import type { Files, OpenFile } from "./files.ts";
import { type AccessRecord, changeVersion, RdbFileWriter } from "./rdb-file-writer.ts";
import {
  CANCELLED,
  COMMITTING,
  decide,
  end,
  KEYS,
  KIBIBYTES,
  RUNNING,
  type SnapshotWords,
  STATE,
} from "./snapshot-words.ts";

/** What a snapshot is written as: an RDB, or the commands that make an empty store the same. */
export type SnapshotForm = "rdb" | "commands";

/** What is to be written, and how: plain data, which can be posted to a worker. */
export interface SnapshotPlan {
  /** The file's name in the end; undefined if it stays at `temporary`, durable, for whoever has asked for it. */
  readonly path: string | undefined;
  /** Where it is written, beside `path`. */
  readonly temporary: string;
  readonly form: SnapshotForm;
  /** Seconds since 1970 with which commands begin; undefined for none. */
  readonly timestamp: number | undefined;
  readonly compress: boolean;
  readonly checksum: boolean;
  /** Bytes after which what has been written is synced; infinity for only at the end. */
  readonly syncPortion: number;
  readonly access: AccessRecord;
  /** Fields of an RDB's header, in this order: texts, one character a byte. */
  readonly aux: readonly (readonly [name: string, value: string])[];
  /** Milliseconds to wait after each key: for tests that want to be there meanwhile. */
  readonly keyDelayMs: number;
  /** Libraries of functions that were read from files and are handed on. */
  readonly functions: readonly Uint8Array[];
}

export interface SnapshotFigures {
  readonly bytes: number;
  readonly keys: number;
}

/** A small key takes about a microsecond. */
const KEYS_BETWEEN_RESTS = 32;

/** The job has been given up by whoever had asked for it. */
export class SnapshotCancelledError extends Error {
  override readonly name = "SnapshotCancelledError";

  constructor() {
    super("the snapshot was given up");
  }
}

/**
 * Writes a snapshot and puts it in its place.
 * @param moment what the entries' stamps mean
 * @param rest called between pieces of work of some dozens of microseconds: a background thread makes way there
 * @throws SnapshotCancelledError, FreezeLostError, or the system's error
 */
export function writeSnapshot(
  files: Files,
  view: FrozenKeyspace,
  moment: AccessMoment,
  plan: SnapshotPlan,
  words: SnapshotWords,
  rest?: () => void,
): SnapshotFigures {
  let writer: RdbFileWriter | CommandFileWriter | undefined;
  const { temporary, path } = plan;
  writeDurably(files, temporary, (file) => {
    writer = writeAllOf(file, view, moment, plan, words, rest);
  });
  const { written, keys } = writer!;
  try {
    if (writer instanceof RdbFileWriter && writer.hasFieldDeadlines) changeVersionOf(files, temporary);
    if (!decide(words, COMMITTING)) throw new SnapshotCancelledError();
  } catch (error) {
    quietlyRemove(files, temporary);
    throw error;
  }
  try {
    if (path !== undefined) commitFile(files, temporary, path);
  } finally {
    end(words);
  }
  return { bytes: written, keys };
}

function writeAllOf(
  file: OpenFile,
  view: FrozenKeyspace,
  moment: AccessMoment,
  plan: SnapshotPlan,
  words: SnapshotWords,
  rest: (() => void) | undefined,
): RdbFileWriter | CommandFileWriter {
  const onWrite = (keys: number, bytes: number): void => {
    rest?.();
    Atomics.store(words, KEYS, keys);
    Atomics.store(words, KIBIBYTES, Math.floor(bytes / 1024));
    if (Atomics.load(words, STATE) === CANCELLED) throw new SnapshotCancelledError();
  };
  const writer =
    plan.form === "rdb"
      ? new RdbFileWriter(file, { ...plan, moment, onWrite })
      : new CommandFileWriter(file, { ...plan, onWrite });
  const { keyDelayMs } = plan;
  const visit = (entry: FrozenEntry): void => {
    writer.entry(entry);
    if (writer.keys % KEYS_BETWEEN_RESTS === 0) rest?.();
    if (keyDelayMs > 0) wait(words, keyDelayMs, writer.keys);
  };
  if (writer instanceof RdbFileWriter) for (const [name, value] of plan.aux) writer.aux(name, value);
  for (const code of plan.functions) writer.library(code);
  for (const database of view.databases) {
    const { index, count, volatileCount } = database;
    if (count === 0) continue;
    writer.database(index, count, volatileCount);
    database.forEach(visit);
  }
  writer.finish();
  return writer;
}

/** Waits, unless the job is given up meanwhile, and says at once how far it has come. */
function wait(words: SnapshotWords, milliseconds: number, keys: number): void {
  Atomics.store(words, KEYS, keys);
  Atomics.wait(words, STATE, RUNNING, milliseconds);
  if (Atomics.load(words, STATE) === CANCELLED) throw new SnapshotCancelledError();
}

/** Before the file has its name: until then, nobody reads it. */
function changeVersionOf(files: Files, temporary: string): void {
  const file = files.open(temporary, "update");
  let isOpen = true;
  try {
    changeVersion(file);
    file.sync();
    isOpen = false;
    file.close();
  } finally {
    if (isOpen) file.close();
  }
}

/** Behind an error that is about to be thrown, which is the cause. */
function quietlyRemove(files: Files, path: string): void {
  try {
    files.remove(path);
  } catch {
    // What is left over is found by its name and deleted at the next start.
  }
}
