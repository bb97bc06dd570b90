import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type OpenFile, realFiles, writeAll } from "./files.ts";

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "files-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What a call throws must say all this. */
function fails(call: () => unknown, code: string, syscall: string, path: string): void {
  assert.throws(call, (error: NodeJS.ErrnoException) => {
    assert.equal(error.code, code);
    assert.equal(error.syscall, syscall);
    assert.equal(error.path, path);
    assert(error.message.includes(path) && error.message.startsWith(code), error.message);
    return true;
  });
}

test("each mode of opening does what its name says", (t) => {
  const path = join(directoryOf(t), "file");
  fails(() => realFiles.open(path, "read"), "ENOENT", "open", path);
  fails(() => realFiles.open(path, "update"), "ENOENT", "open", path);
  const text = Buffer.from("0123456789");

  const appended = realFiles.open(path, "append");
  assert.equal(appended.path, path);
  assert.equal(appended.write(text, 2, 3), 3);
  writeFileSync(path, "AB", { flag: "a" });
  writeAll(appended, text, 7, 3);
  appended.sync();
  assert.equal(appended.size(), 8);
  appended.close();
  assert.equal(readFileSync(path, "latin1"), "234AB789");

  const updated = realFiles.open(path, "update");
  const into = Buffer.alloc(6, "-");
  assert.equal(updated.read(into, 1, 4, 3), 4);
  assert.equal(into.toString(), "-AB78-");
  assert.equal(updated.read(into, 0, 6, 7), 1);
  assert.equal(updated.read(into, 0, 6, 8), 0);
  updated.write(text, 0, 2);
  updated.truncate(4);
  updated.close();
  assert.equal(readFileSync(path, "latin1"), "014A");

  const created = realFiles.open(path, "create");
  assert.equal(created.size(), 0);
  created.write(text, 0, 2);
  created.write(text, 8, 2);
  assert.equal(created.read(into, 0, 6, 0), 4);
  assert.equal(into.toString("latin1", 0, 4), "0189");
  created.close();
});

test("errors of an open file name the call and the file", (t) => {
  const path = join(directoryOf(t), "file");
  writeFileSync(path, "text");
  const readOnly = realFiles.open(path, "read");
  const buffer = Buffer.alloc(4);
  fails(() => readOnly.write(buffer, 0, 4), "EBADF", "write", path);
  readOnly.close();
  fails(() => readOnly.close(), "EBADF", "close", path);
  fails(() => readOnly.read(buffer, 0, 4, 0), "EBADF", "read", path);
  fails(() => readOnly.sync(), "EBADF", "fdatasync", path);
  fails(() => readOnly.truncate(0), "EBADF", "ftruncate", path);
  fails(() => readOnly.size(), "EBADF", "fstat", path);
});

test("a full device is an error of its write", { skip: existsSync("/dev/full") ? false : "no /dev/full" }, () => {
  const full = realFiles.open("/dev/full", "append");
  fails(() => writeAll(full, Buffer.from("text"), 0, 4), "ENOSPC", "write", "/dev/full");
  full.close();
});

test("names: rename replaces, remove and size tell what is missing, list gives names", (t) => {
  const directory = directoryOf(t);
  const at = (name: string) => join(directory, name);
  const deep = at("one/two/three");
  realFiles.makeDirectory(deep);
  realFiles.makeDirectory(deep);
  assert(statSync(deep).isDirectory());
  writeFileSync(at("old"), "12345");
  writeFileSync(at("new"), "123");
  realFiles.rename(at("new"), at("old"));
  assert.deepEqual(realFiles.list(directory).sort(), ["old", "one"]);
  assert.equal(realFiles.size(at("old")), 3);
  assert.equal(realFiles.size(at("new")), undefined);
  assert.deepEqual(realFiles.list(at("nothing")), []);
  fails(() => realFiles.rename(at("new"), at("old")), "ENOENT", "rename", at("new"));
  fails(() => realFiles.remove(at("new")), "ENOENT", "unlink", at("new"));
  fails(() => realFiles.list(at("old")), "ENOTDIR", "scandir", at("old"));
  fails(() => realFiles.size(at("old/x")), "ENOTDIR", "stat", at("old/x"));
  realFiles.remove(at("old"));
  assert.deepEqual(realFiles.list(directory), ["one"]);
});

test("a directory is synced; one that cannot be opened is an error", (t) => {
  const directory = directoryOf(t);
  realFiles.syncDirectory(directory);
  fails(() => realFiles.syncDirectory(join(directory, "none")), "ENOENT", "open", join(directory, "none"));
  const closed = join(directory, "closed");
  mkdirSync(closed);
  chmodSync(closed, 0);
  if (process.getuid?.() !== 0) fails(() => realFiles.syncDirectory(closed), "EACCES", "open", closed);
  chmodSync(closed, 0o700);
});

test("writeAll goes on after short counts, and stops where nothing is taken", () => {
  const written: string[] = [];
  const counts = [3, 1, 2, 4];
  const file = {
    path: "some/file",
    write(bytes: Buffer, start: number, length: number) {
      const count = Math.min(counts.shift() ?? 0, length);
      written.push(bytes.toString("latin1", start, start + count));
      return count;
    },
  } as OpenFile;
  writeAll(file, Buffer.from("-0123456789-"), 1, 10);
  assert.deepEqual(written, ["012", "3", "45", "6789"]);
  fails(() => writeAll(file, Buffer.from("text"), 0, 4), "ENOSPC", "write", "some/file");
});
