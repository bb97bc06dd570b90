/**
 * Hit ratio of caches that evict, on the same requests at the same time: ours and redis-server with room for the same
 * number of keys, ours with the same bytes as redis-server, and a true LRU in the harness.
 *
 * All servers get each batch before any gets the next one, so that time, by which keys grow old, passes alike for all.
 */
import { CacheServer, VALUE_BYTES } from "./cache-server.ts";
import type { Options } from "./options.ts";
import { Random } from "./random.ts";
import { RedisTools } from "./redis-tools.ts";
import type { Report, Row } from "./report.ts";
import { redisCommand, stillwaterCommand } from "./server-process.ts";
import { median } from "./statistics.ts";
import { TrueLru, ZipfTrace } from "./zipf-trace.ts";

const COLUMNS = [
  { field: "policy", title: "policy" },
  { field: "samples", title: "samples" },
  { field: "exponent", title: "zipf", digits: 2 },
  { field: "cache", title: "cache" },
  { field: "ours", title: "ours %", digits: 2 },
  { field: "redis", title: "redis %", digits: 2 },
  { field: "difference", title: "points", digits: 2 },
  { field: "oursKeys", title: "our keys" },
  { field: "redisKeys", title: "redis's keys" },
  { field: "oursSameBytes", title: "ours, same bytes %", digits: 2 },
  { field: "sameBytesDifference", title: "points", digits: 2 },
  { field: "sameBytesKeys", title: "our keys" },
  { field: "trueLru", title: "true LRU %", digits: 2 },
  { field: "best", title: "best %", digits: 2 },
  { field: "reached", title: "redis - 0.5" },
];

const TOLERANCE_POINTS = 0.5;
const BATCH = 100;
const LOOKS = 20; // times that the number of keys is looked at: while warming up, and while it counts

interface Cell {
  readonly policy: string;
  readonly samples: number;
  readonly exponent: number;
  /** The part of all keys that there is room for. */
  readonly cache: number;
}

interface Amount {
  readonly keys: number;
  /** Requests until the caches are full and their size is right, and as many that count. */
  readonly requests: number;
}

interface Figures {
  readonly ours: number;
  readonly redis: number;
  readonly oursSameBytes: number;
  readonly trueLru: number;
  readonly oursKeys: number;
  readonly redisKeys: number;
  readonly sameBytesKeys: number;
}

/** The part of the requests that each answered. */
class HitRatios {
  readonly #trace: ZipfTrace;
  readonly #servers: readonly CacheServer[];
  readonly #lru: TrueLru;

  constructor(trace: ZipfTrace, servers: readonly CacheServer[], lru: TrueLru) {
    this.#trace = trace;
    this.#servers = servers;
    this.#lru = lru;
  }

