import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeDirectory } from "./make-directory.ts";

test("makes what is missing, and is content with what is there", (t) => {
  const root = mkdtempSync(join(tmpdir(), "stillwater-directory-"));
  t.after(() => rmSync(root, { recursive: true }));
  const path = join(root, "a", "b", "c");
  makeDirectory(path);
  makeDirectory(path);
  assert(statSync(path).isDirectory());
  writeFileSync(join(root, "file"), "");
  assert.throws(() => makeDirectory(join(root, "file")), { code: "EEXIST" });
  assert.throws(() => makeDirectory(join(root, "file", "below")), { code: "ENOTDIR" });
});

test("gives up where no folder can be made", { skip: process.platform !== "linux" }, () => {
  assert.throws(() => makeDirectory("/proc/stillwater"), { code: "ENOENT" });
  assert.throws(() => makeDirectory("/proc/stillwater/data"), { code: "ENOENT" });
});
