/** ACL categories: which of them a command belongs to follows from its flags and group, and from what it declares. */
import type { Command, CommandFlag, CommandGroup } from "./command.ts";

/** All categories, in the order in which a command's are listed. */
const CATEGORIES = [
  "keyspace",
  "read",
  "write",
  "set",
  "sortedset",
  "list",
  "hash",
  "string",
  "bitmap",
  "hyperloglog",
  "geo",
  "stream",
  "pubsub",
  "admin",
  "fast",
  "slow",
  "blocking",
  "dangerous",
  "connection",
  "transaction",
  "scripting",
];

const OF_GROUP: Readonly<Partial<Record<CommandGroup, string>>> = {
  generic: "keyspace",
  string: "string",
  bitmap: "bitmap",
  list: "list",
  set: "set",
  "sorted-set": "sortedset",
  hash: "hash",
  hyperloglog: "hyperloglog",
  geo: "geo",
  stream: "stream",
  transactions: "transaction",
  connection: "connection",
  scripting: "scripting",
};

const OF_FLAG: Readonly<Partial<Record<CommandFlag, readonly string[]>>> = {
  write: ["write"],
  readonly: ["read"],
  admin: ["admin", "dangerous"],
  pubsub: ["pubsub"],
  fast: ["fast"],
  blocking: ["blocking"],
};

/** Categories to which a generic command belongs instead of to "keyspace": types, and what is about no key. */
const INSTEAD: readonly string[] = ["set", "sortedset", "list", "hash", "string", "stream", "connection"];

/**
 * The command's categories, without the "@". What only holds subcommands belongs to none by its group: its subcommands
 * do.
 */
export function categoriesOf(command: Command): readonly string[] {
  const { flags, group, subcommands, categories = [] } = command;
  const isOfOthers = group === "generic" && categories.some((category) => INSTEAD.includes(category));
  const ofGroup = subcommands === undefined && !isOfOthers ? OF_GROUP[group] : undefined;
  const found = new Set([...categories, ...flags.flatMap((flag) => OF_FLAG[flag] ?? [])]);
  if (ofGroup !== undefined) found.add(ofGroup);
  if (!found.has("fast")) found.add("slow");
  return CATEGORIES.filter((category) => found.has(category));
}
