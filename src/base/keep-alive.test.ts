import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { extname } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { KeepAlive, keptAlive } from "./keep-alive.ts";

/** Waits for an unreferenced timer at the top of a module: Node gives that up with exit code 13. */
async function outcomeOf(wait: string): Promise<string> {
  const entry = new URL(`./keep-alive${extname(import.meta.url)}`, import.meta.url).href;
  const script = `
    import { keptAlive } from ${JSON.stringify(entry)};
    await ${wait}(new Promise((resolve) => setTimeout(resolve, 50).unref()));
    process.stdout.write("waited");`;
  const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { timeout: 20_000 });
  return await run.then(
    ({ stdout }) => stdout.trim(),
    ({ code }: { code: number }) => `exit code ${code}`,
  );
}

test("the process waits, and only as long as needed", async () => {
  assert.equal(await outcomeOf("keptAlive"), "waited");
  assert.equal(await outcomeOf(""), "exit code 13");
});

test("what the promise comes to is handed on", async () => {
  assert.equal(await keptAlive(Promise.resolve(7)), 7);
  await assert.rejects(keptAlive(Promise.reject(new Error("no"))), { message: "no" });
});

test("for several who wait: until the last one does not", () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timers();
  const [one, other] = [{}, {}];
  const alive = new KeepAlive();
  alive.set(one, false);
  assert.equal(timers(), before);
  alive.set(one, true);
  alive.set(one, true);
  alive.set(other, true);
  assert.equal(timers(), before + 1);
  alive.set(one, false);
  assert.equal(timers(), before + 1);
  alive.set(other, false);
  alive.set(other, false);
  assert.equal(timers(), before);
});
