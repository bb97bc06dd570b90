/** Commands that are nothing but the name before their subcommands, such as CONFIG. */
import { type Command, type CommandGroup, command } from "./command.ts";
import { CommandError, wrongArity } from "./errors.ts";
import { helpOf } from "./help.ts";

export interface Container {
  readonly name: string;
  readonly summary: string;
  readonly since: string;
  /** Since when there is a subcommand HELP. */
  readonly helpSince: string;
  readonly group: CommandGroup;
  /** All but HELP. */
  readonly subcommands: readonly Command[];
}

/** Declares the command, its subcommands, and HELP. */
export function container({ name, helpSince, subcommands, ...declaration }: Container): Command {
  const help = helpOf({ parent: name, since: helpSince, group: declaration.group, subcommands });
  return command({
    ...declaration,
    name,
    complexity: "Depends on the subcommand.",
    arity: -2,
    flags: [],
    args: {},
    subcommands: [...subcommands, help],
    run() {
      throw new CommandError(wrongArity(name.toLowerCase()));
    },
  });
}
