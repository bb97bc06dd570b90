import assert from "node:assert/strict";
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { type Files, realFiles } from "./files.ts";
import { AofNames, commitManifest, formatManifest, type Manifest } from "./manifest.ts";
import { deleteLeftovers, type Remove, RetiredFiles } from "./retired-files.ts";

const NAMES = new AofNames("log.aof");
const PLACES = { logDirectory: "/data/log", names: NAMES, dataDirectory: "/data", rdbName: "dump.rdb" };
const MANIFEST: Manifest = {
  base: NAMES.base(3, true),
  incrs: [NAMES.incr(5), NAMES.incr(6)],
  history: [
    { ...NAMES.incr(4), type: "h" },
    { name: "log.aof", sequence: 1, type: "h" },
    { name: "any name", sequence: 2, type: "h" },
    { ...NAMES.incr(5), type: "h" },
  ],
};
/** No system gives numbers as large as this. */
const GONE = 2 ** 30;
const KEPT = ["log.aof.3.base.rdb", "log.aof.5.incr.aof", "log.aof.6.incr.aof", "log.aof.manifest"];
/** What is nobody's business here. */
const OTHERS = [
  "other.aof.1.incr.aof",
  "log.aof.5.incr.aof.torn-1700000000000",
  "log.aof.7.incr.aof",
  "any other name",
  "temp-1.rdb",
  "temp-rewriteaof-bg-1.aof",
  `temp-${GONE}.other.aof.1.base.rdb`,
  `temp-${process.ppid}.log.aof.4.base.rdb`,
  "retired.other.aof.1.incr.aof",
];
const RETIRED = [
  "log.aof.2.base.rdb",
  "log.aof.3.base.aof",
  "log.aof.4.base.rdb",
  "log.aof.4.incr.aof",
  "log.aof.8.incr.aof",
  "retired.log.aof.1.incr.aof",
  "log.aof",
  "retired.any name",
  `retired.temp-${GONE}.log.aof.manifest`,
  `temp-${GONE}.log.aof.manifest`,
  `temp-${GONE}-12.log.aof.4.base.rdb`,
];
const OWN = `temp-${process.pid}.log.aof.4.base.rdb`;
const DATA = ["dump.rdb", "log", "other.rdb", `temp-${GONE}.other.rdb`, "log.aof.1.incr.aof"];

/** Deletes at once. */
const removeOn =
  (files: Files): Remove =>
  (path, done) => {
    try {
      files.remove(path);
    } catch (error) {
      done(error as NodeJS.ErrnoException);
      return;
    }
    done(null);
  };

/** A disk as many crashes may have left it. */
function disk(): FaultyFiles {
  const files = new FaultyFiles(["/data/log"]);
  for (const name of [...KEPT, ...OTHERS, ...RETIRED, OWN]) {
    files.put(`/data/log/${name}`, Buffer.alloc(name === "log.aof.8.incr.aof" ? 0 : 10));
  }
  files.put("/data/log/log.aof.manifest", formatManifest(MANIFEST));
  for (const name of DATA) if (name !== "log") files.put(`/data/${name}`, Buffer.alloc(10));
  files.put(`/data/temp-${GONE}.dump.rdb`, Buffer.alloc(10));
  files.put("/data/retired.dump.rdb", Buffer.alloc(10));
  return files;
}

const retiredOn = (files: FaultyFiles, remove = removeOn(files)) => new RetiredFiles(files, PLACES, remove);

test("what is retired goes, all else stays, and the directories are synced", () => {
  const files = disk();
  const retired = retiredOn(files);
  retired.sweep();
  assert.deepEqual(files.list("/data/log").sort(), [...KEPT, ...OTHERS, OWN].sort());
  assert.deepEqual(files.list("/data").sort(), DATA.sort());
  assert.equal(retired.deleted, RETIRED.length + 2);
  assert.equal(retired.deletedBytes, 10 * (RETIRED.length + 1));
  assert.equal(retired.waiting, 0);
  assert.equal(retired.waitingBytes, 0);
  assert.equal(retired.lastError, undefined);
  const seed = seedOfRun();
  const random = new Random(seed);
  for (let round = 0; round < 10; round += 1) {
    assert.deepEqual(files.crash(random).list("/data/log").sort(), files.list("/data/log").sort(), `seed ${seed}`);
  }
  const calls = files.calls;
  retired.retry(1e9);
  assert.equal(files.calls, calls, "nothing is left to do");
});

