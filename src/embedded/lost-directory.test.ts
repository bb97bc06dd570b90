/**
 * What a store does that has lost its directory to another: it changes nothing there, on none of its threads, at
 * whatever it was, and says so. The other one is played by a lock file of its own.
 */
import assert from "node:assert/strict";
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Configuration } from "../config/configuration.ts";
import { thisHolder } from "../durability/lock-holder.ts";
import { Store } from "../engine/store.ts";
import { until } from "../testing/sockets.ts";
import { type OpenOptions, open, type Stillwater } from "./index.ts";

const SMALL = { maxMemory: "20mb", regionSize: "4mb" } as const;
const LOCK = "stillwater.lock";
/** For how long nobody looks at the lock before an append. */
const LOOK_MS = 1_000;
/** Until the holder looks by itself. */
const BEAT_MS = 2_000;

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-lost-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

interface Scene {
  readonly db: Stillwater;
  readonly dir: string;
  /** What was told as errors. */
  readonly errors: string[];
}

async function opened(t: TestContext, options: OpenOptions = {}): Promise<Scene> {
  const dir = temporaryDirectory(t);
  const db = await open({ ...SMALL, dir, ...options });
  t.after(() => db.close().catch(() => undefined));
  const errors: string[] = [];
  db.on("error", ({ message }) => void errors.push(message));
  return { db, dir, errors };
}

/** Another store has the directory now. */
function takeOver(t: TestContext, dir: string): void {
  const path = join(dir, "taker");
  const descriptor = openSync(path, "wx");
  t.after(() => closeSync(descriptor));
  writeSync(descriptor, JSON.stringify(thisHolder("the other 1.0")));
  renameSync(path, join(dir, LOCK));
}

/** All files and what is in them. */
function contentOf(dir: string): ReadonlyMap<string, string> {
  const names = readdirSync(dir, { recursive: true, encoding: "utf8" }).sort();
  return new Map(names.map((name) => [name, fileText(join(dir, name))]));
}

function fileText(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EISDIR") return "a directory";
    throw error;
  }
}

