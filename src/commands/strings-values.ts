/** Strings as a whole: reading, setting, and both at once. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import type { Int64 } from "../base/int64.ts";
import { BY_DELETE, BY_PAST_DEADLINE } from "../keyspace/cause.ts";
import { NO_DEADLINE } from "../keyspace/entry.ts";
import type { Key } from "../keyspace/key.ts";
import { buildString, setString } from "../keyspace/strings.ts";
import { alone, bytes, type Choice, choice, deferred, key, named, oneOf, since, token } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { type Effects, tellRemoved } from "./effects.ts";
import { deadlineFrom, tellDeadline } from "./expiry.ts";
import { GENERIC_EVENT, STRING_EVENT } from "./key-events.ts";
import { ACCESS_KEY, GIVEN_AWAY_KEY, INSERT_KEY, OVERWRITE_KEY, UPDATE_KEY } from "./key-specs.ts";
import { readString, replyString } from "./strings-access.ts";

const name = new Slice();
const value = new Slice();

export const GET = command({
  name: "GET",
  summary: "Returns the string value of a key.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: [ACCESS_KEY],
  args: { key: key() },
  run(context, parsed, args) {
    replyString(context, readString(context, args, parsed.key));
  },
});

export const SET = command({
  name: "SET",
  summary: "Sets the string value of a key, whatever its type was.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: -3,
  flags: ["write", "denyoom"],
  replay: "rewritten",
  keys: [
    {
      ...UPDATE_KEY,
      notes: "RW and ACCESS due to the optional `GET` argument",
      flags: [...UPDATE_KEY.flags, "variable_flags"],
      flagsOf: (args, name) => (hasGet(args, name + 3) ? UPDATE_KEY.flags : OVERWRITE_KEY.flags),
    },
  ],
  history: [
    ["2.6.12", "Added the EX, PX, NX and XX options."],
    ["6.0.0", "Added the KEEPTTL option."],
    ["6.2.0", "Added the GET, EXAT and PXAT options."],
    ["7.0.0", "Allowed the NX and GET options to be used together."],
  ],
  isSampled: true,
  args: {
    key: key(),
    value: bytes(),
    condition: since("2.6.12", oneOf("NX", "XX")),
    get: since("6.2.0", token("GET")),
    expiration: choice({
      EX: since("2.6.12", named("seconds", deferred("integer"))),
      PX: since("2.6.12", named("milliseconds", deferred("integer"))),
      EXAT: since("6.2.0", named("unix-time-seconds", deferred("unix-time"))),
      PXAT: since("6.2.0", named("unix-time-milliseconds", deferred("unix-time"))),
      KEEPTTL: since("6.0.0", alone()),
    }),
  },
  run(context, parsed, args) {
    const { condition, get, expiration } = parsed;
    let deadline: Int64 = expiration === undefined ? NO_DEADLINE : deadlineFrom(context, args, expiration, "set");
    const key = get ? readString(context, args, parsed.key) : context.database.write(args, parsed.key);
    if (condition !== undefined && key.found === (condition === "NX")) {
      if (get) replyString(context, key);
      else context.reply.null();
      return;
    }
    if (expiration?.word === "KEEPTTL" && key.found) deadline = key.deadline;
    if (get) {
      exchange(context, key, args, parsed.value, deadline);
    } else {
      setString(key, args.bytes, args.start(parsed.value), args.length(parsed.value), deadline);
      context.reply.ok();
    }
    const isDated = expiration !== undefined && expiration.word !== "KEEPTTL";
    if (context.effects.areKept) {
      if (isDated && expiration.word !== "PXAT") tellSet(context.effects, args, parsed.value, deadline);
      else context.effects.keep(args);
    }
    key.notify(STRING_EVENT, "set");
    if (isDated) key.notify(GENERIC_EVENT, "expire");
  },
});

/** Of a value that was set with a deadline, whatever way it was given: when it is to end. */
function tellSet(effects: Effects, args: Arguments, valueIndex: number, deadline: Int64): void {
  effects.add("SET", args.slice(1, name), args.slice(valueIndex, value), "PXAT", deadline);
}

function hasGet(args: Arguments, from: number): boolean {
  for (let index = from; index < args.count; index++) if (args.is(index, "GET")) return true;
  return false;
}

/** Sets the key and replies with what it held. Nothing is replied before the new value is sure to have its place. */
function exchange(context: Context, key: Key, args: Arguments, valueIndex: number, deadline: Int64): void {
  const entry = buildString(key, args.bytes, args.start(valueIndex), args.length(valueIndex), deadline);
  if (key.found) {
    replyString(context, key);
    key.link(entry);
  } else {
    key.link(entry);
    context.reply.null();
  }
}

export const SETNX = command({
  name: "SETNX",
  summary: "Sets the string value of a key that does not exist yet.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [INSERT_KEY],
  replacedBy: "`SET` with the `NX` argument",
  deprecatedSince: "2.6.12",
  args: { key: key(), value: bytes() },
  run(context, parsed, args) {
    const key = context.database.write(args, parsed.key);
    const isNew = !key.found;
    if (isNew) {
      setString(key, args.bytes, args.start(parsed.value), args.length(parsed.value), NO_DEADLINE);
      key.notify(STRING_EVENT, "set");
    }
    context.reply.integer(isNew ? 1 : 0);
  },
});

