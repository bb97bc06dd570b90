/**
 * CLIENT's subcommands for what no client here does yet: blocking, and caching on the client's side. They answer as a
 * server does on which nobody is blocked and nobody has asked for tracking; asking for it is refused.
 */
import type { Arguments } from "../base/arguments.ts";
import { type ArgumentDocument, deferred, pureToken, rest, word } from "./argument.ts";
import { subcommand } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, misusedSubcommand, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";

const OWN = { group: "connection", flags: ["noscript", "loading", "stale"] } as const;

const NOT_TRACKING =
  "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled";
const NO_TRACKING = "ERR client-side caching (CLIENT TRACKING ON) is not available in this version";
const NOBODY = -1;

const CACHING = subcommand("CLIENT", {
  ...OWN,
  name: "CACHING",
  summary: "Decides whether the keys of the next command are tracked.",
  complexity: "O(1)",
  since: "6.0.0",
  arity: 3,
  args: { mode: rest({ name: "mode", type: "oneof", arguments: [pureToken("YES"), pureToken("NO")] }) },
  run() {
    throw new CommandError(NOT_TRACKING);
  },
});

const GETREDIR = subcommand("CLIENT", {
  ...OWN,
  name: "GETREDIR",
  summary: "Returns which connection is told of changes to tracked keys.",
  complexity: "O(1)",
  since: "6.0.0",
  arity: 2,
  args: {},
  run({ reply }) {
    reply.integer(NOBODY);
  },
});

const optionalToken = (token: string): ArgumentDocument => ({ ...pureToken(token, token), flags: ["optional"] });

const TRACKING = subcommand("CLIENT", {
  ...OWN,
  name: "TRACKING",
  summary: "Decides whether the client is told of changes to the keys it has read.",
  complexity: "O(1)",
  since: "6.0.0",
  arity: -3,
  args: {
    status: word("ON", "OFF"),
    options: rest(
      { name: "client-id", type: "integer", token: "REDIRECT", flags: ["optional"] },
      { name: "prefix", type: "string", token: "PREFIX", flags: ["optional", "multiple", "multiple_token"] },
      ...["BCAST", "OPTIN", "OPTOUT", "NOLOOP"].map(optionalToken),
    ),
  },
  run(context, { status, options }, args) {
    checkTrackingOptions(context, args, options);
    if (status === "ON") throw new CommandError(NO_TRACKING);
    context.reply.ok();
  },
});

function checkTrackingOptions({ services }: Context, args: Arguments, first: number): void {
  let target: number | undefined;
  for (let at = first; at < args.count; at++) {
    const hasValue = at + 1 < args.count;
    if (args.is(at, "REDIRECT") && hasValue) {
      if (target !== undefined) throw new CommandError("ERR A client can only redirect to a single other client");
      at += 1;
      const id = args.int64(at);
      if (id === undefined) throw new CommandError(NOT_AN_INTEGER);
      if (![...services.clients.list()].some(({ session }) => session.id === id)) {
        throw new CommandError("ERR The client ID you want redirect to does not exist");
      }
      target = Number(id);
    } else if (args.is(at, "PREFIX") && hasValue) {
      at += 1;
    } else if (!["BCAST", "OPTIN", "OPTOUT", "NOLOOP"].some((flag) => args.is(at, flag))) {
      throw new CommandError(SYNTAX_ERROR);
    }
  }
}

const TRACKINGINFO = subcommand("CLIENT", {
  ...OWN,
  name: "TRACKINGINFO",
  summary: "Tells what the connection has asked to be told of.",
  complexity: "O(1)",
  since: "6.2.0",
  arity: 2,
  args: {},
  run({ reply }) {
    reply.map(3);
    reply.bulkText("flags");
    reply.set(1);
    reply.bulkText("off");
    reply.bulkText("redirect");
    reply.integer(NOBODY);
    reply.bulkText("prefixes");
    reply.array(0);
  },
});

const UNBLOCK = subcommand("CLIENT", {
  ...OWN,
  name: "UNBLOCK",
  summary: "Ends another client's wait in a blocking command.",
  complexity: "O(log N) where N is the number of client connections",
  since: "5.0.0",
  arity: -3,
  flags: ["admin", "noscript", "loading", "stale"],
  args: {
    "client-id": deferred("integer"),
    "unblock-type": rest({
      name: "unblock-type",
      type: "oneof",
      flags: ["optional"],
      arguments: [pureToken("TIMEOUT"), pureToken("ERROR")],
    }),
  },
  run({ reply }, parsed, args) {
    const reason = parsed["unblock-type"];
    if (args.count > 4) throw new CommandError(misusedSubcommand(args.latin1(1), "CLIENT"));
    if (args.count === 4 && !args.is(reason, "TIMEOUT") && !args.is(reason, "ERROR")) {
      throw new CommandError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
    if (args.int64(parsed["client-id"]) === undefined) throw new CommandError(NOT_AN_INTEGER);
    reply.integer(0);
  },
});

export const clientTrackingCommands = [CACHING, GETREDIR, TRACKING, TRACKINGINFO, UNBLOCK];
