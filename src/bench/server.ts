/**
 * Our server against redis-server, under the load of redis-benchmark.
 *
 * Each cell (depth, value size) starts a fresh pair of servers with the same keys in them. Its rounds go
 * ours, redis, redis, ours, ...: a machine that grows slower or faster in the course of a run does so for both.
 * What is reported is the median of the per-round ratios, which is steadier than the ratio of two medians.
 */
import { KeyMaker } from "./data.ts";
import type { Options } from "./options.ts";
import { CLIENTS, type Load, type LoadResult, RedisTools, setCommands } from "./redis-tools.ts";
import { type Report, type Row, table } from "./report.ts";
import { redisCommand, ServerProcess, stillwaterCommand } from "./server-process.ts";
import { median } from "./statistics.ts";

type Test = "set" | "get" | "incr" | "mset";

interface Cell {
  readonly tests: readonly Test[];
  readonly depth: number;
  readonly valueBytes: number;
  readonly rounds: number;
  readonly seconds: number;
}

interface Measurement extends LoadResult {
  /** Microseconds of the server's CPU time per request. */
  readonly cpu: number | null;
}

interface Pair<T> {
  readonly ours: T;
  readonly redis: T;
}

const DEPTHS = [1, 16, 100];
const SAMPLE = 1_000;
const SELF_CHECK_TOLERANCE = 0.05;

