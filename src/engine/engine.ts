/**
 * Engine: the one way a command is executed, whoever asks: a connection or the embedded store. Looks the command up,
 * refuses what must be refused, counts, times, runs, and has its effects logged. A log that is replayed runs the same
 * commands, without what is for clients: replayer.ts.
 */
import type { Arguments } from "../base/arguments.ts";
import { microsecondsNow } from "../base/wall-clock.ts";
import type { Command } from "../commands/command.ts";
import type { CommandTable } from "../commands/command-table.ts";
import type { Context, Services } from "../commands/context.ts";
import type { EffectRecorder } from "../commands/effects.ts";
import {
  CommandError,
  LOADING,
  NO_AUTH,
  OUT_OF_MEMORY,
  onlyForSubscribers,
  unknownCommand,
  unknownSubcommand,
  wrongArity,
} from "../commands/errors.ts";
import { RegionFullError } from "../memory/heap.ts";
import { formatMonitorLine } from "../monitoring/monitor-feed.ts";
import { type CommandStatistics, SAMPLE_EVERY, type Statistics } from "../monitoring/statistics.ts";
import { MemoryLimit, SPACE_ATTEMPTS } from "./memory-limit.ts";

/** Argument bytes from which on a command is timed even if it is fast. */
const TIMED_BYTES = 16 * 1024;
const SAMPLE_MASK = SAMPLE_EVERY - 1;

/** A client that sees all commands. */
export interface Monitor {
  send(line: Buffer): void;
}

export class Engine {
  readonly services: Services;
  readonly #commands: CommandTable;
  readonly #statistics: Statistics;
  readonly #effects: EffectRecorder;
  /** What commands may bring memory to, and how room is made. */
  readonly memory: MemoryLimit;
  /** Whether the store's files are being read, and what needs the data is refused. */
  isLoading = false;
  /** Who is told of every command that ran: MONITOR. */
  readonly monitors = new Set<Monitor>();

  constructor(services: Services) {
    this.services = services;
    this.memory = new MemoryLimit(services);
    this.#commands = services.commands;
    this.#statistics = services.statistics;
    this.#effects = services.effects;
  }

  /** Executes one command and writes its one reply. Never throws a CommandError: that is a reply too. */
  execute(context: Context, args: Arguments): void {
    const command = this.#commands.find(args, 0);
    this.services.keyspace.member.expect(args);
    if (command === undefined) this.#refuseUnknown(context, args);
    else if (command.subcommands === undefined || args.count === 1) this.#admit(command, context, args);
    else this.#executeSubcommand(command, context, args);
  }

