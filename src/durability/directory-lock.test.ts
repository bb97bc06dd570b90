import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  cpSync,
  existsSync,
  linkSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DirectoryLock, DirectoryLockedError } from "./directory-lock.ts";
import { LOCK_NAME, replaceStale } from "./lock-file.ts";
import { describeHolder, type LockHolder, parseHolder, thisHolder } from "./lock-holder.ts";

const TAKER = fileURLToPath(new URL(`../testing/lock-taker${extname(import.meta.url)}`, import.meta.url));
const ON_LINUX = process.platform === "linux" ? false : "processes are looked up in /proc here";

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "directory-lock-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Starts a process of lock-taker.ts; it is gone when the test is over. */
function taker(t: TestContext, ...args: string[]): { child: ChildProcess; output: Promise<string> } {
  const child = spawn(process.execPath, [TAKER, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  let text = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  return { child, output: once(child, "close").then(() => text) };
}

async function wordsOf(child: ChildProcess): Promise<string> {
  const [words] = await once(child.stdout!, "data");
  return `${words}`;
}

async function heldByChild(t: TestContext, directory: string): Promise<ChildProcess> {
  const { child } = taker(t, "once", directory);
  assert.equal(await wordsOf(child), "taken\n");
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "close");
}

/** What the next one is told. */
function refusal(directory: string): DirectoryLockedError {
  try {
    DirectoryLock.acquire(directory, "second").release();
  } catch (error) {
    assert(error instanceof DirectoryLockedError, `${error}`);
    return error;
  }
  throw new Error("not refused");
}

function writeLock(directory: string, changes: Partial<LockHolder>): string {
  const path = join(directory, LOCK_NAME);
  writeFileSync(path, JSON.stringify({ ...thisHolder("another store 1.0"), ...changes }));
  return path;
}

/** Has the file open until the end of the test, as the holder of a lock has. */
function hold(t: TestContext, path: string): void {
  const descriptor = openSync(path, "r+");
  t.after(() => closeSync(descriptor));
}

function takes(directory: string): void {
  const lock = DirectoryLock.acquire(directory, "next");
  assert.deepEqual(readdirSync(directory), [LOCK_NAME]);
  lock.release();
  assert.deepEqual(readdirSync(directory), []);
}

test("within one process the second store is refused, told why, and can have it afterwards", (t) => {
  const directory = directoryOf(t);
  const lock = DirectoryLock.acquire(directory, "stillwater 0.1.0");
  assert.deepEqual(readdirSync(directory), [LOCK_NAME]);
  const before = statSync(directory).mtimeMs;
  const error = refusal(directory);
  assert.equal(statSync(directory).mtimeMs, before, "nothing is written to find that out");
  assert.equal(error.code, "DIRECTORY_LOCKED");
  assert.equal(error.directory, directory);
  assert.equal(error.holder?.pid, process.pid);
  assert.match(error.message, /^The directory \S+ is in use: stillwater 0\.1\.0, process \d+ on \S+, has it since 20/);
  assert.match(error.message, /It is this process itself: close its store first, or use another directory\.$/);
  assert.deepEqual(readdirSync(directory), [LOCK_NAME]);
  lock.release();
  lock.release();
  assert.deepEqual(readdirSync(directory), []);
  takes(directory);
});

test("another process that runs has it; one that was killed has not", async (t) => {
  const directory = directoryOf(t);
  const child = await heldByChild(t, directory);
  const error = refusal(directory);
  assert.match(error.message, new RegExp(`lock-taker, process ${child.pid} on .* Stop that process, or use another`));
  await kill(child);
  assert(existsSync(join(directory, LOCK_NAME)), "it could not release it");
  takes(directory);
});

test("a lock of an earlier process with the same number is stale", { skip: ON_LINUX }, (t) => {
  const directory = directoryOf(t);
  hold(t, writeLock(directory, { started: "1" }));
  takes(directory);
  hold(t, writeLock(directory, {}));
  assert.equal(refusal(directory).holder?.program, "another store 1.0");
  // Where no start could be read, the number and the open file decide.
  writeLock(directory, { started: "" });
  assert.equal(refusal(directory).holder?.started, "");
});

test("a copy of a directory whose store runs can be opened; the store's own cannot", { skip: ON_LINUX }, async (t) => {
  const directory = directoryOf(t);
  const copy = join(directoryOf(t), "copy");
  const child = await heldByChild(t, directory);
  cpSync(directory, copy, { recursive: true, preserveTimestamps: true });
  takes(copy);
  const { message } = refusal(directory);
  assert.match(message, new RegExp(`process ${child.pid} on .* Stop that process, or use another directory\\.$`));
  // Nor is what is left over of a taker that has closed its claim; and by another name it is the same file.
  writeLock(copy, {});
  takes(copy);
  linkSync(join(directory, LOCK_NAME), join(copy, LOCK_NAME));
  assert.equal(refusal(copy).holder?.pid, child.pid);
});

test("where it cannot be seen what a process has open, the message says what to do about a copy", () => {
  const path = join("dir", LOCK_NAME);
  const holder = { ...thisHolder("x 1"), pid: 2 ** 30 };
  const copy =
    /Stop that process, or use another directory\. If the directory is a copy of that one's, remove dir.stil/;
  assert.match(describeHolder(holder, path, "unproven"), copy);
  assert.doesNotMatch(describeHolder(holder, path, "held"), /copy/);
});

test("whom one cannot look up has it as long as it stamps the file", (t) => {
  const directory = directoryOf(t);
  for (const machine of ["another boot pid:[4026531836]", "host db2"]) {
    const path = writeLock(directory, { machine, pid: 1, host: "db2" });
    const { message } = refusal(directory);
    assert.match(message, /another store 1\.0, process 1 on db2, has it since .* another container or on another mach/);
    assert.match(message, /its lock can be taken 15 s after its last sign of life\.$/);
    const old = new Date(Date.now() - 14_000);
    utimesSync(path, old, old);
    refusal(directory);
    const older = new Date(Date.now() - 15_100);
    utimesSync(path, older, older);
    takes(directory);
  }
});

test("a holder stamps its file, and notices when it has been taken", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const directory = directoryOf(t);
  const path = join(directory, LOCK_NAME);
  const lock = DirectoryLock.acquire(directory, "holder");
  const content = readFileSync(path, "utf8");
  const lost: string[] = [];
  lock.onLost = ({ message }) => void lost.push(message);
  const stampAfter = async (seconds: number) => {
    const old = new Date(Date.now() - 10_000);
    utimesSync(path, old, old);
    t.mock.timers.tick(seconds * 1_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    return Date.now() - statSync(path).mtimeMs < 5_000;
  };
  assert(!(await stampAfter(1.9)));
  assert(await stampAfter(0.2));
  assert.equal(readFileSync(path, "utf8"), content);
  assert.deepEqual(lost, []);
  lock.assertHeld();
  writeLock(directory, { machine: "other" });
  renameSync(path, join(directory, "x"));
  renameSync(join(directory, "x"), path);
  assert(!(await stampAfter(0)), "that file is another one by now");
  rmSync(path);
  writeLock(directory, { machine: "other" });
  await stampAfter(2);
  assert.equal(lost.length, 1);
  assert.match(
    lost[0]!,
    /^the directory \S+ is another store's now: another store 1\.0, process \d+ on \S+, has it sin/,
  );
  assert.throws(() => lock.assertHeld(), { code: "DIRECTORY_LOST", message: lost[0] });
  lock.release();
  assert.equal(parseHolder(readFileSync(path, "utf8"))?.machine, "other", "what is another's stays");
});

test("a file that is no lock of ours is nothing to be taken", (t) => {
  const directory = directoryOf(t);
  const path = join(directory, LOCK_NAME);
  for (const text of ["", "{}", "half a li", '{"pid":"x"}', "[]", "null"]) {
    writeFileSync(path, text);
    const error = refusal(directory);
    assert.equal(error.holder, undefined);
    assert.match(error.message, /what \S+stillwater\.lock says is not understood\. If no store is running there, rem/);
  }
  assert.deepEqual(readdirSync(directory), [LOCK_NAME]);
});

test("one who died while taking over is taken over from, however often", async (t) => {
  const directory = directoryOf(t);
  const child = await heldByChild(t, directory);
  const dead = parseHolder(readFileSync(join(directory, LOCK_NAME), "utf8"))!;
  await kill(child);
  // Its successor got the right and died, and so did the one after that.
  const rightOf = (token: string) => join(directory, `${LOCK_NAME}.${token}`);
  const second = { ...dead, token: "aa" };
  writeFileSync(rightOf(dead.token), JSON.stringify(second));
  writeFileSync(rightOf(second.token), JSON.stringify({ ...dead, token: "bb" }));
  writeFileSync(join(directory, `${LOCK_NAME}.cc.claim`), JSON.stringify({ ...dead, token: "cc" }));
  takes(directory);

  // One who lives and is at it keeps the others out, and its claim stays.
  writeFileSync(join(directory, LOCK_NAME), JSON.stringify(dead));
  writeFileSync(rightOf(dead.token), JSON.stringify(thisHolder("living")));
  hold(t, rightOf(dead.token));
  assert.equal(refusal(directory).holder?.token, dead.token);
  assert.deepEqual(readdirSync(directory).sort(), [LOCK_NAME, `${LOCK_NAME}.${dead.token}`]);
});

test("whoever comes too late to take over a stale lock leaves the new one alone", (t) => {
  const directory = directoryOf(t);
  const path = writeLock(directory, { pid: 2 ** 30 });
  const seen = parseHolder(readFileSync(path, "utf8"))!;
  const claim = `${path}.late.claim`;
  writeFileSync(claim, JSON.stringify(thisHolder("late")));
  // Between its look and its taking over somebody else was quicker, and lives; or was even gone again.
  writeLock(directory, { program: "quick" });
  assert.equal(replaceStale(path, seen.token, claim, Date.now()), false);
  assert.equal(parseHolder(readFileSync(path, "utf8"))?.program, "quick");
  rmSync(path);
  assert.equal(replaceStale(path, seen.token, claim, Date.now()), false);
  assert.deepEqual(readdirSync(directory), [`${LOCK_NAME}.late.claim`]);
  // In time, it is the one.
  writeFileSync(path, JSON.stringify(seen));
  assert.equal(replaceStale(path, seen.token, claim, Date.now()), true);
  assert.equal(parseHolder(readFileSync(path, "utf8"))?.program, "late");
  assert.deepEqual(readdirSync(directory), [LOCK_NAME]);
});

test("an error of the system comes out, and leaves nothing", (t) => {
  const directory = directoryOf(t);
  const missing = join(directory, "missing");
  assert.throws(() => DirectoryLock.acquire(missing, "x"), { code: "ENOENT", syscall: "open" });
  assert(!existsSync(missing));
});

for (const [task, left] of [
  ["race", []],
  ["abandon", [LOCK_NAME]],
] as const) {
  test(`8 processes race for it, ${task}: never two at once, and each gets it`, async (t) => {
    const directory = directoryOf(t);
    const takers = Array.from({ length: 8 }, () => taker(t, task, directory, "8"));
    const outputs = await Promise.all(takers.map(({ output }) => output));
    for (const output of outputs) assert.match(output, /^refused \d+\n$/);
    assert(
      outputs.some((output) => output !== "refused 0\n"),
      "they never met",
    );
    assert.deepEqual(readdirSync(directory), left);
  });
}

test("8 processes race for a dead one's lock: exactly one gets it, and dies as well", async (t) => {
  const directory = directoryOf(t);
  await kill(await heldByChild(t, directory));
  const at = `${Date.now() + 700}`;
  const takers = Array.from({ length: 8 }, () => taker(t, "once", directory, at).child);
  const words = await Promise.all(takers.map(wordsOf));
  assert.deepEqual(words.sort(), [...Array.from({ length: 7 }, () => "refused\n"), "taken\n"]);
  await Promise.all(takers.map(kill));
  assert.deepEqual(readdirSync(directory), [LOCK_NAME]);
});
