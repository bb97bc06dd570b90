/** What a server has to do below the surface while the probe asks it: how that is set up, brought about and checked. */
import { setTimeout as delay } from "node:timers/promises";
import { type Subject, secondsUntil } from "./latency-subject.ts";
import type { Numbered } from "./numbered-commands.ts";

/** How much of everything; the smoke form is small. */
export interface Amount {
  readonly hashFields: number;
  readonly members: number;
  readonly keys: number;
  /** Bytes of all values that are overwritten. */
  readonly overwrittenBytes: number;
  readonly evictionBytes: number;
  /** How long loads by redis-benchmark last. */
  readonly seconds: number;
}

export const FULL: Amount = {
  hashFields: 5_000_000,
  members: 2_000_000,
  keys: 5_000_000,
  overwrittenBytes: 128 * 2 ** 20,
  evictionBytes: 512 * 2 ** 20,
  seconds: 10,
};

export const SMOKE: Amount = {
  hashFields: 50_000,
  members: 20_000,
  keys: 50_000,
  overwrittenBytes: 8 * 2 ** 20,
  evictionBytes: 16 * 2 ** 20,
  seconds: 0.3,
};

/** What came of the work; null is what does not apply. */
export interface Outcome {
  /** Seconds until the memory was back, or the expired keys were gone. */
  readonly done: number | null;
  /** Milliseconds until whoever gave the command had its answer. */
  readonly command: number | null;
  readonly perSecond: number | null;
}

/** What the probe's answers on our side may be at the most, in milliseconds; and `done`, in seconds. */
export interface Target {
  readonly p999?: number;
  readonly max?: number;
  readonly done?: number;
  /** p99.9 and max at most those of redis-server. */
  readonly asRedis?: boolean;
}

export interface LatencyCase {
  readonly name: string;
  readonly target: Target;
  /** Between the probe's questions: longer beside redis-benchmark, which needs the processor as well. */
  readonly pauseMilliseconds: number;
  /** Makes everything ready. What is returned does the work; both throw if something is not as it must be. */
  prepare(subject: Subject, amount: Amount): Promise<Work>;
}

/** Does the work; beside the part of it that is inside `window`, the last if there are several, the answers count. */
export type Work = (window: Window) => Promise<Outcome>;
export type Window = (work: () => Promise<void>) => Promise<void>;

const VALUE = "v".repeat(64);
const PROBE_KEYS = 1;
const BACK_SECONDS = 60;
const GONE_SECONDS = 120;
/** Milliseconds. */
const PAUSE = 0.1;
const PAUSE_BESIDE_LOAD = 0.5;
/** redis-benchmark begins so long before the window, and has work for so many times its length. */
const LEAD_SECONDS = 0.5;
const LONGER = 1.6;
const ATTEMPTS_MAX = 4;

const HASH: Numbered = {
  head: ["HSET", "large"],
  element: ({ upper, lower }) => [`field:${upper}${lower}`, `value:${upper}${lower}`],
  perCommand: 100,
};
/** Scores go through all their range a thousand times, so that members do not lie in the order of their scores. */
const SORTED_SET: Numbered = {
  head: ["ZADD", "large"],
  element: ({ upper, lower }) => [`${lower}${upper}`, `member:${upper}${lower}`],
  perCommand: 100,
};
const KEYS: Numbered = {
  head: ["MSET"],
  element: ({ upper, lower }) => [`key:${upper}${lower}`, VALUE],
  perCommand: 100,
};
const FILLING: Numbered = {
  head: ["SET"],
  element: ({ upper, lower }) => [`old:${upper}${lower}`, VALUE],
  perCommand: 1,
};

