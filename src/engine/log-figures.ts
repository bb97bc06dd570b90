/**
 * LogFigures: what is known of a store's log beside what its parts know themselves: as data for `stats`, from that, by
 * Redis's names and some of our own, what INFO says; and who is told when something has come to its end.
 *
 * Owner thread only.
 */
import type { AppendLog } from "../durability/append-log.ts";
import { Histogram } from "../monitoring/histogram.ts";
import type { RewriteMetric, Told } from "../monitoring/metrics.ts";
import type { RewriteSchedule } from "./rewrite-schedule.ts";
import { wholeSeconds } from "./snapshot-figures.ts";

type Fields = Readonly<Record<string, string | number>>;

/** The fields that are always there, and those that are only while there is a log. */
export interface LogInfo {
  readonly always: Fields;
  readonly whileOn: Fields;
}

/** How a rewrite ended. */
export type RewriteOutcome = Told<RewriteMetric>;

/** Figures of one moment. Counters count from the opening of the store, or from `config("RESETSTAT")`. */
export interface LogStats {
  readonly isOn: boolean;
  /** Whether it could not be written, and writes are refused until it has been rewritten. */
  readonly hasFailed: boolean;
  /** What went wrong last, with appending, syncing, rewriting or deleting; empty if nothing has. */
  readonly lastError: string;
  /** Bytes of all its files, and what they were when it was last rewritten, or loaded. */
  readonly bytes: number;
  readonly rewrittenBytes: number;
  /** Bytes of what was executed in this turn, which go to the file, or to the thread that writes it, at its end. */
  readonly gatheredBytes: number;
  /** Bytes that wait for the thread that writes. */
  readonly pendingBytes: number;
  /** Whether a sync is asked for, or under way. */
  readonly isSyncPending: boolean;
  /** Milliseconds for which the oldest byte that is not on the disk has been waiting; 0 if all are. */
  readonly oldestUnsyncedMs: number;
  /** Times that everybody had to wait because the disk was too slow for the writes. */
  readonly delays: number;
  /** How many syncs there were, and how long they took, in milliseconds; all 0 of none. */
  readonly syncs: { readonly count: number; readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
  /** Whether it is being rewritten, and for how many milliseconds it has been; 0 if it is not. */
  readonly isRewriting: boolean;
  readonly rewritingMs: number;
  /** Whether a rewrite waits for a snapshot to be over. */
  readonly isRewriteScheduled: boolean;
  /** Rewrites that were begun, and how many of the last ones failed in a row. */
  readonly rewrites: number;
  readonly rewriteFailures: number;
  /** Milliseconds that the last one took; -1 before the first. */
  readonly lastRewriteMs: number;
  /** Bytes that the store has had to copy for that. */
  readonly lastCopiedBytes: number;
  /** Files that are not needed any more and not deleted yet. */
  readonly filesToDelete: number;
}

/** What only the keeper of the log knows. */
interface KeeperState {
  readonly isOn: boolean;
  readonly isRefusing: boolean;
  readonly isRewriting: boolean;
  readonly currentBytes: number;
  readonly gatheredBytes: number;
  readonly lastError: string;
}

/** Who is told: in the middle of whatever the log is at, so nothing may be called that executes commands. */
export interface LogListener {
  onSync(microseconds: number): void;
  onRewriteEnd(outcome: RewriteOutcome): void;
  /** @param error empty if that is over */
  onFailure(error: string): void;
}

export class LogFigures {
  listener: LogListener | undefined;
  /** Retired files that are still there. */
  filesToDelete = 0;
  /** Bytes that the last base has made the store copy. */
  lastCopiedBytes = 0;
  #syncs = new Histogram();
  #longestSync = 0;
  #rewriteBegan = 0;
  #bytesBefore = 0;
  #lastRewriteMs = -1;
  /** What is counted elsewhere and never set back, as of the last RESETSTAT. */
  #olderRewrites = 0;
  #olderDelays = 0;
  readonly #log: AppendLog;
  readonly #schedule: RewriteSchedule;

  constructor(log: AppendLog, schedule: RewriteSchedule) {
    this.#log = log;
    this.#schedule = schedule;
  }

  /** The log has been synced, which took so long. */
  addSync(microseconds: number): void {
    this.#syncs.add(microseconds);
    this.#longestSync = Math.max(this.#longestSync, microseconds);
    this.listener?.onSync(microseconds);
  }

