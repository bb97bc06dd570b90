/** One collection that grows to millions of elements, a command for each, before which the loop runs for nothing. */
import type { Stillwater } from "../embedded/index.ts";
import type { Job } from "./child.ts";
import { KeyMaker, makeValues } from "./data.ts";
import { runSingly, type SinglePace } from "./paced.ts";
import { Random } from "./random.ts";

export const GROWING = ["hash", "set", "sorted set", "list"] as const;
export type GrowingName = (typeof GROWING)[number];

export interface CollectionGrowthFigures {
  readonly growth: SinglePace;
  /** The same loop, making the same strings and handing them to nobody: what the machine did beside it. */
  readonly loop: SinglePace;
}

type Store = Pick<Stillwater, "hset" | "sadd" | "zadd" | "rpush">;

const KEY = "collection";
const SAMPLE = 1_000;
const VALUES = 1_024;
const VALUE_BYTES = 16;
const LARGE_PRIME = 15_485_863;

const NOBODY: Store = { hset: () => 1, sadd: () => 1, zadd: () => 1, rpush: () => 1 };

/** Members and values are made as they are used, as a program gets them from a socket. */
class Elements {
  readonly #members = new KeyMaker("mem:");
  readonly #text: Buffer;

  constructor(seed: number) {
    const length = VALUES + VALUE_BYTES;
    this.#text = Buffer.from(makeValues(1, length, length, new Random(seed)).join(""), "latin1");
  }

  add(store: Store, collection: GrowingName, i: number): void {
    switch (collection) {
      case "hash":
        store.hset(KEY, this.#members.key(i), this.#value(i));
        return;
      case "set":
        store.sadd(KEY, this.#members.key(i));
        return;
      case "sorted set":
        store.zadd(KEY, this.#score(i), this.#members.key(i));
        return;
      case "list":
        store.rpush(KEY, this.#members.key(i));
        return;
    }
  }

  /** Compares the number of elements and a random sample of them with what was added. */
  verify(store: Stillwater, collection: GrowingName, count: number, random: Random): void {
    const counted = { hash: "HLEN", set: "SCARD", "sorted set": "ZCARD", list: "LLEN" } as const;
    const answer = store.call(counted[collection], KEY);
    if (answer !== count) throw new Error(`the ${collection} has ${String(answer)} elements of ${count}`);
    for (let n = 0; n < SAMPLE; n += 1) {
      const i = random.below(count);
      if (!this.#isThere(store, collection, i)) throw new Error(`element ${i} of the ${collection} is not as it was`);
    }
  }

  #isThere(store: Stillwater, collection: GrowingName, i: number): boolean {
    const member = this.#members.key(i);
    switch (collection) {
      case "hash":
        return store.hget(KEY, member) === this.#value(i);
      case "set":
        return store.sismember(KEY, member) === 1;
      case "sorted set":
        return store.zscore(KEY, member) === this.#score(i);
      case "list":
        return store.lindex(KEY, i) === member;
    }
  }

  #value(i: number): string {
    return this.#text.toString("latin1", i % VALUES, (i % VALUES) + VALUE_BYTES);
  }

  /** Scores in no order, so that elements go anywhere among the others. */
  #score(i: number): number {
    return (i * LARGE_PRIME) % 2_147_483_647;
  }
}

export async function measureCollectionGrowth(
  job: Extract<Job, { kind: "collection-growth" }>,
): Promise<CollectionGrowthFigures> {
  const { collection, elements, seed } = job;
  const { open } = await import("../embedded/index.ts");
  const store = await open({ maxMemory: "4gb" });
  const data = new Elements(seed);
  const loop = runSingly(elements, (i) => data.add(NOBODY, collection, i));
  const growth = runSingly(elements, (i) => data.add(store, collection, i));
  data.verify(store, collection, elements, new Random(seed));
  await store.close();
  return { growth, loop };
}
