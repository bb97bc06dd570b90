/** Servers that keep their data in files: each in a directory of its own, which is removed afterwards. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Numbered } from "./numbered-commands.ts";
import type { Options } from "./options.ts";
import type { Side } from "./server-pair.ts";
import { redisCommand, type ServerCommand, stillwaterCommand } from "./server-process.ts";

/** What a server does about durability. No log is rewritten and nothing saved unless somebody asks for it. */
export interface Durability {
  readonly log: "none" | "everysec" | "always";
  /** Whether it is set up for snapshots, as by default, and so has a thread for them; none comes due. */
  readonly hasRules?: boolean;
}

/** Never reached. */
const RULE = "86400 1000000000";

/** Small keys, as redis-benchmark's SET names them: 16 B, and values of 64 B. */
export const SMALL_KEYS: Numbered = {
  head: ["MSET"],
  element: ({ upper, lower }) => [`key:${upper}${lower}`, "v".repeat(64)],
  perCommand: 100,
};

/** Makes a directory where the system keeps temporary files: a disk, or there is nothing to measure. */
export async function withDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "stillwater-bench-"));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    return await work(directory);
  } finally {
    await remove();
  }
}

/** The command line of a side's server that keeps its files there. */
export function durableCommand(
  side: Side,
  options: Options,
  directory: string,
  { log, hasRules = false }: Durability,
): ServerCommand {
  const command = side === "redis" || options.selfCheck ? redisCommand(options.redis) : stillwaterCommand();
  const logging = log === "none" ? ["--appendonly", "no"] : ["--appendonly", "yes", "--appendfsync", log];
  const saving = hasRules ? ["--save", RULE] : [];
  return [...command, ...saving, "--dir", directory, ...logging, "--auto-aof-rewrite-percentage", "0"];
}

/** "yes", or what was measured where that is too much or too little. */
export function verdict(isReached: boolean): string {
  return isReached ? "yes" : "not";
}
