/** Tests written as a dialogue: what a client says and what it hears, a line each. */
import assert from "node:assert/strict";
import type { CommandRunner } from "./commands.ts";

/**
 * Runs the dialogue's commands and compares the replies.
 *
 *     SET a 5       => +OK
 *     GET a         => $1 5
 *     SET '' x      => +OK
 *
 * Words are separated by spaces, `''` is an empty one; a reply's line ends are written as spaces.
 */
export function converse(runner: CommandRunner, dialogue: string): void {
  for (const line of dialogue.split("\n").filter((text) => text.trim() !== "")) {
    const [command, reply] = line.split(/ +=> ?/).map((part) => part.trim());
    const words = command!.split(/ +/).map((word) => (word === "''" ? "" : word));
    const heard = runner
      .run(...words)
      .replaceAll("\r\n", " ")
      .trimEnd();
    assert.equal(`${command} => ${heard}`, `${command} => ${reply}`);
  }
}
