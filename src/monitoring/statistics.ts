/**
 * Statistics: counters of what was executed, for INFO.
 *
 * Not every command is timed: a pair of clock readings costs a seventh of a GET. Commands that are not flagged fast are
 * timed always. Of the fast ones, one in SAMPLE_EVERY is, and its time stands for all of them; the engine also times
 * those that carry or answer with many bytes, so that the slow log misses nothing that could be slow.
 */
import { EventLoopUse } from "./event-loop-use.ts";
import { Histogram } from "./histogram.ts";
import { Rate } from "./rate.ts";

/** A power of two: one in so many calls of a fast command is timed. */
export const SAMPLE_EVERY = 128;

export class CommandStatistics {
  calls = 0;
  /** Refused before they ran: arity, authentication, memory. */
  rejectedCalls = 0;
  /** Replied with an error after they began to run. */
  failedCalls = 0;
  timedCalls = 0;
  timedMicroseconds = 0;
  histogram: Histogram | undefined;

  /** Time of all calls: what was measured, scaled up to those that were not. */
  get microseconds(): number {
    return this.timedCalls === 0 ? 0 : (this.timedMicroseconds / this.timedCalls) * this.calls;
  }

  /** @param microseconds how long one call took */
  time(microseconds: number): void {
    this.timedCalls += 1;
    this.timedMicroseconds += microseconds;
    this.histogram ??= new Histogram();
    this.histogram.add(microseconds);
  }

  reset(): void {
    this.calls = 0;
    this.rejectedCalls = 0;
    this.failedCalls = 0;
    this.timedCalls = 0;
    this.timedMicroseconds = 0;
    this.histogram = undefined;
  }
}

export class Statistics {
  readonly #commands: CommandStatistics[] = [];
  /** Errors replied, by code. */
  readonly errors = new Map<string, number>();
  totalErrors = 0;
  totalCommands = 0;
  inputBytes = 0;
  outputBytes = 0;
  /** Milliseconds spent on removing what has expired, lookups aside. */
  expiryMs = 0;
  /** The longest that the store has worked for itself without looking at its sockets. */
  longestSliceMs = 0;
  /** Reads from connections, and writes to them. */
  reads = 0;
  writes = 0;
  /** Told when the counters begin anew: those who keep some of their own. */
  readonly resetListeners = new Set<() => void>();
  readonly commandRate = new Rate();
  readonly inputRate = new Rate();
  readonly outputRate = new Rate();
  readonly eventLoop = new EventLoopUse();

  /** The statistics of the command whose id this is. */
  of(id: number): CommandStatistics {
    while (this.#commands.length <= id) this.#commands.push(new CommandStatistics());
    return this.#commands[id]!;
  }

  /** Microseconds spent on commands: what was measured, scaled up to those that were not. */
  get commandMicroseconds(): number {
    return this.#commands.reduce((sum, { microseconds }) => sum + microseconds, 0);
  }

  /** Counts an error reply. @param code its first word */
  countError(code: string): void {
    this.totalErrors += 1;
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  /** Samples the rates, about ten times a second. @param clockMs milliseconds of a clock that never steps back */
  tick(clockMs: number): void {
    this.commandRate.sample(this.totalCommands, clockMs);
    this.inputRate.sample(this.inputBytes, clockMs);
    this.outputRate.sample(this.outputBytes, clockMs);
    this.eventLoop.tick(clockMs);
  }

  /** CONFIG RESETSTAT. In place: a command that is running counts itself when it is done. */
  reset(): void {
    for (const command of this.#commands) command.reset();
    this.errors.clear();
    this.totalErrors = 0;
    this.totalCommands = 0;
    this.inputBytes = 0;
    this.outputBytes = 0;
    this.expiryMs = 0;
    this.longestSliceMs = 0;
    this.reads = 0;
    this.writes = 0;
    for (const rate of [this.commandRate, this.inputRate, this.outputRate]) rate.reset();
    this.eventLoop.reset();
    for (const listener of this.resetListeners) listener();
  }
}
