/** SLOWLOG: the last commands that took long. */
import { rest } from "./argument.ts";
import { subcommand } from "./command.ts";
import { container } from "./container.ts";
import { CommandError, misusedSubcommand } from "./errors.ts";

const SHARED = { group: "server", flags: ["admin", "loading", "stale"], since: "2.2.12" } as const;
const DEFAULT_COUNT = 10;

const GET = subcommand("SLOWLOG", {
  ...SHARED,
  name: "GET",
  summary:
    "Returns the newest entries, ten or as many as asked for, -1 for all: of each its id, the time in seconds since " +
    "1970, the duration in microseconds, the arguments, and the client's address and name.",
  complexity: "O(N) where N is the number of entries returned",
  arity: -2,
  tips: ["request_policy:all_nodes", "nondeterministic_output"],
  history: [["4.0.0", "Added the client's address and name."]],
  args: { count: rest({ name: "count", type: "integer", flags: ["optional"] }) },
  run({ reply, services }, { count }, args) {
    if (args.count > 3) throw new CommandError(misusedSubcommand(args.latin1(1), "SLOWLOG"));
    const wanted = args.count === 2 ? DEFAULT_COUNT : args.int64(count);
    if (wanted === undefined || wanted < -1) {
      throw new CommandError("ERR count should be greater than or equal to -1");
    }
    const { slowLog } = services;
    const entries = slowLog.latest(wanted === -1 ? slowLog.length : Number(wanted));
    reply.array(entries.length);
    for (const entry of entries) {
      reply.array(6);
      reply.integer(entry.id);
      reply.integer(entry.time);
      reply.integer(entry.microseconds);
      reply.array(entry.args.length);
      for (const argument of entry.args) reply.bulk(argument, 0, argument.length);
      reply.bulkText(entry.address);
      reply.bulkText(entry.name);
    }
  },
});

const LEN = subcommand("SLOWLOG", {
  ...SHARED,
  name: "LEN",
  summary: "Returns how many entries there are.",
  complexity: "O(1)",
  arity: 2,
  tips: ["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
  args: {},
  run({ reply, services }) {
    reply.integer(services.slowLog.length);
  },
});

const RESET = subcommand("SLOWLOG", {
  ...SHARED,
  name: "RESET",
  summary: "Removes all entries.",
  complexity: "O(1)",
  arity: 2,
  tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
  args: {},
  run({ reply, services }) {
    services.slowLog.reset();
    reply.ok();
  },
});

const SLOWLOG = container({
  name: "SLOWLOG",
  summary: "Holds the commands about the log of slow commands.",
  since: "2.2.12",
  helpSince: "6.2.0",
  group: "server",
  subcommands: [GET, LEN, RESET],
});

export const slowlogCommands = [SLOWLOG];
