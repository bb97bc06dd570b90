/**
 * set, get and incr of one contender over a fixed number of keys, in ascending or random order.
 *
 * The clock runs over plain loops alone. What they should have left is worked out afterwards by going through
 * the same sequence again, and compared: every length that get returned, and a sample of whole values and counts.
 */
import type { Job } from "./child.ts";
import { type Contender, openContender } from "./contenders.ts";
import { KeyMaker, makeValues } from "./data.ts";
import { Random } from "./random.ts";

export interface OperationFigures {
  readonly set: readonly number[];
  readonly get: readonly number[];
  readonly incr: readonly number[];
}

type OperationsJob = Extract<Job, { kind: "operations" }>;

const VALUE_BYTES = 16;
const ORDER_MASK = 2 ** 20 - 1;
const VALUE_MASK = 2 ** 10 - 1;
const CHUNK = 1_000; // operations between two looks at the clock
const SAMPLE = 1_000;

class Operations {
  readonly #store: Contender;
  readonly #keys: string[];
  readonly #counters: string[];
  readonly #values: string[];
  readonly #order: Uint32Array;
  readonly #expected: Uint16Array;
  readonly #counts: Uint32Array;

  constructor(store: Contender, { keys, order }: OperationsJob, random: Random) {
    this.#store = store;
    const [keyMaker, counterMaker] = [new KeyMaker("key:"), new KeyMaker("ctr:")];
    this.#keys = Array.from({ length: keys }, (_, i) => keyMaker.key(i));
    this.#counters = Array.from({ length: keys }, (_, i) => counterMaker.key(i));
    this.#values = makeValues(VALUE_MASK + 1, VALUE_BYTES, VALUE_BYTES, random);
    const place = order === "random" ? () => random.below(keys) : (_: unknown, i: number) => i % keys;
    this.#order = Uint32Array.from({ length: ORDER_MASK + 1 }, place);
    this.#expected = new Uint16Array(keys);
    this.#counts = new Uint32Array(keys);
  }

  fill(): void {
    this.#store.bulk(() => {
      for (const key of this.#keys) this.#store.set(key, this.#values[0] as string);
      for (const counter of this.#counters) this.#store.incr(counter);
    });
    this.#counts.fill(1);
  }

  /** Operations per second of `set`, over `seconds` from the given place in the sequence on; likewise below. */
  set(from: number, seconds: number): number {
    const [store, keys, values, order] = [this.#store, this.#keys, this.#values, this.#order];
    const { count, perSecond } = repeat(from, seconds, (start, end) => {
      for (let i = start; i < end; i += 1) {
        store.set(keys[order[i & ORDER_MASK] as number] as string, values[i & VALUE_MASK] as string);
      }
    });
    for (let i = from; i < from + count; i += 1) this.#expected[order[i & ORDER_MASK] as number] = i & VALUE_MASK;
    return perSecond;
  }

  get(from: number, seconds: number): number {
    const [store, keys, order] = [this.#store, this.#keys, this.#order];
    let length = 0;
    const { count, perSecond } = repeat(from, seconds, (start, end) => {
      for (let i = start; i < end; i += 1) {
        length += (store.get(keys[order[i & ORDER_MASK] as number] as string) as string).length;
      }
    });
    let expected = 0;
    for (let i = from; i < from + count; i += 1) expected += this.#value(order[i & ORDER_MASK] as number).length;
    if (length !== expected) throw new Error(`get returned ${length} characters in all, not ${expected}`);
    return perSecond;
  }

  incr(from: number, seconds: number): number {
    const [store, counters, order] = [this.#store, this.#counters, this.#order];
    const { count, perSecond } = repeat(from, seconds, (start, end) => {
      for (let i = start; i < end; i += 1) store.incr(counters[order[i & ORDER_MASK] as number] as string);
    });
    for (let i = from; i < from + count; i += 1) {
      const key = order[i & ORDER_MASK] as number;
      this.#counts[key] = (this.#counts[key] as number) + 1;
    }
    return perSecond;
  }

  verify(random: Random): void {
    for (let i = 0; i < SAMPLE; i += 1) {
      const key = random.below(this.#keys.length);
      const value = this.#store.get(this.#keys[key] as string);
      if (value !== this.#value(key)) throw new Error(`${this.#keys[key]} has the wrong value "${value}"`);
      const count = this.#store.incr(this.#counters[key] as string);
      this.#counts[key] = (this.#counts[key] as number) + 1;
      if (count !== this.#counts[key]) throw new Error(`${this.#counters[key]} has the wrong count ${count}`);
    }
  }

  #value(key: number): string {
    return this.#values[this.#expected[key] as number] as string;
  }
}

function repeat(from: number, seconds: number, operate: (start: number, end: number) => void) {
  const start = performance.now();
  const deadline = start + seconds * 1_000;
  let [next, now] = [from, start];
  while (now < deadline) {
    operate(next, next + CHUNK);
    next += CHUNK;
    now = performance.now();
  }
  return { count: next - from, perSecond: ((next - from) * 1_000) / (now - start) };
}

/** Figures of every round; a round before the first, of the same length, only warms up. */
export async function measureOperations(job: OperationsJob): Promise<OperationFigures> {
  const random = new Random(job.seed);
  const store = await openContender(job.contender, job.keys * 2);
  const operations = new Operations(store, job, random);
  operations.fill();
  const figures = { set: [] as number[], get: [] as number[], incr: [] as number[] };
  for (let round = 0; round <= job.rounds; round += 1) {
    const from = random.below(ORDER_MASK);
    const set = operations.set(from, job.seconds);
    const get = operations.get(from, job.seconds);
    const incr = operations.incr(from, job.seconds);
    if (round === 0) continue;
    figures.set.push(set);
    figures.get.push(get);
    figures.incr.push(incr);
  }
  operations.verify(random);
  await store.close();
  return figures;
}
