/**
 * INFO's sections but for memory and commands. The fields of what does not exist here (replicas, modules, a cluster)
 * are shown all the same, as an idle Redis shows them: dashboards and clients read them.
 */
import { machine, release, type } from "node:os";
import { averageTtl } from "../keyspace/average-ttl.ts";
import type { Statistics } from "../monitoring/statistics.ts";
import type { Context } from "./context.ts";
import type { Fields } from "./info.ts";
import { REDIS_VERSION, STILLWATER_VERSION } from "./version.ts";

const DAY_MS = 86_400_000;
const ERROR_SHOWN_MAX = 200;

export function serverSection({ services, keyspace }: Context): Fields {
  const { lifecycle, configuration } = services;
  const now = keyspace.clock.now();
  const uptime = Math.max(0, now - lifecycle.startedAt);
  return {
    redis_version: REDIS_VERSION,
    redis_git_sha1: "00000000",
    redis_git_dirty: 0,
    redis_build_id: "0",
    redis_mode: "standalone",
    stillwater_version: STILLWATER_VERSION,
    os: `${type()} ${release()} ${machine()}`,
    arch_bits: 64,
    monotonic_clock: "performance.now",
    multiplexing_api: "libuv",
    atomicvar_api: "Atomics",
    gcc_version: "0.0.0",
    node_version: process.versions.node,
    process_id: process.pid,
    process_supervised: "no",
    run_id: lifecycle.runId,
    tcp_port: lifecycle.port,
    server_time_usec: now * 1000,
    uptime_in_seconds: Math.floor(uptime / 1000),
    uptime_in_days: Math.floor(uptime / DAY_MS),
    hz: lifecycle.hz,
    configured_hz: configuration.get("hz"),
    lru_clock: keyspace.access.seconds,
    executable: lifecycle.executable,
    config_file: lifecycle.configFile,
    io_threads_active: 0,
  };
}

export function clientsSection({ services }: Context): Fields {
  let input = 0;
  let output = 0;
  let blocked = 0;
  for (const client of services.clients.list()) {
    input = Math.max(input, client.queryBufferBytes);
    output = Math.max(output, client.outputBufferBytes);
    if (client.isBlocked) blocked += 1;
  }
  return {
    connected_clients: services.clients.size,
    cluster_connections: 0,
    maxclients: services.configuration.get("maxclients"),
    client_recent_max_input_buffer: input,
    client_recent_max_output_buffer: output,
    blocked_clients: blocked,
    tracking_clients: 0,
    clients_in_timeout_table: 0,
    total_blocking_keys: 0,
    total_blocking_keys_on_nokey: 0,
  };
}

export function persistenceSection({ services }: Context): Fields {
  return services.persistence.figures().persistence;
}

export function statsSection({ services, keyspace }: Context): Fields {
  const { statistics, clients } = services;
  return {
    total_connections_received: clients.totalConnections,
    total_commands_processed: statistics.totalCommands,
    instantaneous_ops_per_sec: Math.round(statistics.commandRate.perSecond),
    total_net_input_bytes: statistics.inputBytes,
    total_net_output_bytes: statistics.outputBytes,
    total_net_repl_input_bytes: 0,
    total_net_repl_output_bytes: 0,
    instantaneous_input_kbps: (statistics.inputRate.perSecond / 1024).toFixed(2),
    instantaneous_output_kbps: (statistics.outputRate.perSecond / 1024).toFixed(2),
    instantaneous_input_repl_kbps: "0.00",
    instantaneous_output_repl_kbps: "0.00",
    rejected_connections: clients.rejectedConnections,
    sync_full: 0,
    sync_partial_ok: 0,
    sync_partial_err: 0,
    expired_keys: keyspace.expiredKeys,
    expired_fields: keyspace.expiredFields,
    expired_stale_perc: keyspace.expireStalePercent.toFixed(2),
    expired_time_cap_reached_count: keyspace.expireCapReached,
    expire_cycle_cpu_milliseconds: Math.round(statistics.expiryMs),
    evicted_keys: keyspace.evictedKeys,
    evicted_clients: clients.evictedClients,
    total_eviction_exceeded_time: Math.floor(keyspace.evictor.exceededMs),
    current_eviction_exceeded_time: Math.floor(keyspace.evictor.exceedingMs),
    keyspace_hits: keyspace.hits,
    keyspace_misses: keyspace.misses,
    pubsub_channels: services.pubSub.size("channels"),
    pubsub_patterns: services.pubSub.size("patterns"),
    pubsubshard_channels: services.pubSub.size("shardChannels"),
    ...services.persistence.figures().stats,
    migrate_cached_sockets: 0,
    slave_expires_tracked_keys: 0,
    active_defrag_hits: keyspace.defragmenter.hits,
    active_defrag_misses: keyspace.defragmenter.misses,
    active_defrag_key_hits: keyspace.defragmenter.keyHits,
    active_defrag_key_misses: keyspace.defragmenter.keyMisses,
    total_active_defrag_time: Math.floor(keyspace.defragmenter.totalMs),
    current_active_defrag_time: Math.floor(keyspace.defragmenter.currentMs),
    ...OF_OTHER_PARTS,
    total_error_replies: statistics.totalErrors,
    dump_payload_sanitizations: 0,
    total_reads_processed: statistics.reads,
    total_writes_processed: statistics.writes,
    housekeeping_longest_slice_ms: statistics.longestSliceMs.toFixed(3),
    io_threaded_reads_processed: 0,
    io_threaded_writes_processed: 0,
    reply_buffer_shrinks: 0,
    reply_buffer_expands: 0,
    ...eventLoopFields(statistics),
    acl_access_denied_auth: 0,
    acl_access_denied_cmd: 0,
    acl_access_denied_key: 0,
    acl_access_denied_channel: 0,
  };
}

