/** Memory over a week of changing values, compressed into minutes, in our server and in redis-server. */
import { setTimeout as delay } from "node:timers/promises";
import { Churn, DAYS, HOURS_PER_DAY } from "./churn.ts";
import type { Options } from "./options.ts";
import { Random } from "./random.ts";
import { protocolCommands, RedisTools } from "./redis-tools.ts";
import type { Report, Row } from "./report.ts";
import { ServerPair, SIDES, type Side, versusTitle } from "./server-pair.ts";

const COLUMNS = [
  { field: "time", title: "time" },
  { field: "keys", title: "keys" },
  { field: "valueBytes", title: "value bytes" },
  { field: "oursUsed", title: "ours used" },
  { field: "oursActive", title: "active / used", digits: 2 },
  { field: "oursTouched", title: "touched / used", digits: 2 },
  { field: "oursTouchedOfPeak", title: "touched / peak", digits: 2 },
  { field: "oursResident", title: "resident / used", digits: 2 },
  { field: "redisUsed", title: "redis used" },
  { field: "redisActive", title: "active / used", digits: 2 },
  { field: "redisFragmentation", title: "mem_fragmentation_ratio", digits: 2 },
];

const HOURS_PER_LOOK = 12;
const SETTLE_MILLISECONDS = 400; // redis-server looks at its memory ten times a second; lazy frees come back

interface Amount {
  readonly level: number;
  readonly keys: number;
  readonly perHour: number;
  readonly hours: number;
}

const FULL: Amount = { level: 256 * 2 ** 20, keys: 1_000_000, perHour: 150_000, hours: DAYS * HOURS_PER_DAY };
const SMOKE: Amount = { level: 4 * 2 ** 20, keys: 20_000, perHour: 3_000, hours: 2 * HOURS_PER_LOOK };

class Week {
  readonly #servers: ServerPair;
  readonly #tools: RedisTools;
  readonly #churn: Churn;

  constructor(servers: ServerPair, tools: RedisTools, churn: Churn) {
    this.#servers = servers;
    this.#tools = tools;
    this.#churn = churn;
  }

  async live(hours: number): Promise<Row[]> {
    await this.#run(this.#churn.fill());
    const rows = [await this.#look(0)];
    for (let hour = 0; hour < hours; hour += 1) {
      await this.#run(this.#churn.hour(hour));
      if ((hour + 1) % HOURS_PER_LOOK === 0) rows.push(await this.#look(hour + 1));
    }
    return rows;
  }

  /** Both at once: neither's speed matters here. */
  async #run(commands: readonly (readonly string[])[]): Promise<void> {
    const pieces = [...protocolCommands(commands.length, (i) => commands[i] as readonly string[])];
    await Promise.all(SIDES.map((side) => this.#tools.feed(this.#servers[side].port, commands.length, pieces)));
  }

  async #look(hour: number): Promise<Row> {
    await delay(SETTLE_MILLISECONDS);
    const [ours, redis] = [await this.#memory("ours"), await this.#memory("redis")];
    return {
      time: `day ${Math.floor(hour / HOURS_PER_DAY)}, ${hour % HOURS_PER_DAY} h`,
      keys: this.#churn.count,
      valueBytes: this.#churn.total,
      oursUsed: ours("used_memory"),
      oursActive: ours("allocator_active") / ours("used_memory"),
      oursTouched: ours("allocator_resident") / ours("used_memory"),
      oursTouchedOfPeak: ours("allocator_resident") / ours("used_memory_peak"),
      oursResident: ours("used_memory_rss") / ours("used_memory"),
      redisUsed: redis("used_memory"),
      redisActive: redis("allocator_active") / redis("allocator_allocated"),
      redisFragmentation: redis("mem_fragmentation_ratio"),
    };
  }

  /** The figures of INFO memory, of a server that holds as many keys as it must. */
  async #memory(side: Side): Promise<(field: string) => number> {
    const { port } = this.#servers[side];
    const [size, ...lines] = await this.#tools.ask(port, ["DBSIZE", "INFO memory"]);
    if (Number(size) !== this.#churn.count) throw new Error(`${side}: ${size} keys instead of ${this.#churn.count}`);
    return (field) => {
      const line = lines.find((text) => text.startsWith(`${field}:`));
      if (line === undefined) throw new Error(`INFO memory has no ${field}`);
      return Number.parseFloat(line.slice(field.length + 1));
    };
  }
}

export async function benchmarkFragmentation(options: Options): Promise<Report> {
  const { level, keys, perHour, hours } = options.smoke ? SMOKE : FULL;
  const tools = new RedisTools(options.redis);
  process.stderr.write(`fragmentation: ${hours} hours of ${perHour} commands\n`);
  const churn = new Churn(new Random(options.seed), level, keys, perHour);
  const rows = await ServerPair.use(options, tools, (servers) => new Week(servers, tools, churn).live(hours));
  const title = `Fragmentation: ${versusTitle(options)}, ${(level / 2 ** 20).toLocaleString("en-US")} MiB of values`;
  return { title, columns: COLUMNS, rows };
}
