/** Listeners: the addresses a server accepts connections on: TCP over IPv4 and IPv6, and unix sockets. */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import type { Configuration } from "../config/configuration.ts";

/** Where to listen. Port 0 takes a free one. */
export type Address =
  | { readonly host: string; readonly port: number }
  | { readonly path: string; readonly mode?: number };

type Accept = (socket: Socket, isLocal: boolean) => void;

export class Listeners {
  readonly #configuration: Configuration;
  readonly #accept: Accept;
  readonly #servers = new Map<NetServer, Address>();

  constructor(configuration: Configuration, accept: Accept) {
    this.#configuration = configuration;
    this.#accept = accept;
  }

  get addresses(): readonly Address[] {
    return [...this.#servers.values()];
  }

  /** @returns the address that is really listened on. @throws the system's error */
  async listen(address: Address): Promise<Address> {
    const server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true }, (socket) => {
      const seconds = this.#configuration.get("tcp-keepalive");
      if (!("path" in address)) socket.setKeepAlive(Number(seconds) > 0, Number(seconds) * 1000);
      this.#accept(socket, "path" in address || isLoopback(socket.remoteAddress));
    });
    if ("path" in address) removeStaleSocket(address.path);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const backlog = Number(this.#configuration.get("tcp-backlog"));
      const options = "path" in address ? { path: address.path } : { ...address, ipv6Only: address.host.includes(":") };
      server.listen({ ...options, backlog }, resolve);
    });
    if ("path" in address && address.mode !== undefined && address.mode !== 0) chmodSync(address.path, address.mode);
    const bound = server.address();
    const actual = "path" in address || bound === null || typeof bound === "string" ? address : { ...address, port: bound.port };
    this.#servers.set(server, actual);
    return actual;
  }

  unref(): void {
    for (const server of this.#servers.keys()) server.unref();
  }

  async close(): Promise<void> {
    const servers = [...this.#servers.keys()];
    this.#servers.clear();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

/** "host:port" of both ends, as CLIENT LIST shows them; a path with port 0 for unix sockets. */
export function describeAddress(socket: Socket): { address: string; localAddress: string } {
  if (socket.remoteAddress === undefined) return { address: "/unixsocket:0", localAddress: "/unixsocket:0" };
  return {
    address: `${bracketed(socket.remoteAddress)}:${socket.remotePort ?? 0}`,
    localAddress: `${bracketed(socket.localAddress ?? "")}:${socket.localPort ?? 0}`,
  };
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function isLoopback(host: string | undefined): boolean {
  return host === undefined || host === "::1" || host.startsWith("127.") || host.startsWith("::ffff:127.");
}

/** A socket file that a dead process left behind must not keep its successor from listening. Other files stay. */
function removeStaleSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(path);
}
