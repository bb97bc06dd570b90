/**
 * Calls of typed methods on collections of a fixed number of members.
 *
 * A pass goes through all members once, in an order without order, and the clock runs over passes alone. Every pass
 * returns the sum of what its calls returned, in characters where that is text, which must be what it has to be.
 */
import type { Stillwater } from "../embedded/index.ts";
import type { Job } from "./child.ts";
import { KeyMaker, makeValues } from "./data.ts";
import { Random } from "./random.ts";

export const CALLS = ["hset", "hget", "sadd", "sismember", "zadd", "zscore", "lpush", "lpop"] as const;
export type CallName = (typeof CALLS)[number];

/** Calls per second, of each round. */
export type CollectionCallFigures = Readonly<Record<CallName, readonly number[]>>;

type CallsJob = Extract<Job, { kind: "collection-calls" }>;

/** One pass over all members; `pass` numbers it, so that what is written differs from one to the next. */
interface Call {
  /** Brings the collection back to where every pass begins; nothing to do where passes leave it as they found it. */
  readonly prepare?: () => void;
  readonly run: (pass: number) => number;
  readonly expected: (pass: number) => number;
}

const [HASH, SET, SORTED_SET, LIST] = ["hash", "set", "sorted set", "list"];
const VALUE_BYTES = 16;
const VALUE_MASK = 2 ** 10 - 1;
const SCORES = 2 ** 20;
const LARGE_PRIME = 15_485_863;
const AT_ONCE = 1_000;

class Calls {
  readonly #store: Stillwater;
  readonly #members: string[];
  readonly #values: string[];
  readonly #order: Uint32Array;
  /** The pass of zadd that the scores come from. */
  #scored = 0;

  constructor(store: Stillwater, { members, seed }: CallsJob) {
    const [random, maker] = [new Random(seed), new KeyMaker("mem:")];
    this.#store = store;
    this.#members = Array.from({ length: members }, (_, i) => maker.key(i));
    this.#values = makeValues(VALUE_MASK + 1, VALUE_BYTES, VALUE_BYTES, random);
    this.#order = shuffled(members, random);
  }

  /** Fills what a call does not fill itself. */
  fill(): void {
    this.hset().run(0);
    this.sadd().run(0);
    this.zadd().run(0);
    this.#fillList(this.#members.length);
  }

  hset(): Call {
    const [store, members, values, order] = [this.#store, this.#members, this.#values, this.#order];
    const run = (pass: number): number => {
      let added = 0;
      for (const i of order) added += store.hset(HASH, members[i] as string, values[(i + pass) & VALUE_MASK] as string);
      return added;
    };
    return { run, expected: () => 0 };
  }

  hget(): Call {
    const [store, members, order] = [this.#store, this.#members, this.#order];
    const run = (): number => {
      let characters = 0;
      for (const i of order) characters += store.hget(HASH, members[i] as string)?.length ?? 0;
      return characters;
    };
    return { run, expected: () => order.length * VALUE_BYTES };
  }

  sadd(): Call {
    const [store, members, order] = [this.#store, this.#members, this.#order];
    const run = (): number => {
      let added = 0;
      for (const i of order) added += store.sadd(SET, members[i] as string);
      return added;
    };
    return { prepare: () => store.del(SET), run, expected: () => order.length };
  }

  sismember(): Call {
    const [store, members, order] = [this.#store, this.#members, this.#order];
    const run = (): number => {
      let found = 0;
      for (const i of order) found += store.sismember(SET, members[i] as string);
      return found;
    };
    return { run, expected: () => order.length };
  }

  zadd(): Call {
    const [store, members, order] = [this.#store, this.#members, this.#order];
    const run = (pass: number): number => {
      let added = 0;
      for (const i of order) added += store.zadd(SORTED_SET, scoreOf(i, pass), members[i] as string);
      this.#scored = pass;
      return added;
    };
    return { run, expected: () => 0 };
  }

  zscore(): Call {
    const [store, members, order] = [this.#store, this.#members, this.#order];
    const run = (): number => {
      let sum = 0;
      for (const i of order) sum += store.zscore(SORTED_SET, members[i] as string) ?? Number.NaN;
      return sum;
    };
    return { run, expected: () => order.reduce((sum, i) => sum + scoreOf(i, this.#scored), 0) };
  }

  lpush(): Call {
    const [store, members, order] = [this.#store, this.#members, this.#order];
    const run = (): number => {
      let length = 0;
      for (const i of order) length = store.lpush(LIST, members[i] as string);
      return length;
    };
    return { prepare: () => this.#fillList(order.length), run, expected: () => 2 * order.length };
  }

  lpop(): Call {
    const [store, order] = [this.#store, this.#order];
    const run = (): number => {
      let characters = 0;
      for (let i = 0; i < order.length; i += 1) characters += store.lpop(LIST)?.length ?? 0;
      return characters;
    };
    const expected = (): number => order.length * (this.#members[0] as string).length;
    return { prepare: () => this.#fillList(2 * order.length), run, expected };
  }

  /** Makes the list anew, of so many items. */
  #fillList(length: number): void {
    this.#store.del(LIST);
    for (let from = 0; from < length; from += AT_ONCE) {
      const count = Math.min(AT_ONCE, length - from);
      this.#store.rpush(LIST, this.#members.slice(0, count));
    }
  }
}

function scoreOf(i: number, pass: number): number {
  return (i * LARGE_PRIME + pass * 7_919) % SCORES;
}

/** The numbers below `count`, in a random order. */
function shuffled(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i -= 1) {
    const other = random.below(i + 1);
    [order[i], order[other]] = [order[other] as number, order[i] as number];
  }
  return order;
}

/** The best of as many passes as fill the time would hide what collecting garbage costs: this is the mean of all. */
function perSecond(name: CallName, { prepare, run, expected }: Call, members: number, seconds: number): number {
  let [passes, milliseconds] = [0, 0];
  while (milliseconds < seconds * 1_000) {
    prepare?.();
    const start = performance.now();
    const sum = run(passes);
    milliseconds += performance.now() - start;
    if (sum !== expected(passes)) throw new Error(`${name} returned ${sum} in all, not ${expected(passes)}`);
    passes += 1;
  }
  return (passes * members * 1_000) / milliseconds;
}

/** Figures of every round; a round before the first, of the same length, only warms up. */
export async function measureCollectionCalls(job: CallsJob): Promise<CollectionCallFigures> {
  const { open } = await import("../embedded/index.ts");
  const store = await open({ maxMemory: "4gb" });
  const calls = new Calls(store, job);
  calls.fill();
  const figures = Object.fromEntries(CALLS.map((name) => [name, [] as number[]])) as Record<CallName, number[]>;
  for (let round = 0; round <= job.rounds; round += 1) {
    for (const name of CALLS) {
      const figure = perSecond(name, calls[name](), job.members, job.seconds);
      if (round > 0) figures[name].push(figure);
    }
  }
  await store.close();
  return figures;
}
