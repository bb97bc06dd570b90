import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner, type RunnerOptions } from "../testing/commands.ts";
import { connectionCommands } from "./connection.ts";
import { REDIS_VERSION } from "./version.ts";

const WRONG = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
const NO_AUTH = "-NOAUTH Authentication required.\r\n";

function runner(options?: RunnerOptions): CommandRunner {
  return new CommandRunner(connectionCommands, options);
}

test("texts and replies that clients match on", () => {
  const cases: [command: string, reply: string][] = [
    ["PING", "+PONG\r\n"],
    ["PING a", "$1\r\na\r\n"],
    ["PING a b", "-ERR wrong number of arguments for 'ping' command\r\n"],
    ["ECHO a", "$1\r\na\r\n"],
    ["AUTH a b c", "-ERR syntax error\r\n"],
    [
      "AUTH a",
      "-ERR AUTH <password> called without any password configured for the default user. " +
        "Are you sure your configuration is correct?\r\n",
    ],
    ["AUTH default anything", "+OK\r\n"],
    ["AUTH somebody anything", WRONG],
    ["HELLO 1", "-NOPROTO unsupported protocol version\r\n"],
    ["HELLO x", "-ERR Protocol version is not an integer or out of range\r\n"],
    ["HELLO 3 AUTH a", "-ERR Syntax error in HELLO option 'AUTH'\r\n"],
    ["HELLO 3 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'\r\n"],
    ["RESET", "+RESET\r\n"],
    ["QUIT now", "+OK\r\n"],
  ];
  const client = runner();
  for (const [command, reply] of cases) assert.equal(client.run(...command.split(" ")), reply, command);
});

test("HELLO changes the protocol at once, and not where it fails", () => {
  const client = runner();
  assert.equal(client.run("HELLO", "3", "SETNAME", "a b").startsWith("-ERR Client names cannot contain"), true);
  assert.equal(client.context.session.protocol, 2);
  const greeting = client.ask("HELLO", "3", "SETNAME", "me") as Map<string, unknown>;
  assert.deepEqual(Object.fromEntries(greeting), {
    server: "redis",
    version: REDIS_VERSION,
    proto: 3,
    id: 1,
    mode: "standalone",
    role: "master",
    modules: [],
  });
  assert.equal(client.context.session.name, "me");
  assert.equal(client.run("HELLO", "2").slice(0, 3), "*14");
});

test("a password is asked for, and asked for again after RESET", () => {
  const client = runner({ directives: { requirepass: "secret" } });
  assert.equal(client.run("PING"), NO_AUTH);
  assert.match(client.run("HELLO", "3"), /^-NOAUTH HELLO must be called with the client already authenticated/);
  assert.equal(client.context.session.protocol, 2);
  assert.equal(client.run("AUTH", "wrong"), WRONG);
  assert.equal(client.run("AUTH", "somebody", "secret"), WRONG);
  assert.equal(client.run("HELLO", "3", "AUTH", "default", "wrong", "SETNAME", "me"), WRONG);
  assert.equal(client.context.session.name, "");
  assert.equal(client.run("AUTH", "secret"), "+OK\r\n");
  assert.equal(client.run("PING"), "+PONG\r\n");
  assert.equal(client.run("RESET"), "+RESET\r\n");
  assert.equal(client.run("PING"), NO_AUTH);
  assert.equal(client.run("HELLO", "3", "AUTH", "default", "secret").slice(0, 2), "%7");
});

test("RESET makes the connection new", () => {
  const client = runner({ protocol: 3 });
  const { session } = client.context;
  client.context.database = client.keyspace.databases[5]!;
  Object.assign(session, { databaseIndex: 5, name: "me", isMonitor: true, noTouch: true, replyMode: "off" });
  assert.equal(client.run("RESET"), "+RESET\r\n");
  assert.equal(client.context.database, client.keyspace.databases[0]);
  const { databaseIndex, name, isMonitor, noTouch, replyMode, protocol } = session;
  assert.deepEqual([databaseIndex, name, isMonitor, noTouch, replyMode, protocol], [0, "", false, false, "on", 2]);
});

test("QUIT replies, then the connection ends", () => {
  const client = runner();
  assert.equal(client.run("QUIT"), "+OK\r\n");
  assert.equal(client.context.session.closeAfterReply, true);
});
