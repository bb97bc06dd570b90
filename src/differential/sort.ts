import { asDeclared, command, type Draw, type Family, often, oneOf, optional, repeated, sequence } from "./shape.ts";

/** A key or two of each type, so that most commands meet something to sort. */
const list = oneOf("list", "list", "names");
const key = oneOf(list, list, list, oneOf("none", "hash_1", "text", "stored"));

/**
 * What is sorted, and part of the names of what it is sorted by. No number is out of C's range: Redis 7.0 would
 * remember that, and might refuse the numbers of the next SORT.
 */
const number: Draw = (random) => {
  if (random.chance(0.1)) return [random.pick(["1.5", "-0.25", "1e3", "0x10", "inf", "-inf", "+7", " 8", "007", "-0"])];
  return [random.chance(0.5) ? random.below(12) : random.between(-20, 100)];
};
const name: Draw = (random) => {
  if (random.chance(0.1)) return [random.pick(["", "a\0b", "a\0a", "a", "é", "\u{1f600}", "A", "nan", "x".repeat(70)])];
  return [random.text(random.between(1, 3), "abcAB1")];
};
const elements = oneOf(repeated(number, 1, 8), repeated(number, 1, 8), repeated(number, 9, 40));
const names = oneOf(repeated(name, 1, 8), repeated(number, 1, 4));

const pattern = oneOf(
  "weight_*",
  "weight_*",
  "hash_*->weight",
  "hash_*->name",
  "hash_*->none",
  "none_*",
  "#",
  oneOf("*", "weight_*_*", "hash_*->", "->", "*->name", "weight_1", "#x", "weight_*\0x", "hash_*->name\0", ""),
);
const by = oneOf(sequence("BY", pattern), sequence("BY", oneOf("nosort", "weight_*", "hash_*->weight")));
const get = sequence("GET", pattern);
const offset = oneOf("0", "0", "1", "2", "5", "30", "-1", oneOf("9223372036854775807", "-9223372036854775808", "abc"));
const limit = sequence("LIMIT", offset, oneOf("0", "1", "3", "10", "10", "-1", "-5", "9223372036854775807"));

const shown = sequence(optional(limit, 0.4), optional(oneOf("ASC", "DESC")), repeated(get, 0, 2));
const ordered = sequence(shown, optional("ALPHA", 0.4));
const anything = sequence(optional(by), ordered);

/**
 * Sets and sorted sets are sorted by what tells all elements apart: those that are equal come in the order of Redis's
 * hash table. A word left out by chance could leave them unsorted altogether.
 */
export const sort: Family = {
  name: "sort",
  prologue: [
    ["CONFIG", "SET", "zset-max-listpack-entries", "0", "list-max-listpack-size", "8"],
    ["SET", "text", "1"],
  ],
  commands: [
    often(5, command("RPUSH", "list", elements)),
    often(3, command("RPUSH", "names", names)),
    often(4, command("SADD", "set", elements)),
    often(4, command("ZADD", "sorted", repeated(sequence(number, number), 1, 10))),
    often(
      8,
      command("SET", (random) => [`weight_${random.below(14)}`], oneOf(number, number, name)),
    ),
    often(
      6,
      command("HSET", (random) => [`hash_${random.below(14)}`], oneOf("weight", "name", "none"), oneOf(number, name)),
    ),
    often(10, command("SORT", list, anything)),
    often(4, command("SORT", list, anything, sequence("STORE", oneOf("stored", "list", "text", "set")))),
    often(6, asDeclared(command("SORT", oneOf("set", "sorted"), ordered))),
    often(4, asDeclared(command("SORT", oneOf("set", "sorted"), ordered, "STORE", oneOf("stored", "names")))),
    often(3, asDeclared(command("SORT", "sorted", sequence("BY", "nosort"), ordered))),
    often(3, asDeclared(command("SORT", "set", "BY", "nosort", optional("DESC"), "STORE", "stored"))),
    often(
      4,
      asDeclared(command("SORT", oneOf("set", "sorted"), sequence("BY", oneOf("weight_*", "hash_*->weight")), shown)),
    ),
    often(4, command("SORT_RO", list, anything)),
    command("SORT_RO", list, anything, "STORE", "stored"),
    often(
      2,
      command(
        "SORT",
        oneOf(list, "text", "none"),
        repeated(oneOf(by, get, limit, "ALPHA", "DESC", "STORE", "WRONG"), 1, 4),
      ),
    ),
    often(4, command("LRANGE", oneOf("stored", "list", "names"), "0", "-1")),
    often(2, asDeclared(command("DEL", oneOf("list", "names", "set", "sorted", "stored")))),
    command("LTRIM", "list", "0", "10"),
    command("DEL", (random) => [`weight_${random.below(14)}`, `hash_${random.below(14)}`]),
    command("TYPE", oneOf("stored", "list", "text", "set")),
    command("COMMAND GETKEYS SORT", key, anything, optional(sequence("STORE", key))),
    command("COMMAND GETKEYSANDFLAGS", oneOf("SORT", "SORT_RO"), key, anything, optional(sequence("STORE", key))),
  ],
};