/** Waits until the store has noticed. */
async function noticed({ errors }: Scene): Promise<void> {
  await until("it is noticed", () =>
    errors.some((line) => /^The directory .* is another store's now: the othe/.test(line)),
  );
}

const LOST = /the directory \S+ is another store's now: the other 1\.0, process \d+ on /;
const LOST_COMMAND = { name: "CommandError", message: LOST };

describe("a store whose directory is another's", { concurrency: true }, () => {
  test("with a log: writes are refused, nothing saves, nothing heals, nothing is touched", async (t) => {
    const scene = await opened(t, { save: [[1, 1]] });
    const { db, dir, errors } = scene;
    db.set("k", "v");
    await db.durable();
    const isTold = (content: string) => content.includes("#stillwater:synced ");
    await until("the log tells that it is synced", () => [...contentOf(dir).values()].some(isTold));
    takeOver(t, dir);
    const before = contentOf(dir);
    await noticed(scene);
    assert.match(
      errors.find((line) => line.startsWith("The directory "))!,
      /\. This store writes nothing there any more, neither log nor snapshots\. Stop it \(SHUTDOWN /,
    );
    for (const write of [() => db.set("k", "w"), () => db.incr("n"), () => db.ping()]) {
      assert.throws(write, {
        name: "CommandError",
        code: "MISCONF",
        message: /^MISCONF Errors writing to the AOF file: the/,
      });
    }
    assert.equal(db.get("k"), "v");
    const info = db.info("persistence");
    assert.match(info, /\r\naof_last_write_status:err\r\n/);
    assert.match(info, /\r\nrdb_last_bgsave_status:err\r\n/);
    assert.match(info, /\r\naof_last_error:the directory /);
    await assert.rejects(db.durable(), { message: LOST });
    await assert.rejects(db.bgsave(), LOST_COMMAND);
    await assert.rejects(db.rewrite(), LOST_COMMAND);
    for (const name of ["SAVE", "BGSAVE", "BGREWRITEAOF"]) assert.throws(() => db.call(name), LOST_COMMAND);
    // Off, and on again: that is a log of a directory that is not ours.
    db.config("SET", "appendonly", "no");
    assert.throws(() => db.config("SET", "appendonly", "yes"), { message: LOST });
    // The rules would be due by now.
    await sleep(BEAT_MS);
    await assert.rejects(db.close());
    assert.deepEqual(contentOf(dir), before);
  });

  test("with rules for saving: writes are refused if that is wanted; another directory heals it", async (t) => {
    const config = { appendonly: "no", "enable-protected-configs": "yes" };
    const scene = await opened(t, { save: [[3600, 1]], config });
    const { db, dir } = scene;
    db.set("k", "v");
    takeOver(t, dir);
    const before = contentOf(dir);
    await noticed(scene);
    assert.throws(() => db.set("k", "w"), { code: "MISCONF", message: /stop-writes-on-bgsave-error/ });
    db.config("SET", "stop-writes-on-bgsave-error", "no");
    db.set("k", "w");
    db.flushall();
    db.set("k", "x");
    assert.throws(() => db.call("SAVE"), LOST_COMMAND);
    db.config("SET", "stop-writes-on-bgsave-error", "yes");
    const elsewhere = temporaryDirectory(t);
    db.config("SET", "dir", dir);
    assert.throws(() => db.call("SAVE"), LOST_COMMAND, "it is where it was");
    db.config("SET", "dir", elsewhere);
    await db.bgsave();
    assert.equal(db.set("k", "y"), "OK");
    assert.deepEqual(readdirSync(elsewhere).sort(), ["dump.rdb", LOCK]);
    await db.close();
    assert.deepEqual(readdirSync(elsewhere), ["dump.rdb"]);
    assert.deepEqual(contentOf(dir), before);
  });

  test("without either: nothing is refused", async (t) => {
    const scene = await opened(t, { save: [[3600, 1]], config: { appendonly: "no" } });
    scene.db.config("SET", "save", "");
    takeOver(t, scene.dir);
    await noticed(scene);
    assert.equal(scene.db.set("k", "w"), "OK");
    await scene.db.close();
  });

  test("while a snapshot is written: that is given up, and so is the base of a log", async (t) => {
    for (const kind of ["bgsave", "rewrite"] as const) {
      const scene = await opened(t);
      const { db, dir } = scene;
      for (let count = 0; count < 1000; count++) db.set(`key ${count}`, "v");
      await db.durable();
      db.config("SET", "rdb-key-save-delay", "100000");
      const job = db[kind]();
      const failed = assert.rejects(job, { message: LOST });
      await until("it writes", () => /current_save_keys_processed:[1-9]/.test(db.info("persistence")));
      const names = [...contentOf(dir).keys()].filter((name) => !/(^|\/)temp-/.test(name));
      takeOver(t, dir);
      await noticed(scene);
      await failed;
      db.freeze().release();
      await assert.rejects(db.close());
      const left = [...contentOf(dir).keys()].filter((name) => !/(^|\/)temp-/.test(name));
      assert.deepEqual(left, names);
      assert(!existsSync(join(dir, "dump.rdb")));
    }
  });
});

describe("before it has noticed by itself", { concurrency: true }, () => {
  for (const fsync of ["everysec", "always"] as const) {
    test(`nothing is appended to the log, ${fsync}`, async (t) => {
      const { db, dir } = await opened(t, { fsync });
      db.set("k", "v");
      await db.durable();
      await sleep(LOOK_MS + 50);
      takeOver(t, dir);
      const before = contentOf(dir);
      db.set("k", "w");
      await assert.rejects(db.durable(), { name: "CommandError", message: /another store/ });
      assert.throws(() => db.set("k", "x"), { code: "MISCONF" });
      assert.deepEqual(contentOf(dir), before);
    });
  }

  // On a busy machine the holder's own look may come first.
  const SEEN_BY_THREAD = {
    message: /stillwater\.lock has been removed or replaced: another store may| is another store/,
  };
  const works: Readonly<Record<string, (db: Stillwater) => Promise<void>>> = {
    bgsave: (db) => assert.rejects(db.bgsave(), SEEN_BY_THREAD),
    rewrite: (db) => assert.rejects(db.rewrite(), SEEN_BY_THREAD),
    SAVE: async (db) => void assert.throws(() => db.call("SAVE"), { name: "CommandError", message: "ERR" }),
  };
  for (const [name, work] of Object.entries(works)) {
    test(`no file of another's is replaced: ${name}`, async (t) => {
      const { db, dir } = await opened(t);
      db.set("k", "v");
      await db.bgsave();
      takeOver(t, dir);
      const before = contentOf(dir);
      await work(db);
      if (name !== "rewrite") assert.throws(() => db.set("k", "w"), { code: "MISCONF" }, "it has looked by itself");
      assert.deepEqual(contentOf(dir), before);
    });
  }

  test("nothing is cut off, put in order or deleted while it is still reading", async (t) => {
    const { db, dir } = await opened(t);
    db.set("k", "v");
    await db.close();
    const log = join(dir, "appendonlydir");
    const incr = readdirSync(log).find((file) => file.endsWith(".incr.aof"))!;
    appendFileSync(join(log, incr), "*3\r\n$3\r\nSET\r\n$1");
    const configuration = new Configuration(dir);
    configuration.initialize("appendonly", ["yes"]);
    configuration.initialize("save", [""]);
    const store = new Store(configuration, Date.now, { shards: 1, regionSize: 2 ** 22 });
    await store.claimFiles();
    takeOver(t, dir);
    const before = contentOf(dir);
    await assert.rejects(store.open(), {
      name: "OpeningError",
      message: /^While its files were being read, the directory \S+ is another store's now: the other/,
    });
    assert.deepEqual(contentOf(dir), before);
  });
});
