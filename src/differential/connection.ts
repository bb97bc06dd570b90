import { asDeclared, command, type Family, often, oneOf, optional, sequence } from "./shape.ts";
import { almostInteger, key, value } from "./words.ts";

const clientName = oneOf("worker", "a-b:c", "", "with space", "new\nline", "é", value);
const killFilter = oneOf(
  sequence("ID", oneOf("999999999", "0", "-1", "abc")),
  sequence("ADDR", "127.0.0.1:1"),
  sequence("LADDR", "127.0.0.1:1"),
  sequence("TYPE", oneOf("pubsub", "master", "replica", "slave", "nothing")),
  sequence("USER", oneOf("nobody", "")),
  sequence("ID", "999999999", "SKIPME", oneOf("yes", "no", "maybe")),
  "ID",
  "FOO",
);

export const connection: Family = {
  name: "connection",
  prologue: [["CLIENT", "UNPAUSE"]],
  commands: [
    often(3, command("PING", optional(value))),
    often(3, command("ECHO", value)),
    // Not with SETNAME: of a HELLO that fails in the end, 7.2 has set nothing, the reference the name (directed cases).
    often(3, command("HELLO", optional(oneOf("2", "3")))),
    command("HELLO", oneOf("1", "4", almostInteger)),
    command("HELLO", oneOf("2", "3"), "AUTH", oneOf("default", "nobody"), value, optional("FOO")),
    command("AUTH", value),
    command("AUTH", oneOf("nobody", "default"), value),
    command("RESET"),
    often(2, command("SELECT", oneOf("0", "1", "16", almostInteger))),
    often(3, command("SET", key, value)),
    often(3, command("GET", key)),
    command("CLIENT ID"),
    command("CLIENT INFO"),
    often(2, command("CLIENT GETNAME")),
    often(3, command("CLIENT SETNAME", clientName)),
    command("CLIENT SETINFO", oneOf("LIB-NAME", "LIB-VER", "LIB-OTHER"), clientName),
    command("CLIENT NO-EVICT", oneOf("ON", "OFF", "MAYBE")),
    command("CLIENT NO-TOUCH", oneOf("ON", "OFF", "MAYBE")),
    command("CLIENT LIST", oneOf(sequence("TYPE", oneOf("pubsub", "master", "replica", "nothing")), "FOO")),
    command("CLIENT LIST ID", oneOf("999999999", "abc", "0", "-1"), optional("999999998")),
    asDeclared(command("CLIENT KILL", optional(killFilter, 0.9), optional(killFilter))),
    asDeclared(command("CLIENT KILL", oneOf("127.0.0.1:1", "FOO", ""))),
    asDeclared(command("CLIENT PAUSE", oneOf("0", "-1", "abc", "1.5", ""), optional(oneOf("WRITE", "ALL", "SOME")))),
    asDeclared(command("CLIENT UNPAUSE")),
    asDeclared(command("CLIENT REPLY", oneOf("MAYBE", "ON"))),
    command("CLIENT HELP"),
    command("CLIENT", oneOf("NOTHING", "")),
    command("CLIENT"),
  ],
};
