/**
 * PersistenceMonitor: what becomes of a store's files, told as metrics, and as spikes where LATENCY looks for them.
 *
 *     Snapshotter, LogKeeper ──outcomes, syncs──▶ here ──when a slice is over──▶ metrics
 *                                                  └──────at once─────────────▶ latency monitor
 *
 * Jobs end while commands run, too (FLUSHALL gives one up), where nobody may be told of it: a listener may do anything.
 * So what has ended waits for the end of the next slice, which is asked for at once. Syncs are summed up and told ten
 * times a second (once in a round of the housekeeper): under `always` there are thousands.
 *
 * Of Redis's latency events there are `fork` (the freeze), `aof-write` and its kinds, for which the thread that answers
 * has to wait, and `aof-fsync-always`, which here holds up nobody but those whose replies wait for it. That thread does
 * not append while a sync is under way; what Redis calls `aof-write-pending-fsync`, a write that could be put off no
 * longer, is here a wait for room in the ring. The others that are about files have nothing that they could stand for:
 * renaming and unlinking is done by other threads.
 *
 * Owner thread only.
 */
import type { Services } from "../commands/context.ts";
import type { Metric, Metrics } from "../monitoring/metrics.ts";
import type { RewriteOutcome } from "./log-figures.ts";
import type { LogKeeper } from "./log-keeper.ts";
import type { SnapshotOutcome } from "./snapshot-figures.ts";
import type { Snapshotter } from "./snapshotter.ts";

/** What the monitor needs of the store. */
export interface MonitoredStore {
  readonly metrics: Metrics;
  readonly services: Pick<Services, "latency" | "keyspace">;
  /** Asks for a slice soon. */
  hurry(): void;
}

/** What is listened to. */
type WatchedSnapshots = Pick<Snapshotter, "onOutcome" | "isRunning">;
type WatchedLog = Pick<LogKeeper, "log" | "figures">;

export class PersistenceMonitor {
  readonly #store: MonitoredStore;
  readonly #snapshots: WatchedSnapshots;
  readonly #log: WatchedLog;
  #ended: Metric[] = [];
  #isRoundOver = false;
  /** Syncs that have not been told of. */
  #syncs = 0;
  #syncMs = 0;
  #longestSyncMs = 0;

  /** Begins to listen. */
  constructor(store: MonitoredStore, snapshots: WatchedSnapshots, log: WatchedLog) {
    this.#store = store;
    this.#snapshots = snapshots;
    this.#log = log;
    snapshots.onOutcome = (outcome) => this.#noteSnapshot(outcome);
    log.log.onAppend = (milliseconds, isWait) => this.#noteAppend(milliseconds, isWait);
    log.figures.listener = {
      onSync: (microseconds) => this.#noteSync(microseconds / 1000),
      onRewriteEnd: (outcome) => this.#noteRewrite(outcome),
      onFailure: (error) => this.#noteFailure(error),
    };
  }

  /** A round of the housekeeper begins: the slice that follows tells of syncs. */
  beginRound(): void {
    this.#isRoundOver = true;
  }

  /** Tells what there is to tell: when nothing is under way. */
  tell(): void {
    if (this.#ended.length > 0) {
      // What listeners bring about waits for the next time.
      const ended = this.#ended;
      this.#ended = [];
      for (const metric of ended) this.#store.metrics.emit(metric);
    }
    if (!this.#isRoundOver) return;
    this.#isRoundOver = false;
    if (this.#syncs > 0) this.#tellOfSyncs();
  }

  /** The store has been closed: tells what is left. */
  close(): void {
    this.#isRoundOver = true;
    this.tell();
  }

  #tellOfSyncs(): void {
    const syncs = this.#syncs;
    const durationMs = this.#syncMs;
    const longestMs = this.#longestSyncMs;
    this.#syncs = 0;
    this.#syncMs = 0;
    this.#longestSyncMs = 0;
    const { metrics } = this.#store;
    if (!metrics.wants("sync")) return;
    metrics.emit({ type: "sync", storeId: metrics.storeId, syncs, durationMs, longestMs });
  }

  #noteSync(milliseconds: number): void {
    this.#syncs += 1;
    this.#syncMs += milliseconds;
    this.#longestSyncMs = Math.max(this.#longestSyncMs, milliseconds);
    if (this.#log.log.policy !== "always") return;
    const { latency, keyspace } = this.#store.services;
    latency.add("aof-fsync-always", milliseconds, keyspace.clock.now());
  }

  #noteAppend(milliseconds: number, isWait: boolean): void {
    const { latency, keyspace } = this.#store.services;
    if (latency.thresholdMs === 0) return;
    const now = keyspace.clock.now();
    const kind = this.#snapshots.isRunning ? "aof-write-active-child" : "aof-write-alone";
    latency.add(isWait ? "aof-write-pending-fsync" : kind, milliseconds, now);
    latency.add("aof-write", milliseconds, now);
  }

  #noteSnapshot(outcome: SnapshotOutcome): void {
    if (outcome.kind === "base") this.#log.figures.lastCopiedBytes = outcome.copiedBytes;
    const { metrics } = this.#store;
    if (metrics.wants("snapshot")) this.#tellSoon({ type: "snapshot", storeId: metrics.storeId, ...outcome });
  }

  #noteRewrite(outcome: RewriteOutcome): void {
    const { metrics } = this.#store;
    if (metrics.wants("rewrite")) this.#tellSoon({ type: "rewrite", storeId: metrics.storeId, ...outcome });
  }

  #noteFailure(error: string): void {
    const { metrics } = this.#store;
    if (metrics.wants("log")) this.#tellSoon({ type: "log", storeId: metrics.storeId, error });
  }

  #tellSoon(metric: Metric): void {
    this.#ended.push(metric);
    this.#store.hurry();
  }
}
