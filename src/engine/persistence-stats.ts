/** What is known of a store's files, as data: `db.stats()`. INFO says the same, from the same figures. */
import type { LogStats } from "./log-figures.ts";
import type { SnapshotStats } from "./snapshot-figures.ts";

export interface PersistenceStats {
  readonly snapshots: SnapshotStats;
  readonly log: LogStats;
}

const NO_LOG: LogStats = {
  isOn: false,
  hasFailed: false,
  lastError: "",
  bytes: 0,
  rewrittenBytes: 0,
  gatheredBytes: 0,
  pendingBytes: 0,
  isSyncPending: false,
  oldestUnsyncedMs: 0,
  delays: 0,
  syncs: { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
  isRewriting: false,
  rewritingMs: 0,
  isRewriteScheduled: false,
  rewrites: 0,
  rewriteFailures: 0,
  lastRewriteMs: -1,
  lastCopiedBytes: 0,
  filesToDelete: 0,
};

/** Of a store that keeps nothing on disk. @param lastSaveAt seconds since 1970 of its opening */
export function noPersistence(changes: number, lastSaveAt: number): PersistenceStats {
  const snapshots: SnapshotStats = {
    isSaving: false,
    savingMs: 0,
    keysWritten: 0,
    keysToWrite: 0,
    copiedBytes: 0,
    copiedBytesMax: 0,
    changes,
    lastSaveAt,
    lastDurationMs: -1,
    lastCopiedBytes: 0,
    saves: 0,
    lastError: "",
    freezes: 0,
    lastFreezeMs: 0,
  };
  return { snapshots, log: NO_LOG };
}
