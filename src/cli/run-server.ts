/** Runs a server in the foreground until a signal, or SHUTDOWN, ends it. */
import { appendFileSync, unlinkSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { STILLWATER_VERSION } from "../commands/version.ts";
import type { Configuration } from "../config/configuration.ts";
import { Store } from "../engine/store.ts";
import type { Address } from "../server/listeners.ts";
import { Server } from "../server/server.ts";

/** Where a server listens that was not told: this machine only. */
const DEFAULT_ADDRESSES = ["127.0.0.1", "-::1"];

/** @returns once it is listening. @throws Error with a text for people when it cannot */
export async function runServer(configuration: Configuration): Promise<void> {
  const log = logTo(configuration);
  const store = new Store(configuration);
  const server = new Server(store);
  const addresses = await listenAll(server, configuration);
  const pidFile = writePidFile(configuration);
  let isEnding = false;
  const end = (reason: string): void => {
    if (isEnding) return;
    isEnding = true;
    log(`${reason}: shutting down`);
    void server.close().then(() => {
      store.close();
      if (pidFile !== undefined) unlinkSync(pidFile);
      log("Bye");
      process.exit(0);
    });
  };
  store.onShutdown = () => setImmediate(end, "SHUTDOWN");
  process.on("SIGTERM", () => end("Received SIGTERM"));
  process.on("SIGINT", () => end("Received SIGINT"));
  greet(log, store, addresses);
}

function logTo(configuration: Configuration): (line: string) => void {
  const file = configuration.get("logfile");
  if (configuration.get("loglevel") === "nothing") return () => undefined;
  if (file === "") return (line) => void process.stdout.write(`${line}\n`);
  const path = resolve(configuration.get("dir"), file);
  return (line) => appendFileSync(path, `${new Date().toISOString()} ${line}\n`);
}

async function listenAll(server: Server, configuration: Configuration): Promise<readonly Address[]> {
  const port = Number(configuration.get("port"));
  const hosts = configuration.wasGiven("bind") ? configuration.get("bind") : DEFAULT_ADDRESSES;
  for (const given of port === 0 ? [] : hosts) {
    const isOptional = given.startsWith("-");
    const host = isOptional ? given.slice(1) : given;
    try {
      await server.listen({ host: WILDCARDS[host] ?? host, port });
    } catch (error) {
      if (!isOptional) throw new Error(describeListenError(error, `${host}:${port}`));
    }
  }
  const path = configuration.get("unixsocket");
  if (path !== "") await listenOnPath(server, resolve(configuration.get("dir"), path), configuration);
  if (server.addresses.length === 0) throw new Error("Nothing to listen on: port is 0 and no unixsocket is set");
  server.store.port = port;
  return server.addresses;
}

async function listenOnPath(server: Server, path: string, configuration: Configuration): Promise<void> {
  try {
    await server.listen({ path, mode: Number(configuration.get("unixsocketperm")) });
  } catch (error) {
    throw new Error(describeListenError(error, path));
  }
}

/** What redis.conf writes for "every address". */
const WILDCARDS: Readonly<Record<string, string>> = { "*": "0.0.0.0", "::*": "::" };

function describeListenError(error: unknown, address: string): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EADDRINUSE") return `Could not listen on ${address}: the address is in use. Choose another --port.`;
  if (code === "EACCES") return `Could not listen on ${address}: permission denied.`;
  return `Could not listen on ${address}: ${error instanceof Error ? error.message : String(error)}`;
}

function writePidFile(configuration: Configuration): string | undefined {
  const file = configuration.get("pidfile");
  if (file === "") return undefined;
  const path = resolve(configuration.get("dir"), file);
  writeFileSync(path, `${process.pid}\n`);
  return path;
}

function greet(log: (line: string) => void, store: Store, addresses: readonly Address[]): void {
  const { configuration } = store;
  const limit = Number(configuration.get("maxmemory"));
  const { shards, regionSize } = store.keyspace.options;
  const room = `${((shards * regionSize) / 2 ** 30).toFixed(1)} GiB`;
  log(`Stillwater ${STILLWATER_VERSION}, Node.js ${process.version}, process ${process.pid}`);
  log(`  listening  ${addresses.map(show).join(", ")}`);
  log(`  directory  ${configuration.get("dir")}`);
  log(`  memory     ${limit === 0 ? "no limit" : `limit ${(limit / 2 ** 20).toFixed(0)} MiB`}, room for ${room} in ${shards} region(s)`);
  log("  durability none yet: data is lost when the process ends");
  for (const notice of configuration.notices()) log(`  note       ${notice}`);
  log(`Ready. Connect with: ${connectCommand(addresses[0]!)}`);
}

function show(address: Address): string {
  if ("path" in address) return address.path;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function connectCommand(address: Address): string {
  if ("path" in address) return `redis-cli -s ${address.path}`;
  const host = address.host === "127.0.0.1" || address.host === "0.0.0.0" ? "" : ` -h ${address.host}`;
  return `redis-cli${host}${address.port === 6379 ? "" : ` -p ${address.port}`}`;
}
