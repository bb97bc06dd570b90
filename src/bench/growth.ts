/** Growth to 5 million keys in-process: throughput, the worst pause, and memory per key beside redis-server's. */
import { runInChild } from "./child.ts";
import type { ContenderName } from "./contenders.ts";
import { KeyMaker } from "./data.ts";
import type { GrowthFigures } from "./growth-worker.ts";
import type { Options } from "./options.ts";
import { VALUE_BYTES } from "./population.ts";
import { protocolCommands, RedisTools } from "./redis-tools.ts";
import type { Report, Row } from "./report.ts";
import { redisCommand, ServerProcess } from "./server-process.ts";
import { median } from "./statistics.ts";

const COLUMNS = [
  { field: "store", title: "store" },
  { field: "insertsPerSecond", title: "insert/s" },
  { field: "overwritesPerSecond", title: "overwrite/s" },
  { field: "getsPerSecond", title: "get/s" },
  { field: "insertPause", title: "insert pause ms", digits: 2 },
  { field: "overwritePause", title: "overwrite pause ms", digits: 2 },
  { field: "getPause", title: "get pause ms", digits: 2 },
  { field: "usedBytesPerKey", title: "used B/key", digits: 1 },
  { field: "usedRatio", title: "of redis", digits: 2 },
  { field: "residentBytesPerKey", title: "resident B/key", digits: 1 },
];

const STORES: readonly { readonly store: string; readonly contender: ContenderName | null }[] = [
  { store: "stillwater", contender: "stillwater" },
  { store: "Map", contender: "Map" },
  { store: "the loop alone", contender: null },
];

interface MemoryPerKey {
  readonly used: number;
  readonly resident: number;
}

/** Loads the same keys and values of the same lengths into redis-server. */
async function redisMemory(redisServer: string, keys: number): Promise<MemoryPerKey> {
  const tools = new RedisTools(redisServer);
  const server = await ServerProcess.start(redisCommand(redisServer), tools);
  const memory = async (): Promise<MemoryPerKey> => ({
    used: await tools.info(server.port, "used_memory"),
    resident: await tools.info(server.port, "used_memory_rss"),
  });
  try {
    const [maker, value] = [new KeyMaker(), "v".repeat(VALUE_BYTES)];
    const before = await memory();
    const commands = protocolCommands(keys, (i) => ["SET", maker.key(i), value]);
    await tools.feed(server.port, keys, commands);
    const [count] = await tools.ask(server.port, ["DBSIZE"]);
    if (Number(count) !== keys) throw new Error(`redis-server holds ${count} keys of ${keys}`);
    const after = await memory();
    return { used: (after.used - before.used) / keys, resident: (after.resident - before.resident) / keys };
  } finally {
    await server.stop();
  }
}

function row(store: string, keys: number, runs: readonly GrowthFigures[], redis: MemoryPerKey): Row {
  const of = (figure: (run: GrowthFigures) => number): number => median(runs.map(figure));
  const used = of((run) => (run.usedMemory ?? Number.NaN) / keys);
  return {
    store,
    keys,
    rounds: runs.length,
    insertsPerSecond: of(({ insert }) => insert.perSecond),
    overwritesPerSecond: of(({ overwrite }) => overwrite.perSecond),
    getsPerSecond: of(({ get }) => get.perSecond),
    insertPause: of(({ insert }) => insert.worstPause),
    overwritePause: of(({ overwrite }) => overwrite.worstPause),
    getPause: of(({ get }) => get.worstPause),
    usedBytesPerKey: Number.isNaN(used) ? null : used,
    usedRatio: Number.isNaN(used) ? null : used / redis.used,
    residentBytesPerKey: of(({ residentMemory }) => residentMemory / keys),
  };
}

export async function benchmarkGrowth(options: Options): Promise<Report> {
  const keys = options.smoke ? 100_000 : 5_000_000;
  const rounds = options.rounds ?? (options.smoke ? 1 : 3);
  process.stderr.write(`growth: redis-server, ${keys} keys\n`);
  const redis = await redisMemory(options.redis, keys);
  const rows: Row[] = [];
  for (const { store, contender } of STORES) {
    process.stderr.write(`growth: ${store}, ${keys} keys\n`);
    const runs: GrowthFigures[] = [];
    for (let round = 0; round < rounds; round += 1) {
      runs.push(await runInChild<GrowthFigures>({ kind: "growth", contender, keys, seed: options.seed + round }));
    }
    rows.push(row(store, keys, runs, redis));
  }
  rows.push({ store: "redis-server", keys, usedBytesPerKey: redis.used, residentBytesPerKey: redis.resident });
  const content = `${keys.toLocaleString("en-US")} keys of 16 B with values of ${VALUE_BYTES} B`;
  const title = `Growth: ${content}, worst pause of any 100 operations`;
  return { title, columns: COLUMNS, rows };
}
