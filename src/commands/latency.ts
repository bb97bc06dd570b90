/** LATENCY: how long commands take, and what took too long. */
import type { Arguments } from "../base/arguments.ts";
import { drawLatency } from "../monitoring/latency-graph.ts";
import { describeLatency } from "../monitoring/latency-report.ts";
import type { CommandStatistics } from "../monitoring/statistics.ts";
import { bytes, optional, repeated } from "./argument.ts";
import { type Command, subcommand } from "./command.ts";
import { container } from "./container.ts";
import type { Context } from "./context.ts";
import { CommandError } from "./errors.ts";
import type { Reply } from "./reply.ts";

const SHARED = {
  group: "server",
  flags: ["admin", "noscript", "loading", "stale"],
  since: "2.8.13",
  complexity: "O(1)",
  tips: ["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
} as const;

const DOCTOR = subcommand("LATENCY", {
  ...SHARED,
  name: "DOCTOR",
  summary: "Describes the spikes there were, and what may help against them.",
  arity: 2,
  args: {},
  run({ reply, services }) {
    reply.verbatim("txt", describeLatency(services.latency));
  },
});

const GRAPH = subcommand("LATENCY", {
  ...SHARED,
  name: "GRAPH",
  summary: "Draws the spikes of an event over time.",
  arity: 3,
  args: { event: bytes() },
  run({ reply, services, keyspace }, { event }, args) {
    const found = services.latency.event(args.latin1(event));
    if (found === undefined) throw new CommandError(`ERR No samples available for event '${args.shown(event)}'`);
    reply.verbatim("txt", drawLatency(found, keyspace.clock.now()));
  },
});

const HISTORY = subcommand("LATENCY", {
  ...SHARED,
  name: "HISTORY",
  summary: "Returns when an event's spikes were, and how long each was.",
  arity: 3,
  args: { event: bytes() },
  run({ reply, services }, { event }, args) {
    const samples = services.latency.event(args.latin1(event))?.samples ?? [];
    reply.array(samples.length);
    for (const { time, milliseconds } of samples) {
      reply.array(2);
      reply.integer(time);
      reply.integer(milliseconds);
    }
  },
});

const LATEST = subcommand("LATENCY", {
  ...SHARED,
  name: "LATEST",
  summary: "Returns the last spike of each event, and its longest.",
  arity: 2,
  args: {},
  run({ reply, services }) {
    const { events } = services.latency;
    reply.array(events.length);
    for (const { name, samples, worst } of events) {
      const { time, milliseconds } = samples.at(-1)!;
      reply.array(4);
      reply.bulkText(name);
      reply.integer(time);
      reply.integer(milliseconds);
      reply.integer(worst);
    }
  },
});

const RESET = subcommand("LATENCY", {
  ...SHARED,
  name: "RESET",
  summary: "Forgets the spikes of the events given, or of all, and returns how many events that were.",
  arity: -2,
  tips: ["request_policy:all_nodes", "response_policy:agg_sum"],
  args: { event: optional(repeated({ event: bytes() })) },
  run({ reply, services }, _, args) {
    const { latency } = services;
    let count = args.count === 2 ? latency.resetAll() : 0;
    for (let index = 2; index < args.count; index++) if (latency.reset(args.latin1(index))) count += 1;
    reply.integer(count);
  },
});

const HISTOGRAM = subcommand("LATENCY", {
  ...SHARED,
  name: "HISTOGRAM",
  summary: "Returns how many calls of the commands given, or of all, took up to 1, 2, 4, 8 and so on microseconds.",
  complexity: "O(N) where N is the number of commands with latency information being retrieved.",
  since: "7.0.0",
  arity: -2,
  args: { COMMAND: optional(repeated({ COMMAND: bytes() })) },
  run(context, _, args) {
    const { reply, services } = context;
    const timed = commandsAsked(context, args)
      .flatMap((each) => [each, ...(each.subcommands ?? [])])
      .filter(({ id }) => services.statistics.of(id).histogram !== undefined);
    reply.map(timed.length);
    for (const { fullName, id } of timed) {
      reply.bulkText(fullName);
      replyHistogram(reply, services.statistics.of(id));
    }
  },
});

function commandsAsked({ services }: Context, args: Arguments): readonly Command[] {
  if (args.count === 2) return services.commands.all;
  const asked: Command[] = [];
  for (let index = 2; index < args.count; index++) {
    const found = services.commands.byName(args.latin1(index));
    if (found !== undefined) asked.push(found);
  }
  return asked;
}

/** A bucket ends at a power of two of microseconds. Redis's end at one of nanoseconds: this is what it calls them. */
function bucketName(power: number): number {
  return Math.floor((2 ** (power + 10) + 2 ** (power + 3) - 1) / 1000);
}

const LARGEST_POWER = 30;

/** Calls by duration, cumulated; those that were not timed are taken to have been like those that were. */
function replyHistogram(reply: Reply, { calls, histogram }: CommandStatistics): void {
  const buckets: [name: number, count: number][] = [];
  let last = 0;
  for (let power = 0; power <= LARGEST_POWER; power++) {
    const timed = power === LARGEST_POWER ? histogram!.total : histogram!.countUpTo(2 ** power);
    const count = Math.round((timed / histogram!.total) * calls);
    if (count > last) buckets.push([bucketName(power), count]);
    last = count;
  }
  reply.map(2);
  reply.bulkText("calls");
  reply.integer(calls);
  reply.bulkText("histogram_usec");
  reply.map(buckets.length);
  for (const [name, count] of buckets) {
    reply.integer(name);
    reply.integer(count);
  }
}

const LATENCY = container({
  name: "LATENCY",
  summary: "Holds the commands about latency.",
  since: "2.8.13",
  helpSince: "2.8.13",
  group: "server",
  subcommands: [DOCTOR, GRAPH, HISTOGRAM, HISTORY, LATEST, RESET],
});

export const latencyCommands = [LATENCY];
