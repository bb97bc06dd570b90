import { command, type Family, often, oneOf, optional, sequence, someOf } from "./shape.ts";
import { almostInteger, futureExpiry, key, value } from "./words.ts";

const database = oneOf("0", "1", "2", "0", "1", "2", "15", "16", "-1", almostInteger);
const mode = optional(oneOf("SYNC", "ASYNC", "LATER"));

export const databases: Family = {
  name: "databases",
  // INFO counts errors since the last reset: those of other families include the differences that are intended.
  prologue: [["CONFIG", "RESETSTAT"]],
  commands: [
    often(20, command("SET", key, value)),
    often(3, command("SET", key, value, futureExpiry)),
    often(6, command("GET", key)),
    often(3, command("DEL", key)),
    often(10, command("SELECT", database)),
    often(6, command("SWAPDB", database, database)),
    often(6, command("DBSIZE")),
    often(2, command("FLUSHDB", mode)),
    command("FLUSHALL", mode),
    often(6, command("MOVE", key, database)),
    often(6, command("COPY", key, key, someOf(sequence("DB", database), "REPLACE"))),
    often(3, command("RENAME", key, key)),
    often(3, command("KEYS", "*")),
    often(2, command("RANDOMKEY")),
    often(2, command("INFO keyspace")),
    often(2, command("TTL", key)),
  ],
};
