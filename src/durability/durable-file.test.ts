import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { readTemporaryName, replaceFile, temporaryPathOf } from "./durable-file.ts";
import { type OpenFile, writeAll } from "./files.ts";

const PATH = "/data/dump.rdb";
const OLD = Buffer.from("the old content");
const NEW = Buffer.from("what is new is longer, and written in two pieces");

function writeNew(file: OpenFile): void {
  writeAll(file, NEW, 0, 10);
  writeAll(file, NEW, 10, NEW.length - 10);
}

function diskWithOld(): FaultyFiles {
  const disk = new FaultyFiles(["/data"]);
  disk.put(PATH, OLD);
  return disk;
}

test("names of temporaries, made and read", () => {
  assert.equal(temporaryPathOf("/a/b.rdb"), `/a/temp-${process.pid}.b.rdb`);
  assert.equal(temporaryPathOf("/a/b.rdb", 7, 42), "/a/temp-42-7.b.rdb");
  assert.deepEqual(readTemporaryName("temp-42.b.rdb"), { pid: 42, target: "b.rdb" });
  assert.deepEqual(readTemporaryName("temp-42-7.b.rdb"), { pid: 42, target: "b.rdb" });
  for (const name of ["temp-.b", "temp-42", "temp-42.", "temp-x.b", "xtemp-42.b", "temp-rewriteaof-bg-42.aof"]) {
    assert.equal(readTemporaryName(name), undefined, name);
  }
});

test("the file is replaced, durably", () => {
  const disk = diskWithOld();
  replaceFile(disk, PATH, writeNew);
  assert.deepEqual(disk.list("/data"), ["dump.rdb"]);
  assert.equal(disk.openFiles, 0);
  const seed = seedOfRun();
  const random = new Random(seed);
  for (let round = 0; round < 20; round += 1) {
    assert.deepEqual(disk.crash(random).contentOf(PATH), NEW, `seed ${seed}`);
  }
});

test("a power cut at any call leaves the whole old file or the whole new one", () => {
  const seed = seedOfRun();
  const random = new Random(seed);
  const seen = new Set<string>();
  const disk = diskWithOld();
  const look = () => {
    for (let round = 0; round < 50; round += 1) {
      const content = disk.crash(random).contentOf(PATH);
      const text = `${content}`;
      assert([`${OLD}`, `${NEW}`].includes(text), `seed ${seed}: ${text}`);
      seen.add(text);
    }
  };
  disk.onCall = look;
  replaceFile(disk, PATH, writeNew);
  assert.equal(seen.size, 2, "both must be seen");
});

test("whatever call fails: the error comes out, nothing is left, and the old file is in force until the rename", () => {
  const whole = diskWithOld();
  const calls: string[] = [];
  whole.onCall = (call) => calls.push(call);
  replaceFile(whole, PATH, writeNew);
  assert.deepEqual(calls, ["open", "write", "write", "fdatasync", "close", "rename", "fsync"]);
  for (const [index, call] of calls.entries()) {
    for (const persistent of [false, true]) {
      const disk = diskWithOld();
      if (persistent) disk.failFrom(index + 1, "EIO");
      else disk.failAt(index + 1, "EIO");
      assert.throws(() => replaceFile(disk, PATH, writeNew), { code: "EIO", syscall: call });
      assert.equal(disk.openFiles, 0, call);
      disk.heal();
      assert.deepEqual(disk.contentOf(PATH), call === "fsync" ? NEW : OLD, call);
      if (!persistent) assert.deepEqual(disk.list("/data"), ["dump.rdb"], call);
    }
  }
});

test("an error of the writer leaves the old file, and short writes are gone on with", () => {
  const disk = diskWithOld();
  const fail = () => {
    throw new RangeError("of the writer");
  };
  assert.throws(() => replaceFile(disk, PATH, fail), { name: "RangeError", message: "of the writer" });
  assert.deepEqual(disk.list("/data"), ["dump.rdb"]);
  disk.failFrom(1, "short");
  replaceFile(disk, PATH, writeNew);
  assert(disk.faults > 2);
  assert.deepEqual(disk.contentOf(PATH), NEW);
});
