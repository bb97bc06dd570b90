/** Growth of one contender to millions of keys, then random overwrites and gets. */
import type { Job } from "./child.ts";
import { type Contender, openContender } from "./contenders.ts";
import type { Pace } from "./paced.ts";
import { Population, VALUE_BYTES } from "./population.ts";

export interface GrowthFigures {
  readonly insert: Pace;
  readonly overwrite: Pace;
  readonly get: Pace;
  /** Bytes that the keys added to what the store says it uses; null if it does not say. */
  readonly usedMemory: number | null;
  /** Bytes that the keys added to the resident memory of the process. */
  readonly residentMemory: number;
}

const OPERATIONS_PER_KEY = 0.4;

/** Takes every key and value and keeps nothing: what the loop itself costs. */
function emptyHanded(): Contender {
  const value = "-".repeat(VALUE_BYTES);
  return {
    set: () => undefined,
    get: () => value,
    incr: () => 1,
    bulk: (writes) => writes(),
    usedMemory: () => null,
    close: () => Promise.resolve(),
  };
}

/** A job without a contender measures the loop alone. */
export async function measureGrowth(job: Extract<Job, { kind: "growth" }>): Promise<GrowthFigures> {
  const store = job.contender === null ? emptyHanded() : await openContender(job.contender, job.keys);
  const population = new Population(store, job.keys, job.seed);
  const before = { used: store.usedMemory(), resident: process.memoryUsage.rss() };
  const insert = population.insert();
  const after = { used: store.usedMemory(), resident: process.memoryUsage.rss() };
  const operations = job.keys * OPERATIONS_PER_KEY;
  const overwrite = population.overwrite(operations);
  const get = population.get(operations);
  if (job.contender !== null) population.verify();
  await store.close();
  return {
    insert,
    overwrite,
    get,
    usedMemory: before.used === null || after.used === null ? null : after.used - before.used,
    residentMemory: after.resident - before.resident,
  };
}
