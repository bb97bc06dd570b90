import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { clientCommands } from "./client.ts";

test("texts and replies that clients match on", () => {
  const syntax = "-ERR syntax error\r\n";
  const misused = (name: string): string =>
    `-ERR unknown subcommand or wrong number of arguments for '${name}'. Try CLIENT HELP.\r\n`;
  const cases: [command: string, reply: string][] = [
    ["CLIENT", "-ERR wrong number of arguments for 'client' command\r\n"],
    ["CLIENT FOO", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.\r\n"],
    ["CLIENT ID", ":1\r\n"],
    ["CLIENT ID 1", "-ERR wrong number of arguments for 'client|id' command\r\n"],
    ["CLIENT GETNAME", "$-1\r\n"],
    ["CLIENT PAUSE x", "-ERR timeout is not an integer or out of range\r\n"],
    ["CLIENT PAUSE -1", "-ERR timeout is negative\r\n"],
    ["CLIENT PAUSE 9223372036854775807", "-ERR timeout is out of range\r\n"],
    ["CLIENT PAUSE 1 foo", "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n"],
    ["CLIENT PAUSE 1 all x", misused("PAUSE")],
    ["CLIENT PAUSE 0", "+OK\r\n"],
    ["CLIENT UNPAUSE", "+OK\r\n"],
    ["CLIENT LIST x", syntax],
    ["CLIENT LIST TYPE x", "-ERR Unknown client type 'x'\r\n"],
    ["CLIENT LIST TYPE pubsub", "$0\r\n\r\n"],
    ["CLIENT LIST ID", syntax],
    ["CLIENT LIST ID x", "-ERR Invalid client ID\r\n"],
    ["CLIENT LIST ID 999", "$0\r\n\r\n"],
    ["CLIENT KILL x", "-ERR No such client\r\n"],
    ["CLIENT KILL ID 0", "-ERR client-id should be greater than 0\r\n"],
    ["CLIENT KILL ID 999 TYPE x", "-ERR Unknown client type 'x'\r\n"],
    ["CLIENT KILL ID 999 SKIPME maybe", syntax],
    ["CLIENT KILL ID 999 SKIPME", syntax],
    ["CLIENT KILL USER x ID 7", "-ERR No such user 'x'\r\n"],
    ["CLIENT KILL foo bar", syntax],
    ["CLIENT REPLY x", syntax],
    ["CLIENT NO-EVICT x", syntax],
    ["CLIENT UNBLOCK x", "-ERR value is not an integer or out of range\r\n"],
    ["CLIENT UNBLOCK 5 x", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR\r\n"],
    ["CLIENT UNBLOCK 5 error x", misused("UNBLOCK")],
    ["CLIENT UNBLOCK 5", ":0\r\n"],
    ["CLIENT GETREDIR", ":-1\r\n"],
    ["CLIENT TRACKING x", syntax],
    ["CLIENT TRACKING off REDIRECT 999", "-ERR The client ID you want redirect to does not exist\r\n"],
    ["CLIENT TRACKING off NOLOOP", "+OK\r\n"],
    ["CLIENT TRACKING on", "-ERR client-side caching (CLIENT TRACKING ON) is not available in this version\r\n"],
    ["CLIENT SETINFO foo bar", "-ERR Unrecognized option 'foo'\r\n"],
    ["CLIENT SETINFO lib-name ü", "-ERR lib-name cannot contain spaces, newlines or special characters.\r\n"],
  ];
  const runner = new CommandRunner(clientCommands);
  for (const [command, reply] of cases) assert.equal(runner.run(...command.split(" ")), reply, command);
});

test("a client is described by what it said of itself", () => {
  const runner = new CommandRunner(clientCommands);
  const commands = ["SETNAME me", "SETINFO LIB-NAME ioredis", "SETINFO lib-ver 5", "NO-EVICT on", "NO-TOUCH on"];
  for (const each of commands) assert.equal(runner.run("CLIENT", ...each.split(" ")), "+OK\r\n", each);
  const line = String(runner.ask("CLIENT", "INFO"));
  assert.match(line, /^id=1 addr=127\.0\.0\.1:50000 laddr=127\.0\.0\.1:6379 fd=8 name=me age=0 idle=0 flags=eT db=0 /);
  assert.match(line, / cmd=client\|info user=default redir=-1 resp=2 lib-name=ioredis lib-ver=5\n$/);
  runner.connect("/tmp/socket:0").session.isMonitor = true;
  const second = String(runner.ask("CLIENT", "LIST")).split("\n")[1]!;
  assert.match(second, / flags=OU /);
  assert.equal(runner.run("CLIENT", "SETNAME", ""), "+OK\r\n");
  assert.equal(runner.run("CLIENT", "GETNAME"), "$-1\r\n");
});

test("CLIENT LIST shows the clients asked for", () => {
  const runner = new CommandRunner(clientCommands);
  runner.connect("127.0.0.1:50001");
  runner.connect("127.0.0.1:50002");
  const ids = (...filter: string[]): string[] => {
    const lines = String(runner.ask("CLIENT", "LIST", ...filter)).split("\n");
    return lines.filter((line) => line !== "").map((line) => line.split(" ")[0]!);
  };
  assert.deepEqual(ids(), ["id=1", "id=2", "id=3"]);
  assert.deepEqual(ids("TYPE", "normal"), ["id=1", "id=2", "id=3"]);
  assert.deepEqual(ids("ID", "3", "9", "1"), ["id=3", "id=1"]);
});

test("CLIENT KILL closes what all filters fit, and spares who asks unless told otherwise", () => {
  const runner = new CommandRunner(clientCommands);
  const { session } = runner.context;
  for (const port of [50_001, 50_002, 50_003]) runner.connect(`127.0.0.1:${port}`);
  assert.equal(runner.run("CLIENT", "KILL", "127.0.0.1:50001"), "+OK\r\n");
  assert.equal(runner.run("CLIENT", "KILL", "ID", "3", "ADDR", "127.0.0.1:50003"), ":0\r\n");
  assert.equal(runner.run("CLIENT", "KILL", "ID", "3", "LADDR", "127.0.0.1:6379"), ":1\r\n");
  assert.equal(runner.run("CLIENT", "KILL", "USER", "default", "TYPE", "normal"), ":1\r\n");
  assert.equal(runner.clients.size, 1);
  assert.equal(session.closeAfterReply, false);
  assert.equal(runner.run("CLIENT", "KILL", "ID", "1"), ":0\r\n");
  assert.equal(runner.run("CLIENT", "KILL", "ID", "1", "SKIPME", "no"), ":1\r\n");
  assert.equal(session.closeAfterReply, true);
});

test("CLIENT REPLY sets the mode; SKIP has no effect while replies are off", () => {
  const runner = new CommandRunner(clientCommands);
  const { session } = runner.context;
  const mode = (action: string): string => {
    runner.run("CLIENT", "REPLY", action);
    return session.replyMode;
  };
  assert.deepEqual(["skip", "off", "skip", "on"].map(mode), ["skip-next", "off", "off", "on"]);
});

test("CLIENT PAUSE holds until its time is over or UNPAUSE", () => {
  const runner = new CommandRunner(clientCommands);
  runner.run("CLIENT", "PAUSE", "10000", "WRITE");
  assert.equal(runner.clients.paused, "WRITE");
  runner.run("CLIENT", "PAUSE", "1");
  assert.equal(runner.clients.paused, "ALL");
  runner.run("CLIENT", "UNPAUSE");
  assert.equal(runner.clients.paused, undefined);
});

test("HELP describes every subcommand", () => {
  const runner = new CommandRunner(clientCommands);
  const lines = runner.ask("CLIENT", "HELP") as string[];
  assert.equal(lines[0], "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const { name } of clientCommands[0]!.subcommands!) {
    assert.ok(
      lines.some((line) => line === name || line.startsWith(`${name} `)),
      name,
    );
  }
  assert.ok(lines.includes("LIST [TYPE (normal|master|replica|pubsub)] [ID <client-id> [<client-id> ...]]"));
});
