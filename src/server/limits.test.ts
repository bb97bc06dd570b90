/** What bounds clients: their number, their silence, what they send, and what they do not read. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { serveInProcess } from "../testing/in-process.ts";
import { heardUntilEnd, openSocket, until } from "../testing/sockets.ts";

const MIB = 2 ** 20;

describe("limits", { concurrency: true }, () => {
  test("maxclients: one more is told so and counted, until somebody leaves", async (t) => {
    const { store, port, client } = await serveInProcess(t, { maxclients: "2" });
    const [first, second] = await Promise.all([client(), client()]);
    const third = await openSocket(port);
    third.write("PING\r\n");
    assert.equal(await heardUntilEnd(third), "-ERR max number of clients reached\r\n");
    assert.equal(store.clients.rejectedConnections, 1);
    assert.equal((await first.command("PING")).toString(), "+PONG\r\n");
    await second.close();
    await until("the second has left", () => store.clients.size === 1);
    const fourth = await client();
    assert.equal((await fourth.command("PING")).toString(), "+PONG\r\n");
    assert.equal((await first.command("CONFIG", "SET", "maxclients", 3)).toString(), "+OK\r\n");
    assert.equal((await (await client()).command("PING")).toString(), "+PONG\r\n");
  });

  test("timeout: the silent are disconnected, the busy and those who watch are not", async (t) => {
    const { store, client } = await serveInProcess(t, { timeout: "1" });
    const [silent, busy, monitor] = await Promise.all([client(), client(), client()]);
    await monitor.command("MONITOR");
    const begin = performance.now();
    for (let index = 0; index < 25; index += 1) {
      await busy.command("PING");
      await sleep(100);
    }
    await silent.closedByServer(1);
    assert(performance.now() - begin > 1000);
    assert.equal(store.clients.size, 2);
  });

  test("proto-max-bulk-len: at run time as well", async (t) => {
    const { client } = await serveInProcess(t, { "proto-max-bulk-len": "1mb" });
    const first = await client();
    assert.equal((await first.command("SET", "a", Buffer.alloc(MIB))).toString(), "+OK\r\n");
    const second = await client();
    second.send(`*2\r\n$4\r\nECHO\r\n$${MIB + 1}\r\n`);
    assert.match((await second.receive()).toString(), /^-ERR Protocol error: invalid bulk length/);
    await second.closedByServer();
    await first.command("CONFIG", "SET", "proto-max-bulk-len", "2mb");
    assert.equal((await first.command("ECHO", Buffer.alloc(MIB + 1))).length, MIB + 1 + "$1048577\r\n\r\n".length);
  });

  test("maxmemory at run time: up to what there is room for, and beyond that refused in words", async (t) => {
    const { store, client } = await serveInProcess(t, { maxmemory: "100mb" });
    const one = await client();
    assert.equal((await one.command("CONFIG", "SET", "maxmemory", "120mb")).toString(), "+OK\r\n");
    assert.equal(store.engine.memory.bytes, 120 * MIB);
    const refusal = (await one.command("CONFIG", "SET", "maxmemory", "1gb")).toString();
    assert.match(
      refusal,
      /^-ERR CONFIG SET failed \(possibly related to argument 'maxmemory'\) - there is room for \d+ bytes/,
    );
    assert.equal(store.engine.memory.bytes, 120 * MIB);
    assert.match((await one.command("CONFIG", "GET", "maxmemory")).toString(), new RegExp(`${120 * MIB}`));
    assert.equal((await one.command("CONFIG", "SET", "maxmemory", "0")).toString(), "+OK\r\n");
  });

  test("a reply longer than a buffer can be is an error, and what came before and after it is answered", async (t) => {
    const { server, client } = await serveInProcess(t);
    server.outbox.reply.lengthMax = MIB;
    const one = await client();
    await one.command("SET", "a", Buffer.alloc(MIB / 2));
    one.send("PING\r\nMGET a a\r\nSTRLEN a\r\n");
    assert.equal((await one.receive()).toString(), "+PONG\r\n");
    const error = `-ERR a reply of more than ${MIB} bytes: ask for less at a time\r\n`;
    assert.equal((await one.receive()).toString(), error);
    assert.equal((await one.receive()).toString(), `:${MIB / 2}\r\n`);
    assert.equal((await one.command("GET", "a")).length, MIB / 2 + "$524288\r\n\r\n".length);
    // Nothing is left of what a walk had collected for its reply.
    await one.command("SADD", "walked", Buffer.alloc(MIB / 2, "b"), Buffer.alloc(MIB / 2, "c"), "d");
    assert.equal((await one.command("SSCAN", "walked", "0", "COUNT", "10")).toString(), error);
    await one.command("SADD", "few", "e");
    assert.equal((await one.command("SSCAN", "few", "0")).toString(), "*2\r\n$1\r\n0\r\n*1\r\n$1\r\ne\r\n");
  });

  test("client-query-buffer-limit: a request beyond it ends the connection, whatever it declares", async (t) => {
    const { client } = await serveInProcess(t, { "client-query-buffer-limit": "1mb" });
    const [greedy, other] = await Promise.all([client(), client()]);
    greedy.send(`*1000000\r\n${`$1000\r\n${"x".repeat(1000)}\r\n`.repeat(1100)}`);
    assert.match((await greedy.receive()).toString(), /^-ERR Protocol error: /);
    await greedy.closedByServer();
    assert.equal((await other.command("PING")).toString(), "+PONG\r\n");
  });

  test("a gigantic declared length takes no memory before its bytes are there", async (t) => {
    const { store, client, port } = await serveInProcess(t);
    const before = process.memoryUsage().arrayBuffers;
    const sockets = await Promise.all(Array.from({ length: 20 }, () => openSocket(port)));
    for (const socket of sockets) socket.write(`*1000000\r\n$3\r\nSET\r\n$1\r\nk\r\n$${512 * MIB}\r\nabc`);
    await until("all have arrived", () =>
      [...store.clients.list()].every(({ queryBufferBytes }) => queryBufferBytes > 0),
    );
    assert(process.memoryUsage().arrayBuffers - before < 100 * MIB);
    assert.equal((await (await client()).command("PING")).toString(), "+PONG\r\n");
    for (const socket of sockets) socket.destroy();
  });

  test("before AUTH, requests may be neither many nor long", async (t) => {
    const { port } = await serveInProcess(t, { requirepass: "secret" });
    for (const [request, error] of [
      ["*11\r\n", "unauthenticated multibulk length"],
      ["*2\r\n$4\r\nECHO\r\n$16385\r\n", "unauthenticated bulk length"],
    ] as const) {
      const socket = await openSocket(port);
      socket.write(request);
      assert.equal(await heardUntilEnd(socket), `-ERR Protocol error: ${error}\r\n`);
    }
  });
});

describe("client-output-buffer-limit", { concurrency: true }, () => {
  const LIMIT = "client-output-buffer-limit";

  test("a monitor that does not read is disconnected at the hard limit; memory stays bounded", async (t) => {
    const { store, port, client } = await serveInProcess(t, { [LIMIT]: "pubsub 2mb 0 0" });
    const [monitor, other] = await Promise.all([openSocket(port), client()]);
    monitor.write("MONITOR\r\n");
    await until("it watches", () => store.engine.monitors.size === 1);
    let worst = 0;
    for (let sent = 0; sent < 400 && store.engine.monitors.size === 1; sent += 1) {
      await other.command("SET", "key", Buffer.alloc(100_000, "x"));
      worst = Math.max(worst, ...[...store.clients.list()].map(({ outputBufferBytes }) => outputBufferBytes));
    }
    assert.equal(store.engine.monitors.size, 0);
    assert(worst > 0 && worst < 2.2 * MIB, `${worst} bytes waited`);
    assert.equal(store.clients.size, 1);
  });

  test("beyond the soft limit for its time, a monitor is disconnected even if nothing more comes", async (t) => {
    const { store, port, client } = await serveInProcess(t, { [LIMIT]: "pubsub 0 10kb 1" });
    const [monitor, other] = await Promise.all([openSocket(port), client()]);
    monitor.write("MONITOR\r\n");
    await until("it watches", () => store.engine.monitors.size === 1);
    const waiting = () => [...store.clients.list()].some(({ outputBufferBytes }) => outputBufferBytes > 100_000);
    for (let sent = 0; sent < 400 && !waiting(); sent += 1) {
      await other.command("SET", "key", Buffer.alloc(100_000, "x"));
    }
    assert.equal(store.clients.size, 2);
    await until("it is disconnected", () => store.clients.size === 1);
  });

  test("a normal client has the limit that it is given, and none by default", async (t) => {
    const { store, port, client } = await serveInProcess(t);
    const other = await client();
    await other.command("SET", "value", Buffer.alloc(16 * MIB));
    const patient = await openSocket(port);
    patient.write("GET value\r\n");
    await until("it waits", () => [...store.clients.list()].some(({ outputBufferBytes }) => outputBufferBytes > MIB));
    assert.equal((await other.command("CONFIG", "SET", LIMIT, "normal 8mb 0 0")).toString(), "+OK\r\n");
    await until("it is disconnected by the new limit", () => store.clients.size === 1);
    const another = await openSocket(port);
    another.write("GET value\r\nSET executed yes\r\n");
    await until("it is disconnected at once", () => store.clients.totalConnections === 3 && store.clients.size === 1);
    assert.equal((await other.command("GET", "executed")).toString(), "$-1\r\n");
  });

  test("a reply above the hard limit is not even sent, and what is behind it is not executed", async (t) => {
    const { store, port, client } = await serveInProcess(t, { [LIMIT]: "normal 100000 0 0" });
    const other = await client();
    const element = "x".repeat(9000);
    for (let count = 0; count < 40; count += 1) await other.command("RPUSH", "list", element);
    for (let count = 0; count < 20; count += 1) await other.command("SET", `${element}${count}`, "v");
    // One that fits into what is sent together, and one that is longer.
    for (const command of ["LRANGE list 0 15", "LRANGE list 0 -1", "KEYS *", "LPOP list 1000"]) {
      const socket = await openSocket(port);
      socket.write(`PING\r\n${command}\r\nSET executed yes\r\nQUIT\r\n`);
      assert.equal(await heardUntilEnd(socket), "", command);
    }
    assert.equal((await other.command("EXISTS", "executed", "list")).toString(), ":0\r\n", "LPOP was executed");
    assert.equal((await other.command("ECHO", Buffer.alloc(90_000))).length, "$90000\r\n\r\n".length + 90_000);
    // Limits that no reply keeps to would lock everybody out: the first 16 KiB do not count, as in Redis.
    await other.command("CONFIG", "SET", LIMIT, "normal 1 0 0");
    assert.equal((await other.command("ECHO", Buffer.alloc(16_000))).length, "$16000\r\n\r\n".length + 16_000);
    await other.command("CONFIG", "SET", LIMIT, "normal 0 0 0 pubsub 100000 0 0");
    assert.equal((await other.command("ECHO", Buffer.alloc(MIB))).length, "$1048576\r\n\r\n".length + MIB);
    assert.equal(store.clients.size, 1);
    other.send(`SUBSCRIBE ${Array.from({ length: 4000 }, (_, index) => `channel:${index}`).join(" ")}\r\n`);
    await other.closedByServer();
  });
});
