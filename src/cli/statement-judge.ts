/** Says of the lines of a configuration that set no value, while they are read, which cannot be put into force. */
import { allCommands } from "../commands/all-commands.ts";
import { CommandNames } from "../commands/command-names.ts";
import { Refusal } from "../config/directive.ts";
import type { Surroundings } from "../config/file.ts";

/** @returns a judge of one configuration: what a line means depends on those before it */
export function statementJudge(): Surroundings["judge"] {
  const names = new CommandNames(allCommands);
  return ({ name, args }) => {
    if (name !== "rename-command") return;
    const reason = names.rename([args[0]!, args[1]!]);
    if (reason !== undefined) throw new Refusal(reason);
  };
}
