/** BITOP: strings combined bit by bit. */
import type { Arguments } from "../base/arguments.ts";
import { copyBytes, Slice } from "../base/bytes.ts";
import { buildZeros, writeAt } from "../keyspace/strings.ts";
import { key, repeated, word } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError } from "./errors.ts";
import { notifyStored, STRING_EVENT } from "./key-events.ts";
import { EVERY_KEY_FROM_THIRD, OVERWRITE_SECOND_KEY } from "./key-specs.ts";
import { readString } from "./strings-access.ts";

const NOT_TAKES_ONE = "ERR BITOP NOT must be called with a single source key.";

type Operation = "AND" | "OR" | "XOR" | "NOT";

/** Bytes combined at a time: two such pieces stay in the processor's cache. */
const PIECE_BYTES = 16 * 1024;

/** A piece of a string at an aligned place, by bytes and by words. */
class Piece {
  readonly asWords = new Int32Array(PIECE_BYTES / 4);
  readonly asBytes = Buffer.from(this.asWords.buffer);

  /** Copies the `length` bytes of `source` from `offset` on; behind its end there are zeros. */
  load(source: Slice, offset: number, length: number): void {
    const there = Math.max(0, Math.min(length, source.length - offset));
    copyBytes(source.bytes, source.start + offset, this.asBytes, 0, there);
    this.asBytes.fill(0, there, length);
  }
}

const result = new Piece();
const operand = new Piece();
const target = new Slice();

export const BITOP = command({
  name: "BITOP",
  summary: "Combines strings bit by bit and stores the result.",
  complexity: "O(N) where N is the length of the longest string, times the number of strings.",
  since: "2.6.0",
  group: "bitmap",
  arity: -4,
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [OVERWRITE_SECOND_KEY, EVERY_KEY_FROM_THIRD],
  args: { operation: word("AND", "OR", "XOR", "NOT"), destkey: key(), key: repeated({ key: key(1) }) },
  run(context, parsed, args) {
    const { operation } = parsed;
    if (operation === "NOT" && args.count !== parsed.key + 1) throw new CommandError(NOT_TAKES_ONE);
    const sources = readAll(context, args, parsed.key);
    const length = sources.reduce((longest, source) => Math.max(longest, source.length), 0);
    const destination = context.database.write(args, parsed.destkey);
    const existed = destination.found;
    if (length > 0) {
      const entry = buildZeros(destination, length, target);
      for (let offset = 0; offset < length; offset += PIECE_BYTES) {
        const size = Math.min(PIECE_BYTES, length - offset);
        combine(operation, sources, offset, size);
        writeAt(destination, target, offset, result.asBytes, 0, size);
      }
      destination.link(entry);
    } else if (existed) {
      destination.remove();
    }
    notifyStored(destination, existed, STRING_EVENT, "set");
    context.reply.integer(length);
  },
});

/** The strings of all keys from argument `first` on; a key that does not exist has no bytes. */
function readAll(context: Context, args: Arguments, first: number): Slice[] {
  const sources: Slice[] = [];
  for (let index = first; index < args.count; index++) {
    const source = new Slice();
    const key = readString(context, args, index);
    if (key.found) {
      key.readString(source);
      // The digits of an integer are the key's own, and the next key will write its over them.
      if (key.integer !== undefined) source.set(source.toBuffer(), 0, source.length);
    }
    sources.push(source);
  }
  return sources;
}

/** Brings the result's `size` bytes from `offset` on into `result`. */
function combine(operation: Operation, sources: readonly Slice[], offset: number, size: number): void {
  const count = (size + 3) >>> 2;
  result.load(sources[0]!, offset, size);
  if (operation === "NOT") invert(result.asWords, count);
  for (let index = 1; index < sources.length; index++) {
    operand.load(sources[index]!, offset, size);
    if (operation === "AND") and(result.asWords, operand.asWords, count);
    else if (operation === "OR") or(result.asWords, operand.asWords, count);
    else xor(result.asWords, operand.asWords, count);
  }
}

function invert(into: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) into[index] = ~into[index]!;
}

function and(into: Int32Array, other: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) into[index] = into[index]! & other[index]!;
}

function or(into: Int32Array, other: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) into[index] = into[index]! | other[index]!;
}

function xor(into: Int32Array, other: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) into[index] = into[index]! ^ other[index]!;
}