  /** Hits of each server, and of the true LRU last; `look` is called LOOKS times meanwhile. */
  async run(requests: number, look: () => Promise<void>): Promise<number[]> {
    const batches = Math.ceil(requests / BATCH / LOOKS);
    const hits = new Array<number>(this.#servers.length + 1).fill(0);
    for (let i = 0; i < LOOKS; i += 1) {
      for (let n = 0; n < batches; n += 1) {
        const keys = Array.from({ length: BATCH }, () => this.#trace.next());
        const answered = Promise.all(this.#servers.map((server) => server.request(keys)));
        const simulated = this.#simulate(keys);
        [...(await answered), simulated].forEach((count, who) => {
          hits[who] = (hits[who] as number) + count;
        });
      }
      await look();
    }
    return hits.map((count) => (count / (batches * BATCH * LOOKS)) * 100);
  }

  /** As a server does it: all of a batch is asked for before anything is stored. */
  #simulate(keys: readonly number[]): number {
    const missing = keys.filter((key) => !this.#lru.get(key));
    for (const key of missing) this.#lru.set(key);
    return keys.length - missing.length;
  }
}

/** Three fresh servers; `limits` are set so that the first two hold `held` keys and the third has redis's bytes. */
class Contest {
  readonly #servers: readonly CacheServer[];
  readonly #held: number;
  readonly #perKey: number[] = [];

  constructor(servers: readonly CacheServer[], held: number) {
    this.#servers = servers;
    this.#held = held;
  }

  /** Both of the first two hold as many keys as fit into what so many keys need. */
  async prepare({ policy, samples }: Cell): Promise<void> {
    const settings = { "maxmemory-policy": policy, "maxmemory-samples": String(samples) };
    for (const [i, server] of this.#servers.entries()) {
      const { total, perKey } = await server.memoryOf(this.#held);
      this.#perKey.push(perKey);
      await server.configure(settings);
      await server.setLimit(i === 2 ? (this.#servers[1] as CacheServer).limit : total);
    }
  }

  /** Corrects the limits by the number of keys that are there. */
  async correct(): Promise<void> {
    const [ours, redis, sameBytes] = this.#servers as [CacheServer, CacheServer, CacheServer];
    for (const [i, server] of [ours, redis].entries()) {
      if ((await server.evicted()) === 0) continue; // not full yet
      const { keys } = await server.level();
      await server.setLimit(server.limit + (this.#held - keys) * (this.#perKey[i] as number));
    }
    await sameBytes.setLimit(redis.limit);
  }

  async keys(): Promise<number[]> {
    return await Promise.all(this.#servers.map(async (server) => (await server.level()).keys));
  }

  async checkThatAllEvict(): Promise<void> {
    for (const server of this.#servers) {
      if ((await server.evicted()) === 0) throw new Error("a cache has evicted nothing");
    }
  }
}

async function measure(cell: Cell, { keys, requests }: Amount, options: Options, seed: number): Promise<Figures> {
  const tools = new RedisTools(options.redis);
  const held = Math.round((keys * cell.cache) / 1_000) * 1_000;
  const servers: CacheServer[] = [];
  try {
    for (const command of [stillwaterCommand(), redisCommand(options.redis), stillwaterCommand()]) {
      servers.push(await CacheServer.start(command, tools));
    }
    const contest = new Contest(servers, held);
    await contest.prepare(cell);
    const trace = new ZipfTrace(keys, cell.exponent, new Random(seed));
    const ratios = new HitRatios(trace, servers, new TrueLru(held, keys));
    await ratios.run(requests, () => contest.correct());
    const counts: number[][] = [];
    const [ours, redis, oursSameBytes, trueLru] = (await ratios.run(requests, async () => {
      counts.push(await contest.keys());
    })) as [number, number, number, number];
    await contest.checkThatAllEvict();
    const [oursKeys, redisKeys, sameBytesKeys] = servers.map((_, who) =>
      median(counts.map((count) => count[who] as number)),
    ) as [number, number, number];
    return { ours, redis, oursSameBytes, trueLru, oursKeys, redisKeys, sameBytesKeys };
  } finally {
    for (const server of servers) await server.stop();
  }
}

function cells(smoke: boolean): Cell[] {
  const policies = ["allkeys-lru", "allkeys-lfu"];
  if (smoke) return policies.map((policy) => ({ policy, samples: 5, exponent: 0.99, cache: 0.1 }));
  return policies.flatMap((policy) =>
    [5, 10].flatMap((samples) =>
      [0.99, 0.8].flatMap((exponent) => [0.1, 0.3].map((cache) => ({ policy, samples, exponent, cache }))),
    ),
  );
}

export async function benchmarkEviction(options: Options): Promise<Report> {
  const amount = options.smoke ? { keys: 20_000, requests: 40_000 } : { keys: 1_000_000, requests: 2_000_000 };
  const rows: Row[] = [];
  for (const cell of cells(options.smoke)) {
    const { policy, samples, exponent, cache } = cell;
    process.stderr.write(`eviction: ${policy}, ${samples} samples, exponent ${exponent}, ${cache * 100} %\n`);
    const runs: Figures[] = [];
    for (let round = 0; round < (options.rounds ?? 1); round += 1) {
      runs.push(await measure(cell, amount, options, options.seed + round));
    }
    const of = (figure: keyof Figures): number => median(runs.map((run) => run[figure]));
    const [ours, redis, oursSameBytes] = [of("ours"), of("redis"), of("oursSameBytes")];
    rows.push({
      policy,
      samples,
      exponent,
      cache: `${cache * 100} %`,
      rounds: runs.length,
      keys: amount.keys,
      requests: amount.requests,
      ours,
      redis,
      difference: ours - redis,
      oursKeys: of("oursKeys"),
      redisKeys: of("redisKeys"),
      oursSameBytes,
      sameBytesDifference: oursSameBytes - redis,
      sameBytesKeys: of("sameBytesKeys"),
      trueLru: of("trueLru"),
      best: new ZipfTrace(amount.keys, exponent, new Random(0)).best(Math.round(amount.keys * cache)) * 100,
      reached: ours >= redis - TOLERANCE_POINTS ? "yes" : "not",
    });
  }
  const content = `${amount.keys.toLocaleString("en-US")} keys with values of ${VALUE_BYTES} B`;
  return { title: `Eviction: hit ratio on a Zipf trace, ${content}`, columns: COLUMNS, rows };
}
