/**
 * Our server against redis-server, under the load of redis-benchmark. Each cell (depth, value size) starts a fresh
 * pair of servers with the same keys in them.
 */
import { KeyMaker } from "./data.ts";
import type { Options } from "./options.ts";
import { CLIENTS, protocolCommands, RedisTools } from "./redis-tools.ts";
import type { Report, Row } from "./report.ts";
import { checkEven, ServerPair, VERSUS_COLUMNS, versusTitle } from "./server-pair.ts";
import type { ServerProcess } from "./server-process.ts";

type Test = "set" | "get" | "incr" | "mset";

interface Cell {
  readonly tests: readonly Test[];
  readonly depth: number;
  readonly valueBytes: number;
  readonly rounds: number;
  readonly seconds: number;
}

const DEPTHS = [1, 16, 100];
const SAMPLE = 1_000;

const COLUMNS = [
  { field: "test", title: "test" },
  { field: "depth", title: "depth" },
  { field: "valueBytes", title: "bytes" },
  ...VERSUS_COLUMNS,
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
  readonly #servers: ServerPair;
  readonly #tools: RedisTools;
  readonly #keys: KeyMaker = new KeyMaker();
  readonly #keyCount: number;
  #increments = 0;

  constructor(cell: Cell, servers: ServerPair, tools: RedisTools) {
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
    const commands = protocolCommands(this.#keyCount, (i) => ["SET", this.#keys.key(i), this.#firstValue(i)]);
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
    const { depth, valueBytes, rounds, seconds } = this.#cell;
    const figures = await this.#servers.measure({
      load: { test, depth, valueBytes, keys: this.#keyCount },
      rounds,
      seconds,
      after: async (side, requests) => {
        if (test === "incr" && side === "ours") this.#increments += requests; // redis gets as many
      },
    });
    return { test: test.toUpperCase(), depth, valueBytes, ...figures };
  }
}

export async function benchmarkServer(options: Options): Promise<Report> {
  const tools = new RedisTools(options.redis);
  const rows: Row[] = [];
  for (const cell of cells(options)) {
    process.stderr.write(`server: ${cell.tests.join(", ")} at depth ${cell.depth}, ${cell.valueBytes} B\n`);
    rows.push(...(await ServerPair.use(options, tools, (servers) => new CellRun(cell, servers, tools).run())));
  }
  const report = { title: `Server: ${versusTitle(options)}, ${CLIENTS} clients`, columns: COLUMNS, rows };
  checkEven(report, options);
  return report;
}
