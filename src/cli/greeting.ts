/** What a person wants to know when a server starts. */
import { existsSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { STILLWATER_VERSION } from "../commands/version.ts";
import type { Configuration } from "../config/configuration.ts";
import { AofNames } from "../durability/manifest.ts";
import type { Store } from "../engine/store.ts";
import type { Address } from "../server/listeners.ts";
import type { Log } from "./log.ts";
import { inUnits } from "./units.ts";

/** Files that a server has open beside its clients' sockets. */
const OTHER_FILES = 32;

/**
 * Who is there, where, and under which rules; before loading.
 * @param addresses where the server listens, at least one
 * @param openFilesMax how many files the process may have open
 */
export function greet(log: Log, store: Store, addresses: readonly Address[], openFilesMax: number): void {
  const { configuration } = store;
  log(`Stillwater ${STILLWATER_VERSION}, Node.js ${process.version}, process ${process.pid}`);
  log(`  listening   ${addresses.map(show).join(", ")}`);
  log(`  directory   ${configuration.get("dir")}`);
  log(`  memory      ${describeMemory(configuration.get("maxmemory"))}`);
  log(`  durability  ${describeDurability(configuration)}`);
  if (configuration.file !== undefined) log(`  file        ${configuration.file}`);
  if (!configuration.get("appendonly") && existsSync(manifestPath(configuration))) {
    log(`  note        There is a log, ${manifestPath(configuration)}, which is not read: --appendonly yes reads it`);
  }
  for (const notice of configuration.notices()) log(`  note        ${notice}`);
  if (openFilesMax < configuration.get("maxclients") + OTHER_FILES) {
    const room = Math.max(0, openFilesMax - OTHER_FILES);
    log(`  note        Room for ${room} clients only: the system allows ${openFilesMax} open files (ulimit -n)`);
  }
}

function manifestPath(configuration: Configuration): string {
  const names = new AofNames(configuration.get("appendfilename"));
  return join(configuration.get("dir"), configuration.get("appenddirname"), names.manifest);
}

/** That commands are executed from now on. */
export function announceReadiness(log: Log, { configuration }: Store, addresses: readonly Address[]): void {
  log(`Ready. Connect with: ${connectCommand(addresses[0]!, configuration.get("requirepass").length > 0)}`);
}

const FSYNC: Readonly<Record<string, string>> = {
  always: "log, on disk before a write is answered,",
  everysec: "log with fsync every second",
  no: "log with fsync when the system likes",
};

/** What holds when the machine or the process ends without notice. */
export function describeDurability(configuration: Configuration): string {
  const directory = configuration.get("dir");
  const parts: string[] = [];
  if (configuration.get("appendonly")) {
    const policy = FSYNC[configuration.get("appendfsync")]!;
    parts.push(`${policy} in ${join(directory, configuration.get("appenddirname"))}`);
  }
  const rules = configuration.get("save").map(({ seconds, changes }) => `${seconds} s if ${counted(changes)}`);
  if (rules.length > 0) {
    parts.push(`snapshots after ${rules.join(", ")} in ${join(directory, configuration.get("dbfilename"))}`);
  }
  return parts.join("; ") || "none: the data is gone when the process ends (--appendonly yes keeps it)";
}

function counted(changes: number): string {
  return changes === 1 ? "1 change" : `${changes.toLocaleString("en")} changes`;
}

function describeMemory(limit: number): string {
  const machine = `this machine has ${inUnits(totalmem())}`;
  return limit === 0 ? `no limit (--maxmemory sets one; ${machine})` : `at most ${inUnits(limit)} of data (${machine})`;
}

function show(address: Address): string {
  if ("path" in address) return address.path;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function connectCommand(address: Address, needsPassword: boolean): string {
  const password = needsPassword ? " --askpass" : "";
  if ("path" in address) return `redis-cli -s ${address.path}${password}`;
  const isDefault = ["127.0.0.1", "0.0.0.0", "localhost"].includes(address.host);
  const host = isDefault ? "" : ` -h ${address.host === "::" ? "::1" : address.host}`;
  return `redis-cli${host}${address.port === 6379 ? "" : ` -p ${address.port}`}${password}`;
}
