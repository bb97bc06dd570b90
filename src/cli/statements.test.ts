/** Lines of the configuration that protect: put into force as redis-server does it, or the server does not start. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseArguments } from "../config/arguments.ts";
import { Configuration } from "../config/configuration.ts";
import { loadConfiguration } from "../config/file.ts";
import { runCommandLine, startServerIn } from "../testing/cli.ts";
import { startRedis, startStillwater } from "../testing/servers.ts";
import { refuseUnsafeSettings } from "./unsafe-settings.ts";

const RENAMINGS = [
  ...["--rename-command", "FLUSHALL", ""],
  ...["--rename-command", "SET", "put"],
  ...["--rename-command", "CONFIG", "konf"],
  ...["--rename-command", "GET", "a b"],
];

const CALLS: readonly (readonly string[])[] = [
  ["flushall"],
  ["FLUSHALL", "ASYNC"],
  ["set", "k", "1"],
  ["PUT", "k", "1"],
  ["put", "k"],
  ["get", "k"],
  ["A B", "k"],
  ["konf", "get"],
  ["konf", "nosuch"],
  ["config", "get", "port"],
  ["command", "info", "set", "put", "flushall", "a b"],
  ["command", "getkeys", "put", "k", "1"],
  ["command", "getkeys", "set", "k", "1"],
  ["command", "list", "filterby", "pattern", "flush*"],
  ["command", "list", "filterby", "pattern", "put"],
  ["command", "docs", "set"],
];

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-statements-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test("renamed commands answer as redis-server's do", async (t) => {
  const servers = [await startRedis(RENAMINGS), await startStillwater(RENAMINGS)];
  t.after(() => Promise.all(servers.map((server) => server.stop())));
  const [theirs, ours] = await Promise.all(servers.map((server) => server.client()));
  for (const call of CALLS) {
    const wanted = (await theirs!.command(...call)).toString("latin1");
    assert.equal((await ours!.command(...call)).toString("latin1"), wanted, call.join(" "));
  }
  for (const call of [
    ["konf", "help"],
    ["INFO", "commandstats"],
  ]) {
    const shown = (text: Buffer) =>
      (text.toString().match(/KONF <subcommand> .*|cmdstat_(set|get|flushall|config\|help)\b/g) ?? []).sort();
    assert.deepEqual(shown(await ours!.command(...call)), shown(await theirs!.command(...call)));
  }
});

test("what cannot be renamed stops the start, in Redis's words", async (t) => {
  const cases: [string[], string][] = [
    [["nosuch", "x"], `>>> 'rename-command "nosuch" "x"'\nNo such command in rename-command\n`],
    [["get", "SET"], `>>> 'rename-command "get" "SET"'\nTarget command name already exists\n`],
    [["get"], `>>> 'rename-command "get"'\nBad directive or wrong number of arguments\n`],
  ];
  for (const [args, wanted] of cases) {
    const run = runCommandLine(t, ["--port", "0", "--rename-command", ...args]);
    assert.equal(await run.ended, 1);
    assert(run.errors().endsWith(wanted), run.errors());
  }
});

test("a log has the commands' own names, and is read whatever they are called now", async (t) => {
  const directory = temporaryDirectory(t);
  const keep = ["--save", "", "--appendonly", "yes"];
  const first = await startServerIn(
    t,
    directory,
    ...keep,
    "--rename-command",
    "SET",
    "put",
    "--rename-command",
    "DEL",
    "",
  );
  assert.equal(await first.ask("put k 1"), "+OK\r\n");
  assert.equal(await first.ask("RPUSH l a b"), ":2\r\n");
  assert.equal(await first.ask("LTRIM l 5 9"), "+OK\r\n");
  await first.stop("SIGKILL");
  const log = readFileSync(join(directory, "appendonlydir", "appendonly.aof.1.incr.aof"), "latin1");
  assert.match(log, /\$3\r\nSET\r\n\$1\r\nk\r\n/);
  assert.doesNotMatch(log, /put/);
  const second = await startServerIn(
    t,
    directory,
    ...keep,
    "--rename-command",
    "GET",
    "SET2",
    "--rename-command",
    "SET",
    "",
  );
  assert.equal(await second.ask("SET2 k"), "$1\r\n1\r\n");
  assert.match(await second.ask("SET k 2"), /^-ERR unknown command 'SET'/);
  assert.doesNotMatch(second.output(), /not in force|without effect/);
});

const PASSWORD_HASH = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
const UNSAFE: readonly (readonly [lines: string, wanted: RegExp])[] = [
  ["aclfile users.acl", /^Not starting: aclfile cannot be put into force: there are no ACLs/],
  ["user default off", /^Not starting: user default cannot/],
  ["user default on >secret ~* &* +@all", /^Not starting: user default cannot/],
  ["requirepass other\nuser default on >secret ~* &* +@all", /^Not starting: user default cannot/],
  ["user default on ~* &* +@all", /^Not starting: user default cannot/],
  ["user default nopass ~* &* +@all", /^Not starting: user default cannot/],
  ["user default on nopass ~* &* +@all -flushall", /^Not starting: user default cannot/],
  ["user default on nopass ~app:* +@all", /^Not starting: user default cannot/],
  ["replicaof 10.0.0.1 6379", /^Not starting: replicaof cannot/],
  ["min-replicas-to-write 1", /^Not starting: min-replicas-to-write cannot/],
];
const SAFE: readonly string[] = [
  'aclfile ""',
  "user default on nopass sanitize-payload ~* &* +@all",
  "requirepass secret\nuser default on >secret ~* &* +@all",
  `user default on #${PASSWORD_HASH} ~* &* +@all\nrequirepass secret`,
  "user alice on >p ~* +@all",
  "replicaof no one",
  "min-replicas-to-write 0",
];

function configured(lines: string): Configuration {
  const run = parseArguments(["-"]);
  assert(run.kind === "run");
  return loadConfiguration(run, { readStandardInput: () => lines });
}

test("protection that there is not is refused, and what takes nothing from anybody is not", () => {
  for (const [lines, message] of UNSAFE) {
    assert.throws(() => refuseUnsafeSettings(configured(lines)), { name: "StartError", message }, lines);
  }
  for (const lines of SAFE) refuseUnsafeSettings(configured(lines));
});

test("CONFIG SET refuses it likewise, and the command line says why", async (t) => {
  const configuration = new Configuration();
  refuseUnsafeSettings(configuration);
  assert.throws(() => configuration.configSet([["min-replicas-to-write", "2"]]), /there are no replicas here/);
  assert.equal(configuration.get("min-replicas-to-write"), 0);
  const run = runCommandLine(t, ["--port", "0", "--user", "default", "off"]);
  assert.deepEqual([await run.ended, run.output()], [1, ""]);
  assert.match(run.errors(), /^Not starting: user default cannot be put into force: .*requirepass.*\n$/);
});
