/** Sets: adding, removing, counting and finding members. */
import { addMembers, hasMember, moveMember, removeMembers, setOf } from "../keyspace/sets.ts";
import { bytes, key, repeated } from "./argument.ts";
import { command } from "./command.ts";
import { NEW_KEY_EVENT, notifyRemoval, SET_EVENT } from "./key-events.ts";
import {
  ACCESS_KEY,
  GIVEN_AWAY_KEY,
  INSERT_OR_UPDATE_KEY,
  INSERT_OR_UPDATE_SECOND_KEY,
  METADATA_KEY,
  REMOVED_FROM_KEY,
} from "./key-specs.ts";
import { readSet, replyMembers, writeSet } from "./sets-access.ts";
import { SDIFF, SDIFFSTORE, SINTER, SINTERCARD, SINTERSTORE, SUNION, SUNIONSTORE } from "./sets-algebra.ts";
import { SPOP, SRANDMEMBER } from "./sets-random.ts";
import { SSCAN } from "./sets-scan.ts";

const SADD = command({
  name: "SADD",
  summary: "Adds members to a set, which is created if there is none.",
  complexity: "O(1) for each member added, so O(N) for N members.",
  since: "1.0.0",
  group: "set",
  arity: -3,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [INSERT_OR_UPDATE_KEY],
  history: [["2.4.0", "Takes more than one member."]],
  args: { key: key(), member: repeated({ member: bytes() }) },
  run(context, parsed, args) {
    const key = writeSet(context, args, parsed.key);
    const added = addMembers(key, args, parsed.member);
    if (added > 0) key.notify(SET_EVENT, "sadd");
    context.reply.integer(added);
  },
});

const SREM = command({
  name: "SREM",
  summary: "Removes members from a set, and the set with the last of them.",
  complexity: "O(N) where N is the number of members to remove.",
  since: "1.0.0",
  group: "set",
  arity: -3,
  flags: ["write", "fast"],
  replay: "as-is",
  keys: [REMOVED_FROM_KEY],
  history: [["2.4.0", "Takes more than one member."]],
  args: { key: key(), member: repeated({ member: bytes() }) },
  run(context, parsed, args) {
    const key = writeSet(context, args, parsed.key);
    const removed = key.found ? removeMembers(key, args, parsed.member) : 0;
    if (removed > 0) notifyRemoval(key, SET_EVENT, "srem");
    context.reply.integer(removed);
  },
});

const SMOVE = command({
  name: "SMOVE",
  summary: "Moves a member from one set to another.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "set",
  arity: 4,
  flags: ["write", "fast"],
  replay: "as-is",
  keys: [GIVEN_AWAY_KEY, INSERT_OR_UPDATE_SECOND_KEY],
  args: { source: key(), destination: key(1), member: bytes() },
  run(context, parsed, args) {
    const { database, reply } = context;
    // A source that does not exist is told of before the destination's type is looked at, as in Redis.
    const source = writeSet(context, args, parsed.source);
    if (!source.found) {
      reply.integer(0);
      return;
    }
    const destination = writeSet(context, args, parsed.destination, database.other);
    const existed = destination.found;
    const outcome = moveMember(source, destination, args, parsed.member);
    if (outcome === "moved" || outcome === "dropped") notifyRemoval(source, SET_EVENT, "srem");
    if (outcome === "moved" && !existed) destination.notify(NEW_KEY_EVENT, "new");
    if (outcome === "moved") destination.notify(SET_EVENT, "sadd");
    reply.integer(outcome === "absent" ? 0 : 1);
  },
});

const SCARD = command({
  name: "SCARD",
  summary: "Returns the number of members in a set.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "set",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: [METADATA_KEY],
  args: { key: key() },
  run(context, parsed, args) {
    const key = readSet(context, args, parsed.key);
    context.reply.integer(key.found ? setOf(key).count : 0);
  },
});

const SISMEMBER = command({
  name: "SISMEMBER",
  summary: "Tells whether a set has a member.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "set",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: [METADATA_KEY],
  args: { key: key(), member: bytes() },
  run(context, parsed, args) {
    const key = readSet(context, args, parsed.key);
    context.reply.integer(key.found && hasMember(key, args, parsed.member) ? 1 : 0);
  },
});

const SMISMEMBER = command({
  name: "SMISMEMBER",
  summary: "Tells of several members whether a set has them.",
  complexity: "O(N) where N is the number of members to look for.",
  since: "6.2.0",
  group: "set",
  arity: -3,
  flags: ["readonly", "fast"],
  keys: [ACCESS_KEY],
  args: { key: key(), member: repeated({ member: bytes() }) },
  run(context, parsed, args) {
    const key = readSet(context, args, parsed.key);
    context.reply.array(args.count - parsed.member);
    for (let index = parsed.member; index < args.count; index++) {
      context.reply.integer(key.found && hasMember(key, args, index) ? 1 : 0);
    }
  },
});

const SMEMBERS = command({
  name: "SMEMBERS",
  summary: "Returns all members of a set.",
  complexity: "O(N) where N is the size of the set.",
  since: "1.0.0",
  group: "set",
  arity: 2,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  tips: ["nondeterministic_output_order"],
  args: { key: key() },
  run(context, parsed, args) {
    const { reply } = context;
    const key = readSet(context, args, parsed.key);
    if (!key.found) {
      reply.set(0);
      return;
    }
    const set = setOf(key);
    reply.set(set.count);
    replyMembers(reply, set);
  },
});

export const setCommands = [
  SADD,
  SCARD,
  SDIFF,
  SDIFFSTORE,
  SINTER,
  SINTERCARD,
  SINTERSTORE,
  SISMEMBER,
  SMEMBERS,
  SMISMEMBER,
  SMOVE,
  SPOP,
  SRANDMEMBER,
  SREM,
  SSCAN,
  SUNION,
  SUNIONSTORE,
];
