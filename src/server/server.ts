/**
 * Server: a store's connections: accepts them, refuses those that may not be, and holds what they share.
 *
 * Several may serve one store (`db.listen` beside the embedded use); a stream that is no socket is served as well.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { KeepAlive } from "../base/keep-alive.ts";
import { ClientContext, type ClientOrigin } from "../engine/client-context.ts";
import type { ClientRegistry } from "../engine/client-registry.ts";
import type { Engine } from "../engine/engine.ts";
import type { Store } from "../engine/store.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { LOOK_AHEAD_MAX, LookAhead } from "../keyspace/look-ahead.ts";
import type { Statistics } from "../monitoring/statistics.ts";
import { RequestBatch } from "../protocol/request-batch.ts";
import type { RequestLimits } from "../protocol/request-parser.ts";
import { SpareBuffers } from "../protocol/spare-buffers.ts";
import { ClientEviction } from "./client-eviction.ts";
import { Connection } from "./connection.ts";
import { Farewells } from "./farewells.ts";
import { type Address, describeAddress, isLoopback, Listeners } from "./listeners.ts";
import { Outbox } from "./outbox.ts";
import { OutputLimiter } from "./output-limiter.ts";
import { descriptorOf, SocketReader } from "./socket-reader.ts";

const MAX_CLIENTS_REACHED = "-ERR max number of clients reached\r\n";
const PROTECTED =
  "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the " +
  "default user: only connections from the loopback interface are served. Set a password (requirepass), or disable " +
  "protected mode (--protected-mode no) if nobody else can reach this port.\r\n";

/** How long a client that is refused may take to read why. */
const REFUSAL_MS = 1000;

export class Server {
  readonly store: Store;
  readonly engine: Engine;
  readonly keyspace: Keyspace;
  readonly statistics: Statistics;
  readonly clients: ClientRegistry;
  readonly limits: RequestLimits;
  /** All connections leave their replies here. */
  readonly outbox: Outbox;
  /** Requests that a connection has parsed ahead. */
  readonly batch = new RequestBatch(LOOK_AHEAD_MAX);
  readonly spares = new SpareBuffers();
  readonly lookAhead: LookAhead;
  /** The connection whose request is being executed. */
  executing: Connection | undefined;
  readonly farewells = new Farewells();
  /** Clients in this process whose replies are being worked for; nothing else keeps it alive, as a socket would. */
  readonly awaiting = new KeepAlive();
  readonly clientEviction: ClientEviction;
  readonly outputLimiter: OutputLimiter;
  readonly #connections = new Set<Connection>();
  readonly #listeners: Listeners;
  readonly #reader: SocketReader;
  readonly #idleTimer: NodeJS.Timeout;
  readonly #stopListening: (() => void)[] = [];