test("at the start, temporaries with our own number are leftovers, too", () => {
  const files = disk();
  const retired = retiredOn(files);
  retired.sweep(true);
  assert.deepEqual(files.list("/data/log").sort(), [...KEPT, ...OTHERS].sort());
});

test("one directory for both", () => {
  const files = disk();
  const places = { ...PLACES, dataDirectory: "/data/log" };
  files.put(`/data/log/temp-${GONE}.dump.rdb`, Buffer.alloc(1));
  files.put("/data/log/dump.rdb", Buffer.alloc(1));
  new RetiredFiles(files, places, removeOn(files)).sweep();
  assert.deepEqual(files.list("/data/log").sort(), [...KEPT, ...OTHERS, OWN, "dump.rdb"].sort());
});

test("without a manifest, or with a damaged one, no log file is touched", () => {
  const leftovers = RETIRED.filter((name) => /^(temp|retired)/.test(name) && name !== "retired.any name");
  const missing = disk();
  missing.remove("/data/log/log.aof.manifest");
  const before = missing.list("/data/log").sort();
  retiredOn(missing).sweep(true);
  const wanted = before.filter((name) => !leftovers.includes(name) && name !== OWN);
  assert.deepEqual(missing.list("/data/log").sort(), wanted);

  const damaged = disk();
  damaged.put("/data/log/log.aof.manifest", Buffer.from("file x\n"));
  const retired = retiredOn(damaged);
  retired.sweep();
  assert.deepEqual(damaged.list("/data/log").sort(), disk().list("/data/log").sort());
  assert.match(retired.lastError!, /log\.aof\.manifest is damaged at byte 0: Invalid AOF manifest file format/);
  // Corrected, it is found by the next look.
  damaged.put("/data/log/log.aof.manifest", formatManifest(MANIFEST));
  retired.retry(0);
  retired.retry(1_000);
  assert.equal(retired.lastError, undefined);
  assert.deepEqual(damaged.list("/data/log").sort(), [...KEPT, ...OTHERS, OWN].sort());
});

test("whatever call fails, nothing in force is touched, it is told, and the rest follows later", () => {
  const whole = disk();
  const before = whole.calls;
  retiredOn(whole).sweep();
  const total = whole.calls - before;
  assert(total > 30);
  for (let call = 1; call <= total; call += 1) {
    const files = disk();
    files.failAt(call, "EIO");
    const retired = retiredOn(files);
    retired.sweep();
    assert.equal(files.faults, 1, `call ${call}`);
    assert.equal(files.openFiles, 0, `call ${call}`);
    assert.match(retired.lastError ?? "", /^EIO: i\/o error, /, `call ${call}`);
    assert.equal(retired.isUnfinished, true, `call ${call}`);
    for (const name of [...KEPT, ...OTHERS]) assert(files.list("/data/log").includes(name), `call ${call}: ${name}`);
    const calls = files.calls;
    retired.retry(5_000);
    retired.retry(5_999);
    assert.equal(files.calls, calls, `call ${call}: too early`);
    retired.retry(6_000);
    assert.equal(retired.lastError, undefined, `call ${call}`);
    assert.equal(retired.waiting, 0, `call ${call}`);
    assert.equal(retired.isUnfinished, false, `call ${call}`);
    assert.deepEqual(files.list("/data/log").sort(), [...KEPT, ...OTHERS, OWN].sort(), `call ${call}`);
    assert.deepEqual(files.list("/data").sort(), DATA.sort(), `call ${call}`);
  }
});

