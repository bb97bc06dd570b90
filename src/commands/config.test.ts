import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { configCommands } from "./config.ts";
import { connectionCommands } from "./connection.ts";

const commands = [...configCommands, ...connectionCommands];

test("texts and replies that clients match on", () => {
  const cases: [command: string, reply: string][] = [
    ["CONFIG GET", "-ERR wrong number of arguments for 'config|get' command\r\n"],
    ["CONFIG GET nope", "*0\r\n"],
    ["CONFIG GET HZ hz", "*2\r\n$2\r\nHZ\r\n$2\r\n10\r\n"],
    ["CONFIG SET hz", "-ERR wrong number of arguments for 'config|set' command\r\n"],
    ["CONFIG SET hz 10 timeout", "-ERR syntax error\r\n"],
    ["CONFIG SET nope 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'nope'\r\n"],
    ["CONFIG SET port 1 port 2", duplicate("port")],
    ["CONFIG SET hz 20 timeout 7", "+OK\r\n"],
    ["CONFIG GET timeout", "*2\r\n$7\r\ntimeout\r\n$1\r\n7\r\n"],
    ["CONFIG REWRITE", "-ERR The server is running without a config file\r\n"],
    ["CONFIG RESETSTAT x", "-ERR wrong number of arguments for 'config|resetstat' command\r\n"],
  ];
  const runner = new CommandRunner(commands);
  for (const [command, reply] of cases) assert.equal(runner.run(...command.split(" ")), reply, command);
});

function duplicate(name: string): string {
  return `-ERR CONFIG SET failed (possibly related to argument '${name}') - duplicate parameter\r\n`;
}

test("CONFIG GET replies with a map in RESP3, and with the very bytes that were set", () => {
  const runner = new CommandRunner(commands, { protocol: 3 });
  assert.equal(runner.run("CONFIG", "SET", "requirepass", Buffer.from([0xff, 0x20])), "+OK\r\n");
  assert.equal(runner.run("CONFIG", "GET", "requirepass"), "%1\r\n$11\r\nrequirepass\r\n$2\r\n\xff \r\n");
});

test("CONFIG REWRITE replies when the file is written, and with an error when it cannot be", async () => {
  const directory = mkdtempSync(join(tmpdir(), "config-rewrite-"));
  try {
    const file = join(directory, "redis.conf");
    writeFileSync(file, "hz 10\n");
    const runner = new CommandRunner(commands);
    runner.configuration.file = file;
    runner.run("CONFIG", "SET", "hz", "20");
    assert.equal(await runner.runLater("CONFIG", "REWRITE"), "+OK\r\n");
    assert.match(readFileSync(file, "utf8"), /^hz 20$/m);
    runner.configuration.file = join(directory, "absent", "redis.conf");
    assert.match(await runner.runLater("CONFIG", "REWRITE"), /^-ERR Rewriting config file: /);
    assert.equal(runner.services.statistics.errors.get("ERR"), 1);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("RESETSTAT sets the counters back", () => {
  const runner = new CommandRunner(commands);
  const { statistics } = runner.services;
  runner.run("NOPE");
  Object.assign(runner.keyspace, { hits: 5, misses: 6, expiredKeys: 7 });
  runner.clients.rejectedConnections = 8;
  assert.equal(runner.run("CONFIG", "RESETSTAT"), "+OK\r\n");
  const { hits, misses, expiredKeys } = runner.keyspace;
  const { totalConnections, rejectedConnections } = runner.clients;
  const left = [hits, misses, expiredKeys, totalConnections, rejectedConnections, statistics.totalErrors];
  assert.deepEqual(left, [0, 0, 0, 0, 0, 0]);
  assert.equal(statistics.errors.size, 0);
});

test("what is secret is known", () => {
  const runner = new CommandRunner(commands, { directives: { "slowlog-log-slower-than": "0" } });
  const secretsOf = (...words: string[]): readonly number[] => {
    let found: readonly number[] = [];
    const { slowLog } = runner.services;
    slowLog.consider = (args) => {
      const { commands: table } = runner.services;
      const parent = table.find(args, 0)!;
      const command = parent.subcommands?.find(({ name }) => args.is(1, name)) ?? parent;
      found = command.secrets?.(args) ?? [];
    };
    runner.run(...words);
    return found;
  };
  assert.deepEqual(secretsOf("CONFIG", "SET", "hz", "10", "requirepass", "x"), [5]);
  assert.deepEqual(secretsOf("AUTH", "default", "x"), [1, 2]);
  assert.deepEqual(secretsOf("HELLO", "3", "SETNAME", "me", "AUTH", "default", "x"), [5, 6]);
  assert.deepEqual(secretsOf("PING"), []);
});
