import { command, type Draw, type Family, often, oneOf, optional, repeated, sequence, someOf } from "./shape.ts";
import { integer, key, position, value, writeBit } from "./words.ts";

const unit = oneOf("BYTE", "BIT", "BITS");
const bit = oneOf("0", "1", "0", "1", "0", "1", "0", "1", oneOf("2", "-1", "abc"));

/** Field types: all widths, the allowed ones and those just beyond. */
const fieldType: Draw = (random) => {
  const width = random.chance(0.7)
    ? random.pick([1, 2, 3, 5, 7, 8, 9, 15, 16, 31, 32, 33, 62, 63, 64])
    : random.below(67);
  return random.chance(0.03)
    ? [random.pick(["u", "i", "8", "x8", "u-1", "u8 ", "U8"])]
    : [`${random.pick("ui".split(""))}${width}`];
};

const fieldOffset: Draw = (random) => {
  if (random.chance(0.04)) return [random.pick(["-1", "#-1", "abc", "#", "", "#9223372036854775807", "4294967296"])];
  return [random.chance(0.3) ? `#${random.below(12)}` : random.below(200)];
};

const fieldRead = sequence("GET", fieldType, fieldOffset);
const fieldWrite = oneOf(
  sequence("SET", fieldType, fieldOffset, integer),
  sequence("INCRBY", fieldType, fieldOffset, integer),
  sequence("OVERFLOW", oneOf("WRAP", "SAT", "FAIL", "WRAP", "SAT", "FAIL", "NONE")),
);

export const bitmaps: Family = {
  name: "bitmaps",
  prologue: [],
  commands: [
    often(6, command("SET", key, value)),
    often(3, command("GET", key)),
    often(10, command("SETBIT", key, writeBit, bit)),
    often(4, command("GETBIT", key, oneOf(position, "4294967295", "4294967296"))),
    often(8, command("BITCOUNT", key, optional(sequence(position, position, optional(unit))))),
    command("BITCOUNT", key, position),
    often(10, command("BITPOS", key, bit, optional(sequence(position, optional(sequence(position, optional(unit))))))),
    often(8, command("BITOP", oneOf("AND", "OR", "XOR"), key, repeated(key, 1, 4))),
    often(3, command("BITOP", oneOf("NOT", "NOT", "NAND"), key, repeated(key, 1, 2))),
    often(12, command("BITFIELD", key, repeated(oneOf(fieldRead, fieldWrite, fieldWrite), 0, 4))),
    often(3, command("BITFIELD_RO", key, repeated(fieldRead, 0, 3))),
    command("BITFIELD_RO", key, repeated(oneOf(fieldRead, fieldWrite), 1, 2)),
    often(2, command("APPEND", key, value)),
    often(3, command("DEL", repeated(key, 1, 2))),
    often(2, command("STRLEN", key)),
    command("OBJECT ENCODING", key),
    command("EXPIRE", key, "100000000", someOf("NX")),
  ],
};
