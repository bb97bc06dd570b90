import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { realFiles } from "./files.ts";
import { assertInPlace, DirectoryLostError, guardedFiles, guardedRemove, isInPlace } from "./guarded-files.ts";

function scene(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), "guarded-files-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const lock = join(directory, "lock");
  writeFileSync(lock, "");
  const mark = { path: lock, inode: statSync(lock, { bigint: true }).ino };
  const pathOf = (name: string): string => join(directory, name);
  return { directory, lock, mark, pathOf, files: guardedFiles(realFiles, () => assertInPlace(mark)) };
}

const BYTES = Buffer.from("abc");

test("while the lock is in place, everything is done", (t) => {
  const { files, pathOf, directory } = scene(t);
  const file = files.open(pathOf("a"), "create");
  assert.equal(file.write(BYTES, 0, 3), 3);
  assert.equal(file.writeAt(BYTES, 1, 2, 0), 2);
  const read = Buffer.alloc(3);
  assert.equal(file.read(read, 0, 3, 0), 3);
  assert.equal(`${read}`, "bcc");
  file.truncate(2);
  file.sync();
  assert.equal(file.size(), 2);
  assert.equal(file.path, pathOf("a"));
  file.close();
  files.makeDirectory(pathOf("d"));
  files.rename(pathOf("a"), pathOf("d/b"));
  files.syncDirectory(directory);
  assert.equal(files.size(pathOf("d/b")), 2);
  files.remove(pathOf("d/b"));
  assert.deepEqual(files.list(pathOf("d")), []);
});

test("once it is gone, or another's, nothing is changed any more; what is there can be read", async (t) => {
  t.mock.method(performance, "now", () => now);
  let now = 0;
  const { files, lock, mark, pathOf, directory } = scene(t);
  writeFileSync(pathOf("a"), BYTES);
  const file = files.open(pathOf("a"), "append");
  rmSync(lock);
  assert.equal(isInPlace(mark), false);
  // Somebody has looked a moment ago.
  now = 900;
  file.write(BYTES, 0, 3);
  now = 1_001;
  writeFileSync(`${lock}2`, "");
  writeFileSync(lock, "another's");
  assert.notEqual(statSync(lock, { bigint: true }).ino, mark.inode);
  const refused = { name: "DirectoryLostError", code: "DIRECTORY_LOST", message: /lock has been removed or replaced/ };
  for (const change of [
    () => file.write(BYTES, 0, 3),
    () => file.writeAt(BYTES, 0, 3, 0),
    () => file.truncate(0),
    () => files.open(pathOf("a"), "create"),
    () => files.open(pathOf("a"), "update"),
    () => files.open(pathOf("new"), "append"),
    () => files.rename(pathOf("a"), pathOf("b")),
    () => files.remove(pathOf("a")),
  ]) {
    assert.throws(change, refused);
  }
  const removed = await new Promise((resolve) => {
    guardedRemove(() => assertInPlace(mark))(pathOf("a"), resolve);
  });
  assert(removed instanceof DirectoryLostError);
  file.close();
  assert.equal(files.open(pathOf("a"), "read").size(), 6);
  assert.equal(`${readFileSync(pathOf("a"))}`, "abcabc");
  assert.deepEqual(readdirSync(directory).sort(), ["a", "lock", "lock2"]);
});

test("without a mark, and where the lock cannot be seen, nothing is refused", async (t) => {
  assertInPlace(undefined);
  const { mark, pathOf } = scene(t);
  symlinkSync(pathOf("circle"), pathOf("circle"));
  assertInPlace({ ...mark, path: pathOf("circle") });
  writeFileSync(pathOf("a"), "");
  await new Promise((resolve) => guardedRemove(() => undefined)(pathOf("a"), resolve));
  assert.equal(realFiles.size(pathOf("a")), undefined);
});
