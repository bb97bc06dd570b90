import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { PROBE_KEY, PROBE_VALUE, Probe } from "./probe.ts";

const PONG = "+PONG\r\n";
const VALUE = `$${PROBE_VALUE.length}\r\n${PROBE_VALUE}\r\n`;

/** A server whose answers come late by what `lateness` says, and in two pieces if so; `answer` may spoil them. */
async function startServer(lateness: () => number, answer = (text: string): string => text) {
  const asked: string[] = [];
  const server = createServer((socket: Socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("data", async (bytes) => {
      const question = bytes.toString("latin1").includes(PROBE_KEY) ? "GET" : "PING";
      asked.push(question);
      const text = answer(question === "GET" ? VALUE : PONG);
      const late = lateness();
      if (late > 0) {
        socket.write(text.slice(0, 2));
        await delay(late);
        socket.write(text.slice(2));
      } else socket.write(text);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, asked, port: (server.address() as AddressInfo).port };
}

test("the probe asks PING and GET in turn, and sees a stall of the server as long as it was, once", async () => {
  let stall = 0;
  const { server, asked, port } = await startServer(() => {
    const late = stall;
    stall = 0;
    return late;
  });
  const probe = new Probe(port);
  await probe.begin(0.1);
  await delay(200);
  stall = 150;
  await delay(400);
  const stalled = await probe.end();
  await probe.begin(0.1);
  await delay(100);
  const calm = await probe.end();
  await probe.stop();
  server.close();
  assert.ok(stalled.max >= 149, `${stalled.max} ms`);
  assert.ok(stalled.answers > 50 && calm.answers > 5, `${stalled.answers}, then ${calm.answers} answers`);
  assert.ok(stalled.momentP999 > 100 && stalled.p50 < 10);
  assert.ok(calm.max < stalled.max, "the window before does not count");
  assert.ok(
    asked.every((question, i) => question === (asked[0] === "PING" ? ["PING", "GET"] : ["GET", "PING"])[i % 2]),
  );
});

test("a wrong answer ends the probe with an error", async () => {
  const { server, port } = await startServer(
    () => 0,
    () => "-ERR no\r\n",
  );
  const probe = new Probe(port);
  await assert.rejects(async () => {
    await probe.begin(0.1);
    await delay(200);
    await probe.end();
  }, /the probe ended with 1/);
  await probe.stop();
  server.close();
});
