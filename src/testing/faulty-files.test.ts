/** The crash model itself: what was synced survives, what was not may or may not, and each of these does happen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { OpenFile } from "../durability/files.ts";
import { FaultyFiles } from "./faulty-files.ts";
import { Random, seedOfRun } from "./random.ts";

const CRASHES = 200;

function write(file: OpenFile, text: string): number {
  return file.write(Buffer.from(text), 0, text.length);
}

/** All contents of a file that crashes of this disk leave; `undefined` for no file. */
function contentsAfterCrashes(disk: FaultyFiles, path: string): Set<string | undefined> {
  const random = new Random(seedOfRun());
  return new Set(Array.from({ length: CRASHES }, () => disk.crash(random).contentOf(path)?.toString("latin1")));
}

/** A disk with one empty file whose name is durable. */
function withFile(): { disk: FaultyFiles; file: OpenFile } {
  const disk = new FaultyFiles(["/data"]);
  const file = disk.open("/data/a", "append");
  disk.syncDirectory("/data");
  return { disk, file };
}

test("without a crash it is a file system: modes, positions, names, errors", () => {
  const disk = new FaultyFiles(["/data"]);
  assert.throws(() => disk.open("/data/a", "read"), { code: "ENOENT", syscall: "open", path: "/data/a" });
  assert.throws(() => disk.open("/none/a", "create"), { code: "ENOENT" });
  const created = disk.open("/data/a", "create");
  assert.equal(write(created, "0123"), 4);
  write(created, "4567");
  const appended = disk.open("/data/a", "append");
  write(appended, "89");
  const updated = disk.open("/data/a", "update");
  write(updated, "ab");
  updated.truncate(9);
  const into = Buffer.alloc(12, "-");
  assert.equal(updated.read(into, 1, 11, 1), 8);
  assert.equal(into.toString(), "-b2345678---");
  assert.equal(updated.read(into, 0, 1, 9), 0);
  updated.truncate(11);
  assert.equal(disk.contentOf("/data/a")?.toString(), "ab2345678\0\0");
  assert.throws(() => write(disk.open("/data/a", "read"), "x"), { code: "EBADF", syscall: "write" });
  disk.makeDirectory("/data/b/c");
  assert.deepEqual(disk.list("/data").sort(), ["a", "b"]);
  disk.rename("/data/a", "/data/b/c/d");
  assert.deepEqual(disk.list("/data/b/c"), ["d"]);
  assert.equal(disk.size("/data/a"), undefined);
  assert.equal(disk.size("/data/b/c/d"), 11);
  disk.remove("/data/b/c/d");
  assert.throws(() => disk.remove("/data/b/c/d"), { code: "ENOENT", syscall: "unlink" });
  assert.equal(disk.openFiles, 4);
  created.close();
  assert.throws(() => created.close(), { code: "EBADF" });
  assert.throws(() => created.sync(), { code: "EBADF" });
  assert.equal(disk.openFiles, 3);
});

test("what was synced always survives, and nothing is there that nobody wrote", () => {
  const seed = seedOfRun();
  const random = new Random(seed);
  let torn = 0;
  let lost = 0;
  let kept = 0;
  const piece = fc.record({ length: fc.integer({ min: 1, max: 20 }), syncs: fc.boolean() });
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 12 }), (pieces) => {
      const { disk, file } = withFile();
      let whole = "";
      let synced = 0;
      for (const [index, { length, syncs }] of pieces.entries()) {
        const text = String.fromCharCode(97 + index).repeat(length);
        write(file, text);
        whole += text;
        if (!syncs) continue;
        file.sync();
        synced = whole.length;
      }
      const content = disk.crash(random).contentOf("/data/a")!.toString("latin1");
      assert.equal(content.slice(0, synced), whole.slice(0, synced));
      assert(content.length <= whole.length);
      for (let at = synced; at < content.length; at += 1) {
        assert(content[at] === whole[at] || content[at] === "\0", `${content} of ${whole}`);
      }
      if (content.length === whole.length) kept += 1;
      else if (content.length === synced) lost += 1;
      else torn += 1;
      assert.equal(disk.contentOf("/data/a")!.toString("latin1"), whole, "the disk itself is unchanged");
    }),
    { seed, numRuns: 500 },
  );
  assert(torn > 0 && lost > 0 && kept > 0, `seed ${seed}: ${torn} torn, ${lost} lost, ${kept} kept`);
});

test("unsynced writes are lost, torn and reordered", () => {
  const { disk, file } = withFile();
  write(file, "AA");
  file.sync();
  write(file, "bb");
  write(file, "cc");
  const seen = contentsAfterCrashes(disk, "/data/a");
  assert.deepEqual(seen, new Set(["AA", "AAb", "AAbb", "AAbbc", "AAbbcc", "AA\0\0", "AA\0\0c", "AA\0\0cc"]));
});

