/** CLIENT: connections, as they see themselves and as an administrator sees them all. */
import type { Arguments } from "../base/arguments.ts";
import { INT64_MAX } from "../base/int64.ts";
import { type ArgumentDocument, bytes, deferred, pureToken, rest, word } from "./argument.ts";
import { describeClient, validAttribute, validName } from "./client-attributes.ts";
import { killFilter, typeFilter } from "./client-filter.ts";
import { clientTrackingCommands } from "./client-tracking.ts";
import { subcommand } from "./command.ts";
import { container } from "./container.ts";
import type { Client, Context } from "./context.ts";
import { CommandError, misusedSubcommand, SYNTAX_ERROR } from "./errors.ts";

const OWN = { group: "connection", flags: ["noscript", "loading", "stale"] } as const;
const OTHERS = { group: "connection", flags: ["admin", "noscript", "loading", "stale"] } as const;
const ON_EVERY_NODE = ["request_policy:all_nodes", "response_policy:all_succeeded"];

const ID = subcommand("CLIENT", {
  ...OWN,
  name: "ID",
  summary: "Returns the connection's number, which no later one will have.",
  complexity: "O(1)",
  since: "5.0.0",
  arity: 2,
  args: {},
  run({ reply, session }) {
    reply.integer(session.id);
  },
});

const INFO = subcommand("CLIENT", {
  ...OWN,
  name: "INFO",
  summary: "Describes the connection, as CLIENT LIST does.",
  complexity: "O(1)",
  since: "6.2.0",
  arity: 2,
  tips: ["nondeterministic_output"],
  args: {},
  run(context) {
    const self = clientsOf(context).filter(({ session }) => session === context.session);
    replyClients(context, self);
  },
});

const CLIENT_TYPES: readonly ArgumentDocument[] = [
  pureToken("normal"),
  pureToken("master"),
  pureToken("replica"),
  pureToken("pubsub"),
];

const LIST = subcommand("CLIENT", {
  ...OTHERS,
  name: "LIST",
  summary: "Describes the connections, one a line.",
  complexity: "O(N) where N is the number of client connections",
  since: "2.4.0",
  arity: -2,
  tips: ["nondeterministic_output"],
  history: [
    ["2.8.12", "Added the field `id`."],
    ["5.0.0", "Added the filter `TYPE`."],
    ["6.0.0", "Added the field `user`."],
    ["6.2.0", "Added the fields `argv-mem`, `tot-mem`, `laddr` and `redir`, and the filter `ID`."],
    ["7.0.0", "Added the fields `resp`, `multi-mem`, `rbs` and `rbp`."],
    ["7.0.3", "Added the field `ssub`."],
    ["7.2.0", "Added the fields `lib-name` and `lib-ver`."],
  ],
  args: {
    filter: rest(
      {
        name: "client-type",
        type: "oneof",
        token: "TYPE",
        since: "5.0.0",
        flags: ["optional"],
        arguments: CLIENT_TYPES,
      },
      { name: "client-id", type: "integer", token: "ID", since: "6.2.0", flags: ["optional", "multiple"] },
    ),
  },
  run(context, _, args) {
    const clients = clientsOf(context);
    if (args.count === 2) replyClients(context, clients);
    else if (args.count === 4 && args.is(2, "TYPE")) replyClients(context, clients.filter(typeFilter(args, 3)));
    else if (args.count > 3 && args.is(2, "ID")) replyClients(context, clientsNamed(clients, args));
    else throw new CommandError(SYNTAX_ERROR);
  },
});

function clientsOf({ services }: Context): Client[] {
  return [...services.clients.list()];
}

/** Those of the ids given, in that order. */
function clientsNamed(clients: readonly Client[], args: Arguments): Client[] {
  const named: Client[] = [];
  for (let index = 3; index < args.count; index++) {
    const id = args.int64(index);
    if (id === undefined) throw new CommandError("ERR Invalid client ID");
    named.push(...clients.filter(({ session }) => session.id === id));
  }
  return named;
}

