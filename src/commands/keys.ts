/** Keys, whatever they hold: deleting, counting, renaming, copying. */
import type { Arguments } from "../base/arguments.ts";
import { equalBytes } from "../base/bytes.ts";
import { BY_DELETE, BY_UNLINK, type Cause } from "../keyspace/cause.ts";
import { TYPE_NAMES } from "../keyspace/entry.ts";
import { copyKey, moveKey, renameKey } from "../keyspace/transfer.ts";
import { type ArgumentDocument, deferred, key, repeated, rest } from "./argument.ts";
import { type CommandDeclaration, command } from "./command.ts";
import type { Context } from "./context.ts";
import { databaseNamed } from "./databases.ts";
import { CommandError, NO_SUCH_KEY, SAME_OBJECT, SYNTAX_ERROR } from "./errors.ts";
import { expireCommands } from "./expire.ts";
import { GENERIC_EVENT, notifyReplaced } from "./key-events.ts";
import {
  ACCESS_KEY,
  EVERY_METADATA_KEY,
  EVERY_REMOVED_KEY,
  GIVEN_AWAY_KEY,
  INSERT_SECOND_KEY,
  METADATA_KEY,
  OVERWRITE_SECOND_KEY,
  UPDATE_KEY,
} from "./key-specs.ts";
import { objectCommand } from "./object.ts";
import { scanCommands } from "./scan.ts";

const someKeys = { key: repeated({ key: key() }) };

/** What DEL and UNLINK have in common: all that clients can see. */
const removing = {
  group: "generic",
  arity: -2,
  categories: ["keyspace"],
  keys: [EVERY_REMOVED_KEY],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  args: someKeys,
} as const satisfies Partial<CommandDeclaration<typeof someKeys>>;

function remove(context: Context, args: Arguments, first: number, cause: Cause): void {
  let removed = 0;
  for (let index = first; index < args.count; index++) {
    const key = context.database.peek(args, index);
    if (!key.found) continue;
    key.remove(cause);
    key.notify(GENERIC_EVENT, "del");
    removed += 1;
  }
  context.reply.integer(removed);
}

const DEL = command({
  ...removing,
  name: "DEL",
  summary: "Deletes one or more keys.",
  complexity: "O(N) where N is the number of keys, and of the elements in those that hold a collection.",
  since: "1.0.0",
  flags: ["write"],
  replay: "as-is",
  run(context, parsed, args) {
    remove(context, args, parsed.key, BY_DELETE);
  },
});

const UNLINK = command({
  ...removing,
  name: "UNLINK",
  summary: "Deletes one or more keys; the memory of large values is given back later.",
  complexity: "O(1) for each key; giving back its memory is O(N) where N is the number of its allocations.",
  since: "4.0.0",
  flags: ["write", "fast"],
  replay: "as-is",
  run(context, parsed, args) {
    remove(context, args, parsed.key, BY_UNLINK);
  },
});

/** What EXISTS and TOUCH have in common: they count the given keys that exist. */
const counting = {
  group: "generic",
  arity: -2,
  flags: ["readonly", "fast"],
  categories: ["keyspace"],
  keys: [EVERY_METADATA_KEY],
  tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
  args: someKeys,
} as const;

const EXISTS = command({
  ...counting,
  name: "EXISTS",
  summary: "Tells how many of the given keys exist; one given twice counts twice.",
  complexity: "O(N) where N is the number of keys to check.",
  since: "1.0.0",
  history: [["3.0.3", "Accepts more than one key."]],
  run(context, parsed, args) {
    let existing = 0;
    for (let index = parsed.key; index < args.count; index++) {
      if (context.database.inspect(args, index).found) existing += 1;
    }
    context.reply.integer(existing);
  },
});

const TOUCH = command({
  ...counting,
  name: "TOUCH",
  summary: "Marks keys as just accessed and tells how many of them exist.",
  complexity: "O(N) where N is the number of keys to touch.",
  since: "3.2.1",
  run(context, parsed, args) {
    let existing = 0;
    // Even where CLIENT NO-TOUCH is on, which lasts until the command is done.
    context.keyspace.touches = true;
    for (let index = parsed.key; index < args.count; index++) {
      if (context.database.read(args, index).found) existing += 1;
    }
    context.reply.integer(existing);
  },
});

const TYPE = command({
  name: "TYPE",
  summary: "Tells the type of the value that a key holds.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "generic",
  arity: 2,
  flags: ["readonly", "fast"],
  categories: ["keyspace"],
  keys: [METADATA_KEY],
  args: { key: key() },
  run(context, parsed, args) {
    const key = context.database.inspect(args, parsed.key);
    context.reply.simple(key.found ? TYPE_NAMES[key.type]! : "none");
  },
});

function isSameKey(args: Arguments, left: number, right: number): boolean {
  const length = args.length(left);
  return (
    length === args.length(right) && equalBytes(args.bytes, args.start(left), args.bytes, args.start(right), length)
  );
}

/**
 * Renames the key in argument `from` to that in argument `to`. A key may be renamed to itself: nothing happens then.
 * @returns false if `onlyNew` and the new key exists
 */
