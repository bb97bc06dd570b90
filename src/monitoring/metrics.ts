/**
 * Metrics: what a store does on its own, told to whoever wants to know: lazy free, expiry, eviction, what becomes of
 * its files, and the life of its threads.
 *
 * Heard in two ways: by listeners of one store (`db.on("metric", ...)`), and, from all stores of the process together,
 * on a channel of node:diagnostics_channel for each type (`stillwater:lazyfree` and so on), which tools for tracing
 * subscribe to without the program's help.
 *
 * Cheap where nobody listens: whoever has something to tell asks `wants` first, and makes no object if the answer is
 * no.
 * Owner thread only.
 */
import { type Channel, channel } from "node:diagnostics_channel";
import { EventListeners } from "./event-listeners.ts";

interface MetricBase {
  /** The store it is about: `run_id` of its INFO. */
  readonly storeId: string;
}

/** Values too large to be freed by the thread that answers have been given back. */
export interface LazyFreeMetric extends MetricBase {
  readonly type: "lazyfree";
  /** Milliseconds that the serving thread was busy with it. */
  readonly durationMs: number;
  /** Values whose memory is free again. */
  readonly objects: number;
  /** Bytes that are free again. */
  readonly bytes: number;
  /** Of `objects`, those that the serving thread freed itself, in slices. */
  readonly inline: number;
  /** Values, and their bytes, that are still to be freed. */
  readonly pendingObjects: number;
  readonly pendingBytes: number;
}

/** Keys and fields whose time had come have been removed; none of either only where the last event said `isMore`. */
export interface ExpiryMetric extends MetricBase {
  readonly type: "expiry";
  /** Milliseconds that the serving thread was busy with it. */
  readonly durationMs: number;
  readonly keys: number;
  /** Fields of hashes. */
  readonly fields: number;
  /** Whether more may be due: then the next slice goes on with it, and an event without this follows at the end. */
  readonly isMore: boolean;
}

/** Keys have been removed to make room. */
export interface EvictionMetric extends MetricBase {
  readonly type: "eviction";
  /** Milliseconds that the serving thread was busy with it. */
  readonly durationMs: number;
  readonly keys: number;
  /** Bytes in use beyond the limit when it was over; 0 if there is room. */
  readonly excessBytes: number;
}

/** A background thread has died, or could not be started. Another is started; what it held is taken care of. */
export interface WorkerMetric extends MetricBase {
  readonly type: "worker";
  readonly thread: string;
  /** What it died of. */
  readonly error: string;
  /** Milliseconds until another one is started. */
  readonly retryMs: number;
}

/** A snapshot is over: it is on the disk, or it has failed. */
export interface SnapshotMetric extends MetricBase {
  readonly type: "snapshot";
  /** A blocking save, one in the background whoever asked for it, or the base of a log, which is written likewise. */
  readonly kind: "save" | "bgsave" | "base";
  /** Milliseconds from its begin to its end. Only for a "save" was the serving thread busy with it all the time. */
  readonly durationMs: number;
  /** Milliseconds of the serving thread for the freeze; 0 of a "save", which needs none. */
  readonly freezeMs: number;
  /** What was written; if it has failed, as far as it came. */
  readonly keys: number;
  readonly bytes: number;
  /** Bytes that the store has copied before they were changed, because the snapshot was still to see them. */
  readonly copiedBytes: number;
  /** Why it has failed; empty if it has not. */
  readonly error: string;
}

/** The log has been rewritten, or that has failed, and the files before it are in force. */
export interface RewriteMetric extends MetricBase {
  readonly type: "rewrite";
  /** Milliseconds from its begin to its end; the serving thread was hardly busy with it. */
  readonly durationMs: number;
  /** Bytes of all files of the log when it began, and when it was over. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Why it has failed; empty if it has not. */
  readonly error: string;
}

/** The log has been synced; told about ten times a second, with all syncs since the last time. */
export interface SyncMetric extends MetricBase {
  readonly type: "sync";
  readonly syncs: number;
  /** Milliseconds that they took together, and the longest of them: time of the thread that writes the log. */
  readonly durationMs: number;
  readonly longestMs: number;
}

/** The log could not be written or synced, and writes are refused until it has been rewritten; or that is over. */
export interface LogMetric extends MetricBase {
  readonly type: "log";
  /** Empty if it is over. */
  readonly error: string;
}

/** What a metric tells, for those who know it before there is one: neither of which type it is, nor of which store. */
export type Told<M extends Metric> = Omit<M, "type" | "storeId">;

/** Something that a store did on its own; `type` tells which. */
export type Metric =
  | LazyFreeMetric
  | ExpiryMetric
  | EvictionMetric
  | WorkerMetric
  | SnapshotMetric
  | RewriteMetric
  | SyncMetric
  | LogMetric;

const channels: Readonly<Record<Metric["type"], Channel>> = {
  lazyfree: channel("stillwater:lazyfree"),
  expiry: channel("stillwater:expiry"),
  eviction: channel("stillwater:eviction"),
  worker: channel("stillwater:worker"),
  snapshot: channel("stillwater:snapshot"),
  rewrite: channel("stillwater:rewrite"),
  sync: channel("stillwater:sync"),
  log: channel("stillwater:log"),
};

export class Metrics {
  /** Tells this store's metrics from those of others on the same channel. */
  readonly storeId: string;
  readonly listeners = new EventListeners<Metric>();

  constructor(storeId: string) {
    this.storeId = storeId;
  }

  /** Whether anybody listens to metrics of any type. */
  get hasListeners(): boolean {
    return this.listeners.size > 0 || Object.values(channels).some(({ hasSubscribers }) => hasSubscribers);
  }

  /** Whether anybody would hear of this type: to be asked before a metric is made. */
  wants(type: Metric["type"]): boolean {
    return this.listeners.size > 0 || channels[type].hasSubscribers;
  }

  emit(metric: Metric): void {
    this.listeners.tell(metric);
    channels[metric.type].publish(metric);
  }
}