function replyClients({ reply, keyspace }: Context, clients: readonly Client[]): void {
  const now = keyspace.clock.now();
  reply.verbatim("txt", clients.map((client) => `${describeClient(client, now)}\n`).join(""));
}

const option = (token: string, name: string, more: Partial<ArgumentDocument> = {}): ArgumentDocument => {
  return { name, type: "string", token, flags: ["optional"], ...more };
};

const KILL = subcommand("CLIENT", {
  ...OTHERS,
  name: "KILL",
  summary: "Closes the connections that all filters fit.",
  complexity: "O(N) where N is the number of client connections",
  since: "2.4.0",
  arity: -3,
  history: [
    ["2.8.12", "Added filters, among them `ID`."],
    ["3.2.0", "Added the type `master`."],
    ["5.0.0", "The type `slave` is also called `replica`."],
    ["6.2.0", "Added the filter `LADDR`."],
  ],
  args: {
    filter: rest({
      name: "filter",
      type: "oneof",
      arguments: [
        { name: "old-format", type: "string", displayText: "ip:port", deprecatedSince: "2.8.12" },
        {
          name: "new-format",
          type: "oneof",
          flags: ["multiple"],
          arguments: [
            option("ID", "client-id", { type: "integer", since: "2.8.12" }),
            option("TYPE", "client-type", {
              type: "oneof",
              since: "2.8.12",
              arguments: [...CLIENT_TYPES, pureToken("slave")],
            }),
            option("USER", "username"),
            option("ADDR", "addr", { displayText: "ip:port" }),
            option("LADDR", "laddr", { displayText: "ip:port", since: "6.2.0" }),
            option("SKIPME", "skipme", { type: "oneof", arguments: [pureToken("YES"), pureToken("NO")] }),
          ],
        },
      ],
    }),
  },
  run(context, { filter }, args) {
    if (args.count > 3) {
      context.reply.integer(killAll(context, killFilter(args, context.session)));
      return;
    }
    const address = args.latin1(filter);
    if (killAll(context, ({ session }) => session.address === address) === 0) {
      throw new CommandError("ERR No such client");
    }
    context.reply.ok();
  },
});

/** @returns how many were killed; whoever asks is still replied to */
function killAll(context: Context, isMeant: (client: Client) => boolean): number {
  const meant = clientsOf(context).filter(isMeant);
  for (const client of meant) {
    if (client.session === context.session) context.session.closeAfterReply = true;
    else client.kill();
  }
  return meant.length;
}

const GETNAME = subcommand("CLIENT", {
  ...OWN,
  name: "GETNAME",
  summary: "Returns the connection's name.",
  complexity: "O(1)",
  since: "2.6.9",
  arity: 2,
  args: {},
  run({ reply, session }) {
    if (session.name === "") reply.null();
    else reply.bulkText(session.name);
  },
});

const SETNAME = subcommand("CLIENT", {
  ...OWN,
  name: "SETNAME",
  summary: "Names the connection; an empty name takes its name away.",
  complexity: "O(1)",
  since: "2.6.9",
  arity: 3,
  tips: ON_EVERY_NODE,
  args: { "connection-name": bytes() },
  run({ reply, session }, parsed, args) {
    session.name = validName(args, parsed["connection-name"]);
    reply.ok();
  },
});

const SETINFO = subcommand("CLIENT", {
  ...OWN,
  name: "SETINFO",
  summary: "Notes which client library the connection is used by.",
  complexity: "O(1)",
  since: "7.2.0",
  arity: 4,
  tips: ON_EVERY_NODE,
  args: {
    attr: rest({
      name: "attr",
      type: "oneof",
      arguments: [
        { name: "libname", type: "string", token: "lib-name" },
        { name: "libver", type: "string", token: "lib-ver" },
      ],
    }),
  },
  run({ reply, session }, { attr }, args) {
    const given = args.latin1(attr);
    if (args.is(attr, "LIB-NAME")) session.libraryName = validAttribute(args, attr + 1, given);
    else if (args.is(attr, "LIB-VER")) session.libraryVersion = validAttribute(args, attr + 1, given);
    else throw new CommandError(`ERR Unrecognized option '${given}'`);
    reply.ok();
  },
});

