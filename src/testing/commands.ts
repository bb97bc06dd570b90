/**
 * Runs commands in-process, without a server: the engine over a small keyspace, one client, raw replies.
 *
 *     const runner = new CommandRunner(stringCommands);
 *     runner.run("SET", "k", "v");                        // "+OK\r\n"
 *     runner.verify();                                    // at the end of every test
 */
import { Arguments } from "../base/arguments.ts";
import type { Command } from "../commands/command.ts";
import type { Renaming } from "../commands/command-names.ts";
import { CommandTable } from "../commands/command-table.ts";
import type { Lifecycle, Services, ThreadFigures } from "../commands/context.ts";
import { CommandError } from "../commands/errors.ts";
import { NoPersistence } from "../commands/no-persistence.ts";
import { PubSub } from "../commands/pubsub-registry.ts";
import { Configuration } from "../config/configuration.ts";
import { EffectLog } from "../durability/effect-log.ts";
import { ClientContext, type LateReply } from "../engine/client-context.ts";
import { ClientRegistry } from "../engine/client-registry.ts";
import { Engine } from "../engine/engine.ts";
import { Keyspace, type KeyspaceOptions } from "../keyspace/keyspace.ts";
import { LatencyMonitor } from "../monitoring/latency-monitor.ts";
import { SlowLog } from "../monitoring/slow-log.ts";
import { Statistics } from "../monitoring/statistics.ts";
import { RespReply } from "../protocol/resp-reply.ts";
import { type Argument, argumentBytes, decode, type Reply } from "./resp-frame.ts";

const REGION_SIZE = 16 * 1024 * 1024;

/** What a runner may be made with, beside what a keyspace takes. */
export interface RunnerOptions extends Partial<KeyspaceOptions> {
  /** The protocol's version that replies are written in; 2 by default. */
  readonly protocol?: 2 | 3;
  /** Directives given at start-up, such as `requirepass`. */
  readonly directives?: Readonly<Record<string, string>>;
  /** What `rename-command` says. */
  readonly renamings?: readonly Renaming[];
  /** A keyspace that is there already, in the place of a new one. */
  readonly over?: Keyspace;
}

export class CommandRunner {
  readonly keyspace: Keyspace;
  readonly configuration = new Configuration();
  readonly clients = new ClientRegistry();
  readonly services: Services;
  readonly engine: Engine;
  /** What the commands have done; kept if `areKept` is set. */
  readonly effects = new EffectLog();
  readonly context: ClientContext;
  readonly lifecycle = new RecordedLifecycle();
  /** What INFO shows of background threads; none run. */
  readonly threads: ThreadFigures[] = [];
  readonly #args = new Arguments();
  readonly #reply = new RespReply();

  /** @param commands those to be known */
  constructor(commands: readonly Command[], options: RunnerOptions = {}) {
    const { protocol = 2, directives = {}, renamings = [], over, ...keyspace } = options;
    for (const [name, value] of Object.entries({ "enable-debug-command": "local", ...directives })) {
      this.configuration.initialize(name, [value]);
    }
    this.keyspace = over ?? new Keyspace({ shards: 1, regionSize: REGION_SIZE, databases: 16, ...keyspace });
    this.services = {
      keyspace: this.keyspace,
      configuration: this.configuration,
      commands: new CommandTable(commands, renamings),
      statistics: new Statistics(),
      slowLog: new SlowLog(this.configuration),
      latency: new LatencyMonitor(this.configuration),
      clients: this.clients,
      lifecycle: this.lifecycle,
      pubSub: new PubSub(),
      effects: this.effects,
      persistence: new NoPersistence(this.lifecycle.lastSaveAt, () => this.keyspace.changes),
      threads: { figures: () => this.threads },
    };
    this.keyspace.removals = this.effects;
    this.engine = new Engine(this.services);
    this.engine.memory.follow(this.configuration);
    this.context = this.connect();
    this.context.session.protocol = protocol;
  }

  /** Another client. @param address "ip:port", from this machine by default */
  connect(address = "127.0.0.1:50000"): ClientContext {
    const origin = { address, localAddress: "127.0.0.1:6379", fileDescriptor: 8, isEmbedded: false };
    const isAuthenticated = this.configuration.get("requirepass").length === 0;
    const context = new ClientContext(this.clients.nextId(), origin, this.services, this.#reply, isAuthenticated);
    const { session } = context;
    const counts = {
      totalCommands: 0,
      queryBufferBytes: 0,
      queryBufferFree: 0,
      outputBufferBytes: 0,
      outputListLength: 0,
      isBlocked: false,
    };
    const client = { session, ...counts, kill: () => this.clients.remove(client) };
    this.clients.add(client);
    return context;
  }

  /** Makes replies that are longer impossible. @param bytes a whole first buffer, 64 KiB, at least */
  set replyLengthMax(bytes: number) {
    this.#reply.lengthMax = bytes;
  }

  /** The wire bytes of a command's reply, a character a byte. */
  run(...command: Argument[]): string {
    return this.runAs(this.context, ...command);
  }

  /** A command's reply as JavaScript values. */
  ask(...command: Argument[]): Reply {
    return decode(Buffer.from(this.run(...command), "latin1"));
  }

  /** The reply to a command of another client. */
  runAs(context: ClientContext, ...command: Argument[]): string {
    const parts = command.map(argumentBytes);
    const bytes = Buffer.concat(parts);
    this.#args.reset(bytes);
    let at = 0;
    for (const { length } of parts) {
      this.#args.push(at, length);
      at += length;
    }
    this.keyspace.clock.forget();
    return this.#written(context, () => this.engine.execute(context, this.#args));
  }

  /** The reply to a command that finishes later. */
  async runLater(...command: Argument[]): Promise<string> {
    const { context } = this;
    const immediate = this.run(...command);
    const work = context.pending;
    if (work === undefined) return immediate;
    const write: LateReply = await work;
    context.pending = undefined;
    return this.#written(context, () => write(this.#reply));
  }

  /** Verifies every structure. @throws Error that names what is wrong */
  verify(): void {
    this.keyspace.verify();
  }

  #written(context: ClientContext, write: () => void): string {
    this.#reply.length = 0;
    this.#reply.version = context.session.protocol;
    write();
    return this.#reply.buffer.latin1Slice(0, this.#reply.length);
  }
}

/** A store's life that only remembers what was asked of it. */
export class RecordedLifecycle implements Lifecycle {
  readonly startedAt = Date.now();
  readonly runId = "0123456789abcdef0123456789abcdef01234567";
  readonly executable = "/usr/bin/node";
  readonly configFile = "";
  readonly port = 6379;
  readonly hz = 10;
  lastSaveAt = Math.floor(this.startedAt / 1000);
  readonly requests: Parameters<Lifecycle["shutdown"]>[0][] = [];
  /** Refuse the next shutdown with this text. */
  refusal: string | undefined;

  shutdown(how: Parameters<Lifecycle["shutdown"]>[0]): void {
    if (this.refusal !== undefined) throw new CommandError(this.refusal);
    this.requests.push(how);
  }

  abortShutdown(): boolean {
    return this.requests.pop() !== undefined;
  }
}
