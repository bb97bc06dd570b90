/**
 * Store: one store put together: its configuration, keyspace, commands, statistics and clients. Embedded use and the
 * server both stand on it, and several live in one process without knowing of each other.
 *
 * It never keeps the process alive: what it does on its own is done by housekeeper.ts and by background threads.
 */
import { randomBytes } from "node:crypto";
import type { ThreadFailure } from "../background/background-thread.ts";
import { BackgroundThreads } from "../background/background-threads.ts";
import { followLazyFree, LazyFree } from "../background/lazy-free.ts";
import { keptAlive } from "../base/keep-alive.ts";
import { makeDirectory } from "../base/make-directory.ts";
import { allCommands } from "../commands/all-commands.ts";
import { CommandTable } from "../commands/command-table.ts";
import type { Lifecycle, Services } from "../commands/context.ts";
import { CommandError } from "../commands/errors.ts";
import { NO_FILES, NoPersistence } from "../commands/no-persistence.ts";
import { PubSub } from "../commands/pubsub-registry.ts";
import type { Configuration } from "../config/configuration.ts";
import type { AppendLog } from "../durability/append-log.ts";
import { EffectLog } from "../durability/effect-log.ts";
import { type CollectionLimits, LIMIT_DIRECTIVES } from "../keyspace/collection-limits.ts";
import { Keyspace, type KeyspaceOptions } from "../keyspace/keyspace.ts";
import { LatencyMonitor } from "../monitoring/latency-monitor.ts";
import { Metrics } from "../monitoring/metrics.ts";
import { SlowLog } from "../monitoring/slow-log.ts";
import { Statistics } from "../monitoring/statistics.ts";
import { StoreChores } from "./chores.ts";
import { ClientRegistry } from "./client-registry.ts";
import { Engine } from "./engine.ts";
import { Housekeeper, type HousekeepingOptions } from "./housekeeper.ts";
import { KeyEventPublisher } from "./key-event-publisher.ts";
import { type OpeningOptions, StorePersistence } from "./persistence.ts";
import { PersistenceMonitor } from "./persistence-monitor.ts";
import { noPersistence, type PersistenceStats } from "./persistence-stats.ts";
import type { OpenReport } from "./recovery.ts";
import { sizingFor } from "./sizing.ts";

/** Milliseconds that background threads have to finish what they are at when the store ends. */
const JOIN_MS = 1000;

const NOT_OURS_TO_END = "ERR SHUTDOWN is for servers; this store ends with the program that opened it";

/** Asked for by SHUTDOWN; whoever made the store decides what ending means. */
export type ShutdownRequest = Parameters<Lifecycle["shutdown"]>[0];

export class Store implements Lifecycle {
  readonly configuration: Configuration;
  readonly keyspace: Keyspace;
  readonly engine: Engine;
  readonly services: Services;
  readonly clients = new ClientRegistry();
  readonly threads = new BackgroundThreads();
  /** What commands have done, for whoever keeps the log. */
  readonly effects = new EffectLog();
  readonly startedAt = Date.now();
  readonly runId = randomBytes(20).toString("hex");
  readonly executable = process.execPath;
  lastSaveAt = Math.floor(this.startedAt / 1000);
  /** TCP port that is listened on, 0 for none. */
  port = 0;
  /** Called by SHUTDOWN. Without one, as in embedded use, the command is refused. */
  onShutdown: ((request: ShutdownRequest) => void) | undefined;
  /** What is told of what the store does on its own. */
  readonly metrics = new Metrics(this.runId);
  readonly housekeeper: Housekeeper;
  readonly lazyFree: LazyFree;
  /** Told, in a line each, of what became of the store's files when nobody has asked: servers put it into their log. */
  onNotice: ((line: string) => void) | undefined;
  /** Told likewise of what has succeeded. */
  onNews: ((line: string) => void) | undefined;
  #files: StorePersistence | undefined;
  #monitor: PersistenceMonitor | undefined;
  #isClaimed = false;
  #closing: Promise<void> | undefined;
  readonly #chores: StoreChores;
  readonly #stopListening: (() => void)[] = [];