/** The time of commands is an estimate, as in commandstats. Turns are shown where this Node.js counts them. */
function eventLoopFields({ eventLoop, commandMicroseconds }: Statistics): Fields {
  const { turns, busyMs, turnsPerSecond, turnMs } = eventLoop;
  const times = {
    eventloop_duration_sum: Math.round(busyMs * 1000),
    eventloop_duration_cmd_sum: Math.round(commandMicroseconds),
  };
  if (turns === undefined) return times;
  return {
    eventloop_cycles: turns,
    ...times,
    instantaneous_eventloop_cycles_per_sec: Math.round(turnsPerSecond),
    instantaneous_eventloop_duration_usec: Math.round(turnMs * 1000),
  };
}

const OF_OTHER_PARTS: Fields = {
  tracking_total_keys: 0,
  tracking_total_items: 0,
  tracking_total_prefixes: 0,
  unexpected_error_replies: 0,
};

export function replicationSection({ services }: Context): Fields {
  return {
    role: "master",
    connected_slaves: 0,
    master_failover_state: "no-failover",
    master_replid: services.lifecycle.runId,
    master_replid2: "0".repeat(40),
    master_repl_offset: 0,
    second_repl_offset: -1,
    repl_backlog_active: 0,
    repl_backlog_size: services.configuration.get("repl-backlog-size"),
    repl_backlog_first_byte_offset: 0,
    repl_backlog_histlen: 0,
  };
}

/** A line for each background thread; the error comes last, on one line and without what separates fields. */
export function threadsSection({ services }: Context): Fields {
  const fields: Record<string, string> = {};
  for (const { name, state, restarts, messages, inbox, busyMs, lastError } of services.threads.figures()) {
    const error = lastError.replace(/[\s,]+/g, " ").slice(0, ERROR_SHOWN_MAX);
    fields[`thread_${name}`] =
      `state=${state},restarts=${restarts},messages=${messages},inbox=${inbox},busy_ms=${busyMs},last_error=${error}`;
  }
  return fields;
}

/** Node.js 20 does not tell its threads apart: the main thread's time is the process's. */
export function cpuSection(): Fields {
  const { user, system } = process.cpuUsage();
  const seconds = (microseconds: number): string => (microseconds / 1e6).toFixed(6);
  return {
    used_cpu_sys: seconds(system),
    used_cpu_user: seconds(user),
    used_cpu_sys_children: seconds(0),
    used_cpu_user_children: seconds(0),
    used_cpu_sys_main_thread: seconds(system),
    used_cpu_user_main_thread: seconds(user),
  };
}

export function modulesSection(): Fields {
  return {};
}

export function clusterSection(): Fields {
  return { cluster_enabled: 0 };
}

export function keyspaceSection({ keyspace }: Context): Fields {
  const fields: Record<string, string> = {};
  for (const database of keyspace.databases) {
    const { index, count, volatileCount } = database;
    if (count === 0) continue;
    fields[`db${index}`] = `keys=${count},expires=${volatileCount},avg_ttl=${Math.round(averageTtl(database))}`;
  }
  return fields;
}
