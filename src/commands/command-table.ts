/**
 * CommandTable: finds a command by the bytes of its name, in any case, without making a string of it.
 *
 * An open table of a power of two slots, half empty at the least, hashed over the folded name. Built once; read-only.
 */
import type { Arguments } from "../base/arguments.ts";
import type { Command } from "./command.ts";

interface Place {
  readonly name: string;
  readonly command: Command;
}

export class CommandTable {
  readonly #places: (Place | undefined)[];
  readonly #mask: number;
  readonly #commands: readonly Command[];

  constructor(commands: readonly Command[]) {
    let size = 16;
    while (size < commands.length * 3) size *= 2;
    this.#mask = size - 1;
    this.#places = new Array<Place | undefined>(size).fill(undefined);
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
    let hash = length;
    for (let at = 0; at < length && at < HASHED_LENGTH; at++) {
      hash = (Math.imul(hash, 31) + (bytes[start + at]! & 0x5f)) | 0;
    }
    for (let place = hash & this.#mask; ; place = (place + 1) & this.#mask) {
      const found = this.#places[place];
      if (found === undefined) return undefined;
      if (found.name.length === length && args.is(index, found.name)) return found.command;
    }
  }

  /** The command of a name in any case; a subcommand's as "config|get". */
  byName(name: string): Command | undefined {
    const [first, second] = name.toUpperCase().split("|");
    const command = this.#commands.find((candidate) => candidate.name === first);
    if (second === undefined) return command;
    return command?.subcommands?.find((candidate) => candidate.name === second);
  }

  #add(command: Command): void {
    let hash = command.name.length;
    for (let at = 0; at < command.name.length && at < HASHED_LENGTH; at++) {
      hash = (Math.imul(hash, 31) + (command.name.charCodeAt(at) & 0x5f)) | 0;
    }
    let place = hash & this.#mask;
    while (this.#places[place] !== undefined) place = (place + 1) & this.#mask;
    this.#places[place] = { name: command.name, command };
  }
}

/** Bytes of a name that are hashed: longer names are told apart by comparing them. */
const HASHED_LENGTH = 16;
