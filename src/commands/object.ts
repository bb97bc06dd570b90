/** OBJECT: how a key's value is stored, and how it is used. */
import { INT, STRING } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { key } from "./argument.ts";
import { type CommandDeclaration, command, subcommand } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, wrongArity } from "./errors.ts";
import { SUBCOMMAND_METADATA_KEY } from "./key-specs.ts";

/** Integers below this are one object for all keys in Redis, and their count of references has no meaning. */
const SHARED_INTEGERS = 10_000;
const SHARED_REFERENCES = 2 ** 31 - 1;

const WHEN_SWITCHING =
  "Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.";

const HELP_LINES = [
  "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "ENCODING <key>",
  "    Return the kind of internal representation used in order to store the value",
  "    associated with a <key>.",
  "FREQ <key>",
  "    Return the access frequency index of the <key>. The returned integer is",
  "    proportional to the logarithm of the recent access frequency of the key.",
  "IDLETIME <key>",
  "    Return the idle time of the <key>, that is the approximated number of",
  "    seconds elapsed since the last access to the key.",
  "REFCOUNT <key>",
  "    Return the number of references of the value associated with the specified",
  "    <key>.",
  "HELP",
  "    Prints this help.",
];

const aboutKey = {
  complexity: "O(1)",
  group: "generic",
  arity: 3,
  flags: ["readonly"],
  categories: ["keyspace"],
  keys: [SUBCOMMAND_METADATA_KEY],
  tips: ["nondeterministic_output"],
  args: { key: key() },
} as const satisfies Partial<CommandDeclaration<{ key: ReturnType<typeof key> }>>;

/** A subcommand that tells one thing of a key, or null if it does not exist. */
function aboutKeyCommand(name: string, since: string, summary: string, tell: (context: Context, key: Key) => void) {
  return subcommand("OBJECT", {
    ...aboutKey,
    name,
    since,
    summary,
    run(context, parsed, args) {
      const key = context.database.examine(args, parsed.key);
      if (key.found) tell(context, key);
      else context.reply.null();
    },
  });
}

const ENCODING = aboutKeyCommand("ENCODING", "2.2.3", "Tells how the value of a key is stored.", (context, key) =>
  context.reply.bulkText(key.encodingName),
);

const FREQ = aboutKeyCommand(
  "FREQ",
  "4.0.0",
  "Tells how often a key is accessed, as a logarithmic count.",
  ({ keyspace, reply }, key) => {
    if (!keyspace.access.countsAccesses) {
      throw new CommandError(
        `ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${WHEN_SWITCHING}`,
      );
    }
    reply.integer(keyspace.access.count(key.shard.entries.accessClock(key.entry)));
  },
);

const IDLETIME = aboutKeyCommand(
  "IDLETIME",
  "2.2.3",
  "Tells how many seconds ago a key was last accessed.",
  ({ keyspace, reply }, key) => {
    if (keyspace.access.countsAccesses) {
      throw new CommandError(`ERR An LFU maxmemory policy is selected, idle time not tracked. ${WHEN_SWITCHING}`);
    }
    reply.integer(keyspace.access.idleSeconds(key.shard.entries.accessClock(key.entry)));
  },
);

const REFCOUNT = aboutKeyCommand(
  "REFCOUNT",
  "2.2.3",
  "Tells how many references to a key's value there are: one, but for small integers, which Redis shares.",
  (context, { shard, entry }) => {
    const { entries } = shard;
    const isInteger = entries.type(entry) === STRING && entries.encoding(entry) === INT;
    const integer = isInteger ? entries.integer(entry) : -1;
    context.reply.integer(integer >= 0 && integer < SHARED_INTEGERS ? SHARED_REFERENCES : 1);
  },
);

const HELP = subcommand("OBJECT", {
  name: "HELP",
  summary: "Explains the subcommands.",
  complexity: "O(1)",
  since: "6.2.0",
  group: "generic",
  arity: 2,
  flags: ["loading", "stale"],
  categories: ["keyspace"],
  args: {},
  run(context) {
    context.reply.array(HELP_LINES.length);
    for (const line of HELP_LINES) context.reply.simple(line);
  },
});

export const objectCommand = command({
  name: "OBJECT",
  summary: "Holds the commands that tell how a value is stored.",
  complexity: "Depends on the subcommand.",
  since: "2.2.3",
  group: "generic",
  arity: -2,
  flags: [],
  args: {},
  subcommands: [ENCODING, FREQ, HELP, IDLETIME, REFCOUNT],
  run() {
    throw new CommandError(wrongArity("object"));
  },
});
