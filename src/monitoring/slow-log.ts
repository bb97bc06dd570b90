/**
 * SlowLog: the last commands that took longer than `slowlog-log-slower-than`, with the beginning of their arguments.
 *
 * Bounded by `slowlog-max-len` entries of at most ENTRY_ARGUMENTS_MAX arguments of ARGUMENT_BYTES_MAX bytes each, so it
 * may hold what was asked for on the JavaScript heap. What is timed at all: statistics.ts.
 */
import type { Arguments } from "../base/arguments.ts";
import type { Configuration } from "../config/configuration.ts";

const ENTRY_ARGUMENTS_MAX = 32;
const ARGUMENT_BYTES_MAX = 128;

/** Stands for an argument that no log may show. */
export const REDACTED = "(redacted)";

/** Who a slow command came from. */
export interface SlowLogClient {
  readonly address: string;
  readonly name: string;
}

export interface SlowLogEntry {
  readonly id: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly microseconds: number;
  /** The command's name first; long ones cut. */
  readonly args: readonly Buffer[];
  readonly address: string;
  readonly name: string;
}

const ALWAYS_TIMED_MICROSECONDS = 1000;

export class SlowLog {
  /**
   * Whether the threshold is so low that a command of any kind may pass it: then none may go untimed. Commands of which
   * only a sample is timed take far less than a millisecond.
   */
  needsEveryTime = false;
  /** Oldest first. */
  readonly #entries: SlowLogEntry[] = [];
  #nextId = 0;
  #thresholdMicroseconds = 0;
  #maxLength: number;

  constructor(configuration: Configuration) {
    this.#setThreshold(configuration.get("slowlog-log-slower-than"));
    this.#maxLength = configuration.get("slowlog-max-len");
    configuration.onChange("slowlog-log-slower-than", (microseconds) => {
      this.#setThreshold(microseconds);
      return undefined;
    });
    configuration.onChange("slowlog-max-len", (length) => {
      this.#maxLength = length;
      return undefined;
    });
  }

  get length(): number {
    return this.#entries.length;
  }

  #setThreshold(microseconds: number): void {
    this.#thresholdMicroseconds = microseconds;
    this.needsEveryTime = microseconds >= 0 && microseconds < ALWAYS_TIMED_MICROSECONDS;
  }

  /** The last `count` entries, newest first. */
  latest(count: number): readonly SlowLogEntry[] {
    return this.#entries.slice(Math.max(0, this.#entries.length - count)).reverse();
  }

  /** Removes all entries; the ids go on. */
  reset(): void {
    this.#entries.length = 0;
  }

  /**
   * Logs a command if it was slow.
   * @param microseconds how long it took
   * @param clockMs milliseconds since 1970
   * @param secrets indices of arguments that must not be shown
   */
  consider(
    args: Arguments,
    microseconds: number,
    client: SlowLogClient,
    clockMs: number,
    secrets: readonly number[] = [],
  ): void {
    if (this.#thresholdMicroseconds < 0 || this.#maxLength === 0) return;
    if (microseconds >= this.#thresholdMicroseconds) {
      this.#entries.push({
        id: this.#nextId,
        time: Math.floor(clockMs / 1000),
        microseconds: Math.floor(microseconds),
        args: shortened(args, secrets),
        address: client.address,
        name: client.name,
      });
      this.#nextId += 1;
    }
    if (this.#entries.length > this.#maxLength) this.#entries.splice(0, this.#entries.length - this.#maxLength);
  }
}

/** Copies of the arguments, of which the last says how many are missing. */
function shortened(args: Arguments, secrets: readonly number[]): Buffer[] {
  const shown = args.count > ENTRY_ARGUMENTS_MAX ? ENTRY_ARGUMENTS_MAX - 1 : args.count;
  const copies: Buffer[] = [];
  for (let index = 0; index < shown; index++) {
    copies.push(secrets.includes(index) ? Buffer.from(REDACTED) : shortenedArgument(args, index));
  }
  if (shown < args.count) copies.push(Buffer.from(`... (${args.count - shown} more arguments)`));
  return copies;
}

function shortenedArgument(args: Arguments, index: number): Buffer {
  const start = args.start(index);
  const length = args.length(index);
  const head = args.bytes.subarray(start, start + Math.min(length, ARGUMENT_BYTES_MAX));
  if (length <= ARGUMENT_BYTES_MAX) return Buffer.from(head);
  return Buffer.concat([head, Buffer.from(`... (${length - ARGUMENT_BYTES_MAX} more bytes)`)]);
}
