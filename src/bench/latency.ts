/**
 * What one connection feels of the work below the surface, on our server and on redis-server: a probe asks PING and GET
 * all the while a large value dies, keys expire, values are overwritten, keys are evicted.
 *
 * Every run has a fresh server, and no other runs beside it. Rounds go ours, redis, redis, ours, ... When the work is
 * done, the probe goes on for as long on the idle server: what it sees then is the machine's own noise.
 */

import { setTimeout as delay } from "node:timers/promises";
import type { Latencies } from "./latencies.ts";
import { type Amount, FULL, LATENCY_CASES, type LatencyCase, type Outcome, SMOKE } from "./latency-cases.ts";
import { Subject } from "./latency-subject.ts";
import { judge } from "./latency-targets.ts";
import type { Options } from "./options.ts";
import { RedisTools } from "./redis-tools.ts";
import { type Report, type Row, table } from "./report.ts";
import { SIDES, type Side, versusTitle } from "./server-pair.ts";
import { redisCommand, stillwaterCommand } from "./server-process.ts";
import { median } from "./statistics.ts";

export interface LatencyRun {
  readonly outcome: Outcome;
  readonly probe: Latencies;
  readonly idle: Latencies;
}

const COLUMNS = [
  { field: "case", title: "case" },
  { field: "server", title: "server" },
  { field: "answers", title: "answers" },
  { field: "p50", title: "p50 ms", digits: 3 },
  { field: "p99", title: "p99", digits: 2 },
  { field: "p999", title: "p99.9", digits: 2 },
  { field: "max", title: "max", digits: 2 },
  { field: "highestMax", title: "highest", digits: 2 },
  { field: "momentP999", title: "p99.9 at any moment", digits: 2 },
  { field: "slow", title: "over 1 ms" },
  { field: "idleP999", title: "idle p99.9", digits: 2 },
  { field: "idleMax", title: "idle max", digits: 2 },
  { field: "idleHighestMax", title: "highest", digits: 2 },
  { field: "command", title: "command ms", digits: 2 },
  { field: "done", title: "done s", digits: 2 },
  { field: "perSecond", title: "req/s" },
  { field: "target", title: "target" },
  { field: "reached", title: "reached" },
];

const WARM_UP_SECONDS = 1;
const IDLE_SECONDS_MAX = 15;

async function measure(latencyCase: LatencyCase, side: Side, options: Options, amount: Amount): Promise<LatencyRun> {
  const isRedis = side === "redis" || options.selfCheck;
  const command = isRedis ? redisCommand(options.redis) : stillwaterCommand();
  const { pauseMilliseconds: pause } = latencyCase;
  const windowMin = options.smoke ? 0.2 : 1;
  return await Subject.use(command, new RedisTools(options.redis), async (subject) => {
    const work = await latencyCase.prepare(subject, amount);
    if (!options.smoke && latencyCase.target.done === undefined) await delay(WARM_UP_SECONDS * 1_000);
    let [seconds, probe]: [number, Latencies | undefined] = [0, undefined];
    const outcome = await work(async (within) => {
      const start = performance.now();
      probe = await subject.probed(pause, windowMin, within);
      seconds = Math.min((performance.now() - start) / 1_000, IDLE_SECONDS_MAX);
    });
    if (probe === undefined) throw new Error("the probe's answers were not counted");
    return { outcome, probe, idle: await subject.probed(pause, seconds, () => Promise.resolve()) };
  });
}

function row(name: string, side: Side, runs: readonly LatencyRun[]): Row {
  const of = (figure: (run: LatencyRun) => number): number => median(runs.map(figure));
  const highest = (figure: (run: LatencyRun) => number): number => Math.max(...runs.map(figure));
  const outcome = (field: keyof Outcome): number | null =>
    runs.some((run) => run.outcome[field] === null) ? null : of((run) => run.outcome[field] as number);
  return {
    case: name,
    server: side,
    rounds: runs.length,
    answers: of(({ probe }) => probe.answers),
    p50: of(({ probe }) => probe.p50),
    p99: of(({ probe }) => probe.p99),
    p999: of(({ probe }) => probe.p999),
    max: of(({ probe }) => probe.max),
    highestMax: highest(({ probe }) => probe.max),
    momentP999: of(({ probe }) => probe.momentP999),
    slow: of(({ probe }) => probe.slow),
    idleP999: of(({ idle }) => idle.p999),
    idleMax: of(({ idle }) => idle.max),
    idleHighestMax: highest(({ idle }) => idle.max),
    command: outcome("command"),
    done: outcome("done"),
    perSecond: outcome("perSecond"),
  };
}

/** All rounds of a case; the figures of our server and of redis-server. */
async function rowsOf(latencyCase: LatencyCase, options: Options, amount: Amount): Promise<Row[]> {
  const runs: Record<Side, LatencyRun[]> = { ours: [], redis: [] };
  for (let round = 0; round < (options.rounds ?? (options.smoke ? 1 : 3)); round += 1) {
    for (const side of round % 2 === 0 ? SIDES : SIDES.toReversed()) {
      try {
        runs[side].push(await measure(latencyCase, side, options, amount));
      } catch (error) {
        throw new Error(`${latencyCase.name}, ${side}: ${(error as Error).message}`, { cause: error });
      }
    }
  }
  const { name, target } = latencyCase;
  return [
    { ...row(name, "ours", runs.ours), ...judge(target, runs.ours, runs.redis) },
    { ...row(name, "redis", runs.redis), target: "", reached: "" },
  ];
}

/** A case that fails does not keep the others from being measured; but then there is no result. */
export async function benchmarkLatency(options: Options): Promise<Report> {
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const latencyCase of LATENCY_CASES.filter(({ name }) => name.includes(options.match ?? ""))) {
    process.stderr.write(`latency: ${latencyCase.name}\n`);
    try {
      rows.push(...(await rowsOf(latencyCase, options, options.smoke ? SMOKE : FULL)));
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  const title = `Latency: answers to one probe connection beside the work, ${versusTitle(options)}`;
  const report = { title, columns: COLUMNS, rows };
  if (failures.length > 0) throw new Error(`${failures.join("\n")}\n${table(report)}`);
  return report;
}
