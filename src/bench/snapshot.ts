/**
 * BGSAVE of many small keys while redis-benchmark overwrites them as fast as it can, on our server and on redis-server:
 * what a probe feels of it, what it costs the writers, and how long it takes; and how long when nobody writes.
 *
 * Every run has a fresh server, and no other runs beside it. Rounds go ours, redis, redis, ours, ...
 */
import { setTimeout as delay } from "node:timers/promises";
import { durableCommand, SMALL_KEYS, verdict, withDirectory } from "./durable-servers.ts";
import type { Latencies } from "./latencies.ts";
import { Subject, secondsUntil } from "./latency-subject.ts";
import type { Options } from "./options.ts";
import { RedisTools } from "./redis-tools.ts";
import type { Report, Row } from "./report.ts";
import { SIDES, type Side, versusTitle } from "./server-pair.ts";
import { median } from "./statistics.ts";

interface Amount {
  readonly keys: number;
  /** How long the load is looked at before BGSAVE. */
  readonly seconds: number;
}

interface Run {
  readonly before: Latencies;
  readonly during: Latencies;
  readonly perSecondBefore: number;
  readonly perSecondDuring: number;
  readonly savedUnderLoad: number;
  readonly savedIdle: number;
  /** Milliseconds: latest_fork_usec, which is the freeze on our side. */
  readonly fork: number;
}

const FULL: Amount = { keys: 5_000_000, seconds: 5 };
const SMOKE: Amount = { keys: 50_000, seconds: 0.3 };
const PROBE_PAUSE_MS = 0.5;
const SAVE_SECONDS_MAX = 180;
const LEAD_SECONDS = 0.5;
const TARGET = { pause: 10, share: 0.5, seconds: 1.5 };

const COLUMNS = [
  { field: "server", title: "server" },
  { field: "keys", title: "keys" },
  { field: "perSecondBefore", title: "before req/s" },
  { field: "perSecondDuring", title: "during req/s" },
  { field: "share", title: "share", digits: 2 },
  { field: "p999Before", title: "before p99.9 ms", digits: 2 },
  { field: "maxBefore", title: "max", digits: 2 },
  { field: "p999During", title: "during p99.9 ms", digits: 2 },
  { field: "maxDuring", title: "max", digits: 2 },
  { field: "highestMax", title: "highest", digits: 2 },
  { field: "fork", title: "freeze / fork ms", digits: 2 },
  { field: "savedUnderLoad", title: "saved s", digits: 2 },
  { field: "savedIdle", title: "idle saved s", digits: 2 },
  { field: "target", title: "target" },
  { field: "reached", title: "reached" },
];

/** Seconds that one BGSAVE takes, from the command to the end of it. @throws Error if it fails */
async function save(subject: Subject): Promise<number> {
  await subject.ask("BGSAVE");
  const inProgress = (): Promise<number> => subject.info("persistence", "rdb_bgsave_in_progress");
  const seconds = await secondsUntil("saved", SAVE_SECONDS_MAX, async () => (await inProgress()) === 0);
  const size = Number(await subject.ask("DBSIZE"));
  const status = await subject.text("persistence", "rdb_last_bgsave_status");
  if (status !== "ok" || size < 1) throw new Error(`BGSAVE ended with ${status}, ${size} keys`);
  return seconds;
}

async function measure(side: Side, options: Options, { keys, seconds }: Amount): Promise<Run> {
  const tools = new RedisTools(options.redis);
  return await withDirectory(async (directory) => {
    const command = durableCommand(side, options, directory, { log: "none", hasRules: true });
    return await Subject.use(command, tools, async (subject) => {
      await subject.load(SMALL_KEYS, keys);
      const savedIdle = await save(subject);
      const stop = tools.loadEndlessly(subject.server.port, { test: "set", depth: 1, valueBytes: 64, keys });
      try {
        await delay(LEAD_SECONDS * 1_000);
        const [before, perSecondBefore] = await observed(subject, () => delay(seconds * 1_000));
        let savedUnderLoad = 0;
        const [during, perSecondDuring] = await observed(subject, async () => {
          savedUnderLoad = await save(subject);
        });
        const fork = (await subject.info("stats", "latest_fork_usec")) / 1_000;
        return { before, during, perSecondBefore, perSecondDuring, savedUnderLoad, savedIdle, fork };
      } finally {
        await stop();
      }
    });
  });
}

/** What the probe sees while the work goes on, and how many commands the server executes in a second. */
async function observed(subject: Subject, work: () => Promise<unknown>): Promise<[Latencies, number]> {
  const commands = (): Promise<number> => subject.info("stats", "total_commands_processed");
  const [first, start] = [await commands(), performance.now()];
  const latencies = await subject.probed(PROBE_PAUSE_MS, 0, async () => {
    await work();
  });
  const perSecond = ((await commands()) - first) / ((performance.now() - start) / 1_000);
  if (perSecond < 1_000) throw new Error(`only ${perSecond} commands in a second: that is no load`);
  return [latencies, perSecond];
}

function row(side: Side, keys: number, runs: readonly Run[]): Row {
  const of = (figure: (run: Run) => number): number => median(runs.map(figure));
  return {
    server: side,
    keys,
    rounds: runs.length,
    perSecondBefore: of((run) => run.perSecondBefore),
    perSecondDuring: of((run) => run.perSecondDuring),
    share: of((run) => run.perSecondDuring / run.perSecondBefore),
    p999Before: of(({ before }) => before.p999),
    maxBefore: of(({ before }) => before.max),
    p999During: of(({ during }) => during.p999),
    maxDuring: of(({ during }) => during.max),
    highestMax: Math.max(...runs.map(({ during }) => during.max)),
    fork: of((run) => run.fork),
    savedUnderLoad: of((run) => run.savedUnderLoad),
    savedIdle: of((run) => run.savedIdle),
  };
}

export async function benchmarkSnapshot(options: Options): Promise<Report> {
  const amount = options.smoke ? SMOKE : FULL;
  const runs: Record<Side, Run[]> = { ours: [], redis: [] };
  for (let round = 0; round < (options.rounds ?? (options.smoke ? 1 : 3)); round += 1) {
    for (const side of round % 2 === 0 ? SIDES : SIDES.toReversed()) {
      process.stderr.write(`snapshot: round ${round + 1}, ${side}\n`);
      runs[side].push(await measure(side, options, amount));
    }
  }
  const [ours, redis] = SIDES.map((side) => row(side, amount.keys, runs[side])) as [Row, Row];
  const target = `max ${TARGET.pause} ms, share ${TARGET.share}, idle saved ${TARGET.seconds} of redis`;
  const isReached =
    Number(ours["maxDuring"]) <= TARGET.pause &&
    Number(ours["share"]) >= TARGET.share &&
    Number(ours["savedIdle"]) <= TARGET.seconds * Number(redis["savedIdle"]);
  return {
    title: `BGSAVE under full-speed overwrites, ${versusTitle(options)}`,
    columns: COLUMNS,
    rows: [
      { ...ours, target, reached: verdict(isReached) },
      { ...redis, target: "", reached: "" },
    ],
  };
}
