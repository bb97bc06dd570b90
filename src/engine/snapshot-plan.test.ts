/** What a snapshot is planned to be like: how the configuration tells snapshots from the bases of logs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import type { SnapshotPlan } from "../durability/snapshot-writer.ts";
import { CommandRunner } from "../testing/commands.ts";
import { planSnapshot } from "./snapshot-plan.ts";

const kept = { aux: new Map([["aof-base", "7"]]), functions: [] };

function plan(directives: Readonly<Record<string, string>>, path: string | undefined): SnapshotPlan {
  const { keyspace, configuration } = new CommandRunner(allCommands, { directives });
  return planSnapshot(keyspace, configuration, kept, path, "temporary", "rdb", 1_700_000_000);
}

test("each of the two directives for syncing in portions is about its own files", () => {
  for (const saves of ["yes", "no"]) {
    for (const rewrites of ["yes", "no"]) {
      const directives = { "rdb-save-incremental-fsync": saves, "aof-rewrite-incremental-fsync": rewrites };
      const inPortions = ["dump.rdb", undefined].map((path) => Number.isFinite(plan(directives, path).syncPortion));
      assert.deepEqual(inPortions, [saves === "yes", rewrites === "yes"]);
    }
  }
});

test("a base says that it is one, and the time only if that is wanted", () => {
  const aofBase = ({ aux }: SnapshotPlan): string[] =>
    aux.flatMap(([name, value]) => (name === "aof-base" ? value : []));
  assert.deepEqual(aofBase(plan({}, "dump.rdb")), ["0"]);
  assert.deepEqual(aofBase(plan({}, undefined)), ["1"]);
  assert.equal(plan({}, undefined).timestamp, undefined);
  assert.equal(plan({ "aof-timestamp-enabled": "yes" }, undefined).timestamp, 1_700_000_000);
});