/** A value, or everything, that dies by one command. */
function death(
  name: string,
  content: Numbered,
  elements: (amount: Amount) => number,
  command: readonly string[],
): LatencyCase {
  const keysAfter = { DEL: PROBE_KEYS, UNLINK: PROBE_KEYS, SET: PROBE_KEYS + 1, FLUSHALL: 0 }[command[0] as string];
  return {
    name,
    target: { max: 5 },
    pauseMilliseconds: PAUSE,
    async prepare(subject, amount) {
      const used = (): Promise<number> => subject.info("memory", "used_memory");
      const before = await used();
      await subject.load(content, elements(amount));
      const loaded = await used();
      if (loaded <= before) throw new Error("the load took no memory");
      const level = before + (loaded - before) / 20;
      return async (window) => {
        let [answered, done] = [0, 0];
        await window(async () => {
          const start = performance.now();
          await subject.ask(...command);
          answered = performance.now() - start;
          await secondsUntil("the memory is back", BACK_SECONDS, async () => (await used()) <= level);
          done = (performance.now() - start) / 1_000;
        });
        if (Number(await subject.ask("DBSIZE")) !== keysAfter) throw new Error("the value is still there");
        return { done, command: answered, perSecond: null };
      };
    },
  };
}

/** All keys have their deadline in the same second, and nobody touches them. */
const EXPIRY: LatencyCase = {
  name: "keys expire in one second",
  target: { p999: 3, max: 15, done: 10 },
  pauseMilliseconds: PAUSE,
  async prepare(subject, { keys }) {
    const loading = await loadingSeconds(subject, keys);
    const deadline = (Math.ceil(Date.now() / 1_000) + Math.ceil(loading * 2) + 3) * 1_000;
    await subject.load(volatileKeys(deadline), keys);
    const count = Number(await subject.ask("DBSIZE"));
    if (count !== keys + PROBE_KEYS || Date.now() >= deadline) throw new Error("loading took too long: keys expired");
    await delay(deadline - Date.now() - 50);
    return async (window) => {
      let done = 0;
      await window(async () => {
        await delay(deadline + 1_000 - Date.now());
        const size = async (): Promise<number> => Number(await subject.ask("DBSIZE"));
        done = await secondsUntil("keys are gone", GONE_SECONDS, async () => (await size()) === PROBE_KEYS);
      });
      const expired = await subject.info("stats", "expired_keys");
      if (expired !== keys) throw new Error(`expired_keys is ${expired} instead of ${keys}`);
      return { done, command: null, perSecond: null };
    };
  },
};

function volatileKeys(deadline: number): Numbered {
  const second = String(deadline / 1_000);
  return {
    head: ["SET"],
    element: ({ upper, lower }) => [`key:${upper}${lower}`, VALUE, "PXAT", `${second}${lower}`],
    perCommand: 1,
  };
}

/** How long this server takes for so many keys with a deadline, judged by a part of them. */
async function loadingSeconds(subject: Subject, keys: number): Promise<number> {
  const part = keys / 10;
  const start = performance.now();
  await subject.load(volatileKeys((Math.ceil(Date.now() / 1_000) + 3_600) * 1_000), part);
  const seconds = (performance.now() - start) / 1_000;
  for (let i = 0; i < part; i += 1_000) {
    await subject.ask("UNLINK", ...Array.from({ length: 1_000 }, (_, n) => `key:${String(i + n).padStart(12, "0")}`));
  }
  return seconds * 10;
}

/** redis-benchmark's SET over existing keys. */
function overwriting(name: string, valueBytes: number): LatencyCase {
  return {
    name,
    target: { asRedis: true },
    pauseMilliseconds: PAUSE_BESIDE_LOAD,
    async prepare(subject, { overwrittenBytes, seconds }) {
      const keys = Math.floor(overwrittenBytes / valueBytes / 1_000) * 1_000 || 1_000;
      const value = "x".repeat(valueBytes);
      const element: Numbered["element"] = ({ upper, lower }) => [`key:${upper}${lower}`, value];
      await subject.load({ head: ["SET"], element, perCommand: 1 }, keys);
      const run = await fullSpeed(subject, { depth: 1, valueBytes, keys }, seconds);
      return async (window) => {
        const { perSecond } = await run(window);
        if (Number(await subject.ask("DBSIZE")) !== keys + PROBE_KEYS) throw new Error("other keys were written to");
        if (Number(await subject.ask("STRLEN", "key:000000000000")) !== valueBytes) throw new Error("a value is wrong");
        return { done: null, command: null, perSecond };
      };
    },
  };
}

