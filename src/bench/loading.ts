/**
 * How long our server and redis-server take to start on what they wrote before: an RDB file of many small keys, and a
 * log of as many SETs. The time of a start on nothing is taken off.
 *
 * Each loads its own files; the other's would be as good, see clients/redis-files.test.ts. They have just been written,
 * so that the disk has no part in it. Rounds go ours, redis, redis, ours, ...
 */
import { durableCommand, SMALL_KEYS, verdict, withDirectory } from "./durable-servers.ts";
import { commandCount, type Numbered, numberedCommands } from "./numbered-commands.ts";
import type { Options } from "./options.ts";
import { RedisTools } from "./redis-tools.ts";
import type { Report, Row } from "./report.ts";
import { SIDES, type Side, versusTitle } from "./server-pair.ts";
import { type ServerCommand, ServerProcess } from "./server-process.ts";
import { median } from "./statistics.ts";

const FORMS = ["RDB", "AOF"] as const;
type Form = (typeof FORMS)[number];

interface Run {
  readonly seconds: number;
  readonly cpu: number | null;
}

const KEYS = { full: 5_000_000, smoke: 50_000 };
const TARGET = 1.5;
/** Starts are told from each other by asking again and again. */
const RESOLUTION_SECONDS = 0.05;

/** One key a command: a log of SETs. */
const SETS: Numbered = { head: ["SET"], element: SMALL_KEYS.element, perCommand: 1 };

const COLUMNS = [
  { field: "form", title: "form" },
  { field: "keys", title: "keys" },
  { field: "ours", title: "ours s", digits: 2 },
  { field: "redis", title: "redis s", digits: 2 },
  { field: "ratio", title: "ratio", digits: 2 },
  { field: "lowestRatio", title: "low", digits: 2 },
  { field: "highestRatio", title: "high", digits: 2 },
  { field: "oursCpu", title: "ours cpu s", digits: 2 },
  { field: "redisCpu", title: "redis cpu s", digits: 2 },
  { field: "target", title: "target" },
  { field: "reached", title: "reached" },
];

/** Starts, checks how many keys there are, and ends. */
async function start(command: ServerCommand, tools: RedisTools, keys: number): Promise<Run> {
  const begun = performance.now();
  const server = await ServerProcess.start(command, tools);
  try {
    const seconds = (performance.now() - begun) / 1_000;
    const size = (await tools.ask(server.port, ["DBSIZE"]))[0];
    if (Number(size) !== keys) throw new Error(`${size} keys were loaded instead of ${keys}`);
    return { seconds, cpu: server.cpuSeconds() };
  } finally {
    await server.stop();
  }
}

/** Has a server write the file, in its directory. */
async function prepare(command: ServerCommand, tools: RedisTools, form: Form, keys: number): Promise<void> {
  const server = await ServerProcess.start(command, tools);
  try {
    const content = form === "RDB" ? SMALL_KEYS : SETS;
    await tools.feed(server.port, commandCount(content, keys), numberedCommands(content, keys));
    if (form === "RDB") await tools.ask(server.port, ["SAVE"]);
  } finally {
    await server.stop();
  }
}

async function measure(form: Form, side: Side, options: Options, keys: number): Promise<Run> {
  const tools = new RedisTools(options.redis);
  return await withDirectory(async (directory) => {
    const command = durableCommand(side, options, directory, { log: form === "AOF" ? "everysec" : "none" });
    const empty = await start(command, tools, 0);
    await prepare(command, tools, form, keys);
    const loaded = await start(command, tools, keys);
    const cpu = loaded.cpu === null || empty.cpu === null ? null : loaded.cpu - empty.cpu;
    return { seconds: Math.max(loaded.seconds - empty.seconds, RESOLUTION_SECONDS), cpu };
  });
}

async function rowOf(form: Form, options: Options): Promise<Row> {
  const keys = options.smoke ? KEYS.smoke : KEYS.full;
  const runs: Record<Side, Run[]> = { ours: [], redis: [] };
  for (let round = 0; round < (options.rounds ?? (options.smoke ? 1 : 4)); round += 1) {
    for (const side of round % 2 === 0 ? SIDES : SIDES.toReversed()) {
      process.stderr.write(`loading: ${form}, round ${round + 1}, ${side}\n`);
      runs[side].push(await measure(form, side, options, keys));
    }
  }
  const ratios = runs.ours.map(({ seconds }, round) => seconds / runs.redis[round]!.seconds);
  const cpu = (side: Side): number | null =>
    runs[side].some((run) => run.cpu === null) ? null : median(runs[side].map((run) => run.cpu!));
  return {
    form,
    keys,
    rounds: ratios.length,
    ours: median(runs.ours.map(({ seconds }) => seconds)),
    redis: median(runs.redis.map(({ seconds }) => seconds)),
    ratio: median(ratios),
    lowestRatio: Math.min(...ratios),
    highestRatio: Math.max(...ratios),
    oursCpu: cpu("ours"),
    redisCpu: cpu("redis"),
    target: `ratio ${TARGET}`,
    reached: verdict(median(ratios) <= TARGET),
  };
}

export async function benchmarkLoading(options: Options): Promise<Report> {
  const rows: Row[] = [];
  for (const form of FORMS) rows.push(await rowOf(form, options));
  return { title: `Loading: ${versusTitle(options)}`, columns: COLUMNS, rows };
}
