/** The running sum of what all connections take, buffers and subscriptions: what a limit on memory goes by. */
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

test("what a client has subscribed to is counted while it is", async (t) => {
  const { store, client } = await serveInProcess(t);
  const { clients } = store;
  const [subscriber, witness] = await Promise.all([client(), client()]);
  const memory = async (): Promise<number> => {
    const lines = (await witness.command("CLIENT", "LIST")).toString();
    return Number(/ sub=[1-9].* tot-mem=(\d+)/.exec(lines)?.[1] ?? 0);
  };
  const names = Array.from({ length: 1000 }, (_, index) => `channel:${index}`);
  subscriber.send(`SUBSCRIBE ${names.join(" ")}\r\n`);
  await subscriber.receive(names.length);
  const all = clients.bufferBytes;
  assert(all > 200 * names.length && all < 1000 * names.length, `${all} bytes`);
  assert.equal(await memory(), all);
  assert.match((await witness.command("INFO", "memory")).toString(), new RegExp(`mem_clients_normal:${all}\r\n`));
  await subscriber.command("SUBSCRIBE", "channel:0");
  assert.equal(clients.bufferBytes, all, "a second time is none");
  await subscriber.command("PSUBSCRIBE", "p".repeat(10_000));
  assert(clients.bufferBytes >= all + 10_000, "names of any length");
  await subscriber.command("PUNSUBSCRIBE");
  await subscriber.command("SSUBSCRIBE", "shard");
  assert(clients.bufferBytes > all && clients.bufferBytes < all + 1000);
  await subscriber.command("SUNSUBSCRIBE", "shard", "none");
  // SUNSUBSCRIBE replies for each name.
  await subscriber.receive(1);
  subscriber.send(`UNSUBSCRIBE ${names.slice(0, 500).join(" ")}\r\n`);
  await subscriber.receive(500);
  assert(clients.bufferBytes > all * 0.4 && clients.bufferBytes < all * 0.6, `${clients.bufferBytes} of ${all} bytes`);
  assert.equal(await memory(), clients.bufferBytes);
  await subscriber.command("RESET");
  assert.equal(clients.bufferBytes, 0);
  await subscriber.command("SUBSCRIBE", "channel");
  assert(clients.bufferBytes > 0);
  await subscriber.close();
  await until("who is gone takes nothing", () => clients.bufferBytes === 0);
});