  /** @param readsIntoOneBuffer see SocketReader; false in tests of the ordinary way */
  constructor(store: Store, readsIntoOneBuffer = true) {
    const { configuration } = store;
    this.store = store;
    this.outbox = new Outbox(store);
    this.engine = store.engine;
    this.keyspace = store.keyspace;
    this.lookAhead = new LookAhead(store.keyspace);
    this.statistics = store.services.statistics;
    this.clients = store.clients;
    this.clientEviction = new ClientEviction(store.clients, configuration);
    this.#stopListening.push(...this.clientEviction.follow());
    this.outputLimiter = new OutputLimiter(configuration);
    this.#stopListening.push(this.outputLimiter.follow());
    this.limits = {
      bulkMax: configuration.get("proto-max-bulk-len"),
      queryBufferMax: configuration.get("client-query-buffer-limit"),
    };
    this.#stopListening.push(
      configuration.onChange("proto-max-bulk-len", (bytes) => {
        this.limits.bulkMax = bytes;
        return undefined;
      }),
      configuration.onChange("client-query-buffer-limit", (bytes) => {
        this.limits.queryBufferMax = bytes;
        return undefined;
      }),
    );
    this.#reader = new SocketReader(readsIntoOneBuffer);
    this.#listeners = new Listeners(configuration, (socket, address) => this.#accept(socket, address));
    const sendReplies = (): void => this.outbox.flush();
    store.housekeeper.beforeSlices.add(sendReplies);
    this.#stopListening.push(() => store.housekeeper.beforeSlices.delete(sendReplies));
    this.#idleTimer = setInterval(() => this.#lookAfterClients(), 1000).unref();
  }

  /** Listens on a TCP address or a path. @throws the system's error if that is not possible */
  async listen(address: Address): Promise<Address> {
    return await this.#listeners.listen(address);
  }

  /** See Listeners: connections wait until the function that is handed back is called. */
  holdBack(): () => void {
    return this.#listeners.holdBack();
  }

  get addresses(): readonly Address[] {
    return this.#listeners.addresses;
  }

  /** From now on, neither listening nor a client's socket keeps the process alive. */
  unref(): void {
    this.#listeners.unref();
  }

  /** Serves a client at the other end of `stream`, in this process. */
  serve(stream: Duplex, origin: ClientOrigin): Connection {
    const connection = this.#open(stream, origin);
    const receive = (chunk: Buffer): void => {
      if (!connection.receive(chunk, chunk.length)) stream.pause();
    };
    // Not at once: whoever writes at the other end may do so while a reply is being sent to it.
    stream.on("data", (chunk: Buffer) => process.nextTick(receive, chunk));
    return connection;
  }

  /** Stops listening and disconnects everybody. */
  async close(): Promise<void> {
    clearInterval(this.#idleTimer);
    for (const stop of this.#stopListening.splice(0)) stop();
    const closed = this.#listeners.close();
    this.outbox.close();
    for (const connection of [...this.#connections]) connection.kill();
    this.farewells.close();
    await closed;
  }

  /** Called by a connection that has ended. */
  forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.awaiting.set(connection, false);
    this.clients.remove(connection);
    this.outputLimiter.forget(connection);
    this.engine.monitors.delete(connection);
    const { subscriber } = connection.session;
    if (subscriber !== undefined) this.store.services.pubSub.leave(subscriber);
  }

  /** MONITOR, or RESET after it. */
  listenOrNot(connection: Connection, isOpen: boolean): void {
    if (connection.session.isMonitor && isOpen) this.engine.monitors.add(connection);
    else this.engine.monitors.delete(connection);
  }

  /** client-output-buffer-limit: a hard limit, and a softer one that may be exceeded for a time. */
  exceedsOutputLimit(connection: Connection, bytes: number): boolean {
    return this.outputLimiter.isExceeded(connection, bytes, connection.isWatching, Date.now());
  }

  /** Ends a connection whose replies, sent or not, are over the hard limit, without sending those of this turn. */
  hangUpBeyondLimit(connection: Connection, bytes: number): void {
    const { session } = connection;
    if (!this.outputLimiter.isOverHardLimit(bytes, connection.isWatching)) return;
    session.isHungUp = true;
    session.closeAfterReply = true;
  }

  #accept(socket: Socket, address: Address): void {
    socket.on("error", () => socket.destroy());
    const refusal = this.#refusal("path" in address || isLoopback(socket.remoteAddress));
    if (refusal !== undefined) {
      this.clients.rejectedConnections += 1;
      socket.write(refusal);
      this.farewells.begin(socket, REFUSAL_MS);
      return;
    }
    const adopted = this.#reader.adopt(socket, (adopted) => {
      const origin = { ...describeAddress(adopted, address), fileDescriptor: descriptorOf(adopted), isEmbedded: false };
      const connection = this.#open(adopted, origin);
      return (bytes, length) => connection.receive(bytes, length);
    });
    if (!this.#listeners.isReferenced) adopted.unref();
  }

  #refusal(isLocal: boolean): string | undefined {
    const { configuration } = this.store;
    if (this.clients.size >= configuration.get("maxclients")) return MAX_CLIENTS_REACHED;
    const isOpen = configuration.get("requirepass").length === 0;
    return configuration.get("protected-mode") && isOpen && !isLocal ? PROTECTED : undefined;
  }

  #open(stream: Duplex, origin: ClientOrigin): Connection {
    const { store } = this;
    const isAuthenticated = store.configuration.get("requirepass").length === 0;
    const context = new ClientContext(
      this.clients.nextId(),
      origin,
      store.services,
      this.outbox.reply,
      isAuthenticated,
    );
    const connection = new Connection(this, stream, context);
    this.#connections.add(connection);
    this.clients.add(connection);
    return connection;
  }

  /** Disconnects who has been silent for too long, and who has too much to read for too long. */
  #lookAfterClients(): void {
    const seconds = this.store.configuration.get("timeout");
    const before = seconds === 0 ? 0 : Date.now() - seconds * 1000;
    for (const connection of this.#connections) {
      connection.countBuffers();
      if (connection.session.lastCommandAt < before && !connection.isWaiting) connection.kill();
      else if (connection.outputBufferBytes > 0) connection.checkOutputLimit();
    }
  }
}
