/** Connection: what a client says about itself and asks of its connection. CLIENT has files of its own. */
import type { Arguments } from "../base/arguments.ts";
import { type ArgumentDocument, bytes, rest } from "./argument.ts";
import { authenticate, isOpen } from "./authentication.ts";
import { validName } from "./client-attributes.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, SYNTAX_ERROR, wrongArity } from "./errors.ts";
import type { Reply } from "./reply.ts";
import { REDIS_VERSION } from "./version.ts";

const PING = command({
  name: "PING",
  summary: "Replies with PONG, or with the message given: the server is there.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "connection",
  arity: -1,
  flags: ["fast"],
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  isForSubscribers: true,
  args: { message: rest({ name: "message", type: "string", flags: ["optional"] }) },
  run({ reply, session }, _, args) {
    if (args.count > 2) throw new CommandError(wrongArity("ping"));
    if (session.subscriber !== undefined && session.protocol === 2) {
      replyPongMessage(reply, args);
      return;
    }
    if (args.count === 1) reply.simple("PONG");
    else reply.bulk(args.bytes, args.start(1), args.length(1));
  },
});

/** In RESP2 a client that has subscribed to something expects messages, and nothing else. */
function replyPongMessage(reply: Reply, args: Arguments): void {
  reply.array(2);
  reply.bulkText("pong");
  if (args.count === 1) reply.bulkText("");
  else reply.bulk(args.bytes, args.start(1), args.length(1));
}

const ECHO = command({
  name: "ECHO",
  summary: "Replies with the message given.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "connection",
  arity: 2,
  flags: ["loading", "stale", "fast"],
  args: { message: bytes() },
  run({ reply }, { message }, args) {
    reply.bulk(args.bytes, args.start(message), args.length(message));
  },
});

const username: ArgumentDocument = { name: "username", type: "string" };
const password: ArgumentDocument = { name: "password", type: "string" };

const AUTH = command({
  name: "AUTH",
  summary: "Authenticates the connection with a password.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "connection",
  arity: -2,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  history: [["6.0.0", "The name of a user may stand before the password."]],
  args: { credentials: rest({ ...username, since: "6.0.0", flags: ["optional"] }, password) },
  secrets: (args) => Array.from({ length: args.count - 1 }, (_, index) => index + 1),
  run(context, _, args) {
    if (args.count > 3) throw new CommandError(SYNTAX_ERROR);
    if (args.count === 2 && isOpen(context)) throw new CommandError(NO_PASSWORD);
    authenticate(context, args, args.count === 3 ? 1 : undefined, args.count - 1);
    context.reply.ok();
  },
});

const NO_PASSWORD =
  "ERR AUTH <password> called without any password configured for the default user. " +
  "Are you sure your configuration is correct?";
const NOT_AUTHENTICATED =
  "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> " +
  "option can be used to authenticate the client and select the RESP protocol version at the same time";

const HELLO = command({
  name: "HELLO",
  summary: "Chooses the protocol's version, and tells what server this is.",
  complexity: "O(1)",
  since: "6.0.0",
  group: "connection",
  arity: -1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  history: [["6.2.0", "Without a version, the connection stays as it is."]],
  args: {
    arguments: rest({
      name: "arguments",
      type: "block",
      flags: ["optional"],
      arguments: [
        { name: "protover", type: "integer" },
        { name: "auth", type: "block", token: "AUTH", flags: ["optional"], arguments: [username, password] },
        { name: "clientname", type: "string", token: "SETNAME", flags: ["optional"] },
      ],
    }),
  },
  secrets(args) {
    const found: number[] = [];
    for (let at = 2; at + 2 < args.count; at++) if (args.is(at, "AUTH")) found.push(at + 1, at + 2);
    return found;
  },
  run(context, _, args) {
    const { session, reply } = context;
    const wanted = greetingFrom(args);
    if (wanted.user !== 0) authenticate(context, args, wanted.user, wanted.user + 1);
    if (!session.isAuthenticated) throw new CommandError(NOT_AUTHENTICATED);
    if (wanted.name !== undefined) session.name = wanted.name;
    if (wanted.version !== undefined) {
      session.protocol = wanted.version;
      reply.version = wanted.version;
    }
    replyGreeting(context);
  },
});

interface Greeting {
  readonly version: 2 | 3 | undefined;
  /** Index of the user's name, before that of the password; 0 if there is none. */
  user: number;
  name: string | undefined;
}

function greetingFrom(args: Arguments): Greeting {
  const greeting: Greeting = { version: args.count > 1 ? versionFrom(args) : undefined, user: 0, name: undefined };
  for (let at = 2; at < args.count; ) {
    const following = args.count - 1 - at;
    if (args.is(at, "AUTH") && following >= 2) {
      greeting.user = at + 1;
      at += 3;
    } else if (args.is(at, "SETNAME") && following >= 1) {
      greeting.name = validName(args, at + 1);
      at += 2;
    } else {
      throw new CommandError(`ERR Syntax error in HELLO option '${args.shown(at)}'`);
    }
  }
  return greeting;
}

function versionFrom(args: Arguments): 2 | 3 {
  const version = args.int64(1);
  if (version === undefined) throw new CommandError("ERR Protocol version is not an integer or out of range");
  if (version !== 2 && version !== 3) throw new CommandError("NOPROTO unsupported protocol version");
  return version;
}

function replyGreeting({ session, reply }: Context): void {
  const fields = {
    server: "redis",
    version: REDIS_VERSION,
    proto: session.protocol,
    id: session.id,
    mode: "standalone",
    role: "master",
  };
  const names = Object.entries(fields);
  reply.map(names.length + 1);
  for (const [name, value] of names) {
    reply.bulkText(name);
    if (typeof value === "number") reply.integer(value);
    else reply.bulkText(value);
  }
  reply.bulkText("modules");
  reply.array(0);
}

const QUIT = command({
  name: "QUIT",
  summary: "Closes the connection once its replies are sent.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "connection",
  arity: -1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  deprecatedSince: "7.2.0",
  replacedBy: "just closing the connection",
  isForSubscribers: true,
  args: { ignored: rest() },
  run({ session, reply }) {
    reply.ok();
    session.closeAfterReply = true;
  },
});

const RESET = command({
  name: "RESET",
  summary: "Makes the connection as if it were new.",
  complexity: "O(1)",
  since: "6.2.0",
  group: "connection",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  isForSubscribers: true,
  args: {},
  run(context) {
    const { session, reply } = context;
    if (session.subscriber !== undefined) context.services.pubSub.leave(session.subscriber);
    session.subscriber = undefined;
    context.database = context.keyspace.databases[0]!;
    session.databaseIndex = 0;
    session.protocol = 2;
    session.user = "default";
    session.isAuthenticated = isOpen(context);
    session.isMonitor = false;
    session.replyMode = "on";
    session.noEvict = false;
    session.noTouch = false;
    session.name = "";
    reply.version = 2;
    reply.simple("RESET");
  },
});

export const connectionCommands = [AUTH, ECHO, HELLO, PING, QUIT, RESET];
