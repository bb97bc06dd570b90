/** `npm run bench`: runs the chosen benchmarks, prints their tables, and writes bench/results. */

import { benchmarkCollectionCalls } from "./collection-calls.ts";
import { benchmarkCollectionGrowth } from "./collection-growth.ts";
import { benchmarkCollectionMemory } from "./collection-memory.ts";
import { benchmarkCollections } from "./collections.ts";
import { benchmarkEmbedded } from "./embedded.ts";
import { benchmarkEviction } from "./eviction.ts";
import { benchmarkFragmentation } from "./fragmentation.ts";
import { benchmarkFreeze } from "./freeze.ts";
import { benchmarkFsync } from "./fsync.ts";
import { benchmarkGrowth } from "./growth.ts";
import { benchmarkHandover } from "./handover.ts";
import { benchmarkLatency } from "./latency.ts";
import { benchmarkLazyFreeThreshold } from "./lazyfree-threshold.ts";
import { benchmarkLoading } from "./loading.ts";
import { benchmarkLog } from "./log.ts";
import { benchmarkLogLatency } from "./log-latency.ts";
import { describeMachine } from "./machine.ts";
import { type BenchmarkName, type Options, readOptions, USAGE } from "./options.ts";
import { type Report, table, writeResult } from "./report.ts";
import { benchmarkServer } from "./server.ts";
import { benchmarkSnapshot } from "./snapshot.ts";

const RUN: Readonly<Record<BenchmarkName, (options: Options) => Promise<Report>>> = {
  server: benchmarkServer,
  embedded: benchmarkEmbedded,
  growth: benchmarkGrowth,
  freeze: benchmarkFreeze,
  collections: benchmarkCollections,
  "collection-memory": benchmarkCollectionMemory,
  "collection-growth": benchmarkCollectionGrowth,
  "collection-calls": benchmarkCollectionCalls,
  latency: benchmarkLatency,
  handover: benchmarkHandover,
  eviction: benchmarkEviction,
  fragmentation: benchmarkFragmentation,
  "lazyfree-threshold": benchmarkLazyFreeThreshold,
  fsync: benchmarkFsync,
  snapshot: benchmarkSnapshot,
  loading: benchmarkLoading,
  log: benchmarkLog,
  "log-latency": benchmarkLogLatency,
};

/** Runs all that was chosen, also after a failure; true if nothing failed. */
async function run(options: Options): Promise<boolean> {
  const machine = describeMachine(options.redis);
  const { cpu, cores, memoryGiB, system, node, redis, commit } = machine;
  console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB; ${system}; Node.js ${node}; redis-server ${redis ?? "none"}`);
  console.log(`commit ${commit ?? "unknown"}; seed ${options.seed}${options.smoke ? "; smoke run" : ""}\n`);
  let succeeded = true;
  for (const name of options.only) {
    const start = performance.now();
    try {
      const report = await RUN[name](options);
      if (report.rows.length === 0) throw new Error("nothing was measured");
      console.log(`${table(report)}\n(${((performance.now() - start) / 1_000).toFixed(1)} s)\n`);
      if (options.write) writeResult(name, machine, options.seed, report);
    } catch (error) {
      succeeded = false;
      console.error(`${name} failed: ${error instanceof Error ? error.stack : error}\n`);
    }
  }
  return succeeded;
}

// Leaving by exit() lets the servers and children be stopped; dying of the signal would leave them running.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

try {
  const options = readOptions(process.argv.slice(2));
  if (options === null) console.log(USAGE);
  else if (!(await run(options))) process.exitCode = 1;
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  process.exitCode = 2;
}