test("it waits longer from failure to failure, up to a minute", () => {
  const files = disk();
  files.failFrom(1, "EIO");
  const retired = retiredOn(files);
  const waits: number[] = [];
  retired.sweep();
  for (let now = 0, last = 0; waits.length < 9; now += 500) {
    const calls = files.calls;
    retired.retry(now);
    if (files.calls === calls) continue;
    waits.push(now - last - (waits.length === 0 ? 0 : 500));
    last = now;
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test("what the pool has not deleted yet cannot meet a new file of the same name", () => {
  const files = disk();
  const pending: (() => void)[] = [];
  const later: Remove = (path, done) => pending.push(() => removeOn(files)(path, done));
  const retired = retiredOn(files, later);
  retired.sweep();
  assert(!files.list("/data/log").includes("log.aof.4.base.rdb"));
  assert.equal(retired.waiting, RETIRED.length + 2);
  assert.equal(retired.waitingBytes, 10 * (RETIRED.length + 1));
  assert.equal(pending.length, 1, "one at a time");
  // A rewrite makes the base that a crash had left over.
  files.put("/data/log/log.aof.4.base.rdb", Buffer.from("new"));
  commitManifest(files, "/data/log", NAMES, { base: NAMES.base(4, true), incrs: [NAMES.incr(6)], history: [] });
  retired.sweep();
  assert.equal(pending.length, 1, "still at it");
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) next();
  assert.equal(files.contentOf("/data/log/log.aof.4.base.rdb")?.toString(), "new");
  assert.equal(retired.waiting, 0);
  assert.equal(retired.isUnfinished, false);
  // What the second sweep was for has gone as soon as the first was through.
  const kept = ["log.aof.4.base.rdb", "log.aof.6.incr.aof", "log.aof.manifest"];
  assert.deepEqual(files.list("/data/log").sort(), [...kept, ...OTHERS, OWN].sort());
});

test("a store without a log deletes leftovers when it starts, and tells what it could not", () => {
  const directory = { path: "/data/log", filename: "log.aof", parent: "/data", rdbName: "dump.rdb" };
  const files = disk();
  files.put(`/data/temp-${process.pid}-1.dump.rdb`, Buffer.alloc(10));
  const lines: string[] = [];
  const notice = (line: string) => lines.push(line);
  deleteLeftovers(files, directory, notice, removeOn(files));
  assert.deepEqual(files.list("/data").sort(), DATA.sort());
  assert.equal(lines.length, 0);
  const failing = disk();
  const fails: Remove = (path, done) => done(Object.assign(new Error(`EIO: ${path}`), { code: "EIO" }));
  deleteLeftovers(failing, directory, notice, fails);
  assert(lines.includes("Leftovers could not be deleted: EIO: /data/retired.dump.rdb"), `${lines}`);
  lines.length = 0;
  const unreadable = disk();
  unreadable.failFrom(1, "EIO");
  deleteLeftovers(unreadable, directory, notice, removeOn(unreadable));
  assert.match(`${lines}`, /^Leftovers could not be deleted: EIO: i\/o error, /);
});

test("on a real disk, by the pool; a link elsewhere keeps its content", async (t: TestContext) => {
  const directory = mkdtempSync(join(tmpdir(), "retired-files-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const name of [...KEPT, "log.aof.2.base.rdb", "log.aof.2.incr.aof"]) {
    writeFileSync(join(directory, name), `content of ${name}`);
  }
  commitManifest(realFiles, directory, NAMES, MANIFEST);
  linkSync(join(directory, "log.aof.2.base.rdb"), join(directory, "backup"));
  const retired = new RetiredFiles(realFiles, { ...PLACES, logDirectory: directory, dataDirectory: directory });
  retired.sweep();
  assert.equal(retired.waiting, 2);
  const deadline = Date.now() + 5_000;
  while (retired.waiting > 0) {
    assert(Date.now() < deadline, retired.lastError);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(readdirSync(directory).sort(), [...KEPT, "backup"].sort());
  assert.equal(readFileSync(join(directory, "backup"), "utf8"), "content of log.aof.2.base.rdb");
  assert.equal(retired.lastError, undefined);
});
