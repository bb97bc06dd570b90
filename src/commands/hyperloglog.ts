/** All commands on HyperLogLogs: about how many distinct elements there have been, in 12 KB at the most. */
import { Slice } from "../base/bytes.ts";
import { addElements, cardinalityOf, DAMAGED, Union } from "../keyspace/hyperloglogs.ts";
import { bytes, key, optional, repeated } from "./argument.ts";
import { command } from "./command.ts";
import { CommandError } from "./errors.ts";
import { checkHyperLogLog, DAMAGED_VALUE } from "./hyperloglog-access.ts";
import { PFDEBUG, PFSELFTEST } from "./hyperloglog-debug.ts";
import { STRING_EVENT } from "./key-events.ts";
import { EVERY_KEY, INSERT_OR_UPDATE_KEY } from "./key-specs.ts";

const union = new Union();
const name = new Slice();
const value = new Slice();

const PFADD = command({
  name: "PFADD",
  summary: "Counts elements as seen by a HyperLogLog; a key that does not exist is made.",
  complexity: "O(N) where N is the number of elements given; sparse ones are walked for each.",
  since: "2.8.9",
  group: "hyperloglog",
  arity: -2,
  flags: ["write", "denyoom", "fast"],
  replay: "as-is",
  keys: [INSERT_OR_UPDATE_KEY],
  args: { key: key(), element: optional(repeated({ element: bytes() })) },
  run(context, parsed, args) {
    const key = checkHyperLogLog(context.database.write(args, parsed.key));
    const { keyspace, effects } = context;
    const before = keyspace.changes;
    const changes = addElements(key, args, parsed.key + 1);
    if (changes === DAMAGED) {
      // What came before the damage has been counted, as in Redis, though the command fails.
      if (effects.areKept && keyspace.changes > before) {
        effects.add("SET", args.slice(parsed.key, name), key.readString(value), "KEEPTTL");
      }
      throw new CommandError(DAMAGED_VALUE);
    }
    if (changes > 0) key.notify(STRING_EVENT, "pfadd");
    context.reply.integer(changes > 0 ? 1 : 0);
  },
});

const PFCOUNT = command({
  name: "PFCOUNT",
  summary: "Returns about how many distinct elements one HyperLogLog has seen, or several together.",
  complexity:
    "O(1) for one key, whose count is kept until it changes; O(N) where N is the number of keys, " +
    "whose 16,384 registers are joined.",
  since: "2.8.9",
  group: "hyperloglog",
  arity: -2,
  flags: ["readonly", "may_replicate"],
  replay: "as-is",
  keys: [
    {
      ...EVERY_KEY,
      flags: ["RW", "access"],
      notes: "RW because it may change the internal representation of the key, and propagate to replicas",
    },
  ],
  args: { key: repeated({ key: key() }) },
  run(context, parsed, args) {
    if (args.count === parsed.key + 1) {
      const key = checkHyperLogLog(context.database.read(args, parsed.key));
      const cardinality = key.found ? cardinalityOf(key) : 0;
      if (cardinality === undefined) throw new CommandError(DAMAGED_VALUE);
      context.reply.integer(cardinality);
      return;
    }
    union.clear();
    for (let index = parsed.key; index < args.count; index++) {
      const key = checkHyperLogLog(context.database.read(args, index));
      if (key.found && !union.add(key)) throw new CommandError(DAMAGED_VALUE);
    }
    context.reply.integer(union.estimate());
  },
});

const PFMERGE = command({
  name: "PFMERGE",
  summary: "Makes a HyperLogLog the union of itself and others.",
  complexity: "O(N) where N is the number of keys, whose 16,384 registers are joined.",
  since: "2.8.9",
  group: "hyperloglog",
  arity: -2,
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [
    { ...INSERT_OR_UPDATE_KEY, flags: ["RW", "access", "insert"] },
    { ...EVERY_KEY, begin: { index: 2 } },
  ],
  args: { destkey: key(), sourcekey: optional(repeated({ sourcekey: key(1) })) },
  run(context, parsed, args) {
    union.clear();
    for (let index = parsed.destkey; index < args.count; index++) {
      const key = checkHyperLogLog(context.database.read(args, index));
      if (key.found && !union.add(key)) throw new CommandError(DAMAGED_VALUE);
    }
    const key = context.database.write(args, parsed.destkey);
    if (!union.storeIn(key)) throw new CommandError(DAMAGED_VALUE);
    key.notify(STRING_EVENT, "pfadd");
    context.reply.ok();
  },
});

export const hyperLogLogCommands = [PFADD, PFCOUNT, PFDEBUG, PFMERGE, PFSELFTEST];
