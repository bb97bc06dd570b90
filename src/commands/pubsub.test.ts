/** Publishing and subscribing, over the registry alone: what is replied and who receives what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { allCommands } from "./all-commands.ts";
import type { Message } from "./pubsub-message.ts";

/** A runner with two clients beside its own, which note what they receive. */
function stage() {
  const runner = new CommandRunner(allCommands);
  const join = (address: string, protocol: 2 | 3) => {
    const context = runner.connect(address);
    const received: string[] = [];
    context.session.protocol = protocol;
    context.receiver = {
      deliver: (message: Message) => {
        received.push(message.encoded(protocol).toString("latin1"));
      },
    };
    const run = (line: string) => runner.runAs(context, ...line.split(" "));
    return { context, received, run };
  };
  return { runner, old: join("127.0.0.1:1", 2), young: join("127.0.0.1:2", 3) };
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const change = (type: string, event: string, name: string, count: number) =>
  `${type}3\r\n${bulk(event)}${bulk(name)}:${count}\r\n`;

test("subscribing and unsubscribing are confirmed name by name, channels and patterns counted together", () => {
  const { runner, old, young } = stage();
  assert.equal(old.run("SUBSCRIBE a b a"), [1, 2, 2].map((n, i) => change("*", "subscribe", "aba"[i]!, n)).join(""));
  assert.equal(old.run("PSUBSCRIBE x*"), change("*", "psubscribe", "x*", 3));
  assert.equal(old.run("SSUBSCRIBE s"), change("*", "ssubscribe", "s", 1));
  assert.equal(young.run("SUBSCRIBE a"), change(">", "subscribe", "a", 1));
  assert.equal(old.run("UNSUBSCRIBE"), change("*", "unsubscribe", "a", 2) + change("*", "unsubscribe", "b", 1));
  assert.equal(old.run("UNSUBSCRIBE none"), change("*", "unsubscribe", "none", 1));
  assert.equal(old.run("UNSUBSCRIBE"), `*3\r\n${bulk("unsubscribe")}$-1\r\n:1\r\n`);
  assert.equal(old.run("PUNSUBSCRIBE x*"), change("*", "punsubscribe", "x*", 0));
  assert.notEqual(old.context.session.subscriber, undefined);
  assert.equal(old.run("SUNSUBSCRIBE"), change("*", "sunsubscribe", "s", 0));
  assert.equal(old.context.session.subscriber, undefined);
  assert.equal(young.run("PUNSUBSCRIBE"), `>3\r\n${bulk("punsubscribe")}_\r\n:1\r\n`);
  assert.deepEqual(runner.ask("PUBSUB", "CHANNELS"), ["a"]);
  assert.deepEqual([runner.ask("PUBSUB", "NUMPAT"), runner.ask("PUBSUB", "SHARDCHANNELS")], [0, []]);
  runner.verify();
});

test("a message goes to the channel's subscribers, then to those of each pattern; shard channels are apart", () => {
  const { runner, old, young } = stage();
  old.run("PSUBSCRIBE n*");
  young.run("SUBSCRIBE news");
  young.run("SSUBSCRIBE news");
  old.run("SUBSCRIBE news");
  assert.equal(runner.run("PUBLISH", "news", "hello"), ":3\r\n");
  assert.equal(runner.run("PUBLISH", "none", "hello"), ":1\r\n");
  assert.equal(runner.run("SPUBLISH", "news", "shard"), ":1\r\n");
  assert.equal(runner.run("SPUBLISH", "none", "shard"), ":0\r\n");
  assert.deepEqual(young.received, [
    `>3\r\n${bulk("message")}${bulk("news")}${bulk("hello")}`,
    `>3\r\n${bulk("smessage")}${bulk("news")}${bulk("shard")}`,
  ]);
  assert.deepEqual(old.received, [
    `*3\r\n${bulk("message")}${bulk("news")}${bulk("hello")}`,
    `*4\r\n${bulk("pmessage")}${bulk("n*")}${bulk("news")}${bulk("hello")}`,
    `*4\r\n${bulk("pmessage")}${bulk("n*")}${bulk("none")}${bulk("hello")}`,
  ]);
  runner.verify();
});

test("names and messages are bytes, of any length", () => {
  const { runner, young } = stage();
  const name = Buffer.from([0, 13, 10, 255, 128]);
  runner.runAs(young.context, "SUBSCRIBE", name);
  const payload = Buffer.alloc(70_000, 0xfe);
  assert.equal(runner.run("PUBLISH", name, payload), ":1\r\n");
  assert.equal(
    young.received[0],
    `>3\r\n${bulk("message")}${bulk(name.toString("latin1"))}${bulk("þ".repeat(70_000))}`,
  );
  runner.verify();
});

test("in RESP2 a subscriber may use a few commands only; PING is a message then", () => {
  const { runner, old, young } = stage();
  old.run("SUBSCRIBE a");
  young.run("SUBSCRIBE a");
  const refusal = (name: string) =>
    `-ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this ` +
    "context\r\n";
  assert.equal(old.run("GET a"), refusal("get"));
  assert.equal(old.run("CONFIG GET port"), refusal("config|get"));
  assert.equal(old.run("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  assert.equal(old.run("PING"), `*2\r\n${bulk("pong")}${bulk("")}`);
  assert.equal(old.run("PING x"), `*2\r\n${bulk("pong")}${bulk("x")}`);
  assert.equal(young.run("GET a"), "_\r\n");
  assert.equal(young.run("PING"), "+PONG\r\n");
  assert.equal(old.run("RESET"), "+RESET\r\n");
  assert.equal(old.run("GET a"), "$-1\r\n");
  assert.equal(runner.run("PUBSUB", "NUMSUB", "a"), `*2\r\n${bulk("a")}:1\r\n`);
  runner.verify();
});

test("PUBSUB, INFO, CLIENT LIST and KILL know who listens to what", () => {
  const { runner, old, young } = stage();
  old.run("SUBSCRIBE a b");
  old.run("PSUBSCRIBE x* y*");
  young.run("PSUBSCRIBE x*");
  young.run("SSUBSCRIBE s");
  assert.deepEqual(runner.ask("PUBSUB", "CHANNELS"), ["a", "b"]);
  assert.deepEqual(runner.ask("PUBSUB", "CHANNELS", "[bc]"), ["b"]);
  assert.deepEqual(runner.ask("PUBSUB", "NUMSUB", "a", "z"), ["a", 1, "z", 0]);
  assert.equal(runner.ask("PUBSUB", "NUMPAT"), 2);
  assert.deepEqual(runner.ask("PUBSUB", "SHARDCHANNELS", "*"), ["s"]);
  assert.deepEqual(runner.ask("PUBSUB", "SHARDNUMSUB", "s"), ["s", 1]);
  const info = String(runner.ask("INFO", "stats"));
  assert.match(info, /pubsub_channels:2\r\npubsub_patterns:2\r\npubsubshard_channels:1\r\n/);
  const lines = String(runner.ask("CLIENT", "LIST", "TYPE", "pubsub"))
    .trim()
    .split("\n");
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, / flags=P .* sub=2 psub=2 ssub=0 /);
  assert.match(lines[1]!, / flags=P .* sub=0 psub=1 ssub=1 /);
  assert.equal(
    String(runner.ask("CLIENT", "LIST", "TYPE", "normal"))
      .trim()
      .split("\n").length,
    1,
  );
  assert.equal(runner.ask("CLIENT", "KILL", "TYPE", "pubsub"), 2);
  runner.verify();
});

test("who cannot be sent messages cannot subscribe", () => {
  const runner = new CommandRunner(allCommands);
  for (const command of ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE"]) {
    assert.match(runner.run(command, "a"), new RegExp(`^-ERR ${command} is for connections`));
  }
  runner.verify();
});
