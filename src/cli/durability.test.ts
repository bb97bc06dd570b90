/** A server's files as a user meets them: found again, or refused. How it ends: ending.test.ts. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { runCommandLine, startServerIn as start } from "../testing/cli.ts";
import { freePort } from "../testing/servers.ts";

const LOCK = "stillwater.lock";

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-cli-files-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Starts one that is to end by itself. */
async function refused(t: TestContext, directory: string, ...args: string[]) {
  const run = runCommandLine(t, ["--port", `${await freePort()}`, "--dir", directory, ...args]);
  return { code: await run.ended, output: run.output(), errors: run.errors() };
}

describe("what is found again", { concurrency: 2 }, () => {
  test("with a log: everything, after a kill; the greeting and the next start tell", async (t) => {
    const directory = temporaryDirectory(t);
    const args = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""];
    const first = await start(t, directory, ...args);
    assert.match(
      first.output(),
      new RegExp(`durability +log, on disk before a write is answered, in ${directory}/app`),
    );
    assert.equal(await first.ask("SET k v"), "+OK\r\n");
    assert.equal(await first.ask("RPUSH list a b"), ":2\r\n");
    assert.equal(await first.stop("SIGKILL"), "SIGKILL");
    const second = await start(t, directory, ...args);
    assert.match(
      second.output(),
      /\nLoaded \d+ bytes from .*appendonly\.aof\.1\.incr\.aof in [\d.]+ s: 2 keys, [23] commands\n/,
    );
    assert.equal(await second.ask("GET k"), "$1\r\nv\r\n");
    assert.equal(await second.ask("LLEN list"), ":2\r\n");
    assert.match(
      await second.ask("INFO persistence"),
      /loading:0\r\n[\s\S]*aof_enabled:1\r\n[\s\S]*aof_last_write_status:ok\r\n/,
    );
    assert.equal(await second.stop(), 0);
    assert.deepEqual(readdirSync(directory), ["appendonlydir"]);
    // As in Redis, the log is not read without the directive; here nobody has to wonder where the data is.
    const third = await start(t, directory, "--save", "");
    assert.match(third.output(), /note +There is a log, .*manifest, which is not read: --appendonly yes reads it\n/);
    assert.equal(await third.ask("DBSIZE"), ":0\r\n");
  });

  test("with rules for saving: what SIGTERM has saved", async (t) => {
    const directory = temporaryDirectory(t);
    const first = await start(t, directory);
    assert.match(first.output(), /durability +snapshots after 3600 s if 1 change, .* in .*dump\.rdb\n/);
    assert(existsSync(join(directory, LOCK)));
    await first.ask("SET k v");
    assert.equal(await first.stop(), 0);
    assert.match(
      first.output(),
      /\nSIGTERM: ending\nSaving the data in .*dump\.rdb\nDB saved on disk\nClosing all connections\nBye\.\n$/,
    );
    assert.deepEqual(readdirSync(directory), ["dump.rdb"]);
    const second = await start(t, directory);
    assert.match(second.output(), /\nLoaded \d+ bytes from dump\.rdb in [\d.]+ s: 1 keys\nReady\./);
    assert.equal(await second.ask("GET k"), "$1\r\nv\r\n");
    assert.match(await second.ask("INFO persistence"), /rdb_last_load_keys_loaded:1\r\n/);
    await second.ask("SET k w");
    const { mtimeMs } = statSync(join(directory, "dump.rdb"));
    second.client.command("SHUTDOWN", "NOSAVE").catch(() => undefined);
    assert.equal(await second.ended, 0);
    assert.equal(statSync(join(directory, "dump.rdb")).mtimeMs, mtimeMs);
  });

  test("without either: nothing is written, not even a lock, but what is asked for", async (t) => {
    const directory = temporaryDirectory(t);
    const first = await start(t, directory, "--save", "");
    assert.match(first.output(), /durability +none: the data is gone when the process ends/);
    await first.ask("SET k v");
    assert.deepEqual(readdirSync(directory), []);
    assert.equal(await first.ask("SAVE"), "+OK\r\n");
    assert.deepEqual(readdirSync(directory).sort(), ["dump.rdb", LOCK]);
    assert.equal(await first.ask("CONFIG SET appendonly yes"), "+OK\r\n");
    await first.ask("SET k w");
    assert.equal(await first.ask("WAITAOF 1 0 5000"), "*2\r\n:1\r\n:0\r\n");
    await first.stop("SIGKILL");
    const second = await start(t, directory, "--save", "", "--appendonly", "yes");
    assert.equal(await second.ask("GET k"), "$1\r\nw\r\n");
  });

  test("a snapshot becomes the base of a log that is turned on at a start", async (t) => {
    const directory = temporaryDirectory(t);
    const first = await start(t, directory);
    await first.ask("SET k v");
    await first.stop();
    const second = await start(t, directory, "--appendonly", "yes");
    assert.equal(await second.ask("GET k"), "$1\r\nv\r\n");
    await second.ask("SET l w");
    await second.stop("SIGKILL");
    rmSync(join(directory, "dump.rdb"));
    const third = await start(t, directory, "--appendonly", "yes");
    assert.equal(await third.ask("MGET k l"), "*2\r\n$1\r\nv\r\n$1\r\nw\r\n");
  });
});

