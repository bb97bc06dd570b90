/** Start-up: our reading of files and command lines beside that of a real redis-server. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseArguments } from "./arguments.ts";
import type { Configuration } from "./configuration.ts";
import { ConfigurationFileError, loadConfiguration } from "./file.ts";

const directory = mkdtempSync(join(tmpdir(), "configuration-test-"));
after(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content, "latin1");
  return path;
}

function load(args: readonly string[], standardInput = ""): Configuration {
  const invocation = parseArguments(args);
  assert.equal(invocation.kind, "run");
  if (invocation.kind !== "run") throw new Error("not to be run");
  return loadConfiguration(invocation, { workingDirectory: directory, readStandardInput: () => standardInput });
}

function fault(args: readonly string[]): string {
  try {
    load(args);
  } catch (error) {
    if (error instanceof ConfigurationFileError) return error.describe("Redis");
    throw error;
  }
  return "started";
}

function redisFault(args: readonly string[]): string {
  const { stderr, stdout } = spawnSync("redis-server", args, { cwd: directory, input: "", timeout: 5000 });
  const cannotOpen = /Fatal error, can't open config file.*/.exec(stdout.toString());
  return (
    cannotOpen?.[0] ??
    stderr
      .toString()
      .trim()
      .replace(/\(Redis [0-9.]+\)/, "(Redis)")
  );
}

const BAD_LINES = [
  "port abc",
  "port",
  "port 1 2",
  "PoRT   'abc'  \r",
  "nosuch 5",
  "nosuch",
  'foo "bar',
  'port "1"2',
  "appendonly maybe",
  "maxmemory",
  "maxmemory 1x",
  "save 900",
  'save "900"',
  'save "900',
  "unixsocketperm 999",
  "unixsocketperm 1777",
  "maxmemory-policy x",
  "client-output-buffer-limit normal 1 1",
  "client-output-buffer-limit nosuch 1 1 1",
  "dbfilename a/b",
  'appendfilename ""',
  "appenddirname a/b",
  "replicaof a b",
  "replicaof a",
  "slaveof a 70000",
  "user",
  "loadmodule",
  "rename-command x",
  "sentinel monitor x",
  "lua-replicate-commands",
  "include",
  "include nosuch.conf",
  "notify-keyspace-events q",
  "shutdown-on-sigint save nosave",
  "oom-score-adj-values 1 2",
  "databases 0",
  "bind 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
  "latency-tracking-info-percentiles 101",
  "enable-debug-command perhaps",
];

test("a bad line is reported as redis-server reports it", () => {
  for (const line of BAD_LINES) {
    const args = [file("bad.conf", `# first\nport 0\n\n${line}\nport 1\n`)];
    assert.equal(fault(args).replaceAll(`${directory}/`, ""), redisFault(args).replaceAll(`${directory}/`, ""), line);
  }
});

const BAD_COMMAND_LINES = [
  ["--port", "abc"],
  ["--port"],
  ["--port", "1", "2"],
  ["--nosuch", "5"],
  ["--port 1x"],
  ["--port 0", "--nosuch 5"],
  ["--save", "--port", "0", "--nosuch"],
  ["--save", "900"],
  ["--save", "900 1", "--nosuch"],
  ["--port", "--port"],
  ["--requirepass", "--secret", "--nosuch"],
  ["--requirepass", 'a"b', "--nosuch"],
  ["--requirepass", "é", "--nosuch", "é"],
  ["-foo"],
  ["-", "--port", "x"],
  ["--port", "0", "-", "--nosuch"],
  ["--shutdown-on-sigint", "save nosave"],
  ["--port", "0", "--save", "", "--nosuch"],
  ["nosuch.conf"],
  ["--unixsocketperm", "1777"],
  ["--dir", ""],
];

test("a bad command line is reported as redis-server reports it", () => {
  for (const args of BAD_COMMAND_LINES) assert.equal(fault(args), redisFault(args), JSON.stringify(args));
});