  /**
   * @param now source of time for tests, milliseconds since 1970
   * @param keyspace settings that do not follow from the configuration: for embedded use and tests
   * @param housekeeping whether the store does its work by itself, as it does by default
   */
  constructor(
    configuration: Configuration,
    now: () => number = Date.now,
    keyspace: Partial<Pick<KeyspaceOptions, "shards" | "regionSize" | "seed">> = {},
    housekeeping: HousekeepingOptions = {},
  ) {
    this.configuration = configuration;
    makeDirectory(configuration.get("dir"));
    const memoryLimit = Number(configuration.get("maxmemory"));
    this.keyspace = new Keyspace({
      ...sizingFor(memoryLimit, Number(configuration.get("region-size"))),
      databases: Number(configuration.get("databases")),
      now,
      ...keyspace,
    });
    this.services = {
      keyspace: this.keyspace,
      configuration,
      commands: new CommandTable(allCommands, configuration.renamings),
      statistics: new Statistics(),
      slowLog: new SlowLog(configuration),
      latency: new LatencyMonitor(configuration),
      clients: this.clients,
      lifecycle: this,
      threads: this.threads,
      pubSub: new PubSub(),
      effects: this.effects,
      persistence: new NoPersistence(this.lastSaveAt, () => this.keyspace.changes),
    };
    this.keyspace.removals = this.effects;
    this.engine = new Engine(this.services);
    this.#stopListening.push(this.engine.memory.follow(configuration));
    this.#followLimits();
    this.#stopListening.push(new KeyEventPublisher(this.services.pubSub).follow(this.keyspace, configuration));
    this.#stopListening.push(this.threads.onFailure((failure) => this.#tellOfFailure(failure)));
    this.#chores = new StoreChores(this.services, this.metrics, this.engine.memory);
    this.housekeeper = new Housekeeper(this.#chores, configuration, housekeeping);
    this.engine.memory.whenLeft = () => this.housekeeper.hurry();
    this.#stopListening.push(followLazyFree(this.keyspace.releaser, configuration));
    this.lazyFree = new LazyFree(this.keyspace.releaser, this.threads, () => this.housekeeper.hurry());
  }

  /** The log that replies wait for; undefined in a store without files. */
  get log(): AppendLog | undefined {
    return this.#files?.log.log;
  }

  /** Keeps the keyspace's limits what the configuration says. */
  #followLimits(): void {
    const { limits } = this.keyspace;
    for (const limit of Object.keys(limits) as (keyof CollectionLimits)[]) {
      const directive = LIMIT_DIRECTIVES[limit];
      limits[limit] = Number(this.configuration.get(directive));
      const stop = this.configuration.onChange(directive, (value) => {
        limits[limit] = Number(value);
        return undefined;
      });
      this.#stopListening.push(stop);
    }
  }

  get hz(): number {
    return this.housekeeper.hz;
  }

  get configFile(): string {
    return this.configuration.file ?? "";
  }

