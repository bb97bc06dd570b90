/**
 * Store: one store put together: its configuration, keyspace, commands, statistics and clients. Embedded use and the
 * server both stand on it, and several live in one process without knowing of each other.
 *
 * It never keeps the process alive: its timer is unreferenced.
 */
import { randomBytes } from "node:crypto";
import { makeDirectory } from "../base/make-directory.ts";
import { allCommands } from "../commands/all-commands.ts";
import { CommandTable } from "../commands/command-table.ts";
import type { Lifecycle, Services } from "../commands/context.ts";
import { CommandError } from "../commands/errors.ts";
import type { Configuration } from "../config/configuration.ts";
import { type CollectionLimits, LIMIT_DIRECTIVES } from "../keyspace/collection-limits.ts";
import { Keyspace, type KeyspaceOptions } from "../keyspace/keyspace.ts";
import { LatencyMonitor } from "../monitoring/latency-monitor.ts";
import { SlowLog } from "../monitoring/slow-log.ts";
import { Statistics } from "../monitoring/statistics.ts";
import { ClientRegistry } from "./client-registry.ts";
import { Engine } from "./engine.ts";
import { sizingFor } from "./sizing.ts";

/** Milliseconds between two rounds of what a store does on its own: statistics and the access clock. */
const TICK_MS = 100;

const NOT_OURS_TO_END = "ERR SHUTDOWN is for servers; this store ends with the program that opened it";

/** Asked for by SHUTDOWN; whoever made the store decides what ending means. */
export type ShutdownRequest = Parameters<Lifecycle["shutdown"]>[0];

export class Store implements Lifecycle {
  readonly configuration: Configuration;
  readonly keyspace: Keyspace;
  readonly engine: Engine;
  readonly services: Services;
  readonly clients = new ClientRegistry();
  readonly startedAt = Date.now();
  readonly runId = randomBytes(20).toString("hex");
  readonly executable = process.execPath;
  lastSaveAt = Math.floor(this.startedAt / 1000);
  /** TCP port that is listened on, 0 for none. */
  port = 0;
  /** Called by SHUTDOWN. Without one, as in embedded use, the command is refused. */
  onShutdown: ((request: ShutdownRequest) => void) | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: (() => void)[] = [];

  /**
   * @param now source of time for tests, milliseconds since 1970
   * @param keyspace settings that do not follow from the configuration: for embedded use and tests
   */
  constructor(
    configuration: Configuration,
    now: () => number = Date.now,
    keyspace: Partial<Pick<KeyspaceOptions, "shards" | "regionSize" | "seed">> = {},
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
      commands: new CommandTable(allCommands),
      statistics: new Statistics(),
      slowLog: new SlowLog(configuration),
      latency: new LatencyMonitor(configuration),
      clients: this.clients,
      lifecycle: this,
    };
    this.engine = new Engine(this.services);
    this.engine.memoryLimit = memoryLimit;
    this.#stopListening.push(configuration.onChange("maxmemory", (value) => this.#setMemoryLimit(Number(value))));
    this.#followLimits();
    this.#timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** @returns why not: how much there is room for was settled when the store was opened */
  #setMemoryLimit(bytes: number): string | undefined {
    const { capacityBytes } = this.keyspace.figures();
    if (bytes > capacityBytes)
      return `there is room for ${capacityBytes} bytes; more needs a restart with that maxmemory`;
    this.engine.memoryLimit = bytes;
    return undefined;
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

  get configFile(): string {
    return this.configuration.file ?? "";
  }

  /** Does what is due; for programs whose event loop seldom turns. */
  tick(): void {
    this.keyspace.tick();
    this.services.statistics.tick(performance.now());
  }

  shutdown(request: ShutdownRequest): void {
    if (this.onShutdown === undefined) throw new CommandError(NOT_OURS_TO_END);
    this.onShutdown(request);
  }

  /** No shutdown takes so long that it could be called off. */
  abortShutdown(): boolean {
    return false;
  }

  /** Disconnects all clients and stops the timer. Idempotent. */
  close(): void {
    clearInterval(this.#timer);
    for (const stop of this.#stopListening.splice(0)) stop();
    for (const client of this.clients.list()) client.kill();
  }
}
