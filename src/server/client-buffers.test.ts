/** The running sum of all connections' buffers: what a limit on memory goes by. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { serveInProcess } from "../testing/in-process.ts";
import { openSocket, until } from "../testing/sockets.ts";

const MIB = 2 ** 20;

test("buffers are counted while they are there, and no longer", async (t) => {
  const { store, port, client } = await serveInProcess(t);
  const { clients } = store;
  const sum = (): number => {
    let bytes = 0;
    for (const { queryBufferBytes, queryBufferFree, outputBufferBytes } of clients.list()) {
      bytes += queryBufferBytes + queryBufferFree + outputBufferBytes;
    }
    return bytes;
  };
  const witness = await client();
  await witness.command("SET", "value", Buffer.alloc(MIB, "v"));
  assert.equal(clients.bufferBytes, 0, "a client with nothing pending has no buffer");

  const asking = await openSocket(port);
  asking.write(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${4 * MIB}\r\n`);
  asking.write(Buffer.alloc(2 * MIB));
  await until("half a request is there", () => clients.bufferBytes >= 2 * MIB);
  assert.equal(clients.bufferBytes, sum());
  asking.write(`${"x".repeat(2 * MIB)}\r\n`);
  await until("the request is executed", () => clients.bufferBytes === 0);

  const silent = await openSocket(port);
  silent.write("GET value\r\n".repeat(100));
  await until("replies wait", () => clients.bufferBytes > 0);
  await witness.command("PING");
  assert.equal(clients.bufferBytes, sum());
  silent.resume();
  await until("all is read", () => sum() === 0);
  await until("and is known to be", () => clients.bufferBytes === 0, 3000);

  const gone = await openSocket(port);
  gone.write("GET value\r\n".repeat(100));
  await until("replies wait", () => clients.bufferBytes > 0);
  gone.resetAndDestroy();
  await until("who is gone has no buffers", () => clients.bufferBytes === 0);
  asking.destroy();
  silent.destroy();
});
