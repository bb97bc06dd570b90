/** A server and the lock of its directory: waiting for one that may be a dead server's, and losing its own. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DirectoryLock } from "../durability/directory-lock.ts";
import { LOCK_NAME } from "../durability/lock-file.ts";
import { LEASE_MS, parseHolder, thisHolder } from "../durability/lock-holder.ts";
import { runCommandLine, startServerIn } from "../testing/cli.ts";
import { RespClient } from "../testing/resp-client.ts";
import { freePort } from "../testing/servers.ts";
import { until } from "../testing/sockets.ts";

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-claim-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function stamp(path: string, ageMs: number): void {
  const time = new Date(Date.now() - ageMs);
  utimesSync(path, time, time);
}

/** Starts a server where a killed container has left its lock. */
async function waiting(t: TestContext, restMs: number) {
  const directory = temporaryDirectory(t);
  const lock = join(directory, LOCK_NAME);
  writeFileSync(lock, JSON.stringify({ ...thisHolder("Stillwater 0.0.9"), machine: "elsewhere", pid: 1, host: "c1" }));
  stamp(lock, LEASE_MS - restMs);
  const port = await freePort();
  const run = runCommandLine(t, ["--port", `${port}`, "--dir", directory, "--save", "", "--appendonly", "yes"]);
  return { ...run, port, directory, lock };
}

const NOTICE = /^Waiting, \d+ s at most, for the lock of \S+: Stillwater 0\.0\.9, process 1 on c1, has it since .*\n/;

describe("a lock that may be a dead server's", { concurrency: 2 }, () => {
  test("is waited for, without listening; then it goes on by itself", async (t) => {
    // More than it takes to start on a busy machine.
    const { port, directory, lock, output, ready } = await waiting(t, 3_000);
    await until("it waits", () => NOTICE.test(output()));
    await assert.rejects(RespClient.connect({ port }), { code: "ECONNREFUSED" });
    assert.equal(parseHolder(readFileSync(lock, "utf8"))?.host, "c1");
    assert.deepEqual(readdirSync(directory), [LOCK_NAME]);
    await ready;
    assert.notEqual(parseHolder(readFileSync(lock, "utf8"))?.host, "c1");
    assert.equal(output().match(/Waiting/g)?.length, 1);
    const client = await RespClient.connect({ port });
    assert.equal(String(await client.command("SET", "k", "v")), "+OK\r\n");
  });

  test("is a living one's if its stamp moves: refused at once", async (t) => {
    const { directory, lock, output, errors, ended } = await waiting(t, LEASE_MS);
    await until("it waits", () => NOTICE.test(output()));
    stamp(lock, 0);
    assert.equal(await ended, 1);
    assert.match(errors(), /^The directory \S+ is in use: Stillwater 0\.0\.9, process 1 on c1, .* It is alive, .*\n$/);
    assert.deepEqual(readdirSync(directory), [LOCK_NAME]);
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`keeps nobody from ending it: ${signal}`, async (t) => {
      const { child, directory, lock, output, errors, ended } = await waiting(t, LEASE_MS);
      await until("it waits", () => NOTICE.test(output()));
      const before = readFileSync(lock, "utf8");
      const begin = performance.now();
      child.kill(signal);
      await until("it has heard it", () => output().includes(`${signal}: ending`));
      // As a process group's, and its parent's: heard twice.
      child.kill(signal);
      assert.equal(await ended, 0);
      assert(performance.now() - begin < 5_000);
      assert.match(output(), new RegExp(`\\n${signal}: ending; the directory is left as it is\\n$`));
      assert.equal(errors(), "");
      assert.deepEqual(readdirSync(directory), [LOCK_NAME]);
      assert.equal(readFileSync(lock, "utf8"), before);
    });
  }
});

test("a server that was stopped for so long that another has its directory does no harm, and says so", async (t) => {
  const directory = temporaryDirectory(t);
  const { ask, child, client, ended, output } = await startServerIn(t, directory, "--appendonly", "yes", "--save", "");
  assert.equal(await ask("SET k v"), "+OK\r\n");
  assert.equal(await ask("WAITAOF 1 0 5000"), "*2\r\n:1\r\n:0\r\n");
  child.kill("SIGSTOP");
  // The same file, as a server would have written it that runs on another machine.
  const path = join(directory, LOCK_NAME);
  const holder = parseHolder(readFileSync(path, "utf8"))!;
  writeFileSync(path, JSON.stringify({ ...holder, machine: "elsewhere" }));
  stamp(path, LEASE_MS + 1_000);
  const lock = DirectoryLock.acquire(directory, "the next one");
  const log = join(directory, "appendonlydir");
  const contents = (): string[] => readdirSync(log).map((name) => `${name} ${readFileSync(join(log, name), "latin1")}`);
  const before = contents();
  // Shorter than nobody looks before an append (guarded-files.ts), nobody is stopped who loses a lock.
  await sleep(1_100);
  // It gets this at the same moment as it is let go on.
  const reply = client.command("SET", "k", "w").then(String, () => "gone");
  child.kill("SIGCONT");
  assert.match(await reply, /^(gone$|-MISCONF )/);
  await until("it says so", () =>
    /is another store's now: the next one, .*writes nothing there any more/.test(output()),
  );
  assert.deepEqual(contents(), before);
  lock.assertHeld();
  child.kill("SIGTERM");
  assert.equal(await ended, 1);
  assert.match(output(), /\nNot everything is on disk: .* is another store's now/);
  assert.deepEqual(contents(), before);
  lock.assertHeld();
  lock.release();
});
