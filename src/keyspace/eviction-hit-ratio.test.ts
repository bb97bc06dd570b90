/**
 * How good a cache eviction makes: hits on a Zipf trace, beside a true LRU that has room for as many keys. The short
 * form of the `eviction` benchmark, which compares with redis-server.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stringCommands } from "../commands/strings.ts";
import type { EvictionPolicy } from "../config/eviction-policies.ts";
import { CommandRunner } from "../testing/commands.ts";
import { Random, seedOfRun } from "../testing/random.ts";

const KEYS = 20_000;
const RESIDENT = 2000;
const WARM_UP = 40_000;
const REQUESTS = 120_000;
const EXPONENT = 0.9;
const VALUE = "x".repeat(60);

const seed = seedOfRun();

/** The keys that are asked for, one after another. */
function zipfTrace(): Int32Array {
  const random = new Random(seed);
  const sums = new Float64Array(KEYS);
  let sum = 0;
  for (let key = 0; key < KEYS; key++) {
    sum += (key + 1) ** -EXPONENT;
    sums[key] = sum;
  }
  return Int32Array.from({ length: REQUESTS }, () => {
    const drawn = (random.below(2 ** 32) / 2 ** 32) * sum;
    let [low, high] = [0, KEYS - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! < drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  });
}

const trace = zipfTrace();

/** Hits of a true LRU after the warm-up, as percentage. */
function trueLru(room: number): number {
  const keys = new Map<number, true>();
  let hits = 0;
  for (const [index, key] of trace.entries()) {
    if (keys.delete(key) && index >= WARM_UP) hits += 1;
    keys.set(key, true);
    if (keys.size > room) keys.delete(keys.keys().next().value!);
  }
  return (hits / (REQUESTS - WARM_UP)) * 100;
}

/** Hits of a store as a cache: GET, and SET on a miss. @param perSecond requests in a second of its clock */
function storeHits(policy: EvictionPolicy, perSecond: number): { hits: number; resident: number } {
  let now = 1_700_000_000_000;
  const directives = { "maxmemory-policy": policy, "maxmemory-eviction-tenacity": "100", "lfu-log-factor": "1" };
  const runner = new CommandRunner(stringCommands, { directives, now: () => Math.floor(now) });
  for (let key = 0; key < RESIDENT; key++) runner.run("SET", `key:${KEYS + key}`, VALUE);
  runner.engine.memory.bytes = runner.keyspace.chargedBytes;
  let hits = 0;
  let resident = 0;
  let nextTick = now;
  for (const [index, key] of trace.entries()) {
    now += 1000 / perSecond;
    if (now >= nextTick) {
      nextTick = now + 100;
      runner.keyspace.tick();
    }
    if (runner.run("GET", `key:${key}`) === "$-1\r\n") runner.run("SET", `key:${key}`, VALUE);
    else if (index >= WARM_UP) hits += 1;
    if (index >= WARM_UP) resident += runner.keyspace.databases[0]!.count;
  }
  runner.verify();
  return { hits: (hits / (REQUESTS - WARM_UP)) * 100, resident: Math.round(resident / (REQUESTS - WARM_UP)) };
}

test("LRU is close to a true one, whether keys stay for minutes or for a part of a second", (context) => {
  context.diagnostic(`seed ${seed}`);
  for (const perSecond of [100, 10_000, 100_000]) {
    const { hits, resident } = storeHits("allkeys-lru", perSecond);
    const best = trueLru(resident);
    context.diagnostic(
      `${perSecond} a second: ${hits.toFixed(2)} %, true LRU of ${resident} keys ${best.toFixed(2)} %`,
    );
    assert.ok(hits > best - 0.75, `${hits} % at ${perSecond} a second, ${best} % of a true LRU`);
  }
});

test("LFU is better than a true LRU where popularity does not change", (context) => {
  const { hits, resident } = storeHits("allkeys-lfu", 1000);
  const best = trueLru(resident);
  context.diagnostic(`${hits.toFixed(2)} %, true LRU of ${resident} keys ${best.toFixed(2)} %`);
  assert.ok(hits > best + 2, `${hits} %, ${best} % of a true LRU`);
});
