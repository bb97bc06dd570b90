/**
 * FastCalls: what the fast ways of a handle's hot calls share (fast-path.ts for strings, fast-collections.ts): whether
 * a call may be taken at all, how it finds its key without arguments, and how it is counted.
 *
 * The rule of them all: a call is taken only if nothing about it is unusual; otherwise they say so with nothing done
 * and nothing counted. Then the call goes through the engine, which knows of errors, types, memory limits, events,
 * MONITOR and the log, and which also gets every SAMPLE_EVERYth call, in order to time it.
 *
 * One object a handle, and not a base class, so that V8 sees its fields through one shape in all of them.
 */
import type { ClientContext } from "../engine/client-context.ts";
import type { Engine } from "../engine/engine.ts";
import type { Key } from "../keyspace/key.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { SlowLog } from "../monitoring/slow-log.ts";
import { type CommandStatistics, SAMPLE_EVERY, type Statistics } from "../monitoring/statistics.ts";
import type { Core } from "./core.ts";

/** A command that has a fast way, with its counters. */
export class FastCall {
  readonly name: string;
  readonly statistics: CommandStatistics;
  readonly mayChange: boolean;

  constructor(name: string, statistics: CommandStatistics, mayChange: boolean) {
    this.name = name;
    this.statistics = statistics;
    this.mayChange = mayChange;
  }
}

export class FastCalls {
  readonly keyspace: Keyspace;
  readonly #core: Core;
  readonly #engine: Engine;
  readonly #statistics: Statistics;
  readonly #slowLog: SlowLog;
  readonly #context: ClientContext;

  constructor(core: Core, context: ClientContext) {
    const { engine, services } = core.store;
    this.keyspace = services.keyspace;
    this.#core = core;
    this.#engine = engine;
    this.#statistics = services.statistics;
    this.#slowLog = services.slowLog;
    this.#context = context;
  }

  /** @param name of a command that there is, in upper case */
  of(name: string): FastCall {
    const command = this.#engine.services.commands.original.byName(name)!;
    return new FastCall(command.fullName, this.#statistics.of(command.id), command.mayChange);
  }

  /** Whether the call must go through the engine, whatever its arguments are. */
  isUnusual({ statistics, mayChange }: FastCall): boolean {
    if ((statistics.calls & (SAMPLE_EVERY - 1)) === 0 || this.#core.isClosed) return true;
    if (this.keyspace.eventTypes !== 0 || this.#slowLog.needsEveryTime) return true;
    if (mayChange && (this.#context.effects.areKept || this.#engine.services.persistence.writeRefusal !== undefined)) {
      return true;
    }
    return this.#engine.monitors.size > 0 || this.#context.session.noTouch;
  }

  /** Whether commands that may need memory must be refused, or room be made for them. */
  isFull(): boolean {
    return this.#engine.memory.isExceeded;
  }

  /** The key of this name, which may not exist; undefined if the name is long or not plain ASCII. */
  locate(name: string): Key | undefined {
    const { keyspace } = this;
    if (!keyspace.staged.stageText(name)) return undefined;
    keyspace.clock.forget();
    const { database } = this.#context;
    database.key.locateStaged(database);
    return database.key;
  }

  /** Notes that the key has been accessed. */
  touch(key: Key): void {
    key.shard.entries.touch(key.entry, this.keyspace.accessClock);
  }

  /** Counts a call that is done. */
  count({ name, statistics }: FastCall): void {
    statistics.calls += 1;
    this.#statistics.totalCommands += 1;
    const { session } = this.#context;
    if (session.lastCommand !== name) session.lastCommand = name;
  }
}