/** Where SETEX and PSETEX have the time to live, as SET's option would give it. */
const SECONDS: Choice<string> = { word: "EX", index: 2 };
const MILLISECONDS: Choice<string> = { word: "PX", index: 2 };

function setExpiring(context: Context, args: Arguments, lifetime: Choice<string>, name: string): void {
  const deadline = deadlineFrom(context, args, lifetime, name);
  const key = context.database.write(args, 1);
  setString(key, args.bytes, args.start(3), args.length(3), deadline);
  if (context.effects.areKept) tellSet(context.effects, args, 3, deadline);
  key.notify(STRING_EVENT, "set");
  key.notify(GENERIC_EVENT, "expire");
  context.reply.ok();
}

export const SETEX = command({
  name: "SETEX",
  summary: "Sets the string value of a key and how many seconds it lives.",
  complexity: "O(1)",
  since: "2.0.0",
  group: "string",
  arity: 4,
  flags: ["write", "denyoom"],
  replay: "rewritten",
  keys: [OVERWRITE_KEY],
  replacedBy: "`SET` with the `EX` argument",
  deprecatedSince: "2.6.12",
  args: { key: key(), seconds: deferred("integer"), value: bytes() },
  run(context, _parsed, args) {
    setExpiring(context, args, SECONDS, "setex");
  },
});

export const PSETEX = command({
  name: "PSETEX",
  summary: "Sets the string value of a key and how many milliseconds it lives.",
  complexity: "O(1)",
  since: "2.6.0",
  group: "string",
  arity: 4,
  flags: ["write", "denyoom"],
  replay: "rewritten",
  keys: [OVERWRITE_KEY],
  replacedBy: "`SET` with the `PX` argument",
  deprecatedSince: "2.6.12",
  args: { key: key(), milliseconds: deferred("integer"), value: bytes() },
  run(context, _parsed, args) {
    setExpiring(context, args, MILLISECONDS, "psetex");
  },
});

export const GETSET = command({
  name: "GETSET",
  summary: "Sets the string value of a key and returns the one before.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "string",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [UPDATE_KEY],
  replacedBy: "`SET` with the `!GET` argument",
  deprecatedSince: "6.2.0",
  args: { key: key(), value: bytes() },
  run(context, parsed, args) {
    const key = readString(context, args, parsed.key);
    exchange(context, key, args, parsed.value, NO_DEADLINE);
    key.notify(STRING_EVENT, "set");
  },
});

export const GETDEL = command({
  name: "GETDEL",
  summary: "Returns the string value of a key and removes the key.",
  complexity: "O(1)",
  since: "6.2.0",
  group: "string",
  arity: 2,
  flags: ["write", "fast"],
  replay: "rewritten",
  keys: [GIVEN_AWAY_KEY],
  args: { key: key() },
  run(context, parsed, args) {
    const key = readString(context, args, parsed.key);
    replyString(context, key);
    if (!key.found) return;
    key.remove(BY_DELETE);
    if (context.effects.areKept) context.effects.add("DEL", args.slice(parsed.key, name));
    key.notify(GENERIC_EVENT, "del");
  },
});

export const GETEX = command({
  name: "GETEX",
  summary: "Returns the string value of a key and changes how long it lives.",
  complexity: "O(1)",
  since: "6.2.0",
  group: "string",
  arity: -2,
  flags: ["write", "fast"],
  replay: "rewritten",
  keys: [{ ...UPDATE_KEY, notes: "RW and UPDATE because it changes the TTL" }],
  args: {
    key: key(),
    expiration: choice({
      EX: named("seconds", deferred("integer")),
      PX: named("milliseconds", deferred("integer")),
      EXAT: named("unix-time-seconds", deferred("unix-time")),
      PXAT: named("unix-time-milliseconds", deferred("unix-time")),
      PERSIST: alone(),
    }),
  },
  run(context, parsed, args) {
    const { expiration } = parsed;
    const key = readString(context, args, parsed.key);
    if (!key.found || expiration === undefined) {
      replyString(context, key);
      return;
    }
    const deadline = deadlineFrom(context, args, expiration, "getex");
    const isAbsolute = expiration.word === "EXAT" || expiration.word === "PXAT";
    if (isAbsolute && deadline <= context.keyspace.expiryClock.now()) {
      replyString(context, key);
      key.remove(BY_PAST_DEADLINE);
      tellRemoved(context, BY_PAST_DEADLINE, args.slice(parsed.key, name));
      key.notify(GENERIC_EVENT, "del");
      return;
    }
    const isChanged = key.deadline !== deadline;
    if (isChanged) key.setDeadline(deadline);
    if (isChanged && context.effects.areKept) tellDeadline(context.effects, args.slice(parsed.key, name), deadline);
    replyString(context, key);
    if (deadline !== NO_DEADLINE) key.notify(GENERIC_EVENT, "expire");
    else if (isChanged) key.notify(GENERIC_EVENT, "persist");
  },
});
