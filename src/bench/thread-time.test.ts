import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { mainThreadNanoseconds } from "./thread-time.ts";

const MILLISECOND = 1e6;
const WORK = "const start = process.cpuUsage(); while (process.cpuUsage(start).user < 300_000);";

test("the time of the main thread grows by its own work, not by a worker's", {
  skip: process.platform === "linux" ? false : "only Linux counts it",
}, async () => {
  const start = mainThreadNanoseconds();
  await once(new Worker(WORK, { eval: true }), "exit");
  const waited = mainThreadNanoseconds();
  const cpu = process.cpuUsage();
  while (process.cpuUsage(cpu).user < 100_000);
  const worked = mainThreadNanoseconds();
  assert.ok(waited - start < 150 * MILLISECOND, `${waited - start} ns while it waited`);
  assert.ok(worked - waited > 60 * MILLISECOND, `${worked - waited} ns while it worked`);
});
