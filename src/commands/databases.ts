/** Databases: selecting, exchanging, counting and emptying them. */
import type { Arguments } from "../base/arguments.ts";
import type { Database } from "../keyspace/database.ts";
import { type Argument, deferred } from "./argument.ts";
import { type CommandDeclaration, command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, DB_INDEX_OUT_OF_RANGE, NOT_A_32_BIT_INTEGER, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";

/** @returns undefined for what is no integer of 32 bits */
function int32(args: Arguments, index: number): number | undefined {
  const value = args.int64(index);
  return typeof value === "number" && value === (value | 0) ? value : undefined;
}

/** The database that argument `index` names. @throws CommandError if there is none */
export function databaseNamed(context: Context, args: Arguments, index: number): Database {
  if (args.int64(index) === undefined) throw new CommandError(NOT_AN_INTEGER);
  const number = int32(args, index);
  if (number === undefined) throw new CommandError(NOT_A_32_BIT_INTEGER);
  const database = context.keyspace.databases[number];
  if (database === undefined) throw new CommandError(DB_INDEX_OUT_OF_RANGE);
  return database;
}

const SELECT = command({
  name: "SELECT",
  summary: "Selects the database that the connection's next commands refer to.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "connection",
  arity: 2,
  flags: ["loading", "stale", "fast"],
  categories: ["connection"],
  args: { index: deferred("integer") },
  run(context, parsed, args) {
    const database = databaseNamed(context, args, parsed.index);
    context.database = database;
    context.session.databaseIndex = database.index;
    context.reply.ok();
  },
});

const SWAPDB = command({
  name: "SWAPDB",
  summary: "Exchanges the contents of two databases, for all clients at once.",
  complexity: "O(1)",
  since: "4.0.0",
  group: "server",
  arity: 3,
  flags: ["write", "fast"],
  replay: "as-is",
  categories: ["keyspace", "dangerous"],
  args: { index1: deferred("integer"), index2: deferred("integer") },
  run(context, parsed, args) {
    const first = int32(args, parsed.index1);
    if (first === undefined) throw new CommandError("ERR invalid first DB index");
    const second = int32(args, parsed.index2);
    if (second === undefined) throw new CommandError("ERR invalid second DB index");
    const { databases } = context.keyspace;
    if (databases[first] === undefined || databases[second] === undefined) {
      throw new CommandError(DB_INDEX_OUT_OF_RANGE);
    }
    context.keyspace.swap(first, second);
    context.reply.ok();
  },
});

const DBSIZE = command({
  name: "DBSIZE",
  summary: "Tells how many keys the selected database has.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "server",
  arity: 1,
  flags: ["readonly", "fast"],
  categories: ["keyspace"],
  tips: ["request_policy:all_shards", "response_policy:agg_sum"],
  args: {},
  run(context) {
    context.reply.integer(context.database.count);
  },
});

/** ASYNC or SYNC, at most one of them and once. */
const flushType: Argument<boolean> = {
  isOptional: true,
  parse(cursor) {
    const index = cursor.take();
    if (!cursor.args.is(index, "ASYNC") && !cursor.args.is(index, "SYNC")) throw new CommandError(SYNTAX_ERROR);
    return cursor.args.is(index, "ASYNC");
  },
  document: (name) => ({
    name,
    type: "oneof",
    flags: ["optional"],
    arguments: [
      { name: "async", type: "pure-token", token: "ASYNC", since: "4.0.0" },
      { name: "sync", type: "pure-token", token: "SYNC", since: "6.2.0" },
    ],
  }),
};

const flushing = {
  since: "1.0.0",
  group: "server",
  arity: -1,
  flags: ["write"],
  replay: "as-is",
  categories: ["keyspace", "dangerous"],
  tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  history: [
    ["4.0.0", "Added the ASYNC modifier."],
    ["6.2.0", "Added the SYNC modifier."],
  ],
  args: { "flush-type": flushType },
} as const satisfies Partial<CommandDeclaration<{ "flush-type": typeof flushType }>>;

const FLUSHDB = command({
  ...flushing,
  name: "FLUSHDB",
  summary: "Removes all keys from the selected database.",
  complexity: "O(1); with SYNC, O(N) where N is the number of keys in the database, unless the others are empty.",
  run(context, args) {
    context.keyspace.flush(context.database.index, args["flush-type"]);
    context.reply.ok();
  },
});

const FLUSHALL = command({
  ...flushing,
  name: "FLUSHALL",
  summary: "Removes all keys from all databases.",
  complexity: "O(1)",
  run(context, args) {
    const { persistence } = context.services;
    persistence.beforeFlushAll();
    context.keyspace.flushAll(args["flush-type"]);
    persistence.afterFlushAll();
    context.reply.ok();
  },
});

export const databaseCommands = [DBSIZE, FLUSHALL, FLUSHDB, SELECT, SWAPDB];