function rename(context: Context, args: Arguments, from: number, to: number, onlyNew: boolean): boolean {
  const { database } = context;
  const source = database.write(args, from);
  if (!source.found) throw new CommandError(NO_SUCH_KEY);
  if (isSameKey(args, from, to)) return !onlyNew;
  const target = database.write(args, to, database.other);
  const existed = target.found;
  if (existed && onlyNew) return false;
  renameKey(source, target);
  notifyReplaced(target, existed);
  source.notify(GENERIC_EVENT, "rename_from");
  target.notify(GENERIC_EVENT, "rename_to");
  return true;
}

const RENAME = command({
  name: "RENAME",
  summary: "Renames a key; what the new name held before is overwritten.",
  complexity: "O(1); O(N) where N is the size of the value, if the new name belongs to another of the store's regions.",
  since: "1.0.0",
  group: "generic",
  arity: 3,
  flags: ["write"],
  replay: "as-is",
  categories: ["keyspace"],
  keys: [GIVEN_AWAY_KEY, OVERWRITE_SECOND_KEY],
  args: { key: key(), newkey: key(1) },
  run(context, parsed, args) {
    rename(context, args, parsed.key, parsed.newkey, false);
    context.reply.ok();
  },
});

const RENAMENX = command({
  name: "RENAMENX",
  summary: "Renames a key if no key has the new name.",
  complexity: "O(1); O(N) where N is the size of the value, if the new name belongs to another of the store's regions.",
  since: "1.0.0",
  group: "generic",
  arity: 3,
  flags: ["write", "fast"],
  replay: "as-is",
  categories: ["keyspace"],
  keys: [GIVEN_AWAY_KEY, INSERT_SECOND_KEY],
  history: [["3.2.0", "Renaming a key to itself is no error any more."]],
  args: { key: key(), newkey: key(1) },
  run(context, parsed, args) {
    context.reply.integer(rename(context, args, parsed.key, parsed.newkey, true) ? 1 : 0);
  },
});

const copyOptions: readonly ArgumentDocument[] = [
  { name: "destination-db", type: "integer", token: "DB", flags: ["optional"] },
  { name: "replace", type: "pure-token", token: "REPLACE", flags: ["optional"] },
];

const COPY = command({
  name: "COPY",
  summary: "Copies the value of a key, and its time to live, to another key.",
  complexity: "O(N) where N is the size of the value.",
  since: "6.2.0",
  group: "generic",
  arity: -3,
  flags: ["write", "denyoom"],
  replay: "as-is",
  categories: ["keyspace"],
  keys: [ACCESS_KEY, OVERWRITE_SECOND_KEY],
  // Parsed here, because Redis reports a database that does not exist before an option behind it that it does not know.
  args: { source: key(), destination: key(1), options: rest(...copyOptions) },
  run(context, parsed, args) {
    const { database } = context;
    let targetDatabase = database;
    let replace = false;
    for (let index = parsed.options ?? args.count; index < args.count; index++) {
      if (args.is(index, "REPLACE")) replace = true;
      else if (args.is(index, "DB") && index + 1 < args.count) {
        index += 1;
        targetDatabase = databaseNamed(context, args, index);
      } else throw new CommandError(SYNTAX_ERROR);
    }
    if (database === targetDatabase && isSameKey(args, parsed.source, parsed.destination)) {
      throw new CommandError(SAME_OBJECT);
    }
    const source = database.read(args, parsed.source);
    if (!source.found) {
      // Without a look at the destination, which may have expired: nobody is told of that now.
      context.reply.integer(0);
      return;
    }
    const target = targetDatabase.write(args, parsed.destination, targetDatabase.other);
    const existed = target.found;
    const isCopied = replace || !existed;
    if (isCopied) {
      copyKey(source, target);
      notifyReplaced(target, existed);
      target.notify(GENERIC_EVENT, "copy_to");
    }
    context.reply.integer(isCopied ? 1 : 0);
  },
});

const MOVE = command({
  name: "MOVE",
  summary: "Moves a key to another database, unless it exists there.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "generic",
  arity: 3,
  flags: ["write", "fast"],
  replay: "as-is",
  categories: ["keyspace"],
  keys: [UPDATE_KEY],
  args: { key: key(), db: deferred("integer") },
  run(context, parsed, args) {
    const targetDatabase = databaseNamed(context, args, parsed.db);
    if (targetDatabase === context.database) throw new CommandError(SAME_OBJECT);
    const source = context.database.write(args, parsed.key);
    // As with COPY: without a source, nobody looks at the target.
    if (!source.found || targetDatabase.peek(args, parsed.key, targetDatabase.other).found) {
      context.reply.integer(0);
      return;
    }
    const target = targetDatabase.other;
    moveKey(source, target);
    source.notify(GENERIC_EVENT, "move_from");
    target.notify(GENERIC_EVENT, "move_to");
    context.reply.integer(1);
  },
});

export const keyCommands = [
  COPY,
  DEL,
  EXISTS,
  ...expireCommands,
  MOVE,
  objectCommand,
  RENAME,
  RENAMENX,
  ...scanCommands,
  TOUCH,
  TYPE,
  UNLINK,
];
