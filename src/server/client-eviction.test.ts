import assert from "node:assert/strict";
import { test } from "node:test";
import { serveInProcess } from "../testing/in-process.ts";
import { openSocket, until } from "../testing/sockets.ts";

/** Most of a request, which the server keeps until the rest comes. */
function unfinished(bytes: number): string {
  return `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${bytes * 2}\r\n${"x".repeat(bytes)}`;
}

test("maxmemory-clients: who takes the most goes, unless it may not; the others stay", async (t) => {
  const { store, port, client } = await serveInProcess(t, { "maxmemory-clients": "3mb" });
  const small = await client();
  const exempt = await openSocket(port);
  exempt.write("CLIENT NO-EVICT ON\r\n");
  await until("it is exempt", () => [...store.clients.list()].some(({ session }) => session.noEvict));
  exempt.write(unfinished(600_000));
  await until("its buffer is kept", () => store.clients.bufferBytes > 500_000);
  const middle = await openSocket(port);
  middle.write(unfinished(400_000));
  await until("another's, too", () => store.clients.bufferBytes > 1_000_000);
  const large = await openSocket(port);
  large.on("error", () => undefined);
  large.write(unfinished(4_000_000));
  await until("one is gone", () => store.clients.evictedClients === 1);
  assert.equal(store.clients.size, 3);
  assert.ok(large.destroyed || store.clients.bufferBytes < 3 * 2 ** 20);
  assert.match((await small.command("INFO", "stats")).toString(), /evicted_clients:1\r\n/);
  await small.command("CONFIG", "SET", "maxmemory-clients", "600kb");
  await until("the next is gone", () => store.clients.evictedClients === 2);
  const left = [...store.clients.list()];
  assert.ok(
    left.some(({ session }) => session.noEvict),
    "who takes the most is exempt",
  );
  await small.command("CONFIG", "RESETSTAT");
  assert.equal(store.clients.evictedClients, 0);
});

test("a share of maxmemory, which may change; and no limit by default", async (t) => {
  const { store, port, client } = await serveInProcess(t, { maxmemory: "100mb" });
  const small = await client();
  const large = await openSocket(port);
  large.on("error", () => undefined);
  large.write(unfinished(5_000_000));
  await until("its buffer is kept", () => store.clients.bufferBytes > 4_000_000);
  await small.command("CONFIG", "SET", "maxmemory-clients", "20%");
  await small.command("PING");
  assert.equal(store.clients.evictedClients, 0);
  await small.command("CONFIG", "SET", "maxmemory", "10mb");
  await until("it is gone", () => store.clients.evictedClients === 1);
});

test("who subscribes to more than there is room for is disconnected, its subscriptions end", async (t) => {
  const { store, port, client } = await serveInProcess(t, { "maxmemory-clients": "3mb" });
  const [small, moderate] = await Promise.all([client(), client()]);
  await moderate.command("SUBSCRIBE", "one");
  const greedy = await openSocket(port);
  greedy.resume();
  for (let index = 0; index < 20_000; index += 100) {
    greedy.write(`SUBSCRIBE ${Array.from({ length: 100 }, (_, at) => `channel:${index + at}`).join(" ")}\r\n`);
  }
  await until("it is gone", () => store.clients.evictedClients === 1);
  assert.equal(store.clients.size, 2);
  assert.equal((await small.command("PUBSUB", "CHANNELS")).toString(), "*1\r\n$3\r\none\r\n");
});
