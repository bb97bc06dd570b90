/**
 * LogSet: the files of an append-only log as they lie in a directory, in the order in which they are read.
 *
 *     dir/appenddirname/   appendonly.aof.manifest      which of these count
 *                          appendonly.aof.2.base.rdb    read first: an RDB, or commands, or both
 *                          appendonly.aof.5.incr.aof    then these
 *                          appendonly.aof.6.incr.aof    the only one whose end may be torn, unless what follows is
 *                          empty
 *
 * What is not as it has to be is refused here, before anything is loaded: a manifest that cannot be read, a file that
 * it lists and that is missing, increments that no manifest lists.
 * Any thread; nothing here has a state.
 */
import { basename, dirname, join } from "node:path";
import { DamagedFileError } from "./damaged-file-error.ts";
import type { Files } from "./files.ts";
import { LogWindow } from "./log-window.ts";
import { type AofNames, commitManifest, type LogFile, type Manifest, readManifest } from "./manifest.ts";

const RDB_MAGIC = "REDIS";

/** One file that is to be read. */
export interface LogSetFile {
  readonly path: string;
  readonly file: LogFile;
  readonly bytes: number;
  /** Whether it begins with an RDB. */
  readonly isRdb: boolean;
  /** Whether it may end with something incomplete: nothing that was written later follows. */
  readonly isLast: boolean;
}

export interface LogSet {
  readonly manifest: Manifest;
  readonly manifestPath: string;
  readonly files: readonly LogSetFile[];
}

/** Where a log is, or would be. */
export interface LogPlace {
  /** `dir`. */
  readonly directory: string;
  /** `appenddirname`. */
  readonly subdirectory: string;
  /** `appendfilename`. */
  readonly filename: string;
  readonly names: AofNames;
}

/**
 * Finds a log.
 * @returns undefined if there is none
 * @throws DamagedFileError, or the system's error
 */
export function findLogSet(files: Files, place: LogPlace): LogSet | undefined {
  const directory = join(place.directory, place.subdirectory);
  const manifestPath = join(directory, place.names.manifest);
  const manifest = readManifest(files, directory, place.names);
  if (manifest === undefined) {
    refuseStrayIncrements(files, directory, place.names);
    return undefined;
  }
  return readLogSet(files, manifestPath, manifest);
}

/**
 * The files that a manifest lists, as they are.
 * @throws DamagedFileError, or the system's error
 */
export function readLogSet(files: Files, manifestPath: string, manifest: Manifest): LogSet {
  const directory = dirname(manifestPath);
  const listed = manifest.base === undefined ? manifest.incrs : [manifest.base, ...manifest.incrs];
  const found = listed.map((file) => ({ file, path: join(directory, file.name), bytes: 0 }));
  for (const one of found) {
    const bytes = files.size(one.path);
    if (bytes === undefined) throw missing(manifestPath, one.path);
    one.bytes = bytes;
  }
  return {
    manifest,
    manifestPath,
    files: found.map(({ file, path, bytes }, index) => ({
      file,
      path,
      bytes,
      isRdb: file.type === "b" && startsWithRdb(files, path),
      // A base was whole before anything behind it was listed: what is not whole any more has been damaged.
      isLast: index === found.length - 1 || (file.type === "i" && found.slice(index + 1).every(isEmpty)),
    })),
  };
}

/**
 * Finds a log of Redis 6 and before: one file in `dir`, to be read like the base that `adoptOldLog` makes of it.
 * @returns undefined if there is none, or if it is not what counts
 * @throws DamagedFileError, or the system's error
 */
export function findOldLog(files: Files, place: LogPlace): LogSet | undefined {
  const { names, filename } = place;
  const directory = join(place.directory, place.subdirectory);
  const path = join(place.directory, filename);
  const bytes = files.size(path);
  if (bytes === undefined) return undefined;
  const manifest = readManifest(files, directory, names);
  if (manifest === undefined) refuseStrayIncrements(files, directory, names);
  else if (!isHalfAdopted(files, manifest, join(directory, filename))) return undefined;
  const file: LogFile = { name: filename, sequence: 1, type: "b" };
  return {
    manifest: manifest ?? { base: file, incrs: [], history: [] },
    manifestPath: join(directory, names.manifest),
    files: [{ path, file, bytes, isRdb: startsWithRdb(files, path), isLast: true }],
  };
}

/** Whether a manifest tells of a file that has not been moved to its place yet. */
function isHalfAdopted(files: Files, { base, incrs }: Manifest, path: string): boolean {
  return base?.name === basename(path) && incrs.length === 0 && files.size(path) === undefined;
}

/**
 * Brings such a log, which has been read, into today's form, as Redis 7 does: it becomes the base. Killed anywhere, the
 * next start finds the old file, with or without a manifest that tells of it, or the new set.
 * @param old as `findOldLog` has found it
 * @returns the set as it is now
 * @throws the system's error
 */
export function adoptOldLog(files: Files, place: LogPlace, old: LogSet): LogSet {
  const directory = join(place.directory, place.subdirectory);
  if (files.size(old.manifestPath) === undefined) {
    files.makeDirectory(directory);
    files.syncDirectory(place.directory);
    commitManifest(files, directory, place.names, old.manifest);
  }
  files.rename(join(place.directory, place.filename), join(directory, place.filename));
  files.syncDirectory(directory);
  files.syncDirectory(place.directory);
  return readLogSet(files, old.manifestPath, old.manifest);
}

/** Whether a file begins as an RDB does. */
export function startsWithRdb(files: Files, path: string): boolean {
  const file = files.open(path, "read");
  try {
    const window = new LogWindow(file, RDB_MAGIC.length);
    window.fill(0, RDB_MAGIC.length);
    return window.bytes.latin1Slice(0, window.filled) === RDB_MAGIC;
  } finally {
    file.close();
  }
}

/**
 * Increments with something in them, and no manifest: somebody has deleted it, or copied the directory without it. An
 * empty one may be left over from a start that was killed.
 */
function refuseStrayIncrements(files: Files, directory: string, names: AofNames): void {
  for (const name of files.list(directory).sort()) {
    if (names.read(name)?.type !== "i" || files.size(join(directory, name)) === 0) continue;
    const advice = `Restore it from a copy; or move ${directory} away, to start without the log.`;
    throw new DamagedFileError(join(directory, names.manifest), 0, `it is missing, and ${name} is there`, advice);
  }
}

const isEmpty = ({ bytes }: { readonly bytes: number }): boolean => bytes === 0;

function missing(manifestPath: string, path: string): DamagedFileError {
  const advice = `Restore ${path} from a copy. Without it the rest of the log means nothing.`;
  return new DamagedFileError(manifestPath, 0, `it lists ${path}, and there is no such file`, advice);
}
