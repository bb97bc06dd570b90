/** What a snapshot is to be like: from the configuration, and from what was read from files and is handed on. */
import { REDIS_VERSION } from "../commands/version.ts";
import type { Configuration } from "../config/configuration.ts";
import type { AccessRecord } from "../durability/rdb-file-writer.ts";
import type { SnapshotForm, SnapshotPlan } from "../durability/snapshot-writer.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";

/** Bytes: a disk of 200 MB/s writes them in 80 ms, which is how long others wait. */
const SYNC_PORTION = 16 << 20;

/** What was read from files, is not understood here, and is handed on. */
export interface KeptFromFiles {
  readonly aux: ReadonlyMap<string, string>;
  readonly functions: readonly Uint8Array[];
}

/**
 * Fields that each file has its own of, and those of replication: handed on, they would make Redis believe that a file
 * with other data is a point in the history of the server that wrote the first one.
 */
const OWN_AUX = /^(redis-ver|redis-bits|ctime|used-mem|aof-base|aof-preamble|repl-.*)$/;

/**
 * @param path the file's name in the end; undefined if it stays at `temporary`, and becomes the base of a log
 * @param now seconds since 1970
 */
export function planSnapshot(
  keyspace: Keyspace,
  configuration: Configuration,
  kept: KeptFromFiles,
  path: string | undefined,
  temporary: string,
  form: SnapshotForm,
  now: number,
): SnapshotPlan {
  const isBase = path === undefined;
  const isInPortions = configuration.get(isBase ? "aof-rewrite-incremental-fsync" : "rdb-save-incremental-fsync");
  return {
    path,
    temporary,
    form,
    timestamp: configuration.get("aof-timestamp-enabled") ? now : undefined,
    compress: configuration.get("rdbcompression"),
    checksum: configuration.get("rdbchecksum"),
    syncPortion: isInPortions ? SYNC_PORTION : Number.POSITIVE_INFINITY,
    access: accessRecordOf(configuration.get("maxmemory-policy")),
    keyDelayMs: Math.max(0, configuration.get("rdb-key-save-delay")) / 1000,
    aux: [
      ["redis-ver", REDIS_VERSION],
      ["redis-bits", "64"],
      ["ctime", String(now)],
      ["used-mem", String(keyspace.usedBytes)],
      ["aof-base", isBase ? "1" : "0"],
      ...[...kept.aux].filter(([name]) => !OWN_AUX.test(name)),
    ],
    functions: kept.functions,
  };
}

/** Redis saves when, or how often, keys were used where its policy goes by that. */
function accessRecordOf(policy: string): AccessRecord {
  if (policy.endsWith("-lru")) return "idle";
  return policy.endsWith("-lfu") ? "frequency" : "none";
}
