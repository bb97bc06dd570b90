/**
 * The background thread `snapshot`: what it is asked and what it answers. It gets a frozen view and writes it to a
 * file, one job at a time. Messages here, progress and the decision about a job's end in durability/snapshot-words.ts.
 *
 * Every job has one answer, or the end of the worker, which is an answer as well. A number tells jobs apart: the answer
 * to one that was given up comes when its successor may be under way.
 */

import type { LockMark } from "../durability/guarded-files.ts";
import type { SnapshotWords } from "../durability/snapshot-words.ts";
import type { SnapshotFigures, SnapshotPlan } from "../durability/snapshot-writer.ts";
import type { AccessMoment } from "../keyspace/access-clock.ts";
import type { FrozenRegion } from "../memory/region.ts";
import type { BackgroundThread, ThreadOptions } from "./background-thread.ts";
import type { BackgroundThreads } from "./background-threads.ts";

/** The one that runs, and those that have been given up and whose worker has not noticed yet. */
const INBOX_MAX = 4;

export interface SnapshotRequest {
  readonly kind: "save";
  readonly number: number;
  readonly regions: readonly FrozenRegion[];
  readonly databases: number;
  readonly moment: AccessMoment;
  readonly plan: SnapshotPlan;
  readonly words: SnapshotWords;
  /** Of the lock on the directory: whoever has lost it writes no more. */
  readonly lock: LockMark | undefined;
}

export type SnapshotReply =
  | { readonly number: number; readonly figures: SnapshotFigures; readonly error?: undefined }
  | { readonly number: number; readonly error: string };

export type SnapshotThread = BackgroundThread<SnapshotRequest, SnapshotReply>;

/** Adds the thread to a store's. It starts with the first job. */
export function addSnapshotThread(
  threads: BackgroundThreads,
  options: Pick<ThreadOptions<SnapshotReply>, "onMessage" | "onExit"> &
    Partial<Pick<ThreadOptions<SnapshotReply>, "script" | "limits">>,
): SnapshotThread {
  return threads.add<SnapshotRequest, SnapshotReply>({
    name: "snapshot",
    script: new URL("./snapshot-worker.js", import.meta.url),
    inboxMax: INBOX_MAX,
    ...options,
  });
}
