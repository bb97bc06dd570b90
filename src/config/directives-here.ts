/**
 * The directives that are in force, by subject. Defaults and bounds are those of Redis 7.2.
 *
 * A directive moves here from directives-later.ts on the day its part of the system exists.
 */
import { here } from "./directive.ts";
import { EVICTION_POLICIES } from "./eviction-policies.ts";
import {
  anyOf,
  bytes,
  INT_MAX,
  integer,
  LONG_MAX,
  memory,
  memoryOrPercent,
  octal,
  oneOf,
  text,
  UINT_MAX,
  ULONG_MAX,
  yesNo,
} from "./kinds.ts";
import {
  addresses,
  directory,
  fileName,
  keyspaceEventClasses,
  outputBufferLimits,
  percentiles,
  savePoints,
} from "./special-kinds.ts";

const MIB = 2 ** 20;
const COUNT = { min: 0n, max: INT_MAX };
const LONG_COUNT = { min: 0n, max: LONG_MAX };
const PORT = { min: 0n, max: 65535n };
const immutable = true;

const SIGNAL_ACTIONS = ["default", "save", "nosave", "now", "force"] as const;
const WHO_MAY = ["no", "yes", "local"] as const;

function saveOrNot(chosen: ReadonlySet<string>): string | undefined {
  const both = chosen.has("save") && chosen.has("nosave");
  return both ? "shutdown options SAVE and NOSAVE can't be used simultaneously" : undefined;
}

const network = {
  bind: here(addresses("* -::*")),
  port: here(integer(6379, PORT)),
  "tcp-backlog": here(integer(511, COUNT), { immutable }),
  "tcp-keepalive": here(integer(300, COUNT)),
  timeout: here(integer(0, COUNT)),
  "protected-mode": here(yesNo("yes")),
  unixsocket: here(text(), { immutable }),
  unixsocketperm: here(octal(0, { min: 0n, max: 0o777n }), { immutable }),
};

const clients = {
  maxclients: here(integer(10_000, { min: 1n, max: UINT_MAX })),
  requirepass: here(bytes(), { sensitive: true }),
  "client-output-buffer-limit": here(
    outputBufferLimits("normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"),
  ),
  "client-query-buffer-limit": here(memory(1024 * MIB, { min: BigInt(MIB), max: LONG_MAX })),
  "maxmemory-clients": here(memoryOrPercent(0)),
  "proto-max-bulk-len": here(memory(512 * MIB, { min: BigInt(MIB), max: LONG_MAX })),
};

const general = {
  databases: here(integer(16, { min: 1n, max: INT_MAX }), { immutable }),
  dir: here(directory(), { protected: true, fixedWhileLoading: true }),
  hz: here(integer(10, COUNT, { min: 1n, max: 500n })),
  "dynamic-hz": here(yesNo("yes")),
  logfile: here(text(""), { immutable }),
  loglevel: here(oneOf(["debug", "verbose", "notice", "warning", "nothing"], "notice")),
  pidfile: here(text(), { immutable }),
  "enable-debug-command": here(oneOf(WHO_MAY, "no"), { immutable }),
  "enable-protected-configs": here(oneOf(WHO_MAY, "no"), { immutable }),
  "shutdown-on-sigint": here(anyOf(SIGNAL_ACTIONS, saveOrNot)),
  "shutdown-on-sigterm": here(anyOf(SIGNAL_ACTIONS, saveOrNot)),
  "shutdown-timeout": here(integer(10, COUNT)),
};

const memoryLimits = {
  maxmemory: here(memory(0, { min: 0n, max: ULONG_MAX })),
  /** Bytes of one region; 0 lets the memory limit choose. A directive of Stillwater's own. */
  "region-size": here(memory(0, { min: 0n, max: 2n ** 31n }), { immutable }),
  "maxmemory-policy": here(oneOf(EVICTION_POLICIES, "noeviction")),
  "maxmemory-samples": here(integer(5, { min: 1n, max: INT_MAX })),
  "maxmemory-eviction-tenacity": here(integer(10, { min: 0n, max: 100n })),
  "lfu-log-factor": here(integer(10, COUNT)),
  "lfu-decay-time": here(integer(1, COUNT)),
  "active-expire-effort": here(integer(1, { min: 1n, max: 10n })),
  /** Redis's default is "no". Here it costs nothing while there is nothing to win. */
  activedefrag: here(yesNo("yes")),
  "active-defrag-ignore-bytes": here(memory(100 * MIB, { min: 1n, max: LONG_MAX })),
  "active-defrag-threshold-lower": here(integer(10, { min: 0n, max: 1000n })),
  "active-defrag-threshold-upper": here(integer(100, { min: 0n, max: 1000n })),
  "active-defrag-cycle-min": here(integer(1, { min: 1n, max: 99n })),
  "active-defrag-cycle-max": here(integer(25, { min: 1n, max: 99n })),
};

