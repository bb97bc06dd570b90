/**
 * CommandTable: finds a command by the bytes of its name, in any case, without making a string of it.
 *
 * The first eight bytes of a name, folded to upper case, are two words; an open table of a power of two places, a third
 * full at the most, is hashed over them. Bit 5 is what upper and lower case differ in, so words that are equal without
 * it are names that are equal, where the name found has nothing but letters and is no longer than that: nearly all of
 * them. Others are compared by their characters. Built once; read-only.
 *
 * Commands that `rename-command` has renamed are in it under their new names only, so to look one up costs what it does
 * without; those that have no name are not in it at all. `original` has all of them as they are declared: what is in a
 * log, or comes from this program, is looked up there.
 */
import type { Arguments } from "../base/arguments.ts";
import type { Command } from "./command.ts";
import { CommandNames, type Renaming, withoutCase } from "./command-names.ts";

/** Bytes of a name that are hashed. */
const HASHED_LENGTH = 8;
/** Bit 5 of each byte is dropped. */
const FOLD = 0xdf;

export class CommandTable {
  readonly #places: (Command | undefined)[];
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  readonly #names: string[];
  /** The length of the name, where that and the two words tell it from every other; otherwise 0. */
  readonly #told: Uint8Array;
  readonly #mask: number;
  readonly #commands: readonly Command[];
  readonly #byName: ReadonlyMap<string, Command>;
  /** The declared names of those that have been given another, and of their subcommands. */
  readonly #originalNames = new Map<Command, string>();
  /** The same commands under their declared names: this table itself where none was renamed. */
  readonly original: CommandTable;

  /**
   * @param renamings in their order
   * @throws Error if one of them is not possible: `CommandNames` says beforehand which are
   */
  constructor(commands: readonly Command[], renamings: readonly Renaming[] = []) {
    const names = new CommandNames(commands);
    for (const renaming of renamings) {
      const reason = names.rename(renaming);
      if (reason !== undefined) throw new Error(`${reason}: ${renaming.join(" ")}`);
    }
    this.original = renamings.length === 0 ? this : new CommandTable(commands);
    this.#byName = new Map(names.entries);
    let size = 16;
    while (size < commands.length * 3) size *= 2;
    this.#mask = size - 1;
    this.#places = new Array<Command | undefined>(size).fill(undefined);
    this.#low = new Int32Array(size);
    this.#high = new Int32Array(size);
    this.#names = new Array<string>(size).fill("");
    this.#told = new Uint8Array(size);
    for (const [name, command] of this.#byName) this.#add(name, command);
    const callable = new Set(this.#byName.values());
    this.#commands = commands.filter((command) => callable.has(command));
  }

  /** All commands that can be called, subcommands within theirs, in the order of declaration. */
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
      const told = this.#told[place]!;
      if (told === 0 ? args.is(index, this.#names[place]!) : told === length) return found;
    }
  }

  /** The command of a name in any case; a subcommand's as "config|get". */
  byName(name: string): Command | undefined {
    const [first, second, ...others] = withoutCase(name).split("|");
    if (others.length > 0) return undefined;
    const command = this.#byName.get(first!);
    if (second === undefined) return command;
    return command?.subcommands?.find((candidate) => candidate.name === second);
  }

  /** Whether any command is called by another name than its declared one. */
  get hasRenamed(): boolean {
    return this.original !== this;
  }

  /** The declared name of a command, or of a subcommand's command, that is called by another; otherwise undefined. */
  originalNameOf(command: Command): string | undefined {
    return this.#originalNames.get(command);
  }

  #add(name: string, command: Command): void {
    if (name !== command.name) {
      for (const each of [command, ...(command.subcommands ?? [])]) this.#originalNames.set(each, command.name);
    }
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
    this.#names[place] = name;
    this.#told[place] = /^[A-Z]{1,8}$/.test(name) ? name.length : 0;
  }
}

function placeOf(low: number, high: number): number {
  const mixed = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
