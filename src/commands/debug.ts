/** DEBUG: for tests and for whoever looks into a running store. Not declared as subcommands, as in Redis. */
import type { Arguments } from "../base/arguments.ts";
import { writeInt64 } from "../base/int64.ts";
import type { AccessClock } from "../keyspace/access-clock.ts";
import { STRING } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { digestOfAll } from "../keyspace/live-digest.ts";
import { writeValue } from "../rdb/value.ts";
import { RdbWriter } from "../rdb/writer.ts";
import { bytes, rest } from "./argument.ts";
import { isLocal } from "./client-attributes.ts";
import { command } from "./command.ts";
import type { Context, ReloadOptions } from "./context.ts";
import { CommandError, misusedSubcommand, NO_SUCH_KEY } from "./errors.ts";
import { replyHelp, type Usage } from "./help.ts";

const NOT_ALLOWED =
  'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local ' +
  "connection, otherwise you need to set this option in the configuration file, and then restart the server.";

interface DebugCommand extends Usage {
  readonly name: string;
  /** Arguments, DEBUG and the name included. */
  readonly count: number;
  /** Whether more may follow. */
  readonly hasOptions?: true;
  run(context: Context, args: Arguments): void;
}

const COMMANDS: readonly DebugCommand[] = [
  {
    name: "DIGEST",
    syntax: "DIGEST",
    summary: "Show one value for all the data: the same for the same data, but not the one that Redis shows.",
    count: 2,
    run({ keyspace, reply }) {
      reply.simple(digestOfAll(keyspace));
    },
  },
  {
    name: "OBJECT",
    syntax: "OBJECT <key>",
    summary: "Show how a key's value is stored.",
    count: 3,
    run({ database, keyspace, reply }, args) {
      const key = database.peek(args, 2);
      if (!key.found) throw new CommandError(NO_SUCH_KEY);
      reply.simple(describeObject(key, keyspace.access));
    },
  },
  {
    name: "RELOAD",
    syntax: "RELOAD [option ...]",
    summary: "Save the RDB file, empty the store, and load the file again. Options: MERGE, NOFLUSH, NOSAVE.",
    count: 2,
    hasOptions: true,
    run({ services, reply }, args) {
      services.persistence.reload(reloadOptions(args));
      reply.ok();
    },
  },
  {
    name: "SET-ACTIVE-EXPIRE",
    syntax: "SET-ACTIVE-EXPIRE <0|1>",
    summary: "With 0, expired keys stay until they are looked up; with 1, they are removed in the background again.",
    count: 3,
    run({ keyspace, reply }, args) {
      keyspace.expiresActively = Number.parseInt(args.latin1(2), 10) > 0;
      reply.ok();
    },
  },
  {
    name: "SLEEP",
    syntax: "SLEEP <seconds>",
    summary: "Stop the store for that time; fractions are fine.",
    count: 3,
    run({ reply }, args) {
      sleep(Number.parseFloat(args.latin1(2)) * 1000);
      reply.ok();
    },
  },
  {
    name: "VERIFY",
    syntax: "VERIFY",
    summary: "Check every structure in memory; an error says what is wrong.",
    count: 2,
    run({ keyspace, reply }) {
      verify(() => keyspace.verify());
      reply.ok();
    },
  },
];

const DEBUG = command({
  name: "DEBUG",
  summary: "Holds commands for debugging.",
  complexity: "Depends on the subcommand.",
  since: "1.0.0",
  group: "server",
  arity: -2,
  flags: ["admin", "noscript", "loading", "stale"],
  isSystemCommand: true,
  args: { subcommand: bytes(), arguments: rest() },
  run(context, { subcommand }, args) {
    checkAllowed(context);
    if (args.count === 2 && args.is(subcommand, "HELP")) {
      replyHelp(context.reply, args, COMMANDS);
      return;
    }
    const found = COMMANDS.find(
      ({ name, count, hasOptions }) =>
        args.is(subcommand, name) && (args.count === count || (hasOptions === true && args.count > count)),
    );
    if (found === undefined) throw new CommandError(misusedSubcommand(args.shown(subcommand, 128), "DEBUG"));
    found.run(context, args);
  },
});

/** A program may do what it likes with the store that it has opened. */
function checkAllowed({ services, session }: Context): void {
  if (session.isEmbedded) return;
  const allowed = services.configuration.get("enable-debug-command");
  if (allowed === "no" || (allowed === "local" && !isLocal(session))) throw new CommandError(NOT_ALLOWED);
}

function reloadOptions(args: Arguments): ReloadOptions {
  let [saves, flushes, merges] = [true, true, false];
  for (let index = 2; index < args.count; index++) {
    if (args.is(index, "MERGE")) merges = true;
    else if (args.is(index, "NOFLUSH")) flushes = false;
    else if (args.is(index, "NOSAVE")) saves = false;
    else throw new CommandError("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
  }
  return { saves, flushes, merges };
}

/** Holds the thread, as a slow command would. */
function sleep(milliseconds: number): void {
  if (milliseconds > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function verify(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new CommandError(`ERR ${error instanceof Error ? error.message : String(error)}`);
  }
}

function describeObject(key: Key, access: AccessClock): string {
  const stamp = key.shard.entries.accessClock(key.entry);
  return [
    `Value at:0x${key.entry.toString(16)}`,
    "refcount:1",
    `encoding:${key.encodingName}`,
    `serializedlength:${serializedLength(key)}`,
    `lru:${stamp}`,
    `lru_seconds_idle:${access.countsAccesses ? 0 : access.idleSeconds(stamp)}`,
  ].join(" ");
}

const digits = Buffer.alloc(24);

/** Bytes of the value in a dump, uncompressed and without the byte that is its type. */
function serializedLength(key: Key): number {
  if (key.type !== STRING) {
    const writer = new RdbWriter(false);
    writeValue(writer, key.shard.entries, key.entry);
    return writer.length - 1;
  }
  const { integer } = key;
  if (integer !== undefined) {
    if (integer >= -128 && integer < 128) return 2;
    if (integer >= -32_768 && integer < 32_768) return 3;
    if (integer >= -(2 ** 31) && integer < 2 ** 31) return 5;
    return writeInt64(integer, digits, 0) + 1;
  }
  const length = key.stringLength;
  if (length < 64) return length + 1;
  return length + (length < 16_384 ? 2 : 5);
}

export const debugCommands = [DEBUG];
