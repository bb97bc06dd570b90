/** All commands there are, by family. To add one: declare it in its family's file, and it is here. */
import type { Command } from "./command.ts";
import { stringCommands } from "./strings.ts";

export const allCommands: readonly Command[] = [...stringCommands];