describe("what is refused", { concurrency: 2 }, () => {
  test("the second server of a directory, which is told who is there", async (t) => {
    const directory = temporaryDirectory(t);
    const { child } = await start(t, directory);
    const { code, output, errors } = await refused(t, directory);
    assert.match(errors, new RegExp(`^The directory ${directory} is in use: .*\\b${child.pid}\\b`));
    assert.deepEqual([code, output], [1, ""]);
  });

  test("a directory that somebody else has, also for CONFIG SET", async (t) => {
    const [mine, other] = [temporaryDirectory(t), temporaryDirectory(t)];
    await start(t, other);
    const protectedConfigs = ["--enable-protected-configs", "yes"];
    const { ask } = await start(t, mine, ...protectedConfigs);
    assert.match(
      await ask(`CONFIG SET dir ${other}`),
      /^-ERR CONFIG SET failed .*'dir'\) - The directory .* is in use: /,
    );
    const third = temporaryDirectory(t);
    assert.equal(await ask(`CONFIG SET dir ${third}`), "+OK\r\n");
    assert.deepEqual([existsSync(join(mine, LOCK)), existsSync(join(third, LOCK))], [false, true]);
    const idle = await start(t, other, "--save", "", ...protectedConfigs);
    assert.match(await idle.ask("SAVE"), /^-ERR The directory .* is in use: /);
    assert.match(
      String(await idle.client.command("CONFIG", "SET", "save", "60 1")),
      /^-ERR CONFIG SET failed .* is in use: /,
    );
    assert.match(await idle.ask("CONFIG SET appendonly yes"), /^-ERR CONFIG SET failed .* is in use: /);
  });

  test("a port in use: the directory is let go of", async (t) => {
    const directory = temporaryDirectory(t);
    const { port } = await start(t, temporaryDirectory(t));
    const run = runCommandLine(t, ["--port", `${port}`, "--dir", directory]);
    assert.equal(await run.ended, 1);
    assert.match(run.errors(), /^Could not listen on /);
    assert.deepEqual(readdirSync(directory), []);
  });

  test("damaged files: exit code 1, where it is and what to do, nothing touched", async (t) => {
    const directory = temporaryDirectory(t);
    const first = await start(t, directory);
    for (let index = 0; index < 100; index++) await first.ask(`SET key:${index} 0123456789`);
    await first.stop();
    const path = join(directory, "dump.rdb");
    truncateSync(path, statSync(path).size - 100);
    const before = readFileSync(path);
    const { code, errors } = await refused(t, directory);
    assert.match(errors, new RegExp(`^${path} is damaged at byte \\d+: .*\\.\n$`));
    assert.doesNotMatch(errors, /\n {4}at /);
    assert.equal(code, 1);
    assert.deepEqual(readFileSync(path), before);
    assert.deepEqual(readdirSync(directory), ["dump.rdb"]);
  });
});

test("a log that cannot be begun: exit code 1, and why", async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, "appendonlydir"), "a file where a directory should be");
  const place = await refused(t, directory, "--appendonly", "yes");
  assert.match(place.errors, /^(The append-only log in|Could not load the data) .*appendonlydir.*\n$/);
  assert.equal(place.code, 1);
  assert.deepEqual(readdirSync(directory), ["appendonlydir"]);
});
