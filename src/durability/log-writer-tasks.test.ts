import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { type LogReport, LogWriterTasks } from "./log-writer-tasks.ts";

test("a look for retired files that fails is told, and asks to be called again, though no file is waiting", () => {
  const files = new FaultyFiles(["/data/log"]);
  const directory = { path: "/data/log", filename: "log.aof", parent: "/data", rdbName: "dump.rdb" };
  const reports: LogReport[] = [];
  const tasks = new LogWriterTasks(files, directory, (report) => reports.push(report));
  files.failAt(files.calls + 1, "EIO");
  tasks.do({ kind: "retire", number: 1, isStart: false });
  assert.equal(files.faults, 1);
  const told = reports.find((report) => report.kind === "retired");
  assert.equal(told?.waiting, 0);
  assert.match(told.error!, /^EIO/);
  assert.equal(tasks.retire(), true);
  // Once nothing is wrong, nothing is left to do.
  tasks.do({ kind: "retire", number: 2, isStart: false });
  assert.equal(tasks.retire(), false);
});
