/** What a person wants to know when a server starts. */
import { totalmem } from "node:os";
import { STILLWATER_VERSION } from "../commands/version.ts";
import type { Store } from "../engine/store.ts";
import type { Address } from "../server/listeners.ts";
import type { Log } from "./log.ts";

/** Files that a server has open beside its clients' sockets. */
const OTHER_FILES = 32;

/**
 * @param addresses where the server listens, at least one
 * @param openFilesMax how many files the process may have open
 */
export function greet(log: Log, store: Store, addresses: readonly Address[], openFilesMax: number): void {
  const { configuration } = store;
  log(`Stillwater ${STILLWATER_VERSION}, Node.js ${process.version}, process ${process.pid}`);
  log(`  listening   ${addresses.map(show).join(", ")}`);
  log(`  directory   ${configuration.get("dir")}`);
  log(`  memory      ${describeMemory(configuration.get("maxmemory"))}`);
  log("  durability  none yet: the data is gone when the process ends");
  if (configuration.file !== undefined) log(`  file        ${configuration.file}`);
  for (const notice of configuration.notices()) log(`  note        ${notice}`);
  if (openFilesMax < configuration.get("maxclients") + OTHER_FILES) {
    const room = Math.max(0, openFilesMax - OTHER_FILES);
    log(`  note        Room for ${room} clients only: the system allows ${openFilesMax} open files (ulimit -n)`);
  }
  log(`Ready. Connect with: ${connectCommand(addresses[0]!, configuration.get("requirepass").length > 0)}`);
}

function describeMemory(limit: number): string {
  const machine = `this machine has ${inUnits(totalmem())}`;
  return limit === 0 ? `no limit (--maxmemory sets one; ${machine})` : `at most ${inUnits(limit)} of data (${machine})`;
}

function inUnits(bytes: number): string {
  const gibibytes = bytes / 2 ** 30;
  return gibibytes >= 1 ? `${Number(gibibytes.toFixed(1))} GiB` : `${Number((bytes / 2 ** 20).toFixed(1))} MiB`;
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
