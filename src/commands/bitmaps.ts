/** All commands on bitmaps: strings seen as bits, the first being the highest of the first byte. */
import { Slice } from "../base/bytes.ts";
import { growString, setByte } from "../keyspace/strings.ts";
import { deferred, key } from "./argument.ts";
import { BITFIELD, BITFIELD_RO } from "./bitfield.ts";
import { bitOffset } from "./bitmaps-access.ts";
import { BITOP } from "./bitmaps-operations.ts";
import { BITCOUNT, BITPOS } from "./bitmaps-search.ts";
import { command } from "./command.ts";
import { CommandError } from "./errors.ts";
import { STRING_EVENT } from "./key-events.ts";
import { ACCESS_KEY, UPDATE_KEY } from "./key-specs.ts";
import { checkLength, readString, writeString } from "./strings-access.ts";

const NOT_A_BIT = "ERR bit is not an integer or out of range";

const value = new Slice();

const SETBIT = command({
  name: "SETBIT",
  summary: "Sets or clears one bit of a string and returns what it was; the string grows to hold it.",
  complexity: "O(1)",
  since: "2.2.0",
  group: "bitmap",
  arity: 4,
  flags: ["write", "denyoom"],
  replay: "as-is",
  keys: [UPDATE_KEY],
  args: { key: key(), offset: deferred("integer"), value: deferred("integer") },
  run(context, parsed, args) {
    const offset = bitOffset(context, args, parsed.offset, 0);
    const bit = args.int64(parsed.value);
    if (bit !== 0 && bit !== 1) throw new CommandError(NOT_A_BIT);
    const key = writeString(context, args, parsed.key);
    const at = Math.floor(offset / 8);
    checkLength(context, at + 1);
    const grows = !key.found || key.stringLength <= at;
    const { changes } = key.keyspace;
    growString(key, at + 1, value);
    const byte = value.bytes[value.start + at]!;
    const mask = 0x80 >>> (offset & 7);
    setByte(key, value, at, bit === 1 ? byte | mask : byte & ~mask);
    const old = (byte & mask) === 0 ? 0 : 1;
    if (grows || old !== bit) key.notify(STRING_EVENT, "setbit");
    else key.keyspace.changes = changes;
    context.reply.integer(old);
  },
});

const GETBIT = command({
  name: "GETBIT",
  summary: "Returns one bit of a string; behind its end all bits are 0.",
  complexity: "O(1)",
  since: "2.2.0",
  group: "bitmap",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: [ACCESS_KEY],
  args: { key: key(), offset: deferred("integer") },
  run(context, parsed, args) {
    const offset = bitOffset(context, args, parsed.offset, 0);
    const key = readString(context, args, parsed.key);
    const at = Math.floor(offset / 8);
    const isThere = key.found && at < key.readString(value).length;
    context.reply.integer(isThere ? (value.bytes[value.start + at]! >>> (7 - (offset & 7))) & 1 : 0);
  },
});

export const bitmapCommands = [BITCOUNT, BITFIELD, BITFIELD_RO, BITOP, BITPOS, GETBIT, SETBIT];
