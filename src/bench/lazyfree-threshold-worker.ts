/**
 * Values of one size that die in the embedded store, freed at once or handed over: the CPU time of the program's thread
 * per value, with all that comes of it: the batch that is sent, the memory that comes back and is taken in.
 */
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { Stillwater } from "../embedded/index.ts";
import type { Job } from "./child.ts";
import { KeyMaker } from "./data.ts";
import { mainThreadNanoseconds } from "./thread-time.ts";

/** CPU time of the serving thread, in microseconds per value, one figure a round. */
export interface LazyFreeThresholdFigures {
  readonly inline: readonly number[];
  readonly handedOver: readonly number[];
}

const SETTLE_MILLISECONDS = 60;
const SETTLE_TIMES_MAX = 200;

class Deaths {
  readonly #store: Stillwater;
  readonly #job: Extract<Job, { kind: "lazyfree-threshold" }>;
  readonly #keys = new KeyMaker();

  constructor(store: Stillwater, job: Extract<Job, { kind: "lazyfree-threshold" }>) {
    this.#store = store;
    this.#job = job;
  }

  /** Microseconds of the thread's time per value. */
  async measure(isLazy: boolean): Promise<number> {
    const { values, perTurn } = this.#job;
    this.#set("lazyfree-lazy-user-del", isLazy ? "yes" : "no");
    const level = this.#usedMemory();
    this.#fill();
    const freedBefore = this.#number("lazyfreed_objects");
    const keys = Array.from({ length: values }, (_, i) => this.#keys.key(i));
    await delay(SETTLE_MILLISECONDS);
    const start = mainThreadNanoseconds();
    for (let i = 0; i < values; i += 1) {
      this.#store.del(keys[i] as string);
      if (i % perTurn === perTurn - 1) await nextTurn();
    }
    // The same pause for both, so that what waking up costs is the same; several where much is still to come back.
    for (let times = 0; ; times += 1) {
      await delay(SETTLE_MILLISECONDS);
      if (this.#usedMemory() <= level) break;
      if (times === SETTLE_TIMES_MAX) throw new Error(`of ${this.#job.fields} fields: the memory is not back`);
    }
    const time = (mainThreadNanoseconds() - start) / 1_000 / values;
    const freed = this.#number("lazyfreed_objects") - freedBefore;
    if (freed !== (isLazy ? values : 0)) throw new Error(`${freed} of ${values} values were freed by the worker`);
    return time;
  }

  #fill(): void {
    const { values, fields } = this.#job;
    const [names, texts] = [new KeyMaker("fld:"), new KeyMaker("val:")];
    const words = Array.from({ length: fields }, (_, i) => [names.key(i), texts.key(i)]).flat();
    for (let i = 0; i < values; i += 1) this.#store.call("HSET", this.#keys.key(i), ...words);
    if (this.#store.call("DBSIZE") !== values) throw new Error("not all values are there");
  }

  #set(directive: string, value: string): void {
    this.#store.call("CONFIG", "SET", directive, value);
  }

  #usedMemory(): number {
    return this.#number("used_memory");
  }

  #number(field: string): number {
    return Number(new RegExp(`^${field}:(\\d+)`, "m").exec(String(this.#store.call("INFO", "memory")))?.[1]);
  }
}

export async function measureLazyFreeThreshold(
  job: Extract<Job, { kind: "lazyfree-threshold" }>,
): Promise<LazyFreeThresholdFigures> {
  const { open } = await import("../embedded/index.ts");
  const config = {
    "hash-max-listpack-entries": "0", // a block for each field, however few there are
    "lazyfree-threshold-blocks": "1",
    "lazyfree-threshold-bytes": "1",
  };
  const store = await open({ maxMemory: "2gb", config });
  const deaths = new Deaths(store, job);
  await deaths.measure(false); // compiles what runs, and takes the memory from the system
  await deaths.measure(true);
  const [inline, handedOver]: [number[], number[]] = [[], []];
  for (let round = 0; round < job.rounds; round += 1) {
    inline.push(await deaths.measure(false));
    handedOver.push(await deaths.measure(true));
  }
  await store.close();
  return { inline, handedOver };
}
