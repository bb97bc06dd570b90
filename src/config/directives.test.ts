/** The table against a real redis-server: names, defaults, what CONFIG SET accepts, and every text it answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { RespClient } from "../testing/resp-client.ts";
import { decode, type ErrorReply } from "../testing/resp-frame.ts";
import { startRedis, type TestServer } from "../testing/servers.ts";
import { Configuration, ConfigurationError } from "./configuration.ts";
import { allDirectives, findDirective } from "./directives.ts";

/** What the tests' way of starting a server sets. */
const SET_BY_THE_TEST = new Set(["port", "bind", "save", "dir", "enable-debug-command"]);

/** Directives that redis-server 7.0 does not show, each with the reason. */
const NOT_IN_REDIS_7_0: ReadonlyMap<string, string> = new Map([
  ["cluster-announce-human-nodename", "new in 7.2"],
  ["cluster-ping-interval", "new in 7.2"],
  ["locale-collate", "new in 7.2"],
  ["set-max-listpack-entries", "new in 7.2"],
  ["set-max-listpack-value", "new in 7.2"],
  ["region-size", "Stillwater's own"],
  ["lazyfree-threshold-blocks", "Stillwater's own"],
  ["lazyfree-threshold-bytes", "Stillwater's own"],
  ["lazyfree-max-pending-bytes", "Stillwater's own"],
]);

const FREE_OF_CHARGE = "handing a large value over costs less here than anything else that could be done with it";

/** Directives whose defaults are others than Redis's, on purpose. */
const OTHER_DEFAULTS: ReadonlyMap<string, string> = new Map([
  ["activedefrag", "needs no special allocator here, and costs nothing while there is nothing to win"],
  ["lazyfree-lazy-eviction", FREE_OF_CHARGE],
  ["lazyfree-lazy-expire", FREE_OF_CHARGE],
  ["lazyfree-lazy-server-del", FREE_OF_CHARGE],
  ["lazyfree-lazy-user-del", FREE_OF_CHARGE],
  ["lazyfree-lazy-user-flush", FREE_OF_CHARGE],
]);

/** Directives whose CONFIG SET would disturb the server under test, or depends on the machine. */
const NOT_TRIED = new Set(["port", "bind", "tls-port", "maxclients", "oom-score-adj", "oom-score-adj-values"]);

async function withRedis(use: (client: RespClient, server: TestServer) => Promise<void>): Promise<void> {
  const server = await startRedis(["--enable-protected-configs", "yes"]);
  try {
    await use(await server.client(), server);
  } finally {
    await server.stop();
  }
}

async function configGet(client: RespClient, pattern: string): Promise<Map<string, string>> {
  const flat = decode(await client.command("CONFIG", "GET", pattern)) as string[];
  return new Map(Array.from({ length: flat.length / 2 }, (_, pair) => [flat[2 * pair]!, flat[2 * pair + 1]!]));
}

test("every directive of redis-server exists, with the same default, shown the same", async () => {
  await withRedis(async (client) => {
    const theirs = await configGet(client, "*");
    const configuration = new Configuration();
    assert.ok(theirs.size > 150);
    for (const [name, value] of theirs) {
      const ours = configuration.configGet([name]);
      assert.equal(ours.length, 1, `${name} is missing`);
      if (SET_BY_THE_TEST.has(name) || name === "enable-protected-configs") continue;
      if (OTHER_DEFAULTS.has(name)) assert.notEqual(ours[0]![1], value);
      else assert.deepEqual(ours, [[name, value]]);
    }
    for (const { shownName } of allDirectives()) {
      const known = theirs.has(shownName) || (await configGet(client, shownName)).size === 1;
      assert.equal(known, !NOT_IN_REDIS_7_0.has(shownName), shownName);
    }
  });
});

test("the defaults the test's server cannot show", () => {
  const configuration = new Configuration("/data");
  assert.deepEqual(configuration.configGet(["port", "bind", "save", "dir", "enable-*"]), [
    ["port", "6379"],
    ["bind", "* -::*"],
    ["save", "3600 1 300 100 60 10000"],
    ["dir", "/data"],
    ["enable-debug-command", "no"],
    ["enable-protected-configs", "no"],
    ["enable-module-command", "no"],
  ]);
});

