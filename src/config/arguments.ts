/**
 * The command line, with redis-server's grammar:
 *
 *     [path/to/redis.conf] [--directive value ...]... [-]
 *
 * Directives of the command line are turned into lines of a configuration file and read behind the file, so that they
 * override it. An argument beginning with "--" is a directive only where the one before it has its value: after
 * "--requirepass", "--secret" is the password. `--save` alone is the exception, because generated command lines pass
 * it so: without a value it means an empty one.
 */
import { bytesOfText, quoted, splitArguments } from "./quoting.ts";

/** What to run with. */
export interface Run {
  readonly kind: "run";
  /** As written; relative to the working directory. */
  readonly file: string | undefined;
  /** Whether further lines are to be read from standard input, behind the file. */
  readonly standardInput: boolean;
  /** The lines of the command line's directives: a byte string, separated by newlines. */
  readonly lines: string;
}

/** What the command line asks for. */
export type Invocation =
  | Run
  | { readonly kind: "version" }
  | { readonly kind: "help" }
  | { readonly kind: "refused"; readonly reason: string };

const REFUSED: ReadonlyMap<string, string> = new Map([
  ["--test-memory", "Testing the machine's memory is not part of Stillwater; memtest86 does it better."],
  ["--check-system", "Stillwater has no system check: no setting of the operating system matters to it."],
]);

/** @param args what follows the program's name */
export function parseArguments(args: readonly string[]): Invocation {
  const [first] = args;
  if (first === "-v" || first === "--version") return { kind: "version" };
  if (first === "-h" || first === "--help") return { kind: "help" };
  const reason = args.includes("--sentinel") ? "Stillwater has no Sentinel mode." : REFUSED.get(first ?? "");
  if (reason !== undefined) return { kind: "refused", reason };
  const file = first === undefined || first.startsWith("-") ? undefined : first;
  const rest = file === undefined ? args : args.slice(1);
  const isStandardInput = (index: number) =>
    rest[index] === "-" && ((index === 0 && file === undefined) || index === rest.length - 1);
  return {
    kind: "run",
    file,
    standardInput: rest.some((_, index) => isStandardInput(index)),
    lines: directiveLines(rest.filter((_, index) => !isStandardInput(index))),
  };
}

function directiveLines(args: readonly string[]): string {
  let lines = "";
  let awaitsValue = false;
  for (const [index, argument] of args.entries()) {
    if (awaitsValue || !argument.startsWith("--")) {
      lines += `${quoted(bytesOfText(argument))} `;
      awaitsValue = false;
      continue;
    }
    if (lines !== "") lines += "\n";
    lines += `${bytesOfText(argument.slice(2))} `;
    awaitsValue = splitArguments(argument)?.length === 1;
    const next = args[index + 1];
    if (argument.toLowerCase() === "--save" && (next === undefined || next.startsWith("--"))) {
      lines += '""';
      awaitsValue = false;
    }
  }
  return lines;
}
