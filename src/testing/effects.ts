/**
 * What commands have done, as a test sees it: the effects that a runner has gathered, as lines to be read, and done
 * again in another keyspace: with another seed of the hash, at another time, as a log is when it is loaded.
 *
 *     const follower = new Follower(runner);
 *     runner.run("SET", "k", "v", "EX", "10");
 *     follower.follow();                             // ["SET k v PXAT 1700000010000"]
 *     follower.differences();                        // [] : both hold the same
 */
import { Arguments } from "../base/arguments.ts";
import { allCommands } from "../commands/all-commands.ts";
import { type EffectLog, HEAD_ROOM } from "../durability/effect-log.ts";
import { Replayer } from "../engine/replayer.ts";
import { digestOf } from "../keyspace/live-digest.ts";
import { CommandRunner } from "./commands.ts";

const REGION_SIZE = 32 << 20;

/** The bytes that have been gathered; they are forgotten. */
export function takeEffects(effects: EffectLog): Buffer {
  const taken = Buffer.from(effects.buffer.subarray(HEAD_ROOM, HEAD_ROOM + effects.length));
  effects.clear();
  return taken;
}

/** The commands of a log without annotations, each as its words. @throws Error where it is not whole */
export function commandsIn(log: Buffer): Buffer[][] {
  const commands: Buffer[][] = [];
  let at = 0;
  const number = (sign: string): number => {
    const end = log.indexOf("\r\n", at);
    const line = log.latin1Slice(at, end);
    if (end === -1 || !new RegExp(`^[${sign}]\\d+$`).test(line)) throw new Error(`no ${sign} at ${at}: ${line}`);
    at = end + 2;
    return Number(line.slice(1));
  };
  while (at < log.length) {
    const words: Buffer[] = [];
    for (let left = number("*"); left > 0; left--) {
      const length = number("$");
      if (log.latin1Slice(at + length, at + length + 2) !== "\r\n") throw new Error(`no line end behind ${at}`);
      words.push(log.subarray(at, at + length));
      at += length + 2;
    }
    commands.push(words);
  }
  return commands;
}

/** Each command as a line; empty words as ''. */
export function linesOf(log: Buffer): string[] {
  return commandsIn(log).map(lineOf);
}

function lineOf(words: readonly Buffer[]): string {
  return words.map((word) => word.toString("latin1") || "''").join(" ");
}

/** A keyspace that does what a runner's commands have done. */
export class Follower {
  readonly runner: CommandRunner;
  readonly replayer: Replayer;
  readonly #leader: CommandRunner;
  readonly #args = new Arguments();

  /** @param now the follower's time, milliseconds since 1970: later than all of the runner's deadlines */
  constructor(leader: CommandRunner, now = Date.UTC(2100, 0, 1)) {
    leader.effects.areKept = true;
    this.#leader = leader;
    const { databases } = leader.keyspace.options;
    // Keys are spread otherwise than over the leader's regions: there is room whatever these had room for.
    const keyspace = { databases, regionSize: REGION_SIZE, shards: 4, seed: [17, 4] as const, now: () => now };
    this.runner = new CommandRunner(allCommands, keyspace);
    this.runner.keyspace.isLoading = true;
    this.replayer = new Replayer(this.runner.services);
  }

  /**
   * Does what has been done since the last call.
   * @returns the effects, a line each
   * @throws Error for a command that fails
   */
  follow(): string[] {
    const log = takeEffects(this.#leader.effects);
    for (const words of commandsIn(log)) {
      const failure = this.execute(words);
      if (failure !== undefined) throw new Error(`${lineOf(words)}: ${failure}`);
    }
    if (this.replayer.isInUnit) throw new Error(`a unit without end: ${linesOf(log).join(", ")}`);
    return linesOf(log);
  }

  execute(words: readonly Buffer[]): string | undefined {
    this.#args.reset(Buffer.concat(words));
    let at = 0;
    for (const { length } of words) {
      this.#args.push(at, length);
      at += length;
    }
    return this.replayer.execute(this.#args);
  }

  /** The databases in which the two do not hold the same. */
  differences(): number[] {
    const { databases } = this.runner.keyspace;
    return this.#leader.keyspace.databases
      .filter((database) => digestOf(database) !== digestOf(databases[database.index]!))
      .map(({ index }) => index);
  }
}
