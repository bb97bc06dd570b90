/**
 * Stillwater: a store embedded in a program, and the handle to one of its databases.
 *
 * The typed methods come by inheritance, one class a family: Caller, StringMethods, BitmapMethods, HyperLogLogMethods,
 * HashMethods, ListMethods, SetMethods, SortedSetMethods, SortedSetRangeMethods, GeoMethods, KeyMethods, ServerMethods,
 * PubSubMethods. They only turn arguments into a command and its reply into a value: what a command does is the
 * engine's, which serves connections the same way.
 */
import type { Duplex } from "node:stream";
import { keptAlive } from "../base/keep-alive.ts";
import { CommandError } from "../commands/errors.ts";
import type { Configuration } from "../config/configuration.ts";
import { NOTHING_READ, type OpenReport } from "../engine/recovery.ts";
import { Store } from "../engine/store.ts";
import type { FrozenStore } from "../keyspace/keyspace.ts";
import { digestOfAll } from "../keyspace/live-digest.ts";
import type { Address } from "../server/listeners.ts";
import { Server } from "../server/server.ts";
import { type ConnectorClass, connectorClass } from "./connector.ts";
import { Core, EMBEDDED } from "./core.ts";
import type { StoreEvents } from "./events.ts";
import { MemoryStream } from "./memory-stream.ts";
import { checkOptions, type OpenOptions } from "./options.ts";
import { PubSubMethods } from "./pubsub-methods.ts";
import { type StoreStats, statsOf } from "./stats.ts";

/** Where to serve other processes: a TCP port, 0 for any free one, or the path of a unix socket. */
export type ListenOptions = (
  | { readonly port: number; readonly host?: string | undefined }
  | { readonly path: string }
) & {
  /** Keep the process alive while listening; false by default. */
  readonly keepAlive?: boolean | undefined;
};

/** A store's servers, those for connections within the process and those that listen; and the end of them all. */
class Gate {
  readonly report: OpenReport;
  readonly #core: Core;
  readonly #servers: Server[] = [];
  #inner: Server | undefined;
  #closing: Promise<void> | undefined;

  constructor(core: Core, report: OpenReport) {
    this.#core = core;
    this.report = report;
  }

  /** @throws Error if the store is closed */
  connect(): MemoryStream {
    this.#inner ??= this.#newServer();
    this.#core.checkOpen();
    const { client, server } = MemoryStream.pair();
    const { awaiting } = this.#inner;
    const connection = this.#inner.serve(server, EMBEDDED);
    // Whoever says no more may not have waited for the reply.
    client.once("finish", () => awaiting.set(connection, false));
    return client;
  }

  /** @throws Error if the store is closed, or the system's error */
  async listen(address: Address, keepAlive: boolean): Promise<Address> {
    const server = this.#newServer();
    if (!keepAlive) server.unref();
    return await server.listen(address);
  }

  close(): Promise<void> {
    this.#core.isClosed = true;
    this.#closing ??= (async () => {
      await Promise.all(this.#servers.map((server) => server.close()));
      await this.#core.store.close();
    })();
    return this.#closing;
  }

  #newServer(): Server {
    this.#core.checkOpen();
    const server = new Server(this.#core.store);
    this.#servers.push(server);
    return server;
  }
}

export class Stillwater extends PubSubMethods {
  readonly #core: Core;
  readonly #gate: Gate;

  private constructor(core: Core, gate: Gate, databaseIndex: number) {
    super(core, databaseIndex);
    this.#core = core;
    this.#gate = gate;
  }

  /**
   * Opens a store of its own, with what its directory holds; empty if it has none. Several may be open in one process;
   * none of them keeps it alive, but for as long as somebody waits for one.
   * A directory whose store may have died in another container is waited for, up to 15 s.
   * @throws TypeError that names the option that is wrong; DirectoryLockedError if another store has the directory;
   *   DamagedFileError if a file is not as it was written; or the system's error
   */
  static async open(options: OpenOptions = {}): Promise<Stillwater> {
    const { configuration, now, keyspace, housekeeping, isKept, onProgress } = checkOptions(options);
    const store = new Store(configuration, now, keyspace, housekeeping);
    store.onShutdown = () => {
      throw new CommandError("ERR the store is embedded: the program that opened it ends it");
    };
    const core = new Core(store);
    if (!isKept) refuseFiles(configuration);
    const report = isKept ? await store.open({ onProgress }) : NOTHING_READ;
    return new Stillwater(core, new Gate(core, report), 0);
  }

  /** What `open` has found in the directory: from which files, how much, and what had to be cut off. */
  get openReport(): OpenReport {
    return this.#gate.report;
  }

