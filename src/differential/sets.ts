import {
  asDeclared,
  command,
  type Draw,
  exactly,
  type Family,
  often,
  oneOf,
  optional,
  repeated,
  sequence,
} from "./shape.ts";
import { expiry, glob, integer, key, value } from "./words.ts";

/** Few members, so that sets meet; numbers around the sizes of integers in an intset. */
const member: Draw = (random) => {
  if (random.chance(0.5)) return [random.between(-4, 30)];
  if (random.chance(0.4)) return [random.pick(["a", "b", "c", "d", "", "01", "-0", " 1", "1.0", "x".repeat(65)])];
  if (random.chance(0.3))
    return [random.pick([32767, 32768, -32769, 2147483647, "2147483648", "-9223372036854775808"])];
  return random.chance(0.3) ? value(random) : [random.text(2, "abc")];
};
const setKey = oneOf("a", "b", "c", "number:1", key);
const members = repeated(member, 1, 8);
const scanOption = oneOf(
  sequence("MATCH", oneOf(glob, exactly("[0-9]*"), exactly("?"))),
  sequence("COUNT", oneOf("1", "3", "1000", "0", "abc")),
  sequence("TYPE", "set"),
);

export const sets: Family = {
  name: "sets",
  // A limit that sets of the tests cross and cross back by being made again.
  prologue: [["CONFIG", "SET", "set-max-intset-entries", "16"]],
  commands: [
    often(16, command("SADD", setKey, members)),
    often(
      6,
      command(
        "SADD",
        setKey,
        repeated((random) => [random.between(-4, 40)], 1, 8),
      ),
    ),
    often(10, command("SREM", setKey, members)),
    often(6, command("SMOVE", setKey, setKey, member)),
    often(3, command("SCARD", setKey)),
    often(5, command("SISMEMBER", setKey, member)),
    often(3, command("SMISMEMBER", setKey, members)),
    often(8, command("SMEMBERS", setKey)),
    often(4, command("SINTER", repeated(setKey, 1, 3))),
    often(4, command("SUNION", repeated(setKey, 1, 4))),
    often(4, command("SDIFF", repeated(setKey, 1, 4))),
    often(5, command("SINTERSTORE", setKey, repeated(setKey, 1, 3))),
    often(5, command("SUNIONSTORE", setKey, repeated(setKey, 1, 3))),
    often(5, command("SDIFFSTORE", setKey, repeated(setKey, 1, 2))),
    // From three sets on, Redis may take members out of a copy.
    often(5, command("SDIFFSTORE", setKey, repeated(setKey, 3, 4))),
    often(3, command("SINTERCARD", "2", setKey, setKey, optional(sequence("LIMIT", oneOf("0", "1", "2", integer))))),
    command("SINTERCARD", oneOf("1", "2", "0", integer), repeated(setKey, 1, 3), optional("LIMIT")),
    // Which members are popped is not determined: all of them, or none.
    often(2, asDeclared(command("SPOP", setKey, oneOf("1000", "0", "-1", "abc", "9223372036854775807")))),
    asDeclared(command("SPOP", setKey, "1000", integer)),
    often(4, command("SRANDMEMBER", setKey, optional(oneOf("1", "3", "1000", "-1", "-5", "0", "abc")))),
    often(3, command("SSCAN", setKey, exactly("0"), optional(scanOption), optional(scanOption))),
    command("SSCAN", setKey, integer, optional(scanOption)),
    often(4, command("OBJECT ENCODING", setKey)),
    often(2, command("TYPE", setKey)),
    often(3, command("DEL", repeated(key, 1, 2))),
    often(3, command("SET", key, value)),
    often(2, command("COPY", setKey, setKey, optional("REPLACE"))),
    often(2, command("RENAME", setKey, setKey)),
    command("GET", setKey),
    command("EXPIRE", setKey, "100000000"),
    command("SET", key, value, expiry),
    command("TTL", setKey),
  ],
};
