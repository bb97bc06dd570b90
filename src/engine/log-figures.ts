/** LogFigures: what INFO says of the log, by Redis's names and some of our own. */
import type { AppendLog } from "../durability/append-log.ts";
import { Histogram } from "../monitoring/histogram.ts";
import type { RewriteSchedule } from "./rewrite-schedule.ts";

type Fields = Readonly<Record<string, string | number>>;

/** The fields that are always there, and those that are only while there is a log. */
export interface LogInfo {
  readonly always: Fields;
  readonly whileOn: Fields;
}

/** What only the keeper of the log knows. */
interface KeeperState {
  readonly isOn: boolean;
  readonly isRefusing: boolean;
  /** For how long it has been rewritten, -1 if it is not. */
  readonly rewriteSeconds: number;
  readonly currentBytes: number;
  readonly gatheredBytes: number;
  readonly lastError: string;
}

export class LogFigures {
  /** Retired files that are still there. */
  filesToDelete = 0;
  readonly #syncs = new Histogram();
  #longestSync = 0;

  /** The log has been synced, which took so long. */
  addSync(microseconds: number): void {
    this.#syncs.add(microseconds);
    this.#longestSync = Math.max(this.#longestSync, microseconds);
  }

  info(log: AppendLog, schedule: RewriteSchedule, state: KeeperState): LogInfo {
    const always = {
      aof_enabled: state.isOn ? 1 : 0,
      aof_rewrite_in_progress: state.rewriteSeconds >= 0 ? 1 : 0,
      aof_rewrite_scheduled: schedule.isScheduled ? 1 : 0,
      aof_last_rewrite_time_sec: schedule.lastSeconds,
      aof_current_rewrite_time_sec: state.rewriteSeconds,
      aof_last_bgrewrite_status: schedule.hasFailed ? "err" : "ok",
      aof_rewrites: schedule.rewrites,
      aof_rewrites_consecutive_failures: schedule.failuresInARow,
      aof_last_write_status: state.isRefusing ? "err" : "ok",
      aof_last_cow_size: 0,
    };
    if (!state.isOn) return { always, whileOn: {} };
    const whileOn = {
      aof_current_size: state.currentBytes,
      aof_base_size: schedule.rememberedSize,
      aof_pending_rewrite: 0,
      aof_buffer_length: state.gatheredBytes,
      aof_pending_bio_fsync: log.pendingBytes > 0 ? 1 : 0,
      aof_delayed_fsync: log.delays,
      aof_pending_bytes: log.pendingBytes,
      aof_oldest_unsynced_ms: Math.round(log.oldestUnsyncedMs),
      aof_fsync_usec_p50: Math.round(this.#syncs.percentile(0.5)),
      aof_fsync_usec_p99: Math.round(this.#syncs.percentile(0.99)),
      aof_fsync_usec_max: this.#longestSync,
      aof_files_to_delete: this.filesToDelete,
      aof_last_error: state.lastError.replace(/\s+/g, " "),
    };
    return { always, whileOn };
  }
}
