import assert from "node:assert/strict";
import { test } from "node:test";
import { Configuration } from "../config/configuration.ts";
import { NOTHING_READ } from "../engine/recovery.ts";
import { describeDurability } from "./greeting.ts";
import { describeReport } from "./load.ts";

function described(directives: Readonly<Record<string, string>>): string {
  const configuration = new Configuration("/data");
  for (const [name, value] of Object.entries(directives)) configuration.initialize(name, [value]);
  return describeDurability(configuration);
}

test("the greeting tells what holds when the machine ends without notice", () => {
  assert.equal(
    described({}),
    "snapshots after 3600 s if 1 change, 300 s if 100 changes, 60 s if 10,000 changes in /data/dump.rdb",
  );
  assert.equal(described({ save: "" }), "none: the data is gone when the process ends (--appendonly yes keeps it)");
  assert.equal(
    described({ save: "60 1", dbfilename: "my.rdb", appendonly: "yes" }),
    "log with fsync every second in /data/appendonlydir; snapshots after 60 s if 1 change in /data/my.rdb",
  );
  const always = { save: "", appendonly: "yes", appendfsync: "always", appenddirname: "aof" };
  assert.equal(described(always), "log, on disk before a write is answered, in /data/aof");
  assert.equal(described({ ...always, appendfsync: "no" }), "log with fsync when the system likes in /data/aof");
});

test("what was loaded is told in a line, what was cut off in one each", () => {
  assert.deepEqual(describeReport(NOTHING_READ), []);
  const files = [
    { name: "/data/appendonlydir/a.1.base.rdb", bytes: 3 * 2 ** 20, kind: "rdb" },
    { name: "/data/appendonlydir/a.1.incr.aof", bytes: 2 ** 20, kind: "aof" },
  ] as const;
  const cutOff = [{ file: "/data/a", offset: 17, bytes: 5, keptAs: "/data/a.torn-1", what: "an incomplete command" }];
  assert.deepEqual(
    describeReport({
      source: "aof",
      files,
      keys: 12_345,
      rdbKeys: 12_000,
      expiredKeys: 2,
      commands: 1000,
      cutOff,
      durationMs: 1234,
    }),
    [
      "Loaded 4 MiB from a.1.base.rdb, a.1.incr.aof in 1.23 s: 12,345 keys, 1,000 commands, 2 keys had expired",
      "Cut off the end of /data/a (an incomplete command): 5 bytes from offset 17; they are kept as /data/a.torn-1",
    ],
  );
});
