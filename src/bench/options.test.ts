import assert from "node:assert/strict";
import { test } from "node:test";
import { BENCHMARKS, readOptions } from "./options.ts";

test("all benchmarks run unless some are chosen, and none that is unknown", () => {
  assert.deepEqual(readOptions([])?.only, BENCHMARKS);
  assert.deepEqual(readOptions(["--only", "collection-memory,freeze"])?.only, ["collection-memory", "freeze"]);
  assert.throws(() => readOptions(["--only", "collection"]), /there is no benchmark "collection"/);
});

test("a run of some cases is never kept as a result", () => {
  assert.equal(readOptions(["--only", "latency"])?.write, true);
  const some = readOptions(["--only", "latency", "--match", "FLUSHALL", "--write"]);
  assert.deepEqual([some?.match, some?.write], ["FLUSHALL", false]);
});

test("a self-check is made of those that compare two servers, and never kept as a result", () => {
  assert.deepEqual(readOptions(["--self-check"])?.only, ["server", "collections"]);
  assert.deepEqual(readOptions(["--self-check", "--only", "collections,growth"])?.only, ["collections"]);
  assert.equal(readOptions(["--self-check", "--write"])?.write, false);
  assert.throws(() => readOptions(["--self-check", "--only", "growth"]), /only server and collections/);
});
