/**
 * Listeners: the addresses a server accepts connections on: TCP over IPv4 and IPv6, and unix sockets.
 *
 *     connected ──▶ #welcome ──────────────────────────▶ accept: served
 *                       └── while it is held back ──▶ #waiting ──┘  in the order in which they came
 *
 * Nothing is read from a socket before it is served, so what its client sends waits in the system's buffers.
 * Owner thread only.
 */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server as NetServer, type Socket } from "node:net";
import type { Configuration } from "../config/configuration.ts";

/** Where to listen. Port 0 takes a free one. */
export type Address =
  | { readonly host: string; readonly port: number }
  | { readonly path: string; readonly mode?: number };

type Accept = (socket: Socket, address: Address) => void;

export class Listeners {
  readonly #configuration: Configuration;
  readonly #accept: Accept;
  readonly #servers = new Map<NetServer, Address>();
  #isReferenced = true;
  /** Sockets that are not served yet; undefined unless they are held back. */
  #waiting: { readonly socket: Socket; readonly address: Address }[] | undefined;

  /** @param accept takes a connected socket that has not begun to read, and the address it was accepted on */
  constructor(configuration: Configuration, accept: Accept) {
    this.#configuration = configuration;
    this.#accept = accept;
  }

  get addresses(): readonly Address[] {
    return [...this.#servers.values()];
  }

  /** Whether listening keeps the process alive. */
  get isReferenced(): boolean {
    return this.#isReferenced;
  }

  /** @returns the address that is really listened on. @throws the system's error */
  async listen(address: Address): Promise<Address> {
    if ("path" in address) {
      checkLength(address.path);
      await removeStaleSocket(address.path);
    }
    const server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true }, (socket) =>
      this.#welcome(socket, address),
    );
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      const backlog = this.#configuration.get("tcp-backlog");
      const options = "path" in address ? { path: address.path } : { ...address, ipv6Only: address.host.includes(":") };
      server.listen({ ...options, backlog }, resolve);
    });
    // A connection that fails while it is accepted (no descriptor left, gone already) concerns nobody else.
    server.on("error", () => undefined);
    const bound = server.address();
    const isTcp = !("path" in address) && bound !== null && typeof bound === "object";
    const actual = isTcp ? { ...address, port: bound.port } : address;
    this.#servers.set(server, actual);
    if (!this.#isReferenced) server.unref();
    if ("path" in address && address.mode !== undefined && address.mode !== 0) chmodSync(address.path, address.mode);
    return actual;
  }

  /**
   * From now on connections are taken, but not served, before the function that is handed back is called. May be called
   * once, and that function many times.
   */
  holdBack(): () => void {
    this.#waiting = [];
    return () => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const { socket, address } of waiting) this.#welcome(socket, address);
    };
  }

  unref(): void {
    this.#isReferenced = false;
    for (const server of this.#servers.keys()) server.unref();
  }

  async close(): Promise<void> {
    const servers = [...this.#servers.keys()];
    this.#servers.clear();
    for (const { socket } of this.#waiting?.splice(0) ?? []) socket.destroy();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #welcome(socket: Socket, address: Address): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push({ socket, address });
      return;
    }
    if (!("path" in address)) {
      // Reset before it was accepted. It has no address left that tells whether it may be served.
      if (socket.remoteAddress === undefined) {
        socket.destroy();
        return;
      }
      const seconds = this.#configuration.get("tcp-keepalive");
      socket.setKeepAlive(seconds > 0, seconds * 1000);
    }
    this.#accept(socket, address);
  }
}

/** Both ends as CLIENT LIST shows them: "host:port", or a unix socket's path with port 0. */
export function describeAddress(socket: Socket, listened: Address): { address: string; localAddress: string } {
  if ("path" in listened) return { address: `${listened.path}:0`, localAddress: `${listened.path}:0` };
  return {
    address: `${bracketed(socket.remoteAddress ?? "?")}:${socket.remotePort ?? 0}`,
    localAddress: `${bracketed(socket.localAddress ?? "?")}:${socket.localPort ?? 0}`,
  };
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** Whether a client at that address is on this machine. */
export function isLoopback(host: string | undefined): boolean {
  return host !== undefined && (host === "::1" || host.startsWith("127.") || host.startsWith("::ffff:127."));
}

/** The system's limit; some versions of Node.js cut longer paths off without a word. */
function checkLength(path: string): void {
  if (Buffer.byteLength(path) <= SOCKET_PATH_MAX) return;
  const reason = `a unix socket's path has at most ${SOCKET_PATH_MAX} bytes`;
  throw Object.assign(new Error(reason), { code: "ENAMETOOLONG" });
}

const SOCKET_PATH_MAX = process.platform === "linux" ? 107 : 103;

/** A socket file that a dead process left behind must not keep its successor from listening. Other files stay. */
async function removeStaleSocket(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const isServed = await new Promise<boolean>((resolve) => {
    const socket = connect({ path });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
  if (!isServed) unlinkSync(path);
}
