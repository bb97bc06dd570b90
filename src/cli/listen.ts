/** Listens where the configuration says. */
import { resolve } from "node:path";
import type { Configuration } from "../config/configuration.ts";
import { systemErrorText } from "../config/system-error.ts";
import type { Address } from "../server/listeners.ts";
import type { Server } from "../server/server.ts";
import { StartError } from "./start-error.ts";

/** Where a server listens that was not told: this machine only, unlike Redis. */
const DEFAULT_ADDRESSES = ["127.0.0.1", "-::1"];
/** What redis.conf writes for "every address". */
const WILDCARDS: Readonly<Record<string, string>> = { "*": "0.0.0.0", "::*": "::" };
/** An address that is optional, "-::1", may not exist on this machine, or its whole family may not. */
const ABSENT: ReadonlySet<string | undefined> = new Set([
  "EADDRNOTAVAIL",
  "EAFNOSUPPORT",
  "EPROTONOSUPPORT",
  "ENOTFOUND",
]);

/** Makes the addresses that a server listens on by default those that CONFIG GET shows. */
export function chooseAddresses(configuration: Configuration): void {
  if (!configuration.wasGiven("bind")) configuration.assume("bind", DEFAULT_ADDRESSES);
}

/** @returns the addresses, TCP first. @throws StartError if one of them is not to be had */
export async function listenWhereConfigured(server: Server, configuration: Configuration): Promise<readonly Address[]> {
  const port = configuration.get("port");
  for (const given of port === 0 ? [] : configuration.get("bind")) await listenOnHost(server, given, port);
  const path = configuration.get("unixsocket");
  if (path !== "") await listenOnPath(server, resolve(configuration.get("dir"), path), configuration);
  if (server.addresses.length === 0) {
    throw new StartError("Nothing to listen on: give a --port other than 0 and a --bind address, or a --unixsocket");
  }
  server.store.port = port;
  for (const name of ["port", "bind"] as const) {
    configuration.onChange(name, () => `it is fixed when the server starts; restart it with another --${name}`);
  }
  return server.addresses;
}

async function listenOnHost(server: Server, given: string, port: number): Promise<void> {
  const isOptional = given.startsWith("-");
  const host = isOptional ? given.slice(1) : given;
  try {
    await server.listen({ host: WILDCARDS[host] ?? host, port });
  } catch (error) {
    if (isOptional && ABSENT.has(codeOf(error))) return;
    const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    throw new StartError(`Could not listen on ${address}: ${reasonOf(error, "--port")}`);
  }
}

async function listenOnPath(server: Server, path: string, configuration: Configuration): Promise<void> {
  try {
    await server.listen({ path, mode: configuration.get("unixsocketperm") });
  } catch (error) {
    throw new StartError(`Could not listen on ${path}: ${reasonOf(error, "--unixsocket")}`);
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function reasonOf(error: unknown, directive: "--port" | "--unixsocket"): string {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return directive === "--port"
        ? "another program listens there, perhaps a Redis server. Choose another port: --port 7000"
        : "a server listens there already, or the file is no socket. Choose another path, or remove it.";
    case "EADDRNOTAVAIL":
      return "this machine has no such address. Choose another --bind, or begin it with - if it may be missing.";
    case "ENOTFOUND":
      return "there is no host of that name.";
    case "EACCES":
      return "permission denied.";
    case "ENAMETOOLONG":
      return (error as Error).message;
    default:
      return systemErrorText(error);
  }
}
