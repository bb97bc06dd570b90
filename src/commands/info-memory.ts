/** INFO memory. */
import { totalmem } from "node:os";
import type { Context } from "./context.ts";
import type { Fields } from "./info.ts";
import { type MemoryFigures, memoryFigures, ratio, readableBytes } from "./memory-figures.ts";
import { STILLWATER_VERSION } from "./version.ts";

export function memorySection(context: Context): Fields {
  const figures = memoryFigures(context);
  const { used, peak, process } = figures;
  return {
    used_memory: used,
    used_memory_human: readableBytes(used),
    used_memory_rss: process,
    used_memory_rss_human: readableBytes(process),
    used_memory_peak: peak,
    used_memory_peak_human: readableBytes(peak),
    used_memory_peak_perc: percent(used, peak),
    used_memory_overhead: figures.overhead,
    used_memory_startup: 0,
    used_memory_dataset: figures.dataset,
    used_memory_dataset_perc: percent(figures.dataset, used),
    allocator_allocated: used,
    allocator_active: figures.active,
    allocator_resident: figures.resident,
    total_system_memory: totalmem(),
    total_system_memory_human: readableBytes(totalmem()),
    ...OF_SCRIPTS,
    ...limits(context),
    ...fragmentation(figures),
    mem_not_counted_for_evict: figures.notCounted,
    mem_replication_backlog: 0,
    mem_total_replication_buffers: 0,
    mem_clients_slaves: 0,
    mem_clients_normal: figures.clients,
    mem_cluster_links: 0,
    mem_aof_buffer: figures.logBuffer,
    mem_allocator: `stillwater-${STILLWATER_VERSION}`,
    active_defrag_running: context.keyspace.defragmenter.running,
    ...lazyFreeing(context),
  };
}

/** There are no scripts and no functions; dashboards read these all the same. */
const OF_SCRIPTS: Fields = {
  used_memory_lua: 0,
  used_memory_vm_eval: 0,
  used_memory_lua_human: "0B",
  used_memory_scripts_eval: 0,
  number_of_cached_scripts: 0,
  number_of_functions: 0,
  number_of_libraries: 0,
  used_memory_vm_functions: 0,
  used_memory_vm_total: 0,
  used_memory_vm_total_human: "0B",
  used_memory_functions: 0,
  used_memory_scripts: 0,
  used_memory_scripts_human: "0B",
};

function lazyFreeing({ keyspace }: Context): Fields {
  const { pendingObjects, pendingBytes, freedObjects, inlineFrees, longestSliceMs } = keyspace.releaser;
  return {
    lazyfree_pending_objects: pendingObjects,
    lazyfreed_objects: freedObjects,
    lazyfree_pending_bytes: pendingBytes,
    lazyfree_inline_frees: inlineFrees,
    lazyfree_longest_slice_ms: longestSliceMs.toFixed(3),
  };
}

function limits({ services }: Context): Fields {
  const limit = services.configuration.get("maxmemory");
  return {
    maxmemory: limit,
    maxmemory_human: readableBytes(limit),
    maxmemory_policy: services.configuration.get("maxmemory-policy"),
  };
}

function fragmentation({ used, active, resident, process }: MemoryFigures): Fields {
  return {
    allocator_frag_ratio: ratio(active, used).toFixed(2),
    allocator_frag_bytes: active - used,
    allocator_rss_ratio: ratio(resident, active).toFixed(2),
    allocator_rss_bytes: resident - active,
    rss_overhead_ratio: ratio(process, resident).toFixed(2),
    rss_overhead_bytes: process - resident,
    mem_fragmentation_ratio: ratio(process, used).toFixed(2),
    mem_fragmentation_bytes: process - used,
  };
}

function percent(part: number, whole: number): string {
  return `${(ratio(part, whole) * 100).toFixed(2)}%`;
}
