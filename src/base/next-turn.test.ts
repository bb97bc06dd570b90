import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { extname } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { NextTurn } from "./next-turn.ts";

test("what is armed runs once, after what runs now, however often it was armed", async () => {
  let runs = 0;
  const next = new NextTurn(() => (runs += 1));
  next.arm();
  next.arm();
  assert(next.isArmed);
  assert.equal(runs, 0);
  await sleep(5);
  assert.equal(runs, 1);
  assert(!next.isArmed);
  next.arm();
  next.cancel();
  await sleep(5);
  assert.equal(runs, 1);
  next.arm();
  await sleep(5);
  assert.equal(runs, 2);
  next.cancel();
  next.cancel();
});

/** Runs a script in a process of its own, which must end by itself. */
async function outputOf(script: string): Promise<string> {
  const file = new URL(`./next-turn${extname(import.meta.url)}`, import.meta.url).href;
  const source = `const { NextTurn } = await import(${JSON.stringify(file)}); ${script}`;
  const options = { timeout: 20_000 };
  return (await promisify(execFile)(process.execPath, ["--input-type=module", "-e", source], options)).stdout;
}

test("an idle process does not sleep while something is armed", async () => {
  // Only the child's own timers would wake it otherwise: every 200 ms, five times.
  const runs = await outputOf(`
    let runs = 0;
    const next = new NextTurn(() => { runs += 1; next.arm(); });
    next.arm();
    setInterval(() => undefined, 200).unref();
    setTimeout(() => { process.stdout.write(String(runs)); process.exit(); }, 1000);
  `);
  assert(Number(runs) > 100, `${runs} runs in a second`);
});

test("sockets have their turn in between", async () => {
  const turns = await outputOf(`
    const { createServer, connect } = await import("node:net");
    const server = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1", () => {
      const begin = performance.now();
      const next = new NextTurn(() => {
        const end = performance.now() + 1;
        while (performance.now() < end);
        next.arm();
      });
      next.arm();
      let echoes = 0;
      const socket = connect(server.address().port, "127.0.0.1", () => socket.write("x"));
      socket.on("data", () => {
        echoes += 1;
        if (performance.now() - begin < 500) socket.write("x");
        else { process.stdout.write(String(echoes)); process.exit(); }
      });
    });
  `);
  assert(Number(turns) > 20, `${turns} echoes in half a second`);
});

test("what is armed keeps no process alive", async () => {
  const output = await outputOf(`
    const next = new NextTurn(() => next.arm());
    next.arm();
    setTimeout(() => process.stdout.write("end"), 20);
  `);
  assert.equal(output, "end");
});

test("what is armed as a process ends is still run, once", async () => {
  const output = await outputOf(`
    let runs = 0;
    const next = new NextTurn(() => { runs += 1; next.arm(); });
    process.on("exit", () => process.stdout.write(String(runs)));
    next.arm();
  `);
  assert.equal(output, "1");
});
