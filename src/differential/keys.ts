import { command, exactly, type Family, often, oneOf, optional, repeated, sequence, someOf } from "./shape.ts";
import { expiry, glob, integer, key, milliseconds, seconds, unixMilliseconds, unixSeconds, value } from "./words.ts";

const condition = optional(oneOf("NX", "XX", "GT", "LT", "NX", "XX", "GT", "LT", sequence("NX", "GT"), "FOO"));
const scanOption = oneOf(
  sequence("MATCH", glob),
  sequence("COUNT", oneOf("1", "5", "1000", "0", "-1", "abc")),
  sequence("TYPE", oneOf("string", "hash", "STRING", "nothing")),
);

export const keys: Family = {
  name: "keys",
  prologue: [],
  commands: [
    often(14, command("SET", key, value)),
    often(4, command("SET", key, value, expiry)),
    often(4, command("GET", key)),
    often(4, command("DEL", repeated(key, 1, 3))),
    often(3, command("UNLINK", repeated(key, 1, 3))),
    often(3, command("EXISTS", repeated(key, 1, 4))),
    often(2, command("TYPE", key)),
    often(2, command("TOUCH", repeated(key, 1, 4))),
    often(5, command("RENAME", key, key)),
    often(4, command("RENAMENX", key, key)),
    often(5, command("COPY", key, key, someOf("REPLACE", sequence("DB", oneOf("0", "1", "15", "16", integer))))),
    often(3, command("MOVE", key, oneOf("0", "1", "15", "16", integer))),
    often(2, command("RANDOMKEY")),
    often(3, command("KEYS", glob)),
    often(3, command("SCAN", exactly("0"), "COUNT", exactly("1000"), someOf(scanOption, scanOption))),
    often(2, command("SCAN", oneOf("0", integer), someOf(scanOption, scanOption))),
    often(5, command("EXPIRE", key, seconds, condition)),
    often(5, command("PEXPIRE", key, milliseconds, condition)),
    often(5, command("EXPIREAT", key, unixSeconds, condition)),
    often(5, command("PEXPIREAT", key, unixMilliseconds, condition)),
    often(2, command("EXPIRETIME", key)),
    often(2, command("PEXPIRETIME", key)),
    often(3, command("TTL", key)),
    often(3, command("PTTL", key)),
    often(4, command("PERSIST", key)),
    often(3, command("OBJECT ENCODING", key)),
    command("OBJECT", oneOf("REFCOUNT", "IDLETIME", "FREQ", "NOTHING"), key),
    command("OBJECT HELP"),
    command("OBJECT"),
  ],
};
