/**
 * Replayer: executes the commands of a log, which make of an empty keyspace, or of the one that the log's base holds,
 * what it was when they were written.
 *
 *     SET k v                          executed
 *     MULTI   DEL a   INCR b   EXEC    a unit: kept until EXEC has been read, then executed
 *     MULTI   DEL a                    the log ends: `finish` forgets it, as if it had never been
 *
 * It is the engine's way without what is for clients: nobody is asked for a password, nothing is replied, counted,
 * timed, notified or shown to MONITOR, and no memory limit is looked at: what is in the log was admitted once. Commands
 * run as they do live, so a log is understood exactly as it was meant. What they do is not logged again. They are known
 * by their own names, whatever clients call them (rename-command).
 *
 * `keyspace.isLoading` must be set meanwhile: nothing expires by being looked at, for the log says what has expired.
 *
 * A log holds commands that write, those that read (which do no harm) and SELECT. Any other, one that there is not, and
 * one that replies with an error mean that the log is damaged, or was written by a program that knows more: that is an
 * error, never passed over. Owner thread only.
 */
import { Arguments } from "../base/arguments.ts";
import type { Command } from "../commands/command.ts";
import type { CommandTable } from "../commands/command-table.ts";
import type { Services } from "../commands/context.ts";
import { droppedReply } from "../commands/dropped-reply.ts";
import { NO_EFFECTS } from "../commands/effects.ts";
import { CommandError, OUT_OF_MEMORY, unknownSubcommand, wrongArity } from "../commands/errors.ts";
import type { Database } from "../keyspace/database.ts";
import { RegionFullError } from "../memory/heap.ts";
import { ClientContext } from "./client-context.ts";
import { describeUnknown } from "./engine.ts";
import type { FailedCommand } from "./replay-failure.ts";

const ORIGIN = { address: "log", localAddress: "log", fileDescriptor: -1, isEmbedded: true };
const SHOWN_MAX = 128;
const NAME_MAX = 64;
/** Commands after which the time is read again: a relative deadline of another program's log counts from it. */
const CLOCK_EVERY = 1024;
/** How often a command for which there is no room is tried, and milliseconds of waiting in between. */
const ATTEMPTS_MAX = 8;
const TAKE_BACK_MS = 20;

export class Replayer {
  /** Commands executed; MULTI and EXEC are none. */
  executed = 0;
  readonly #services: Services;
  readonly #context: ClientContext;
  /** The command that could not be executed; the log must not be read on then. */
  failed: FailedCommand | undefined;
  /** The error that the present command has replied. */
  #failure: string | undefined;
  /** The commands of the unit that has begun, each with bytes of its own; undefined outside of one. */
  #unit: { readonly args: Arguments; readonly offset: number }[] | undefined;

  constructor(services: Services) {
    this.#services = services;
    const reply = droppedReply((text) => {
      this.#failure = text;
    });
    this.#context = new ClientContext(0, ORIGIN, { ...services, effects: NO_EFFECTS }, reply, true);
  }

  /** The database that is selected. */
  get database(): Database {
    return this.#context.database;
  }

  /** Whether MULTI has been read, and its EXEC has not. */
  get isInUnit(): boolean {
    return this.#unit !== undefined;
  }

