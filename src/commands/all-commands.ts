/** All commands there are, by family. To add one: declare it in its family's file, and it is here. */
import { bitmapCommands } from "./bitmaps.ts";
import { clientCommands } from "./client.ts";
import type { Command } from "./command.ts";
import { configCommands } from "./config.ts";
import { connectionCommands } from "./connection.ts";
import { databaseCommands } from "./databases.ts";
import { debugCommands } from "./debug.ts";
import { dumpCommands } from "./dump.ts";
import { geoCommands } from "./geo.ts";
import { hashCommands } from "./hashes.ts";
import { hyperLogLogCommands } from "./hyperloglog.ts";
import { infoCommands } from "./info.ts";
import { introspectionCommands } from "./introspection.ts";
import { keyCommands } from "./keys.ts";
import { latencyCommands } from "./latency.ts";
import { listCommands } from "./lists.ts";
import { logCommands } from "./log-commands.ts";
import { memoryCommands } from "./memory.ts";
import { monitorCommands } from "./monitor.ts";
import { pubSubCommands } from "./pubsub.ts";
import { serverCommands } from "./server.ts";
import { setCommands } from "./sets.ts";
import { slowlogCommands } from "./slowlog.ts";
import { snapshotCommands } from "./snapshots.ts";
import { sortCommands } from "./sort.ts";
import { sortedSetCommands } from "./sorted-sets.ts";
import { stringCommands } from "./strings.ts";

export const allCommands: readonly Command[] = [
  ...stringCommands,
  ...bitmapCommands,
  ...hashCommands,
  ...listCommands,
  ...hyperLogLogCommands,
  ...geoCommands,
  ...setCommands,
  ...sortedSetCommands,
  ...sortCommands,
  ...keyCommands,
  ...dumpCommands,
  ...databaseCommands,
  ...connectionCommands,
  ...pubSubCommands,
  ...clientCommands,
  ...serverCommands,
  ...logCommands,
  ...snapshotCommands,
  ...infoCommands,
  ...configCommands,
  ...introspectionCommands,
  ...memoryCommands,
  ...slowlogCommands,
  ...latencyCommands,
  ...monitorCommands,
  ...debugCommands,
];