  #tellOfFailure({ name, error, retryMs }: ThreadFailure): void {
    if (!this.metrics.wants("worker")) return;
    this.metrics.emit({ type: "worker", storeId: this.runId, thread: name, error, retryMs });
  }

  /**
   * Does what is due, now: for programs whose event loop seldom turns, and for those that want nothing done otherwise.
   * @param budgetMs milliseconds that it may take, but for its smallest step; by default those of one slice
   * @returns whether more is due
   */
  tick(budgetMs?: number): boolean {
    return this.housekeeper.tick(budgetMs);
  }

  /**
   * Gives the store files, in the directory that the configuration names, and takes the directory's lock where anything
   * may be written to it: some seconds later, if that has a lock of which it has to be seen whether anybody still holds
   * it. Until `open` has read them, commands that need the data are refused. May be called again.
   * @throws DirectoryLockedError, OpeningEndedError if the store is closed meanwhile, or the system's error; the caller
   *   closes
   */
  async claimFiles(options: OpeningOptions = {}): Promise<void> {
    this.#files ??= this.#addFiles();
    await this.#files.claim(options);
    this.#isClaimed = true;
  }

  #addFiles(): StorePersistence {
    const files = new StorePersistence(this);
    this.services.persistence = files;
    this.#watch(files);
    return files;
  }

  /** Looks after the files, and tells what becomes of them. */
  #watch(files: StorePersistence): void {
    const { snapshotter, log } = files;
    const { metrics, services } = this;
    const monitor = new PersistenceMonitor(
      { metrics, services, hurry: () => this.housekeeper.hurry() },
      snapshotter,
      log,
    );
    this.#monitor = monitor;
    this.#chores.onRound = () => {
      files.tick();
      monitor.beginRound();
    };
    this.#chores.onSliceEnd = () => monitor.tell();
    const { resetListeners } = services.statistics;
    const reset = (): void => {
      snapshotter.resetStatistics();
      log.figures.resetStatistics();
    };
    resetListeners.add(reset);
    this.#stopListening.push(() => resetListeners.delete(reset));
  }

  /** What is known of the store's files, for a program. */
  get persistence(): PersistenceStats {
    const files = this.#files;
    if (files === undefined) return noPersistence(this.keyspace.changes, this.lastSaveAt);
    return { snapshots: files.snapshotter.stats, log: files.log.stats() };
  }

  /**
   * Reads what the directory holds, and keeps there what is written from now on. Does not hold the event loop for long.
   * Claims the files before.
   * @throws DirectoryLockedError, DamagedFileError, or the system's error: the store is closed then
   */
  async open(options: OpeningOptions = {}): Promise<OpenReport> {
    try {
      return await keptAlive(this.#claimAndOpen(options));
    } catch (error) {
      await this.close({ saves: false });
      throw error;
    }
  }

  async #claimAndOpen(options: OpeningOptions): Promise<OpenReport> {
    if (!this.#isClaimed) await this.claimFiles(options);
    return await this.files.open(options);
  }

  /** Starts the background threads that will be needed, before there is anything for them to do: for servers. */
  startThreads(): void {
    this.lazyFree.thread.start();
    this.#files?.startThreads();
  }

  /** The store's files. @throws CommandError if it has none */
  get files(): StorePersistence {
    if (this.#files === undefined) throw new CommandError(NO_FILES);
    return this.#files;
  }

  /**
   * Does what SHUTDOWN does before anybody is disconnected: saves, if it is asked to, or if there are rules for saving.
   * @throws CommandError, and the store goes on, if that is not possible, unless it is forced
   */
  prepareToEnd(request: ShutdownRequest): void {
    this.#files?.prepareToEnd(request);
  }

  shutdown(request: ShutdownRequest): void {
    if (this.onShutdown === undefined) throw new CommandError(NOT_OURS_TO_END);
    this.onShutdown(request);
  }

  /** What a shutdown does is done at once, so there is never one to call off. */
  abortShutdown(): boolean {
    return false;
  }

  /**
   * Ends at once all that the store does on its own, and disconnects all clients; then brings its files up to date,
   * lets go of them, and joins its background threads. Idempotent.
   * @param options.saves whether a store without a log, but with rules for saving, is saved; true by default
   * @returns when that is done; but for what the disk takes, within two seconds
   * @throws Error that says what could not be written: everything has ended all the same
   */
  close(options: { readonly saves?: boolean } = {}): Promise<void> {
    this.#closing ??= keptAlive(this.#close(options.saves ?? true));
    return this.#closing;
  }

  async #close(saves: boolean): Promise<void> {
    this.housekeeper.close();
    this.#chores.onRound = undefined;
    for (const stop of this.#stopListening.splice(0)) stop();
    for (const client of this.clients.list()) client.kill();
    try {
      if (this.#files !== undefined) await this.#files.close(saves);
    } finally {
      await this.threads.stop(JOIN_MS);
      this.#monitor?.close();
    }
  }
}
