/** COMMAND: what commands there are, served from their declarations. */
import type { Arguments } from "../base/arguments.ts";
import { matchesGlob } from "../base/glob.ts";
import { categoriesOf } from "./acl-categories.ts";
import { bytes, optional, repeated, rest } from "./argument.ts";
import { type Command, command, subcommand } from "./command.ts";
import { replyDocsByName } from "./command-docs.ts";
import { replyCommandInfo, replyKeyFlags } from "./command-info.ts";
import { findKeys, type KeyReference } from "./command-keys.ts";
import type { Context } from "./context.ts";
import { CommandError, SYNTAX_ERROR } from "./errors.ts";
import { helpOf } from "./help.ts";
import type { Reply } from "./reply.ts";

const SHARED = { group: "server", categories: ["connection"], flags: ["loading", "stale"] } as const;
const ANY_ORDER = ["nondeterministic_output_order"];

const COUNT = subcommand("COMMAND", {
  ...SHARED,
  name: "COUNT",
  summary: "Returns how many commands there are, subcommands aside.",
  complexity: "O(1)",
  since: "2.8.13",
  arity: 2,
  args: {},
  run(context) {
    context.reply.integer(context.services.commands.all.length);
  },
});

const DOCS = subcommand("COMMAND", {
  ...SHARED,
  name: "DOCS",
  summary: "Returns the documentation of the commands named, or of all.",
  complexity: "O(N) where N is the number of commands to look up",
  since: "7.0.0",
  arity: -2,
  tips: ANY_ORDER,
  args: { "command-name": optional(repeated({ "command-name": bytes() })) },
  run({ services, reply }, _, args) {
    const { commands } = services;
    replyDocsByName(reply, args.count === 2 ? commands.all : namedCommands(services.commands, args).filter(isFound));
  },
});

const GETKEYS = subcommand("COMMAND", {
  ...SHARED,
  name: "GETKEYS",
  summary: "Returns those arguments of a whole command that are keys.",
  complexity: "O(N) where N is the number of arguments to the command",
  since: "2.8.13",
  arity: -3,
  args: { command: bytes(), arg: optional(repeated({ arg: bytes() })) },
  run(context, _, args) {
    const keys = keysGiven(context, args);
    context.reply.array(keys.length);
    for (const { index } of keys) context.reply.bulk(args.bytes, args.start(index), args.length(index));
  },
});

const GETKEYSANDFLAGS = subcommand("COMMAND", {
  ...SHARED,
  name: "GETKEYSANDFLAGS",
  summary: "Returns those arguments of a whole command that are keys, and what it does to each.",
  complexity: "O(N) where N is the number of arguments to the command",
  since: "7.0.0",
  arity: -3,
  args: { command: bytes(), arg: optional(repeated({ arg: bytes() })) },
  run(context, _, args) {
    const { reply } = context;
    const keys = keysGiven(context, args);
    reply.array(keys.length);
    for (const { index, flags } of keys) {
      reply.array(2);
      reply.bulk(args.bytes, args.start(index), args.length(index));
      replyKeyFlags(reply, flags);
    }
  },
});

const INFO = subcommand("COMMAND", {
  ...SHARED,
  name: "INFO",
  summary: "Returns what a client needs to know of the commands named, or of all.",
  complexity: "O(N) where N is the number of commands to look up",
  since: "2.8.13",
  arity: -2,
  tips: ANY_ORDER,
  history: [["7.0.0", "Without a name, all commands are returned."]],
  args: { "command-name": optional(repeated({ "command-name": bytes() })) },
  run({ services, reply }, _, args) {
    replyInfos(reply, args.count === 2 ? services.commands.all : namedCommands(services.commands, args));
  },
});

const LIST = subcommand("COMMAND", {
  ...SHARED,
  name: "LIST",
  summary: "Returns the names of all commands and subcommands, or of those chosen by a filter.",
  complexity: "O(N) where N is the total number of commands",
  since: "7.0.0",
  arity: -2,
  tips: ANY_ORDER,
  args: {
    filterby: rest({
      name: "filterby",
      type: "oneof",
      token: "FILTERBY",
      flags: ["optional"],
      arguments: [
        { name: "module-name", type: "string", token: "MODULE" },
        { name: "category", type: "string", token: "ACLCAT" },
        { name: "pattern", type: "pattern", token: "PATTERN" },
      ],
    }),
  },
  run({ services, reply }, _, args) {
    const isListed = filterFrom(args);
    const every = services.commands.all.flatMap((each) => [each, ...(each.subcommands ?? [])]);
    const names = every.filter(isListed).map(({ fullName }) => fullName);
    reply.array(names.length);
    for (const name of names) reply.bulkText(name);
  },
});

const others = [COUNT, DOCS, GETKEYS, GETKEYSANDFLAGS, INFO, LIST];
const HELP = helpOf({
  parent: "COMMAND",
  since: "5.0.0",
  group: SHARED.group,
  categories: SHARED.categories,
  subcommands: others,
});

const COMMAND = command({
  ...SHARED,
  name: "COMMAND",
  summary: "Returns what a client needs to know of all commands.",
  complexity: "O(N) where N is the total number of commands",
  since: "2.8.13",
  arity: -1,
  tips: ANY_ORDER,
  args: {},
  subcommands: [...others, HELP],
  run({ services, reply }) {
    replyInfos(reply, services.commands.all);
  },
});

type Commands = Context["services"]["commands"];

function namedCommands(commands: Commands, args: Arguments): (Command | undefined)[] {
  return Array.from({ length: args.count - 2 }, (_, index) => commands.byName(args.latin1(index + 2)));
}

function isFound(found: Command | undefined): found is Command {
  return found !== undefined;
}

function replyInfos(reply: Reply, commands: readonly (Command | undefined)[]): void {
  reply.array(commands.length);
  for (const each of commands) {
    if (each === undefined) reply.null();
    else replyCommandInfo(reply, each);
  }
}

/** The keys of the command that begins with the third argument. @throws CommandError */
function keysGiven(context: Context, args: Arguments): readonly KeyReference[] {
  let found = context.services.commands.find(args, 2);
  if (found?.subcommands !== undefined && args.count > 3) {
    found = found.subcommands.find(({ name }) => args.is(3, name));
  }
  if (found === undefined) throw new CommandError("ERR Invalid command specified");
  if (!found.keys?.some(({ flags }) => !flags.includes("not_key"))) {
    throw new CommandError("ERR The command has no key arguments");
  }
  const count = args.count - 2;
  if (found.arity > 0 ? count !== found.arity : count < -found.arity) {
    throw new CommandError("ERR Invalid number of arguments specified for command");
  }
  const keys = findKeys(found, args, 2);
  if (keys === undefined || keys.length === 0) throw new CommandError("ERR Invalid arguments specified for command");
  return keys;
}

/** Which commands COMMAND LIST shows. @throws CommandError */
function filterFrom(args: Arguments): (command: Command) => boolean {
  if (args.count === 2) return () => true;
  if (args.count !== 5 || !args.is(2, "FILTERBY")) throw new CommandError(SYNTAX_ERROR);
  if (args.is(3, "MODULE")) return () => false;
  if (args.is(3, "ACLCAT")) {
    const category = args.latin1(4).toLowerCase();
    return (each) => categoriesOf(each).includes(category);
  }
  if (!args.is(3, "PATTERN")) throw new CommandError(SYNTAX_ERROR);
  const pattern = args.buffer(4);
  return ({ fullName }) => matchesGlob(pattern, Buffer.from(fullName), 0, fullName.length, true);
}

export const introspectionCommands = [COMMAND];
