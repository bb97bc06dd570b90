/** A store with a directory: what is written is there again. How programs end: endings.test.ts. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { type OpenOptions, type OpenProgress, open, type Stillwater } from "./index.ts";

const SMALL = { maxMemory: "20mb", regionSize: "4mb" } as const;

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-embedded-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A store that is closed at the end of the test. */
async function opened(t: TestContext, options: OpenOptions): Promise<Stillwater> {
  const db = await open({ ...SMALL, ...options });
  // What could not be saved is the business of the test that makes it so.
  t.after(() => db.close().catch(() => undefined));
  return db;
}

function fill(db: Stillwater): void {
  db.mset({ a: "1", b: "2" });
  db.set("short", "lived", { PX: 3_600_000 });
  db.rpush("list", "x", "y", "z");
  db.hset("hash", { f: "v" });
  db.zadd("scores", [[1.5, "ann"]]);
  db.database(3).sadd("set", "m", "n");
  db.incrbyfloat("float", 0.1);
}

describe("what a store is opened with again", { concurrency: 2 }, () => {
  test("everything, from the log; the report says from where", async (t) => {
    const dir = join(temporaryDirectory(t), "made", "for it");
    const db = await opened(t, { dir });
    assert.equal(db.openReport.source, "none");
    assert.deepEqual(db.config("GET", "appendonly", "appendfsync", "save"), {
      appendonly: "yes",
      appendfsync: "everysec",
      save: "",
    });
    fill(db);
    const digest = db.digest();
    await db.close();
    const again = await opened(t, { dir });
    assert.equal(again.digest(), digest);
    const { source, keys, commands, files, cutOff } = again.openReport;
    assert.deepEqual([source, keys, cutOff], ["aof", 8, []]);
    assert(commands >= 8);
    assert(files.length > 0 && files.every(({ name }) => existsSync(name)));
    assert.deepEqual(again.lrange("list", 0, -1), ["x", "y", "z"]);
    assert.equal(again.debug("VERIFY"), "OK");
  });

  test("a torn end is cut off, kept, and reported", async (t) => {
    const dir = temporaryDirectory(t);
    const db = await opened(t, { dir });
    db.set("whole", "1");
    await db.durable();
    db.set("torn", "0123456789");
    await db.close();
    const incr = readdirSync(join(dir, "appendonlydir")).find((name) => name.endsWith(".incr.aof"))!;
    const path = join(dir, "appendonlydir", incr);
    truncateSync(path, readFileSync(path).lastIndexOf("#stillwater:synced ") - 3);
    const again = await opened(t, { dir });
    assert.deepEqual([again.get("whole"), again.get("torn")], ["1", null]);
    const [cut] = again.openReport.cutOff;
    assert(cut !== undefined && cut.bytes > 0 && existsSync(cut.keptAs));
  });

  test("snapshots alone, without a log", async (t) => {
    const dir = temporaryDirectory(t);
    const options = { dir, config: { appendonly: "no" } };
    const db = await opened(t, { ...options, save: [[3600, 1]] });
    assert.deepEqual(db.config("GET", "save"), { save: "3600 1" });
    fill(db);
    const digest = db.digest();
    // There are rules for saving, and something to save.
    await db.close();
    assert(existsSync(join(dir, "dump.rdb")));
    const again = await opened(t, { ...options, save: false });
    assert.deepEqual([again.digest(), again.openReport.source], [digest, "rdb"]);
    again.set("new", "1");
    await again.bgsave();
    again.set("after", "1");
    const saved = again.lastsave();
    assert(Math.abs(saved - Date.now() / 1000) < 5);
    await again.close();
    const third = await opened(t, options);
    assert.deepEqual([third.get("new"), third.get("after")], ["1", null]);
    assert.equal(third.save(), "OK");
    await assert.rejects(third.durable(), { name: "CommandError" });
    await assert.rejects(third.rewrite(), { name: "CommandError" });
  });

  test("a log that was rewritten, and written to meanwhile", async (t) => {
    const dir = temporaryDirectory(t);
    const db = await opened(t, { dir, fsync: "always" });
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 500; index++) db.incr("counter");
      const rewritten = db.rewrite();
      for (let index = 0; index < 500; index++) db.rpush("list", String(index));
      await rewritten;
    }
    const digest = db.digest();
    await db.durable();
    await db.close();
    const again = await opened(t, { dir });
    assert.equal(again.digest(), digest);
    assert.deepEqual([again.get("counter"), again.llen("list")], ["1500", 1500]);
  });

  test("loading is told of, and yields to others", async (t) => {
    const dir = temporaryDirectory(t);
    const db = await opened(t, { dir });
    for (let index = 0; index < 20_000; index++) db.set(`key:${index}`, "0123456789");
    await db.close();
    const told: OpenProgress[] = [];
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    t.after(() => clearInterval(timer));
    const again = await opened(t, { dir, onProgress: (progress) => told.push(progress) });
    assert.equal(again.dbsize(), 20_000);
    assert(turns > 0, "timers ran while it loaded");
    const last = told.at(-1)!;
    assert.deepEqual([last.phase, last.keys, last.loadedBytes], ["done", 20_000, last.totalBytes]);
    assert(last.totalBytes > 20_000 * 30);
    assert(
      told.every(
        ({ phase, loadedBytes }, index) =>
          loadedBytes <= last.totalBytes && (phase === "loading") === index < told.length - 1,
      ),
    );
  });
});

