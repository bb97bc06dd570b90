/** How a server with files ends: saved, or not; and what it says while it is still loading. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { runCommandLine, startServerIn as start } from "../testing/cli.ts";
import { RespClient } from "../testing/resp-client.ts";
import { freePort } from "../testing/servers.ts";
import { until } from "../testing/sockets.ts";

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-cli-files-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const MANY = 400_000;

/** A log of Redis 7 that takes some tenths of a second to load. */
function writeLargeLog(directory: string): void {
  const log = join(directory, "appendonlydir");
  mkdirSync(log);
  writeFileSync(join(log, "appendonly.aof.manifest"), "file appendonly.aof.1.incr.aof seq 1 type i\n");
  const commands = Array.from({ length: MANY }, (_, index) => {
    const key = `key:${index}`;
    return `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$1\r\nv\r\n`;
  });
  writeFileSync(join(log, "appendonly.aof.1.incr.aof"), commands.join(""));
}

test("while it loads: clients are told so, and the end is at once and saves nothing", async (t) => {
  const directory = temporaryDirectory(t);
  writeLargeLog(directory);
  const port = await freePort();
  const args = ["--port", `${port}`, "--dir", directory, "--appendonly", "yes", "--maxmemory", "200mb"];
  const first = runCommandLine(t, args);
  await until("it loads", () => first.output().includes("Loading "));
  first.child.kill("SIGTERM");
  assert.equal(await first.ended, 0);
  assert.match(first.output(), /\nLoading [\d.]+ MiB from .*\nSIGTERM: ending\nClosing all connections\nBye\.\n$/);
  assert.deepEqual(readdirSync(directory), ["appendonlydir"]);

  const second = runCommandLine(t, args);
  await until("it loads", () => second.output().includes("Loading "));
  const client = await RespClient.connect({ port });
  assert.equal(String(await client.command("GET", "key:1")), "-LOADING Redis is loading the dataset in memory\r\n");
  const info = String(await client.command("INFO", "persistence"));
  assert.match(info, /\naof_enabled:0\r\n[\s\S]*\r\naof_base_size:0\r\naof_pending_rewrite:0\r\n/);
  assert.match(info, /\nloading:1\r\n[\s\S]*\r\nloading_total_bytes:\d{8}\r\n[\s\S]*\r\nloading_loaded_perc:\d/);
  assert.match(
    String(await client.command("CONFIG", "SET", "appendonly", "no")),
    /^-LOADING Redis is loading the dataset in memory\r\n$/,
  );
  await second.ready;
  assert.equal(String(await client.command("DBSIZE")), `:${MANY}\r\n`);
  assert.equal(second.errors(), "", "no bar where there is no terminal");
});

