/** Publishing and subscribing. Who listens to what: pubsub-registry.ts. */
import type { Arguments } from "../base/arguments.ts";
import { bytes, optional, pattern, repeated } from "./argument.ts";
import { type Command, command, type KeySpec } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError } from "./errors.ts";
import { pubSubCommand } from "./pubsub-introspection.ts";
import { Piece } from "./pubsub-message.ts";
import { Subscriber, type TopicKind } from "./pubsub-registry.ts";
import type { Reply } from "./reply.ts";

const NO_RECEIVER = "is for connections: a call has one reply, and nowhere to send messages to";

/** A shard channel has its place in a cluster as a key has, and is none. */
const SHARD_CHANNEL: KeySpec = { flags: ["not_key"], begin: { index: 1 }, find: { last: 0, step: 1, limit: 0 } };
const SHARD_CHANNELS: KeySpec = { ...SHARD_CHANNEL, find: { last: -1, step: 1, limit: 0 } };

function pieceAt(args: Arguments, index: number): Piece {
  return new Piece(args.bytes, args.start(index), args.length(index));
}

const publishing = {
  group: "pubsub",
  arity: 3,
  flags: ["pubsub", "loading", "stale", "fast", "may_replicate"],
} as const;

const PUBLISH = command({
  ...publishing,
  name: "PUBLISH",
  summary: "Sends a message to a channel.",
  complexity: "O(N+M) where N is the number of the channel's subscribers and M that of all patterns subscribed to.",
  since: "2.0.0",
  args: { channel: bytes(), message: bytes() },
  run({ reply, services }, { channel, message }, args) {
    reply.integer(services.pubSub.publish(pieceAt(args, channel), pieceAt(args, message)));
  },
});

const SPUBLISH = command({
  ...publishing,
  name: "SPUBLISH",
  summary: "Sends a message to a shard channel.",
  complexity: "O(N) where N is the number of the shard channel's subscribers.",
  since: "7.0.0",
  keys: [SHARD_CHANNEL],
  args: { shardchannel: bytes(), message: bytes() },
  run({ reply, services }, { shardchannel, message }, args) {
    reply.integer(services.pubSub.publishToShard(pieceAt(args, shardchannel), pieceAt(args, message)));
  },
});

/** Tells of one subscription that has begun or ended: what clients wait for, and count. */
function replyChange(reply: Reply, event: string, name: Buffer | undefined, count: number): void {
  reply.push(3);
  reply.bulkText(event);
  if (name === undefined) reply.null();
  else reply.bulk(name, 0, name.length);
  reply.integer(count);
}

/** Replies of these commands are pushes, which CLIENT REPLY does not silence. */
function keepReply({ session, receiver }: Context, name: string): void {
  if (receiver === undefined) throw new CommandError(`ERR ${name} ${NO_RECEIVER}`);
  if (session.replyMode !== "on") session.keepsReply = true;
}

/** What a command subscribes to. */
interface Subject {
  readonly kind: TopicKind;
  /** Its name in COMMAND DOCS. */
  readonly argument: string;
  readonly since: string;
  readonly keys?: readonly KeySpec[];
}

const CHANNELS: Subject = { kind: "channels", argument: "channel", since: "2.0.0" };
const PATTERNS: Subject = { kind: "patterns", argument: "pattern", since: "2.0.0" };
const SHARDS: Subject = {
  kind: "shardChannels",
  argument: "shardchannel",
  since: "7.0.0",
  keys: [SHARD_CHANNELS],
};

const FLAGS = ["pubsub", "noscript", "loading", "stale"] as const;

function namesOf({ kind, argument }: Subject) {
  return repeated({ [argument]: kind === "patterns" ? pattern() : bytes() });
}

function subscribeCommand(name: string, summary: string, subject: Subject): Command {
  const { kind, argument, since, keys } = subject;
  const event = name.toLowerCase();
  return command({
    name,
    summary,
    complexity: "O(N) where N is the number of names given.",
    since,
    group: "pubsub",
    arity: -2,
    flags: FLAGS,
    ...(keys !== undefined && { keys }),
    isForSubscribers: true,
    args: { [argument]: namesOf(subject) },
    run(context, _, args) {
      const { reply, session, services, receiver } = context;
      keepReply(context, name);
      session.subscriber ??= new Subscriber(receiver!);
      for (let index = 1; index < args.count; index++) {
        services.pubSub.subscribe(kind, args.latin1(index), session.subscriber);
        const named = pieceAt(args, index).copy();
        replyChange(reply, event, named, session.subscriber.countBeside(kind));
      }
    },
  });
}

function unsubscribeCommand(name: string, summary: string, subject: Subject): Command {
  const { kind, argument, since, keys } = subject;
  const event = name.toLowerCase();
  return command({
    name,
    summary,
    complexity: "O(N) where N is the number of subscriptions that end.",
    since,
    group: "pubsub",
    arity: -1,
    flags: FLAGS,
    ...(keys !== undefined && { keys }),
    isForSubscribers: true,
    args: { [argument]: optional(namesOf(subject)) },
    run(context, _, args) {
      const { reply, session, services } = context;
      keepReply(context, name);
      const { subscriber } = session;
      const names = args.count > 1 ? namesFrom(args) : [...(subscriber?.[kind] ?? [])];
      for (const each of names) {
        if (subscriber !== undefined) services.pubSub.unsubscribe(kind, each, subscriber);
        replyChange(reply, event, Buffer.from(each, "latin1"), subscriber?.countBeside(kind) ?? 0);
      }
      if (names.length === 0) replyChange(reply, event, undefined, subscriber?.countBeside(kind) ?? 0);
      if (subscriber?.total === 0) session.subscriber = undefined;
    },
  });
}

function namesFrom(args: Arguments): string[] {
  return Array.from({ length: args.count - 1 }, (_, index) => args.latin1(index + 1));
}

export const pubSubCommands = [
  subscribeCommand("PSUBSCRIBE", "Listens to the channels whose names fit patterns.", PATTERNS),
  PUBLISH,
  pubSubCommand,
  unsubscribeCommand("PUNSUBSCRIBE", "Stops listening to patterns: those given, or all.", PATTERNS),
  SPUBLISH,
  subscribeCommand("SSUBSCRIBE", "Listens to shard channels.", SHARDS),
  subscribeCommand("SUBSCRIBE", "Listens to channels.", CHANNELS),
  unsubscribeCommand("SUNSUBSCRIBE", "Stops listening to shard channels: those given, or all.", SHARDS),
  unsubscribeCommand("UNSUBSCRIBE", "Stops listening to channels: those given, or all.", CHANNELS),
];
