/**
 * What the log costs: SETs of redis-benchmark on servers without a log, with `everysec` and with `always`, ours and
 * redis-server's. All of a case are started side by side, idle but for the one under load, and take turns within a
 * round; every other round goes backwards. Ratios are medians of those within a round.
 */
import { durableCommand, verdict, withDirectory } from "./durable-servers.ts";
import type { Options } from "./options.ts";
import { CLIENTS, RedisTools } from "./redis-tools.ts";
import type { Report, Row } from "./report.ts";
import { type Side, versusTitle } from "./server-pair.ts";
import { ServerProcess } from "./server-process.ts";
import { median } from "./statistics.ts";

interface Contestant {
  readonly side: Side;
  readonly log: "none" | "everysec" | "always";
}

interface Case {
  readonly depth: number;
  readonly contestants: readonly Contestant[];
  readonly targets: readonly Target[];
}

/** That the first contestant does at least so much of what the other does; contestants by their indices. */
interface Target {
  readonly name: string;
  readonly of: number;
  readonly to: number;
  readonly least: number;
}

const EVERYSEC: readonly Contestant[] = [
  { side: "ours", log: "none" },
  { side: "ours", log: "everysec" },
  { side: "redis", log: "none" },
  { side: "redis", log: "everysec" },
];
const ALWAYS: readonly Contestant[] = [
  { side: "ours", log: "always" },
  { side: "redis", log: "always" },
];

const CASES: readonly Case[] = [
  ...[
    { depth: 1, least: 0.9 },
    { depth: 16, least: 0.8 },
  ].map(({ depth, least }) => ({
    depth,
    contestants: EVERYSEC,
    targets: [
      { name: "of no log", of: 1, to: 0, least },
      { name: "of redis", of: 1, to: 3, least: 1 },
    ],
  })),
  { depth: 1, contestants: ALWAYS, targets: [{ name: "of redis", of: 0, to: 1, least: 1.5 }] },
];

const KEYS = 100_000;
const VALUE_BYTES = 64;
const WARM_UP_REQUESTS = 20_000;

const COLUMNS = [
  { field: "depth", title: "depth" },
  { field: "server", title: "server" },
  { field: "log", title: "log" },
  { field: "rounds", title: "rounds" },
  { field: "perSecond", title: "req/s" },
  { field: "p50", title: "p50 ms", digits: 3 },
  { field: "p99", title: "p99 ms", digits: 2 },
  { field: "cpu", title: "cpu us", digits: 2 },
  { field: "ratio", title: "ratio", digits: 2 },
  { field: "target", title: "target" },
  { field: "reached", title: "reached" },
];

interface Measurement {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of the server's CPU time per request. */
  readonly cpu: number | null;
}

async function load(server: ServerProcess, tools: RedisTools, depth: number, requests: number): Promise<Measurement> {
  const before = server.cpuSeconds();
  const whole = Math.ceil(requests / (CLIENTS * depth)) * CLIENTS * depth;
  const result = await tools.load(server.port, {
    test: "set",
    requests: whole,
    depth,
    valueBytes: VALUE_BYTES,
    keys: KEYS,
  });
  const after = server.cpuSeconds();
  return { ...result, cpu: before === null || after === null ? null : ((after - before) * 1e6) / whole };
}

/** All rounds of a case: for each contestant, its measurements. */
async function rounds(
  { depth, contestants }: Case,
  servers: readonly ServerProcess[],
  tools: RedisTools,
  options: Options,
): Promise<Measurement[][]> {
  const seconds = options.smoke ? 0.1 : 1.5;
  const requests: number[] = [];
  for (const server of servers) {
    const first = await load(server, tools, depth, options.smoke ? WARM_UP_REQUESTS / 10 : WARM_UP_REQUESTS);
    const { perSecond } = await load(server, tools, depth, first.perSecond * seconds);
    requests.push(perSecond * seconds);
  }
  const results: Measurement[][] = contestants.map(() => []);
  const indices = contestants.map((_, index) => index);
  for (let round = 0; round < (options.rounds ?? (options.smoke ? 1 : 10)); round += 1) {
    for (const index of round % 2 === 0 ? indices : indices.toReversed()) {
      results[index]!.push(await load(servers[index]!, tools, depth, requests[index]!));
    }
  }
  return results;
}

async function measure(chosen: Case, options: Options, directories: readonly string[]): Promise<Row[]> {
  const tools = new RedisTools(options.redis);
  const servers: ServerProcess[] = [];
  try {
    for (const [index, { side, log }] of chosen.contestants.entries()) {
      servers.push(await ServerProcess.start(durableCommand(side, options, directories[index]!, { log }), tools));
    }
    const results = await rounds(chosen, servers, tools, options);
    for (const server of servers) {
      if (Number((await tools.ask(server.port, ["DBSIZE"]))[0]) < 1_000) throw new Error("hardly a key was written");
    }
    return chosen.contestants.map((contestant, index) => rowOf(chosen, contestant, index, results));
  } finally {
    for (const server of servers) await server.stop();
  }
}

function rowOf({ depth, targets }: Case, { side, log }: Contestant, index: number, results: Measurement[][]): Row {
  const mine = results[index]!;
  const of = (field: keyof Measurement): number => median(mine.map((measurement) => Number(measurement[field])));
  const asked = targets
    .filter((target) => target.of === index)
    .map((target) => {
      const ratio = median(mine.map(({ perSecond }, round) => perSecond / results[target.to]![round]!.perSecond));
      return { ...target, ratio };
    });
  return {
    depth,
    server: side,
    log,
    rounds: mine.length,
    perSecond: of("perSecond"),
    p50: of("p50"),
    p99: of("p99"),
    cpu: mine.some(({ cpu }) => cpu === null) ? null : of("cpu"),
    ratio: asked.map(({ ratio, name }) => `${ratio.toFixed(2)} ${name}`).join(", "),
    target: asked.map(({ least, name }) => `${least} ${name}`).join(", "),
    reached: asked.map(({ ratio, least }) => verdict(ratio >= least)).join(", "),
  };
}

export async function benchmarkLog(options: Options): Promise<Report> {
  const rows: Row[] = [];
  for (const chosen of CASES) {
    process.stderr.write(`log: ${chosen.contestants.map(({ log }) => log)} at depth ${chosen.depth}\n`);
    rows.push(
      ...(await withDirectory((a) =>
        withDirectory((b) => withDirectory((c) => withDirectory((d) => measure(chosen, options, [a, b, c, d])))),
      )),
    );
  }
  return { title: `Log: SETs of ${CLIENTS} clients, ${versusTitle(options)}`, columns: COLUMNS, rows };
}
