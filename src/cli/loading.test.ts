/** What those hear who connect while a server reads its data. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { runCommandLine } from "../testing/cli.ts";
import { RespClient } from "../testing/resp-client.ts";
import { freePort } from "../testing/servers.ts";

const LOADING = /^-LOADING /;
const ATTEMPTS_MAX = 4;

/** A directory with a log of so many commands, of which the last sets what clients ask for. */
function directoryWithLog(t: TestContext, commands: number): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-loading-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const log = join(directory, "appendonlydir");
  mkdirSync(log);
  writeFileSync(join(log, "appendonly.aof.manifest"), "file appendonly.aof.1.incr.aof seq 1 type i\n");
  const command = "*3\r\n$6\r\nAPPEND\r\n$1\r\nk\r\n$0\r\n\r\n";
  const last = "*3\r\n$3\r\nSET\r\n$4\r\nlast\r\n$1\r\n1\r\n";
  writeFileSync(join(log, "appendonly.aof.1.incr.aof"), command.repeat(commands) + last);
  return directory;
}

/** Starts a server, and connects as soon as that is possible. */
async function earlyClient(t: TestContext, commands: number) {
  const port = await freePort();
  const directory = directoryWithLog(t, commands);
  const run = runCommandLine(t, ["--port", `${port}`, "--dir", directory, "--appendonly", "yes", "--save", ""]);
  for (;;) {
    try {
      return { run, client: await RespClient.connect({ port }) };
    } catch {
      await sleep(1);
    }
  }
}

test("little data: who connects first waits, and never hears of loading", async (t) => {
  // A machine that has other things to do may take longer than a client is made to wait: then that is no answer.
  for (let attempt = 1; ; attempt++) {
    const { run, client } = await earlyClient(t, 1000);
    const isEarly = !run.output().includes("Ready.");
    const reply = String(await client.command("GET", "last"));
    if (attempt < ATTEMPTS_MAX && (!isEarly || LOADING.test(reply))) continue;
    assert.equal(reply, "$1\r\n1\r\n");
    assert(isEarly, "it was there before the server was ready");
    break;
  }
});

test("much data: after a moment clients are told of it, and so are those who come later", async (t) => {
  const { run, client } = await earlyClient(t, 2_500_000);
  assert.match(String(await client.command("GET", "last")), LOADING);
  assert.equal(String(await client.command("PING")).slice(0, 8), "-LOADING");
  assert.match(String(await client.command("INFO", "persistence")), /\r\nloading:1\r\n/);
  await run.ready;
  assert.equal(String(await client.command("GET", "last")), "$1\r\n1\r\n");
});

test("a port in use is told before anything is read", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  const directory = directoryWithLog(t, 10);
  const run = runCommandLine(t, ["--port", `${port}`, "--dir", directory, "--appendonly", "yes"]);
  assert.equal(await run.ended, 1);
  assert.match(run.errors(), /Could not listen on 127\.0\.0\.1:\d+: another program listens there/);
  assert.doesNotMatch(run.output(), /Load/);
});
