/**
 * Server: a store's connections: accepts them, refuses those that may not be, and holds what they share.
 *
 * Several may serve one store (`db.listen` beside the embedded use); a stream that is no socket is served as well.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { OutputBufferLimit } from "../config/special-kinds.ts";
import { ClientContext, type ClientOrigin } from "../engine/client-context.ts";
import type { ClientRegistry } from "../engine/client-registry.ts";
import type { Engine } from "../engine/engine.ts";
import type { Store } from "../engine/store.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Statistics } from "../monitoring/statistics.ts";
import type { RequestLimits } from "../protocol/request-parser.ts";
import { RespReply } from "../protocol/resp-reply.ts";
import { Connection } from "./connection.ts";
import { type Address, describeAddress, Listeners } from "./listeners.ts";
import { OutputLimiter } from "./output-limiter.ts";
import { descriptorOf, SocketReader } from "./socket-reader.ts";

const MAX_CLIENTS_REACHED = "-ERR max number of clients reached\r\n";
const PROTECTED =
  "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the " +
  "default user: only connections from the loopback interface are served. Set a password (requirepass), or disable " +
  "protected mode (--protected-mode no) if nobody else can reach this port.\r\n";

export class Server {
  readonly store: Store;
  readonly engine: Engine;
  readonly keyspace: Keyspace;
  readonly statistics: Statistics;
  readonly clients: ClientRegistry;
  readonly limits: RequestLimits;
  /** All connections write their replies here, one after the other. */
  readonly reply = new RespReply();
  /** The connection whose request is being executed. */
  executing: Connection | undefined;
  readonly #connections = new Set<Connection>();
  readonly #listeners: Listeners;
  readonly #reader: SocketReader;
  readonly #outputLimiter = new OutputLimiter();
  readonly #idleTimer: NodeJS.Timeout;
  readonly #stopListening: (() => void)[] = [];

  /** @param readsIntoOneBuffer see SocketReader; false in tests of the ordinary way */
  constructor(store: Store, readsIntoOneBuffer = true) {
    const { configuration } = store;
    this.store = store;
    this.engine = store.engine;
    this.keyspace = store.keyspace;
    this.statistics = store.services.statistics;
    this.clients = store.clients;
    this.limits = {
      bulkMax: Number(configuration.get("proto-max-bulk-len")),
      queryBufferMax: Number(configuration.get("client-query-buffer-limit")),
    };
    this.#stopListening.push(
      configuration.onChange("proto-max-bulk-len", (bytes) => {
        this.limits.bulkMax = Number(bytes);
        return undefined;
      }),
      configuration.onChange("client-query-buffer-limit", (bytes) => {
        this.limits.queryBufferMax = Number(bytes);
        return undefined;
      }),
    );
    this.#reader = new SocketReader(readsIntoOneBuffer);
    this.#listeners = new Listeners(configuration, (socket, isLocal) => this.#accept(socket, isLocal));
    this.#idleTimer = setInterval(() => this.#closeIdle(), 1000).unref();
  }

  /** Listens on a TCP address or a path. @throws the system's error if that is not possible */
  async listen(address: Address): Promise<Address> {
    return await this.#listeners.listen(address);
  }

  get addresses(): readonly Address[] {
    return this.#listeners.addresses;
  }

  /** Whether listeners keep the process alive. */
  unref(): void {
    this.#listeners.unref();
  }

  /** Serves a client at the other end of `stream`, in this process. */
  serve(stream: Duplex, origin: ClientOrigin): Connection {
    const connection = this.#open(stream, origin);
    stream.on("data", (chunk: Buffer) => {
      if (!connection.receive(chunk, chunk.length)) stream.pause();
    });
    return connection;
  }

  /** Stops listening and disconnects everybody. */
  async close(): Promise<void> {
    clearInterval(this.#idleTimer);
    for (const stop of this.#stopListening.splice(0)) stop();
    const closed = this.#listeners.close();
    for (const connection of [...this.#connections]) connection.kill();
    await closed;
  }

  /** Called by a connection that has ended. */
  forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.clients.remove(connection);
    this.#outputLimiter.forget(connection);
    this.engine.monitors.delete(connection);
  }

  /** client-output-buffer-limit: a hard limit, and a softer one that may be exceeded for a time. */
  exceedsOutputLimit(connection: Connection, bytes: number): boolean {
    const limit: OutputBufferLimit = this.store.configuration.get("client-output-buffer-limit").normal;
    return this.#outputLimiter.isExceeded(connection, bytes, limit, Date.now());
  }

  #accept(socket: Socket, isLocal: boolean): void {
    const refusal = this.#refusal(isLocal);
    if (refusal !== undefined) {
      this.clients.rejectedConnections += 1;
      socket.on("error", () => socket.destroy());
      socket.end(refusal);
      return;
    }
    socket.on("error", () => socket.destroy());
    this.#reader.adopt(socket, (adopted) => {
      const origin = { ...describeAddress(adopted), fileDescriptor: descriptorOf(adopted), isEmbedded: false };
      const connection = this.#open(adopted, origin);
      return (bytes, length) => connection.receive(bytes, length);
    });
  }

  #refusal(isLocal: boolean): string | undefined {
    const { configuration } = this.store;
    if (this.clients.size >= Number(configuration.get("maxclients"))) return MAX_CLIENTS_REACHED;
    const isOpen = configuration.get("requirepass").length === 0;
    return configuration.get("protected-mode") && isOpen && !isLocal ? PROTECTED : undefined;
  }

  #open(stream: Duplex, origin: ClientOrigin): Connection {
    const { store } = this;
    const isAuthenticated = store.configuration.get("requirepass").length === 0;
    const context = new ClientContext(this.clients.nextId(), origin, store.services, this.reply, isAuthenticated);
    const connection = new Connection(this, stream, context);
    this.#connections.add(connection);
    this.clients.add(connection);
    return connection;
  }

  #closeIdle(): void {
    const seconds = Number(this.store.configuration.get("timeout"));
    if (seconds === 0) return;
    const before = Date.now() - seconds * 1000;
    for (const connection of this.#connections) {
      if (connection.session.lastCommandAt < before && !connection.session.isMonitor) connection.kill();
    }
  }
}