  /** Whether even a call of a command that is only sampled has to be timed. */
  #mustTime(args: Arguments): boolean {
    return args.end - args.start(0) >= TIMED_BYTES || this.services.slowLog.needsEveryTime;
  }

  /** As Redis does, hangs up on what looks like HTTP: a web page must not make a browser send commands. */
  #refuseUnknown(context: Context, args: Arguments): void {
    if (args.is(0, "POST") || args.is(0, "HOST:")) {
      context.session.isHungUp = true;
      context.session.closeAfterReply = true;
      return;
    }
    this.#fail(context, describeUnknown(args));
  }

  #executeSubcommand(command: Command, context: Context, args: Arguments): void {
    const subcommand = command.subcommands!.find((candidate) => args.is(1, candidate.name));
    if (subcommand !== undefined) this.#admit(subcommand, context, args);
    else this.#fail(context, unknownSubcommand(args.shown(1, SHOWN_MAX), args.latin1(0)));
  }

  #admit(command: Command, context: Context, args: Arguments): void {
    const statistics = this.#statistics.of(command.id);
    const refusal = this.#refusal(command, context, args);
    if (refusal !== undefined) {
      statistics.rejectedCalls += 1;
      this.#fail(context, refusal);
      return;
    }
    const { session } = context;
    if (session.lastCommand !== command.fullName) session.lastCommand = command.fullName;
    if (command.isSampled && (statistics.calls & SAMPLE_MASK) !== 0 && !this.#mustTime(args)) {
      this.#run(command, context, args, statistics);
    } else {
      this.#runTimed(command, context, args, statistics);
    }
    this.#statistics.totalCommands += 1;
    statistics.calls += 1;
    if (this.monitors.size > 0 && !command.isHiddenFromMonitor) this.#tellMonitors(command, context, args);
  }

  /** Whether the command would change data: what CLIENT PAUSE WRITE holds back. */
  mayWrite(args: Arguments): boolean {
    return this.services.commands.find(args, 0)?.mayChange === true;
  }

  #refusal(command: Command, context: Context, args: Arguments): string | undefined {
    const { arity } = command;
    if (arity > 0 ? args.count !== arity : args.count < -arity) return wrongArity(command.fullName);
    if (!context.session.isAuthenticated && command.needsAuthentication) return NO_AUTH;
    if (this.memory.isExceeded && !this.memory.admit() && command.deniesOutOfMemory) return OUT_OF_MEMORY;
    if (command.stopsWithWrites) {
      const { writeRefusal } = this.services.persistence;
      if (writeRefusal !== undefined) return writeRefusal;
    }
    if (context.session.subscriber !== undefined && context.session.protocol === 2 && !command.isForSubscribers) {
      return onlyForSubscribers(command.fullName);
    }
    if (this.isLoading && !command.isForLoading) return LOADING;
    return undefined;
  }

  #run(command: Command, context: Context, args: Arguments, statistics: CommandStatistics): void {
    if (this.#effects.areKept && command.mayChange) this.#runKept(command, context, args, statistics);
    else this.#attempt(command, context, args, statistics, 0);
  }

  /**
   * Runs a command and has what it does logged. What is not its own doing (keys that expire when it looks at them, or
   * that are evicted to make space for it) is logged in front of it by whoever does it.
   */
  #runKept(command: Command, context: Context, args: Arguments, statistics: CommandStatistics): void {
    const { keyspace } = this.services;
    const { changes } = keyspace;
    this.#effects.beginUnit(context.database.index);
    if (this.#commands.hasRenamed) this.#effects.keptName = this.#commands.originalNameOf(command);
    try {
      const isDone = this.#attempt(command, context, args, statistics, 0);
      if (isDone && !command.isRewritten && keyspace.changes > changes) this.#effects.keep(args);
    } finally {
      this.#effects.endUnit();
    }
  }

  /** @param attempts how often it has been tried already @returns whether it succeeded */
  #attempt(
    command: Command,
    context: Context,
    args: Arguments,
    statistics: CommandStatistics,
    attempts: number,
  ): boolean {
    try {
      command.execute(context, args);
      return true;
    } catch (error) {
      if (error instanceof RegionFullError && attempts < SPACE_ATTEMPTS && this.#makeSpace(error, args)) {
        return this.#attempt(command, context, args, statistics, attempts + 1);
      }
      statistics.failedCalls += 1;
      if (error instanceof CommandError) this.#fail(context, error.message);
      else if (error instanceof RegionFullError) this.#fail(context, OUT_OF_MEMORY);
      else throw error;
      return false;
    }
  }

  /** Makes space for a command that a region had no room for. @returns whether it may be tried again from its start */
  #makeSpace(error: RegionFullError, args: Arguments): boolean {
    if (!this.memory.makeSpace(error, args.end - args.start(0))) return false;
    this.services.keyspace.member.expect(args);
    return true;
  }

  #runTimed(command: Command, context: Context, args: Arguments, statistics: CommandStatistics): void {
    const begin = performance.now();
    this.#run(command, context, args, statistics);
    const microseconds = (performance.now() - begin) * 1000;
    statistics.time(microseconds);
    const { slowLog, latency } = this.services;
    const now = context.keyspace.clock.now();
    if (!command.isHiddenFromSlowLog) {
      slowLog.consider(args, microseconds, context.session, now, command.secrets?.(args));
    }
    latency.add(command.isFast ? "fast-command" : "command", microseconds / 1000, now);
  }

  #tellMonitors(command: Command, context: Context, args: Arguments): void {
    const { databaseIndex, address } = context.session;
    const line = formatMonitorLine(microsecondsNow(), databaseIndex, address, args, command.secrets?.(args));
    const bytes = Buffer.from(line, "latin1");
    for (const monitor of this.monitors) monitor.send(bytes);
  }

  #fail(context: Context, text: string): void {
    const space = text.indexOf(" ");
    this.#statistics.countError(space === -1 ? text : text.slice(0, space));
    context.reply.error(text);
  }
}

const SHOWN_MAX = 128;

/**
 * Redis shows at most 128 bytes of the name, and of the arguments as many as fit into 128; of each, up to a zero byte.
 */
export function describeUnknown(args: Arguments): string {
  let shown = "";
  for (let index = 1; index < args.count && shown.length < SHOWN_MAX; index++) {
    shown += `'${args.shown(index, SHOWN_MAX - shown.length)}' `;
  }
  return unknownCommand(args.shown(0, SHOWN_MAX), shown);
}