test("a truncation counts as a write", () => {
  const { disk, file } = withFile();
  write(file, "AABB");
  file.sync();
  file.truncate(2);
  assert.deepEqual(contentsAfterCrashes(disk, "/data/a"), new Set(["AABB", "AA"]));
  file.sync();
  assert.deepEqual(contentsAfterCrashes(disk, "/data/a"), new Set(["AA"]));
  file.close();
  disk.open("/data/a", "create").close();
  assert.deepEqual(contentsAfterCrashes(disk, "/data/a"), new Set(["AA", ""]));
});

test("after a failed sync, one that succeeds proves nothing about what came before", () => {
  const { disk, file } = withFile();
  write(file, "AA");
  disk.failAt(1, "EIO");
  assert.throws(() => file.sync(), { code: "EIO", syscall: "fdatasync", path: "/data/a" });
  write(file, "BB");
  file.sync();
  assert.deepEqual(contentsAfterCrashes(disk, "/data/a"), new Set(["AABB", "A\0BB", "\0\0BB"]));
  assert.equal(disk.contentOf("/data/a")?.toString(), "AABB", "what a program reads is still in the cache");
});

test("names are durable when their directory has been synced, and each for itself", () => {
  const disk = new FaultyFiles(["/data"]);
  disk.put("/data/a", Buffer.from("old"));
  const file = disk.open("/data/temp", "create");
  write(file, "new");
  file.sync();
  assert.deepEqual(contentsAfterCrashes(disk, "/data/temp"), new Set([undefined, "new"]));
  disk.syncDirectory("/data");
  assert.deepEqual(contentsAfterCrashes(disk, "/data/temp"), new Set(["new"]));
  disk.rename("/data/temp", "/data/a");
  const random = new Random(seedOfRun());
  const pairs = Array.from({ length: CRASHES }, () => {
    const after = disk.crash(random);
    return `${after.contentOf("/data/a")} ${after.contentOf("/data/temp")}`;
  });
  assert.deepEqual(new Set(pairs), new Set(["old new", "old undefined", "new new", "new undefined"]));
  disk.syncDirectory("/data");
  assert.deepEqual(contentsAfterCrashes(disk, "/data/a"), new Set(["new"]));
  disk.remove("/data/a");
  assert.deepEqual(contentsAfterCrashes(disk, "/data/a"), new Set(["new", undefined]));
});

test("a directory may be gone with all that is in it until the one above it is synced", () => {
  const disk = new FaultyFiles(["/data"]);
  disk.makeDirectory("/data/log");
  const file = disk.open("/data/log/a", "append");
  write(file, "A");
  file.sync();
  disk.syncDirectory("/data/log");
  assert.deepEqual(contentsAfterCrashes(disk, "/data/log/a"), new Set([undefined, "A"]));
  disk.syncDirectory("/data");
  assert.deepEqual(contentsAfterCrashes(disk, "/data/log/a"), new Set(["A"]));
});

test("what a crash left is durable, and can be written on", () => {
  const { disk, file } = withFile();
  write(file, "A");
  file.sync();
  const after = disk.crash(new Random(seedOfRun()));
  const again = after.open("/data/a", "append");
  write(again, "B");
  assert.deepEqual(contentsAfterCrashes(after, "/data/a"), new Set(["A", "AB"]));
  assert.equal(disk.contentOf("/data/a")?.toString(), "A");
});

test("the n-th call fails, once or from there on; a full disk can still be read", () => {
  const { disk, file } = withFile();
  const seen: string[] = [];
  disk.onCall = (call, path) => seen.push(`${call} ${path}`);
  disk.failAt(2, "EIO");
  assert.equal(disk.size("/data/a"), 0);
  assert.throws(() => write(file, "A"), { code: "EIO", syscall: "write", path: "/data/a" });
  assert.equal(write(file, "A"), 1);
  assert.deepEqual(seen, ["stat /data/a", "write /data/a", "write /data/a"]);
  disk.failFrom(1, "ENOSPC");
  assert.deepEqual(disk.list("/data"), ["a"]);
  assert.throws(() => write(file, "A"), { code: "ENOSPC" });
  assert.throws(() => write(file, "A"), { code: "ENOSPC" });
  assert.equal(disk.faults, 3);
  disk.heal();
  disk.failAt(1, "short");
  assert.equal(write(file, "12345"), 3);
  assert.equal(write(file, "45"), 2);
  assert.equal(disk.contentOf("/data/a")?.toString(), "A12345");
  disk.failAt(1, "EIO");
  assert.throws(() => file.close(), { code: "EIO", syscall: "close" });
  assert.equal(disk.openFiles, 0);
  assert.equal(disk.calls, 11);
});
