/** `db.stats()`: what a store is at, all from counters. */
import type { ThreadFigures } from "../commands/context.ts";
import type { HousekeepingMode } from "../engine/housekeeper.ts";
import type { PersistenceStats } from "../engine/persistence-stats.ts";
import type { Store } from "../engine/store.ts";

/** Figures of one moment. Counters count from the opening of the store, or from `config("RESETSTAT")`. */
export interface StoreStats {
  /** Milliseconds since the store was opened. */
  readonly uptimeMs: number;
  /** Keys of all databases; those that have expired, but have not been removed yet, included. */
  readonly keys: number;
  /** Keys that have a deadline. */
  readonly volatileKeys: number;
  readonly hits: number;
  readonly misses: number;
  /** Changes made to the data; never reset. */
  readonly changes: number;
  readonly commands: {
    readonly total: number;
    readonly perSecond: number;
    /** Replies that were errors. */
    readonly errors: number;
  };
  /** Connections, those within the process included, and bytes in their buffers. */
  readonly clients: { readonly connected: number; readonly bufferBytes: number };
  /** In bytes. */
  readonly memory: {
    /** What the data occupies; what is still to be freed included. */
    readonly used: number;
    readonly peak: number;
    /** `maxMemory`, 0 if there is no limit. */
    readonly limit: number;
    /** What the limit is compared with: `used`, with connections' buffers, but without what a freeze has copied. */
    readonly counted: number;
    /** Pages that hold any data. */
    readonly active: number;
    /** Pages that have ever held any: what the operating system provides. */
    readonly resident: number;
    /** What there is room for: reserved, and provided when it is used. */
    readonly reserved: number;
  };
  /** Values that are too large to be freed by the thread that answers. */
  readonly lazyFree: {
    /** What is dead and not free yet, and about how many bytes that is. */
    readonly pendingObjects: number;
    readonly pendingBytes: number;
    readonly freedObjects: number;
    /** Of these, values that the thread that answers had to free itself, in slices. */
    readonly inlineFrees: number;
    /** The longest that it was busy at a time with taking memory back. */
    readonly longestSliceMs: number;
  };
  readonly expiry: {
    readonly mode: HousekeepingMode;
    /** Removed because their time had come, by themselves or when they were looked up. */
    readonly expiredKeys: number;
    /** Fields of hashes. */
    readonly expiredFields: number;
    /** Of the keys that have a deadline, how many per cent were left over for the next slice, on average of late. */
    readonly stalePercent: number;
    /** Slices that had to stop because their time was up. */
    readonly capReached: number;
    /** Milliseconds spent on it in slices. */
    readonly busyMs: number;
  };
  readonly eviction: {
    readonly policy: string;
    readonly evictedKeys: number;
    /** Milliseconds spent on it, by commands and in slices; since the store was opened. */
    readonly busyMs: number;
    /** Milliseconds during which the limit was exceeded. */
    readonly exceededMs: number;
  };
  readonly housekeeping: {
    /** The longest time that one slice of background work has kept the thread that answers. */
    readonly longestSliceMs: number;
    /** Whether something is left for the next slice. */
    readonly isBusy: boolean;
  };
  /** Snapshots, and the log: what INFO says of them. Of a store without files, what it says of none. */
  readonly persistence: PersistenceStats;
  /** The store's background threads. */
  readonly threads: readonly ThreadFigures[];
}

/** O(shards + databases + threads). */
export function statsOf(store: Store): StoreStats {
  const { keyspace, services, engine, configuration, housekeeper, threads, persistence } = store;
  const { statistics, clients, lifecycle } = services;
  const { pendingObjects, pendingBytes, freedObjects, inlineFrees, longestSliceMs } = keyspace.releaser;
  const figures = keyspace.figures();
  let keys = 0;
  let volatileKeys = 0;
  for (const database of keyspace.databases) {
    keys += database.count;
    volatileKeys += database.volatileCount;
  }
  return {
    uptimeMs: Math.max(0, Date.now() - lifecycle.startedAt),
    keys,
    volatileKeys,
    hits: keyspace.hits,
    misses: keyspace.misses,
    changes: keyspace.changes,
    commands: {
      total: statistics.totalCommands,
      perSecond: statistics.commandRate.perSecond,
      errors: statistics.totalErrors,
    },
    clients: { connected: clients.size, bufferBytes: clients.bufferBytes },
    memory: {
      used: figures.usedBytes + figures.shadowBytes,
      peak: Math.max(figures.usedBytes + figures.shadowBytes, keyspace.usedPeak),
      limit: engine.memory.bytes,
      counted: engine.memory.usedBytes,
      active: figures.activeBytes + figures.shadowBytes,
      resident: figures.touchedBytes + figures.shadowBytes,
      reserved: figures.capacityBytes,
    },
    lazyFree: { pendingObjects, pendingBytes, freedObjects, inlineFrees, longestSliceMs },
    expiry: {
      mode: housekeeper.mode,
      expiredKeys: keyspace.expiredKeys,
      expiredFields: keyspace.expiredFields,
      stalePercent: keyspace.expireStalePercent,
      capReached: keyspace.expireCapReached,
      busyMs: statistics.expiryMs,
    },
    eviction: {
      policy: configuration.get("maxmemory-policy"),
      evictedKeys: keyspace.evictedKeys,
      busyMs: engine.memory.busyMs,
      exceededMs: keyspace.evictor.exceededMs,
    },
    housekeeping: { longestSliceMs: statistics.longestSliceMs, isBusy: housekeeper.isBusy },
    persistence,
    threads: threads.figures(),
  };
}