const VALUES = [
  ...["", " ", "0", "1", "-1", "2", "7", "05", "+5", "50", "100", "101", "512", "1000", "1001", "65535", "65536", "-5"],
  ...["2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296", "9223372036854775807"],
  ...["9223372036854775808", "1k", "1kb", "2MB", "1g", "1gbb", "1.5", "5%", "100%", "101%", "-5%", "0%"],
  ...["yes", "YES", "no", "maybe", "local", "default", "save", "nosave", "save force", "force now", "save nosave"],
  ...["always", "everysec", "allkeys-lru", "VOLATILE-ttl", "notice", "swapdb", "on-empty-db", "disabled", "optional"],
  ...["ip", "hostname", "unknown-endpoint", "ignore", "panic", "panic-on-replicas", "clients", "allchannels"],
  ...[
    "name",
    "a/b",
    "a\\b",
    "a b",
    "a_b",
    "host-1.example",
    "é",
    'q"q',
    "{title}",
    "{nosuch}",
    "{{x",
    "{title} x",
    "{port}",
  ],
  ...["KEA", "g$lshzxetd", "Kn", "Em", "q", "900 1", "900 1 300 10", "900", "900 x", "0 1", "1 -1", "900 1 ", " 900 1"],
  ...["normal 0 0 0", "replica 1mb 1k 5 pubsub 2 2 2", "slave 1 1 1", "master 1 1 1", "normal 1 1", "normal x 1 1"],
  ...[
    "normal 1 1 -1",
    "NORMAL 1 1 1x",
    "50 99.9",
    "99.12345678 .5 1e1",
    "50 x",
    "1 2000",
    "100.0 0",
    "/tmp",
    "/nonexistent",
  ],
];

/** Where 7.2, or Stillwater, answers otherwise than redis-server 7.0 on purpose. */
function differsOnPurpose(name: string, value: string): string | undefined {
  if (name === "maxmemory-clients" && value === "9223372036854775808") return "an overflow becomes a percentage there";
  if (OTHER_DEFAULTS.has(name)) return "what is in force when a value is refused is another default";
  if (name === "loglevel") return "7.2 has one more level, so the list in the error is longer";
  if (name === "requirepass" && value !== "") return "the test's own connection would have to log in";
  if (/^tls-(cluster|replication)$/.test(name) && /^yes$/i.test(value)) return "there is no TLS here that could fail";
  if (name === "key-load-delay" || name === "rdb-key-save-delay") return "takes effect in the server under test";
  if (name === "watchdog-period") return "takes effect in the server under test";
  return undefined;
}

test("CONFIG SET accepts, refuses and answers as redis-server does", async () => {
  await withRedis(async (client, server) => {
    const configuration = new Configuration(server.directory);
    configuration.initialize("enable-protected-configs", ["yes"]);
    configuration.initialize("enable-debug-command", ["yes"]);
    configuration.initialize("save", [""]);
    const differences: unknown[] = [];
    let compared = 0;
    for (const { shownName } of allDirectives()) {
      if (NOT_IN_REDIS_7_0.has(shownName) || NOT_TRIED.has(shownName)) continue;
      const values = VALUES.filter((value) => differsOnPurpose(shownName, value) === undefined);
      const replies = await client.pipeline(
        values.flatMap((value) => [
          ["CONFIG", "SET", shownName, value],
          ["CONFIG", "GET", shownName],
        ]),
      );
      for (const [index, value] of values.entries()) {
        const theirs = [decode(replies[2 * index]!), (decode(replies[2 * index + 1]!) as string[])[1]];
        const ours = [configSet(configuration, shownName, value), configGetText(configuration, shownName)];
        const equal = isDeepStrictEqual(ours, theirs);
        if (!equal) differences.push({ command: `CONFIG SET ${shownName} ${JSON.stringify(value)}`, ours, theirs });
        compared += 1;
      }
    }
    assert.deepEqual(differences, []);
    assert.ok(compared > 10_000, `${compared}`);
  });
});

function configSet(configuration: Configuration, name: string, value: string): string | ErrorReply {
  try {
    configuration.configSet([[name, Buffer.from(value).toString("latin1")]]);
    return "OK";
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { error: `${error.code} ${error.message}` };
  }
}

function configGetText(configuration: Configuration, name: string): string {
  return Buffer.from(configuration.configGet([name])[0]![1], "latin1").toString();
}

test("what is put into force late is said to be", () => {
  assert.equal(findDirective("Stream-node-max-bytes")?.directive.meaning, "later");
  assert.equal(findDirective("slaveof")?.directive.meaning, "none");
  assert.equal(findDirective("maxmemory")?.directive.meaning, "here");
  const configuration = new Configuration();
  configuration.initialize("io-threads", ["4"]);
  configuration.initialize("acllog-max-len", ["64"]);
  configuration.initialize("daemonize", ["no"]);
  configuration.initialize("maxmemory", ["1gb"]);
  configuration.statements.push({ name: "user", args: ["alice"] }, { name: "user", args: ["bob"] });
  assert.deepEqual(configuration.notices(), [
    "Accepted without effect, since they have no meaning here: io-threads",
    "Accepted, but not in force in this version: acllog-max-len, user",
  ]);
});
