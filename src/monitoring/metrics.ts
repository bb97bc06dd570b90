/**
 * Metrics: what a store does on its own, told to whoever wants to know: lazy free, expiry, eviction, and the life of
 * its threads.
 *
 * Heard in two ways: by listeners of one store (`db.on("metric", ...)`), and, from all stores of the process together,
 * on the channels `stillwater:lazyfree`, `stillwater:expiry`, `stillwater:eviction` and `stillwater:worker` of
 * node:diagnostics_channel, which tools for tracing subscribe to without the program's help.
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

/** Keys and fields whose time had come have been removed. */
export interface ExpiryMetric extends MetricBase {
  readonly type: "expiry";
  /** Milliseconds that the serving thread was busy with it. */
  readonly durationMs: number;
  readonly keys: number;
  /** Fields of hashes. */
  readonly fields: number;
  /** Whether more is due, which the next slice goes on with. */
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

/** Something that a store did on its own; `type` tells which. */
export type Metric = LazyFreeMetric | ExpiryMetric | EvictionMetric | WorkerMetric;

const channels: Readonly<Record<Metric["type"], Channel>> = {
  lazyfree: channel("stillwater:lazyfree"),
  expiry: channel("stillwater:expiry"),
  eviction: channel("stillwater:eviction"),
  worker: channel("stillwater:worker"),
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
