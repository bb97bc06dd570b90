/** MEMORY: what data occupies. */
import { SLOT_SIZE } from "../structures/segments.ts";
import { integer, key, prefixed } from "./argument.ts";
import { subcommand } from "./command.ts";
import { container } from "./container.ts";
import type { Context } from "./context.ts";
import { CommandError, SYNTAX_ERROR } from "./errors.ts";
import { SUBCOMMAND_METADATA_KEY } from "./key-specs.ts";
import { type MemoryFigures, memoryFigures, ratio, readableBytes, tableBytesOf } from "./memory-figures.ts";

const SHARED = { group: "server", since: "4.0.0", arity: 2, flags: [], args: {} } as const;
const OF_EVERY_SHARD = ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];

const DOCTOR = subcommand("MEMORY", {
  ...SHARED,
  name: "DOCTOR",
  summary: "Describes what is unusual about the use of memory.",
  complexity: "O(1)",
  tips: OF_EVERY_SHARD,
  run(context) {
    context.reply.verbatim("txt", diagnose(context));
  },
});

/** Less than this is too little to judge by. */
const SMALL = 5 * 1024 * 1024;
const HIGH_PEAK = 1.5;
const HIGH_FRAGMENTATION = 1.4;
const NEAR_LIMIT = 0.9;

function diagnose(context: Context): string {
  const { used, peak, active, dataset } = memoryFigures(context);
  const limit = context.services.configuration.get("maxmemory");
  if (used < SMALL) return `Little data (${readableBytes(used)}): nothing to judge yet.\n`;
  const findings: string[] = [];
  if (limit > 0 && used > limit * NEAR_LIMIT) {
    findings.push(
      `Near the limit: ${readableBytes(used)} of the ${readableBytes(limit)} that maxmemory allows. ` +
        "Beyond it, commands that need memory are refused.",
    );
  }
  if (peak > used * HIGH_PEAK) {
    findings.push(
      `Past peak: there were ${readableBytes(peak)} once, and now there are ${readableBytes(used)}. ` +
        "The process does not give back all of what it had then; new data will use it.",
    );
  }
  if (active > used * HIGH_FRAGMENTATION) {
    findings.push(
      `Gaps: pages of ${readableBytes(active)} hold ${readableBytes(used)}. ` +
        "That comes of values freed among others of their size; new ones of that size will fill the gaps.",
    );
  }
  if (findings.length === 0) findings.push(`Nothing unusual: ${readableBytes(used)}, data ${readableBytes(dataset)}.`);
  return findings.map((finding) => `* ${finding}\n`).join("");
}

const MALLOC_STATS = subcommand("MEMORY", {
  ...SHARED,
  name: "MALLOC-STATS",
  summary: "Returns the allocator's own figures, region by region.",
  complexity: "O(N) where N is the number of regions",
  tips: OF_EVERY_SHARD,
  run({ reply, keyspace }) {
    const lines = keyspace.shards.map((shard, index) => {
      const { usedBytes, liveBlocks, activeBytes, touchedBytes, capacityBytes } = shard.heap.figures();
      return (
        `region ${index}: used ${usedBytes} in ${liveBlocks} blocks, pages in use ${activeBytes}, ` +
        `ever touched ${touchedBytes}, capacity ${capacityBytes}, ` +
        `copied for a freeze ${shard.region.shadowPages} pages\n`
      );
    });
    reply.verbatim("txt", lines.join(""));
  },
});

const PURGE = subcommand("MEMORY", {
  ...SHARED,
  name: "PURGE",
  summary: "Does nothing: memory that is free is taken by new data, and returned where a flush empties a region.",
  complexity: "O(1)",
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  run({ reply }) {
    reply.ok();
  },
});

const STATS = subcommand("MEMORY", {
  ...SHARED,
  name: "STATS",
  summary: "Returns what memory is used for.",
  complexity: "O(N) where N is the number of databases and client connections",
  tips: OF_EVERY_SHARD,
  run(context) {
    const { reply } = context;
    const figures = memoryFigures(context);
    const databases = context.keyspace.databases.filter(({ count }) => count > 0);
    const totals = totalsOf(figures);
    const rates = ratesOf(figures);
    reply.map(totals.length + databases.length + rates.length);
    for (const [name, bytes] of totals) {
      reply.bulkText(name);
      reply.integer(bytes);
    }
    for (const { index } of databases) {
      reply.bulkText(`db.${index}`);
      reply.map(2);
      reply.bulkText("overhead.hashtable.main");
      reply.integer(tableBytesOf(context.keyspace, index));
      reply.bulkText("overhead.hashtable.expires");
      reply.integer(0);
    }
    for (const [name, figure, isRatio] of rates) {
      reply.bulkText(name);
      if (isRatio) reply.double(figure);
      else reply.integer(figure);
    }
  },
});

function totalsOf({ peak, used, clients, logBuffer }: MemoryFigures): [name: string, bytes: number][] {
  return [
    ["peak.allocated", peak],
    ["total.allocated", used],
    ["startup.allocated", 0],
    ["replication.backlog", 0],
    ["clients.slaves", 0],
    ["clients.normal", clients],
    ["cluster.links", 0],
    ["aof.buffer", logBuffer],
    ["lua.caches", 0],
    ["functions.caches", 0],
  ];
}

function ratesOf(figures: MemoryFigures): [name: string, figure: number, isRatio: boolean][] {
  const { used, peak, overhead, dataset, keys, active, resident, process } = figures;
  return [
    ["overhead.total", overhead, false],
    ["keys.count", keys, false],
    ["keys.bytes-per-key", Math.floor(ratio(used, keys)), false],
    ["dataset.bytes", dataset, false],
    ["dataset.percentage", ratio(dataset, used) * 100, true],
    ["peak.percentage", ratio(used, peak) * 100, true],
    ["allocator.allocated", used, false],
    ["allocator.active", active, false],
    ["allocator.resident", resident, false],
    ["allocator-fragmentation.ratio", ratio(active, used), true],
    ["allocator-fragmentation.bytes", active - used, false],
    ["allocator-rss.ratio", ratio(resident, active), true],
    ["allocator-rss.bytes", resident - active, false],
    ["rss-overhead.ratio", ratio(process, resident), true],
    ["rss-overhead.bytes", process - resident, false],
    ["fragmentation", ratio(process, used), true],
    ["fragmentation.bytes", process - used, false],
  ];
}

/** Elements of a collection that are looked at if the client does not say. */
const SAMPLES_DEFAULT = 5;

const USAGE = subcommand("MEMORY", {
  ...SHARED,
  name: "USAGE",
  summary: "Returns the bytes that a key and its value occupy.",
  complexity: "O(N) where N is the number of samples.",
  arity: -3,
  flags: ["readonly"],
  keys: [SUBCOMMAND_METADATA_KEY],
  args: { key: key(), count: prefixed("SAMPLES", integer()) },
  run({ reply, database }, parsed, args) {
    if (parsed.count !== undefined && parsed.count < 0) throw new CommandError(SYNTAX_ERROR);
    const found = database.peek(args, parsed.key);
    if (found.found) reply.integer(found.memoryUsage(Number(parsed.count ?? SAMPLES_DEFAULT)) + SLOT_SIZE);
    else reply.null();
  },
});

const MEMORY = container({
  name: "MEMORY",
  summary: "Holds the commands about memory.",
  since: "4.0.0",
  helpSince: "4.0.0",
  group: "server",
  subcommands: [DOCTOR, MALLOC_STATS, PURGE, STATS, USAGE],
});

export const memoryCommands = [MEMORY];
