/** The command line as a user meets it: what it prints, what it refuses, how it ends. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { STILLWATER_VERSION } from "../commands/version.ts";
import { type CommandLineOptions, runCommandLine } from "../testing/cli.ts";
import { RespClient } from "../testing/resp-client.ts";
import { freePort } from "../testing/servers.ts";
import { heardUntilEnd, openSocket } from "../testing/sockets.ts";

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-cli-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Runs it to its end. */
async function result(t: TestContext, args: readonly string[], options: CommandLineOptions = {}) {
  const run = runCommandLine(t, args, options);
  const code = await run.ended;
  return { code, output: run.output(), errors: run.errors() };
}

/** Starts a server on a free port, in a directory of its own. */
async function start(t: TestContext, args: readonly string[] = [], options: CommandLineOptions = {}) {
  const port = await freePort();
  const directory = temporaryDirectory(t);
  const run = runCommandLine(t, ["--port", `${port}`, ...args], { cwd: directory, ...options });
  await run.ready;
  return { ...run, port, directory, client: () => RespClient.connect({ port }) };
}

const ask = async (client: RespClient, ...command: (string | number)[]) =>
  (await client.command(...command)).toString();

describe("what it prints", { concurrency: 2 }, () => {
  test("--version and --help", async (t) => {
    const version = await result(t, ["--version"]);
    assert.match(version.output, new RegExp(`^Stillwater server v=${STILLWATER_VERSION} .*node=v\\d+`));
    assert.equal(version.code, 0);
    const help = await result(t, ["-h"]);
    assert.match(help.output, /^Usage: stillwater /);
    assert.equal(help.code, 0);
  });

  test("at start: version, addresses, directory, memory limit, notes, and how to connect", async (t) => {
    const { output, port, directory, client } = await start(t, ["--maxmemory", "100mb", "--cluster-enabled", "yes"]);
    assert.match(
      output(),
      new RegExp(`^Stillwater ${STILLWATER_VERSION}, Node\\.js v\\d+\\.\\d+\\.\\d+, process \\d+\n`),
    );
    assert.match(output(), new RegExp(`listening +127\\.0\\.0\\.1:${port}`));
    assert.match(output(), new RegExp(`directory +${directory}\n`));
    assert.match(output(), /memory +at most 100 MiB of data/);
    assert.match(output(), /note +Accepted without effect, since they have no meaning here: cluster-enabled\n/);
    assert.match(output(), new RegExp(`Ready\\. Connect with: redis-cli -p ${port}\n$`));
    const bind = await ask(await client(), "CONFIG", "GET", "bind");
    assert.equal(bind, "*2\r\n$4\r\nbind\r\n$14\r\n127.0.0.1 -::1\r\n");
  });

  test("to a log file, with the time; the directory is created", async (t) => {
    const directory = join(temporaryDirectory(t), "new", "data");
    const port = `${await freePort()}`;
    const given = ["--logfile", "log", "--pidfile", "pid", "--daemonize", "yes"];
    const run = runCommandLine(t, ["--port", port, "--dir", directory, ...given]);
    const log = join(directory, "log");
    while (!existsSync(log) || !readFileSync(log, "utf8").includes("Ready.")) await sleep(10);
    assert.match(readFileSync(log, "utf8"), /^\d{4}-\d\d-\d\dT[\d:.]+Z Stillwater /);
    assert.equal(readFileSync(join(directory, "pid"), "utf8"), `${run.child.pid}\n`);
    assert.equal(run.output(), "");
    // Whoever waits for it at the terminal would wait for ever.
    assert.equal(run.errors(), `It stays in the foreground, daemonize has no effect here; its log is ${log}\n`);
    run.child.kill("SIGTERM");
    assert.equal(await run.ended, 0);
    assert.match(readFileSync(log, "utf8"), /Z SIGTERM: ending\n[\s\S]*Z Closing all connections\n.*Z Bye\.\n$/);
    assert(!existsSync(join(directory, "pid")));
  });

  test("it reads a file, standard input and the arguments, in this order", async (t) => {
    const directory = temporaryDirectory(t);
    const file = join(directory, "redis.conf");
    writeFileSync(file, "maxclients 11\ntimeout 11\nhz 11\n");
    const port = `${await freePort()}`;
    const run = runCommandLine(t, [file, "--port", port, "--hz", "13", "-"], { input: "timeout 12\nhz 12\n" });
    await run.ready;
    const client = await RespClient.connect({ port: Number(port) });
    const values = await ask(client, "CONFIG", "GET", "maxclients", "timeout", "hz");
    for (const [name, value] of [
      ["maxclients", 11],
      ["timeout", 12],
      ["hz", 13],
    ]) {
      assert.match(values, new RegExp(`\\b${name}\r\n\\$2\r\n${value}\r\n`));
    }
    assert.match(run.output(), new RegExp(`file +${file}\n`));
  });
});

