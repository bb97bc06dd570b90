/** Hashes as a whole: all their fields, some of them, or any of them. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { matchesGlob } from "../base/glob.ts";
import { expireAll } from "../keyspace/hash-deadlines.ts";
import { chooseFields, drawFields, forEachField, scanFields } from "../keyspace/hash-walks.ts";
import { hashLength, readName } from "../keyspace/hashes.ts";
import type { Key } from "../keyspace/key.ts";
import { key, pureToken, rest } from "./argument.ts";
import { readScanOptions, replyScanHead, SCAN_OPTION_DOCUMENTS } from "./collection-scan.ts";
import { type Command, command } from "./command.ts";
import type { Context } from "./context.ts";
import { readHash, replyName, replyValue } from "./hashes-access.ts";
import { ACCESS_KEY } from "./key-specs.ts";
import { checkRepeated, readRandomPairs } from "./random-count.ts";
import { cursor } from "./scan.ts";

const NO_FIELDS: readonly number[] = [];

const name = new Slice();

/** What of each field a command replies with. */
type Parts = "fields" | "values" | "both";

function replyAll(context: Context, args: Arguments, parts: Parts): void {
  const { reply } = context;
  const key = readHash(context, args, 1);
  expireAll(key);
  const count = key.found ? hashLength(key) : 0;
  if (parts === "both") reply.map(count);
  else reply.array(count);
  if (count === 0) return;
  forEachField(key, (field, value) => {
    if (parts !== "values") reply.bulk(field.bytes, field.start, field.length);
    if (parts !== "fields") reply.bulk(value.bytes, value.start, value.length);
  });
}

function wholeCommand(name: string, summary: string, parts: Parts): Command {
  return command({
    name,
    summary,
    complexity: "O(N) where N is the size of the hash.",
    since: "2.0.0",
    group: "hash",
    arity: 2,
    flags: ["readonly"],
    keys: [ACCESS_KEY],
    tips: ["nondeterministic_output_order"],
    args: { key: key() },
    run(context, _parsed, args) {
      replyAll(context, args, parts);
    },
  });
}

export const HGETALL = wholeCommand("HGETALL", "Returns all fields of a hash with their values.", "both");
export const HKEYS = wholeCommand("HKEYS", "Returns the names of all fields of a hash.", "fields");
export const HVALS = wholeCommand("HVALS", "Returns the values of all fields of a hash.", "values");

/** Replies with a field's name and, if wanted, its value: behind it in RESP2, together in RESP3. */
function replyField(context: Context, key: Key, at: number, withValue: boolean): void {
  const { reply } = context;
  if (withValue && reply.version === 3) reply.array(2);
  replyName(context, key, at);
  if (withValue) replyValue(context, key, at);
}

function replyRandom(context: Context, args: Arguments, count: number, withValues: boolean): void {
  const { reply } = context;
  const key = readHash(context, args, 1);
  expireAll(key);
  const perField = withValues && reply.version === 2 ? 2 : 1;
  if (count < 0 && key.found) {
    checkRepeated(-count);
    reply.array(-count * perField);
    drawFields(key, -count, Math.random, (at) => replyField(context, key, at, withValues));
    return;
  }
  const chosen = key.found ? chooseFields(key, count, Math.random) : NO_FIELDS;
  reply.array(chosen.length * perField);
  for (const at of chosen) replyField(context, key, at, withValues);
}

export const HRANDFIELD = command({
  name: "HRANDFIELD",
  summary: "Returns fields of a hash, each with the same probability.",
  complexity: "O(N) where N is the number of fields returned",
  since: "6.2.0",
  group: "hash",
  arity: -2,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  tips: ["nondeterministic_output"],
  args: {
    key: key(),
    options: rest({
      name: "options",
      type: "block",
      flags: ["optional"],
      arguments: [
        { name: "count", type: "integer" },
        { ...pureToken("WITHVALUES"), flags: ["optional"] },
      ],
    }),
  },
  run(context, _parsed, args) {
    const request = readRandomPairs(args, 2, "WITHVALUES");
    if (request === undefined) {
      const key = readHash(context, args, 1);
      expireAll(key);
      if (key.found) drawFields(key, 1, Math.random, (at) => replyName(context, key, at));
      else context.reply.null();
      return;
    }
    replyRandom(context, args, request.count, request.withPairs);
  },
});

export const HSCAN = command({
  name: "HSCAN",
  summary: "Walks through the fields of a hash, some with each call.",
  complexity: "O(1) for a call, O(N) for a whole walk, where N is the number of fields in the hash.",
  since: "2.8.0",
  group: "hash",
  arity: -3,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  tips: ["nondeterministic_output"],
  args: {
    key: key(),
    cursor,
    options: rest(...SCAN_OPTION_DOCUMENTS, { ...pureToken("NOVALUES"), since: "7.4.0", flags: ["optional"] }),
  },
  run(context, parsed, args) {
    const key = readHash(context, args, parsed.key);
    if (!key.found) {
      replyScan(context, key, 0, NO_FIELDS, false);
      return;
    }
    const { pattern, count, slotsMax, noValues } = readScanOptions(args, parsed.options, true);
    const found: number[] = [];
    const next = scanFields(key, parsed.cursor, count, slotsMax, found);
    const wanted = pattern === undefined ? found : found.filter((at) => matches(key, at, pattern));
    replyScan(context, key, next, wanted, !noValues);
  },
});

function replyScan(context: Context, key: Key, next: number, found: readonly number[], withValues: boolean): void {
  replyScanHead(context.reply, next, found.length * (withValues ? 2 : 1));
  for (const at of found) {
    replyName(context, key, at);
    if (withValues) replyValue(context, key, at);
  }
}

function matches(key: Key, at: number, pattern: Uint8Array): boolean {
  readName(key, at, name);
  return matchesGlob(pattern, name.bytes, name.start, name.length);
}
