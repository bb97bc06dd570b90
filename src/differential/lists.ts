import { command, type Draw, type Family, often, oneOf, optional, repeated, sequence, someOf } from "./shape.ts";
import { almostInteger, integer, key, smallInteger, value } from "./words.ts";

/** Few different ones, so that they are found again. */
const element: Draw = (random) => {
  if (random.chance(0.7)) return [random.pick(["a", "b", "c", "1", "2", "-1", "300", "70000", "01", "", "9999999999"])];
  return value(random);
};

/** A value that makes a list large, or fills a chunk. */
const largeElement: Draw = (random) => [random.text(random.pick([100, 1000, 3000, 4090, 8180, 9000]))];

const index: Draw = (random) => {
  if (random.chance(0.05)) return integer(random);
  return [random.chance(0.7) ? random.between(-12, 12) : random.between(-400, 400)];
};

const end = oneOf("LEFT", "RIGHT", "LEFT", "RIGHT", "LEFT", "RIGHT", "LEFT", "RIGHT", "MIDDLE");
const smallCount = oneOf("0", "1", "2", "3", "10", "200", "-1", almostInteger);
const posOption = oneOf(
  sequence("RANK", oneOf("1", "2", "-1", "-2", "0", "-9223372036854775807", integer)),
  sequence("COUNT", oneOf("0", "1", "2", "100", integer)),
  sequence("MAXLEN", oneOf("0", "1", "5", "100", integer)),
);
/** How many keys follow: the right number most of the time. */
const someKeys: Draw = (random) => {
  const keys = Array.from({ length: random.between(1, 3) }, () => key(random)).flat();
  return [random.chance(0.95) ? keys.length : random.pick(["0", "-1", "2", "abc", "100"]), ...keys];
};

const SIZES = ["-2", "-2", "-1", "1", "2", "3", "10", "100", "0", "-5"];

const commands = [
  often(10, command("RPUSH", key, repeated(element, 1, 6))),
  often(10, command("LPUSH", key, repeated(element, 1, 6))),
  often(3, command("RPUSH", key, repeated(element, 10, 150))),
  often(2, command("LPUSH", key, repeated(element, 10, 150))),
  often(3, command("RPUSH", key, repeated(largeElement, 1, 4))),
  often(3, command("LPUSH", key, repeated(largeElement, 1, 4))),
  often(3, command("RPUSHX", key, repeated(element, 1, 3))),
  often(3, command("LPUSHX", key, repeated(element, 1, 3))),
  often(8, command("LPOP", key, optional(smallCount))),
  often(8, command("RPOP", key, optional(smallCount))),
  often(6, command("LMPOP", someKeys, end, optional(sequence("COUNT", smallCount)))),
  command("LMPOP", someKeys, end, someOf(sequence("COUNT", smallCount), sequence("COUNT", "1"), "EXTRA")),
  often(10, command("LMOVE", key, key, end, end)),
  often(5, command("RPOPLPUSH", key, key)),
  often(8, command("LRANGE", key, index, index)),
  often(4, command("LRANGE", key, "0", "-1")),
  often(6, command("LINDEX", key, index)),
  often(4, command("LLEN", key)),
  often(10, command("LSET", key, index, oneOf(element, element, largeElement))),
  often(10, command("LINSERT", key, oneOf("BEFORE", "AFTER"), element, oneOf(element, element, largeElement))),
  command("LINSERT", key, "BESIDE", element, element),
  often(8, command("LREM", key, oneOf("0", "1", "2", "-1", "-2", "-100", integer), element)),
  often(3, command("LTRIM", key, index, index)),
  often(8, command("LPOS", key, element, someOf(posOption, posOption, posOption))),
  often(2, command("TYPE", key)),
  often(2, command("OBJECT ENCODING", key)),
  often(3, command("COPY", key, key, optional("REPLACE"))),
  often(2, command("RENAME", key, key)),
  often(2, command("DEL", repeated(key, 1, 2))),
  command("SET", key, value),
  command("GET", key),
  command("APPEND", key, smallInteger),
  command("EXPIRE", key, "100000000"),
  command("PERSIST", key),
];

/** The same commands under a limit of each kind. */
export const lists: Family = { name: "lists", prologue: [["CONFIG", "SET", "list-max-listpack-size", "-2"]], commands };

export const smallChunks: Family = {
  name: "lists-small-chunks",
  prologue: [["CONFIG", "SET", "list-max-listpack-size", "3"]],
  commands: [...commands, command("CONFIG SET list-max-listpack-size", oneOf(...SIZES))],
};
