/**
 * CommandNames: which name stands for which command: the declared ones, and what `rename-command` makes of them.
 *
 * Names are byte strings, one character for each byte, and their letters A to Z have no case. Renamings count in their
 * order, as lines of a configuration do: a name that one of them has freed may be given to another command, and a
 * command that has been renamed is known to the next by its new name only. Used at the start; read-only afterwards.
 */
import type { Command } from "./command.ts";

/** A line of the configuration: a command's name, and its new one; empty if it is to have none. */
export type Renaming = readonly [name: string, newName: string];

export class CommandNames {
  readonly #byName = new Map<string, Command>();

  constructor(commands: readonly Command[]) {
    for (const command of commands) this.#byName.set(command.name, command);
  }

  /** All names, in upper case, each with its command. */
  get entries(): Iterable<readonly [name: string, command: Command]> {
    return this.#byName;
  }

  /** The command of a name in any case. */
  find(name: string): Command | undefined {
    return this.#byName.get(withoutCase(name));
  }

  /**
   * Gives a command another name instead of its own; with an empty one nobody can call it any more.
   * @returns why that is not possible, in Redis's words
   */
  rename([name, newName]: Renaming): string | undefined {
    const command = this.find(name);
    if (command === undefined) return "No such command in rename-command";
    const target = this.find(newName);
    if (target !== undefined && target !== command) return "Target command name already exists";
    this.#byName.delete(withoutCase(name));
    if (newName !== "") this.#byName.set(withoutCase(newName), command);
    return undefined;
  }
}

/** A byte string with its letters A to Z in upper case, and no others. */
export function withoutCase(text: string): string {
  return text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase());
}
