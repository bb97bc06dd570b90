/** PUBSUB: which channels and patterns somebody listens to. */
import type { Arguments } from "../base/arguments.ts";
import { bytes, optional, repeated, rest } from "./argument.ts";
import { type Command, subcommand } from "./command.ts";
import { container } from "./container.ts";
import type { Context } from "./context.ts";
import { CommandError, misusedSubcommand } from "./errors.ts";
import type { TopicKind } from "./pubsub-registry.ts";

const asking = { group: "pubsub", flags: ["pubsub", "loading", "stale"] } as const;

function replyNames({ reply, services }: Context, kind: TopicKind, args: Arguments): void {
  if (args.count > 3) throw new CommandError(misusedSubcommand(args.shown(1, 128), "PUBSUB"));
  const wanted = args.count === 3 ? args.bytes.subarray(args.start(2), args.start(2) + args.length(2)) : undefined;
  const names = services.pubSub.names(kind, wanted);
  reply.array(names.length);
  for (const name of names) reply.bulk(name, 0, name.length);
}

function replyCounts({ reply, services }: Context, kind: TopicKind, args: Arguments): void {
  reply.array((args.count - 2) * 2);
  for (let index = 2; index < args.count; index++) {
    reply.bulk(args.bytes, args.start(index), args.length(index));
    reply.integer(services.pubSub.count(kind, args.latin1(index)));
  }
}

function namesCommand(name: string, since: string, summary: string, kind: TopicKind): Command {
  return subcommand("PUBSUB", {
    ...asking,
    name,
    since,
    summary,
    complexity: "O(N) where N is the number of channels, short names and patterns taken for granted.",
    arity: -2,
    args: { pattern: rest({ name: "pattern", type: "pattern", flags: ["optional"] }) },
    run: (context, _, args) => replyNames(context, kind, args),
  });
}

function countsCommand(name: string, since: string, summary: string, kind: TopicKind, argument: string): Command {
  return subcommand("PUBSUB", {
    ...asking,
    name,
    since,
    summary,
    complexity: "O(N) where N is the number of channels asked for.",
    arity: -2,
    args: { [argument]: optional(repeated({ [argument]: bytes() })) },
    run: (context, _, args) => replyCounts(context, kind, args),
  });
}

const NUMPAT = subcommand("PUBSUB", {
  ...asking,
  name: "NUMPAT",
  summary: "Tells how many different patterns clients listen to.",
  complexity: "O(1)",
  since: "2.8.0",
  arity: 2,
  args: {},
  run({ reply, services }) {
    reply.integer(services.pubSub.size("patterns"));
  },
});

export const pubSubCommand = container({
  name: "PUBSUB",
  summary: "Holds the commands that tell who listens to what.",
  since: "2.8.0",
  helpSince: "6.2.0",
  group: "pubsub",
  subcommands: [
    namesCommand("CHANNELS", "2.8.0", "Returns the channels that somebody listens to.", "channels"),
    NUMPAT,
    countsCommand("NUMSUB", "2.8.0", "Tells how many clients listen to channels.", "channels", "channel"),
    namesCommand("SHARDCHANNELS", "7.0.0", "Returns the shard channels that somebody listens to.", "shardChannels"),
    countsCommand(
      "SHARDNUMSUB",
      "7.0.0",
      "Tells how many clients listen to shard channels.",
      "shardChannels",
      "shardchannel",
    ),
  ],
});