/** redis-benchmark's SET of new keys into a store that is full. */
function eviction(name: string, depth: number): LatencyCase {
  const valueBytes = 64;
  return {
    name,
    target: { asRedis: true },
    pauseMilliseconds: PAUSE_BESIDE_LOAD,
    async prepare(subject, { evictionBytes, seconds }) {
      await subject.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
      await subject.ask("CONFIG", "SET", "maxmemory", String(evictionBytes));
      await subject.load(FILLING, Math.ceil(evictionBytes / valueBytes / 1_000) * 1_000); // more than there is room for
      const evicted = (): Promise<number> => subject.info("stats", "evicted_keys");
      if ((await evicted()) === 0) throw new Error("the store is not full");
      const run = await fullSpeed(subject, { depth, valueBytes, keys: 1_000_000_000 }, seconds);
      const before = await evicted();
      return async (window) => {
        const { requests, perSecond } = await run(window);
        if ((await evicted()) - before < requests / 2) throw new Error("hardly a key was evicted");
        const used = await subject.info("memory", "used_memory");
        if (used > evictionBytes * 1.05) throw new Error(`${used} bytes are used of ${evictionBytes}`);
        return { done: null, command: null, perSecond };
      };
    },
  };
}

interface Ran {
  readonly requests: number;
  readonly perSecond: number;
}

/** Warms up redis-benchmark's SET. What is returned runs it, around all of a window. */
async function fullSpeed(
  { tools, server }: Subject,
  load: { readonly depth: number; readonly valueBytes: number; readonly keys: number },
  seconds: number,
): Promise<(window: Window) => Promise<Ran>> {
  const run = async (wanted: number): Promise<Ran> => {
    const requests = Math.ceil(wanted);
    return { requests, perSecond: (await tools.load(server.port, { test: "set", requests, ...load })).perSecond };
  };
  const first = await run(5_000);
  let { perSecond } = await run(first.perSecond * seconds);
  return async (window) => {
    for (let attempts = 0; attempts < ATTEMPTS_MAX; attempts += 1) {
      let isRunning = true;
      const running = run(perSecond * (LEAD_SECONDS + seconds * LONGER)).finally(() => {
        isRunning = false;
      });
      await delay(LEAD_SECONDS * 1_000);
      await window(async () => {
        await delay(seconds * 1_000);
      });
      const isCovered = isRunning;
      const ran = await running;
      if (isCovered) return ran;
      perSecond = ran.perSecond; // it has become faster since, and was done too early
    }
    throw new Error("the load ended before the probe's window");
  };
}

export const LATENCY_CASES: readonly LatencyCase[] = [
  death("DEL of a large hash", HASH, ({ hashFields }) => hashFields, ["DEL", "large"]),
  death("UNLINK of a large hash", HASH, ({ hashFields }) => hashFields, ["UNLINK", "large"]),
  death("SET over a large sorted set", SORTED_SET, ({ members }) => members, ["SET", "large", "small"]),
  death("FLUSHALL", KEYS, ({ keys }) => keys, ["FLUSHALL"]),
  death("FLUSHALL ASYNC", KEYS, ({ keys }) => keys, ["FLUSHALL", "ASYNC"]),
  EXPIRY,
  overwriting("SET over 10 KB values", 10_240),
  overwriting("SET over 64 KB values", 65_536),
  eviction("eviction", 1),
  eviction("eviction, pipeline of 16", 16),
];
