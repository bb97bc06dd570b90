/**
 * Writes a snapshot: everything that a frozen view shows, into a durable file, which then takes the place of the one
 * before. Used by the thread `snapshot`, and by SAVE on the store's own.
 *
 *     temporary: header, keys, end ──▶ fsync ──▶ decide ──▶ rename to path ──▶ fsync the directory
 *
 * Invariants: whatever fails, and at whichever call, the file that was at `path` is in force, or, if only the last
 * fsync failed, the new one; the temporary is gone. A job that has been given up never renames.
 */

import type { AccessMoment } from "../keyspace/access-clock.ts";
import type { FrozenEntry } from "../keyspace/frozen-entry.ts";
import type { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
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

/** What is to be written, and how: plain data, which can be posted to a worker. */
export interface SnapshotPlan {
  /** The file's name in the end; undefined if it stays at `temporary`, durable, for whoever has asked for it. */
  readonly path: string | undefined;
  /** Where it is written, beside `path`. */
  readonly temporary: string;
  readonly compress: boolean;
  readonly checksum: boolean;
  /** Bytes after which what has been written is synced; infinity for only at the end. */
  readonly syncPortion: number;
  readonly access: AccessRecord;
  /** Fields of the header, in this order: texts, one character a byte. */
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
 * @throws SnapshotCancelledError, FreezeLostError, or the system's error
 */
export function writeSnapshot(
  files: Files,
  view: FrozenKeyspace,
  moment: AccessMoment,
  plan: SnapshotPlan,
  words: SnapshotWords,
): SnapshotFigures {
  let writer: RdbFileWriter | undefined;
  const { temporary, path } = plan;
  writeDurably(files, temporary, (file) => {
    writer = writeAllOf(file, view, moment, plan, words);
  });
  const { written, keys, hasFieldDeadlines } = writer!;
  try {
    if (hasFieldDeadlines) changeVersionOf(files, temporary);
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
): RdbFileWriter {
  const onWrite = ({ keys, written }: RdbFileWriter): void => {
    Atomics.store(words, KEYS, keys);
    Atomics.store(words, KIBIBYTES, Math.floor(written / 1024));
    if (Atomics.load(words, STATE) === CANCELLED) throw new SnapshotCancelledError();
  };
  const writer = new RdbFileWriter(file, { ...plan, moment, onWrite });
  const { keyDelayMs } = plan;
  const visit = (entry: FrozenEntry): void => {
    writer.entry(entry);
    if (keyDelayMs > 0) wait(words, keyDelayMs, writer.keys);
  };
  for (const [name, value] of plan.aux) writer.aux(name, value);
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
