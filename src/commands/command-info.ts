/** COMMAND INFO: a command's declaration as clients read it to route and check what they send. */
import { categoriesOf } from "./acl-categories.ts";
import type { Command, CommandFlag, KeySpec } from "./command.ts";
import { replyWords } from "./command-docs.ts";
import { legacyRange } from "./command-keys.ts";
import type { Reply } from "./reply.ts";

/** The order in which flags are listed. */
const FLAGS: readonly CommandFlag[] = [
  "write",
  "readonly",
  "denyoom",
  "admin",
  "pubsub",
  "noscript",
  "blocking",
  "loading",
  "stale",
  "skip_monitor",
  "skip_slowlog",
  "fast",
  "no_auth",
  "no_async_loading",
  "no_multi",
  "movablekeys",
  "allow_busy",
];

const KEY_FLAGS = [
  "RO",
  "RW",
  "OW",
  "RM",
  "access",
  "update",
  "insert",
  "delete",
  "not_key",
  "incomplete",
  "variable_flags",
];

/** Replies with what is known of one command; of its subcommands within it. */
export function replyCommandInfo(reply: Reply, command: Command): void {
  const { keys = [], tips = [], subcommands = [] } = command;
  const range = legacyRange(keys);
  reply.array(10);
  reply.bulkText(command.fullName);
  reply.integer(command.arity);
  replyWords(
    reply,
    FLAGS.filter((flag) => command.flags.includes(flag) || (flag === "movablekeys" && range.isPartial)),
  );
  reply.integer(range.first);
  reply.integer(range.last);
  reply.integer(range.step);
  replyWords(
    reply,
    categoriesOf(command).map((category) => `@${category}`),
  );
  reply.set(tips.length);
  for (const tip of tips) reply.bulkText(tip);
  reply.set(keys.length);
  for (const spec of keys) replyKeySpec(reply, spec);
  if (subcommands.length === 0) reply.set(0);
  else reply.array(subcommands.length);
  for (const each of subcommands) replyCommandInfo(reply, each);
}

/** Replies with what happens to a key. */
export function replyKeyFlags(reply: Reply, flags: readonly string[]): void {
  replyWords(
    reply,
    KEY_FLAGS.filter((flag) => flags.includes(flag)),
  );
}

function replyKeySpec(reply: Reply, { notes, flags, begin, find }: KeySpec): void {
  reply.map(notes === undefined ? 3 : 4);
  if (notes !== undefined) {
    reply.bulkText("notes");
    reply.bulkText(notes);
  }
  reply.bulkText("flags");
  replyKeyFlags(reply, flags);
  reply.bulkText("begin_search");
  if ("index" in begin) replySearch(reply, "index", { index: begin.index });
  else if ("keyword" in begin) replySearch(reply, "keyword", { keyword: begin.keyword, startfrom: begin.from });
  else replySearch(reply, "unknown", {});
  reply.bulkText("find_keys");
  if ("locate" in begin) {
    replySearch(reply, "unknown", {});
  } else if ("keyCountAt" in find) {
    replySearch(reply, "keynum", { keynumidx: find.keyCountAt, firstkey: find.first, keystep: find.step });
  } else {
    replySearch(reply, "range", { lastkey: find.last, keystep: find.step, limit: find.limit });
  }
}

function replySearch(reply: Reply, type: string, spec: Readonly<Record<string, number | string>>): void {
  reply.map(2);
  reply.bulkText("type");
  reply.bulkText(type);
  reply.bulkText("spec");
  const fields = Object.entries(spec);
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.bulkText(name);
    if (typeof value === "number") reply.integer(value);
    else reply.bulkText(value);
  }
}
