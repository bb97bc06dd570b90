/** The command line of `npm run bench`. */
import { parseArgs } from "node:util";

export const BENCHMARKS = [
  "server",
  "embedded",
  "growth",
  "freeze",
  "collections",
  "collection-memory",
  "collection-growth",
  "collection-calls",
  "latency",
  "handover",
  "eviction",
  "fragmentation",
  "lazyfree-threshold",
  "fsync",
  "snapshot",
  "loading",
  "log",
  "log-latency",
] as const;
export type BenchmarkName = (typeof BENCHMARKS)[number];

/** Those that compare our server with redis-server, round by round: there a self-check makes sense. */
const COMPARING: readonly BenchmarkName[] = ["server", "collections"];

export interface Options {
  readonly only: readonly BenchmarkName[];
  /** Everything once, in seconds, to see that it works: the figures mean little. */
  readonly smoke: boolean;
  readonly write: boolean;
  /** redis-server against itself: what the harness measures where the truth is 1. */
  readonly selfCheck: boolean;
  /** Of the cases of `latency`, those with this in their names; null for all. */
  readonly match: string | null;
  /** Rounds of every measurement; each benchmark's own number if null. */
  readonly rounds: number | null;
  readonly redis: string;
  readonly seed: number;
}

export const USAGE = `Usage: npm run bench -- [options]
  --only LIST    of ${BENCHMARKS.join(",")}: these only
  --smoke        each benchmark in a few seconds, to see that it works
  --write        write bench/results also after a smoke run
  --match TEXT   of the cases of latency, those with this in their names; writes nothing
  --rounds N     rounds of every measurement
  --redis PATH   the redis-server to compare with; redis-benchmark and redis-cli are taken from beside it
  --self-check   redis-server against itself, which must give ratios of 1: ${COMPARING.join(", ")}
  --seed N       seed of all pseudo-random data
  --help         this text`;

function wholeNumber(name: string, text: string, least: number): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < least) throw new TypeError(`--${name}: not a number from ${least} up`);
  return number;
}

function benchmarkName(text: string): BenchmarkName {
  const name = BENCHMARKS.find((known) => known === text);
  if (name === undefined) throw new TypeError(`--only: there is no benchmark "${text}"`);
  return name;
}

function selfChecked(chosen: readonly BenchmarkName[]): readonly BenchmarkName[] {
  const names = chosen.filter((name) => COMPARING.includes(name));
  if (names.length === 0) throw new TypeError(`--self-check: only ${COMPARING.join(" and ")} can be checked so`);
  return names;
}

/** Reads the arguments; null asks for the usage text. Throws TypeError on what is unknown or out of range. */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      smoke: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      match: { type: "string" },
      rounds: { type: "string" },
      redis: { type: "string", default: "redis-server" },
      "self-check": { type: "boolean", default: false },
      seed: { type: "string", default: "20240229" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  const selfCheck = values["self-check"];
  const chosen = values.only?.split(",").map(benchmarkName) ?? [...BENCHMARKS];
  return {
    only: selfCheck ? selfChecked(chosen) : chosen,
    smoke: values.smoke,
    write: (values.write || !values.smoke) && !selfCheck && values.match === undefined,
    selfCheck,
    match: values.match ?? null,
    rounds: values.rounds === undefined ? null : wholeNumber("rounds", values.rounds, 1),
    redis: values.redis,
    seed: wholeNumber("seed", values.seed, 0),
  };
}
