/** CONFIG: the directives of a running store. */
import type { Arguments } from "../base/arguments.ts";
import { ConfigurationError } from "../config/configuration.ts";
import { findDirective } from "../config/directives.ts";
import { bytes, repeated } from "./argument.ts";
import { isLocal } from "./client-attributes.ts";
import { subcommand } from "./command.ts";
import { container } from "./container.ts";
import type { Context } from "./context.ts";
import { CommandError, SYNTAX_ERROR } from "./errors.ts";
import type { Reply } from "./reply.ts";

const SHARED = { group: "server", flags: ["admin", "noscript", "loading", "stale"] } as const;
const ON_EVERY_NODE = ["request_policy:all_nodes", "response_policy:all_succeeded"];

const GET = subcommand("CONFIG", {
  ...SHARED,
  name: "GET",
  summary: "Returns the directives whose names match a pattern, and their values.",
  complexity: "O(N) where N is the number of directives",
  since: "2.0.0",
  arity: -3,
  history: [["7.0.0", "Several patterns may be given."]],
  args: { parameter: repeated({ parameter: bytes() }) },
  run({ reply, services }, _, args) {
    const patterns = Array.from({ length: args.count - 2 }, (_each, index) => args.latin1(index + 2));
    const found = services.configuration.configGet(patterns);
    reply.map(found.length);
    for (const [name, value] of found) {
      replyBytes(reply, name);
      replyBytes(reply, value);
    }
  },
});

/** Replies with a byte string: a character a byte. */
function replyBytes(reply: Reply, text: string): void {
  const written = Buffer.from(text, "latin1");
  reply.bulk(written, 0, written.length);
}

const SET = subcommand("CONFIG", {
  ...SHARED,
  name: "SET",
  summary: "Gives directives other values: all of them, or none if one cannot be set.",
  complexity: "O(N) where N is the number of directives given",
  since: "2.0.0",
  arity: -4,
  tips: ON_EVERY_NODE,
  history: [["7.0.0", "Several directives may be given."]],
  args: { data: repeated({ parameter: bytes(), value: bytes() }) },
  secrets(args) {
    const values: number[] = [];
    for (let at = 2; at + 1 < args.count; at += 2) {
      if (findDirective(args.latin1(at))?.directive.rules.sensitive === true) values.push(at + 1);
    }
    return values;
  },
  run(context, _, args) {
    const circumstances = { loading: context.services.persistence.isLoading, local: isLocal(context.session) };
    try {
      context.services.configuration.configSet(pairsOf(args), circumstances);
    } catch (error) {
      throw asCommandError(error);
    }
    context.reply.ok();
  },
});

function pairsOf(args: Arguments): [name: string, value: string][] {
  if (args.count % 2 !== 0) throw new CommandError(SYNTAX_ERROR);
  const pairs: [string, string][] = [];
  for (let at = 2; at < args.count; at += 2) pairs.push([args.latin1(at), args.latin1(at + 1)]);
  return pairs;
}

function asCommandError(error: unknown): unknown {
  return error instanceof ConfigurationError ? new CommandError(`${error.code} ${error.message}`) : error;
}

const RESETSTAT = subcommand("CONFIG", {
  ...SHARED,
  name: "RESETSTAT",
  summary: "Sets the counters that INFO shows back to zero.",
  complexity: "O(1)",
  since: "2.0.0",
  arity: 2,
  tips: ON_EVERY_NODE,
  args: {},
  run({ reply, services, keyspace }) {
    services.statistics.reset();
    services.keyspace.releaser.resetStatistics();
    services.keyspace.evictor.resetStatistics();
    services.keyspace.defragmenter.resetStatistics();
    services.clients.totalConnections = 0;
    services.clients.rejectedConnections = 0;
    services.clients.evictedClients = 0;
    keyspace.hits = 0;
    keyspace.misses = 0;
    keyspace.expiredKeys = 0;
    keyspace.expiredFields = 0;
    keyspace.evictedKeys = 0;
    keyspace.expiry.capReached = 0;
    keyspace.expiry.stalePercent = 0;
    reply.ok();
  },
});

const REWRITE = subcommand("CONFIG", {
  ...SHARED,
  name: "REWRITE",
  summary: "Writes the values in force into the configuration file.",
  complexity: "O(1)",
  since: "2.8.0",
  arity: 2,
  tips: ON_EVERY_NODE,
  args: {},
  run(context) {
    const { configuration } = context.services;
    // Known at once, so that a synchronous call has its answer too.
    if (configuration.file === undefined) throw new CommandError("ERR The server is running without a config file");
    context.later(rewritten(context));
  },
});

async function rewritten({ services }: Context): Promise<(reply: Reply) => void> {
  try {
    await services.configuration.rewrite();
    return (reply) => reply.ok();
  } catch (error) {
    const failure = asCommandError(error);
    if (!(failure instanceof CommandError)) throw error;
    services.statistics.countError(failure.code);
    return (reply) => reply.error(failure.message);
  }
}

const CONFIG = container({
  name: "CONFIG",
  summary: "Holds the commands about the configuration.",
  since: "2.0.0",
  helpSince: "5.0.0",
  group: "server",
  subcommands: [GET, RESETSTAT, REWRITE, SET],
});

export const configCommands = [CONFIG];