  /** Another handle on the same store, for another of its databases. */
  database(index: number): Stillwater {
    this.#core.checkOpen();
    return new Stillwater(this.#core, this.#gate, index);
  }

  /**
   * Ends the store: connections are closed, and every further call on any of its handles throws. With a directory, what
   * was written is durable when it resolves, and the directory is free for the next one; without, the data is gone. May
   * be called again.
   * @throws the system's error if not everything could be written: the store is closed all the same
   */
  close(): Promise<void> {
    return this.#gate.close();
  }

  /**
   * Resolves when everything that was written before this call is on disk: the certainty that calls themselves, which
   * are synchronous, do not give, whatever `fsync` is. Keeps the process alive until then.
   * @throws CommandError if it could not be written, or if there is no log; Error once closed
   */
  async durable(): Promise<void> {
    this.#core.checkOpen();
    await keptAlive(this.#core.store.services.persistence.durable());
  }

  /**
   * Writes a snapshot on another thread, of the data as it is now. Keeps the process alive until it is on disk.
   * @throws CommandError if it cannot begin, or has failed
   */
  async bgsave(): Promise<void> {
    this.#core.checkOpen();
    await keptAlive(this.#core.store.files.snapshot());
  }

  /**
   * Writes the log anew on another thread, as short as the data allows. Keeps the process alive until it is on disk.
   * @throws CommandError if it cannot begin, or has failed
   */
  async rewrite(): Promise<void> {
    this.#core.checkOpen();
    await keptAlive(this.#core.store.files.rewrite());
  }

  /**
   * One value for all the data, the same for the same data in whatever store: forty hexadecimal digits, zeros for no
   * keys. What has expired does not count. O(everything), at once: for tests and for comparing.
   */
  digest(): string {
    this.#core.checkOpen();
    return digestOfAll(this.#core.store.keyspace);
  }

  /**
   * What ioredis takes as its `Connector` option: `new Redis({ Connector: db.connector() })` is a client of this store
   * without a socket, as are its duplicates. A store with a password asks it for the password.
   *
   * The type is what the place it stands in wants, because ioredis's own cannot be named without depending on it.
   */
  connector<C = ConnectorClass>(): C {
    this.#core.checkOpen();
    return connectorClass(() => this.#gate.connect()) as C;
  }

  /** A connection to this store as a stream of Redis's protocol, for clients of other kinds. */
  duplex(): Duplex {
    return this.#gate.connect();
  }

  /**
   * Serves the store to other processes too, until it is closed.
   * @returns where: with the port that was free, if port 0 was asked for
   * @throws the system's error, such as EADDRINUSE
   */
  async listen(options: ListenOptions): Promise<Address> {
    const { keepAlive = false, ...where } = options;
    const address = "path" in where ? where : { host: where.host ?? "127.0.0.1", port: where.port };
    return await this.#gate.listen(address, keepAlive);
  }

  /**
   * Begins a view of everything as it is now, at once, whatever the amount; `regions` can be posted to a worker thread
   * and read there while the store goes on. One at a time; to be ended by `release()`.
   */
  freeze(): FrozenStore {
    this.#core.checkOpen();
    return this.#core.store.keyspace.freeze();
  }

  /**
   * Does what is due: removes what has expired, gives memory back, makes room, keeps clock and statistics. For stores
   * opened with `expiry: { mode: "manual" }`, and for programs that do not return to the event loop for seconds.
   * @param budgetMs milliseconds it may take, a little over at most; by default a slice: 0.5, or more by `effort`
   * @returns whether more is due: a store in the mode "background" goes on by itself, another with the next call
   * @throws TypeError for a budget that is no number of milliseconds above 0; Error once closed
   */
  tick(budgetMs?: number): boolean {
    this.#core.checkOpen();
    if (budgetMs !== undefined && !(typeof budgetMs === "number" && budgetMs > 0)) {
      throw new TypeError(`tick: a budget of ${String(budgetMs)}, not of milliseconds above 0`);
    }
    return this.#core.store.tick(budgetMs);
  }

  /**
   * What the store is at, from its counters: costs microseconds, whatever the amount of data.
   * @throws Error once closed
   */
  stats(): StoreStats {
    this.#core.checkOpen();
    return statsOf(this.#core.store);
  }

  /**
   * Calls `listener` for every event of the kind from now on, on whichever handle it happened: they share the store.
   *
   * - `metric`: what the store did on its own, as an object whose `type` tells what: "lazyfree", "expiry", "eviction",
   *   "worker", "snapshot", "rewrite", "sync", "log". The same is published on the channels `stillwater:lazyfree` and
   *   so on of node:diagnostics_channel.
   * - `error`: a PersistenceError says that a snapshot or the log could not be written, a ThreadError that a background
   *   thread has died; it is started again. Unlike with an EventEmitter, an error that nobody listens to is no
   *   exception. INFO shows it in any case, and where writes are not safe any more, they are refused.
   *
   * What a listener throws is an uncaught exception, as if it had been thrown in a timer; the store is not disturbed.
   * @throws TypeError for another name, or if `listener` is no function
   */
  on<Name extends keyof StoreEvents>(name: Name, listener: (event: StoreEvents[Name]) => void): this {
    this.#core.listenersTo(name, listener).add(listener);
    return this;
  }

  /** As `on`, for one event. */
  once<Name extends keyof StoreEvents>(name: Name, listener: (event: StoreEvents[Name]) => void): this {
    this.#core.listenersTo(name, listener).add(listener, true);
    return this;
  }

  /** Ends what one `on` or `once` with this listener began. */
  off<Name extends keyof StoreEvents>(name: Name, listener: (event: StoreEvents[Name]) => void): this {
    this.#core.listenersTo(name, listener).remove(listener);
    return this;
  }
}

const NO_DIRECTORY = "this store keeps nothing on disk: open it with the option dir";

/** A store that was given no directory has none to be told to write to later. */
function refuseFiles(configuration: Configuration): void {
  configuration.onChange("appendonly", (isOn) => (isOn ? NO_DIRECTORY : undefined));
  configuration.onChange("save", (rules) => (rules.length > 0 ? NO_DIRECTORY : undefined));
}