describe("an end that cannot save", { concurrency: 2 }, () => {
  test("is none, unless it is forced or told not to", async (t) => {
    const directory = temporaryDirectory(t);
    const { ask, child, client, ended, output } = await start(t, directory);
    await ask("SET k v");
    // Nothing can be renamed over a directory that is not empty.
    mkdirSync(join(directory, "dump.rdb", "in the way"), { recursive: true });
    assert.equal(await ask("SHUTDOWN"), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    await until("it says why", () => /\nSaving the data in .*\nSaving the data failed: .*\n/.test(output()));
    assert.equal(await ask("SHUTDOWN SAVE NOW"), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    child.kill("SIGTERM");
    while (!/\nSIGTERM: not ending, because the data could not be saved/.test(output())) await ask("PING");
    assert.equal(await ask("GET k"), "$1\r\nv\r\n");
    assert.equal(await ask("SHUTDOWN ABORT"), "-ERR No shutdown in progress.\r\n");
    client.command("SHUTDOWN", "FORCE").catch(() => undefined);
    assert.equal(await ended, 0);
  });

  test("is none while the first base of a log is being written, unless it is forced", async (t) => {
    const directory = temporaryDirectory(t);
    const { ask, client, ended, output } = await start(t, directory, "--save", "");
    await ask("SET k v");
    const turningOn = client.command("CONFIG", "SET", "appendonly", "yes");
    const ending = client.command("SHUTDOWN", "NOSAVE");
    assert.deepEqual((await Promise.all([turningOn, ending])).map(String), [
      "+OK\r\n",
      "-ERR Errors trying to SHUTDOWN. Check logs.\r\n",
    ]);
    await until("it says why", () => /\nNot ending while the first base of the log is being written\n/.test(output()));
    assert.equal(await ask("WAITAOF 1 0 10000"), "*2\r\n:1\r\n:0\r\n");
    client.command("SHUTDOWN").catch(() => undefined);
    assert.equal(await ended, 0);
    const again = await start(t, directory, "--save", "", "--appendonly", "yes");
    assert.equal(await again.ask("GET k"), "$1\r\nv\r\n");
  });

  test("SHUTDOWN SAVE saves without any rule, and nobody is answered behind it", async (t) => {
    const directory = temporaryDirectory(t);
    const { ask, client, ended, port } = await start(t, directory, "--save", "");
    const other = await RespClient.connect({ port });
    await ask("SET k v");
    const last = client.command("SHUTDOWN", "SAVE").catch(() => "gone");
    const late = other.command("SET", "late", "1").then(String, () => "gone");
    await last;
    assert.equal(await ended, 0);
    const again = await start(t, directory, "--save", "");
    assert.equal(await again.ask("GET k"), "$1\r\nv\r\n");
    const wasAnswered = (await late) === "+OK\r\n";
    assert.equal(await again.ask("EXISTS late"), wasAnswered ? ":1\r\n" : ":0\r\n");
  });

  test("signals do what their directives say", async (t) => {
    const directory = temporaryDirectory(t);
    const first = await start(t, directory, "--shutdown-on-sigterm", "nosave", "--shutdown-on-sigint", "save");
    await first.ask("SET k v");
    assert.equal(await first.stop(), 0);
    assert.deepEqual(readdirSync(directory), []);
    const second = await start(t, directory, "--save", "", "--shutdown-on-sigint", "save");
    await second.ask("SET k v");
    assert.equal(await second.stop("SIGINT"), 0);
    assert.deepEqual(readdirSync(directory), ["dump.rdb"]);
  });
});

/** A server that needs half a second to save, and is told to end; returns once it is saving. */
async function saving(t: TestContext, directory: string, signal: NodeJS.Signals, isInVain = false) {
  const run = await start(t, directory, "--rdb-key-save-delay", "100000", "--save", "3600 1");
  if (isInVain) mkdirSync(join(directory, "dump.rdb", "in the way"), { recursive: true });
  await run.ask("MSET a 1 b 2 c 3 d 4 e 5");
  run.child.kill(signal);
  await until("it saves", () => run.output().includes("\nSaving the data in "));
  return run;
}

describe("a second signal, while it saves", { concurrency: 2 }, () => {
  for (const first of ["SIGTERM", "SIGINT"] as const) {
    test(`SIGTERM changes nothing after ${first}`, async (t) => {
      const directory = temporaryDirectory(t);
      const { child, ended, output } = await saving(t, directory, first);
      assert(child.kill("SIGTERM"));
      assert.equal(await ended, 0);
      assert.match(output(), new RegExp(`\\n${first}: ending\\nSaving .*\\n.*\\nClosing all connections\\nBye\\.\\n$`));
      assert.deepEqual(readdirSync(directory), ["dump.rdb"]);
    });
  }

  test("SIGINT ends it at once, whatever the first was", async (t) => {
    const { child, ended, output } = await saving(t, temporaryDirectory(t), "SIGTERM");
    assert(child.kill("SIGINT"));
    assert.equal(await ended, 1);
    assert.match(output(), /\nSIGINT again: ending at once\n$/);
  });

  test("belongs to that attempt, if it fails; a later one is another", async (t) => {
    const directory = temporaryDirectory(t);
    const { child, ask, ended, output } = await saving(t, directory, "SIGTERM", true);
    const refusals = (): number => output().match(/SIGTERM: not ending/g)?.length ?? 0;
    assert(child.kill("SIGTERM"));
    await until("it gives up", () => refusals() > 0);
    for (let asked = 0; asked < 5; asked++) assert.equal(await ask("GET a"), "$1\r\n1\r\n");
    assert.equal(output().match(/SIGTERM: ending/g)?.length, 1);
    child.kill("SIGTERM");
    await until("it gives up again", () => refusals() === 2);
    for (let asked = 0; asked < 5; asked++) assert.equal(await ask("GET a"), "$1\r\n1\r\n");
    rmSync(join(directory, "dump.rdb"), { recursive: true });
    child.kill("SIGINT");
    assert.equal(await ended, 0);
  });
});
