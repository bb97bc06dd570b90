/** The connection within the process: order, back-pressure, both ways of ending. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { MemoryStream } from "./memory-stream.ts";

test("what is written at one end is read at the other, in order", async () => {
  const { client, server } = MemoryStream.pair();
  let received = "";
  server.on("data", (chunk: Buffer) => {
    received += chunk.toString();
    server.write(`<${chunk.toString()}>`);
  });
  let answered = "";
  client.on("data", (chunk: Buffer) => {
    answered += chunk.toString();
  });
  for (let index = 0; index < 100; index++) client.write(`${index},`);
  client.end("end");
  await once(server, "end");
  server.end();
  await once(client, "close");
  const sent = `${Array.from({ length: 100 }, (_, index) => `${index},`).join("")}end`;
  assert.equal(received, sent);
  assert.equal(answered.replaceAll(/[<>]/g, ""), sent);
});

test("a writer waits for the reader", async () => {
  const { client, server } = MemoryStream.pair();
  const chunk = Buffer.alloc(64 * 1024);
  let isWritten = false;
  for (let index = 0; index < 10; index++) client.write(chunk, () => (isWritten = index === 9));
  await turn();
  assert.equal(isWritten, false);
  assert(client.writableLength > 8 * chunk.length);
  server.resume();
  await once(client, "drain");
  await turn();
  assert(isWritten);
  assert.equal(client.writableLength, 0);
  client.destroy();
});

test("destroying one end closes the other", async () => {
  for (const which of ["client", "server"] as const) {
    const pair = MemoryStream.pair();
    const other = which === "client" ? pair.server : pair.client;
    const closed = Promise.all([once(pair.client, "close"), once(pair.server, "close")]);
    pair[which].destroy();
    await closed;
    assert(other.destroyed);
  }
});

test("the client's end closes when the server's has ended", async () => {
  const { client, server } = MemoryStream.pair();
  const closed = Promise.all([once(client, "close"), once(server, "close")]);
  const heard = once(client, "data");
  server.resume();
  server.end("bye");
  assert.equal(String((await heard)[0]), "bye");
  await closed;
});