  /** @param bytes of the log's files */
  beginRewrite(bytes: number): void {
    this.#rewriteBegan = performance.now();
    this.#bytesBefore = bytes;
  }

  /** @param error empty if it succeeded */
  endRewrite(bytesAfter: number, error: string): void {
    const durationMs = performance.now() - this.#rewriteBegan;
    this.#lastRewriteMs = durationMs;
    this.listener?.onRewriteEnd({ durationMs, bytesBefore: this.#bytesBefore, bytesAfter, error });
  }

  noteFailure(error: string): void {
    this.listener?.onFailure(error);
  }

  /** It can be written again. */
  noteRecovery(): void {
    this.listener?.onFailure("");
  }

  /** CONFIG RESETSTAT. */
  resetStatistics(): void {
    this.#syncs = new Histogram();
    this.#longestSync = 0;
    this.#olderRewrites = this.#schedule.rewrites;
    this.#olderDelays = this.#log.delays;
  }

  stats(state: KeeperState): LogStats {
    const log = this.#log;
    const schedule = this.#schedule;
    return {
      isOn: state.isOn,
      hasFailed: state.isRefusing,
      lastError: state.lastError,
      bytes: state.isOn ? state.currentBytes : 0,
      rewrittenBytes: state.isOn ? schedule.rememberedSize : 0,
      gatheredBytes: state.gatheredBytes,
      pendingBytes: log.pendingBytes,
      isSyncPending: log.isSyncPending,
      oldestUnsyncedMs: log.oldestUnsyncedMs,
      delays: log.delays - this.#olderDelays,
      syncs: {
        count: this.#syncs.total,
        p50Ms: this.#percentileMs(0.5),
        p99Ms: this.#percentileMs(0.99),
        maxMs: this.#longestSync / 1000,
      },
      isRewriting: state.isRewriting,
      rewritingMs: state.isRewriting ? performance.now() - this.#rewriteBegan : 0,
      isRewriteScheduled: schedule.isScheduled,
      rewrites: schedule.rewrites - this.#olderRewrites,
      rewriteFailures: schedule.failuresInARow,
      lastRewriteMs: this.#lastRewriteMs,
      lastCopiedBytes: this.lastCopiedBytes,
      filesToDelete: this.filesToDelete,
    };
  }

  /** A bucket of the histogram may end above the longest of all. */
  #percentileMs(fraction: number): number {
    return Math.min(this.#longestSync, this.#syncs.percentile(fraction)) / 1000;
  }
}

/** The fields about the log, in Redis's order, then our own. */
export function logFields(stats: LogStats): LogInfo {
  const always = {
    aof_enabled: stats.isOn ? 1 : 0,
    aof_rewrite_in_progress: stats.isRewriting ? 1 : 0,
    aof_rewrite_scheduled: stats.isRewriteScheduled ? 1 : 0,
    aof_last_rewrite_time_sec: wholeSeconds(stats.lastRewriteMs),
    aof_current_rewrite_time_sec: wholeSeconds(stats.isRewriting ? stats.rewritingMs : -1),
    aof_last_bgrewrite_status: stats.rewriteFailures > 0 ? "err" : "ok",
    aof_rewrites: stats.rewrites,
    aof_rewrites_consecutive_failures: stats.rewriteFailures,
    aof_last_write_status: stats.hasFailed ? "err" : "ok",
    aof_last_cow_size: stats.lastCopiedBytes,
  };
  if (!stats.isOn) return { always, whileOn: {} };
  const { syncs } = stats;
  const whileOn = {
    aof_current_size: stats.bytes,
    aof_base_size: stats.rewrittenBytes,
    aof_pending_rewrite: stats.isRewriteScheduled ? 1 : 0,
    aof_buffer_length: stats.gatheredBytes,
    aof_pending_bio_fsync: stats.isSyncPending ? 1 : 0,
    aof_delayed_fsync: stats.delays,
    aof_pending_bytes: stats.pendingBytes,
    aof_oldest_unsynced_ms: Math.round(stats.oldestUnsyncedMs),
    aof_fsyncs: syncs.count,
    aof_fsync_usec_p50: Math.round(syncs.p50Ms * 1000),
    aof_fsync_usec_p99: Math.round(syncs.p99Ms * 1000),
    aof_fsync_usec_max: Math.round(syncs.maxMs * 1000),
    aof_files_to_delete: stats.filesToDelete,
    aof_last_error: stats.lastError.replace(/\s+/g, " "),
  };
  return { always, whileOn };
}
