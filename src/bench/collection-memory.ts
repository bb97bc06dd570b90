/** Memory that collections take, per element, beside redis-server's for the same commands. */
import { setTimeout as delay } from "node:timers/promises";
import { makeValues } from "./data.ts";
import type { Options } from "./options.ts";
import { Random } from "./random.ts";
import { protocolCommands, RedisTools } from "./redis-tools.ts";
import type { Report, Row } from "./report.ts";
import { ServerPair, type Side, versusTitle } from "./server-pair.ts";

/** What is loaded: a command for each element, where a small collection is one element. */
interface Shape {
  readonly name: string;
  readonly command: (i: number) => readonly string[];
  /** Tells how many elements there are. */
  readonly count: string;
  /** A command whose answer both servers must agree on. */
  readonly question: (i: number) => string;
  /** A key whose encoding stands for all. */
  readonly key: string;
}

interface Memory {
  readonly used: number;
  readonly resident: number;
}

const BYTES = 10;
const VALUES = 1_024;
const SMALL = [0, 1, 2, 3, 4];
const SAMPLE = 1_000;
const LARGE_PRIME = 15_485_863;
const SETTLE_MILLISECONDS = 300; // redis-server looks at its resident memory ten times a second

const COLUMNS = [
  { field: "shape", title: "shape" },
  { field: "elements", title: "elements" },
  { field: "oursEncoding", title: "ours is" },
  { field: "redisEncoding", title: "redis's is" },
  { field: "oursBytes", title: "ours B/element", digits: 1 },
  { field: "redisBytes", title: "redis B/element", digits: 1 },
  { field: "usedRatio", title: "ratio", digits: 2 },
  { field: "oursResident", title: "ours resident B", digits: 1 },
  { field: "redisResident", title: "redis resident B", digits: 1 },
  { field: "residentRatio", title: "ratio", digits: 2 },
];

/** A text of 10 bytes that is no integer: lists and small collections would store it as one. */
function name(i: number): string {
  return `m${String(i).padStart(BYTES - 1, "0")}`;
}

/** Integers in no order, each once, below 2^31. */
function integer(i: number): string {
  return String((i * LARGE_PRIME) % 2_147_483_647);
}

function shapes(seed: number): Shape[] {
  const values = makeValues(VALUES, BYTES, BYTES, new Random(seed));
  const value = (i: number): string => values[i % VALUES] as string;
  const small = (i: number): string => `key:${name(i)}`;
  const several = { count: "DBSIZE", key: small(0) };
  const score = (i: number): string => String((i * LARGE_PRIME) % 1_000_003);
  return [
    {
      ...several,
      name: "hashes of 5 fields",
      command: (i) => ["HSET", small(i), ...SMALL.flatMap((field) => [`field${field}`, value(i * 5 + field)])],
      question: (i) => `HGET ${small(i)} field3`,
    },
    {
      ...several,
      name: "lists of 5 items",
      command: (i) => ["RPUSH", small(i), ...SMALL.map((item) => value(i * 5 + item))],
      question: (i) => `LINDEX ${small(i)} 3`,
    },
    {
      name: "members of a set",
      command: (i) => ["SADD", "large", name(i)],
      count: "SCARD large",
      question: (i) => `SISMEMBER large ${name(i)}`,
      key: "large",
    },
    {
      name: "integers in a set",
      command: (i) => ["SADD", "large", integer(i)],
      count: "SCARD large",
      question: (i) => `SISMEMBER large ${integer(i)}`,
      key: "large",
    },
    {
      name: "members of a sorted set",
      command: (i) => ["ZADD", "large", score(i), name(i)],
      count: "ZCARD large",
      question: (i) => `ZRANK large ${name(i)}`,
      key: "large",
    },
    {
      name: "fields of a hash",
      command: (i) => ["HSET", "large", name(i), value(i)],
      count: "HLEN large",
      question: (i) => `HGET large ${name(i)}`,
      key: "large",
    },
    {
      name: "items of a list",
      command: (i) => ["RPUSH", "large", value(i)],
      count: "LLEN large",
      question: (i) => `LINDEX large ${i}`,
      key: "large",
    },
  ];
}

class Loading {
  readonly #shape: Shape;
  readonly #elements: number;
  readonly #servers: ServerPair;
  readonly #tools: RedisTools;

  constructor(shape: Shape, elements: number, servers: ServerPair, tools: RedisTools) {
    this.#shape = shape;
    this.#elements = elements;
    this.#servers = servers;
    this.#tools = tools;
  }

  async run(): Promise<Row> {
    const { name: shape, key } = this.#shape;
    const [ours, redis] = [await this.#load("ours"), await this.#load("redis")];
    await this.#compareAnswers();
    const encoding = async (side: Side): Promise<string> => String(await this.#ask(side, [`OBJECT ENCODING ${key}`]));
    return {
      shape,
      elements: this.#elements,
      oursEncoding: await encoding("ours"),
      redisEncoding: await encoding("redis"),
      oursBytes: ours.used,
      redisBytes: redis.used,
      usedRatio: ours.used / redis.used,
      oursResident: ours.resident,
      redisResident: redis.resident,
      residentRatio: redis.resident > 0 ? ours.resident / redis.resident : null, // too few to take up a page
    };
  }

  /** What the elements add to a server's memory, per element. */
  async #load(side: Side): Promise<Memory> {
    const [elements, { command, count }] = [this.#elements, this.#shape];
    const before = await this.#memory(side);
    await this.#tools.feed(this.#servers[side].port, elements, protocolCommands(elements, command));
    const after = await this.#memory(side);
    const [answer] = await this.#ask(side, [count]);
    if (Number(answer) !== elements) throw new Error(`${side}: ${answer} ${this.#shape.name} instead of ${elements}`);
    return { used: (after.used - before.used) / elements, resident: (after.resident - before.resident) / elements };
  }

  async #memory(side: Side): Promise<Memory> {
    await delay(SETTLE_MILLISECONDS);
    const info = (field: string): Promise<number> => this.#tools.info(this.#servers[side].port, field);
    return { used: await info("used_memory"), resident: await info("used_memory_rss") };
  }

  async #compareAnswers(): Promise<void> {
    const stride = Math.max(1, Math.floor(this.#elements / SAMPLE));
    const questions = Array.from({ length: Math.min(SAMPLE, this.#elements) }, (_, i) =>
      this.#shape.question(i * stride),
    );
    const [ours, redis] = [await this.#ask("ours", questions), await this.#ask("redis", questions)];
    const wrong = questions.findIndex((_, i) => ours[i] !== redis[i] || ours[i] === "");
    if (wrong < 0 && ours.length === questions.length) return;
    throw new Error(`${questions[wrong]}: ours answers "${ours[wrong]}", redis-server "${redis[wrong]}"`);
  }

  #ask(side: Side, commands: readonly string[]): Promise<string[]> {
    return this.#tools.ask(this.#servers[side].port, commands);
  }
}

export async function benchmarkCollectionMemory(options: Options): Promise<Report> {
  const elements = options.smoke ? 10_000 : 1_000_000;
  const tools = new RedisTools(options.redis);
  const rows: Row[] = [];
  for (const shape of shapes(options.seed)) {
    process.stderr.write(`collection-memory: ${elements} ${shape.name}\n`);
    rows.push(await ServerPair.use(options, tools, (servers) => new Loading(shape, elements, servers, tools).run()));
  }
  const title = `Memory of collections: ${versusTitle(options)}, texts of ${BYTES} B`;
  return { title, columns: COLUMNS, rows };
}