describe("what it refuses", { concurrency: 2 }, () => {
  const cases: [title: string, args: string[], errors: RegExp][] = [
    [
      "an unknown directive",
      ["--nosuch", "1"],
      /^\*{3} FATAL CONFIG FILE ERROR .*\n.*line 2\n>>> 'nosuch "1"'\nBad directive or wrong number of arguments\n$/,
    ],
    ["a value of the wrong kind", ["--port", "x"], /argument couldn't be parsed into an integer/],
    [
      "a missing file",
      ["/no/such/redis.conf"],
      /^Fatal error, can't open config file '\/no\/such\/redis\.conf': No such file/,
    ],
    ["nowhere to listen", ["--port", "0"], /^Nothing to listen on: /],
    [
      "an address of another machine",
      ["--bind", "192.0.2.1"],
      /^Could not listen on 192\.0\.2\.1:6379: this machine has no such address/,
    ],
    ["Sentinel mode", ["--sentinel"], /^Stillwater has no Sentinel mode/],
    [
      "a log file that cannot be",
      ["--logfile", "/no/such/log"],
      /^Could not write the log file \/no\/such\/log: No such file/,
    ],
    ["a file as directory", ["--dir", process.execPath], />>> 'dir .*'\nNot a directory\n$/],
    [
      "a regular file as socket",
      ["--port", "0", "--unixsocket", process.execPath],
      /^Could not listen on .*the file is no socket/,
    ],
  ];
  for (const [title, args, errors] of cases) {
    test(title, async (t) => {
      const run = await result(t, args, { cwd: temporaryDirectory(t) });
      assert.match(run.errors, errors);
      assert.doesNotMatch(run.errors, /\n {4}at /);
      assert.deepEqual([run.code, run.output], [1, ""]);
    });
  }

  test("a line of a file, by its number", async (t) => {
    const file = join(temporaryDirectory(t), "redis.conf");
    writeFileSync(file, "# a comment\n\ntimeout 10\nmaxmemory lots\n");
    const { code, errors } = await result(t, [file]);
    assert.match(errors, /at line 4\n>>> 'maxmemory lots'\nargument must be a memory value\n$/);
    assert.equal(code, 1);
  });

  test("a port in use, also for an address that may be missing", async (t) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    t.after(() => other.close());
    const { port } = other.address() as { port: number };
    for (const bind of ["127.0.0.1", "-127.0.0.1"]) {
      const { code, errors } = await result(t, ["--port", `${port}`, "--bind", bind]);
      assert.match(errors, new RegExp(`^Could not listen on 127\\.0\\.0\\.1:${port}: another program listens there`));
      assert.equal(code, 1);
    }
  });

  test("another port or address while it runs, with the reason", async (t) => {
    const { client, port } = await start(t, ["--bind", "127.0.0.1", "-192.0.2.1"]);
    const admin = await client();
    assert.equal(
      await ask(admin, "CONFIG", "SET", "port", 1),
      "-ERR CONFIG SET failed (possibly related to argument 'port') - " +
        "it is fixed when the server starts; restart it with another --port\r\n",
    );
    assert.match(await ask(admin, "CONFIG", "SET", "bind", "*"), /^-ERR CONFIG SET failed .*another --bind\r\n$/);
    assert.equal(await ask(admin, "CONFIG", "SET", "port", port), "+OK\r\n");
  });
});

describe("how it ends", { concurrency: 2 }, () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`${signal}: connections are closed, exit code 0`, async (t) => {
      const { child, client, output, ended, directory } = await start(t, ["--unixsocket", "socket"]);
      const connected = await client();
      await ask(connected, "SET", "a", 1);
      assert(existsSync(join(directory, "socket")));
      child.kill(signal);
      assert.equal(await ended, 0);
      await connected.closedByServer();
      assert.match(output(), new RegExp(`\n${signal}: ending\n[\\s\\S]*Closing all connections\nBye\\.\n$`));
      assert(!existsSync(join(directory, "socket")));
    });
  }

  test("SHUTDOWN: closed without a reply, exit code 0", async (t) => {
    const { port, ended } = await start(t);
    const socket = await openSocket(port);
    socket.write("PING\r\nSHUTDOWN NOSAVE\r\n");
    assert.equal(await heardUntilEnd(socket), "+PONG\r\n");
    assert.equal(await ended, 0);
  });

  test("a closed terminal and a closed pipe do not end it", async (t) => {
    const { child, client } = await start(t);
    child.stdout.destroy();
    child.kill("SIGHUP");
    await sleep(50);
    assert.equal(await ask(await client(), "PING"), "+PONG\r\n");
  });

  test("a defect in a command is not hidden: crash report, connections closed, exit code 1", async (t) => {
    const module = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const defect = `
      import { allCommands } from ${module("../commands/all-commands.js")};
      import { command } from ${module("../commands/command.js")};
      allCommands.push(command({
        name: "DEFECT", summary: "", complexity: "", since: "", group: "generic", arity: 1, flags: [], args: {},
        run({ reply }) { reply.array(2); null.nothing(); },
      }));`;
    const nodeOptions = ["--import", `data:text/javascript,${encodeURIComponent(defect)}`];
    const main = fileURLToPath(new URL("main.js", import.meta.url));
    const { port, client, ended, errors } = await start(t, ["--pidfile", "pid"], { nodeOptions, main });
    const [socket, other] = await Promise.all([openSocket(port), client()]);
    socket.write("SET a 1\r\nDEFECT\r\nGET a\r\n");
    assert.equal(await heardUntilEnd(socket).catch(() => "reset"), "+OK\r\n");
    await other.closedByServer();
    assert.equal(await ended, 1);
    assert.match(errors(), /^=== STILLWATER CRASHED: /);
    assert.match(errors(), /a defect in the command 'defect'[\s\S]*TypeError: Cannot read properties of null/);
  });
});
