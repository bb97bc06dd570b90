/**
 * What a store finds in its directory, on a disk in memory. The logs are made byte by byte (testing/log-builder.ts);
 * what they mean is told by executing the same commands.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { UnloadableFileError } from "../durability/unloadable-file-error.ts";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { LogBuilder } from "../testing/log-builder.ts";
import { Random } from "../testing/random.ts";
import { auxRecord, functionRecord, rdbFile, savedString, selectRecord } from "../testing/rdb-files.ts";
import {
  AOF_DIR,
  BASE,
  basePath,
  DIR,
  historyLogs,
  incrPath,
  MANIFEST,
  ON,
  putSet,
  refusal,
  runnerWith,
  start,
} from "../testing/recovering.ts";
import { type LoadProgress, Recovery } from "./recovery.ts";

test("nothing there", async () => {
  const off = await start(new FaultyFiles([DIR]), {});
  assert.equal(off.recovered.log, undefined);
  assert.equal(off.recovered.report.source, "none");
  const on = await start(new FaultyFiles([DIR]));
  assert.deepEqual(on.recovered.log, { manifest: undefined, incr: undefined, baseBytes: 0, incrBytes: 0 });
  assert.deepEqual(
    { ...on.recovered.report, durationMs: 0 },
    {
      source: "none",
      files: [],
      keys: 0,
      rdbKeys: 0,
      expiredKeys: 0,
      commands: 0,
      cutOff: [],
      durationMs: 0,
    },
  );
});

test("a snapshot: with the log off, and with it on where there is none yet", async () => {
  for (const directives of [{}, ON]) {
    const files = new FaultyFiles([DIR]);
    const records = [auxRecord("redis-ver", "7.0.15"), functionRecord("#!lua name=f"), selectRecord(0)];
    const keys = [savedString("k", "v"), savedString("over", "v", { deadline: 1000 })];
    const bytes = rdbFile([...records, ...keys]);
    files.put(join(DIR, "dump.rdb"), bytes);
    const { runner, recovered } = await start(files, directives);
    assert.equal(recovered.report.source, "rdb");
    assert.deepEqual(recovered.report.files, [{ name: join(DIR, "dump.rdb"), bytes: bytes.length, kind: "rdb" }]);
    assert.equal(recovered.report.keys, 1);
    assert.equal(recovered.report.expiredKeys, 1);
    assert.equal(recovered.aux.get("redis-ver"), "7.0.15");
    assert.deepEqual(recovered.functions.map(String), ["#!lua name=f"]);
    assert.equal(recovered.log?.manifest, undefined);
    assert.equal(runner.run("GET", "k"), "$1\r\nv\r\n");
  }
});

test("a base and increments, each of which begins in database 0", async () => {
  const files = new FaultyFiles([DIR]);
  const first = new LogBuilder().batch(
    [["INCR", "n"]],
    [
      ["SELECT", "3"],
      ["SET", "k", "three"],
    ],
  );
  const second = new LogBuilder()
    .batch([["INCR", "n"]])
    .foreign([["INCR", "n"]])
    .batch([["APPEND", "base", "2"]]);
  putSet(files, BASE, first.bytes, second.bytes);
  // It is not read where there is a log.
  files.put(join(DIR, "dump.rdb"), Buffer.from("no RDB"));
  const { runner, recovered } = await start(files);
  assert.equal(runner.run("GET", "n"), "$1\r\n8\r\n");
  assert.equal(runner.run("GET", "base"), "$2\r\n12\r\n");
  runner.run("SELECT", "3");
  assert.equal(runner.run("GET", "k"), "$5\r\nthree\r\n");
  const { report, log } = recovered;
  assert.equal(report.source, "aof");
  assert.deepEqual(
    report.files.map(({ name, bytes, kind }) => [name, bytes, kind]),
    [
      [basePath(1), BASE.length, "rdb"],
      [incrPath(1), first.bytes.length, "aof"],
      [incrPath(2), second.bytes.length, "aof"],
    ],
  );
  assert.equal(report.commands, 6);
  assert.deepEqual(log?.incr, { path: incrPath(2), bytes: second.bytes.length, nextSequence: 3 });
  assert.equal(log.baseBytes, BASE.length);
  assert.equal(log.incrBytes, first.bytes.length + second.bytes.length);
  assert.equal(log.manifest?.incrs.length, 2);
});

test("a base of commands, and one of an RDB with commands behind it", async () => {
  const log = new LogBuilder().foreign([["APPEND", "base", "x"]]).bytes;
  for (const bytes of [Buffer.concat([BASE, log]), log]) {
    const files = new FaultyFiles([DIR]);
    files.put(MANIFEST, Buffer.from("file b.aof seq 1 type b\n"));
    files.put(join(AOF_DIR, "b.aof"), bytes);
    const { runner, recovered } = await start(files);
    assert.equal(runner.run("GET", "base"), bytes === log ? "$1\r\nx\r\n" : "$2\r\n1x\r\n");
    assert.equal(recovered.log?.incr, undefined);
    assert.equal(
      recovered.report.files.reduce((sum, file) => sum + file.bytes, 0),
      bytes.length,
    );
  }
});

test("keys of a base are counted as its file has them, and none of them has expired", async () => {
  const files = new FaultyFiles([DIR]);
  const base = rdbFile([selectRecord(0), savedString("k", "v"), savedString("over", "v", { deadline: 1000 })]);
  putSet(files, base, new LogBuilder().batch([["DEL", "k"]], [["SET", "new", "v"]]).bytes);
  const { report } = (await start(files)).recovered;
  assert.deepEqual([report.rdbKeys, report.expiredKeys], [2, 0]);
});

test("libraries of functions in a log are kept as those of an RDB are", async () => {
  const code = (name: string, body = ""): string => `#!lua name=${name}\n${body}`;
  const base = rdbFile([functionRecord(code("first")), selectRecord(0), savedString("k", "v")]);
  const log = new LogBuilder()
    .foreign([["FUNCTION", "LOAD", code("second")]])
    .foreign([["function", "load", "replace", code("first", "new")]])
    .foreign([["FUNCTION", "LOAD", code("third")]])
    .foreign([["FUNCTION", "DELETE", "second"]]);
  const kept = async (bytes: Buffer): Promise<string[]> => {
    const files = new FaultyFiles([DIR]);
    putSet(files, base, bytes);
    return (await start(files)).recovered.functions.map(String);
  };
  assert.deepEqual(await kept(log.bytes), [code("first", "new"), code("third")]);
  assert.deepEqual(await kept(log.foreign([["FUNCTION", "FLUSH"]]).bytes), []);
  const files = new FaultyFiles([DIR]);
  putSet(files, base, new LogBuilder().foreign([["FUNCTION", "RESTORE", "payload"]]).bytes);
  const { message } = await refusal(files, ON, UnloadableFileError);
  assert.match(message, /the command 'FUNCTION' there does not exist here/);
});

test("it is done in slices; meanwhile commands that need the data are refused, and others are answered", async () => {
  const files = new FaultyFiles([DIR]);
  const log = new LogBuilder();
  for (let index = 0; index < 300; index++) {
    log.batch(...Array.from({ length: 100 }, (_, member) => [["SADD", "set", `${index * 100 + member}`]]));
  }
  putSet(files, BASE, log.bytes);
  const runner = runnerWith(ON, 1 << 23);
  const progress: LoadProgress[] = [];
  const recovery = new Recovery(runner.engine, { files, onProgress: (one) => progress.push(one) });
  const running = recovery.run();
  let turns = 0;
  let isDone = false;
  void running.then(() => (isDone = true));
  for (; !isDone; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (isDone) break;
    assert.equal(runner.run("GET", "k"), "-LOADING Redis is loading the dataset in memory\r\n");
    assert.equal(runner.run("SET", "k", "v"), "-LOADING Redis is loading the dataset in memory\r\n");
    assert.match(runner.run("INFO", "server"), /redis_version/);
    assert.equal(recovery.fields()["loading_total_bytes"], BASE.length + log.bytes.length);
    assert.equal(recovery.fields()["loading_rdb_used_mem"], 123456);
    assert.match(String(recovery.fields()["loading_loaded_perc"]), /^\d+\.\d\d$/);
  }
  const { report } = await running;
  assert.ok(turns > 2, `${turns} turns`);
  assert.equal(report.commands, 30_000);
  assert.equal(runner.run("SCARD", "set"), ":30000\r\n");
  assert.ok(progress.length > 2);
  for (const [index, { loadedBytes, commands }] of progress.entries()) {
    assert.ok(index === 0 || loadedBytes >= progress[index - 1]!.loadedBytes);
    assert.ok(index === 0 || commands >= progress[index - 1]!.commands);
  }
  assert.equal(progress.at(-1)?.loadedBytes, BASE.length + log.bytes.length);
  assert.equal(progress.at(-1)?.totalBytes, BASE.length + log.bytes.length);
});

test("loading is given up when it is asked to", async () => {
  const files = new FaultyFiles([DIR]);
  const log = new LogBuilder();
  for (let index = 0; index < 200; index++) {
    log.batch(...Array.from({ length: 100 }, (_, member) => [["SADD", "set", `${index * 100 + member}`]]));
  }
  putSet(files, undefined, log.bytes);
  const aborting = new AbortController();
  const onProgress = () => aborting.abort(new Error("closed"));
  const recovery = new Recovery(runnerWith(ON, 1 << 23).engine, { files, onProgress, signal: aborting.signal });
  await assert.rejects(recovery.run(), /closed/);
  assert.equal(files.openFiles, 0);
  assert.ok(recovery.loadedBytes < log.bytes.length);
});

test("what had a deadline in the past when the log was written is there until the log says otherwise", async () => {
  const files = new FaultyFiles([DIR]);
  const log = new LogBuilder().batch([["SET", "k", "1", "PXAT", "1000"]], [["INCR", "k"]], [["PERSIST", "k"]]);
  putSet(files, rdbFile([selectRecord(0), savedString("old", "v", { deadline: 1000 })]), log.bytes);
  const { runner } = await start(files);
  assert.equal(runner.run("GET", "k"), "$1\r\n2\r\n");
  assert.equal(runner.run("GET", "old"), "$-1\r\n");
});

test("what a killed process has written is synced before anything can be built on it", async () => {
  const files = new FaultyFiles([DIR]);
  const { bytes } = historyLogs()[0];
  putSet(files, BASE, Buffer.alloc(0));
  const file = files.open(incrPath(1), "append");
  file.write(bytes, 0, bytes.length);
  file.close();
  await start(files);
  for (let seed = 0; seed < 10; seed++) assert.deepEqual(files.crash(new Random(seed)).contentOf(incrPath(1)), bytes);
});
