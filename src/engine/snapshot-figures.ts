/** What is known of a store's snapshots: as data for `stats`, and from that, by Redis's names, what INFO says. */
import type { SnapshotMetric, Told } from "../monitoring/metrics.ts";

/** How a snapshot ended. */
export type SnapshotOutcome = Told<SnapshotMetric>;

/** Figures of one moment. Counters count from the opening of the store, or from `config("RESETSTAT")`. */
export interface SnapshotStats {
  /** Whether one is being written in the background, and for how many milliseconds it has been; 0 if none is. */
  readonly isSaving: boolean;
  readonly savingMs: number;
  /** Of what is being written, a snapshot or the base of a log: keys written, and keys there are; 0 of nothing. */
  readonly keysWritten: number;
  readonly keysToWrite: number;
  /** Bytes that the store has had to copy for it until now, and the most there has been of them. */
  readonly copiedBytes: number;
  readonly copiedBytesMax: number;
  /** Changes made to the data that are in no snapshot. */
  readonly changes: number;
  /** Seconds since 1970 of the last snapshot, or of the opening. */
  readonly lastSaveAt: number;
  /** Milliseconds that the last one in the background took; -1 before the first. */
  readonly lastDurationMs: number;
  /** Bytes that the store has had to copy for that. */
  readonly lastCopiedBytes: number;
  /** Snapshots that were begun. */
  readonly saves: number;
  /** Why the last one in the background failed; empty if it did not. */
  readonly lastError: string;
  /** Freezes that were made, for bases of the log, too; and milliseconds that the last one took. */
  readonly freezes: number;
  readonly lastFreezeMs: number;
}

type Fields = Readonly<Record<string, string | number>>;

/** What Redis says of a duration that there has not been. */
const NEVER = -1;

/** Milliseconds as INFO shows them: whole seconds, -1 of what has not been. */
export function wholeSeconds(milliseconds: number): number {
  return milliseconds < 0 ? NEVER : Math.floor(milliseconds / 1000);
}

/** The fields about snapshots, in Redis's order. */
export function snapshotFields(stats: SnapshotStats): Fields {
  const { keysWritten, keysToWrite } = stats;
  return {
    current_cow_peak: stats.copiedBytesMax,
    current_cow_size: stats.copiedBytes,
    current_cow_size_age: 0,
    current_fork_perc: (keysToWrite === 0 ? 0 : (keysWritten / keysToWrite) * 100).toFixed(2),
    current_save_keys_processed: keysWritten,
    current_save_keys_total: keysToWrite,
    rdb_changes_since_last_save: stats.changes,
    rdb_bgsave_in_progress: stats.isSaving ? 1 : 0,
    rdb_last_save_time: stats.lastSaveAt,
    rdb_last_bgsave_status: stats.lastError === "" ? "ok" : "err",
    rdb_last_bgsave_time_sec: wholeSeconds(stats.lastDurationMs),
    rdb_current_bgsave_time_sec: wholeSeconds(stats.isSaving ? stats.savingMs : NEVER),
    rdb_saves: stats.saves,
    rdb_last_cow_size: stats.lastCopiedBytes,
  };
}

/** What the section stats says of freezes, in the words of forks. */
export function freezeFields(stats: SnapshotStats): {
  readonly latest_fork_usec: number;
  readonly total_forks: number;
} {
  return { latest_fork_usec: Math.round(stats.lastFreezeMs * 1000), total_forks: stats.freezes };
}