const NO_EVICT = subcommand("CLIENT", {
  ...OTHERS,
  name: "NO-EVICT",
  summary: "Decides whether the connection may be closed when clients take too much memory.",
  complexity: "O(1)",
  since: "7.0.0",
  arity: 3,
  args: { enabled: word("ON", "OFF") },
  run({ reply, session }, { enabled }) {
    session.noEvict = enabled === "ON";
    reply.ok();
  },
});

const NO_TOUCH = subcommand("CLIENT", {
  ...OWN,
  name: "NO-TOUCH",
  summary: "Decides whether the connection's commands count as uses of the keys they touch.",
  complexity: "O(1)",
  since: "7.2.0",
  arity: 3,
  args: { enabled: word("ON", "OFF") },
  run({ reply, session }, { enabled }) {
    session.noTouch = enabled === "ON";
    reply.ok();
  },
});

const REPLY = subcommand("CLIENT", {
  ...OWN,
  name: "REPLY",
  summary: "Decides which commands are replied to: all, none, or all but the next.",
  complexity: "O(1)",
  since: "3.2.0",
  arity: 3,
  args: { action: word("ON", "OFF", "SKIP") },
  run({ reply, session }, { action }) {
    // The connection takes back what is written here unless replies are on.
    reply.ok();
    if (action === "ON") session.replyMode = "on";
    else if (action === "OFF") session.replyMode = "off";
    else if (session.replyMode !== "off") session.replyMode = "skip-next";
  },
});

const PAUSE = subcommand("CLIENT", {
  ...OTHERS,
  name: "PAUSE",
  summary: "Holds back the commands of all clients, or those that write, for a time in milliseconds.",
  complexity: "O(1)",
  since: "3.0.0",
  arity: -3,
  history: [["6.2.0", "Added the mode `WRITE`."]],
  args: {
    timeout: deferred("integer"),
    mode: rest({
      name: "mode",
      type: "oneof",
      since: "6.2.0",
      flags: ["optional"],
      arguments: [pureToken("WRITE"), pureToken("ALL")],
    }),
  },
  run(context, { timeout, mode }, args) {
    if (args.count > 4) throw new CommandError(misusedSubcommand(args.latin1(1), "CLIENT"));
    const isWrite = args.count === 4 && args.is(mode, "WRITE");
    if (args.count === 4 && !isWrite && !args.is(mode, "ALL")) {
      throw new CommandError("ERR CLIENT PAUSE mode must be WRITE or ALL");
    }
    const now = context.keyspace.clock.now();
    const milliseconds = args.int64(timeout);
    if (milliseconds === undefined) throw new CommandError("ERR timeout is not an integer or out of range");
    if (milliseconds < 0) throw new CommandError("ERR timeout is negative");
    if (milliseconds > INT64_MAX - BigInt(now)) throw new CommandError("ERR timeout is out of range");
    context.services.clients.pause(now + Number(milliseconds), isWrite ? "WRITE" : "ALL");
    context.reply.ok();
  },
});

const UNPAUSE = subcommand("CLIENT", {
  ...OTHERS,
  name: "UNPAUSE",
  summary: "Ends a pause of the clients.",
  complexity: "O(N) where N is the number of paused clients",
  since: "6.2.0",
  arity: 2,
  args: {},
  run({ services, reply }) {
    services.clients.unpause();
    reply.ok();
  },
});

const own = [GETNAME, ID, INFO, NO_TOUCH, REPLY, SETINFO, SETNAME];
const others = [KILL, LIST, NO_EVICT, PAUSE, UNPAUSE];

const CLIENT = container({
  name: "CLIENT",
  summary: "Holds the commands about client connections.",
  since: "2.4.0",
  helpSince: "5.0.0",
  group: "connection",
  subcommands: [...own, ...others, ...clientTrackingCommands],
});

export const clientCommands = [CLIENT];
