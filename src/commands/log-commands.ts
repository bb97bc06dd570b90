/** The append-only log: to be rewritten, and to be waited for, here and at replicas. */
import type { Arguments } from "../base/arguments.ts";
import { deferred } from "./argument.ts";
import { command } from "./command.ts";
import { CommandError, NOT_AN_INTEGER } from "./errors.ts";
import type { Reply } from "./reply.ts";

const NOT_LOGGED = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";
const NUMLOCAL_RANGE = "ERR value is out of range, value must between 0 and 1";
const NOT_POSITIVE = "ERR value is out of range, must be positive";
const TIMEOUT_NEGATIVE = "ERR timeout is negative";
const TIMEOUT_NOT_AN_INTEGER = "ERR timeout is not an integer or out of range";
/** The longest that a timer waits: 24 days, which stands for "for ever" as well. */
const TIMEOUT_MAX = 2 ** 31 - 1;

const BGREWRITEAOF = command({
  name: "BGREWRITEAOF",
  summary: "Rewrites the append-only log in the background: as short as what it amounts to.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "server",
  arity: 1,
  flags: ["admin", "noscript", "no_async_loading"],
  args: {},
  run({ reply, services }) {
    reply.simple(services.persistence.rewriteLog());
  },
});

const WAITAOF = command({
  name: "WAITAOF",
  summary: "Waits until what the client has written is on disk, here and at replicas.",
  complexity: "O(1)",
  since: "7.2.0",
  group: "generic",
  arity: 4,
  flags: ["blocking"],
  categories: ["connection"],
  tips: ["request_policy:all_shards", "response_policy:agg_min"],
  args: { numlocal: deferred("integer"), numreplicas: deferred("integer"), timeout: deferred("integer") },
  run(context, { numlocal: localAt, numreplicas: replicasAt, timeout: timeoutAt }, args) {
    const numlocal = numberAt(args, localAt, NOT_AN_INTEGER);
    if (numlocal < 0 || numlocal > 1) throw new CommandError(NUMLOCAL_RANGE);
    const numreplicas = numberAt(args, replicasAt, NOT_POSITIVE);
    if (numreplicas < 0) throw new CommandError(NOT_POSITIVE);
    const timeout = numberAt(args, timeoutAt, TIMEOUT_NOT_AN_INTEGER);
    if (timeout < 0) throw new CommandError(TIMEOUT_NEGATIVE);
    const { persistence } = context.services;
    if (numlocal > 0 && !persistence.isLogOn) throw new CommandError(NOT_LOGGED);
    const durable = persistence.isLogOn ? persistence.durable() : Promise.resolve();
    // Replicas are there none: whoever waits for one waits until the time is over.
    context.later(within(durable, numlocal > 0, numreplicas > 0, timeout, persistence.isLogOn), true);
  },
});

const WAIT = command({
  name: "WAIT",
  summary: "Waits until replicas have what the client has written.",
  complexity: "O(1)",
  since: "3.0.0",
  group: "generic",
  arity: 3,
  flags: ["blocking"],
  categories: ["connection"],
  tips: ["request_policy:all_shards", "response_policy:agg_min"],
  args: { numreplicas: deferred("integer"), timeout: deferred("integer") },
  run(context, { numreplicas: replicasAt, timeout: timeoutAt }, args) {
    const numreplicas = numberAt(args, replicasAt, NOT_AN_INTEGER);
    const timeout = numberAt(args, timeoutAt, TIMEOUT_NOT_AN_INTEGER);
    if (timeout < 0) throw new CommandError(TIMEOUT_NEGATIVE);
    if (numreplicas <= 0) context.reply.integer(0);
    else
      context.later(
        timeOf(timeout).over.then(() => (reply) => reply.integer(0)),
        true,
      );
  },
});

/** @param error for what is no integer */
function numberAt(args: Arguments, index: number, error: string): number {
  const value = args.int64(index);
  if (value === undefined) throw new CommandError(error);
  return Number(value);
}

/**
 * Waits for what was asked for, at most so long.
 * @param timeoutMs 0: for ever
 * @returns what writes how many have it
 */
async function within(
  durable: Promise<void>,
  needsLocal: boolean,
  needsReplicas: boolean,
  timeoutMs: number,
  isLogOn: boolean,
): Promise<(reply: Reply) => void> {
  let local = 0;
  const done = durable.then(
    () => {
      local = isLogOn ? 1 : 0;
    },
    // A log that has failed confirms nothing: the time goes by, and the reply says 0.
    () => new Promise<void>(() => undefined),
  );
  const { over, timer } = timeOf(timeoutMs);
  if (needsReplicas) await over;
  else if (needsLocal) await Promise.race([done, over]);
  else await Promise.resolve();
  clearTimeout(timer);
  return (reply) => {
    reply.array(2);
    reply.integer(local);
    reply.integer(0);
  };
}

/** @param timeoutMs 0: for ever. @returns what resolves when it is over */
function timeOf(timeoutMs: number): { over: Promise<void>; timer: NodeJS.Timeout | undefined } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    if (timeoutMs > 0) timer = setTimeout(resolve, Math.min(timeoutMs, TIMEOUT_MAX)).unref();
  });
  return { over, timer };
}

export const logCommands = [BGREWRITEAOF, WAIT, WAITAOF];
