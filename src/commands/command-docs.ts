/** COMMAND DOCS: a command's declaration as documentation. */
import type { Argument, ArgumentDocument, ArgumentSchema } from "./argument.ts";
import type { Command } from "./command.ts";
import type { Reply } from "./reply.ts";

/** What is shown for a command's arguments, in order. */
export function documentsOf(schema: ArgumentSchema): readonly ArgumentDocument[] {
  return Object.entries(schema).flatMap(([name, argument]) => {
    return hasOwnDocuments(argument) ? argument.documents : [argument.document(name)];
  });
}

/** Arguments with a grammar of their own bring documents of all their parts. */
function hasOwnDocuments(argument: Argument<unknown>): argument is Argument<unknown> & OwnDocuments {
  return "documents" in argument;
}

interface OwnDocuments {
  readonly documents: readonly ArgumentDocument[];
}

type Field = readonly [name: string, write: () => void];

/** Writes the fields that have something to say, as a map. */
function replyFields(reply: Reply, fields: readonly (Field | undefined)[]): void {
  const written = fields.filter((field) => field !== undefined);
  reply.map(written.length);
  for (const [name, write] of written) {
    reply.bulkText(name);
    write();
  }
}

/** Replies with the documentation of one command. */
export function replyCommandDocs(reply: Reply, command: Command): void {
  const { history = [], subcommands = [] } = command;
  const documents = documentsOf(command.args);
  const text = (name: string, value: string | undefined): Field | undefined =>
    value === undefined ? undefined : [name, () => reply.bulkText(value)];
  replyFields(reply, [
    text("summary", command.summary),
    text("since", command.since),
    text("group", command.group),
    text("complexity", command.complexity),
    docFlags(reply, command),
    text("deprecated_since", command.deprecatedSince),
    text("replaced_by", command.replacedBy),
    history.length === 0 ? undefined : ["history", () => replyHistory(reply, history)],
    documents.length === 0 ? undefined : ["arguments", () => replyArguments(reply, documents)],
    subcommands.length === 0 ? undefined : ["subcommands", () => replyDocsByName(reply, subcommands)],
  ]);
}

/** Replies with the documentation of several commands, by their full names. */
export function replyDocsByName(reply: Reply, commands: readonly Command[]): void {
  reply.map(commands.length);
  for (const command of commands) {
    reply.bulkText(command.fullName);
    replyCommandDocs(reply, command);
  }
}

function docFlags(reply: Reply, command: Command): Field | undefined {
  const flags: string[] = [];
  if (command.deprecatedSince !== undefined) flags.push("deprecated");
  if (command.isSystemCommand === true) flags.push("syscmd");
  return flags.length === 0 ? undefined : ["doc_flags", () => replyWords(reply, flags)];
}

function replyHistory(reply: Reply, history: NonNullable<Command["history"]>): void {
  reply.set(history.length);
  for (const [version, change] of history) {
    reply.array(2);
    reply.bulkText(version);
    reply.bulkText(change);
  }
}

function replyArguments(reply: Reply, documents: readonly ArgumentDocument[]): void {
  reply.array(documents.length);
  for (const document of documents) replyArgument(reply, document);
}

const ARGUMENT_FLAGS = ["optional", "multiple", "multiple_token"];

function replyArgument(reply: Reply, document: ArgumentDocument): void {
  const { name, type, displayText, token, since, deprecatedSince, keySpecIndex, flags = [] } = document;
  const inner = document.arguments;
  const text = (field: string, value: string | undefined): Field | undefined =>
    value === undefined ? undefined : [field, () => reply.bulkText(value)];
  const ordered = ARGUMENT_FLAGS.filter((flag) => flags.includes(flag));
  replyFields(reply, [
    text("name", name),
    text("type", type),
    text("display_text", inner === undefined ? (displayText ?? name) : undefined),
    keySpecIndex === undefined ? undefined : ["key_spec_index", () => reply.integer(keySpecIndex)],
    text("token", token),
    text("since", since),
    text("deprecated_since", deprecatedSince),
    ordered.length === 0 ? undefined : ["flags", () => replyWords(reply, ordered)],
    inner === undefined ? undefined : ["arguments", () => replyArguments(reply, inner)],
  ]);
}

/** Replies with a set of status replies. */
export function replyWords(reply: Reply, words: readonly string[]): void {
  reply.set(words.length);
  for (const word of words) reply.simple(word);
}
