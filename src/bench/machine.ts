/** What the figures were measured on: enough to judge them, nothing that names a computer or a person. */
import { execFileSync } from "node:child_process";
import { cpus, release, type as systemName, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly redis: string | null;
  /** The commit measured, with a trailing `+` if the files differ from it. */
  readonly commit: string | null;
}

function output(command: string, args: readonly string[]): string | null {
  try {
    const cwd = fileURLToPath(new URL(".", import.meta.url));
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return null; // not installed, or not a checkout: the figures stand without it
  }
}

function commit(): string | null {
  const hash = output("git", ["rev-parse", "--short=12", "HEAD"]);
  if (hash === null) return null;
  return output("git", ["status", "--porcelain"]) === "" ? hash : `${hash}+`;
}

/** Describes this machine; `redisServer` is the command whose version is recorded. */
export function describeMachine(redisServer: string): Machine {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${systemName()} ${release()} ${process.arch}`,
    node: process.version,
    redis: /v=(\S+)/.exec(output(redisServer, ["--version"]) ?? "")?.[1] ?? null,
    commit: commit(),
  };
}