/** Redis's defaults of the first five are "no". Here freeing in the background costs nobody anything. */
const lazyFreeing = {
  "lazyfree-lazy-eviction": here(yesNo("yes")),
  "lazyfree-lazy-expire": here(yesNo("yes")),
  "lazyfree-lazy-server-del": here(yesNo("yes")),
  "lazyfree-lazy-user-del": here(yesNo("yes")),
  "lazyfree-lazy-user-flush": here(yesNo("yes")),
  /** What is freed in the background, and how much may wait. Directives of Stillwater's own. */
  "lazyfree-threshold-blocks": here(integer(512, COUNT)),
  "lazyfree-threshold-bytes": here(memory(MIB, LONG_COUNT)),
  "lazyfree-max-pending-bytes": here(memory(1024 * MIB, LONG_COUNT)),
};

const statistics = {
  "latency-monitor-threshold": here(integer(0, LONG_COUNT)),
  "latency-tracking": here(yesNo("yes")),
  "latency-tracking-info-percentiles": here(percentiles("50 99 99.9")),
  "slowlog-log-slower-than": here(integer(10_000, { min: -1n, max: LONG_MAX })),
  "slowlog-max-len": here(integer(128, LONG_COUNT)),
  "notify-keyspace-events": here(keyspaceEventClasses()),
};

const collections = {
  "hash-max-listpack-entries": here(integer(512, LONG_COUNT), { alias: "hash-max-ziplist-entries" }),
  "hash-max-listpack-value": here(memory(64, LONG_COUNT), { alias: "hash-max-ziplist-value" }),
  "list-max-listpack-size": here(integer(-2, { min: -INT_MAX - 1n, max: INT_MAX }), {
    alias: "list-max-ziplist-size",
  }),
  "set-max-intset-entries": here(integer(512, LONG_COUNT)),
  "set-max-listpack-entries": here(integer(128, LONG_COUNT)),
  "set-max-listpack-value": here(integer(64, LONG_COUNT)),
  "zset-max-listpack-entries": here(integer(128, LONG_COUNT), { alias: "zset-max-ziplist-entries" }),
  "zset-max-listpack-value": here(memory(64, LONG_COUNT), { alias: "zset-max-ziplist-value" }),
  "hll-sparse-max-bytes": here(memory(3000, LONG_COUNT)),
};

const snapshots = {
  save: here(savePoints("3600 1 300 100 60 10000")),
  dbfilename: here(text("dump.rdb", fileName("dbfilename", true)), { protected: true }),
  rdbcompression: here(yesNo("yes")),
  rdbchecksum: here(yesNo("yes"), { immutable }),
  "rdb-save-incremental-fsync": here(yesNo("yes")),
  "stop-writes-on-bgsave-error": here(yesNo("yes")),
  /** Microseconds that a snapshot waits after each key: for tests. */
  "rdb-key-save-delay": here(integer(0, { min: -INT_MAX - 1n, max: INT_MAX }), { hidden: true }),
};

const appendOnlyFile = {
  appendonly: here(yesNo("no"), { fixedWhileLoading: true }),
  appendfilename: here(text("appendonly.aof", fileName("appendfilename", false)), { immutable }),
  appenddirname: here(text("appendonlydir", fileName("appenddirname", false, "dirname")), { immutable }),
  appendfsync: here(oneOf(["everysec", "always", "no"], "everysec")),
  "no-appendfsync-on-rewrite": here(yesNo("no")),
  "auto-aof-rewrite-percentage": here(integer(100, COUNT)),
  "auto-aof-rewrite-min-size": here(memory(64 * MIB, LONG_COUNT)),
  "aof-load-truncated": here(yesNo("yes")),
  "aof-use-rdb-preamble": here(yesNo("yes")),
  "aof-timestamp-enabled": here(yesNo("no")),
  "aof-rewrite-incremental-fsync": here(yesNo("yes")),
};

/** The directives in force. */
export const directivesHere = {
  ...network,
  ...clients,
  ...general,
  ...memoryLimits,
  ...lazyFreeing,
  ...statistics,
  ...collections,
  ...snapshots,
  ...appendOnlyFile,
};
