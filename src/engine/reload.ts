/**
 * DEBUG RELOAD: brings the data back from the snapshot, at once and while everybody waits. For tests: what was saved
 * must be what is there afterwards.
 *
 * Owner thread only; synchronous, as SAVE is.
 */
import type { ReloadOptions } from "../commands/context.ts";
import type { Files } from "../durability/files.ts";
import { RdbLoader } from "../durability/rdb-loader.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { KeptFromFiles } from "./snapshot-plan.ts";

/**
 * Loads the file, after emptying the store unless that is not wanted. Nothing of it counts as a change.
 * @param checksum whether the file's sum must be right
 * @returns what of the file is no data, to be handed on with the next one
 * @throws DamagedFileError, UnloadableFileError, or the system's error; the store has what was loaded by then
 */
export function reloadFrom(
  files: Files,
  path: string,
  keyspace: Keyspace,
  { flushes, merges }: Omit<ReloadOptions, "saves">,
  checksum: boolean,
): KeptFromFiles {
  const functions: Buffer[] = [];
  keyspace.clock.forget();
  const loader = new RdbLoader(files, path, keyspace, {
    checksum,
    merges,
    now: keyspace.clock.now(),
    onFunction: (code) => functions.push(code),
  });
  try {
    const { changes } = keyspace;
    if (flushes) keyspace.flushAll();
    keyspace.changes = changes;
    while (loader.step(Number.POSITIVE_INFINITY));
    return { aux: loader.aux, functions };
  } finally {
    loader.close();
  }
}
