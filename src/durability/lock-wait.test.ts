/** Waiting for a lock whose holder cannot be looked up: until it is known to be dead, or shows that it is not. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DirectoryLock, DirectoryLockedError } from "./directory-lock.ts";
import { LOCK_NAME } from "./lock-file.ts";
import { LEASE_MS, parseHolder, thisHolder } from "./lock-holder.ts";
import { acquireWhenFree, type WaitOptions } from "./lock-wait.ts";

const TAKER = fileURLToPath(new URL(`../testing/lock-taker${extname(import.meta.url)}`, import.meta.url));

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "lock-wait-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A lock of another machine, stamped so many milliseconds ago. @returns its path */
function foreignLock(directory: string, ageMs: number): string {
  const path = join(directory, LOCK_NAME);
  writeFileSync(path, JSON.stringify({ ...thisHolder("other 1.0"), machine: "elsewhere", pid: 1, host: "db2" }));
  age(path, ageMs);
  return path;
}

function age(path: string, ageMs: number): void {
  const time = new Date(Date.now() - ageMs);
  utimesSync(path, time, time);
}

/** Begins to wait; what is told of it, and how long it took. */
function waiting(directory: string, options: WaitOptions = {}) {
  const told: number[] = [];
  const begin = performance.now();
  const onWait: WaitOptions["onWait"] = (_locked, waitMs) => void told.push(waitMs);
  const result = acquireWhenFree(directory, "waiting", { onWait, ...options });
  return { told, result, took: () => performance.now() - begin };
}

describe("a lock that nobody can be asked about", { concurrency: true }, () => {
  test("is taken when its lease is over, and not before; meanwhile the event loop turns", async (t) => {
    const directory = directoryOf(t);
    foreignLock(directory, LEASE_MS - 1_000);
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 10);
    t.after(() => clearInterval(ticking));
    const { told, result, took } = waiting(directory);
    assert.deepEqual(readdirSync(directory), [LOCK_NAME], "nothing lies about while it waits");
    assert(told.length === 1 && told[0]! > 500 && told[0]! <= 1_100, `${told}`);
    const lock = await result;
    assert(took() > 500 && took() < 8_000, `${took()} ms`);
    assert(turns >= 20, `${turns} turns`);
    assert.equal(parseHolder(readFileSync(join(directory, LOCK_NAME), "utf8"))?.program, "waiting");
    lock.release();
    assert.deepEqual(readdirSync(directory), []);
  });

  test("is refused as soon as its stamp moves", async (t) => {
    const directory = directoryOf(t);
    const path = foreignLock(directory, 1_000);
    const { told, result, took } = waiting(directory);
    assert(told[0]! > 10_000);
    age(path, 0);
    await assert.rejects(result, (error) => {
      assert(error instanceof DirectoryLockedError);
      assert.match(error.message, /other 1\.0, process 1 on db2, .* It is alive, in another container or on another /);
      return true;
    });
    assert(took() < 5_000);
    assert.deepEqual(readdirSync(directory), [LOCK_NAME]);
  });

  test("is taken at once when it is given back", async (t) => {
    const directory = directoryOf(t);
    const path = foreignLock(directory, 0);
    const { result, took } = waiting(directory);
    rmSync(path);
    (await result).release();
    assert(took() < 5_000);
  });

  test("is refused when somebody else was quicker", async (t) => {
    const directory = directoryOf(t);
    const path = foreignLock(directory, 0);
    const { result } = waiting(directory);
    rmSync(path);
    const quick = DirectoryLock.acquire(directory, "quick");
    await assert.rejects(result, {
      name: "DirectoryLockedError",
      message: /in use: quick, process .* this process it/,
    });
    quick.release();
  });

  test("is waited for no longer than one wants", async (t) => {
    const directory = directoryOf(t);
    foreignLock(directory, 0);
    const ending = new AbortController();
    const { told, result, took } = waiting(directory, { signal: ending.signal });
    const reason = new Error("the end");
    setTimeout(() => ending.abort(reason), 50);
    await assert.rejects(result, reason);
    assert(took() < 5_000);
    assert.equal(told.length, 1);
    assert.deepEqual(readdirSync(directory), [LOCK_NAME]);
  });

  test("that is stamped in the future is waited for as long as any other", async (t) => {
    const directory = directoryOf(t);
    const path = foreignLock(directory, -3_600_000);
    const ending = AbortSignal.timeout(10);
    const { told, result } = waiting(directory, { signal: ending });
    await assert.rejects(result, { name: "TimeoutError" });
    assert.deepEqual(told, [LEASE_MS]);
    const { token } = parseHolder(readFileSync(path, "utf8"))!;
    const seen = { token, stampedAt: statSync(path).mtimeMs, restMs: 0 };
    const ended = { ...seen, stampedAt: seen.stampedAt - 1 };
    assert.throws(() => DirectoryLock.acquire(directory, "x", { ended }), DirectoryLockedError);
    DirectoryLock.acquire(directory, "x", { ended: seen }).release();
  });

  test("is not waited for where its process is seen, or where it says nothing", async (t) => {
    const directory = directoryOf(t);
    const lock = DirectoryLock.acquire(directory, "first");
    for (const content of [undefined, "not ours"]) {
      if (content !== undefined) writeFileSync(join(directory, LOCK_NAME), content);
      const { told, result } = waiting(directory);
      await assert.rejects(result, DirectoryLockedError);
      assert.deepEqual(told, []);
    }
    lock.release();
  });
});

test("of a living process it is refused; one that was stopped for long has lost it, and says so", async (t) => {
  const directory = directoryOf(t);
  const child = spawn(process.execPath, [TAKER, "foreign", directory], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const says = async (): Promise<string> => `${(await once(child.stdout, "data"))[0]}`;
  assert.equal(await says(), "taken\n");
  await assert.rejects(waiting(directory).result, { message: /It is alive/ });
  child.kill("SIGSTOP");
  age(join(directory, LOCK_NAME), LEASE_MS - 300);
  const lock = await waiting(directory).result;
  child.kill("SIGCONT");
  assert.match(await says(), /^lost: the directory \S+ is another store's now: waiting, process \d+ on /);
  lock.assertHeld();
  child.kill("SIGKILL");
  await once(child, "close");
  lock.release();
  assert.deepEqual(readdirSync(directory), []);
});
