import assert from "node:assert/strict";
import { test } from "node:test";
import { beforeProcessExit } from "./process-exit.ts";

test("one listener for all, none for nobody; what was taken back does not run", () => {
  const before = process.listenerCount("exit");
  const done: string[] = [];
  const first = beforeProcessExit(() => done.push("first"));
  const second = beforeProcessExit(() => done.push("second"));
  assert.equal(process.listenerCount("exit"), before + 1);
  const run = process.listeners("exit").at(-1) as () => void;
  first();
  run();
  assert.deepEqual(done, ["second"]);
  second();
  second();
  assert.equal(process.listenerCount("exit"), before);
});

test("an action that takes itself back does not keep others from running", () => {
  const done: string[] = [];
  const first = beforeProcessExit(() => {
    first();
    done.push("first");
  });
  const second = beforeProcessExit(() => done.push("second"));
  (process.listeners("exit").at(-1) as () => void)();
  assert.deepEqual(done, ["first", "second"]);
  second();
});
