/** DUMP and RESTORE: a value as bytes that any Redis understands, and back. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { addInt64, type Int64 } from "../base/int64.ts";
import { BY_REPLACEMENT } from "../keyspace/cause.ts";
import { NO_DEADLINE } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { DamagedValueError } from "../rdb/format.ts";
import { openPayload, writePayload } from "../rdb/payload.ts";
import { ValueReader } from "../rdb/value.ts";
import { RdbWriter } from "../rdb/writer.ts";
import { bytes, deferred, key, named, pureToken, rest } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { type Effects, tellRemoved } from "./effects.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";
import { GENERIC_EVENT, notifyReplaced } from "./key-events.ts";
import { ACCESS_KEY, OVERWRITE_KEY } from "./key-specs.ts";

/** A buffer that an unusually large value needed is let go after it. */
const KEPT_CAPACITY = 1 << 20;

let writer = new RdbWriter(true);
const word = new Slice();

const DUMP = command({
  name: "DUMP",
  summary: "Returns the value of a key as bytes that RESTORE makes a value of again.",
  complexity: "O(1) to find the key, and O(N*M) to write N elements of M bytes each.",
  since: "2.6.0",
  group: "generic",
  arity: 2,
  flags: ["readonly"],
  categories: ["keyspace"],
  keys: [ACCESS_KEY],
  tips: ["nondeterministic_output"],
  args: { key: key() },
  run(context, parsed, args) {
    const key = context.database.read(args, parsed.key);
    if (!key.found) {
      context.reply.null();
      return;
    }
    writer.length = 0;
    writer.compresses = context.services.configuration.get("rdbcompression");
    writePayload(writer, key.shard.entries, key.entry);
    context.reply.bulk(writer.buffer, 0, writer.length);
    if (writer.buffer.length > KEPT_CAPACITY) writer = new RdbWriter(true);
  },
});

/** What RESTORE's options say. */
interface Options {
  readonly replaces: boolean;
  readonly isAbsolute: boolean;
  /** Seconds since the last access, if given. */
  readonly idleTime: Int64 | undefined;
  /** The logarithmic count of accesses, if given. */
  readonly frequency: Int64 | undefined;
}

/**
 * Reads the options from argument `first` on, one after another: which error comes first follows from their order.
 */
function parseOptions(args: Arguments, first: number): Options {
  let replaces = false;
  let isAbsolute = false;
  let idleTime: Int64 | undefined;
  let frequency: Int64 | undefined;
  for (let index = first; index < args.count; index++) {
    const hasValue = index + 1 < args.count;
    if (args.is(index, "REPLACE")) {
      replaces = true;
    } else if (args.is(index, "ABSTTL")) {
      isAbsolute = true;
    } else if (args.is(index, "IDLETIME") && hasValue && frequency === undefined) {
      index += 1;
      idleTime = integerIn(args, index);
      if (idleTime < 0) throw new CommandError("ERR Invalid IDLETIME value, must be >= 0");
    } else if (args.is(index, "FREQ") && hasValue && idleTime === undefined) {
      index += 1;
      frequency = integerIn(args, index);
      if (frequency < 0 || frequency > 255) throw new CommandError("ERR Invalid FREQ value, must be >= 0 and <= 255");
    } else {
      throw new CommandError(SYNTAX_ERROR);
    }
  }
  return { replaces, isAbsolute, idleTime, frequency };
}

function integerIn(args: Arguments, index: number): Int64 {
  const value = args.int64(index);
  if (value === undefined) throw new CommandError(NOT_AN_INTEGER);
  return value;
}

/**
 * The deadline that a time to live stands for, in milliseconds since 1970; NO_DEADLINE for 0. One that 64 bits do not
 * hold is in the past, as in Redis, where the sum wraps round.
 */
function deadlineOf(context: Context, lifetime: Int64, isAbsolute: boolean): Int64 {
  if (lifetime === 0) return NO_DEADLINE;
  return isAbsolute ? lifetime : (addInt64(lifetime, context.keyspace.clock.now()) ?? 0);
}

const valueReader = new ValueReader();

