/** Which clients CLIENT KILL and CLIENT LIST are about. */
import type { Arguments } from "../base/arguments.ts";
import type { Client, Session } from "./context.ts";
import { CommandError, SYNTAX_ERROR } from "./errors.ts";

type Test = (client: Client) => boolean;

/** Types that clients have in Redis; no replica is among ours. */
const TYPES = ["normal", "master", "slave", "replica", "pubsub"];

/** Whether a client is of the type that the argument names. @throws CommandError if there is no such type */
export function typeFilter(args: Arguments, index: number): Test {
  const type = args.latin1(index).toLowerCase();
  if (!TYPES.includes(type)) throw new CommandError(`ERR Unknown client type '${args.shown(index)}'`);
  return ({ session }) => type === (session.subscriber === undefined ? "normal" : "pubsub");
}

/**
 * The test that pairs of filter and value come to, from the third argument on.
 * @param self who asks: spared unless SKIPME is "no"
 * @throws CommandError
 */
export function killFilter(args: Arguments, self: Session): Test {
  const tests: Test[] = [];
  let sparesSelf = true;
  for (let at = 2; at < args.count; at += 2) {
    if (at + 1 === args.count) throw new CommandError(SYNTAX_ERROR);
    if (args.is(at, "SKIPME")) sparesSelf = isYes(args, at + 1);
    else tests.push(testFrom(args, at));
  }
  return (client) => !(sparesSelf && client.session === self) && tests.every((test) => test(client));
}

function testFrom(args: Arguments, at: number): Test {
  const value = args.latin1(at + 1);
  if (args.is(at, "ID")) return idFilter(args, at + 1);
  if (args.is(at, "TYPE")) return typeFilter(args, at + 1);
  if (args.is(at, "ADDR")) return ({ session }) => session.address === value;
  if (args.is(at, "LADDR")) return ({ session }) => session.localAddress === value;
  if (!args.is(at, "USER")) throw new CommandError(SYNTAX_ERROR);
  if (value !== "default") throw new CommandError(`ERR No such user '${value}'`);
  return ({ session }) => session.user === value;
}

function idFilter(args: Arguments, index: number): Test {
  const id = args.int64(index);
  if (id === undefined || id < 1) throw new CommandError("ERR client-id should be greater than 0");
  return ({ session }) => session.id === id;
}

function isYes(args: Arguments, index: number): boolean {
  if (args.is(index, "YES")) return true;
  if (args.is(index, "NO")) return false;
  throw new CommandError(SYNTAX_ERROR);
}
