/** Clients whose reply comes later: what they say meanwhile is kept, and that they have gone is heard. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { serveInProcess } from "../testing/in-process.ts";
import { heardUntilEnd, openSocket, until } from "../testing/sockets.ts";

const MIB = 1024 * 1024;

for (const usesOneBuffer of [true, false]) {
  describe(usesOneBuffer ? "read into one buffer" : "read the ordinary way", () => {
    test("who leaves is forgotten at once, however it does", async (t) => {
      const { store, port } = await serveInProcess(t, {}, usesOneBuffer);
      for (const leave of ["end", "destroy", "resetAndDestroy"] as const) {
        const socket = await openSocket(port);
        socket.write("WAIT 1 0\r\n");
        await until("it waits", () => [...store.clients.list()].some(({ session }) => session.lastCommand === "wait"));
        // Unread requests must not hide the end.
        socket.write("SET k v\r\n");
        socket[leave]();
        await until(`it is forgotten (${leave})`, () => store.clients.size === 0);
        socket.destroy();
      }
      assert.equal(store.keyspace.databases[0]!.count, 0, "nothing behind it was executed");
    });

    test("what is sent meanwhile is executed afterwards, in its order, however it was cut", async (t) => {
      const { port } = await serveInProcess(t, {}, usesOneBuffer);
      const socket = await openSocket(port);
      const value = "v".repeat(3 * MIB);
      const large = `*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$${value.length}\r\n${value}\r\n`;
      const requests = `SET a 1\r\nINCR a\r\n${large}STRLEN b\r\nQUIT\r\n`;
      socket.write("WAIT 1 150\r\n");
      await sleep(20);
      for (let at = 0; at < requests.length; ) {
        const size = at < 64 ? 7 : 500_001;
        socket.write(requests.slice(at, at + size));
        at += size;
        if (at < 64) await sleep(1);
      }
      assert.equal(await heardUntilEnd(socket), `:0\r\n+OK\r\n:2\r\n+OK\r\n:${value.length}\r\n+OK\r\n`);
    });
  });
}

test("who sends more meanwhile than may be kept is disconnected", async (t) => {
  const { store, port } = await serveInProcess(t, { "client-query-buffer-limit": "1mb" });
  const socket = await openSocket(port);
  socket.on("error", () => undefined);
  socket.write("WAIT 1 0\r\n");
  const ping = "PING\r\n".repeat(10_000);
  for (let sent = 0; sent < 2 * MIB; sent += ping.length) socket.write(ping);
  await until("it is forgotten", () => store.clients.totalConnections === 1 && store.clients.size === 0);
});

test("who ends its side while something is done that Redis does at once is answered all the same", async (t) => {
  const { store, port } = await serveInProcess(t);
  const directory = mkdtempSync(join(tmpdir(), "stillwater-late-"));
  t.after(() => rmSync(directory, { recursive: true }));
  store.configuration.file = join(directory, "redis.conf");
  const socket = await openSocket(port);
  socket.end("CONFIG REWRITE\r\n");
  assert.equal(await heardUntilEnd(socket), "+OK\r\n");
});