/** Reads the whole value; the key is not touched. */
function readPayload(key: Key, args: Arguments, index: number): void {
  const reader = openPayload(args.bytes, args.start(index), args.length(index));
  if (reader === undefined) throw new CommandError("ERR DUMP payload version or checksum are wrong");
  try {
    valueReader.read(reader, key);
  } catch (error) {
    if (error instanceof DamagedValueError) throw new CommandError("ERR Bad data format");
    throw error;
  }
}

/**
 * Makes the key one that was last accessed so long ago, or that often; whichever of the two is kept at present. Without
 * either it is as new, whatever it has replaced.
 */
function setAccess({ keyspace }: Context, { shard, entry }: Key, { idleTime, frequency }: Options): void {
  const { access } = keyspace;
  let stamp = access.initial;
  if (access.countsAccesses && frequency !== undefined) stamp = access.ofCount(Number(frequency));
  if (!access.countsAccesses && idleTime !== undefined) stamp = access.ofIdle(Number(idleTime));
  shard.entries.setAccessClock(entry, stamp);
}

const RESTORE = command({
  name: "RESTORE",
  summary: "Makes a key of the bytes that DUMP returned.",
  complexity:
    "O(1) to make the key, and O(N*M) to read N elements of M bytes each; O(N*M*log(N)) for sorted sets, " +
    "each of whose elements is put in its place.",
  since: "2.6.0",
  group: "generic",
  arity: -4,
  flags: ["write", "denyoom"],
  replay: "rewritten",
  categories: ["keyspace", "dangerous"],
  keys: [OVERWRITE_KEY],
  history: [
    ["3.0.0", "Added the REPLACE option."],
    ["5.0.0", "Added the ABSTTL option."],
    ["5.0.0", "Added the IDLETIME and FREQ options."],
  ],
  args: {
    key: key(),
    ttl: deferred("integer"),
    payload: named("serialized-value", bytes()),
    options: rest(
      { ...pureToken("REPLACE"), since: "3.0.0", flags: ["optional"] },
      { ...pureToken("ABSTTL"), since: "5.0.0", flags: ["optional"] },
      { name: "seconds", type: "integer", token: "IDLETIME", since: "5.0.0", flags: ["optional"] },
      { name: "frequency", type: "integer", token: "FREQ", since: "5.0.0", flags: ["optional"] },
    ),
  },
  run(context, parsed, args) {
    const options = parseOptions(args, parsed.options);
    const { replaces, isAbsolute } = options;
    const key = context.database.write(args, parsed.key);
    if (key.found && !replaces) throw new CommandError("BUSYKEY Target key name already exists.");
    const lifetime = integerIn(args, parsed.ttl);
    if (lifetime < 0) throw new CommandError("ERR Invalid TTL value, must be >= 0");
    readPayload(key, args, parsed.payload);
    const deadline = deadlineOf(context, lifetime, isAbsolute);
    const existed = key.found;
    const { effects } = context;
    if (deadline !== NO_DEADLINE && deadline <= context.keyspace.expiryClock.now()) {
      valueReader.discard(key);
      if (existed) {
        key.remove();
        tellRemoved(context, BY_REPLACEMENT, args.slice(parsed.key, word));
        key.notify(GENERIC_EVENT, "del");
      }
    } else {
      valueReader.place(key, deadline);
      if (effects.areKept) tellRestored(effects, args, deadline, isAbsolute);
      notifyReplaced(key, existed);
      key.notify(GENERIC_EVENT, "restore");
      setAccess(context, key, options);
    }
    context.reply.ok();
  },
});

/** The command as it came, with a time to live that means the same whenever it is executed. */
function tellRestored(effects: Effects, args: Arguments, deadline: Int64, isAbsolute: boolean): void {
  if (isAbsolute || deadline === NO_DEADLINE) {
    effects.keep(args);
    return;
  }
  effects.begin(args.count + 1);
  for (let index = 0; index < args.count; index++) effects.word(index === 2 ? deadline : args.slice(index, word));
  effects.word("ABSTTL");
}

export const dumpCommands = [DUMP, RESTORE];
