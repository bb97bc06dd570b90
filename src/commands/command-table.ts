/**
 * CommandTable: finds a command by the bytes of its name, in any case, without making a string of it.
 *
 * The first eight bytes of a name, folded to upper case, are two words; an open table of a power of two places, a third
 * full at the most, is hashed over them. Bit 5 is what upper and lower case differ in, so words that are equal without
 * it are names that are equal, where the name found has nothing but letters and is no longer than that: nearly all of
 * them. Others are compared by their characters. Built once; read-only.
 */
import type { Arguments } from "../base/arguments.ts";
import type { Command } from "./command.ts";

/** Bytes of a name that are hashed. */
const HASHED_LENGTH = 8;
/** Bit 5 of each byte is dropped. */
const FOLD = 0xdf;

export class CommandTable {
  readonly #places: (Command | undefined)[];
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  /** Whether the two words tell the command from every other name. */
  readonly #isTold: Uint8Array;
  readonly #mask: number;
  readonly #commands: readonly Command[];

  constructor(commands: readonly Command[]) {
    let size = 16;
    while (size < commands.length * 3) size *= 2;
    this.#mask = size - 1;
    this.#places = new Array<Command | undefined>(size).fill(undefined);
    this.#low = new Int32Array(size);
    this.#high = new Int32Array(size);
    this.#isTold = new Uint8Array(size);
    this.#commands = [...commands];
    for (const command of commands) this.#add(command);
  }

  /** All commands, subcommands within theirs, in the order of declaration. */
  get all(): readonly Command[] {
    return this.#commands;
  }

  /** The command named by argument `index`. */
  find(args: Arguments, index: number): Command | undefined {
    const start = args.starts[index]!;
    const length = args.lengths[index]!;
    const { bytes } = args;
    const hashed = Math.min(length, HASHED_LENGTH);
    let low = 0;
    let high = 0;
    for (let at = 0; at < hashed && at < 4; at++) low = (low << 8) | (bytes[start + at]! & FOLD);
    for (let at = 4; at < hashed; at++) high = (high << 8) | (bytes[start + at]! & FOLD);
    for (let place = placeOf(low, high) & this.#mask; ; place = (place + 1) & this.#mask) {
      const found = this.#places[place];
      if (found === undefined) return undefined;
      if (this.#low[place] !== low || this.#high[place] !== high) continue;
      if (this.#isTold[place] === 1 ? found.name.length === length : args.is(index, found.name)) return found;
    }
  }

  /** The command of a name in any case; a subcommand's as "config|get". */
  byName(name: string): Command | undefined {
    const [first, second, ...others] = name.toUpperCase().split("|");
    if (others.length > 0) return undefined;
    const command = this.#commands.find((candidate) => candidate.name === first);
    if (second === undefined) return command;
    return command?.subcommands?.find((candidate) => candidate.name === second);
  }

  #add(command: Command): void {
    const { name } = command;
    const hashed = Math.min(name.length, HASHED_LENGTH);
    let low = 0;
    let high = 0;
    for (let at = 0; at < hashed && at < 4; at++) low = (low << 8) | (name.charCodeAt(at) & FOLD);
    for (let at = 4; at < hashed; at++) high = (high << 8) | (name.charCodeAt(at) & FOLD);
    let place = placeOf(low, high) & this.#mask;
    while (this.#places[place] !== undefined) place = (place + 1) & this.#mask;
    this.#places[place] = command;
    this.#low[place] = low;
    this.#high[place] = high;
    this.#isTold[place] = /^[A-Z]{1,8}$/.test(name) ? 1 : 0;
  }
}

function placeOf(low: number, high: number): number {
  const mixed = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