test("file, standard input and command line override one another in this order", () => {
  const path = file("base.conf", "port 1\ntimeout 1\nhz 1\nsave 900 1\nsave 300 10\n");
  const configuration = load([path, "--hz", "3", "--bind", "127.0.0.1", "::1", "--save", "", "-"], "timeout 2\nhz 2\n");
  const values = (["port", "timeout", "hz", "bind", "save"] as const).map((name) => configuration.get(name));
  assert.deepEqual(values, [1, 2, 3, ["127.0.0.1", "::1"], []]);
  assert.equal(configuration.file, path);
  assert.equal(load(["--port", "7"]).file, undefined);
  assert.equal(load(["-"], "port 9").get("port"), 9);
  assert.equal(load([]).get("port"), 6379);
});

test("values may be quoted, begin with dashes, or come along with the name", () => {
  assert.deepEqual(load(["--requirepass", "--secret"]).get("requirepass"), Uint8Array.from(Buffer.from("--secret")));
  assert.deepEqual(load(["--requirepass", "p w\né"]).get("requirepass"), Uint8Array.from(Buffer.from("p w\né")));
  assert.equal(load(["--port 7001", "--timeout 5"]).get("port"), 7001);
  assert.deepEqual(load(["--save", "--port", "7002"]).get("save"), []);
  assert.deepEqual(load(["--save", "900 1"]).get("save"), [{ seconds: 900, changes: 1 }]);
  const path = file("quoted.conf", "requirepass \"\\xff\\n\"\nlogfile 'a b'\n  # comment\nPIDFILE /x\r\n");
  const configuration = load([path]);
  assert.deepEqual(configuration.get("requirepass"), Uint8Array.of(0xff, 0x0a));
  assert.deepEqual([configuration.get("logfile"), configuration.get("pidfile")], ["a b", "/x"]);
});

test("include takes files and wildcards, seen from the directory in force", () => {
  mkdirSync(join(directory, "conf.d"));
  file("conf.d/10.conf", "port 10\ntimeout 10");
  file("conf.d/20.conf", "port 20");
  file("conf.d/.hidden.conf", "port 30");
  file("conf.d/other", "port 40");
  const configuration = load([
    file("includes.conf", "include conf.d/*.conf\ninclude nosuch*.conf\ndir conf.d\ninclude other\n"),
  ]);
  assert.deepEqual([configuration.get("port"), configuration.get("timeout")], [40, 10]);
  assert.equal(load([file("bracket.conf", "include c[!x]nf.?/1*\n")]).get("port"), 10);
  file("loop.conf", "include loop.conf\n");
  assert.match(fault(["loop.conf"]), /include loop\.conf'\nFiles include one another without end$/);
});

test("statements that set no value are kept for those who understand them", () => {
  const path = file(
    "statements.conf",
    'rename-command FLUSHALL ""\nuser alice on >p ~*\nlist-max-ziplist-value 64\nloadmodule /m.so a\n',
  );
  assert.deepEqual(load([path]).statements, [
    { name: "rename-command", args: ["FLUSHALL", ""] },
    { name: "user", args: ["alice", "on", ">p", "~*"] },
    { name: "loadmodule", args: ["/m.so", "a"] },
  ]);
});

test("a missing data directory is no fault at start-up, a file in its place is", () => {
  assert.equal(load(["--dir", "./data"]).get("dir"), join(directory, "data"));
  file("plain", "");
  assert.match(fault(["--dir", "plain"]), /Not a directory$/);
});

test("the command line asks for a run, for words, or for what is refused", () => {
  assert.deepEqual(parseArguments(["--version"]), { kind: "version" });
  assert.deepEqual(parseArguments(["-v", "x"]), { kind: "version" });
  assert.deepEqual(parseArguments(["-h"]), { kind: "help" });
  for (const args of [["--test-memory", "5"], ["--check-system"], ["x.conf", "--sentinel"]]) {
    assert.equal(parseArguments(args).kind, "refused", args.join(" "));
  }
  assert.deepEqual(parseArguments(["a.conf", "--port", "1"]), {
    kind: "run",
    file: "a.conf",
    standardInput: false,
    lines: 'port "1" ',
  });
});
