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
  someOf,
} from "./shape.ts";
import { almostInteger, float, glob, integer, value } from "./words.ts";

/** Few keys, so that commands meet; the last ones hold something else, or nothing. */
const key: Draw = (random) => [random.pick(["h", "h", "h", "i", "i", "large", "large", "string", "none"])];

/** Fields that meet, and some that do not fit into a listpack. */
const field: Draw = (random) => {
  if (random.chance(0.05)) return [random.text(random.pick([63, 64, 65, 200]), "ab")];
  return [random.pick(["a", "b", "c", "1", "2", "-5", "n:1", "n:2", "x:1", "", "é", Buffer.from([0, 13, 10, 255])])];
};
const manyFields: Draw = (random) => [`f${random.below(40)}`];
const numberField: Draw = (random) => [random.pick(["n:1", "n:2", "1"])];
const floatField: Draw = (random) => [random.pick(["x:1", "x:2"])];

const someField = oneOf(field, field, manyFields);
const count = oneOf("1", "2", "5", "100", "-1", "-3", "0", almostInteger);
const scanOption = oneOf(sequence("MATCH", glob), sequence("COUNT", oneOf("1", "5", "1000", "0", "-1", "abc")));

/**
 * Fields with values, each field once: since 7.2, more fields than the limit in one command make a table at once, also
 * where some of them are the same.
 */
function distinct(fields: Draw): Draw {
  return (random) => {
    const words = fields(random);
    const names = words.map((word, index) => (index % 2 === 0 ? String(word) : ""));
    return words.filter((_, index) => names.indexOf(names[index & ~1]!) === (index & ~1));
  };
}

/** The limits, set to where hashes change their encoding early, late, or at once. */
const limit: Draw = (random) => [
  random.pick(["hash-max-listpack-entries", "hash-max-listpack-entries", "hash-max-listpack-value"]),
  random.pick(["0", "1", "3", "8", "64", "512"]),
];

export const hashes: Family = {
  name: "hashes",
  prologue: [
    ["CONFIG", "SET", "hash-max-listpack-entries", "8"],
    ["CONFIG", "SET", "hash-max-listpack-value", "64"],
    ["SET", "string", "text"],
  ],
  commands: [
    often(16, command("HSET", key, someField, value)),
    often(8, command("HSET", key, distinct(repeated(sequence(someField, value), 1, 5)))),
    command("HSET", exactly("large"), distinct(repeated(sequence(manyFields, value), 10, 30))),
    often(2, command("HSET", key, repeated(someField, 1, 5))),
    often(3, command("HMSET", key, distinct(repeated(sequence(someField, value), 1, 4)))),
    often(3, command("HSETNX", key, someField, value)),
    often(5, command("HGET", key, someField)),
    often(4, command("HMGET", key, repeated(someField, 1, 5))),
    often(3, command("HGETALL", key)),
    often(2, command("HKEYS", key)),
    often(2, command("HVALS", key)),
    often(3, command("HLEN", key)),
    often(2, command("HEXISTS", key, someField)),
    often(3, command("HSTRLEN", key, someField)),
    often(9, command("HDEL", key, repeated(someField, 1, 6))),
    often(3, command("HSET", key, numberField, integer)),
    often(5, command("HINCRBY", key, oneOf(numberField, numberField, someField), integer)),
    often(3, command("HSET", key, floatField, float)),
    often(5, command("HINCRBYFLOAT", key, oneOf(floatField, floatField, someField), float)),
    often(2, command("HRANDFIELD", key, optional(sequence(count, optional(oneOf("WITHVALUES", "WITHVALUES", "FOO")))))),
    often(2, command("HSCAN", key, exactly("0"), "COUNT", exactly("1000"), someOf(scanOption))),
    often(2, command("HSCAN", key, oneOf("0", integer), someOf(scanOption, scanOption))),
    often(3, command("OBJECT ENCODING", key)),
    often(2, command("DEL", key)),
    command("TYPE", key),
    command("COPY", key, key, someOf("REPLACE")),
    command("RENAME", key, key),
    command("EXPIRE", key, "100000000"),
    command("SET", key, value),
    command("GET", key),
    asDeclared(command("CONFIG SET", limit)),
  ],
};
