import assert from "node:assert/strict";
import { once } from "node:events";
import { getPriority } from "node:os";
import { extname } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { breathe } from "./niceness.ts";

test("a background thread makes way; the thread that answers keeps its priority", async () => {
  const file = new URL(`./niceness${extname(import.meta.url)}`, import.meta.url).href;
  const script = `
    const { parentPort } = require("node:worker_threads");
    import(${JSON.stringify(file)}).then(({ makeWay }) => parentPort.postMessage({ niceness: makeWay() }));
  `;
  const before = getPriority();
  const worker = new Worker(script, { eval: true });
  const [{ niceness }] = (await once(worker, "message")) as [{ niceness: number | undefined }];
  await worker.terminate();
  assert.equal(niceness, process.platform === "linux" ? Math.min(19, before + 5) : undefined);
  assert.equal(getPriority(), before);
});

test("a thread that breathes rests again and again, and works most of the time", () => {
  const begin = performance.now();
  let [rests, worked] = [0, 0];
  while (rests < 10 && performance.now() - begin < 5000) {
    const before = performance.now();
    breathe();
    const rested = performance.now() - before;
    if (rested >= 0.1) rests += 1;
    else worked += 1;
  }
  assert.equal(rests, 10);
  assert(worked > 10 * rests, `${worked} calls that returned at once`);
});
