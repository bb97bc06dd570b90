/** 10,000 idle connections: what they cost, and that nobody else notices them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { test } from "node:test";
import { greatestNumberOfOpenFiles } from "../cli/open-files.ts";
import { startStillwater } from "../testing/servers.ts";
import { openSocket } from "../testing/sockets.ts";

const WANTED = 10_000;
/** Sockets opened at once: no more than the server's backlog takes. */
const AT_ONCE = 250;
/** Of the server's memory, on all versions of Node.js. */
const BYTES_PER_CONNECTION_MAX = 16 * 1024;

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) * 1024;
}

/** A connection that has been served once, as those of a pool have. */
async function openServed(port: number): Promise<Socket> {
  const socket = await openSocket(port);
  socket.write("PING\r\n");
  await once(socket, "data");
  return socket;
}

async function openMany(count: number, port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Math.min(AT_ONCE, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: batch }, () => openServed(port)))));
  }
  return sockets;
}

test(`${WANTED} idle connections disturb nobody`, async (t) => {
  const count = Math.min(WANTED, greatestNumberOfOpenFiles() - 500);
  if (count < WANTED) t.diagnostic(`the system allows only ${count} connections (ulimit -n)`);
  const server = await startStillwater(["--maxclients", `${WANTED + 10}`]);
  t.after(() => server.stop());
  const client = await server.client();
  const canMeasure = existsSync(`/proc/${server.pid}/status`);
  const before = canMeasure ? residentBytes(server.pid) : 0;
  const sockets = await openMany(count, server.port);
  assert.match((await client.command("INFO", "clients")).toString(), new RegExp(`\nconnected_clients:${count + 1}\r`));

  let worst = 0;
  for (let index = 0; index < 2000; index += 1) {
    const begin = performance.now();
    await client.command("SET", `key:${index}`, "value");
    worst = Math.max(worst, performance.now() - begin);
  }
  t.diagnostic(`worst of 2,000 requests beside them: ${worst.toFixed(1)} ms`);
  assert(worst < 500);
  if (canMeasure) {
    const each = (residentBytes(server.pid) - before) / count;
    t.diagnostic(`${Math.round(each)} bytes of the server's memory per connection`);
    assert(each < BYTES_PER_CONNECTION_MAX, `${each} bytes`);
  }
  for (const socket of sockets) socket.destroy();
});
