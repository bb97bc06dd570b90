/**
 * The average time that a database's volatile keys have left, for INFO: estimated from a few of them, because nobody
 * wants to pay at every EXPIRE for a figure that is looked at now and then.
 *
 * Every shard is drawn from by itself, and counts by how many volatile keys it has. Small tables are looked through.
 * Where few keys are volatile, draws may find none: the shard is then left out, and 0 is said if all are.
 */
import type { Database } from "./database.ts";
import type { Shard } from "./shard.ts";

/** Slots looked at together, how often at most, and after how many volatile keys there are enough. */
const WINDOW = 32;
const WINDOWS_MAX = 32;
const ENOUGH = 64;
/** Keys up to which a table is looked through. */
const SMALL = 256;

const slots = new Int32Array(WINDOW);

/** @returns milliseconds. O(shards) @param random uniform in [0, 1) */
export function averageTtl({ keyspace, index }: Database, random: () => number = Math.random): number {
  const now = keyspace.clock.now();
  let sum = 0;
  let keys = 0;
  for (const shard of keyspace.shards) {
    const count = shard.volatileCount(index);
    const mean = count === 0 ? undefined : meanTtl(shard, index, now, random);
    if (mean === undefined) continue;
    sum += mean * count;
    keys += count;
  }
  return keys === 0 ? 0 : sum / keys;
}

/** Of one shard; undefined if no volatile key was found. */
function meanTtl(shard: Shard, index: number, now: number, random: () => number): number | undefined {
  const { entries } = shard;
  const table = shard.dictionaries[index]!;
  let sum = 0;
  let found = 0;
  const add = (entry: number): void => {
    if (!entries.hasDeadline(entry)) return;
    sum += Math.max(0, Number(entries.deadline(entry)) - now);
    found += 1;
  };
  if (table.count <= SMALL) {
    table.forEach(add);
  } else {
    for (let window = 0; window < WINDOWS_MAX && found < ENOUGH; window++) {
      const taken = table.sampleSlots(random, slots);
      for (let slot = 0; slot < taken; slot++) add(table.at(slots[slot]!));
    }
  }
  return found === 0 ? undefined : sum / found;
}
