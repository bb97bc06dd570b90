/**
 * Our server and redis-server side by side, under the same load of redis-benchmark.
 *
 * Rounds go ours, redis, redis, ours, ...: a machine that grows slower or faster in the course of a run does so for
 * both. What is reported is the median of the per-round ratios, which is steadier than the ratio of two medians.
 */
import type { Options } from "./options.ts";
import { CLIENTS, type Load, type LoadResult, type RedisTools } from "./redis-tools.ts";
import { type Report, type Row, table } from "./report.ts";
import { redisCommand, ServerProcess, stillwaterCommand } from "./server-process.ts";
import { median } from "./statistics.ts";

export const SIDES = ["ours", "redis"] as const;
export type Side = (typeof SIDES)[number];

/** What the servers do against each other. */
export interface Contest {
  readonly load: Omit<Load, "requests">;
  readonly rounds: number;
  /** How long a round is to last on our side; both sides get the requests that fill it. */
  readonly seconds: number;
  /** What comes before and after every load, those of the warm-up too, and is not measured. */
  before?(side: Side, requests: number): Promise<void>;
  after?(side: Side, requests: number): Promise<void>;
}

interface Measurement extends LoadResult {
  /** Microseconds of the server's CPU time per request. */
  readonly cpu: number | null;
}

type Round = Readonly<Record<Side, Measurement>>;

const SELF_CHECK_TOLERANCE = 0.05;
const FIRST_REQUESTS = 2_000;

/** Columns for the figures of a contest. */
export const VERSUS_COLUMNS = [
  { field: "rounds", title: "rounds" },
  { field: "oursPerSecond", title: "ours req/s" },
  { field: "redisPerSecond", title: "redis req/s" },
  { field: "throughputRatio", title: "ratio", digits: 2 },
  { field: "lowestRatio", title: "low", digits: 2 },
  { field: "highestRatio", title: "high", digits: 2 },
  { field: "oursCpu", title: "ours cpu us", digits: 2 },
  { field: "redisCpu", title: "redis cpu us", digits: 2 },
  { field: "cpuRatio", title: "cpu ratio", digits: 2 },
  { field: "oursP99", title: "ours p99 ms", digits: 2 },
  { field: "redisP99", title: "redis p99 ms", digits: 2 },
];

export class ServerPair {
  readonly ours: ServerProcess;
  readonly redis: ServerProcess;
  readonly #tools: RedisTools;

  private constructor(ours: ServerProcess, redis: ServerProcess, tools: RedisTools) {
    this.ours = ours;
    this.redis = redis;
    this.#tools = tools;
  }

  /** Starts both servers, fresh and empty, and stops them when `work` is done. */
  static async use<T>(options: Options, tools: RedisTools, work: (servers: ServerPair) => Promise<T>): Promise<T> {
    const redis = redisCommand(options.redis);
    const ours = await ServerProcess.start(options.selfCheck ? redis : stillwaterCommand(), tools);
    try {
      const theirs = await ServerProcess.start(redis, tools);
      try {
        return await work(new ServerPair(ours, theirs, tools));
      } finally {
        await theirs.stop();
      }
    } finally {
      await ours.stop();
    }
  }

  /** Warms both up, runs the rounds, and returns the figures of VERSUS_COLUMNS and some more. */
  async measure(contest: Contest): Promise<Row> {
    const requests = await this.#warmUp(contest);
    const rounds: Round[] = [];
    for (let round = 0; round < contest.rounds; round += 1) {
      const oursFirst = round % 2 === 0;
      const first = await this.#load(oursFirst ? "ours" : "redis", contest, requests);
      const second = await this.#load(oursFirst ? "redis" : "ours", contest, requests);
      rounds.push(oursFirst ? { ours: first, redis: second } : { ours: second, redis: first });
    }
    return figuresOf(requests, rounds);
  }

  /** Lets ours compile its hot code and redis touch its memory; returns how many requests fill a round. */
  async #warmUp(contest: Contest): Promise<number> {
    const unit = CLIENTS * contest.load.depth;
    let requests = Math.ceil(FIRST_REQUESTS / unit) * unit;
    for (;;) {
      const { perSecond } = await this.#load("ours", contest, requests);
      await this.#load("redis", contest, requests);
      const wanted = Math.max(1, Math.round((perSecond * contest.seconds) / unit)) * unit;
      if (wanted < requests * 1.5) return wanted;
      requests = Math.min(wanted, requests * 20);
    }
  }

  async #load(side: Side, contest: Contest, requests: number): Promise<Measurement> {
    const server = this[side];
    await contest.before?.(side, requests);
    const before = server.cpuSeconds();
    const result = await this.#tools.load(server.port, { ...contest.load, requests });
    const after = server.cpuSeconds();
    await contest.after?.(side, requests);
    return { ...result, cpu: before === null || after === null ? null : ((after - before) * 1e6) / requests };
  }
}

function figuresOf(requests: number, rounds: readonly Round[]): Row {
  const of = (side: Side, field: keyof LoadResult): number => median(rounds.map((round) => round[side][field]));
  const cpu = rounds.map(({ ours, redis }) => ({ ours: ours.cpu ?? Number.NaN, redis: redis.cpu ?? Number.NaN }));
  const orNull = (figure: number): number | null => (Number.isFinite(figure) ? figure : null);
  const ratios = rounds.map(({ ours, redis }) => ours.perSecond / redis.perSecond);
  return {
    rounds: rounds.length,
    requestsPerRound: requests,
    oursPerSecond: of("ours", "perSecond"),
    redisPerSecond: of("redis", "perSecond"),
    throughputRatio: median(ratios),
    lowestRatio: Math.min(...ratios),
    highestRatio: Math.max(...ratios),
    oursCpu: orNull(median(cpu.map(({ ours }) => ours))),
    redisCpu: orNull(median(cpu.map(({ redis }) => redis))),
    cpuRatio: orNull(median(cpu.map(({ ours, redis }) => ours / redis))),
    oursP50: of("ours", "p50"),
    redisP50: of("redis", "p50"),
    oursP99: of("ours", "p99"),
    redisP99: of("redis", "p99"),
  };
}

/** Who is compared with whom, for a title. */
export function versusTitle({ selfCheck }: Options): string {
  return `${selfCheck ? "redis-server in our place" : "ours"} against redis-server`;
}

/** In a self-check: redis against itself is even over all tests, however much one of them swings. Throws if not. */
export function checkEven(report: Report, { selfCheck, smoke }: Options): void {
  if (!selfCheck || smoke) return;
  const bias = median(report.rows.map(({ throughputRatio }) => Number(throughputRatio)));
  if (Math.abs(bias - 1) <= SELF_CHECK_TOLERANCE) return;
  throw new Error(`self-check: the median ratio is ${bias.toFixed(3)} instead of 1\n${table(report)}`);
}
