/**
 * Collections of our server against redis-server's, under the load of redis-benchmark. Every type at every depth has a
 * fresh pair of servers; tests that add or take out begin each load with a collection of the same size.
 */
import { type CollectionTest, collectionTests, DEPTHS, filling, VALUE_BYTES } from "./collection-tests.ts";
import type { Options } from "./options.ts";
import { CLIENTS, RedisTools } from "./redis-tools.ts";
import type { Report, Row } from "./report.ts";
import { checkEven, ServerPair, SIDES, type Side, VERSUS_COLUMNS, versusTitle } from "./server-pair.ts";

const ELEMENTS = 100_000;
const SMOKE_ELEMENTS = 1_000;
const SMOKE_DEPTH = 16;

const COLUMNS = [{ field: "test", title: "test" }, { field: "depth", title: "depth" }, ...VERSUS_COLUMNS];

class TestRun {
  readonly #test: CollectionTest;
  readonly #servers: ServerPair;
  readonly #tools: RedisTools;

  constructor(test: CollectionTest, servers: ServerPair, tools: RedisTools) {
    this.#test = test;
    this.#servers = servers;
    this.#tools = tools;
  }

  async run(depth: number, amount: { readonly rounds: number; readonly seconds: number }): Promise<Row> {
    const { name, load, range, changes } = this.#test;
    const elements = this.#test.before(0);
    for (const side of SIDES) await this.#fill(side, elements);
    await this.#compareAnswers();
    const figures = await this.#servers.measure({
      load: { test: load, depth, valueBytes: VALUE_BYTES, keys: range ?? elements },
      ...amount,
      before: async (side, requests) => {
        if (changes) await this.#fill(side, this.#test.before(requests));
      },
      after: (side, requests) => this.#checkCount(side, ...this.#test.after(requests)),
    });
    for (const side of SIDES) await this.#ask(side, [`DEL ${this.#test.collection.key}`]);
    return { test: name, depth, elements, ...figures };
  }

  /** Replaces the collection by one of so many elements. */
  async #fill(side: Side, elements: number): Promise<void> {
    await this.#ask(side, [`DEL ${this.#test.collection.key}`]);
    await this.#tools.feed(this.#servers[side].port, ...filling(this.#test.collection, elements));
    await this.#checkCount(side, elements, elements);
  }

  async #checkCount(side: Side, least: number, most: number): Promise<void> {
    const { key, count } = this.#test.collection;
    const [answer] = await this.#ask(side, [`${count} ${key}`]);
    if (Number(answer) >= least && Number(answer) <= most) return;
    throw new Error(`${this.#test.name}, ${side}: ${answer} elements instead of ${least} to ${most}`);
  }

  /** Both servers hold the same; the order in which they tell it may be their own. */
  async #compareAnswers(): Promise<void> {
    const { name, questions } = this.#test;
    const ours = (await this.#ask("ours", questions)).sort();
    const redis = (await this.#ask("redis", questions)).sort();
    if (ours.length < questions.length || ours.includes("")) throw new Error(`${name}: elements are missing`);
    const wrong = redis.findIndex((line, i) => line !== ours[i]);
    if (wrong < 0 && ours.length === redis.length) return;
    throw new Error(`${name}: ours answers "${ours[wrong]}", redis-server "${redis[wrong]}"`);
  }

  #ask(side: Side, commands: readonly string[]): Promise<string[]> {
    return this.#tools.ask(this.#servers[side].port, commands);
  }
}

/** The tests that run on one pair of servers. */
interface Cell {
  readonly depth: number;
  readonly tests: readonly CollectionTest[];
}

/** One cell for each type and depth; in a smoke run each test has one depth, which is enough to see that it works. */
function cells({ smoke }: Options): Cell[] {
  const tests = collectionTests(smoke ? SMOKE_ELEMENTS : ELEMENTS);
  const isAt = ({ depths }: CollectionTest, depth: number): boolean =>
    smoke ? depth === (depths.includes(SMOKE_DEPTH) ? SMOKE_DEPTH : depths[0]) : depths.includes(depth);
  const types = [...new Set(tests.map(({ collection }) => collection))];
  return DEPTHS.flatMap((depth) =>
    types.map((type) => ({ depth, tests: tests.filter((test) => test.collection === type && isAt(test, depth)) })),
  ).filter((cell) => cell.tests.length > 0);
}

export async function benchmarkCollections(options: Options): Promise<Report> {
  const { smoke, rounds } = options;
  // An even number of rounds, so that either side goes first as often as the other.
  const amount = smoke ? { rounds: rounds ?? 1, seconds: 0.02 } : { rounds: rounds ?? 6, seconds: 0.7 };
  const tools = new RedisTools(options.redis);
  const rows: Row[] = [];
  for (const { depth, tests } of cells(options)) {
    process.stderr.write(`collections: ${tests.map(({ name }) => name).join(", ")} at depth ${depth}\n`);
    await ServerPair.use(options, tools, async (servers) => {
      for (const test of tests) rows.push(await new TestRun(test, servers, tools).run(depth, amount));
    });
  }
  const report = { title: `Collections: ${versusTitle(options)}, ${CLIENTS} clients`, columns: COLUMNS, rows };
  checkEven(report, options);
  return report;
}