const COLUMNS = [
  { field: "test", title: "test" },
  { field: "depth", title: "depth" },
  { field: "valueBytes", title: "bytes" },
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

function cells({ smoke, rounds }: Options): Cell[] {
  if (smoke) {
    const quick = { rounds: rounds ?? 1, seconds: 0.1 };
    const small = DEPTHS.map(
      (depth): Cell => ({ tests: ["set", "get", "incr", "mset"], depth, valueBytes: 16, ...quick }),
    );
    return [...small, { tests: ["set", "get", "mset"], depth: 16, valueBytes: 10_240, ...quick }];
  }
  // Even numbers, so that either side goes first as often as the other.
  const [many, few] = [
    { rounds: rounds ?? 10, seconds: 1.5 },
    { rounds: rounds ?? 4, seconds: 0.7 },
  ];
  const small = DEPTHS.flatMap((depth): Cell[] => [
    { tests: ["set", "get"], depth, valueBytes: 16, ...many },
    { tests: ["incr", "mset"], depth, valueBytes: 16, ...few },
  ]);
  const large = [1_024, 10_240].flatMap((valueBytes) =>
    DEPTHS.map((depth): Cell => ({ tests: ["set", "get", "mset"], depth, valueBytes, ...few })),
  );
  return [...small, ...large];
}

class CellRun {
  readonly #cell: Cell;
  readonly #servers: Pair<ServerProcess>;
  readonly #tools: RedisTools;
  readonly #keys: KeyMaker = new KeyMaker();
  readonly #keyCount: number;
  #increments = 0;

  constructor(cell: Cell, servers: Pair<ServerProcess>, tools: RedisTools) {
    this.#cell = cell;
    this.#servers = servers;
    this.#tools = tools;
    this.#keyCount = cell.valueBytes > 1_024 ? 10_000 : 100_000; // 100 MB of values are enough
  }

  async run(): Promise<Row[]> {
    await this.#populate(this.#servers.ours);
    await this.#populate(this.#servers.redis);
    const rows: Row[] = [];
    for (const test of this.#cell.tests) rows.push(await this.#measure(test));
    await this.#verify(this.#servers.ours);
    await this.#verify(this.#servers.redis);
    return rows;
  }

  async #populate({ port }: ServerProcess): Promise<void> {
    const commands = setCommands(this.#keyCount, (i) => this.#keys.key(i), this.#firstValue);
    await this.#tools.feed(port, this.#keyCount, commands);
    const values = await this.#tools.ask(port, this.#sample("GET", "key:"));
    if (values.length !== SAMPLE) throw new Error(`${SAMPLE} keys asked for, ${values.length} answered`);
    const wrong = values.findIndex((value, i) => value !== this.#firstValue(i));
    if (wrong >= 0) throw new Error(`key ${wrong} has the wrong value "${values[wrong]?.slice(0, 40)}"`);
  }

  readonly #firstValue = (i: number): string => String(i).padEnd(this.#cell.valueBytes, ".");

  #sample(command: string, prefix: string): string[] {
    const keys = new KeyMaker(prefix);
    return Array.from({ length: SAMPLE }, (_, i) => `${command} ${keys.key(i)}`);
  }

  /** What the load left behind: whole values where it wrote, and every single increment. */
  async #verify({ port }: ServerProcess): Promise<void> {
    const { tests, valueBytes } = this.#cell;
    const values = await this.#tools.ask(port, this.#sample("GET", "key:"));
    if (values.some(({ length }) => length !== valueBytes)) throw new Error("a value has the wrong length");
    const isOverwritten = values.some((value, i) => value !== this.#firstValue(i));
    const isWritten = tests.includes("set") || tests.includes("mset");
    if (isOverwritten !== isWritten) throw new Error(isWritten ? "no value was overwritten" : "values changed");
    if (tests.includes("incr")) await this.#verifyIncrements(port);
  }

  async #verifyIncrements(port: number): Promise<void> {
    const names = Array.from({ length: this.#keyCount }, (_, i) => `counter:${String(i).padStart(12, "0")}`);
    const perCommand = 10_000;
    const commands: string[] = [];
    for (let i = 0; i < names.length; i += perCommand) {
      commands.push(`MGET ${names.slice(i, i + perCommand).join(" ")}`);
    }
    const counts = await this.#tools.ask(port, commands);
    const sum = counts.reduce((total, count) => total + Number(count), 0);
    if (sum !== this.#increments) throw new Error(`${this.#increments} increments were answered, ${sum} happened`);
  }

  async #measure(test: Test): Promise<Row> {
    const requests = await this.#warmUp(test);
    const rounds: Pair<Measurement>[] = [];
    for (let round = 0; round < this.#cell.rounds; round += 1) {
      const oursFirst = round % 2 === 0;
      const first = await this.#load(oursFirst ? "ours" : "redis", test, requests);
      const second = await this.#load(oursFirst ? "redis" : "ours", test, requests);
      rounds.push(oursFirst ? { ours: first, redis: second } : { ours: second, redis: first });
      if (test === "incr") this.#increments += requests;
    }
    return this.#row(test, requests, rounds);
  }

  /** Lets ours compile its hot code and redis touch its memory; returns how many requests fill a round. */
  async #warmUp(test: Test): Promise<number> {
    const { depth, seconds } = this.#cell;
    const unit = CLIENTS * depth;
    let requests = Math.ceil(2_000 / unit) * unit;
    for (;;) {
      const { perSecond } = await this.#load("ours", test, requests);
      await this.#load("redis", test, requests);
      if (test === "incr") this.#increments += requests;
      const wanted = Math.max(1, Math.round((perSecond * seconds) / unit)) * unit;
      if (wanted < requests * 1.5) return wanted;
      requests = Math.min(wanted, requests * 20);
    }
  }

  async #load(side: keyof Pair<unknown>, test: Test, requests: number): Promise<Measurement> {
    const { depth, valueBytes } = this.#cell;
    const load: Load = { test, requests, depth, valueBytes, keys: this.#keyCount };
    const server = this.#servers[side];
    const before = server.cpuSeconds();
    const result = await this.#tools.load(server.port, load);
    const after = server.cpuSeconds();
    return { ...result, cpu: before === null || after === null ? null : ((after - before) * 1e6) / requests };
  }

  #row(test: Test, requests: number, rounds: readonly Pair<Measurement>[]): Row {
    const of = (side: keyof Pair<unknown>, field: keyof LoadResult): number =>
      median(rounds.map((round) => round[side][field]));
    const cpu = rounds.map(({ ours, redis }) => ({ ours: ours.cpu ?? Number.NaN, redis: redis.cpu ?? Number.NaN }));
    const orNull = (figure: number): number | null => (Number.isFinite(figure) ? figure : null);
    const ratios = rounds.map(({ ours, redis }) => ours.perSecond / redis.perSecond);
    return {
      test: test.toUpperCase(),
      depth: this.#cell.depth,
      valueBytes: this.#cell.valueBytes,
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
}

async function runCell(cell: Cell, options: Options, tools: RedisTools): Promise<Row[]> {
  const redis = redisCommand(options.redis);
  const ours = await ServerProcess.start(options.selfCheck ? redis : stillwaterCommand(), tools);
  try {
    const theirs = await ServerProcess.start(redis, tools);
    try {
      return await new CellRun(cell, { ours, redis: theirs }, tools).run();
    } finally {
      await theirs.stop();
    }
  } finally {
    await ours.stop();
  }
}

/** Redis against itself comes out even over all tests, however much one of them swings, or a side is favoured. */
function checkEven(report: Report): void {
  const bias = median(report.rows.map(({ throughputRatio }) => Number(throughputRatio)));
  if (Math.abs(bias - 1) <= SELF_CHECK_TOLERANCE) return;
  throw new Error(`self-check: the median ratio is ${bias.toFixed(3)} instead of 1\n${table(report)}`);
}

export async function benchmarkServer(options: Options): Promise<Report> {
  const tools = new RedisTools(options.redis);
  const rows: Row[] = [];
  for (const cell of cells(options)) {
    process.stderr.write(`server: ${cell.tests.join(", ")} at depth ${cell.depth}, ${cell.valueBytes} B\n`);
    rows.push(...(await runCell(cell, options, tools)));
  }
  const ours = options.selfCheck ? "redis-server in our place" : "ours";
  const report = { title: `Server: ${ours} against redis-server, ${CLIENTS} clients`, columns: COLUMNS, rows };
  if (options.selfCheck && !options.smoke) checkEven(report);
  return report;
}
