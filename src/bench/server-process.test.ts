import assert from "node:assert/strict";
import { test } from "node:test";
import { cpuSecondsOf } from "./server-process.ts";

test("CPU time is user and system time, whatever the process is called", () => {
  const rest = "S 1 1 1 0 -1 4194560 4869 0 7 0 166 20 9 9 20 0 5 0 76867";
  assert.equal(cpuSecondsOf(`4051 (redis-server) ${rest}`), 1.86);
  assert.equal(cpuSecondsOf(`4051 (a) S 9 (b) ${rest}`), 1.86);
  assert.throws(() => cpuSecondsOf("4051 (short) S 1"), /no CPU time/);
});
