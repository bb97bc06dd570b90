/**
 * How a log that ends with something incomplete is repaired, before anything is appended to it:
 *
 *     1. copy    what stands from the cut on, to <file>.torn-<milliseconds since 1970>, beside it
 *     2. fsync   the copy, and the directory
 *     3. truncate the log, and fsync it
 *
 * Why a copy: what is incomplete was acknowledged to nobody, as far as anyone can tell; where it was damage that only
 * looks so, whoever investigates has it. Nobody deletes these files but their owner.
 *
 * Invariant: the log is not touched before its end is durable elsewhere. If anything fails, the error is the caller's,
 * who must not append. Whoever calls it has the log to himself.
 */
import { dirname } from "node:path";
import { writeDurably } from "./durable-file.ts";
import { type Files, type OpenFile, writeAll } from "./files.ts";

const COPY_BYTES = 1024 * 1024;

/**
 * Cuts a file off at `offset`, and keeps what it cuts.
 * @param now milliseconds since 1970
 * @returns the path of what was cut off
 * @throws the system's error
 */
export function cutOff(files: Files, path: string, offset: number, now: number): string {
  const file = files.open(path, "update");
  try {
    const keptAs = unusedName(files, `${path}.torn-`, now);
    writeDurably(files, keptAs, (copy) => copyRest(file, offset, copy));
    files.syncDirectory(dirname(path));
    file.truncate(offset);
    file.sync();
    return keptAs;
  } finally {
    file.close();
  }
}

/** Cuts off the padding that a process which was killed has left (padded-file.ts): there is nothing to keep. */
export function cutPadding(files: Files, path: string, offset: number): void {
  const file = files.open(path, "update");
  try {
    file.truncate(offset);
    file.sync();
  } finally {
    file.close();
  }
}

function unusedName(files: Files, beginning: string, now: number): string {
  let number = now;
  while (files.size(`${beginning}${number}`) !== undefined) number += 1;
  return `${beginning}${number}`;
}

function copyRest(from: OpenFile, offset: number, to: OpenFile): void {
  const bytes = Buffer.allocUnsafe(Math.min(COPY_BYTES, Math.max(1, from.size() - offset)));
  for (let position = offset; ; ) {
    const count = from.read(bytes, 0, bytes.length, position);
    if (count === 0) return;
    writeAll(to, bytes, 0, count);
    position += count;
  }
}