test("a snapshot that fails is an event, an error for who waits, and refuses writes until one succeeds", async (t) => {
  const dir = temporaryDirectory(t);
  const db = await opened(t, { dir, config: { appendonly: "no" }, save: "3600 1000000" });
  const errors: Error[] = [];
  db.on("error", (error) => errors.push(error));
  db.set("k", "v");
  // Nothing can be renamed over a directory that is not empty.
  mkdirSync(join(dir, "dump.rdb", "in the way"), { recursive: true });
  await assert.rejects(db.bgsave(), { name: "CommandError", code: "ERR" });
  assert.deepEqual(
    errors.map(({ name }) => name),
    ["PersistenceError"],
  );
  assert.match(errors[0]!.message, /^Background saving failed: /);
  assert.match(db.info("persistence"), /rdb_last_bgsave_status:err\r\n/);
  for (const write of [() => db.set("k", "w"), () => db.incr("n"), () => db.rpush("l", "x"), () => db.ping()]) {
    for (let call = 0; call < 300; call++) assert.throws(write, { name: "CommandError", code: "MISCONF" });
  }
  assert.equal(db.get("k"), "v");
  rmSync(join(dir, "dump.rdb"), { recursive: true });
  await db.bgsave();
  assert.equal(db.set("k", "w"), "OK");
  assert.match(db.info("persistence"), /rdb_last_bgsave_status:ok\r\n/);
  rmSync(join(dir, "dump.rdb"));
  mkdirSync(join(dir, "dump.rdb", "in the way"), { recursive: true });
  await assert.rejects(db.close(), { message: /^the data could not be saved/ });
  assert.match(errors.at(-1)!.message, /^Saving the data failed: /);
  rmSync(join(dir, "dump.rdb"), { recursive: true });
  const again = await opened(t, { dir });
  assert.equal(again.openReport.source, "none", "it has let go of the directory all the same");
});

describe("the directory", { concurrency: 2 }, () => {
  test("is one store's at a time, also within a process; free again after close", async (t) => {
    const dir = temporaryDirectory(t);
    const db = await opened(t, { dir });
    await assert.rejects(open({ ...SMALL, dir }), {
      name: "DirectoryLockedError",
      code: "DIRECTORY_LOCKED",
      message: new RegExp(`${dir} is in use: .*${process.pid}`),
    });
    db.set("k", "v");
    await Promise.all([db.close(), db.close()]);
    const again = await opened(t, { dir });
    assert.equal(again.get("k"), "v");
  });

  test("with damaged files in it, is neither served nor written to", async (t) => {
    const dir = temporaryDirectory(t);
    const db = await opened(t, { dir, config: { appendonly: "no" }, save: "3600 1" });
    fill(db);
    await db.close();
    const path = join(dir, "dump.rdb");
    truncateSync(path, statSync(path).size - 20);
    const before = readdirSync(dir);
    await assert.rejects(open({ ...SMALL, dir }), { name: "DamagedFileError", file: path });
    assert.deepEqual(readdirSync(dir), before);
  });
});
