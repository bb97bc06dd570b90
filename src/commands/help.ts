/** HELP: what a command with subcommands tells of them, in Redis's form, composed from their declarations. */
import type { Arguments } from "../base/arguments.ts";
import type { ArgumentDocument } from "./argument.ts";
import { type Command, type CommandGroup, subcommand } from "./command.ts";
import { documentsOf } from "./command-docs.ts";
import { withoutCase } from "./command-names.ts";
import type { Reply } from "./reply.ts";

/** One subcommand: how it is written, and what it does. */
export interface Usage {
  readonly syntax: string;
  readonly summary: string;
}

const LINE_MAX = 76;
/** What is longer is not written again to show that it may be repeated. */
const REPEATED_MAX = 40;

/** What the HELP subcommand of `parent` is declared with beside that. */
export interface HelpDeclaration {
  readonly parent: string;
  readonly since: string;
  readonly group: CommandGroup;
  readonly categories?: readonly string[];
  /** The other subcommands. */
  readonly subcommands: readonly Command[];
}

/** Declares the HELP subcommand that describes the others. */
export function helpOf({ parent, subcommands, ...declaration }: HelpDeclaration): Command {
  return subcommand(parent, {
    name: "HELP",
    summary: "Describes the subcommands.",
    complexity: "O(1)",
    arity: 2,
    flags: ["loading", "stale"],
    ...declaration,
    args: {},
    run(context, _, args) {
      const usages = subcommands.map((each) => ({ syntax: syntaxOf(each), summary: each.summary }));
      replyHelp(context.reply, args, usages);
    },
  });
}

/**
 * Replies with the description of all subcommands, in the order given.
 * @param args the command's: it is called here as the client calls it, which may not be its own name
 */
export function replyHelp(reply: Reply, args: Arguments, usages: readonly Usage[]): void {
  const name = withoutCase(args.shown(0)).replaceAll(/[\r\n]/g, " ");
  const lines = [`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`];
  for (const { syntax, summary } of usages) lines.push(syntax, ...indented(summary));
  lines.push("HELP", "    Print this help.");
  reply.array(lines.length);
  for (const line of lines) reply.simple(line);
}

function indented(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > LINE_MAX) {
      lines.push(`    ${line}`);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, `    ${line}`];
}

function syntaxOf(command: Command): string {
  return [command.name, ...documentsOf(command.args).map(syntaxOfArgument)].join(" ");
}

function syntaxOfArgument(document: ArgumentDocument): string {
  const text = requiredSyntax(document);
  return document.flags?.includes("optional") ? `[${text}]` : text;
}

/** The syntax of an argument that is there. */
function requiredSyntax(document: ArgumentDocument): string {
  const { type, token, flags = [] } = document;
  if (type === "pure-token") return token ?? document.name;
  const value = valueSyntax(document);
  const text = token === undefined ? value : `${token} ${value}`;
  if (!flags.includes("multiple")) return text;
  const again = flags.includes("multiple_token") ? text : value;
  return `${text} [${again.length > REPEATED_MAX ? "" : `${again} `}...]`;
}

function valueSyntax({ name, type, displayText, arguments: inner = [] }: ArgumentDocument): string {
  if (type === "oneof") return `(${inner.map(requiredSyntax).join("|")})`;
  if (type === "block") return inner.map(syntaxOfArgument).join(" ");
  return `<${displayText ?? name}>`;
}