  /**
   * Executes the log's next command, or keeps it until its unit is complete.
   * @param offset where it begins in its file
   * @returns an error's text, which is in `failed` as well
   */
  execute(args: Arguments, offset = 0): string | undefined {
    if (args.count === 1) {
      if (args.is(0, "MULTI")) return this.#judge(args, offset, this.#beginUnit());
      if (args.is(0, "EXEC")) return this.#endUnit(args, offset);
    }
    if (this.#unit === undefined) return this.#run(args, offset);
    this.#unit.push({ args: copyOf(args), offset });
    return undefined;
  }

  /** A new file begins: database 0 is selected. What is left of an unfinished unit is forgotten. */
  beginFile(): void {
    this.finish();
    const { session, keyspace } = this.#context;
    this.#context.database = keyspace.databases[0]!;
    session.databaseIndex = 0;
  }

  /** The file ends: forgets a unit whose EXEC has not come. @returns the commands that were in it */
  finish(): number {
    const left = this.#unit?.length ?? 0;
    this.#unit = undefined;
    return left;
  }

  #beginUnit(): string | undefined {
    if (this.#unit !== undefined) return "ERR MULTI calls can not be nested";
    this.#unit = [];
    return undefined;
  }

  #endUnit(exec: Arguments, offset: number): string | undefined {
    const unit = this.#unit;
    if (unit === undefined) return this.#judge(exec, offset, "ERR EXEC without MULTI");
    this.#unit = undefined;
    for (const each of unit) {
      const failure = this.#run(each.args, each.offset);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  #run(args: Arguments, offset: number): string | undefined {
    const commands = this.#services.commands.original;
    const command = findCommand(commands, args);
    if (typeof command !== "string") return this.#judge(args, offset, this.#runCommand(command, args));
    const hasSubcommands = commands.find(args, 0) !== undefined;
    const error = hasSubcommands ? unknownSubcommand(args.shown(1, SHOWN_MAX), args.latin1(0)) : describeUnknown(args);
    this.failed = { name: command, offset, isUnknown: true, error };
    return error;
  }

  /** Remembers the command if it has failed. */
  #judge(args: Arguments, offset: number, error: string | undefined): string | undefined {
    if (error === undefined) return undefined;
    this.failed = { name: args.shown(0, NAME_MAX), offset, isUnknown: false, error };
    return error;
  }

  #runCommand(command: Command, args: Arguments): string | undefined {
    const { keyspace } = this.#services;
    const { arity } = command;
    if (arity > 0 ? args.count !== arity : args.count < -arity) return wrongArity(command.fullName);
    if (!isForLogs(command)) return `ERR '${command.fullName}' has no place in a log`;
    if (this.executed % CLOCK_EVERY === 0) keyspace.clock.forget();
    this.executed += 1;
    keyspace.member.expect(args);
    for (let attempts = 1; ; attempts++) {
      const failure = this.#attempt(command, args);
      if (failure !== OUT_OF_MEMORY || attempts === ATTEMPTS_MAX || !this.#takeBack()) return failure;
    }
  }

  /** Waits for memory that is being given back in the background. @returns whether some was */
  #takeBack(): boolean {
    const { keyspace } = this.#services;
    const { usedBytes } = keyspace;
    const end = performance.now() + TAKE_BACK_MS;
    while (keyspace.releaser.turn(1) && performance.now() < end);
    return keyspace.usedBytes < usedBytes;
  }

  /** Nobody is told of what happens to keys, and nothing counts as a hit or a miss. */
  #attempt(command: Command, args: Arguments): string | undefined {
    const { keyspace } = this.#services;
    const { eventTypes, hits, misses } = keyspace;
    keyspace.eventTypes = 0;
    this.#failure = undefined;
    try {
      command.execute(this.#context, args);
    } catch (error) {
      if (error instanceof CommandError) return error.message;
      if (error instanceof RegionFullError) return OUT_OF_MEMORY;
      throw error;
    } finally {
      keyspace.eventTypes = eventTypes;
      keyspace.hits = hits;
      keyspace.misses = misses;
    }
    return this.#failure;
  }
}

/** Whether a command begins or ends a unit. */
export function isUnitMark(args: Arguments): boolean {
  return args.count === 1 && (args.is(0, "MULTI") || args.is(0, "EXEC"));
}

/** The command that a log's line stands for; its name if there is none here. */
export function findCommand(commands: CommandTable, args: Arguments): Command | string {
  const command = commands.find(args, 0);
  if (command === undefined) return args.shown(0, NAME_MAX);
  if (command.subcommands === undefined || args.count === 1) return command;
  const found = command.subcommands.find((candidate) => args.is(1, candidate.name));
  return found ?? `${args.shown(0, NAME_MAX)} ${args.shown(1, NAME_MAX)}`;
}

function isForLogs({ mayChange, flags, name }: Command): boolean {
  return mayChange || flags.includes("readonly") || name === "SELECT";
}

/** The arguments with bytes of their own. */
function copyOf(args: Arguments): Arguments {
  const copy = new Arguments();
  const first = args.start(0);
  copy.reset(Buffer.from(args.bytes.subarray(first, args.end)));
  for (let index = 0; index < args.count; index++) copy.push(args.start(index) - first, args.length(index));
  return copy;
}
